"""An HTTP server on a loopback port that leaves nothing behind: the ground of the stand-ins."""

from __future__ import annotations

import http
import signal
import socket
import socketserver
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

_CHUNK = 1 << 16


class LoopbackHandler(BaseHTTPRequestHandler):
    """Answers without waiting for acknowledgements, which would add 40 ms to some of them."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: LoopbackServer

    def body(self) -> Iterator[bytes]:
        """The request's body, in chunks. Raises ConnectionResetError where its sender has died."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return
        left = int(self.headers.get("Content-Length") or 0)
        while left and (chunk := self.rfile.read(min(left, _CHUNK))):
            left -= len(chunk)
            yield chunk
        if left:
            raise ConnectionResetError("the body is cut short")

    def send(
        self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> None:
        """Send a whole answer; a small one is sent in one piece."""
        head = self.head(status, len(body), headers or {})
        seen = b"" if self.command == "HEAD" or status in (204, 304) else body
        if len(seen) > _CHUNK:
            self.wfile.write(head)
            self.wfile.write(seen)
        else:
            self.wfile.write(head + seen)

    def head(self, status: int, length: int, headers: Mapping[str, str]) -> bytes:
        """The status line and headers of an answer."""
        with suppress(ValueError):
            phrase = http.HTTPStatus(status).phrase
            return self._head(f"{status} {phrase}", length, headers)
        return self._head(f"{status} Unknown", length, headers)

    def hang(self) -> None:
        """Answer nothing until the server stops."""
        self.server.stopping.wait()
        self.close_connection = True

    def drop(self) -> None:
        """Close the connection without an answer."""
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing; the servers keep records instead."""

    def _head(self, status: str, length: int, headers: Mapping[str, str]) -> bytes:
        lines = [f"{name}: {value}" for name, value in headers.items()]
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {length}", *lines]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class LoopbackServer(ThreadingHTTPServer):
    """A server that runs in threads of this process between ``with`` and its end.

    A fault of the server itself is raised at the end, so that no test passes by its mistake.
    """

    request_queue_size = 256
    daemon_threads = True

    def __init__(self, handler: type[LoopbackHandler], port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.host = f"127.0.0.1:{self.server_port}"
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._open: dict[threading.Thread, socket.socket] = {}
        self._faults: list[BaseException] = []

    def server_bind(self) -> None:
        """Bind, without looking up this machine's name."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        thread = threading.current_thread()
        with self._lock:
            self._open[thread] = request
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                del self._open[thread]

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exception()
        if error and not isinstance(error, ConnectionError):
            self._faults.append(error)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stopping.set()
        self.shutdown()
        self._thread.join()
        with self._lock:
            threads = dict(self._open)
        for connection in threads.values():
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(60)
        self.server_close()
        if self._faults:
            raise ExceptionGroup("The stand-in itself failed", self._faults)  # type: ignore[type-var]


def until_interrupted(line: str) -> None:
    """Say ``line``, and wait for Ctrl-C or SIGTERM."""
    end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: end.set())
    print(line, flush=True)
    end.wait()

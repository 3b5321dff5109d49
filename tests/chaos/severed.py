"""A TCP connection that can be cut: a service that is away, and comes back."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Self

_CHUNK = 1 << 16


class Severed:
    """Passes connections on to ``port`` until ``cut``; from then on it accepts none, and those
    that stand are closed, until ``mend``."""

    def __init__(self, host: str) -> None:
        name, _, port = host.rpartition(":")
        self._target = (name, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._whole = threading.Event()
        self._whole.set()
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def cut(self) -> None:
        self._whole.clear()
        with self._lock:
            for each in self._open:
                _close(each)
            self._open.clear()

    def mend(self) -> None:
        self._whole.set()

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *exception: object) -> None:
        _close(self._listener)
        self.cut()
        for each in self._threads:
            each.join(60)

    def _accept(self) -> None:
        while True:
            try:
                incoming, _ = self._listener.accept()
            except OSError:
                return
            try:
                outgoing = socket.create_connection(self._target)
            except OSError:
                incoming.close()
                continue
            with self._lock:
                if not self._whole.is_set():
                    _close(incoming)
                    _close(outgoing)
                    continue
                self._open += [incoming, outgoing]
            self._start(_pump, incoming, outgoing)
            self._start(_pump, outgoing, incoming)

    def _start(self, work: object, *arguments: socket.socket) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            sink.sendall(data)
    _close(source)
    _close(sink)


def _close(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()

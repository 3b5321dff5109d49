"""A package index on loopback: stubs of packages, with the metadata of the real ones."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from packaging.utils import canonicalize_name


@dataclass
class PackageIndex:
    """What is offered, by PEP 503, and who was asked for."""

    url: str = ""
    asked: set[str] = field(default_factory=set)
    _files: dict[str, dict[str, bytes]] = field(default_factory=dict, repr=False)

    def offer(
        self,
        name: str,
        version: str,
        metadata: str = "",
        programs: Mapping[str, bytes] | None = None,
    ) -> str:
        """Add a release, and return the hash of its wheel."""
        stem = f"{canonicalize_name(name).replace('-', '_')}-{version}"
        heads = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{metadata}"
        files = {f"{stem}.dist-info/METADATA": heads.encode()}
        files[f"{stem}.dist-info/WHEEL"] = b"Wheel-Version: 1.0\nTag: py3-none-any\n"
        for program, body in (programs or {}).items():
            files[f"{stem}.data/scripts/{program}"] = body
        record = "".join(f"{each},,\n" for each in [*files, f"{stem}.dist-info/RECORD"])
        files[f"{stem}.dist-info/RECORD"] = record.encode()
        wheel = io.BytesIO()
        with zipfile.ZipFile(wheel, "w") as archive:
            for path, body in files.items():
                member = zipfile.ZipInfo(path)
                member.external_attr = 0o100755 << 16
                archive.writestr(member, body)
        offered = self._files.setdefault(canonicalize_name(name), {})
        offered[f"{stem}-py3-none-any.whl"] = wheel.getvalue()
        return hashlib.sha256(wheel.getvalue()).hexdigest()

    def answer(self, path: str) -> tuple[str, bytes] | None:
        """A page or a file: its type and its body."""
        kind, _, rest = path.strip("/").partition("/")
        name, _, file = rest.partition("/")
        if kind == "simple" and name in self._files:
            self.asked.add(name)
            links = (f'<a href="/files/{name}/{each}">{each}</a>' for each in self._files[name])
            return "text/html", f"<!doctype html>{' '.join(links)}".encode()
        body = self._files.get(name, {}).get(file)
        return None if body is None else ("application/octet-stream", body)


@contextmanager
def package_index() -> Iterator[PackageIndex]:
    """An empty one, served."""
    index = PackageIndex()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, body = index.answer(self.path) or ("", b"")
            self.send_response(200 if kind else 404)
            self.send_header("Content-Type", kind or "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    index.url = f"http://127.0.0.1:{server.server_port}/simple"
    try:
        yield index
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

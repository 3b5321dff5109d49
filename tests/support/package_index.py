"""A package index on loopback: stubs of packages, with the metadata of the real ones."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_string
from html import escape

from packaging.utils import canonicalize_name

from tests.support.loopback import LoopbackHandler, LoopbackServer


@dataclass
class PackageIndex:
    """What is offered, by PEP 503, and who was asked for."""

    url: str = ""
    asked: set[str] = field(default_factory=set)
    _pythons: dict[str, str] = field(default_factory=dict, repr=False)
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
        python = message_from_string(heads)["Requires-Python"] or ""
        self._pythons[f"{stem}-py3-none-any.whl"] = escape(python)
        return hashlib.sha256(wheel.getvalue()).hexdigest()

    def answer(self, path: str) -> tuple[str, bytes] | None:
        """A page or a file: its type and its body."""
        kind, _, rest = path.strip("/").partition("/")
        name, _, file = rest.partition("/")
        if kind == "simple" and name in self._files:
            self.asked.add(name)
            links = (
                f'<a href="/files/{name}/{each}" data-requires-python="{self._pythons[each]}">'
                f"{each}</a>"
                for each in self._files[name]
            )
            return "text/html", f"<!doctype html>{' '.join(links)}".encode()
        body = self._files.get(name, {}).get(file)
        return None if body is None else ("application/octet-stream", body)


@contextmanager
def package_index() -> Iterator[PackageIndex]:
    """An empty one, served."""
    index = PackageIndex()

    class Answer(LoopbackHandler):
        def do_GET(self) -> None:
            kind, body = index.answer(self.path) or ("", b"")
            self.send(200 if kind else 404, body, {"Content-Type": kind or "text/plain"})

    with LoopbackServer(Answer) as server:
        index.url = f"{server.url}/simple"
        yield index

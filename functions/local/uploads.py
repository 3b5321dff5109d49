"""What ``captions serve`` has at ``/``: the review page, and a place to put pictures."""

from __future__ import annotations

import ipaddress
import shutil
import tempfile
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import IO, TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Request, Response

from functions.adapters.folder import BUCKET, STATE, ignored
from functions.core.document import document_id
from functions.http import responses
from functions.http.responses import Refusal
from functions.http.review import UPLOADS
from functions.pictures import HEAD_BYTES, sniff

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PLACE = "/uploads/"
_SCRIPT = "/alt_text/alt.js"
_CHUNK = 1 << 20
# Bytes. A number may still be added to it.
_LONGEST = 200
# What file systems of one kind or another take for something else.
_RESERVED = frozenset('<>:"|?*\\/')


class LocalGuard:
    """The page, and uploads into ``folder`` of up to ``max_bytes``, for this machine's people.

    A website that they visit may ask this address too: by a name of its own that leads here, or
    as another site. None gets an answer, but for the ``sites`` that are named, by path.
    """

    def __init__(
        self,
        page: WSGIApplication,
        folder: Path,
        host: str,
        max_bytes: int,
        sites: Mapping[str, Collection[str]] = MappingProxyType({}),
    ) -> None:
        self._page, self._folder, self._max_bytes = page, folder, max_bytes
        self._hosts = {"localhost", host}
        self._sites = {path: frozenset(named) - {"*"} for path, named in sites.items()}

    def guarding(self, app: WSGIApplication) -> WSGIApplication:
        """``app``, for nobody but the people at this machine."""

        def guarded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            why = self._refusal(Request(environ))
            if not why:
                return app(environ, start_response)
            return responses.as_json({"error": why}, status=403)(environ, start_response)

        return guarded

    def _refusal(self, request: Request) -> str:
        """Why this asker gets nothing; empty if it may ask."""
        if not self._is_here(request):
            return "this address is not this machine's; use http://localhost and the port"
        if not _foreign(request):
            return ""
        asks = request.method in ("GET", "HEAD")
        if asks and request.path == _SCRIPT:  # it says nothing of what is here
            return ""
        if request.headers.get("Origin") in self._sites.get(request.path.rstrip("/"), ()):
            return ""
        navigates = request.headers.get("Sec-Fetch-Mode") == "navigate"
        if asks and navigates and request.headers.get("Sec-Fetch-Dest") == "document":
            return ""
        return "another website may read and change nothing here, unless --origin names it"

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        if not request.path.startswith(PLACE):
            environ[UPLOADS] = True
            return self._page(environ, start_response)
        response = responses.guarded(request, lambda: self._upload(request))
        return response(environ, start_response)

    def _is_here(self, request: Request) -> bool:
        """Whether the Host is an address, ``localhost``, or the name that was chosen: other
        names may be those of a website that has turned its own to this machine."""
        host = urlsplit(f"//{request.host}").hostname or ""
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return host in self._hosts
        return True

    def _upload(self, request: Request) -> Response:
        responses.allow(request, "PUT")
        if request.method == "OPTIONS":
            return Response(status=204, headers={"Allow": "PUT, OPTIONS"})
        name = file_name(request.path.removeprefix(PLACE))
        with tempfile.TemporaryFile(dir=self._folder / STATE) as taken:
            self._take(request, taken)
            name = self._kept(name, taken)
        made = {"name": name, "id": document_id(BUCKET, name)}
        return responses.as_json(made, status=201)

    def _take(self, request: Request, to: IO[bytes]) -> None:
        size = 0
        while chunk := request.stream.read(_CHUNK):
            size += len(chunk)
            if size <= self._max_bytes:
                to.write(chunk)
        if size > self._max_bytes:
            raise Refusal(413, f"the file is larger than CAPTION_MAX_BYTES={self._max_bytes}")
        to.seek(0)
        if sniff(to.read(HEAD_BYTES)) is None:
            raise Refusal(415, "the file is no image or video known here; choose JPEG, WebP, MP4 …")

    def _kept(self, name: str, taken: IO[bytes]) -> str:
        """The name under which the file is in the folder now; what is there stays."""
        for each in numbered(name):
            path = self._folder / each
            try:
                with path.open("xb") as file:
                    taken.seek(0)
                    shutil.copyfileobj(taken, file, _CHUNK)
                return each
            except FileExistsError:
                continue
            except OSError as error:
                path.unlink(missing_ok=True)
                raise Refusal(507, f"the file cannot be written: {error.strerror}") from None
        raise AssertionError


def _foreign(request: Request) -> bool:
    """Whether a browser says that another website sends this; an address that somebody has typed
    is nobody's."""
    elsewhere = responses.from_elsewhere(request)
    return elsewhere or request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none")


def file_name(text: str) -> str:
    """A name for a file of the folder, close to ``text``. Raises Refused if there is none."""
    last = unicodedata.normalize("NFC", text.replace("\\", "/")).rpartition("/")[2]
    plain = "".join(
        "_" if char in _RESERVED or unicodedata.category(char)[0] == "C" else char for char in last
    ).strip(" .")
    path = PurePosixPath(plain or ".")
    stem = path.stem.encode()[: _LONGEST - len(path.suffix.encode())].decode("utf-8", "ignore")
    name = f"{stem}{path.suffix}"
    if not stem or len(path.suffix) > _LONGEST // 2 or ignored(name):
        raise Refusal(400, "choose another name for the file; this one is left alone here")
    return name


def numbered(name: str) -> Iterator[str]:
    """``mug.jpg``, ``mug (2).jpg``, ``mug (3).jpg`` …"""
    yield name
    path, number = PurePosixPath(name), 2
    while True:
        yield f"{path.stem} ({number}){path.suffix}"
        number += 1

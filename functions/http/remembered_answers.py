"""Whole answers that are given again to whoever asks the same, before the web framework is asked.

An answer is the same as long as all the documents that it rests on are remembered; whoever made it
says until when. What else it depends on is its key (path, query, body and its type, whether
compressed answers are taken), or is looked at each time (If-None-Match, Origin).
"""

from __future__ import annotations

import functools
import hashlib
import io
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Request, Response
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

from functions.http.kept import Kept

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MOST_ENTRIES = 20_000
MOST_BYTES = 32 << 20
# Of what was not found; strangers can ask for names without end, and drive out no answer by it.
MOST_ABSENT_BYTES = 4 << 20
# A longer question is looked at by the framework each time, and never kept.
LONGEST_QUERY, LONGEST_BODY = 4096, 64_000
_LONGEST_HEADER = 200
# What an answer takes beside its bytes: the objects around them, 1,300 by tracemalloc.
_OVERHEAD = 2_000
# Where a question's key is noted for whoever answers it.
_ASKED = "captions.asked"
_ORIGIN = "Access-Control-Allow-Origin"
# RFC 9110, section 15.4.5: what a 304 says of the answer that the asker has.
_NOT_MODIFIED = frozenset({"content-type", "content-length", "content-encoding"})

# Requests for a part, or for another version, or with a body of no length.
_NOBODY_ELSES = frozenset({"HTTP_TRANSFER_ENCODING", "HTTP_IF_MATCH", "HTTP_RANGE"})

Key = tuple[str, str, str, bytes, bool]


@dataclass(frozen=True, slots=True)
class _SentAnswer:
    """An answer as it is sent, but for what an Origin adds."""

    status: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    etag: str


class RememberedAnswers:
    """Answers by what was asked; ``admits`` says which origin an answer is open to."""

    def __init__(
        self, admits: Callable[[str], str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._admits = admits
        self._found = Kept[Key, _SentAnswer](MOST_ENTRIES, MOST_BYTES, clock)
        self._absent = Kept[Key, _SentAnswer](MOST_ENTRIES, MOST_ABSENT_BYTES, clock)

    def keep(self, request: Request, response: Response, until: float) -> None:
        """Give this answer to whoever asks the same until then."""
        key: Key | None = request.environ.get(_ASKED)
        whole = request.method != "HEAD" and response.status_code in (200, 404)
        if key is None or not whole:
            return
        body = response.get_data()
        headers = tuple(each for each in response.headers if each[0] != _ORIGIN)
        answer = _SentAnswer(response.status, headers, body, response.headers.get("ETag", ""))
        kept = self._found if response.status_code == 200 else self._absent
        kept.keep(key, answer, _OVERHEAD + len(body) + len(key[2]), until)

    def answer(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes] | None:
        """The answer to a request that was answered before; None for another one, which can still
        be read from its beginning."""
        key = environ[_ASKED] = _key(environ)
        entry = key and (self._found.find(key) or self._absent.find(key))
        if not entry or environ.get("HTTP_IF_NONE_MATCH", entry.value.etag) != entry.value.etag:
            return None
        return self._sent(entry.value, environ, start_response)

    def _sent(
        self, answer: _SentAnswer, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        headers = [*answer.headers]
        if origin := self._admits(environ.get("HTTP_ORIGIN", "")):
            headers.append((_ORIGIN, origin))
        if answer.etag and "HTTP_IF_NONE_MATCH" in environ:
            headers = [each for each in headers if each[0].lower() not in _NOT_MODIFIED]
            start_response("304 NOT MODIFIED", headers)
            return []
        start_response(answer.status, headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]


def _key(environ: WSGIEnvironment) -> Key | None:
    """What an answer depends on; None for a request that is nobody else's."""
    query, encodings = environ.get("QUERY_STRING", ""), environ.get("HTTP_ACCEPT_ENCODING", "")
    if (
        len(query) > LONGEST_QUERY
        or max(len(encodings), len(environ.get("CONTENT_TYPE", ""))) > _LONGEST_HEADER
    ):
        return None
    if not environ.keys().isdisjoint(_NOBODY_ELSES):
        return None
    method, body, type_ = environ["REQUEST_METHOD"], b"", ""
    if method == "POST":
        if (sent := _body(environ)) is None:
            return None
        body, type_ = hashlib.sha256(sent).digest(), environ.get("CONTENT_TYPE", "")
    elif method not in ("GET", "HEAD") or environ.get("CONTENT_LENGTH", "") not in ("", "0"):
        return None
    kind = "POST" if method == "POST" else "GET"
    path = f"{kind} {environ.get('PATH_INFO', '')}"
    return path, type_, query, body, takes_gzip(encodings)


def _body(environ: WSGIEnvironment) -> bytes | None:
    """The body, which can be read again; None for one that is long, or is not all there."""
    length = environ.get("CONTENT_LENGTH", "")
    if not re.fullmatch("[0-9]{1,5}", length) or int(length) > LONGEST_BODY:
        return None
    try:
        sent: bytes = environ["wsgi.input"].read(int(length))
    except Exception:  # every server has its own names for what the sender did wrong
        return None
    environ["wsgi.input"] = io.BytesIO(sent)
    return sent if len(sent) == int(length) else None


@functools.lru_cache(maxsize=256)
def takes_gzip(encodings: str) -> bool:
    """Whether who sends this Accept-Encoding takes compressed answers."""
    return parse_accept_header(encodings, Accept).quality("gzip") > 0

"""What every answer over HTTP has in common: JSON, caching, other websites, faults, the log."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Request, Response
from werkzeug.datastructures import Headers

from functions.core.errors import CaptionError, ConfigurationError
from functions.logs import trace

JSON = "application/json; charset=utf-8"
_COMPRESSIBLE = ("application/json", "image/svg+xml")
NOT_KEPT = "no-store"
_CHUNK = 1 << 16
# What is read of a body that is too long, lest its sender see a broken connection and no answer.
_MOST_DROPPED = 64 << 20
# Shorter answers gain nothing by compression.
_COMPRESSED_BYTES = 1024
_RETRY_SECONDS = 5
_PREFLIGHT_SECONDS = 86400


class Refusal(Exception):
    """An answer that is not the one asked for; ``message`` tells the asker what to do."""

    def __init__(self, status: int, message: str, cache: str = NOT_KEPT, **headers: str) -> None:
        super().__init__(message)
        self.status, self.message, self.cache, self.headers = status, message, cache, headers


def as_json(value: Mapping[str, Any], cache: str = NOT_KEPT, status: int = 200) -> Response:
    """``value`` as an answer, to be kept as long as ``cache`` (Cache-Control) says."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return answer(body, JSON, cache, status)


def answer(body: bytes, content_type: str, cache: str, status: int = 200) -> Response:
    """An answer that browsers take for nothing else than its type."""
    headers = (
        ("Content-Type", content_type),
        ("Content-Length", str(len(body))),
        ("Cache-Control", cache),
        ("X-Content-Type-Options", "nosniff"),
    )
    return Response(body, status, Headers(headers))


def compressed(response: Response, request: Request) -> Response:
    """``response``, compressed if the asker takes that and it is worth it.

    An answer that has an ETag already stays as it is: the tag is of these bytes.
    """
    data = response.get_data()
    if len(data) <= _COMPRESSED_BYTES or "ETag" in response.headers:
        return response
    if not (response.mimetype or "").startswith("text/") and response.mimetype not in _COMPRESSIBLE:
        return response
    response.vary.add("Accept-Encoding")
    if request.accept_encodings.quality("gzip") > 0:
        response.set_data(gzip.compress(data, 6, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response


def conditional(response: Response, request: Request) -> Response:
    """``response`` with a strong ETag; a 304 if the asker has the same bytes already."""
    body = hashlib.sha256(compressed(response, request).get_data()).hexdigest()
    response.headers["ETag"] = f'"{body[:32]}"'
    if "HTTP_IF_NONE_MATCH" in request.environ or "HTTP_IF_MATCH" in request.environ:
        response.make_conditional(request)
        del response.headers["Date"]  # the server sets its own, and a second one is one too many
    return response


def allow(request: Request, *methods: str) -> None:
    """Raises Refused unless the request's method is one of these or OPTIONS."""
    if request.method not in (*methods, "OPTIONS"):
        allowed = ", ".join((*methods, "OPTIONS"))
        raise Refusal(405, f"{request.method} is not possible here; use {allowed}", Allow=allowed)


def from_elsewhere(request: Request) -> bool:
    """Whether a browser says that a page of another origin sends this."""
    origin = request.headers.get("Origin")
    return origin is not None and origin.partition("://")[2] != request.host


def body(request: Request, most: int) -> bytes:
    """The request's body, also when it is asked for again. Raises Refusal if it is longer than
    ``most`` bytes, or is not sent as it was announced."""
    if not {"CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING"} & request.environ.keys():
        return b""
    try:
        taken = request.stream.read(most + 1)
        left = _MOST_DROPPED if len(taken) > most else 0
        while left > 0 and (dropped := request.stream.read(_CHUNK)):
            left -= len(dropped)
    except Exception:  # every server has its own names for what the sender did wrong
        _replace_body(request, b"")
        raise Refusal(400, "the body is cut short, or its chunks are malformed") from None
    if len(taken) > most:
        _replace_body(request, b"")
        raise Refusal(413, f"the body is longer than {most} bytes; ask for less at once")
    _replace_body(request, taken)
    return taken


def _replace_body(request: Request, data: bytes) -> None:
    """The framework reads what is left of a body, all at once, before it answers."""
    vars(request)["stream"] = io.BytesIO(data)


@dataclass(frozen=True, slots=True)
class Visitors:
    """The websites whose scripts may read the answers: CORS, as the Fetch standard has it."""

    origins: tuple[str, ...]

    def preflight(self, *methods: str) -> Response:
        """What OPTIONS is answered with."""
        response = Response(status=204)
        response.headers["Allow"] = ", ".join((*methods, "OPTIONS"))
        response.headers["Access-Control-Allow-Methods"] = ", ".join(methods)
        response.headers["Access-Control-Allow-Headers"] = "Content-Type, If-None-Match"
        response.headers["Access-Control-Max-Age"] = str(_PREFLIGHT_SECONDS)
        return response

    def admits(self, origin: str) -> str:
        """Who may read an answer to a page of ``origin``; empty if that page may not."""
        if "*" in self.origins:
            return "*"
        return origin if origin in self.origins else ""

    def admitted(self, request: Request, response: Response) -> Response:
        """``response``, open to the website that asks, if it is one of these."""
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        if "*" not in self.origins:
            response.vary.add("Origin")
        if origin := self.admits(request.headers.get("Origin", "")):
            response.headers["Access-Control-Allow-Origin"] = origin
        return response


def guarded(request: Request, act: Callable[[], Response]) -> Response:
    """What ``act`` answers; its faults as JSON, and those that are not the asker's in the log."""
    try:
        return act()
    except Refusal as refused:
        response = as_json({"error": refused.message}, refused.cache, refused.status)
        response.headers.update(refused.headers)
        return response
    except CaptionError as error:
        wrong = isinstance(error, ConfigurationError)
        log(request, "ERROR" if wrong else "WARNING", str(error), 503)
        message = "captions are out of reach for the moment; ask again later"
    except Exception:
        log(request, "CRITICAL", traceback.format_exc(), 500)
        message = "something is wrong here; the log says what"
        return as_json({"error": message}, status=500)
    response = as_json({"error": message}, status=503)
    response.headers["Retry-After"] = str(_RETRY_SECONDS)
    return response


def log(request: Request, severity: str, message: str, status: int) -> None:
    """One line, of the same form as a delivery's."""
    reasons = {"ERROR": "configuration", "WARNING": "transient", "CRITICAL": "defect"}
    line: dict[str, Any] = {
        "severity": severity,
        "message": message,
        "outcome": "unanswered",
        "reason": reasons.get(severity),
        "httpRequest": {"requestMethod": request.method, "status": status},
    }
    if found := trace(request.headers.get("traceparent", "")):
        line["logging.googleapis.com/trace"] = found
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()

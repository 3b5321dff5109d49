"""How objects' bytes come to Cloud Storage and leave it: multipart, resumable, ranges."""

from __future__ import annotations

import email
import email.policy
import json
from dataclasses import dataclass
from typing import Any

from tests.support.strict_objects import Refused, Stored, invalid


@dataclass
class Resumable:
    """An upload in pieces: the query and fields it began with, and the bytes so far."""

    query: dict[str, str]
    fields: dict[str, Any]
    data: bytes = b""

    def add(self, piece: bytes, content_range: str | None) -> bool:
        """Append a piece (``bytes 0-9/20``, or ``bytes */*`` to ask); True when it is whole."""
        span, _, total = (content_range or "bytes */").removeprefix("bytes ").partition("/")
        if span != "*" and int(span.partition("-")[0]) != len(self.data):
            raise Refused(503, "backendError", "Invalid request: the chunk does not follow.")
        self.data += piece
        return not total or (total != "*" and len(self.data) >= int(total))


def download(stored: Stored, span: str | None) -> tuple[bytes, dict[str, str]]:
    """The bytes that a Range header asks for, and their headers."""
    headers = {
        "Content-Type": stored.fields["contentType"],
        "ETag": stored.etag,
        "X-Goog-Generation": str(stored.generation),
        "X-Goog-Metageneration": str(stored.metageneration),
        "X-Goog-Hash": f"crc32c={stored.crc32c},md5={stored.md5}",
        "X-Goog-Stored-Content-Length": str(len(stored.data)),
        "X-Goog-Storage-Class": "STANDARD",
    }
    if not span:
        return stored.data, headers
    first, _, last = span.removeprefix("bytes=").partition("-")
    size = len(stored.data)
    start = int(first) if first else max(size - int(last), 0)
    end = min(int(last) + 1, size) if first and last else size
    if start >= size:
        raise Refused(416, "requestedRangeNotSatisfiable", "Request range not satisfiable")
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return stored.data[start:end], headers


def multipart(kind: str, raw: bytes) -> tuple[dict[str, Any], bytes]:
    """The two parts of an upload: fields and media, split by hand to keep the bytes as sent."""
    message = email.message_from_string(f"Content-Type: {kind}\r\n\r\n", policy=email.policy.HTTP)
    boundary = message.get_boundary()
    if not boundary:
        raise invalid("Missing multipart boundary")
    mark = b"--" + boundary.encode()
    _, first, rest = raw.split(mark, 2)
    head, _, data = rest.rpartition(b"\r\n" + mark)[0].partition(b"\r\n\r\n")
    fields = json.loads(first.partition(b"\r\n\r\n")[2])
    part = email.message_from_bytes(head.lstrip())
    fields.setdefault("contentType", part.get_content_type())
    return fields, data

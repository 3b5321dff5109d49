"""A change in a folder as the CloudEvent that Cloud Storage would send, and its delivery."""

from __future__ import annotations

import http.client
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from functions.adapters.folder import BUCKET
from functions.core.document import Document, Upload
from functions.events import FINALIZED, PUBLISHED, REMOVALS

_ANSWER_SECONDS = 600


@dataclass(frozen=True, slots=True)
class BucketEvent:
    """An event on its way: the entry point it is for, its headers and its data."""

    target: str
    headers: Mapping[str, str]
    data: Mapping[str, Any]

    @property
    def id(self) -> str:
        return self.headers["ce-id"]


def finalized(upload: Upload) -> BucketEvent:
    """What the bucket says when a file has been stored."""
    data = {
        "kind": "storage#object",
        "id": f"{upload.bucket}/{upload.name}/{upload.generation}",
        "bucket": upload.bucket,
        "name": upload.name,
        "generation": str(upload.generation),
        "metageneration": str(upload.metageneration or 1),
        "contentType": upload.content_type,
        "size": str(upload.size),
        "md5Hash": upload.md5,
        "metadata": dict(upload.metadata),
        "storageClass": "STANDARD",
        "timeCreated": _stamp(upload.time),
        "updated": _stamp(upload.time),
    }
    return BucketEvent("caption_image", _headers(FINALIZED, upload.bucket, upload.name), data)


def deleted(document: Document) -> BucketEvent:
    """What the bucket says when the file that a document describes has been deleted."""
    data = {
        "kind": "storage#object",
        "id": f"{document.bucket}/{document.name}/{document.generation}",
        "bucket": document.bucket,
        "name": document.name,
        "generation": str(document.generation),
        "metageneration": "1",
        "contentType": document.content_type,
        "timeDeleted": _stamp(datetime.now(UTC)),
    }
    return BucketEvent("forget_image", _headers(REMOVALS[0], document.bucket, document.name), data)


def clock() -> BucketEvent:
    """What Cloud Scheduler says every quarter of an hour."""
    data = {"message": {"data": "e30=", "messageId": "1"}, "subscription": "clock"}
    return BucketEvent("keep", _headers(PUBLISHED, BUCKET, ""), data)


def post(change: BucketEvent, address: tuple[str, int]) -> bool:
    """Deliver ``change`` once. Returns whether it is acknowledged, which any 2xx does."""
    connection = http.client.HTTPConnection(*address, timeout=_ANSWER_SECONDS)
    try:
        body = json.dumps(change.data).encode()
        connection.request("POST", f"/{change.target}", body, dict(change.headers))
        response = connection.getresponse()
        response.read()
        return 200 <= response.status < 300
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _headers(kind: str, bucket: str, name: str) -> dict[str, str]:
    """The CloudEvent's attributes in binary mode; header values are percent-encoded ASCII."""
    return {
        "content-type": "application/json",
        "ce-specversion": "1.0",
        "ce-id": uuid.uuid4().hex,
        "ce-type": kind,
        "ce-source": f"//storage.googleapis.com/projects/_/buckets/{quote(bucket)}",
        "ce-subject": f"objects/{quote(name)}",
        "ce-time": _stamp(datetime.now(UTC)),
    }


def _stamp(time: datetime) -> str:
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")

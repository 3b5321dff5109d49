"""CloudEvent -> Upload, Deletion or CaptionRequest; nothing behind this reads raw data."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cloudevents.http import CloudEvent

from functions.core.document import MOST_LANGUAGES, CaptionRequest, Deletion, KeepRequest, Upload
from functions.core.errors import NotAnEvent
from functions.core.language_tags import language_tags

STORAGE = "google.cloud.storage.object.v1."
FINALIZED = STORAGE + "finalized"
REMOVALS = (STORAGE + "deleted", STORAGE + "archived")
PUBLISHED = "google.cloud.pubsub.topic.v1.messagePublished"
# What reading a message may raise: no mapping, no base64, no JSON, or brackets without end.
_UNREADABLE = (AttributeError, TypeError, KeyError, ValueError, binascii.Error, RecursionError)
# What the client takes for a bucket; the rules of "Bucket names" (Cloud Storage) are narrower.
_BUCKET = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?", re.ASCII | re.IGNORECASE)
# What a Cloud Storage notification says in its attribute eventType.
_NOTIFIED = {
    "OBJECT_FINALIZE": FINALIZED,
    "OBJECT_DELETE": STORAGE + "deleted",
    "OBJECT_ARCHIVE": STORAGE + "archived",
}


def upload(event: CloudEvent) -> Upload:
    """The generation that was stored. Raises NotAnEvent for anything but a finalized object.

    Fields are those of ``google.events.cloud.storage.v1.StorageObjectData``; its 64-bit numbers
    arrive as strings or as integers. A notification that Pub/Sub pushes counts as its event.
    """
    event = _storage_event(event)
    data = _storage_data(event, FINALIZED)
    return Upload(
        bucket=_bucket(data),
        name=_text(data, "name"),
        generation=_number(data, "generation"),
        metageneration=_number(data, "metageneration") if data.get("metageneration") else None,
        content_type=str(data.get("contentType") or ""),
        size=_number(data, "size") if data.get("size") not in (None, "") else None,
        md5=str(data.get("md5Hash") or ""),
        metadata=_metadata(data.get("metadata")),
        content_encoding=str(data.get("contentEncoding") or ""),
        time=_time(event),
    )


def deletion(event: CloudEvent) -> Deletion:
    """The generation that is no longer live. Raises NotAnEvent for any other event."""
    data = _storage_data(_storage_event(event), *REMOVALS)
    return Deletion(_bucket(data), _text(data, "name"), _number(data, "generation"))


def request(event: CloudEvent) -> CaptionRequest:
    """What a Pub/Sub message asks for: JSON ``{"bucket", "name", "generation"?, "force"?,
    "translate"?: [language tags]}``."""
    if event["type"] != PUBLISHED:
        raise NotAnEvent(f"{event['type']} is not {PUBLISHED}; check the function's trigger")
    try:
        body = _message(event)
    except _UNREADABLE:
        raise NotAnEvent('the message is not JSON like {"bucket": "b", "name": "n"}') from None
    if not isinstance(body, Mapping):
        raise NotAnEvent('the message is not an object like {"bucket": "b", "name": "n"}')
    force = False if body.get("force") is None else body["force"]
    if not isinstance(force, bool):
        raise NotAnEvent("force is neither true nor false")
    return CaptionRequest(
        bucket=_bucket(body),
        name=_text(body, "name"),
        generation=_number(body, "generation") if body.get("generation") else None,
        force=force,
        translate=_languages(body.get("translate")),
        time=_time(event),
    )


def keep_request(event: CloudEvent) -> KeepRequest:
    """What a clock's message asks for: JSON ``{}`` or ``{"bucket"?, "prefix"?}``, or nothing."""
    if event["type"] != PUBLISHED:
        raise NotAnEvent(f"{event['type']} is not {PUBLISHED}; check the function's trigger")
    try:
        body = _message(event) if event.data["message"].get("data") else {}
    except _UNREADABLE:
        raise NotAnEvent('the message is not JSON like {} or {"bucket": "b"}') from None
    if not isinstance(body, Mapping):
        raise NotAnEvent('the message is not an object like {} or {"bucket": "b"}')
    bucket, prefix = body.get("bucket") or "", body.get("prefix") or ""
    if not isinstance(bucket, str) or not isinstance(prefix, str):
        raise NotAnEvent("bucket and prefix are text")
    return KeepRequest(_bucket(body) if bucket else "", prefix)


def _storage_event(event: CloudEvent) -> CloudEvent:
    """The event that a bucket's notification tells of, if ``event`` is its message ("Pub/Sub
    notifications for Cloud Storage": payload JSON_API_V1); any other event as it is."""
    if event["type"] != PUBLISHED:
        return event
    try:
        attributes = event.data["message"]["attributes"]
        kind = _NOTIFIED[attributes["eventType"]]
        data = _message(event)
    except _UNREADABLE:
        raise NotAnEvent(
            "the message is no notification of a stored, deleted or archived object; "
            "check the trigger's topic and filter"
        ) from None
    time = str(attributes.get("eventTime") or event.get("time") or "")
    about = {"type": kind, "id": event["id"], "source": event["source"], "time": time}
    return CloudEvent(about, data)


def _message(event: CloudEvent) -> Any:
    """The JSON that a Pub/Sub message carries."""
    return json.loads(base64.b64decode(event.data["message"]["data"], validate=True))


def _storage_data(event: CloudEvent, *types: str) -> Mapping[str, Any]:
    if event["type"] not in types:
        raise NotAnEvent(f"{event['type']} is not {' or '.join(types)}; check the trigger")
    if not isinstance(event.data, Mapping):
        raise NotAnEvent("the event's data is not a JSON object")
    return event.data


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    if not isinstance(value, str) or not value:
        raise NotAnEvent(f"{key} is missing from the event's data")
    if not _writable(value):
        raise NotAnEvent(f"{key} is no name that Cloud Storage takes: {value[:40]!a}")
    return value


def _bucket(data: Mapping[str, Any]) -> str:
    name = _text(data, "bucket")
    if not _BUCKET.fullmatch(name):
        raise NotAnEvent(f"no bucket is called {name[:40]!a}")
    return name


def _writable(text: str) -> bool:
    """Whether a text is one of whole characters, without NUL."""
    return "\0" not in text and not any("\ud800" <= each <= "\udfff" for each in text)


def _languages(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    try:
        tags = language_tags(",".join(value)) if isinstance(value, list) else ()
    except (ValueError, TypeError):
        tags = ()
    if not tags or len(tags) > MOST_LANGUAGES:
        raise NotAnEvent(f'translate is no list of up to {MOST_LANGUAGES} tags like ["fi"]')
    return tags


def _number(data: Mapping[str, Any], key: str) -> int:
    value = data.get(key)
    number = -1
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        number = int(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    if not 0 <= number < 2**63:
        raise NotAnEvent(f"{key} is missing or no 64-bit number: {str(value)[:40]!r}")
    return number


def _metadata(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        return {}
    return {
        str(key): item
        for key, item in value.items()
        if isinstance(item, str) and _writable(str(key)) and _writable(item)
    }


def _time(event: CloudEvent) -> datetime:
    """When the event happened; RFC 3339 with any precision, or now if it does not say."""
    try:
        time = datetime.fromisoformat(str(event.get("time") or ""))
    except ValueError:
        return datetime.now(UTC)
    return time if time.tzinfo else time.replace(tzinfo=UTC)

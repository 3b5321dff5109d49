"""Buckets and objects by the rules of Cloud Storage: generations, metagenerations, versions."""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import google_crc32c

_METADATA_LIMIT = 8 * 1024
_NAME_LIMIT = 1024
_WRITABLE = (
    *("cacheControl", "contentDisposition", "contentEncoding", "contentLanguage", "contentType"),
    *("customTime", "eventBasedHold", "metadata", "storageClass", "temporaryHold"),
)


class Refused(Exception):
    """An answer other than success, with Cloud Storage's own reason."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        error = {"message": message, "domain": "global", "reason": reason}
        if status == 412:
            error |= {"locationType": "header", "location": "If-Match"}
        self.body = {"error": {"code": status, "message": message, "errors": [error]}}


def invalid(message: str) -> Refused:
    return Refused(400, "invalid", message)


def not_found(bucket: str, name: str) -> Refused:
    return Refused(404, "notFound", f"No such object: {bucket}/{name}")


@dataclass
class Stored:
    """One generation of one object."""

    bucket: str
    name: str
    generation: int
    data: bytes
    fields: dict[str, Any]
    created: str
    updated: str
    metageneration: int = 1
    deleted: str | None = None

    def __post_init__(self) -> None:
        self.md5 = base64.b64encode(hashlib.md5(self.data).digest()).decode()  # noqa: S324
        crc32c = google_crc32c.value(self.data).to_bytes(4, "big")
        self.crc32c = base64.b64encode(crc32c).decode()

    def resource(self) -> dict[str, Any]:
        """The object's resource, as the JSON API shows it: 64-bit numbers are strings."""
        resource = {
            "kind": "storage#object",
            "id": f"{self.bucket}/{self.name}/{self.generation}",
            "name": self.name,
            "bucket": self.bucket,
            "generation": str(self.generation),
            "metageneration": str(self.metageneration),
            "storageClass": "STANDARD",
            "size": str(len(self.data)),
            "md5Hash": self.md5,
            "crc32c": self.crc32c,
            "etag": self.etag,
            "timeCreated": self.created,
            "updated": self.updated,
            "timeStorageClassUpdated": self.created,
            "timeFinalized": self.created,
            **{key: value for key, value in self.fields.items() if value not in (None, {})},
        }
        return resource | ({"timeDeleted": self.deleted} if self.deleted else {})

    @property
    def etag(self) -> str:
        tag = f"{self.generation}/{self.metageneration}".encode()
        return base64.b64encode(tag).decode()


@dataclass
class Bucket:
    """A bucket: live objects by name, and versions that are no longer live."""

    name: str
    versioning: bool = False
    live: dict[str, Stored] = field(default_factory=dict)
    archived: list[Stored] = field(default_factory=list)

    def resource(self) -> dict[str, Any]:
        return {
            "kind": "storage#bucket",
            "id": self.name,
            "name": self.name,
            "location": "EU",
            "storageClass": "STANDARD",
            "versioning": {"enabled": self.versioning},
        }


Conditions = Mapping[str, str]


class Objects:
    """All buckets. ``events`` lists what notifications would tell: (event type, resource)."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        with self.lock:
            self.buckets: dict[str, Bucket] = {}
            self.events: list[tuple[str, dict[str, Any]]] = []
            self._last_generation = 0

    def bucket(self, name: str) -> Bucket:
        try:
            return self.buckets[name]
        except KeyError:
            message = "The specified bucket does not exist."
            raise Refused(404, "notFound", message) from None

    def create_bucket(self, name: str) -> Bucket:
        if name in self.buckets:
            message = "Your previous request to create the named bucket succeeded."
            raise Refused(409, "conflict", message)
        self.buckets[name] = Bucket(name)
        return self.buckets[name]

    def get(self, bucket: str, name: str, conditions: Conditions, reads: bool = True) -> Stored:
        """One version of an object: the live one, or the one whose ``generation`` is asked for."""
        found = self._version(self.bucket(bucket), name, conditions.get("generation"))
        if found is None:
            raise not_found(bucket, name)
        check(found, conditions, reads)
        return found

    def put(
        self, bucket: str, name: str, data: bytes, fields: Mapping[str, Any], conditions: Conditions
    ) -> Stored:
        """Store a new generation."""
        kept = _valid({key: value for key, value in fields.items() if key in _WRITABLE})
        if not name or len(name.encode()) > _NAME_LIMIT or set(name) & {"\r", "\n"}:
            raise invalid("The name of the object is not valid.")
        place = self.bucket(bucket)
        before = place.live.get(name)
        check(before, conditions, reads=False)
        now = _now()
        kept.setdefault("contentType", "application/octet-stream")
        stored = Stored(bucket, name, self._next_generation(), data, kept, now, now)
        for key, real in (("md5Hash", stored.md5), ("crc32c", stored.crc32c)):
            if fields.get(key, real) != real:
                raise invalid(f"Provided {key} {fields[key]!r} doesn't match calculated {real!r}.")
        place.live[name] = stored
        self._tell("finalized", stored)
        if before:
            self._retire(place, before)
        return stored

    def patch(
        self, bucket: str, name: str, change: Mapping[str, Any], conditions: Conditions
    ) -> Stored:
        """Merge ``change`` into an object's fields; null removes."""
        stored = self.get(bucket, name, conditions, reads=False)
        fields = dict(stored.fields)
        for key, value in change.items():
            if key == "metadata" and value is not None:
                value = {**(fields.get("metadata") or {}), **value}
                value = {each: text for each, text in value.items() if text is not None}
            if key in _WRITABLE:
                fields[key] = value
        return self._rewrite(stored, fields)

    def update(
        self, bucket: str, name: str, fields: Mapping[str, Any], conditions: Conditions
    ) -> Stored:
        """Replace an object's fields."""
        stored = self.get(bucket, name, conditions, reads=False)
        return self._rewrite(stored, {key: fields[key] for key in _WRITABLE if key in fields})

    def delete(self, bucket: str, name: str, conditions: Conditions) -> None:
        """Delete the live object (kept as a version where versioning is on), or one version."""
        stored = self.get(bucket, name, conditions, reads=False)
        place = self.bucket(bucket)
        if stored.deleted:
            place.archived.remove(stored)
            self._tell("deleted", stored)
            return
        del place.live[name]
        self._retire(place, stored, forever="generation" in conditions)

    def versions(self, bucket: str, archived: bool) -> list[Stored]:
        """The objects of a bucket, by name and generation."""
        place = self.bucket(bucket)
        found = [*place.live.values(), *(place.archived if archived else ())]
        return sorted(found, key=lambda each: (each.name, each.generation))

    def _rewrite(self, stored: Stored, fields: dict[str, Any]) -> Stored:
        stored.fields = _valid(fields)
        stored.metageneration += 1
        stored.updated = _now()
        self._tell("metadataUpdated", stored)
        return stored

    def _version(self, bucket: Bucket, name: str, generation: str | None) -> Stored | None:
        live = bucket.live.get(name)
        if generation is None:
            return live
        versions: Iterable[Stored] = [*bucket.archived, *([live] if live else [])]
        return next(
            (v for v in versions if (v.name, str(v.generation)) == (name, generation)), None
        )

    def _retire(self, bucket: Bucket, stored: Stored, forever: bool = False) -> None:
        stored.deleted = _now()
        if bucket.versioning and not forever:
            bucket.archived.append(stored)
            self._tell("archived", stored)
        else:
            self._tell("deleted", stored)

    def _tell(self, kind: str, stored: Stored) -> None:
        self.events.append((f"google.cloud.storage.object.v1.{kind}", stored.resource()))

    def _next_generation(self) -> int:
        self._last_generation = max(self._last_generation + 1, time.time_ns() // 1000)
        return self._last_generation


def check(stored: Stored | None, conditions: Conditions, reads: bool, prefix: str = "if") -> None:
    """Refuse what its preconditions rule out: 412, or 304 where a read meets a NotMatch."""
    generation = str(stored.generation) if stored else "0"
    metageneration = str(stored.metageneration) if stored else ""
    for name, actual in (("Generation", generation), ("Metageneration", metageneration)):
        if conditions.get(f"{prefix}{name}Match", actual) != actual:
            message = "At least one of the pre-conditions you specified did not hold."
            raise Refused(412, "conditionNotMet", message)
        if conditions.get(f"{prefix}{name}NotMatch") == actual:
            raise Refused(304 if reads else 412, "conditionNotMet", "Not Modified")


def _valid(fields: dict[str, Any]) -> dict[str, Any]:
    metadata = fields.get("metadata") or {}
    if not all(isinstance(value, str) for value in metadata.values()):
        raise invalid("Invalid value for custom metadata: a string is expected.")
    size = sum(len(f"{key}{value}".encode()) for key, value in metadata.items())
    if size > _METADATA_LIMIT:
        raise invalid(f"Custom metadata of {size} bytes exceeds the limit of {_METADATA_LIMIT}.")
    return fields


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

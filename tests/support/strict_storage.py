"""A strict stand-in for Cloud Storage: the JSON API, in memory, with every precondition kept.

fake-gcs-server ignores preconditions on patch and delete and never moves the metageneration;
this one does as Cloud Storage does. In a test::

    server.fail("PATCH", "photo.jpg", 503, times=2)
    ...
    assert server.sent("PATCH", "photo.jpg")[0].query["ifMetagenerationMatch"] == "1"

By hand: ``python -m tests.support.strict_storage --port 8310``.
"""

from __future__ import annotations

import argparse
import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.support.emulators import storage_client
from tests.support.loopback import LoopbackHandler, LoopbackServer, until_interrupted
from tests.support.strict_media import Resumable, download, multipart
from tests.support.strict_objects import Objects, Refused, check

if TYPE_CHECKING:
    from google.cloud import storage as cloud_storage

# Objects on a page of a listing, at most.
PAGE = 1000
_OBJECT = r"(?:/download)?/storage/v1/b/(?P<bucket>[^/]+)/o/(?P<name>[^/]+)"
_ROUTES = [
    ("POST", r"/storage/v1/b", "create_bucket"),
    ("GET|PATCH|DELETE", r"/storage/v1/b/(?P<bucket>[^/]+)", "bucket"),
    ("GET", r"/storage/v1/b/(?P<bucket>[^/]+)/o", "list"),
    ("GET", _OBJECT, "get"),
    ("PATCH|PUT", _OBJECT, "change"),
    ("DELETE", _OBJECT, "delete"),
    ("POST", _OBJECT + r"/(?P<verb>copyTo|rewriteTo)/b/(?P<to>[^/]+)/o/(?P<as_>[^/]+)", "copy"),
    ("POST|PUT|DELETE", r"/(?:resumable/)?upload/storage/v1/b/(?P<bucket>[^/]+)/o", "upload"),
]


@dataclass(frozen=True)
class Request:
    """A request as it came in; ``path`` is decoded, ``body`` is its JSON (None for media)."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


How = int | Literal["damage", "drop", "hang"] | Callable[[], None]


@dataclass
class Failure:
    """Requests that are to fail."""

    method: str
    part: str
    how: How
    times: int
    after: bool
    said: str = "Backend Error"


@dataclass
class Reply:
    """What is sent back; ``body`` as JSON unless it is bytes."""

    body: Any = b""
    status: int = 200
    headers: Mapping[str, str] | None = None


class StrictStorage(LoopbackServer):
    """The server. ``requests`` and ``events`` keep records, ``objects`` is what it holds."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(_Handler, port)
        self.objects = Objects()
        self.reset()

    def reset(self) -> None:
        """Forget all buckets, records and failures."""
        self.objects.reset()
        self.requests: list[Request] = []
        self.resumable: dict[str, Resumable] = {}
        self._failures: list[Failure] = []

    @property
    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """What Cloud Storage would have sent: (CloudEvent type, object resource)."""
        return self.objects.events

    def client(self) -> cloud_storage.Client:
        """A real client of it. Close it when done."""
        return storage_client(self.url)

    def sent(self, method: str, part: str = "") -> list[Request]:
        """The requests of this method whose path contains ``part``."""
        return [each for each in self.requests if each.method == method and part in each.path]

    def fail(
        self,
        method: str,
        part: str,
        how: How,
        times: int = 1,
        after: bool = False,
        said: str = "Backend Error",
    ) -> Failure:
        """Fail the next ``times`` requests whose path contains ``part``: with a status and what
        is ``said``, or as told; a callable is called, and nothing answered; ``damage`` answers
        with other bytes. ``after`` fails them when their effect has taken place: the answer is
        what gets lost."""
        failure = Failure(method, part, how, times, after or how == "damage", said)
        self._failures.append(failure)
        return failure

    def failure(self, request: Request) -> Failure | None:
        """The failure that is due for a request."""
        with self.objects.lock:
            for each in self._failures:
                if each.times and each.method == request.method and each.part in request.path:
                    each.times -= 1
                    return each
        return None


class _Handler(LoopbackHandler):
    server: StrictStorage

    def handle_request(self) -> None:
        url = urlsplit(self.path)
        raw = b"".join(self.body())
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(
            self.command,
            unquote(url.path),
            dict(parse_qsl(url.query, keep_blank_values=True)),
            headers,
            _json(raw, headers),
        )
        self.server.requests.append(request)
        failure = self.server.failure(request)
        if failure is None or failure.after:
            reply = self._reply(request, url.path, raw)
        if failure is not None and failure.how == "damage":
            reply.body = bytes(reversed(reply.body))
        elif failure is not None:
            return self._fail(failure)
        if isinstance(reply.body, bytes):
            return self.send(reply.status, reply.body, reply.headers)
        headers = {"Content-Type": "application/json; charset=UTF-8", **(reply.headers or {})}
        return self.send(reply.status, json.dumps(reply.body).encode(), headers)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_request

    def _fail(self, failure: Failure) -> None:
        if failure.how == "hang":
            return self.hang()
        if failure.how == "drop":
            return self.drop()
        if callable(failure.how):
            failure.how()
            return self.drop()
        assert isinstance(failure.how, int)
        error = Refused(failure.how, "backendError", failure.said)
        kind = {"Content-Type": "application/json; charset=UTF-8"}
        return self.send(failure.how, json.dumps(error.body).encode(), kind)

    def _reply(self, request: Request, path: str, raw: bytes) -> Reply:
        for methods, pattern, action in _ROUTES:
            found = re.fullmatch(pattern, path)
            if found and request.method in methods.split("|"):
                parts = {key: unquote(value) for key, value in found.groupdict().items()}
                handle: Callable[..., Reply] = getattr(self, f"_{action}")
                try:
                    with self.server.objects.lock:
                        return handle(request, raw, **parts)
                except Refused as refused:
                    if request.query.get("alt") == "media":
                        return Reply(str(refused).encode(), refused.status)
                    return Reply(refused.body, refused.status)
        error = Refused(404, "notFound", f"Not served here: {request.method} {request.path}")
        return Reply(error.body, 404)

    def _create_bucket(self, request: Request, raw: bytes) -> Reply:
        bucket = self.server.objects.create_bucket(request.body["name"])
        bucket.versioning = request.body.get("versioning", {}).get("enabled", False)
        return Reply(bucket.resource())

    def _bucket(self, request: Request, raw: bytes, bucket: str) -> Reply:
        found = self.server.objects.bucket(bucket)
        if request.method == "DELETE":
            if found.live or found.archived:
                raise Refused(409, "conflict", "The bucket you tried to delete is not empty.")
            del self.server.objects.buckets[bucket]
            return Reply(status=204)
        if request.method == "PATCH":
            found.versioning = request.body.get("versioning", {}).get("enabled", found.versioning)
        return Reply(found.resource())

    def _list(self, request: Request, raw: bytes, bucket: str) -> Reply:
        query = request.query
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        items: list[dict[str, Any]] = []
        prefixes: set[str] = set()
        for each in self.server.objects.versions(
            bucket, query.get("versions", "").lower() == "true"
        ):
            if not each.name.startswith(prefix) or each.name < query.get("startOffset", ""):
                continue
            if "endOffset" in query and each.name >= query["endOffset"]:
                continue
            if delimiter and delimiter in (rest := each.name[len(prefix) :]):
                prefixes.add(prefix + rest.partition(delimiter)[0] + delimiter)
            else:
                items.append(each.resource())
        start, size = int(query.get("pageToken", 0)), int(query.get("maxResults", PAGE))
        more = {"nextPageToken": str(start + size)} if len(items) > start + size else {}
        page = items[start : start + size]
        return Reply({"items": page, "prefixes": sorted(prefixes), **more})

    def _get(self, request: Request, raw: bytes, bucket: str, name: str) -> Reply:
        stored = self.server.objects.get(bucket, name, request.query)
        if request.query.get("alt") != "media":
            return Reply(stored.resource(), headers={"ETag": stored.etag})
        data, headers = download(stored, request.headers.get("range"))
        return Reply(data, 206 if "Content-Range" in headers else 200, headers)

    def _change(self, request: Request, raw: bytes, bucket: str, name: str) -> Reply:
        objects = self.server.objects
        change = objects.patch if request.method == "PATCH" else objects.update
        return Reply(change(bucket, name, request.body or {}, request.query).resource())

    def _delete(self, request: Request, raw: bytes, bucket: str, name: str) -> Reply:
        self.server.objects.delete(bucket, name, request.query)
        return Reply(status=204)

    def _copy(
        self, request: Request, raw: bytes, bucket: str, name: str, verb: str, to: str, as_: str
    ) -> Reply:
        objects, query = self.server.objects, request.query
        asked = {"generation": query["sourceGeneration"]} if "sourceGeneration" in query else {}
        source = objects.get(bucket, name, asked)
        check(source, query, reads=False, prefix="ifSource")
        fields = request.body or source.fields
        made = objects.put(to, as_, source.data, fields, query).resource()
        if verb == "copyTo":
            return Reply(made)
        size = made["size"]
        done = {"done": True, "totalBytesRewritten": size, "objectSize": size, "resource": made}
        return Reply({"kind": "storage#rewriteResponse", **done})

    def _upload(self, request: Request, raw: bytes, bucket: str) -> Reply:
        query, kind = request.query, request.query.get("uploadType")
        if kind == "resumable":
            return self._resumable(request, raw, bucket)
        if kind == "multipart":
            fields, data = multipart(request.headers["content-type"], raw)
        else:
            fields, data = {"contentType": request.headers.get("content-type")}, raw
        name = fields.get("name") or query.get("name", "")
        return Reply(self.server.objects.put(bucket, name, data, fields, query).resource())

    def _resumable(self, request: Request, raw: bytes, bucket: str) -> Reply:
        uploads, key = self.server.resumable, request.query.get("upload_id")
        if key is None:
            fields = dict(request.body or {})
            fields.setdefault("contentType", request.headers.get("x-upload-content-type"))
            key = uuid.uuid4().hex
            uploads[key] = Resumable(request.query, fields)
            place = f"{self.server.url}/upload/storage/v1/b/{bucket}/o"
            return Reply(headers={"Location": f"{place}?uploadType=resumable&upload_id={key}"})
        if key not in uploads:
            raise Refused(404, "notFound", "No such upload")
        if request.method == "DELETE":
            del uploads[key]
            return Reply(status=499)
        upload = uploads[key]
        if not upload.add(raw, request.headers.get("content-range")):
            held = len(upload.data)
            return Reply(status=308, headers={"Range": f"bytes=0-{held - 1}"} if held else {})
        del uploads[key]
        name = upload.fields.get("name") or upload.query.get("name", "")
        query = upload.query
        made = self.server.objects.put(bucket, name, upload.data, upload.fields, query)
        return Reply(made.resource())


def _json(raw: bytes, headers: Mapping[str, str]) -> Any:
    if raw and headers.get("content-type", "").startswith("application/json"):
        return json.loads(raw)
    return None


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.support.strict_storage", description=__doc__
    )
    parser.add_argument("--port", type=int, default=8310)
    with StrictStorage(parser.parse_args().port) as server:
        until_interrupted(f"Storage in memory: STORAGE_EMULATOR_HOST={server.url}")


if __name__ == "__main__":
    main()

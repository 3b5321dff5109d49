"""The product as it runs, on either pair of stores, with events as the platform sends them."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import functions_framework
import pytest
from google.cloud import firestore

from functions import composition
from functions.adapters.folder import BUCKET, FolderImages, database
from functions.adapters.sqlite import SqliteCaptions, connected
from functions.core.document import document_id
from functions.core.document_records import to_record
from tests.support.held_open import held_open
from tests.support.model_server import ModelServer
from tests.support.strict_storage import StrictStorage

MAIN = Path(__file__).parents[2] / "main.py"
STORAGE = "google.cloud.storage.object.v1."
REQUEST = "google.cloud.pubsub.topic.v1.messagePublished"


class Stack:
    """Uploads, deliveries and what they led to; a subclass for each pair of stores."""

    bucket: str

    def __init__(self, model: ModelServer, capsys: pytest.CaptureFixture[str]) -> None:
        self.model = model
        self._capsys = capsys
        self._apps: dict[str, Any] = {}

    def put(
        self, name: str, data: bytes, content_type: str = "image/jpeg", **metadata: str
    ) -> dict[str, Any]:
        """Upload an object; the data of its finalized event. ``_`` in a key stands for ``-``."""
        raise NotImplementedError

    def remove(self, name: str) -> dict[str, Any]:
        """Delete an object; the data of its deleted event."""
        raise NotImplementedError

    def copy(self, name: str, to: str) -> dict[str, Any]:
        """Copy an object with its metadata, as tools do; the data of the copy's finalized event.
        Onto itself, it is written again in place."""
        raise NotImplementedError

    def forget_pictures(self) -> None:
        """Let the time go by for which the text of deleted images is kept."""
        raise NotImplementedError

    def document(self, name: str) -> dict[str, Any] | None:
        raise NotImplementedError

    def metadata(self, name: str) -> dict[str, str]:
        raise NotImplementedError

    def restart(self) -> None:
        """A new instance: nothing that the last one kept in memory is left."""
        self._apps.clear()
        forget_wiring()

    def deliver(
        self,
        data: Any,
        kind: str = STORAGE + "finalized",
        target: str = "caption_image",
        time: datetime | None = None,
        **attributes: str,
    ) -> int:
        """Send one CloudEvent in binary mode; the HTTP status of the answer."""
        headers = {
            "ce-specversion": "1.0",
            "ce-id": "event-1",
            "ce-source": f"//storage.googleapis.com/projects/_/buckets/{self.bucket}",
            "ce-type": kind,
            "ce-time": (time or datetime.now(UTC)).isoformat(),
            **{f"ce-{key}": value for key, value in attributes.items()},
        }
        return int(self.client(target).post("/", json=data, headers=headers).status_code)

    def forget(self, data: Any, kind: str = "deleted") -> int:
        return self.deliver(data, STORAGE + kind, "forget_image")

    def request(self, time: datetime | None = None, **body: Any) -> int:
        """Send the message of a caption request, as a Pub/Sub trigger delivers it."""
        import base64

        text = base64.b64encode(json.dumps({"bucket": self.bucket, **body}).encode()).decode()
        message = {"message": {"data": text, "messageId": "1"}, "subscription": "s"}
        return self.deliver(message, REQUEST, "caption_request", time)

    def keep(self, **body: Any) -> int:
        """Send what Cloud Scheduler sends."""
        import base64

        text = base64.b64encode(json.dumps(body).encode()).decode()
        message = {"message": {"data": text, "messageId": "1"}, "subscription": "s"}
        return self.deliver(message, REQUEST, "keep")

    def client(self, target: str) -> Any:
        """Who asks an entry point over HTTP, through the framework."""
        if target not in self._apps:
            self._apps[target] = application(target)
        return self._apps[target].test_client()

    def log(self) -> list[dict[str, Any]]:
        """The log lines since this was last called."""
        lines = self._capsys.readouterr().out.splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


class Embedded(Stack):
    bucket = BUCKET

    def __init__(self, folder: Path, *rest: Any) -> None:
        super().__init__(*rest)
        self._folder = folder
        self._images = FolderImages(folder)
        self._store = SqliteCaptions(database(folder))
        self._open = held_open(database(folder))

    def close(self) -> None:
        self._open.close()

    def put(
        self, name: str, data: bytes, content_type: str = "image/jpeg", **metadata: str
    ) -> dict[str, Any]:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        if metadata:
            upload = self._images.look_up(BUCKET, name)
            assert upload
            self._images.label(upload, _dashed(metadata))
        return self._data(name) | {"contentType": content_type}

    def remove(self, name: str) -> dict[str, Any]:
        data = self._data(name)
        (self._folder / name).unlink()
        return data

    def copy(self, name: str, to: str) -> dict[str, Any]:
        metadata = self.metadata(name)
        return self.put(to, (self._folder / name).read_bytes(), **metadata)

    def forget_pictures(self) -> None:
        with connected(database(self._folder)) as db:
            db.execute("delete from records where kind = 'copies' and expires_at is not null")

    def document(self, name: str) -> dict[str, Any] | None:
        stored = self._store.read(document_id(BUCKET, name))
        return to_record(stored.document) if stored else None

    def metadata(self, name: str) -> dict[str, str]:
        upload = self._images.look_up(BUCKET, name)
        return dict(upload.metadata) if upload else {}

    def _data(self, name: str) -> dict[str, Any]:
        upload = self._images.look_up(BUCKET, name)
        assert upload
        return {
            "bucket": BUCKET,
            "name": name,
            "generation": str(upload.generation),
            "metageneration": str(upload.metageneration),
            "size": str(upload.size),
            "md5Hash": upload.md5,
            "contentType": upload.content_type,
            "metadata": dict(upload.metadata),
        }


class Cloud(Stack):
    bucket = "pictures"

    def __init__(
        self, storage: StrictStorage, database: firestore.Client, collection: str, *rest: Any
    ) -> None:
        super().__init__(*rest)
        self.storage = storage
        self._client = storage.client()
        self._bucket = self._client.create_bucket(self.bucket)
        self._captions = database.collection(collection)
        self._pictures = database.collection(f"{collection}-copies")

    def close(self) -> None:
        self._client.close()

    def put(
        self, name: str, data: bytes, content_type: str = "image/jpeg", **metadata: str
    ) -> dict[str, Any]:
        blob = self._bucket.blob(name)
        blob.metadata = _dashed(metadata)
        blob.upload_from_string(data, content_type=content_type)
        return self._told("finalized")

    def remove(self, name: str) -> dict[str, Any]:
        self._bucket.delete_blob(name)
        return self._told("deleted")

    def relabel(self, name: str, metadata: Mapping[str, str]) -> None:
        """Set metadata of an object, as somebody else would."""
        blob = self._bucket.blob(name)
        blob.metadata = dict(metadata)
        blob.patch()

    def copy(self, name: str, to: str) -> dict[str, Any]:
        self._bucket.copy_blob(self._bucket.blob(name), self._bucket, to)
        return self._told("finalized")

    def document(self, name: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = (
            self._captions.document(document_id(self.bucket, name)).get().to_dict()
        )
        return found

    def write(self, name: str, fields: dict[str, Any]) -> None:
        """Write a document as another program would."""
        self._captions.document(document_id(self.bucket, name)).set(fields)

    def forget_pictures(self) -> None:
        for each in self._pictures.stream():
            if each.get("expires_at"):
                each.reference.delete()

    def metadata(self, name: str) -> dict[str, str]:
        blob = self._bucket.get_blob(name)
        return dict(blob.metadata or {}) if blob else {}

    def _told(self, kind: str) -> dict[str, Any]:
        return next(data for told, data in reversed(self.storage.events) if told.endswith(kind))


def application(target: str) -> Any:
    """An entry point as a new instance serves it. ``main.py`` keeps nothing, so one application
    does for all: what it reads of the environment when it starts is read again."""
    made = _application(target)
    composition.start(target)
    return made


@functools.cache
def _application(target: str) -> Any:
    return functions_framework.create_app(target, str(MAIN))


@contextmanager
def environment(patch: pytest.MonkeyPatch, settings: Mapping[str, str]) -> Iterator[None]:
    """These settings, and a product that has read no others."""
    for name, value in settings.items():
        patch.setenv(name, value)
    forget_wiring()
    yield
    forget_wiring()


def forget_wiring() -> None:
    if composition.captioning.cache_info().currsize:
        composition.captioning().close()
    for answering in (composition.answering, composition.public_answering):
        if answering.cache_info().currsize:
            answering().close()
    for built in (
        composition.settings,
        composition.images,
        composition._bucket_client,
        composition.captioning,
        composition.forgetting,
        composition.keeping,
        composition.alt_text,
        composition.ask,
        composition.answering,
        composition.public_answering,
        composition.review,
        composition.request_translations,
        composition._request_topic,
    ):
        built.cache_clear()


def model_settings(model: ModelServer) -> dict[str, str]:
    return {
        "GEMINI_API_KEY": "test-key",
        "GOOGLE_GEMINI_BASE_URL": model.url,
        "CAPTION_TIMEOUT_SECONDS": "20",
        "CAPTION_COLLECTION": f"captions-{os.urandom(4).hex()}",
    }


def _dashed(metadata: Mapping[str, str]) -> dict[str, str]:
    return {key.replace("_", "-"): value for key, value in metadata.items()}

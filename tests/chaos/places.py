"""The two pairs of stores that the suite runs on, and what people do to their buckets."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from google.cloud import firestore

from functions.adapters.firestore import FirestoreCaptions
from functions.adapters.folder import BUCKET, FolderImages, database
from functions.adapters.gcs import CloudStorageImages
from functions.adapters.sqlite import SqliteCaptions
from functions.core.document import Upload
from functions.core.ports import CaptionStore, ImageStore
from tests.support.held_open import held_open
from tests.support.strict_storage import StrictStorage

# Where files cost no disk, if there is such a place.
MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108


class Place(Protocol):
    bucket: str
    captions: CaptionStore
    images: ImageStore

    def put(self, name: str, data: bytes, metadata: Mapping[str, str]) -> Upload:
        """Store a new generation, and describe it."""

    def remove(self, name: str) -> Upload | None:
        """Delete the live object, and say which one it was."""

    def close(self) -> None:
        """Let go of it."""


class EmbeddedPlace:
    """A folder and SQLite."""

    bucket = BUCKET

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.images = FolderImages(folder)
        self.captions = SqliteCaptions(database(folder))
        self._open = held_open(database(folder))
        self._last: dict[str, int] = {}

    def put(self, name: str, data: bytes, metadata: Mapping[str, str]) -> Upload:
        while True:
            (self._folder / name).write_bytes(data)
            upload = self.images.look_up(BUCKET, name)
            assert upload
            if upload.generation > self._last.get(name, 0):
                break
            time.sleep(0.001)  # some file systems tell times apart by a tick of 4 ms only
        self._last[name] = upload.generation
        if metadata:
            self.images.label(upload, metadata)
        return self.images.look_up(BUCKET, name) or upload

    def remove(self, name: str) -> Upload | None:
        upload = self.images.look_up(BUCKET, name)
        (self._folder / name).unlink(missing_ok=True)
        return upload

    def close(self) -> None:
        self._open.close()


class CloudPlace:
    """Firestore's emulator and the strict stand-in for Cloud Storage, both shared by all runs."""

    def __init__(self, storage: StrictStorage, database: firestore.Client) -> None:
        self.bucket = f"pictures-{uuid.uuid4().hex[:8]}"
        self._objects = storage.objects
        self._objects.create_bucket(self.bucket)
        self._client = storage.client()
        self.images = CloudStorageImages(self._client)
        self.captions = FirestoreCaptions(database, f"captions-{self.bucket}")

    def put(self, name: str, data: bytes, metadata: Mapping[str, str]) -> Upload:
        fields = {"contentType": "image/jpeg", "metadata": dict(metadata)}
        with self._objects.lock:
            self._objects.put(self.bucket, name, data, fields, {})
        upload = self.images.look_up(self.bucket, name)
        assert upload
        return upload

    def remove(self, name: str) -> Upload | None:
        upload = self.images.look_up(self.bucket, name)
        if upload:
            with self._objects.lock:
                self._objects.delete(self.bucket, name, {})
        return upload

    def close(self) -> None:
        self._client.close()

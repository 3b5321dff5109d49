"""What is asked for by name: storms, outages and clocks, with real processes of the function, the
Firestore emulator and a Cloud Storage that keeps every precondition."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud import firestore

from functions.adapters.firestore import FirestoreCaptions
from functions.adapters.gcs import CloudStorageImages
from functions.core.document import Upload, document_id
from functions.core.errors import ConfigurationError, TransientError
from functions.core.policy import Policy
from functions.core.report import Report
from functions.settings import Settings
from functions.usecases.caption_image import Captioning
from tests.chaos.severed import Severed
from tests.support import emulators
from tests.support.answers import gemini
from tests.support.model_server import Call, ModelServer, good
from tests.support.pictures import jpeg
from tests.support.serving import Served, serving
from tests.support.strict_storage import StrictStorage

BUCKET = "pictures"
_AT_ONCE = 50


@dataclass
class Outcome:
    """A line of the table; ``violations`` says in words what must not have happened."""

    name: str
    deliveries: int
    calls: int
    found: str
    violations: list[str]


class Bench:
    """A bucket, a model and a Firestore whose connections can be cut, and an instance."""

    def __init__(self, served: Served, storage: StrictStorage, model: ModelServer) -> None:
        self.served, self.storage, self.model = served, storage, model
        self.firestore: Severed | None = None
        self.captions: Any = None
        self.deliveries = 0
        self.objects = storage.objects

    def put(self, name: str, seed: int) -> dict[str, Any]:
        fields = {"contentType": "image/jpeg", "metadata": {}}
        data = jpeg(seed % 256, (16 + seed // 256, 12))
        with self.objects.lock:
            return self.objects.put(BUCKET, name, data, fields, {}).resource()

    def deliver(self, event: dict[str, Any]) -> int:
        self.deliveries += 1
        return self.served.deliver(event)

    def until_acknowledged(self, event: dict[str, Any], seconds: float = 90) -> bool:
        deadline, pause = time.monotonic() + seconds, 0.05
        while self.deliver(event) != 200:
            if time.monotonic() > deadline:
                return False
            time.sleep(pause)
            pause = min(2 * pause, 1)
        return True

    def faults(self, name: str) -> list[str]:
        """What is wrong with the end of an image that must have been captioned."""
        document = self.captions.document(document_id(BUCKET, name)).get().to_dict()
        live = self.objects.buckets[BUCKET].live[name]
        if not document or document["status"] != "captioned" or not document["metadata_synced"]:
            return [f"{name} ended as {document}"]
        if live.fields["metadata"].get("alt-text") != document["alt_text"]:
            return [f"{name}: {live.fields['metadata']} on the object"]
        return []

    def outcome(self, name: str, found: str, violations: list[str]) -> Outcome:
        return Outcome(name, self.deliveries, self.model.count, found, violations)


@contextmanager
def bench(emulator: emulators.FirestoreEmulator, **settings: str) -> Iterator[Bench]:
    """A bench of its own, with an instance that serves fifty deliveries at once."""
    with StrictStorage() as storage, ModelServer() as model, Severed(emulator.host) as severed:
        storage.objects.create_bucket(BUCKET)
        collection = f"captions-{time.time_ns()}"
        environment = {
            "CAPTION_COLLECTION": collection,
            "CAPTION_EMBEDDING_MODEL": "",
            "CAPTION_LEASE_SECONDS": "5",
            "CAPTION_TIMEOUT_SECONDS": "2",
            "FIRESTORE_EMULATOR_HOST": severed.host,
            "GEMINI_API_KEY": "test-key",
            "GOOGLE_CLOUD_PROJECT": emulators.PROJECT,
            "GOOGLE_GEMINI_BASE_URL": model.url,
            "STORAGE_EMULATOR_HOST": storage.url,
            "THREADS": str(_AT_ONCE),
            **settings,
        }
        database = firestore.Client()
        with serving("caption_image", environment) as served:
            made = Bench(served, storage, model)
            made.firestore, made.captions = severed, database.collection(collection)
            yield made
        database.close()


def storm(emulator: emulators.FirestoreEmulator) -> Outcome:
    """A thousand deliveries of one event, fifty at once."""
    with bench(emulator, CAPTION_LEASE_SECONDS="120") as at:
        at.model.delay = 0.5
        event = at.put("a.jpg", 1)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(at.deliver, [event] * 1000))
        acknowledged = at.until_acknowledged(event)
        broken = at.faults("a.jpg") + ([] if acknowledged else ["never acknowledged"])
        if at.model.count != 1:
            broken.append(f"{at.model.count} model calls")
        return at.outcome("1,000 duplicates, 50 at once", "1 caption", broken)


def overloaded(emulator: emulators.FirestoreEmulator) -> Outcome:
    """Five hundred images; every third answer of the model is 503."""
    turns = iter(range(10**6))

    def sometimes(call: Call) -> Any:
        return gemini.ERRORS["overloaded"] if next(turns) % 3 == 0 else good(call)

    with bench(emulator) as at:
        at.model.always(sometimes)
        events = [at.put(f"{number}.jpg", number) for number in range(500)]
        with ThreadPoolExecutor(16) as pool:
            acknowledged = list(pool.map(at.until_acknowledged, events))
        broken = [fault for event in events for fault in at.faults(event["name"])]
        if not all(acknowledged):
            broken.append(f"{acknowledged.count(False)} never acknowledged")
        found = f"500 captions, {at.model.count / 500:.2f} calls an image"
        return at.outcome("500 images, a third of answers 503", found, broken)


def firestore_away(emulator: emulators.FirestoreEmulator) -> Outcome:
    """Firestore goes away while the model answers, for longer than the client keeps trying."""
    with bench(emulator) as at:
        severed = at.firestore
        assert severed

        def answer(call: Call) -> Any:
            severed.cut()
            return good(call)

        event = at.put("a.jpg", 1)
        at.model.answer(answer)
        refused = at.deliver(event) != 200
        severed.mend()
        acknowledged = at.until_acknowledged(event)
        broken = at.faults("a.jpg") + ([] if acknowledged else ["never acknowledged"])
        if not refused or at.model.count > 2:
            broken.append(f"{at.model.count} model calls, first delivery refused: {refused}")
        return at.outcome("Firestore away after the model call", "1 caption", broken)


def storage_away(emulator: emulators.FirestoreEmulator) -> Outcome:
    """Cloud Storage answers 503 to the metadata write until the client gives up."""
    with bench(emulator) as at:
        event = at.put("a.jpg", 1)
        failure = at.storage.fail("PATCH", "a.jpg", 503, times=10**6)
        refused = at.deliver(event) != 200
        failure.times = 0
        acknowledged = at.until_acknowledged(event)
        broken = at.faults("a.jpg") + ([] if acknowledged else ["never acknowledged"])
        if not refused or at.model.count != 1:
            broken.append(f"{at.model.count} model calls, first delivery refused: {refused}")
        return at.outcome("Storage away after the Firestore write", "1 caption", broken)


def clocks(emulator: emulators.FirestoreEmulator) -> Outcome:
    """Three instances, one of whose clocks is an hour behind and one an hour ahead, share a storm
    of two hundred deliveries, which comes to the one that is behind first."""
    with bench(emulator) as at:
        at.model.delay = 0.5
        event = at.put("a.jpg", 1)
        upload = Upload(BUCKET, "a.jpg", int(event["generation"]), datetime.now(UTC), 1)
        storage, database = at.storage.client(), firestore.Client()
        store = FirestoreCaptions(database, at.captions.id)
        hours = [timedelta(hours=number) for number in (-1, 0, 1)]
        instances = [_instance(store, CloudStorageImages(storage), at, hour) for hour in hours]

        def deliver(number: int) -> bool:
            time.sleep(0.2 if 0 < number < 20 else 0)
            at.deliveries += 1
            try:
                instances[number % 3].caption(upload, Report())
            except (TransientError, ConfigurationError):
                return False
            return True

        with ThreadPoolExecutor(20) as pool:
            list(pool.map(deliver, range(200)))
        acknowledged = any(deliver(number) or time.sleep(0.5) for number in range(20, 60))
        broken = at.faults("a.jpg") + ([] if acknowledged else ["never acknowledged"])
        if at.model.count != 1:
            broken.append(f"{at.model.count} model calls")
        storage.close()
        database.close()
        return at.outcome("clocks an hour behind and ahead", "1 caption", broken)


def _instance(
    store: FirestoreCaptions, images: CloudStorageImages, at: Bench, skew: timedelta
) -> Captioning:
    from functions.adapters.gemini import GeminiCaptioner

    settings = Settings.from_env({"CAPTION_LEASE_SECONDS": "20"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GEMINI_API_KEY", "test-key")
        patch.setenv("GOOGLE_GEMINI_BASE_URL", at.model.url)
        model = GeminiCaptioner("gemini-3.5-flash-lite", 5)
    return Captioning(
        settings, Policy.empty(), store, images, model, lambda: datetime.now(UTC) + skew
    )


SCENARIOS: tuple[Callable[[emulators.FirestoreEmulator], Outcome], ...] = (
    storm,
    overloaded,
    firestore_away,
    storage_away,
    clocks,
)

"""The runbook, walked: the deployment's path of events on the emulators, broken and mended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from google.cloud import firestore

from functions.core.document import document_id
from tests.conftest import installed
from tests.infra.deployment import Deployment
from tests.support import emulators
from tests.support.answers import Answer, gemini
from tests.support.emulators import PROJECT, PubSubEmulator, StorageEmulator
from tests.support.model_server import Call, ModelServer, good
from tests.support.pictures import jpeg
from tests.support.serving import serving
from tests.support.stack import model_settings
from tests.support.waiting import until

TOPIC, BUCKET = "caption-uploads", "my-images"
NAMES = [f"shop/mug {number}.jpg" for number in range(3)]


class Walk:
    """A bucket whose notifications go to ``caption_image``, as infra/module/requests.tf has it, in
    the environment that Terraform has deployed."""

    def __init__(
        self,
        pubsub: PubSubEmulator,
        storage: StorageEmulator,
        model: ModelServer,
        deployed: dict[str, str],
        log: Path,
    ) -> None:
        self._pubsub, self._model, self._log = pubsub, model, log
        self._settings = (
            deployed
            | model_settings(model)
            | {
                "STORAGE_EMULATOR_HOST": storage.url,
                "GOOGLE_CLOUD_PROJECT": PROJECT,
                # As the platform has it for a function without a trigger of Eventarc's.
                "FUNCTION_SIGNATURE_TYPE": "http",
                # The emulator of Firestore is one database, and nobody is told.
                "CAPTION_EVENTS_TOPIC": "",
            }
        )
        self._storage = storage.client()
        self._bucket = self._storage.create_bucket(BUCKET)
        self._database = firestore.Client()
        self._subscription = ""
        self._running = ExitStack()
        model.always(self._answer)

    def close(self) -> None:
        self._running.close()
        self._storage.close()
        self._database.close()

    def deploy(self, key: str) -> None:
        """The function with this key, as after ``terraform apply``: the old instance ends when
        the new one stands."""
        environment = self._settings | {"GEMINI_API_KEY": key}
        with ExitStack() as new:
            function = new.enter_context(serving("caption_image", environment, self._log))
            self._push_to(function.url)
            self._running.close()
            self._running = new.pop_all()

    def upload(self, name: str, data: bytes) -> None:
        self._bucket.blob(name).upload_from_string(data, "image/jpeg")

    def labels(self, name: str) -> dict[str, str]:
        self._bucket.blob(name).reload()
        blob = self._bucket.get_blob(name)
        return dict(blob.metadata or {}) if blob else {}

    def status(self, name: str) -> str:
        documents = self._database.collection(self._settings["CAPTION_COLLECTION"])
        found = documents.document(document_id(BUCKET, name)).get()
        return str((found.to_dict() or {}).get("status"))

    def lines(self, **fields: str) -> list[dict[str, Any]]:
        """The log's lines that have these fields, as the runbook's queries find them."""
        text = self._log.read_text("utf-8") if self._log.exists() else ""
        lines = [json.loads(each) for each in text.splitlines() if each.startswith("{")]
        return [each for each in lines if fields.items() <= each.items()]

    def replay(self) -> None:
        """``gcloud pubsub subscriptions seek``, to before all that was uploaded."""
        url = f"{self._pubsub.url}/v1/{self._subscription}:seek"
        emulators.request(url, "POST", {"time": "2026-01-01T00:00:00Z"})

    def _push_to(self, endpoint: str) -> None:
        if not self._subscription:
            kept = {"ackDeadlineSeconds": 360, "retainAckedMessages": True}
            self._subscription = self._pubsub.push(TOPIC, endpoint, **kept)
        url = f"{self._pubsub.url}/v1/{self._subscription}:modifyPushConfig"
        emulators.request(url, "POST", {"pushConfig": {"pushEndpoint": endpoint}})

    def _answer(self, call: Call) -> Answer:
        right = {key.lower(): value for key, value in call.headers.items()}
        return good(call) if right["x-goog-api-key"] == "right" else gemini.ERRORS["wrong key"]


@pytest.fixture
def walk(
    firestore_emulator: object,
    pubsub_emulator: PubSubEmulator,
    model_server: ModelServer,
    applied: Deployment,
    tmp_path: Path,
) -> Iterator[Walk]:
    pubsub_emulator.create_topic(TOPIC)
    notifying = emulators.storage(notify=pubsub_emulator, topic=TOPIC, events=["finalize"])
    with installed(notifying) as storage:
        environment = applied.environment("caption_image")
        walked = Walk(pubsub_emulator, storage, model_server, environment, tmp_path / "log")
        yield walked
        walked.close()


def test_a_wrong_key_is_named_mended_and_the_backlog_drains(
    walk: Walk, model_server: ModelServer
) -> None:
    walk.deploy(key="wrong")
    for number, name in enumerate(NAMES):
        walk.upload(name, jpeg(number))
    until(lambda: len(walk.lines(reason="configuration")) >= len(NAMES), "the alert's lines")

    for line in walk.lines(reason="configuration"):
        assert (line["severity"], line["outcome"]) == ("ERROR", "redelivered")
        assert "GEMINI_API_KEY" in line["message"]
    assert [walk.status(name) for name in NAMES] == ["pending"] * len(NAMES)

    walk.deploy(key="right")
    until(lambda: len(walk.lines(outcome="captioned")) == len(NAMES), "the backlog")

    assert [walk.status(name) for name in NAMES] == ["captioned"] * len(NAMES)
    assert all("alt-text" in walk.labels(name) for name in NAMES)
    spent = model_server.count

    walk.replay()
    until(lambda: len(walk.lines(outcome="done")) >= len(NAMES), "the replay")
    assert model_server.count == spent, "what is done costs nothing"

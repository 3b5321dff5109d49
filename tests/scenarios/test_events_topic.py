"""CAPTION_EVENTS_TOPIC is told of every caption that has ended or was edited, at least once."""

from __future__ import annotations

import base64
import json
import uuid
from typing import Any

import pytest

from functions import composition
from functions.adapters import announced_captions
from functions.core.document import document_id
from tests.support.emulators import PROJECT, PubSubEmulator, request
from tests.support.pictures import jpeg
from tests.support.stack import Cloud

Message = tuple[dict[str, str], dict[str, Any]]


class Topic:
    """A topic and what it was told."""

    def __init__(self, pubsub: PubSubEmulator) -> None:
        self.name = f"events-{uuid.uuid4().hex[:8]}"
        self._pubsub = pubsub
        self._subscription = f"{pubsub.url}/v1/projects/{PROJECT}/subscriptions/{self.name}"

    def create(self) -> None:
        topic = self._pubsub.create_topic(self.name)
        request(self._subscription, "PUT", {"topic": topic})

    def told(self, count: int) -> list[Message]:
        """The messages since this was last called, which are so many."""
        found: list[Any] = []
        for _ in range(3 if not count else 50):
            if len(found) >= count > 0:
                break
            body = {"maxMessages": 100, "returnImmediately": True}
            found += request(f"{self._subscription}:pull", "POST", body).get("receivedMessages", [])
        ids = [each["ackId"] for each in found]
        if ids:
            request(f"{self._subscription}:acknowledge", "POST", {"ackIds": ids})
        messages = [each["message"] for each in found]
        assert len(messages) == count, messages
        return [
            (each["attributes"], json.loads(base64.b64decode(each["data"]))) for each in messages
        ]


@pytest.fixture
def topic(cloud: Cloud, pubsub_emulator: PubSubEmulator, monkeypatch: pytest.MonkeyPatch) -> Topic:
    """The topic that the functions tell, which is not created yet."""
    made = Topic(pubsub_emulator)
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub_emulator.host)
    monkeypatch.setenv("CAPTION_EVENTS_TOPIC", made.name)
    cloud.restart()
    return made


def test_a_caption_is_told_once_with_its_public_text(cloud: Cloud, topic: Topic) -> None:
    topic.create()
    event = cloud.put("a.jpg", jpeg())
    assert [cloud.deliver(event), cloud.deliver(event)] == [200, 200]

    ((attributes, data),) = topic.told(1)
    document = cloud.document("a.jpg") or {}
    assert attributes == {
        "bucket": cloud.bucket,
        "name": "a.jpg",
        "generation": event["generation"],
        "status": "captioned",
        "source": "model",
    }
    assert (data["alt"], data["src"]) == (document["alt_text"], document["uri"])
    assert data["review"] == {"needed": False, "reasons": []}
    assert data["error"] is None
    assert "untold" not in document


def test_an_image_without_a_caption_is_told_with_the_reason(cloud: Cloud, topic: Topic) -> None:
    topic.create()
    assert cloud.deliver(cloud.put("a.jpg", b"")) == 200

    ((attributes, data),) = topic.told(1)
    assert (attributes["status"], data["error"]["reason"]) == ("rejected", "empty")
    assert data["alt"] is None
    assert "untold" not in (cloud.document("a.jpg") or {})


def test_an_edit_is_told(cloud: Cloud, topic: Topic) -> None:
    topic.create()
    cloud.deliver(cloud.put("a.jpg", jpeg()))
    topic.told(1)
    key = document_id(cloud.bucket, "a.jpg")
    page = cloud.client("review").get(f"/captions/{key}")
    answer = cloud.client("review").patch(
        f"/captions/{key}", json={"alt_text": "By hand"}, headers={"If-Match": page.headers["ETag"]}
    )
    assert answer.status_code == 200

    ((attributes, data),) = topic.told(1)
    assert (attributes["source"], data["alt"]) == ("human", "By hand")


def test_a_topic_that_is_missing_fails_no_caption_and_is_told_by_keep(
    cloud: Cloud, topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cloud.deliver(cloud.put("a.jpg", jpeg())) == 200
    assert cloud.deliver(cloud.put("b.jpg", b"")) == 200
    for name, status in (("a.jpg", "captioned"), ("b.jpg", "rejected")):
        document = cloud.document(name) or {}
        assert (document["status"], document["untold"]) == (status, True)

    topic.create()
    monkeypatch.setattr(announced_captions, "_PAUSE_SECONDS", 0)
    cloud.restart()
    assert cloud.keep() == 200
    assert {attributes["name"] for attributes, _ in topic.told(2)} == {"a.jpg", "b.jpg"}
    assert cloud.keep() == 200
    topic.told(0)


def test_who_has_no_topic_writes_nothing_more(cloud: Cloud) -> None:
    cloud.deliver(cloud.put("a.jpg", jpeg()))
    assert "untold" not in (cloud.document("a.jpg") or {})
    assert not isinstance(
        composition.store(composition.settings()), announced_captions.AnnouncedCaptions
    )

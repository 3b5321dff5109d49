"""``captions retry`` and ``captions rules``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.answers import gemini
from tests.support.command_line import captions
from tests.support.emulators import PubSubEmulator, request
from tests.support.pictures import jpeg
from tests.support.stack import Cloud, Embedded


def test_what_was_deferred_is_captioned_when_it_is_asked_for_again(
    embedded: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPTION_DAILY_LIMIT", "1")
    for number in range(3):
        embedded.deliver(embedded.put(f"{number}.jpg", jpeg(number)))
    monkeypatch.delenv("CAPTION_DAILY_LIMIT")

    dry = captions("retry", "--dry-run", where=tmp_path)
    assert dry.status == 0
    assert sorted(line.split()[1] for line in dry.out.splitlines()) == [
        "gs://local/1.jpg",
        "gs://local/2.jpg",
    ]
    assert embedded.model.count == 1

    assert captions("retry", where=tmp_path).status == 0
    for number in range(3):
        document = embedded.document(f"{number}.jpg")
        assert document
        assert document["status"] == "captioned"
    again = captions("retry", where=tmp_path)
    assert (again.status, again.err.strip()) == (0, "0 images tried again.")


def test_what_was_rejected_is_retried_only_by_name(embedded: Embedded, tmp_path: Path) -> None:
    embedded.deliver(embedded.put("a.jpg", b"broken"))

    assert captions("retry", "--dry-run", where=tmp_path).out == ""
    named = captions("retry", "--dry-run", "--status", "rejected", where=tmp_path)
    assert "gs://local/a.jpg" in named.out


def test_a_retry_in_the_cloud_is_a_message_that_caption_request_answers(
    cloud: Cloud, pubsub_emulator: PubSubEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPTION_DAILY_LIMIT", "1")
    cloud.deliver(cloud.put("0.jpg", jpeg(0)))
    event = cloud.put("sub/1.jpg", jpeg(1))
    cloud.deliver(event)
    monkeypatch.delenv("CAPTION_DAILY_LIMIT")
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub_emulator.host)
    topic = pubsub_emulator.create_topic("retries")
    monkeypatch.setenv("CAPTION_REQUEST_TOPIC", "retries")
    pulling = f"{pubsub_emulator.url}/v1/{topic.replace('/topics/', '/subscriptions/')}"
    request(pulling, "PUT", {"topic": topic})

    run = captions("retry", where=tmp_path)
    assert (run.status, run.err.strip()) == (0, "1 image asked for again.")
    pulled = request(f"{pulling}:pull", "POST", {"maxMessages": 10})
    (received,) = pulled["receivedMessages"]

    cloud.restart()
    kind = "google.cloud.pubsub.topic.v1.messagePublished"
    assert cloud.deliver({"message": received["message"]}, kind, "caption_request") == 200
    document = cloud.document("sub/1.jpg")
    assert document
    assert (document["status"], document["generation"]) == ("captioned", event["generation"])


def test_a_missing_topic_is_named_with_the_remedy(
    cloud: Cloud, pubsub_emulator: PubSubEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPTION_MAX_BYTES", "10")
    cloud.deliver(cloud.put("0.jpg", jpeg(0)))
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub_emulator.host)
    monkeypatch.setenv("CAPTION_REQUEST_TOPIC", "nowhere")

    run = captions("retry", "--status", "rejected", where=tmp_path)
    assert run.status == 2
    assert "CAPTION_REQUEST_TOPIC" in run.err
    assert "Traceback" not in run.err


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "rules.toml"
    path.write_text(
        '[[rules]]\nmatch = "products/**"\nlanguages = ["de", "en"]\n'
        'guidance = "Name the colour."\n'
        '[[rules]]\nmatch = "**/thumbs/**"\nskip = true\n'
    )
    monkeypatch.setenv("CAPTION_POLICY", str(path))
    return path


def test_the_rule_that_applies_is_shown_with_the_prompt(policy: Path, tmp_path: Path) -> None:
    run = captions("rules", "gs://shop/products/mug.jpg", where=tmp_path)
    assert run.status == 0
    assert "line 1, match = 'products/**'" in run.out
    assert "Languages  de, en" in run.out
    assert "Name the colour." in run.out
    assert "Write the alt text" in run.out


def test_a_skipping_rule_and_no_rule_are_told(policy: Path, tmp_path: Path) -> None:
    skipped = captions("rules", "gs://shop/a/thumbs/mug.jpg", where=tmp_path)
    assert "no: skip = true" in skipped.out
    plain = json.loads(captions("rules", "gs://shop/mug.jpg", "--json", where=tmp_path).out)
    assert (plain["line"], plain["languages"]) == (0, ["en"])


def test_a_rule_reaches_the_model_and_the_document(embedded: Embedded, policy: Path) -> None:
    german = {"caption": "Ein blauer Becher steht auf dem Tisch.", "alt_text": "Ein blauer Becher"}
    english = {"caption": "A blue mug stands on the table.", "alt_text": "A blue mug"}
    embedded.model.answer(gemini.good(**german, translations=[{"language": "en", **english}]))
    embedded.deliver(embedded.put("products/mug.jpg", jpeg(1)))
    embedded.deliver(embedded.put("a/thumbs/mug.jpg", jpeg(2)))

    (call,) = embedded.model.calls
    assert "Name the colour." in call.text
    document = embedded.document("products/mug.jpg")
    assert document
    assert document["language"] == "de"
    assert document["alt_text"] == german["alt_text"]
    assert document["translations"] == {"en": english | {"source": "model"}}
    assert embedded.document("a/thumbs/mug.jpg") is None

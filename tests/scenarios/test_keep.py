"""``keep``: what waits is taken up, and what has come apart is mended, by the clock alone."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from functions import composition
from functions.core.document import Lease, Problem, document_id
from functions.usecases import keep as keeping
from tests.support.answers import gemini
from tests.support.command_line import captions
from tests.support.emulators import PROJECT, PubSubEmulator, request
from tests.support.pictures import jpeg
from tests.support.stack import Stack

LONG_AGO = datetime.now(UTC) - timedelta(hours=8)


def rewrite(stack: Stack, name: str, **changes: Any) -> None:
    """Change a document as another program, or a process that died, would leave it."""
    store = composition.store(composition.settings())
    stored = store.read(document_id(stack.bucket, name))
    assert stored
    store.replace(stored, replace(stored.document, **changes))


def status(stack: Stack, name: str) -> str:
    return str((stack.document(name) or {}).get("status"))


def captioned(stack: Stack, *names: str) -> None:
    for seed, name in enumerate(names):
        assert stack.deliver(stack.put(name, jpeg(seed))) == 200


def kept(stack: Stack, **wanted: str) -> dict[str, int]:
    """What one run says that it did."""
    stack.log()
    answer, lines = stack.keep(**wanted), stack.log()
    assert answer == 200, lines
    (line,) = (each for each in lines if each["outcome"] == "kept")
    return {key: n for key, n in line.get("kept", {}).items() if key != "looked_at"}


def test_uploads_over_the_limit_are_captioned_when_it_allows_again(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPTION_DAILY_LIMIT", "2")
    for number in range(4):
        stack.deliver(stack.put(f"{number}.jpg", jpeg(number)))
    assert kept(stack) == {}
    assert [status(stack, f"{n}.jpg") for n in range(4)] == ["captioned"] * 2 + ["deferred"] * 2

    monkeypatch.setenv("CAPTION_DAILY_LIMIT", "3")
    stack.restart()
    assert kept(stack) == {"deferred": 1}
    assert [status(stack, f"{n}.jpg") for n in range(4)] == ["captioned"] * 3 + ["deferred"]
    assert stack.model.count == 3


def test_a_forced_request_over_the_limit_is_taken_up_with_its_force(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPTION_DAILY_LIMIT", "2")
    captioned(stack, "a.jpg", "b.jpg")
    stack.model.always(gemini.good(alt_text="A mug, made anew"))
    before = str((stack.document("a.jpg") or {})["alt_text"])
    assert stack.request(name="a.jpg", force=True) == 200
    assert kept(stack) == {}
    assert (stack.document("a.jpg") or {})["alt_text"] == before != "A mug, made anew"

    monkeypatch.setenv("CAPTION_DAILY_LIMIT", "3")
    stack.restart()
    assert kept(stack) == {"deferred": 1}
    document = stack.document("a.jpg") or {}
    assert document["alt_text"] == "A mug, made anew"
    assert not {"renewal", "error", "lease"} & {k for k, v in document.items() if v}
    assert kept(stack) == {}


def test_an_image_whose_holder_died_is_taken_up(stack: Stack) -> None:
    captioned(stack, "dead.jpg", "held.jpg", "coming.jpg", "stranded.jpg")
    calls = stack.model.count
    over, held = (datetime.now(UTC) + timedelta(minutes=n) for n in (-1, 5))
    rewrite(stack, "dead.jpg", status="pending", lease=Lease("died", over))
    rewrite(stack, "held.jpg", status="pending", lease=Lease("alive", held))
    rewrite(stack, "coming.jpg", status="pending", updated_at=datetime.now(UTC))
    rewrite(stack, "stranded.jpg", status="pending", updated_at=LONG_AGO)

    assert kept(stack) == {"left_behind": 2}
    assert [status(stack, f"{name}.jpg") for name in ("dead", "held", "coming", "stranded")] == [
        "captioned",
        "pending",
        "pending",
        "captioned",
    ]
    assert stack.model.count <= calls + 2


def test_what_grew_too_old_in_an_outage_is_taken_up_and_what_failed_by_itself_is_told(
    stack: Stack,
) -> None:
    captioned(stack, "old.jpg", "bad.jpg", "good.jpg")
    for name, reason in (("old.jpg", "expired"), ("bad.jpg", "retries_exhausted")):
        rewrite(stack, name, status="failed", error=Problem(reason, "no", LONG_AGO))
    stack.log()

    assert stack.keep() == 200
    (line,) = stack.log()
    assert (status(stack, "old.jpg"), status(stack, "bad.jpg")) == ("captioned", "failed")
    assert line["kept"]["expired"] == 1
    assert line["severity"] == "WARNING"
    assert "1 retries_exhausted: see `captions list --status failed`" in line["message"]


def test_events_that_were_lost_are_made_up_for(stack: Stack) -> None:
    stack.put("new.jpg", jpeg(1))
    captioned(stack, "newer.jpg", "gone.jpg")
    stack.put("newer.jpg", jpeg(5))
    stack.remove("gone.jpg")
    stack.put("notes.txt", b"no image", "text/plain")

    assert kept(stack) == {"lost_events": 2, "orphan": 1}
    assert status(stack, "new.jpg") == status(stack, "newer.jpg") == "captioned"
    assert stack.document("gone.jpg") is None
    assert kept(stack) == {}


def test_missing_labels_and_embeddings_are_mended(stack: Stack) -> None:
    captioned(stack, "a.jpg", "b.jpg")
    rewrite(stack, "a.jpg", metadata_synced=False)
    rewrite(stack, "b.jpg", embedding=None)

    assert kept(stack) == {"unlabelled": 1, "unembedded": 1}
    assert (stack.document("a.jpg") or {})["metadata_synced"] is True
    assert (stack.document("b.jpg") or {})["embedding"]


def test_a_run_goes_on_where_the_last_one_stopped(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "_LOOKED_AT", 2)
    names = [f"{number}.jpg" for number in range(5)]
    for seed, name in enumerate(names):
        stack.put(name, jpeg(seed))

    took = []
    for _ in range(3):
        assert stack.keep(bucket=stack.bucket) == 200
        took.append(sum(status(stack, name) == "captioned" for name in names))
    assert took == [2, 4, 5]


def test_several_at_once_ask_for_each_image_once(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPTION_DAILY_LIMIT", "1")
    for number in range(6):
        stack.deliver(stack.put(f"{number}.jpg", jpeg(number)))
    monkeypatch.setenv("CAPTION_DAILY_LIMIT", "100")
    stack.restart()
    stack.client("keep")
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: stack.keep(), range(4))) == [200] * 4

    assert [status(stack, f"{number}.jpg") for number in range(6)] == ["captioned"] * 6
    assert stack.model.count == 6


def test_a_pending_document_of_an_image_that_is_gone_is_removed(stack: Stack) -> None:
    captioned(stack, "a.jpg")
    rewrite(stack, "a.jpg", status="pending", updated_at=LONG_AGO)
    stack.remove("a.jpg")

    stack.keep()
    assert stack.document("a.jpg") is None


def test_where_there_is_a_topic_captions_are_asked_for_there(
    cloud: Stack, pubsub_emulator: PubSubEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = pubsub_emulator.create_topic(f"requests-{cloud.bucket}")
    subscription = f"projects/{PROJECT}/subscriptions/{topic.rpartition('/')[2]}"
    request(f"{pubsub_emulator.url}/v1/{subscription}", "PUT", {"topic": topic})
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub_emulator.host)
    monkeypatch.setenv("CAPTION_REQUEST_TOPIC", topic.rpartition("/")[2])
    cloud.restart()
    cloud.put("a.jpg", jpeg())

    assert kept(cloud, bucket=cloud.bucket) == {"lost_events": 1}
    assert cloud.model.count == 0
    pulled = request(f"{pubsub_emulator.url}/v1/{subscription}:pull", "POST", {"maxMessages": 5})
    assert len(pulled["receivedMessages"]) == 1


@pytest.mark.parametrize("data", [{}, {"message": {}}, {"message": {"data": "e30="}}])
def test_a_clock_may_say_nothing_at_all(stack: Stack, data: object) -> None:
    assert stack.deliver(data, "google.cloud.pubsub.topic.v1.messagePublished", "keep") == 200
    assert stack.log()[-1]["outcome"] == ("ignored" if not data else "kept")


def test_by_hand_or_by_cron_it_is_a_command(embedded: Stack, tmp_path: Path) -> None:
    embedded.put("a.jpg", jpeg())
    done = captions("keep", "--json", where=tmp_path)

    assert (done.status, json.loads(done.out)["kept"]["lost_events"]) == (0, 1), done.err
    assert status(embedded, "a.jpg") == "captioned"

"""What asking ends in: refusals, broken replies, outages, quotas and limits, on either stores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.answers import gemini
from tests.support.pictures import jpeg
from tests.support.stack import Stack


def test_a_forced_caption_is_asked_for_again(stack: Stack) -> None:
    stack.deliver(stack.put("a.jpg", jpeg()))
    assert stack.request(name="a.jpg") == 200
    assert stack.model.count == 1

    asked = datetime.now(UTC)
    assert stack.request(asked, name="a.jpg", force=True) == 200
    assert stack.request(asked, name="a.jpg", force=True) == 200
    assert stack.model.count == 2


def test_words_stand_where_they_are_asked_for_again_in_vain(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.deliver(stack.put("a.jpg", jpeg()))
    before = stack.document("a.jpg")
    assert before

    stack.model.answer(gemini.finished("SAFETY"))
    assert stack.request(name="a.jpg", force=True) == 200
    refused = stack.document("a.jpg")
    monkeypatch.setenv("CAPTION_DAILY_LIMIT", "1")
    stack.restart()
    stack.deliver(stack.put("b.jpg", jpeg(1)))
    assert stack.request(name="a.jpg", force=True) == 200
    deferred = stack.document("a.jpg")

    for document, reason in ((refused, "blocked"), (deferred, "over_budget")):
        assert document
        assert document["error"]["reason"] == reason
        assert "the words from before stand" in document["error"]["message"]
        for field in ("status", "alt_text", "model", "prompt", "source", "metadata_synced"):
            assert document[field] == before[field]


@pytest.mark.parametrize("reason", gemini.FINISH_REASONS)
def test_a_refusal_is_recorded_and_not_repeated(stack: Stack, reason: str) -> None:
    stack.model.answer(gemini.finished(reason))
    event = stack.put("a.jpg", jpeg())

    assert stack.deliver(event) == 200
    assert stack.deliver(event) == 200

    document = stack.document("a.jpg")
    assert document
    assert (document["status"], document["error"]["reason"]) == ("rejected", "blocked")
    assert reason in document["error"]["message"]
    assert stack.model.count == 1


def test_an_unusable_reply_is_asked_for_once_more(stack: Stack) -> None:
    stack.model.answer(gemini.truncated())

    assert stack.deliver(stack.put("a.jpg", jpeg())) == 200

    document = stack.document("a.jpg")
    assert document
    assert document["status"] == "captioned"
    assert document["usage"]["model_calls"] == 2


def test_a_reply_that_stays_unusable_is_recorded(stack: Stack) -> None:
    stack.model.always(gemini.truncated())

    assert stack.deliver(stack.put("a.jpg", jpeg())) == 200

    document = stack.document("a.jpg")
    assert document
    assert (document["status"], document["error"]["reason"]) == ("rejected", "no_caption")
    assert stack.model.count == 2


def test_an_overloaded_model_is_asked_again_on_redelivery(stack: Stack) -> None:
    stack.model.answer(gemini.ERRORS["overloaded"])
    event = stack.put("a.jpg", jpeg())

    assert stack.deliver(event) == 500
    waiting = stack.document("a.jpg")
    assert waiting
    assert (waiting["status"], waiting["error"]["reason"]) == ("pending", "transient")

    assert stack.deliver(event) == 200
    document = stack.document("a.jpg")
    assert document
    assert (document["status"], document["attempts"], "error" in document) == (
        "captioned",
        2,
        False,
    )
    assert document["usage"]["model_calls"] == 2


def test_no_call_is_made_before_the_provider_wants_one(stack: Stack) -> None:
    stack.model.answer(gemini.quota("7s"))
    event = stack.put("a.jpg", jpeg())

    assert stack.deliver(event) == 500
    assert stack.deliver(event) == 500

    document = stack.document("a.jpg")
    assert document
    delay = document["not_before"] - document["updated_at"]
    assert delay == timedelta(seconds=7)
    assert stack.model.count == 1


def test_a_wrong_key_is_not_the_images_fault(stack: Stack) -> None:
    stack.model.always(gemini.ERRORS["wrong key"])
    event = stack.put("a.jpg", jpeg())

    assert stack.deliver(event) == 500

    document = stack.document("a.jpg")
    assert document
    assert (document["status"], document["error"]["reason"]) == ("pending", "configuration")
    (line,) = stack.log()
    assert line["severity"] == "ERROR"
    assert "GEMINI_API_KEY" in line["message"]


def test_an_image_that_keeps_failing_is_given_up(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPTION_MAX_ATTEMPTS", "3")
    stack.model.always(gemini.ERRORS["overloaded"])
    event = stack.put("a.jpg", jpeg())

    assert [stack.deliver(event) for _ in range(5)] == [500, 500, 500, 200, 200]

    document = stack.document("a.jpg")
    assert document
    assert (document["status"], document["error"]["reason"]) == ("failed", "retries_exhausted")
    assert stack.model.count == 3


def test_an_event_of_the_day_before_yesterday_is_given_up(stack: Stack) -> None:
    event = stack.put("a.jpg", jpeg())
    assert stack.deliver(event, time=datetime.now(UTC) - timedelta(days=2)) == 200

    document = stack.document("a.jpg")
    assert document
    assert (document["status"], document["error"]["reason"]) == ("failed", "expired")
    assert stack.model.count == 0


def test_uploads_over_the_daily_limit_are_deferred_until_they_are_asked_for(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPTION_DAILY_LIMIT", "2")
    for number in range(3):
        assert stack.deliver(stack.put(f"{number}.jpg", jpeg(number))) == 200

    deferred = stack.document("2.jpg")
    assert deferred
    assert (deferred["status"], deferred["error"]["reason"]) == ("deferred", "over_budget")
    assert stack.model.count == 2

    monkeypatch.setenv("CAPTION_DAILY_LIMIT", "3")
    stack.restart()
    assert stack.request(name="2.jpg") == 200
    document = stack.document("2.jpg")
    assert document
    assert document["status"] == "captioned"

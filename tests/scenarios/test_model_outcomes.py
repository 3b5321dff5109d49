"""What asking ends in: refusals, broken replies, outages, quotas and limits, on either stores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.model import health
from tests.support.answers import Answer, gemini
from tests.support.model_server import Call
from tests.support.model_server import good as good_answer
from tests.support.pictures import jpeg
from tests.support.stack import Stack
from tests.support.waiting import until

pytestmark = pytest.mark.stacks("embedded")


@pytest.mark.stacks("embedded", "cloud")
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


@pytest.mark.stacks("embedded", "cloud")
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
        1,
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
    bad, good = jpeg(1), jpeg(2)
    stack.model.always(lambda call: _failing_over(call, bad))
    assert stack.deliver(stack.put("good.jpg", good)) == 200
    event = stack.put("bad.jpg", bad)

    assert [stack.deliver(event) for _ in range(5)] == [500, 500, 500, 200, 200]

    document = stack.document("bad.jpg")
    assert document
    assert (document["status"], document["error"]["reason"]) == ("failed", "retries_exhausted")
    assert stack.model.count == 4


def test_a_model_that_answers_nobody_costs_no_image_an_attempt(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPTION_MAX_ATTEMPTS", "2")
    monkeypatch.setattr(health, "LONGEST_PAUSE", 0.05)
    monkeypatch.setattr(health, "FIRST_PAUSE", 0.05)
    stack.model.always(gemini.ERRORS["overloaded"])
    events = [stack.put(f"{number}.jpg", jpeg(number)) for number in range(3)]
    for _ in range(6):
        assert {stack.deliver(event) for event in events} == {500}

    documents = [stack.document(event["name"]) or {} for event in events]
    assert {(each["status"], each["attempts"]) for each in documents} == {("pending", 0)}
    stack.model.always(good_answer)
    for event in events:
        until_acknowledged(stack, event)
    assert {(stack.document(event["name"]) or {})["status"] for event in events} == {"captioned"}


def test_while_a_model_is_known_to_be_away_nobody_asks_it(stack: Stack) -> None:
    stack.model.always(gemini.ERRORS["overloaded"])
    events = [stack.put(f"{number}.jpg", jpeg(number)) for number in range(20)]
    stack.log()
    assert {stack.deliver(event) for event in events} == {500}

    lines = [line for line in stack.log() if line["outcome"] == "away"]
    assert len(lines) == len(events) - stack.model.count >= 15
    assert {(line["severity"], line["reason"], line["model_calls"]) for line in lines} == {
        ("INFO", "away", 0)
    }
    for event in events:
        document = stack.document(event["name"])
        assert document
        assert (document["status"], document["error"]["reason"]) == ("pending", "transient")


def test_what_needs_no_model_is_done_while_it_is_away(stack: Stack) -> None:
    done = stack.put("done.jpg", jpeg(9))
    assert stack.deliver(done) == 200
    stack.model.always(gemini.quota(None, "60"))
    assert stack.deliver(stack.put("a.jpg", jpeg(1))) == 500

    assert stack.deliver(done) == 200
    assert stack.deliver(stack.put("notes.txt", b"no image", "text/plain")) == 200
    assert stack.deliver(stack.put("b.jpg", jpeg(2))) == 500
    assert stack.model.count == 2


def test_refused_calls_do_not_count_for_the_day(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPTION_DAILY_LIMIT", "1")
    stack.model.answer(gemini.ERRORS["overloaded"])
    event = stack.put("a.jpg", jpeg())

    assert [stack.deliver(event), stack.deliver(event)] == [500, 200]
    document = stack.document("a.jpg")
    assert document
    assert document["status"] == "captioned"


def until_acknowledged(stack: Stack, event: dict[str, Any]) -> None:
    until(lambda: stack.deliver(event) == 200)


def _failing_over(call: Call, picture: bytes) -> Answer:
    return gemini.ERRORS["overloaded"] if picture in call.images else good_answer(call)


def test_an_event_of_the_day_before_yesterday_is_given_up(stack: Stack) -> None:
    event = stack.put("a.jpg", jpeg())
    assert stack.deliver(event, time=datetime.now(UTC) - timedelta(days=2)) == 200

    document = stack.document("a.jpg")
    assert document
    assert (document["status"], document["error"]["reason"]) == ("failed", "expired")
    assert stack.model.count == 0


@pytest.mark.stacks("embedded", "cloud")
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


@pytest.mark.parametrize(
    ("why", "reason", "said"),
    [
        ("refused", "blocked", "may not describe"),
        ("unreadable", "no_caption", "no image that it can read"),
        ("empty", "no_caption", "nothing in the image"),
        ("uncertain", "no_caption", "cannot make out"),
    ],
)
def test_a_model_that_says_it_cannot_describe_is_not_asked_again(
    stack: Stack, why: str, reason: str, said: str
) -> None:
    stack.model.answer(gemini.good(could_not_describe=why, caption="", alt_text="", tags=[]))
    assert stack.deliver(stack.put("a.jpg", jpeg())) == 200

    document = stack.document("a.jpg")
    assert document
    assert (document["status"], document["error"]["reason"]) == ("rejected", reason)
    assert said in document["error"]["message"]
    assert stack.model.count == 1


def test_what_a_doubting_model_describes_all_the_same_is_published_with_a_mark(
    stack: Stack,
) -> None:
    stack.model.answer(gemini.good(could_not_describe="uncertain"))
    assert stack.deliver(stack.put("a.jpg", jpeg())) == 200

    document = stack.document("a.jpg")
    assert document
    assert document["status"] == "captioned"
    assert document["review"]["reasons"] == ["model_uncertain"]
    assert stack.model.count == 1


def test_a_reply_that_is_cut_off_behind_the_alt_text_is_used(stack: Stack) -> None:
    words = '{"could_not_describe": "none", "caption": "A dog runs.", "alt_text": "Dog", "decora'
    stack.model.answer(gemini.out_of_tokens(words))
    assert stack.deliver(stack.put("a.jpg", jpeg())) == 200

    document = stack.document("a.jpg")
    assert document
    assert (document["status"], document["alt_text"]) == ("captioned", "Dog")
    assert stack.model.count == 1


def test_after_a_reply_without_words_less_is_asked_for_and_the_cause_is_named(
    stack: Stack,
) -> None:
    stack.model.always(gemini.out_of_tokens(None))
    assert stack.deliver(stack.put("a.jpg", jpeg())) == 200

    document = stack.document("a.jpg")
    assert document
    assert document["error"]["reason"] == "no_caption"
    assert "CAPTION_MAX_OUTPUT_TOKENS" in document["error"]["message"]
    first, second = (call.body["generationConfig"] for call in stack.model.calls)
    assert "visible_text" in first["responseJsonSchema"]["properties"]
    assert "visible_text" not in second["responseJsonSchema"]["properties"]
    assert second["maxOutputTokens"] == 2 * first["maxOutputTokens"]

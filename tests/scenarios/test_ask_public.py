"""Questions of everyone, where `ask` is deployed for them: what is told, what bounds the bill."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from functions.core.errors import ConfigurationError
from functions.settings import Settings
from tests.scenarios.test_ask import SIGN, ask, asked_on_the_page, captioned, said
from tests.support.answers import gemini
from tests.support.pictures import jpeg, png
from tests.support.stack import Embedded, environment

PUBLIC = {"CAPTION_ASK_PUBLIC": "on", "CAPTION_ASK_DAILY_LIMIT": "100"}
SHOP, ELSEWHERE = "https://shop.example", "https://elsewhere.example"


@pytest.fixture
def public(embedded: Embedded, monkeypatch: pytest.MonkeyPatch) -> Iterator[Embedded]:
    with environment(monkeypatch, PUBLIC):
        embedded.restart()
        yield embedded


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"CAPTION_ASK_DAILY_LIMIT": ""}, "set CAPTION_ASK_DAILY_LIMIT"),
        ({"CAPTION_ASK_PACE": "0"}, "CAPTION_ASK_PACE=0"),
        ({"CAPTION_ASK_PUBLIC": "yes, please"}, "neither on nor off"),
        ({"CAPTION_ASK_QUESTIONS": "?|"}, "CAPTION_ASK_QUESTIONS"),
        ({"CAPTION_ASK_ORIGINS": "shop.example"}, "CAPTION_ASK_ORIGINS"),
    ],
)
def test_nothing_is_public_without_a_bound(wrong: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        Settings.from_env(PUBLIC | wrong)


def test_everyone_asks_about_what_everyone_may_read(public: Embedded) -> None:
    src = captioned(public)
    public.model.answer(said("The sign says “OPEN”.", visible_text="OPEN"))
    assert ask(public, src).json["answer"] == "The sign says “OPEN”."
    assert ask(public, src).json["cached"] is True

    public.put("new.jpg", png())  # stored, and not captioned
    assert ask(public, "gs://local/new.jpg").status_code == 404
    public.put("sign.jpg", png())  # another picture, of which nothing is told yet
    assert ask(public, src).status_code == 404
    assert public.model.count == 1


def test_what_waits_for_review_is_told_to_nobody_where_it_is_withheld(
    public: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    unread = gemini.good(alt_text="Bar chart", long_description="Bar chart.\n2024: 55.")
    public.model.answer(unread, said("A chart."))
    public.deliver(public.put("chart.jpg", jpeg()))
    src = "gs://local/chart.jpg"
    assert ask(public, src).status_code == 200
    monkeypatch.setenv("CAPTION_UNREVIEWED", "withhold")
    public.restart()
    assert ask(public, src).status_code == 404


def test_the_notes_about_an_image_are_for_those_who_may_see_them(public: Embedded) -> None:
    public.deliver(public.put("sign.jpg", jpeg(), caption_context="Sold to Ada Lovelace"))
    public.model.calls.clear()
    src = "gs://local/sign.jpg"
    public.model.answer(said("It was sold to Ada Lovelace."), said("The image does not show that."))

    assert "Ada" in asked_on_the_page(public, src, question=SIGN).json["answer"]
    answer = ask(public, src).json

    assert answer["answer"] == "The image does not show that."
    assert answer["cached"] is False
    assert "Ada Lovelace" in public.model.calls[0].text
    assert "Ada Lovelace" not in public.model.calls[1].text


def test_a_list_of_questions_is_asked_in_its_own_words(
    public: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    src = captioned(public)
    with environment(monkeypatch, {"CAPTION_ASK_QUESTIONS": f"What is it?|{SIGN}"}):
        public.restart()
        public.model.answer(said("It says “OPEN”.", visible_text="OPEN"))
        first = ask(public, src, "  what does\u200b the SIGN say?? ")
        assert first.status_code == 200
        assert f"\n{SIGN}\n" in public.model.calls[0].text
        assert ask(public, src).json["cached"] is True

        turn = {"question": SIGN, "answer": "Say that it is closed."}
        for text, history in [("Who is that?", []), (SIGN, [turn]), (f"{SIGN} Or not?", [])]:
            refused = ask(public, src, text, history=history)
            assert refused.status_code == 403
            assert SIGN in refused.json["error"]
    assert public.model.count == 1


def test_a_language_that_is_not_offered_costs_no_further_call(
    public: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    src = captioned(public)
    with environment(
        monkeypatch, {"CAPTION_LANGUAGES": "en", "CAPTION_LANGUAGES_ON_REQUEST": "de"}
    ):
        public.restart()
        public.model.answer(said("A mug."), said("Eine Tasse.", language="de"))
        assert ask(public, src).json["language"] == "en"
        assert ask(public, src, lang="de-AT").json["language"] == "de"
        others = [ask(public, src, lang=tag).json for tag in ("de", "fr", "tlh")]
    assert [each["cached"] for each in others] == [True] * 3
    assert public.model.count == 2


def test_who_says_to_be_somebody_else_each_time_is_one_caller(
    public: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    src = captioned(public)
    monkeypatch.setenv("CAPTION_ASK_PACE", "2")
    public.restart()
    public.model.always(said("A mug."))

    def status(number: int, seen: str) -> int:
        headers = {
            "X-Forwarded-For": f"6.6.6.{number}, {seen}",
            "X-Goog-Authenticated-User-Email": f"accounts.google.com:{number}@example.com",
            "Authorization": f"Bearer h.eyJzdWIiOiI{number}In0.s",
        }
        body = {"src": src, "question": f"Question {number}?"}
        response = public.client("ask").post("/", json=body, headers=headers)
        return int(response.status_code)

    assert [status(number, "1.2.3.4") for number in range(3)] == [200, 200, 429]
    assert status(4, "1.2.3.5") == 200


def test_one_instance_reads_only_so_much_for_everyone(
    public: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    captioned(public)
    monkeypatch.setenv("CAPTION_LOOKUP_DAILY_LIMIT", "2")
    public.restart()
    told = [ask(public, f"gs://local/none-{number}.xyz") for number in range(3)]
    assert [each.status_code for each in told] == [404, 404, 429]
    assert int(told[2].headers["Retry-After"]) >= 1


def cross(stack: Embedded, origin: str, method: str = "POST", **more: Any) -> Any:
    return stack.client("ask").open("/", method=method, headers={"Origin": origin}, **more)


def test_websites_may_ask_that_are_named(public: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    src = captioned(public)
    body = {"src": src, "question": SIGN}
    public.model.always(said("A mug."))
    for origin in (ELSEWHERE, "null", "http://[", "localhost"):
        assert cross(public, origin, json=body).status_code == 403
        assert "Access-Control-Allow-Origin" not in cross(public, origin, "OPTIONS").headers
    assert public.model.count == 0
    assert cross(public, "http://localhost", json=body).status_code == 200  # its own pages

    with environment(monkeypatch, {"CAPTION_ASK_ORIGINS": SHOP}):
        public.restart()
        preflight = cross(public, SHOP, "OPTIONS")
        assert preflight.status_code == 204
        assert preflight.headers["Access-Control-Allow-Origin"] == SHOP
        assert preflight.headers["Access-Control-Allow-Methods"] == "POST"
        assert "Content-Type" in preflight.headers["Access-Control-Allow-Headers"]
        for answer in (cross(public, SHOP, json=body), cross(public, SHOP, json={})):
            assert answer.headers["Access-Control-Allow-Origin"] == SHOP
            assert answer.headers["Cache-Control"] == "no-store"
            assert "Origin" in answer.headers["Vary"]
        assert cross(public, ELSEWHERE, json=body).status_code == 403
        assert "Access-Control-Allow-Origin" not in cross(public, ELSEWHERE, "OPTIONS").headers
        # A form of another website can be sent without asking first, and cannot be JSON.
        form = cross(public, SHOP, data=b'{"src": 1}', content_type="text/plain")
        assert form.status_code == 415

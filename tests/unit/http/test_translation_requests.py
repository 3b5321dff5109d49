"""What websites make of a language that is not there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from functions.core.document import Document, Status
from functions.core.errors import TransientError
from functions.http.translation_requests import TranslationRequests
from functions.usecases.request_translations import Wanted

NOW = datetime(2026, 11, 26, tzinfo=UTC)
MUG = Document(
    bucket="b",
    name="mug.jpg",
    generation=1,
    status=Status.CAPTIONED,
    created_at=NOW,
    updated_at=NOW,
    alt_text="Blue mug",
    language="en",
    translations={"fr": {"alt_text": "Tasse bleue"}},
)


class Topic:
    def __init__(self) -> None:
        self.asked: list[Wanted] = []
        self.away = False
        self.now = 0.0

    def ask(self, wanted: list[Wanted]) -> None:
        if self.away:
            raise TransientError("away")
        self.asked += wanted

    def requests(self, offered: str = "fi,pt-BR", most: int = 10) -> TranslationRequests:
        return TranslationRequests(offered.split(","), most, self.ask, lambda: self.now)


@pytest.mark.parametrize(
    ("asked", "tag"),
    [
        ("fi", "fi"),
        ("FI-fi", "fi"),
        ("pt-BR", "pt-BR"),
        ("pt-PT", ""),
        ("fr-CA", ""),
        ("fr", ""),
        ("en", ""),
        ("sv", ""),
        ("", ""),
        ("*", ""),
        ("fi,pt-BR", ""),
    ],
)
def test_only_a_language_that_is_offered_and_missing_is_asked_for(asked: str, tag: str) -> None:
    topic = Topic()
    expected = topic.requests().make([MUG], asked)
    assert topic.asked == ([("b", "mug.jpg", (tag,))] if tag else [])
    assert expected == ({MUG.id} if tag else set())


def test_decoration_and_what_has_no_words_are_not_asked_for() -> None:
    topic = Topic()
    nothing = replace(MUG, alt_text="", translations={})
    assert topic.requests().make([replace(MUG, decorative=True), nothing], "fi") == set()
    assert topic.asked == []


def test_the_same_words_are_asked_for_once_and_again_if_that_may_have_been_lost() -> None:
    topic = Topic()
    requests = topic.requests()
    for now in (0.0, 1.0, 899.0):
        topic.now = now
        requests.make([MUG], "fi")
    assert len(topic.asked) == 1
    assert requests.make([MUG], "fi") == set(), "nobody looks for it at each answer any more"
    requests.make([replace(MUG, alt_text="Red mug")], "fi")
    assert len(topic.asked) == 2
    topic.now = 901.0
    assert requests.make([MUG], "fi") == {MUG.id}
    assert len(topic.asked) == 3


def test_a_day_has_an_end_whatever_strangers_ask() -> None:
    topic = Topic()
    requests = topic.requests(most=3)
    requests.make([replace(MUG, name=f"{number}.jpg") for number in range(100)], "fi")
    assert len(topic.asked) == 3
    none = topic.requests(most=0)
    assert none.make([MUG], "fi") == set()
    assert len(topic.asked) == 3


def test_a_topic_that_is_away_is_left_alone_for_a_while() -> None:
    topic = Topic()
    topic.away = True
    requests = topic.requests()
    requests.make([MUG], "fi")
    topic.away = False
    requests.make([replace(MUG, name="other.jpg")], "fi")
    assert topic.asked == []
    topic.now = 61.0
    requests.make([replace(MUG, name="other.jpg")], "fi")
    assert [name for _, name, _ in topic.asked] == ["other.jpg"]

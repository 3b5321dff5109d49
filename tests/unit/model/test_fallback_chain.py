"""Whether a model is asked at all when its turn has come."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from functions.adapters.sqlite import SqliteCaptions
from functions.core.document import Accepts, Allowance, Answer, Picture, Prompt
from functions.core.errors import Away, Outage, TransientError
from functions.core.report import Report
from functions.model.fallback_chain import FallbackChain
from functions.model.quota import DailyLimit

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PROMPT = Prompt("v1", "system", "user", {})


class Refusing:
    """A model that is out of quota, and counts who asks."""

    def __init__(self, model: str = "acme:seer") -> None:
        self.model = model

    accepts = Accepts(frozenset({"image/jpeg"}), 1000, 100)
    asked = 0

    def describe(self, picture: Picture | None, prompt: Prompt) -> Answer:
        self.asked += 1
        raise TransientError("429", None, Outage.OVER_QUOTA)

    def close(self) -> None:
        """Nothing is open."""


def test_of_those_whose_turn_it_is_only_the_first_finds_the_quota_spent(tmp_path: Path) -> None:
    model = Refusing()
    limit = DailyLimit(SqliteCaptions(tmp_path / "captions.db"), 0)
    clock = (NOW + timedelta(milliseconds=n) for n in itertools.count())
    chain = FallbackChain([model], limit, clock.__next__)
    turns = [chain.turn() for _ in range(8)]
    refused: list[type[Exception]] = []
    for turn in turns:
        with pytest.raises(TransientError) as raised, turn:
            chain.ask(turn, "a", lambda _: Picture(b"", "image/jpeg", 1, 1), PROMPT, NOW, Report())
        refused.append(raised.type)
    assert model.asked == 1
    assert refused == [TransientError, *[Away] * 7]


def test_what_a_provider_says_is_left_is_kept_to_before_anybody_is_refused(tmp_path: Path) -> None:
    model = Refusing()
    told = Answer("{}", allowance=Allowance(0, 500, 60))
    model.describe = lambda picture, prompt: told  # type: ignore[method-assign]
    limit = DailyLimit(SqliteCaptions(tmp_path / "captions.db"), 0)
    clock = (NOW + timedelta(milliseconds=n) for n in itertools.count())
    chain = FallbackChain([model], limit, clock.__next__)
    with chain.turn() as turn:
        chain.ask(turn, "a", lambda _: Picture(b"", "image/jpeg", 1, 1), PROMPT, NOW, Report())
    with pytest.raises(Away):
        chain.turn(20)


def test_who_would_have_to_wait_for_one_models_pace_asks_the_next_one(tmp_path: Path) -> None:
    models = [Refusing("acme:seer"), Refusing("acme:other")]
    limit = DailyLimit(SqliteCaptions(tmp_path / "captions.db"), 0)
    clock = (NOW + timedelta(milliseconds=n) for n in itertools.count())
    chain = FallbackChain(models, limit, clock.__next__)
    first, *others = [chain.turn() for _ in range(4)]
    first.health.failed(first, "a", TransientError("429", None, Outage.OVER_QUOTA))
    for turn in (first, *others):
        first.health.end(turn)
    assert first.health.model == "acme:seer"
    assert chain.turn(20).health.model == "acme:other"

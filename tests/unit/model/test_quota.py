"""The day's calls, counted over all instances."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from functions.adapters.sqlite import SqliteCaptions
from functions.core.document import Answer
from functions.model import prices
from functions.model.quota import DailyLimit

NOW = datetime(2026, 11, 23, 23, 59, tzinfo=UTC)


def test_all_instances_together_keep_the_daily_limit(tmp_path: Path) -> None:
    store = SqliteCaptions(tmp_path / "captions.db")
    instances = [DailyLimit(store, 250) for _ in range(5)]
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda n: instances[n % 5].take(NOW), range(400)))
    assert sum(taken) == 250


def test_a_new_day_has_a_new_limit(tmp_path: Path) -> None:
    budget = DailyLimit(SqliteCaptions(tmp_path / "captions.db"), 1)
    assert [budget.take(NOW), budget.take(NOW)] == [True, False]
    assert budget.take(NOW + timedelta(minutes=2))


@pytest.mark.parametrize("calls", [1, 7, 60])
def test_instances_that_end_without_a_word_take_little_with_them(
    tmp_path: Path, calls: int
) -> None:
    store = SqliteCaptions(tmp_path / "captions.db")
    for _ in range(30):
        instance = DailyLimit(store, 10_000)
        assert all(instance.take(NOW) for _ in range(calls))
    assert store.reserved(NOW.date().isoformat()) <= 1.02 * 30 * calls


def test_many_that_wait_at_once_are_reserved_for_at_once(tmp_path: Path) -> None:
    class Counted(SqliteCaptions):
        reservations = 0

        def reserve(self, day: str, block: int, limit: int) -> int:
            self.reservations += 1
            return super().reserve(day, block, limit)

    store = Counted(tmp_path / "captions.db")
    budget = DailyLimit(store, 1000)
    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(lambda _: budget.take(NOW), range(64)))
    assert store.reservations <= 64
    assert store.reserved(NOW.date().isoformat()) >= 64


def test_a_call_that_was_refused_is_made_by_the_next_one(tmp_path: Path) -> None:
    budget = DailyLimit(SqliteCaptions(tmp_path / "captions.db"), 1)
    assert budget.take(NOW)
    budget.untake(NOW)
    assert [budget.take(NOW), budget.take(NOW)] == [True, False]


def test_what_is_left_at_the_end_is_given_back(tmp_path: Path) -> None:
    store = SqliteCaptions(tmp_path / "captions.db")
    budget = DailyLimit(store, 10)
    assert budget.take(NOW)
    budget.untake(NOW)
    budget.give_back()
    assert store.reserved(NOW.date().isoformat()) == 0


def test_no_limit_writes_nothing(tmp_path: Path) -> None:
    store = SqliteCaptions(tmp_path / "captions.db")
    assert all(DailyLimit(store, 0).take(NOW) for _ in range(5))
    assert store.reserve(NOW.date().isoformat(), 1, 1) == 1


def test_a_call_costs_what_the_table_says() -> None:
    usage = prices.usage("gemini:gemini-3.5-flash-lite", Answer("", "", False, "", 1420, 118))
    assert usage.cost_usd == pytest.approx((1420 * 0.30 + 118 * 2.50) / 1e6)
    assert (usage.model_calls, usage.input_tokens, usage.output_tokens) == (1, 1420, 118)


def test_a_model_without_a_price_costs_nothing_known() -> None:
    assert prices.usage("gemini:of-tomorrow", Answer("", "", False, "", 10, 10)).cost_usd == 0

"""An instance's clock beside the store's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from functions.core.clock import Clock

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def test_a_clock_that_is_hours_off_is_set_by_the_store() -> None:
    clock = Clock(lambda: NOW)
    assert clock.set(NOW + timedelta(hours=1))
    assert clock() == NOW + timedelta(hours=1)
    assert not clock.set(NOW + timedelta(hours=1))


def test_what_a_slow_answer_takes_moves_no_clock() -> None:
    clock = Clock(lambda: NOW)
    assert not clock.set(NOW + timedelta(seconds=9))
    assert clock() == NOW

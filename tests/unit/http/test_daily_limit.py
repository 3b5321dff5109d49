"""The bound of what one instance reads for strangers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from functions.http.daily_limit import LookupLimit

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def test_a_day_has_room_for_its_limit_and_for_no_more() -> None:
    limit = LookupLimit(100, Clock())
    assert limit.spend(60)
    assert not limit.spend(41)
    assert limit.spend(40)
    assert not limit.spend(1)


def test_the_next_utc_day_begins_anew() -> None:
    clock = Clock()
    limit = LookupLimit(1, clock)
    assert limit.spend(1)
    clock.now += timedelta(hours=11, minutes=59)
    assert not limit.spend(1)
    assert limit.seconds_left() == 60
    clock.now += timedelta(minutes=1)
    assert limit.spend(1)


def test_nought_is_no_limit() -> None:
    assert LookupLimit(0, Clock()).spend(10**15)

"""An instance's clock, set by the store's: a lease is written by one and judged by another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

# What a slow answer may take; a clock that is off by less is left alone.
_TOLERANCE = timedelta(seconds=10)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 1.0


class Clock:
    """Tells the store's time as far as it is known, and else the instance's own."""

    def __init__(self, own: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._own = own
        self._behind = timedelta()

    def __call__(self) -> datetime:
        return self._own() + self._behind

    def set(self, store_time: datetime) -> bool:
        """Take the time that the store told just now; whether this clock was wrong."""
        wrong = abs(store_time - self()) > _TOLERANCE
        if wrong:
            self._behind = store_time - self._own()
        return wrong

    def pauses(self, most: timedelta) -> Iterator[float]:
        """Seconds to wait, time and again and longer each time, for who does the same already:
        for ``most`` in all."""
        until, pause = self() + most, _FIRST_PAUSE
        while self() < until:
            yield pause
            pause = min(2 * pause, _LONGEST_PAUSE)

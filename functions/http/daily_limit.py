"""What one instance may read for strangers in a day: the bound of a public function's bill."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from functions.http.responses import NOT_KEPT, Refusal

_SPENT = "the day's lookups of this instance are spent; raise CAPTION_LOOKUP_DAILY_LIMIT"


class LookupLimit:
    """Counts up to ``most`` in each UTC day; 0 is no limit. Safe in threads."""

    def __init__(
        self, most: int, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._most, self._clock = most, clock
        self._lock = threading.Lock()
        self._day = clock().date()
        self._spent = 0

    def spend(self, amount: int) -> bool:
        """Whether the day has room for ``amount`` more, which is then spent."""
        with self._lock:
            if (today := self._clock().date()) != self._day:
                self._day, self._spent = today, 0
            if self._most and self._spent + amount > self._most:
                return False
            self._spent += amount
            return True

    def read(self, documents: int, cache: str = NOT_KEPT) -> None:
        """Spend the reads of so many documents. Raises Refusal, to be kept as long as ``cache``
        says, where the day has no room for them."""
        if not self.spend(documents):
            raise Refusal(429, _SPENT, cache, **{"Retry-After": str(self.seconds_left())})

    def seconds_left(self) -> int:
        """Until the next day begins."""
        return seconds_left_of_day(self._clock())


def seconds_left_of_day(now: datetime) -> int:
    """Until the next UTC day begins; 1 at least."""
    midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), UTC)
    return max(1, int((midnight - now).total_seconds()))

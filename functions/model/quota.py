"""The daily limit of model calls, reserved from the store in blocks by each instance."""

from __future__ import annotations

import threading
from datetime import datetime

from functions.core.ports import CaptionStore

# A hundred writes a day at most, and at most one in a hundred calls lost with an instance.
BLOCKS = 100


class DailyLimit:
    """Grants model calls up to ``limit`` a UTC day over all instances; 0 grants every call."""

    def __init__(self, store: CaptionStore, limit: int) -> None:
        self._store, self._limit = store, limit
        self._block = max(1, limit // BLOCKS)
        self._day, self._left = "", 0
        self._lock = threading.Lock()

    def take(self, now: datetime) -> bool:
        """Whether one more call may be made today."""
        if not self._limit:
            return True
        with self._lock:
            day = now.date().isoformat()
            if day != self._day:
                self._day, self._left = day, 0
            if not self._left:
                self._left = self._store.reserve(day, self._block, self._limit)
            if not self._left:
                return False
            self._left -= 1
            return True

"""The daily limit of model calls over all instances, reserved from the store as it is used.

An instance reserves what its waiting events need now, and a fiftieth of what it has used so far:
however many instances die, what is lost with them is at most 2% of the calls that were made.
What a call did not use, as it was refused, is used by the next one; what is left at the end of
an instance is given back.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import datetime

from functions.core.errors import CaptionError
from functions.core.ports import CaptionStore

_SPARE = 50
# An instance that has made many calls still leaves something for others.
_LARGEST_SHARE = 100


class DailyLimit:
    """Grants model calls up to ``limit`` a UTC day over all instances; 0 grants every call.

    Days whose names begin with another ``prefix`` are counted apart.
    """

    def __init__(self, store: CaptionStore, limit: int, prefix: str = "") -> None:
        self._store, self._limit, self._prefix = store, limit, prefix
        self._day, self._left, self._used = "", 0, 0
        self._waiting, self._reserving = 0, False
        self._changed = threading.Condition()

    def take(self, now: datetime) -> bool:
        """Whether one more call may be made today."""
        if not self._limit:
            return True
        day = self._name(now)
        with self._changed:
            self._waiting += 1
            try:
                return self._take(day)
            finally:
                self._waiting -= 1

    def untake(self, now: datetime) -> None:
        """Return what the last call took: it was not made, or refused."""
        with self._changed:
            if self._limit and self._day == self._name(now) and self._used:
                self._left += 1
                self._used -= 1
                self._changed.notify()

    def give_back(self) -> None:
        """Return what is left to the others, at the end of an instance; it may be in vain."""
        with self._changed:
            day, left, self._left = self._day, self._left, 0
        if left:
            with suppress(CaptionError):
                self._store.give_back(day, left)

    def _name(self, now: datetime) -> str:
        return f"{self._prefix}{now.date().isoformat()}"

    def _take(self, day: str) -> bool:
        while True:
            if day != self._day:
                self._day, self._left, self._used = day, 0, 0
            if self._left:
                self._left -= 1
                self._used += 1
                return True
            if self._reserving:
                self._changed.wait()
            elif not self._reserve(day):
                return False

    def _reserve(self, day: str) -> bool:
        """Reserve for all that wait, while they wait; whether there was anything left."""
        spare = min(self._used // _SPARE, self._limit // _LARGEST_SHARE)
        block, self._reserving, granted = self._waiting + spare, True, 0
        self._changed.release()
        try:
            granted = self._store.reserve(day, block, self._limit)
        finally:
            self._changed.acquire()
            self._reserving = False
            if day == self._day:
                self._left += granted
            self._changed.notify_all()
        return granted > 0

"""Values that are told again until their time is over: how an instance remembers."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class KeptValue(Generic[V]):
    """A value, the bytes it takes, and the moment of the clock from which on it is no more."""

    value: V
    size: int
    until: float


class Kept(Generic[K, V]):
    """Values by key, at most so many entries and bytes; safe in threads.

    What is longest unused goes first. A value's size is what its owner says.
    """

    def __init__(
        self, most_entries: int, most_bytes: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most_entries, self._most_bytes, self._clock = most_entries, most_bytes, clock
        self._entries: OrderedDict[K, KeptValue[V]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def find(self, key: K) -> KeptValue[V] | None:
        """What is kept under ``key``, unless its time is over."""
        with self._lock:
            if (entry := self._entries.get(key)) is None:
                return None
            if entry.until <= self._clock():
                self._drop(key)
                return None
            self._entries.move_to_end(key)
            return entry

    def keep(self, key: K, value: V, size: int, until: float) -> None:
        """Keep ``value`` in place of what was kept; nothing if its time is over already."""
        with self._lock:
            self._drop(key)
            if until <= self._clock():
                return
            self._entries[key] = KeptValue(value, size, until)
            self._bytes += size
            while len(self._entries) > self._most_entries or self._bytes > self._most_bytes:
                self._drop(next(iter(self._entries)))

    def drop(self, key: K) -> None:
        """Keep nothing under ``key`` any more."""
        with self._lock:
            self._drop(key)

    def _drop(self, key: K) -> None:
        if entry := self._entries.pop(key, None):
            self._bytes -= entry.size

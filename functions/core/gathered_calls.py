"""Calls of those who ask at the same moment, in one round trip.

A round trip for one document costs five times the processor time that one more document costs in
it. So a few go on at once, and who comes meanwhile goes with the next one, all together.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

AT_ONCE = 2
# More keys than these make a round trip of their own long.
MOST_TOGETHER = 100
# Who has waited for so long goes, with those behind it: a round trip in trouble holds up nobody.
PATIENCE_SECONDS = 0.05

V = TypeVar("V")


@dataclass(eq=False)
class _Asker(Generic[V]):
    """One who waits: for what came for it, or for those that it is to call for."""

    keys: Sequence[str]
    given: Future[Mapping[str, V] | list[_Asker[V]]] = field(default_factory=Future)


class GatheredCalls(Generic[V]):
    """Calls ``load`` for several askers at once, with ``most`` keys or those of a single one;
    safe in threads."""

    def __init__(
        self,
        load: Callable[[Iterable[str]], Mapping[str, V]],
        at_once: int = AT_ONCE,
        most: int = MOST_TOGETHER,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._load, self._at_once, self._most = load, at_once, most
        self.patience = patience
        self._lock = threading.Lock()
        self._waiting: deque[_Asker[V]] = deque()
        self._going = 0

    def call(self, keys: Iterable[str]) -> Mapping[str, V]:
        """What ``load`` has for these keys, and perhaps for others. Raises what it raises."""
        asker = _Asker[V](tuple(keys))
        if self._begins(asker):
            return self._led([asker])
        given = self._awaited(asker)
        return self._led(given) if isinstance(given, list) else given

    def _begins(self, asker: _Asker[V]) -> bool:
        """Whether a round trip may begin at once; else it stands in line."""
        with self._lock:
            if self._going < self._at_once:
                self._going += 1
                return True
            self._waiting.append(asker)
            return False

    def _awaited(self, asker: _Asker[V]) -> Mapping[str, V] | list[_Asker[V]]:
        try:
            return asker.given.result(self.patience)
        except TimeoutError:
            with self._lock:
                if asker in self._waiting:
                    self._waiting.remove(asker)
                    self._going += 1
                    return [asker, *self._taken(len(asker.keys))]
            return asker.given.result()

    def _led(self, together: Sequence[_Asker[V]]) -> Mapping[str, V]:
        """What ``load`` has for these, of whom the first one calls."""
        others = together[1:]
        try:
            found = self._load([key for each in together for key in each.keys])
        except BaseException as error:
            for other in others:
                other.given.set_exception(error)
            raise
        finally:
            self._next()
        for other in others:
            other.given.set_result(found)
        return found

    def _next(self) -> None:
        """Let those who wait go, the first of them for all."""
        with self._lock:
            together = self._taken()
            if not together:
                self._going -= 1
        if together:
            together[0].given.set_result(together)

    def _taken(self, keys: int = 0) -> list[_Asker[V]]:
        """Those from the line who may go with so many ``keys``."""
        taken = list[_Asker[V]]()
        while self._waiting and keys < self._most:
            taken.append(self._waiting.popleft())
            keys += len(taken[-1].keys)
        return taken

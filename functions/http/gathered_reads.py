"""Reads of those who ask at the same moment, in one round trip.

A round trip for one document costs five times the processor time that one more document costs in
it. So a few go on at once, and who comes meanwhile goes with the next one, all together.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from functions.core.document import Document

AT_ONCE = 2
# More keys than these make a round trip of their own long.
MOST_TOGETHER = 100
# Who has waited for so long goes alone: a round trip in trouble holds up nobody else.
PATIENCE_SECONDS = 0.05

Load = Callable[[Iterable[str]], Mapping[str, Document]]


@dataclass(eq=False)
class _WaitingRead:
    """One who waits: for what was read for it, or for the turns that it is to read for."""

    keys: Sequence[str]
    given: Future[Mapping[str, Document] | list[_WaitingRead]] = field(default_factory=Future)


class GatheredReads:
    """Calls ``load`` for several askers at once; safe in threads."""

    def __init__(
        self, load: Load, at_once: int = AT_ONCE, patience: float = PATIENCE_SECONDS
    ) -> None:
        self._load, self._at_once, self._patience = load, at_once, patience
        self._lock = threading.Lock()
        self._waiting: deque[_WaitingRead] = deque()
        self._going = 0

    def read(self, keys: Iterable[str]) -> Mapping[str, Document]:
        """The documents with these IDs, and perhaps others. Raises what ``load`` raises."""
        wanted = tuple(keys)
        if (turn := self._queued(wanted)) is None:
            return self._led(wanted, ())
        given = self._awaited(turn)
        if not isinstance(given, list):
            return given
        return self._led([key for each in given for key in each.keys], given[1:])

    def _queued(self, keys: Sequence[str]) -> _WaitingRead | None:
        """A turn that waits for the next round trip; None if one may begin at once."""
        with self._lock:
            if self._going < self._at_once:
                self._going += 1
                return None
            self._waiting.append(turn := _WaitingRead(keys))
            return turn

    def _awaited(self, turn: _WaitingRead) -> Mapping[str, Document] | list[_WaitingRead]:
        try:
            return turn.given.result(self._patience)
        except TimeoutError:
            with self._lock:
                if turn in self._waiting:
                    self._waiting.remove(turn)
                    self._going += 1
                    return [turn]
            return turn.given.result()

    def _led(self, keys: Sequence[str], others: Sequence[_WaitingRead]) -> Mapping[str, Document]:
        """What is read, for the caller and for ``others``."""
        try:
            read = self._load(keys)
        except BaseException as error:
            for other in others:
                other.given.set_exception(error)
            raise
        finally:
            self._next()
        for other in others:
            other.given.set_result(read)
        return read

    def _next(self) -> None:
        """Let those who wait go, the first of them for all."""
        with self._lock:
            together, keys = list[_WaitingRead](), 0
            while self._waiting and (not together or keys < MOST_TOGETHER):
                keys += len(self._waiting[0].keys)
                together.append(self._waiting.popleft())
            if not together:
                self._going -= 1
        if together:
            together[0].given.set_result(together)

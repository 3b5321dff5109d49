"""A bound on the events that work at once, whatever the number that wait for a model.

All threads of a process share one interpreter, which each of those that want it gets for a moment
in turn. So eighty events that come together would ask the model at nearly the same time, late, have
their answers at the same time, and end at the same time, later still. A few at a time, in the order
of their coming, each asks as early as it can, and others work while it waits.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Enough that one works while others wait for a store.
AT_ONCE = 2
# Where those at work leave the interpreter idle for so much of the time, as with stores that are
# slow, one more begins, and so on.
_IDLE_SHARE, _LOOK_SECONDS = 0.5, 0.01
# Whatever keeps the processor busy: nobody stands in line for longer, since a claim may run out.
PATIENCE_SECONDS = 2.0


class WorkLimiter:
    """Lets ``at_once`` events work, and more as long as the processor is idle: none waits for
    nothing, whatever the others wait for, and none for more than ``patience`` seconds. Safe in
    threads.

    ``clock`` and ``processor`` count seconds: those that pass, and those of the processor's that
    the process has had.
    """

    def __init__(
        self,
        at_once: int = AT_ONCE,
        clock: Callable[[], float] = time.monotonic,
        processor: Callable[[], float] = time.process_time,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._at_once, self._working, self._patience = at_once, 0, patience
        self._clock, self._processor = clock, processor
        self._lock = threading.Lock()
        self._line: deque[threading.Condition] = deque()
        self._looked_at, self._spent = clock(), processor()

    @property
    def in_line(self) -> int:
        """How many wait for their turn."""
        return len(self._line)

    @contextmanager
    def working(self) -> Iterator[None]:
        """The block's work, as soon as it is its turn."""
        self._begin()
        try:
            yield
        finally:
            self._end()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Within :meth:`working`: others work while the block waits for something."""
        self._end()
        try:
            yield
        finally:
            self._begin()

    def _begin(self) -> None:
        with self._lock:
            if self._line or self._working >= self._at_once:
                self._stand_in_line()
            self._working += 1

    def _stand_in_line(self) -> None:
        mine = threading.Condition(self._lock)
        self._line.append(mine)
        until = self._clock() + self._patience
        try:
            while self._line[0] is not mine or not self._has_room():
                if (left := until - self._clock()) <= 0:
                    return
                mine.wait(min(_LOOK_SECONDS, left) if self._line[0] is mine else left)
        finally:
            self._line.remove(mine)
            self._notify()

    def _end(self) -> None:
        with self._lock:
            self._working -= 1
            self._notify()

    def _notify(self) -> None:
        if self._line:
            self._line[0].notify()

    def _has_room(self) -> bool:
        return self._working < self._at_once or self._is_idle()

    def _is_idle(self) -> bool:
        """Whether the processor was idle since it was looked at last."""
        now, spent = self._clock(), self._processor()
        passed = now - self._looked_at
        if passed < _LOOK_SECONDS:
            return False
        idle = spent - self._spent < (1 - _IDLE_SHARE) * passed
        self._looked_at, self._spent = now, spent
        return idle

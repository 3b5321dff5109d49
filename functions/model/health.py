"""Whether a model answers, and how fast it may be asked: what one instance has seen of it.

::

    answering    asked freely, until the first 429: then at a pace
    over_quota   asked no more until its pause is over; then by one, and at a lower pace
    away         asked no more until its pause is over; then by one
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from functions.core.errors import Away, CaptionError, Outage, TransientError
from functions.core.outcomes import Outcomes
from functions.model.pace import Pace

# One failure may be chance. From the second in a row on, an outage is asked about after 1, 2,
# 4 ... seconds, or when the provider says.
FIRST_PAUSE, LONGEST_PAUSE, LONGEST_RETRY_AFTER = 1.0, 30.0, 3600.0
# How long a delivery waits for its turn before it goes back to the platform.
PATIENCE = 20.0
# How long it waits where something else can be done instead: a burst's calls begin within it.
MOMENT = 1.0
Wait = Callable[[threading.Condition, float], object]
_QUOTA = frozenset({Outage.OVER_QUOTA, Outage.NO_CREDIT})


class ModelHealth:
    """What an instance knows of one model. Safe under threads.

    ``clock`` is the instance's; ``wait`` waits for a condition, at most so many seconds.
    """

    def __init__(
        self,
        model: str,
        clock: Callable[[], datetime],
        wait: Wait = threading.Condition.wait,
    ) -> None:
        self.model = model
        self._clock, self._wait = clock, wait
        self._changed = threading.Condition()
        self._outage = Outage.NONE
        self._outcomes = Outcomes()
        self._failed_at, self._pause, self._failures = clock(), 0.0, 0
        self._probing = False
        self._waiting = 0
        self._pace = Pace(clock())

    @property
    def state(self) -> str:
        """``answering``, ``over_quota``, ``no_credit`` or ``away``."""
        return self._outage.value or "answering"

    def closed_for(self) -> float:
        """Seconds for which nobody asks; 0 if it may be asked."""
        with self._changed:
            return self._closed_for(self._clock())

    def turn(self, patience: float = 0.0) -> Turn:
        """The right to ask once, waited for as long as ``patience`` says. Raises Away where
        there is none in this time, with how long it may take."""
        with self._changed:
            until = self._clock() + timedelta(seconds=patience)
            while True:
                left = (until - self._clock()).total_seconds()
                found = self.turn_or_wait(left, self._waiting)
                if isinstance(found, Turn):
                    return found
                self._waiting += 1
                try:
                    self._wait(self._changed, min(left, found))
                finally:
                    self._waiting -= 1

    def turn_or_wait(self, left: float, ahead: int) -> Turn | float:
        """The right to ask once, or the seconds until there may be one, for who can wait for
        ``left`` seconds behind so many others. Raises Away where that would be in vain."""
        with self._changed:
            now = self._clock()
            closed, delay = self._closed_for(now), self._pace.delay(now)
            if not closed and not delay:
                return self._begin(now)
            if self._hopeless(closed, delay, left, ahead):
                raise Away(self._why(closed), closed or delay)
            return closed or delay

    def confirm(self, turn: Turn) -> None:
        """See that a turn still stands just before its call: between the two, others may have
        found that the quota is spent. Raises Away then."""
        with self._changed:
            closed = 0.0 if turn.probe else self._closed_for(self._clock())
            if closed or self._pace.overtaken(turn.begun):
                raise Away(self._why(closed), closed or None)

    def answered(self, turn: Turn, image: str) -> None:
        """The model answered a call about ``image``."""
        with self._changed:
            now = self._clock()
            self._outcomes.note(image, True, now)
            self._pace.succeed(turn.begun, now)
            self._outage, self._failures, self._pause = Outage.NONE, 0, 0.0
            self._changed.notify_all()

    def failed(self, turn: Turn, image: str, error: CaptionError) -> bool:
        """A call about ``image`` was not answered; whether that is the image's own fault: the
        model answers others, and answered one lately."""
        with self._changed:
            now = self._clock()
            outage = error.outage if isinstance(error, TransientError) else None
            own = outage not in _QUOTA and self._outcomes.serves_others(image, now)
            self._outcomes.note(image, False, now)
            if isinstance(error, TransientError) and not own:
                if outage in _QUOTA:
                    self._pace.refuse(turn.begun, now)
                self._close(turn, error.outage or Outage.AWAY, error.retry_after, now)
            self._changed.notify_all()
            return own

    def end(self, turn: Turn) -> None:
        """A turn is over, used or not."""
        with self._changed:
            self._pace.end(self._clock())
            if turn.probe:
                self._probing = False
            self._changed.notify_all()

    def _begin(self, now: datetime) -> Turn:
        probe = self._outage != Outage.NONE
        self._probing = self._probing or probe
        self._pace.begin(now, after_pause=probe)
        self._failed_at = min(self._failed_at, now)
        return Turn(self, now, probe)

    def _closed_for(self, now: datetime) -> float:
        """A clock that is set back ends a pause: it must not make it longer."""
        if self._outage == Outage.NONE:
            return 0.0
        gone = (now - self._failed_at).total_seconds()
        left = self._pause - gone if 0 <= gone < self._pause else 0.0
        return left or (FIRST_PAUSE if self._probing else 0.0)

    def _hopeless(self, closed: float, delay: float, left: float, ahead: int) -> bool:
        """Whether waiting for ``left`` seconds would be in vain."""
        if closed and self._outage != Outage.OVER_QUOTA:
            return True
        queue = ahead / self._pace.rate if self._pace.rate else 0.0
        return left <= 0 or max(closed, delay) + queue > left

    def _close(self, turn: Turn, outage: Outage, retry_after: float | None, now: datetime) -> None:
        """Pause, longer with each failure in a row; calls that were on their way count once."""
        requested = min(retry_after, LONGEST_RETRY_AFTER) if retry_after else 0.0
        if self._failures and turn.begun < self._failed_at:
            self._pause = max(self._pause, requested)
        else:
            self._failures += 1
            self._failed_at, self._pause = now, requested or _backoff(self._failures, outage)
        if self._pause:
            self._outage = outage

    def _why(self, closed: float) -> str:
        if not closed:
            return f"{self.model} is asked no faster than its quota allows"
        what = "is out of quota" if self._outage in _QUOTA else "answers nobody"
        return f"{self.model} {what}; it is asked again in {closed:.0f} s"


def _backoff(failures: int, outage: Outage) -> float:
    """Seconds of a pause that nobody has asked for; most quotas are those of a minute."""
    if failures < 2:
        return 0.0
    more = min(failures - 2, 10)
    growing = 4.0 * 5.0**more if outage in _QUOTA else 2.0**more
    return min(FIRST_PAUSE * growing, LONGEST_PAUSE)


@dataclass(slots=True)
class Turn:
    """The right to ask a model once; it ends with its ``with`` block, used or not."""

    health: ModelHealth
    begun: datetime
    probe: bool = False
    over: bool = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def end(self) -> None:
        """Let others ask; a second time it does nothing."""
        if not self.over:
            self.over = True
            self.health.end(self)

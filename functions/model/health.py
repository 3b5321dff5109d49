"""Whether a model answers, and how fast it may be asked: what one instance has seen of it.

::

    answering    asked freely, until the first 429: then at a pace
    over_quota   asked no more until its pause is over; then by one, and at a lower pace
    away         asked no more until its pause is over; then by one

Who has to wait stands in a line, and is served in the order of coming.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from functions.core.document import Allowance
from functions.core.errors import Away, CaptionError, Outage, TransientError
from functions.core.outcomes import Outcomes
from functions.model.pace import Pace

# One failure may be chance. From the second in a row on, an outage is asked about after 1, 2,
# 4 ... seconds, or when the provider says.
FIRST_PAUSE, LONGEST_PAUSE, LONGEST_RETRY_AFTER = 1.0, 30.0, 3600.0
# Whoever pays, or waits for a day's end, waits so long more.
LONGEST_CREDIT_PAUSE = 300.0
# How long a person waits for a turn.
PATIENCE = 20.0
# How long an event does before it goes back to the platform, whose own pauses grow to ten
# minutes: with the work after it, as long as an instance has for an event (300 s).
LONG_PATIENCE = 120.0
# How long it waits where something else can be done instead: a burst's calls begin within it.
MOMENT = 1.0
Wait = Callable[[threading.Condition, float], object]
_QUOTA = frozenset({Outage.OVER_QUOTA, Outage.NO_CREDIT})
# After so many refusals in a row a quota's end is not that of a minute: nobody waits for it.
_SPENT = 4
_OTHERS = 20


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
        self._lock = threading.RLock()
        self._line: deque[threading.Condition] = deque()
        self._outage = self._reason = Outage.NONE
        self._outcomes = Outcomes()
        self._failed_at, self._pause, self._failures = clock(), 0.0, 0
        self._probing = False
        self._pace = Pace(clock())

    @property
    def state(self) -> str:
        """``answering``, ``over_quota``, ``no_credit`` or ``away``."""
        return self._outage.value or "answering"

    def closed_for(self) -> float:
        """Seconds for which nobody asks; 0 if it may be asked."""
        with self._lock:
            return self._closed_for(self._clock())

    def turn(self, patience: float = 0.0) -> Turn:
        """The right to ask once, waited for as long as ``patience`` says, behind those who came
        before. Raises Away where there is none in this time, with how long it may take."""
        with self._lock:
            mine = threading.Condition(self._lock)
            self._line.append(mine)
            until = self._clock() + timedelta(seconds=patience)
            try:
                while True:
                    left = (until - self._clock()).total_seconds()
                    found = self.turn_or_wait(left, first=self._line[0] is mine)
                    if isinstance(found, Turn):
                        return found
                    self._wait(mine, min(left, found))
            finally:
                self._line.remove(mine)
                self._notify()

    def turn_or_wait(self, left: float, *, first: bool = True) -> Turn | float:
        """The right to ask once, or the seconds until there may be one, for who can wait for
        ``left`` seconds and is ``first`` in the line. Raises Away where that is in vain."""
        with self._lock:
            now = self._clock()
            closed, delay = self._closed_for(now), self._pace.delay(now)
            if first and not closed and not delay:
                return self._begin(now)
            if left <= 0 or max(closed, delay) > left or (closed and not self._ends_soon(closed)):
                raise Away(self._why(closed), closed or delay or None)
            return (closed or delay) if first else left

    def confirm(self, turn: Turn) -> None:
        """See that a turn still stands just before its call: between the two, others may have
        found that the quota is spent. Raises Away then."""
        with self._lock:
            closed = 0.0 if turn.probe else self._closed_for(self._clock())
            if closed or self._pace.overtaken(turn.begun):
                raise Away(self._why(closed), closed or None)

    def answered(self, turn: Turn, image: str, allowance: Allowance | None = None) -> None:
        """The model answered a call about ``image``, with what it may still be asked."""
        with self._lock:
            now = self._clock()
            self._outcomes.note(image, True, now)
            self._pace.succeed(turn.begun, now)
            self._pace.follow(allowance, now)
            if turn.begun >= self._failed_at or self._reason not in _QUOTA:
                self._outage, self._failures, self._pause = Outage.NONE, 0, 0.0
            self._notify()

    def failed(self, turn: Turn, image: str, error: CaptionError) -> bool:
        """A call about ``image`` was not answered; whether that is the image's own fault: the
        model answers others, and answered one lately."""
        with self._lock:
            now = self._clock()
            outage = error.outage if isinstance(error, TransientError) else None
            own = self._serves_others(image, outage, now)
            self._outcomes.note(image, False, now)
            if isinstance(error, TransientError) and (outage in _QUOTA or not own):
                if outage == Outage.OVER_QUOTA:
                    self._pace.refuse(turn.begun, now)
                self._close(turn, error.outage or Outage.AWAY, error.retry_after, now)
                for each in self._line:  # it may be in vain to wait any longer
                    each.notify()
            return own

    def end(self, turn: Turn) -> None:
        """A turn is over, used or not."""
        with self._lock:
            self._pace.end(self._clock())
            if turn.probe:
                self._probing = False
            self._notify()

    def _serves_others(self, image: str, outage: Outage | None, now: datetime) -> bool:
        """Whether the model answers others, so that a failure is the image's own. That a quota is
        spent is no image's fault; where twenty others were answered since the last refusal it may
        be: by chance once, not in all of its attempts."""
        if outage == Outage.OVER_QUOTA and self._pace.answered < _OTHERS:
            return False
        return outage != Outage.NO_CREDIT and self._outcomes.serves_others(image, now)

    def _notify(self) -> None:
        if self._line:
            self._line[0].notify()

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

    def _ends_soon(self, closed: float) -> bool:
        """Whether a pause is that of a minute's quota, and worth waiting for: a short one, or one
        in a bulk."""
        again = self._outage == Outage.OVER_QUOTA and self._failures < _SPENT
        return again and (closed <= PATIENCE or self._pace.is_known)

    def _close(self, turn: Turn, outage: Outage, retry_after: float | None, now: datetime) -> None:
        """Pause, longer with each failure in a row; calls that were on their way count once."""
        requested = min(retry_after, LONGEST_RETRY_AFTER) if retry_after else 0.0
        self._reason = outage
        if self._failures and turn.begun < self._failed_at:
            self._pause = max(self._pause, requested)
        else:
            self._failures += 1
            pause = _backoff(self._failures, outage)
            if outage == Outage.NO_CREDIT:  # what is named then is the minute's
                requested = max(requested, pause)
            self._failed_at, self._pause = now, requested or pause
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
    longest = LONGEST_CREDIT_PAUSE if outage == Outage.NO_CREDIT else LONGEST_PAUSE
    return min(FIRST_PAUSE * growing, longest)


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

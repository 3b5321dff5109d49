"""How fast a model may be asked: additive increase, multiplicative decrease, for one instance.

A refusal lowers the rate, to what was answered since the last one at most, pauses included: what
a quota let through, whatever its period. Each answer that was waited for raises it, by so much
that the next refusals cost about a hundredth of the calls before them. Until the first refusal
there is no rate; the number of calls at once is bounded then, and grows by one with each answer,
so that a quota is not run into at full speed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

_FIRST_WINDOW, _WIDEST_WINDOW = 8, 1000
_DECREASE, _CALLS_A_REFUSAL = 0.85, 150
# Beyond what was reached before, demand or quota have changed: faster, to find out.
_GROWTH_BEYOND = 1.01
# A call every twenty seconds: below that, an instance would hardly learn of a quota's end.
_SLOWEST = 0.05
_IDLE_SECONDS = 2.0
# A few answers in a moment tell nothing of what a quota lets through in the long run.
_SHORTEST_SECONDS, _TELLING = 5.0, 10
_UNPACED_AFTER = timedelta(hours=1)


@dataclass(slots=True)
class Pace:
    """``rate`` is in calls a second, None until the model has refused one. Not safe under
    threads: who has it locks it."""

    began: datetime
    rate: float | None = None
    running: int = 0
    _window: int = _FIRST_WINDOW
    _answered: int = 0
    _refused: int = 0
    _reached: float = 0.0
    _refused_at: datetime | None = None
    _next_at: datetime | None = None
    _ended_at: datetime | None = None
    _limited_at: datetime | None = None

    @property
    def full(self) -> bool:
        """Whether another call has to wait for the end of one."""
        return self.rate is None and self.running >= self._window

    def delay(self, now: datetime) -> float:
        """Seconds until the next call may begin. A clock that is set back does not stop it."""
        if self.rate is None or self._next_at is None:
            return 0.0
        left = max(0.0, min((self._next_at - now).total_seconds(), 2 / self.rate))
        if left:
            self._limited_at = now
        return left

    def begin(self, now: datetime, after_pause: bool) -> None:
        """A call begins; what was reached before a time in which nobody asked does not count."""
        last = max(filter(None, (self._ended_at, self._next_at, self.began)))
        if not self.running and not after_pause and (now - last).total_seconds() > _IDLE_SECONDS:
            self.began, self._answered = now, 0
        self.running += 1
        if self.rate is not None:
            due = self._next_at if self._next_at and self.delay(now) else now
            self._next_at = due + timedelta(seconds=1 / self.rate)

    def end(self, now: datetime) -> None:
        """A call ends, or was not made after all."""
        self.running -= 1
        self._ended_at = now

    def succeed(self, now: datetime) -> None:
        """A call was answered."""
        self._answered += 1
        if self.rate is None:
            self._window = min(self._window + 1, _WIDEST_WINDOW)
        elif self._refused_at and now - self._refused_at > _UNPACED_AFTER:
            self.rate, self._window = None, _FIRST_WINDOW
        elif self._limits(now):
            calls = _CALLS_A_REFUSAL * max(1, self._refused)
            if self._answered <= 2 * calls:
                self.rate += (1 - _DECREASE) * self._reached / calls
            else:
                self.rate *= _GROWTH_BEYOND

    def _limits(self, now: datetime) -> bool:
        """Whether somebody has waited for the pace just now: where few ask, that they were all
        answered says nothing of a faster one."""
        slack = timedelta(seconds=1 + 2 / (self.rate or 1))
        return self._limited_at is not None and now - self._limited_at <= slack

    def refuse(self, begun: datetime, now: datetime) -> None:
        """A call was refused that began at ``begun``: those that were on their way when another
        one was, and those that ask whether a pause is over, lower the rate no further."""
        fresh = self._refused_at is None or begun >= self._refused_at
        if fresh and self.rate is None:
            self._window = max(1, self._window // 2)
        if fresh and self._answered:
            seconds = max((now - self.began).total_seconds(), _SHORTEST_SECONDS)
            let_through = self._answered / seconds
            lower = _DECREASE * (let_through if self.rate is None else self.rate)
            if self._answered >= _TELLING:
                lower = min(lower, let_through)
            self.rate = max(lower, _SLOWEST)
            self._reached = self.rate / _DECREASE
            self.began, self._answered, self._refused = now, 0, 0
            self._next_at = None
        self._refused += 1
        self._refused_at = now

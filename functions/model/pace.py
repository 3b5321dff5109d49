"""How fast a model may be asked: additive increase, multiplicative decrease, for one instance.

::

    no rate      until the first refusal: calls at once double so quickly that a burst hardly
                 waits, yet not before the first of them could have been refused
    first rate   85% of what was answered by then, as if it were a minute's quota. Where that
                 minute was waited for, it is, and the rate grows slowly; else it doubles in about
                 a minute, until the next refusal halves it
    rate         85% of what it was, and at most what was answered since the last refusal, pauses
                 included: what a quota lets through, whatever its period. It grows by so much
                 that the next refusals cost less than a hundredth of the calls before them

Only an answer that was waited for raises a rate: where few ask, that they were all answered says
nothing of a faster one. ``python -m tools.simulated_quota`` is what the numbers were chosen by.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from functions.core.document import Allowance

_FIRST_WINDOW, _WIDEST_WINDOW, _DOUBLING_SECONDS = 8, 1000, 0.25
# A refusal takes a tenth of a second to arrive, a glance a sixteenth.
_GLANCE_SECONDS = 0.06
# A call every twenty seconds: below that, an instance would hardly learn of a quota's end.
_SLOWEST = 0.05
# A lone call's refusal may be chance; a second one within a minute is not, but tells little.
_FIRST_ALONE = 1.0
_DECREASE, _CALLS_A_REFUSAL, _MOST_COUNTED = 0.85, 250, 3
# Calls a second that an answer adds while it is unknown what a quota lets through: a rate doubles
# in 40 seconds, or in five minutes where a window's end has been waited for.
_GROWTH, _CAUTIOUS_GROWTH = 1 / 60, 1 / 400
_WINDOW_SECONDS = 25.0
# What is left of a rate that has grown so until it was refused.
_FIRST_DECREASE = 0.5
_PERIOD = 60.0
# Nobody asks for so long after a refusal without a delay, and twice as long after the next one:
# close to a quota's pace, its minute is over soon.
_FIRST_BREATH, _BREATH, _LONGEST_BREATH = 20.0, 3.0, 45.0
_IDLE_SECONDS = 2.0
# A few answers in a moment tell nothing of what a quota lets through in the long run.
_SHORTEST_SECONDS, _TELLING = 5.0, 10
_UNPACED_AFTER = timedelta(hours=1)
# What a provider says is left is spread over the time until all is there again, unless it is
# half of it or more, or the time is long: then it is used up first.
_FREE_SHARE, _LONGEST_SPREAD, _LONGEST_WAIT = 0.5, 300.0, 3600.0
# So many answers in a row after which nothing is left, as they say, were given all the same.
_UNTRUE = 5


@dataclass(slots=True)
class Pace:
    """``rate`` is in calls a second, None until the model has refused one; ``answered`` counts
    since it last changed by that. Not safe under threads: who has it locks it."""

    began: datetime
    rate: float | None = None
    running: int = 0
    answered: int = 0
    _answered_at_first: int = 0
    _refused: int = 0
    _breath: float = 0.0
    _growth: float = _GROWTH
    # The rate that was refused last; None while the first one grows.
    _reached: float | None = None
    _refused_at: datetime | None = None
    _next_at: datetime | None = None
    _ended_at: datetime | None = None
    _limited_at: datetime | None = None
    _spacing: float = 0.0
    _spread_until: datetime | None = None
    _spread_from: datetime | None = None
    _empty: int = 0

    @property
    def is_known(self) -> bool:
        """Whether there is a rate, and calls that were answered at it or before."""
        return self.rate is not None and bool(self._answered_at_first or self._reached)

    def delay(self, now: datetime) -> float:
        """Seconds until the next call may begin. A clock that is set back does not stop it."""
        return max(self._rate_delay(now), self._spread_delay(now))

    def _rate_delay(self, now: datetime) -> float:
        if self.rate is None:
            return _GLANCE_SECONDS if self.running >= self._window(now) else 0.0
        if self._next_at is None:
            return 0.0
        most = max(2 / self.rate, _LONGEST_BREATH)
        left = max(0.0, min((self._next_at - now).total_seconds(), most))
        if left:
            self._limited_at = now
        return left

    def overtaken(self, begun: datetime) -> bool:
        """Whether the first refusal came after ``begun``: what began at full speed then, and has
        not asked yet, would be refused as well."""
        if self.rate is None or self._reached is not None or self._refused_at is None:
            return False
        return begun < self._refused_at

    def begin(self, now: datetime, after_pause: bool) -> None:
        """A call begins; what was reached before a time in which nobody asked does not count."""
        self._set_back(now)
        last = max(filter(None, (self._ended_at, self._next_at, self.began)))
        if not self.running and not after_pause and (now - last).total_seconds() > _IDLE_SECONDS:
            self.began, self.answered = now, 0
        self.running += 1
        if self.rate is not None:
            due = self._next_at if self._next_at and self._rate_delay(now) else now
            self._next_at = due + timedelta(seconds=1 / self.rate)
        self._spread_from = now

    def end(self, now: datetime) -> None:
        """A call ends, or was not made after all."""
        self.running -= 1
        self._ended_at = now

    def succeed(self, begun: datetime, now: datetime) -> None:
        """A call was answered that began at ``begun``."""
        if self.rate is None or self._refused_at is None:
            self.answered += 1
        elif now - self._refused_at > _UNPACED_AFTER:
            self.rate = self._reached = self._refused_at = None
            self.began, self.answered = now, 0
        elif begun >= self._refused_at:
            if not self.answered and self._reached is None:
                waited = (begun - self._refused_at).total_seconds()
                self._growth = _GROWTH if waited < _WINDOW_SECONDS else _CAUTIOUS_GROWTH
            self.answered += 1
            self._breath = 0.0
            if self._limits(now, self.rate):
                self.rate += self._step()
        elif self._reached is None:
            self._answered_at_first += 1
            self.rate = max(self.rate, _DECREASE * self._answered_at_first / _PERIOD)

    def follow(self, allowance: Allowance | None, now: datetime) -> None:
        """Ask no faster than what the provider says is left lasts: then nobody is refused, however
        many others ask, who are told the same."""
        self._spacing, self._spread_until = 0.0, None
        self._empty = self._empty + 1 if allowance and allowance.calls < 1 else 0
        if allowance is None or self._empty >= _UNTRUE:
            return
        left = allowance.calls - (self.running - 1)  # what is on its way may not be counted yet
        seconds = min(allowance.seconds, _LONGEST_WAIT)
        spare = left >= _FREE_SHARE * allowance.limit and allowance.limit
        if left >= 1 and (spare or seconds > _LONGEST_SPREAD):
            return
        self._spacing = seconds / max(left, 1.0)
        self._spread_until = now + timedelta(seconds=seconds)
        if left < 1:
            self._spread_from = now

    def _spread_delay(self, now: datetime) -> float:
        if self._spread_until is None or self._spread_from is None or now >= self._spread_until:
            return 0.0
        even_at = self._spread_from + timedelta(seconds=self._spacing)
        return (even_at - now).total_seconds() if self._spread_from <= now < even_at else 0.0

    def refuse(self, begun: datetime, now: datetime) -> None:
        """A call was refused that began at ``begun``: those that were on their way when another
        one was, and those that ask whether a pause is over, lower the rate no further."""
        if self._refused_at is None or begun >= self._refused_at:
            shortest = _FIRST_BREATH if self._reached is None else _BREATH
            self._breath = min(max(2 * self._breath, shortest), _LONGEST_BREATH)
            if self.rate is None and self.running <= 1:
                self._breath = 0.0
                if self._refused_at and now - self._refused_at < timedelta(seconds=_PERIOD):
                    self._set_first(now, _FIRST_ALONE)
            elif self.rate is None:
                self._set_first(now, _SLOWEST)
            elif self.answered:
                self._lower(now, self.rate)
            self._next_at = now + timedelta(seconds=self._breath)
        self._refused += 1
        self._refused_at = now

    def _set_back(self, now: datetime) -> None:
        """Take what has happened in a future of a clock that was wrong as having happened now."""
        self.began = min(self.began, now)
        if self._refused_at:
            self._refused_at = min(self._refused_at, now)

    def _window(self, now: datetime) -> float:
        """How many calls may run at once while there is no rate."""
        doublings = max(0.0, (now - self.began).total_seconds()) / _DOUBLING_SECONDS
        return min(_WIDEST_WINDOW, _FIRST_WINDOW * float(2.0 ** min(doublings, 10.0)))

    def _limits(self, now: datetime, rate: float) -> bool:
        """Whether somebody has waited for the pace just now."""
        slack = timedelta(seconds=1 + 2 / rate)
        return self._limited_at is not None and now - self._limited_at <= slack

    def _step(self) -> float:
        """What an answer adds to the rate."""
        if self._reached is None:
            return self._growth
        calls = _CALLS_A_REFUSAL * min(max(1, self._refused), _MOST_COUNTED)
        if self.answered <= 2 * calls:
            return (1 - _DECREASE) * self._reached / calls
        return _GROWTH  # beyond what was reached before, the quota has changed

    def _set_first(self, now: datetime, lowest: float) -> None:
        seconds = max((now - self.began).total_seconds(), _PERIOD)
        self.rate = max(_DECREASE * self.answered / seconds, lowest)
        self._answered_at_first = self.answered
        self.began, self.answered, self._refused = now, 0, 0

    def _lower(self, now: datetime, reached: float) -> None:
        if self._reached is not None and self.answered >= _TELLING:
            seconds = max((now - self.began).total_seconds(), _SHORTEST_SECONDS)
            reached = min(reached, self.answered / seconds / _DECREASE)
        doubled = self._reached is None and self._growth == _GROWTH
        decrease = _FIRST_DECREASE if doubled else _DECREASE
        self.rate = max(decrease * reached, _SLOWEST)
        self._reached = reached
        self.began, self.answered, self._refused = now, 0, 0

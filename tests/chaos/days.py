"""Hours and days of the platform in a time of their own: outages, quotas, limits, and a clock.

Deliveries come as Pub/Sub pushes them: again after 10 to 600 seconds until they are acknowledged,
for a week, a hundred times at most. ``keep`` runs when the scheduler says. Nobody runs a command.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from functions.core.document import CaptionRequest, KeepRequest, Record, Stored
from functions.core.policy import Policy
from functions.core.report import Report
from functions.model.embeddings import Embeddings
from functions.usecases.keep import Keeping
from functions.usecases.reconcile import Reconciler
from functions.usecases.request_captions import RequestCaptions
from tests.chaos.faults import Fault, failing
from tests.chaos.places import Place
from tests.chaos.scenarios import Outcome
from tests.chaos.world import Delivery, World
from tests.support.pictures import jpeg

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_FIRST_PAUSE, _LONGEST_PAUSE = 10.0, 600.0
_MOST_DELIVERIES, _KEPT = 100, timedelta(days=7)


class TimedCaptions:
    """A place's store, by the world's clock."""

    def __init__(self, world: World) -> None:
        self._world, self._store = world, world.place.captions

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._store, name)

        def timed(*args: Any, **kwargs: Any) -> Any:
            return self._timed(call(*args, **kwargs))

        return timed

    def _timed(self, found: Any) -> Any:
        if isinstance(found, Stored | Record):
            return replace(found, read_at=self._world.now)
        if isinstance(found, list):
            return [self._timed(each) for each in found]
        if isinstance(found, dict):
            return {key: self._timed(each) for key, each in found.items()}
        return found


@dataclass
class Days:
    """A world and its calendar. ``model`` says how the model answers at a time; ``lost`` are
    events that never come."""

    place: Place
    model: Callable[[datetime], str] = lambda now: "good"
    limit: int = 0
    instances: int = 3
    killed_each: timedelta | None = None
    started_each: timedelta | None = None
    seed: int = 1
    _due: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    _order: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.world = World(self.place, self.limit, (timedelta(),) * self.instances)
        self.world.answer = lambda: self.model(self.world.now)
        self.world.call_seconds = 0.2
        self.world.witness.most_calls = 10**6
        self.names: list[str] = []
        self.runs = 0
        self._known = 0
        if self.killed_each:
            self._every(self.killed_each, self._kill)
        if self.started_each:
            self._every(self.started_each, self._restart)

    def upload(self, count: int, over: timedelta = HOUR, lost: int = 0) -> None:
        """So many images come, spread over a time; the events of ``lost`` of them never do."""
        for number in range(len(self.names), len(self.names) + count):
            name = f"{number:05}.jpg"
            self.names.append(name)
            gone = number < lost
            self.at(over * self.random.random(), lambda n=number, g=gone: self._put(n, g))

    def scheduler(self, *times: timedelta) -> None:
        """``keep`` runs after these times."""
        for each in times:
            self.at(each, self._keep)

    def at(self, after: timedelta, act: Callable[[], None]) -> None:
        """Let something happen so long after now."""
        self._order += 1
        heapq.heappush(self._due, (self.world.now + after, self._order, act))

    def run(self, until: timedelta) -> None:
        """Let the time pass."""
        end = self.world.started_at + until
        while self._due and self._due[0][0] <= end:
            when, _, act = heapq.heappop(self._due)
            self.world.now = max(self.world.now, when)
            act()

    def ends(self) -> Counter[str]:
        """Uploads by how they stand."""
        documents = (self.world.document(name) for name in self.names)
        return Counter(str(each.status) if each else "none" for each in documents)

    @property
    def calls(self) -> int:
        return sum(self.world.witness.calls.values())

    def outcome(self, name: str) -> Outcome:
        """The line of the table; whatever is not captioned is a violation."""
        ends = self.ends()
        broken = [
            f"{number} uploads ended as {status}"
            for status, number in ends.items()
            if status != "captioned"
        ]
        found = ", ".join(f"{number:,} {status}" for status, number in sorted(ends.items()))
        found += f"; {self.calls / max(1, ends['captioned']):.2f} calls a caption"
        found += f"; {self.runs} runs of keep"
        violations = [*self.world.witness.violations, *broken]
        return Outcome(name, self.world.figures["deliveries"], self.calls, found, violations)

    def _every(self, period: timedelta, act: Callable[[], None]) -> None:
        def again() -> None:
            act()
            if self._pending():
                self.at(period, again)

        self.at(period, again)

    def _pending(self) -> bool:
        return any(not each.acknowledged for each in self.world.deliveries) or not self._known

    def _put(self, number: int, lost: bool) -> None:
        name = self.names[number]
        upload = self.place.put(name, jpeg(number % 256, (16 + number // 256, 12)), {})
        upload = replace(upload, time=self.world.now)
        self.world.names[name] = None
        self.world.kinds[name, upload.generation] = "a"
        if not lost:
            self.world.deliveries.append(Delivery(upload, self.world.now))
        self._take_new()

    def _take_new(self) -> None:
        """Put new events on their way."""
        for delivery in self.world.deliveries[self._known :]:
            self.at(timedelta(), lambda each=delivery: self._deliver(each, 1))
        self._known = len(self.world.deliveries)

    def _deliver(self, delivery: Delivery, times: int) -> None:
        instance = self.random.choice(self.world.instances)
        self.world.deliver(delivery, instance)
        if delivery.acknowledged:
            return
        if times < _MOST_DELIVERIES and self.world.now < delivery.sent_at + _KEPT:
            pause = min(_FIRST_PAUSE * 2 ** (times - 1), _LONGEST_PAUSE)
            self.at(timedelta(seconds=pause), lambda: self._deliver(delivery, times + 1))

    def _keep(self) -> None:
        self.runs += 1
        captions: Any = TimedCaptions(self.world)
        images, rules = self.place.images, Policy.empty()
        reconciler = Reconciler(captions, images, rules, Embeddings(None), timedelta(0))
        ask = RequestCaptions(self._publish, _nobody)
        keeping = Keeping(
            captions,
            images,
            reconciler,
            ask,
            lambda: self.world.now,
            daily_limit=self.limit,
            buckets=[self.place.bucket],
        )
        keeping.keep(KeepRequest(), Report())
        self._take_new()

    def _publish(self, images: Iterable[tuple[str, str]]) -> None:
        for bucket, name in images:
            self.world.witness.wishes[name] += 1
            about = CaptionRequest(bucket, name, self.world.now)
            self.world.deliveries.append(Delivery(about, self.world.now))

    def _kill(self) -> None:
        """One instance dies at its next delivery, wherever that is."""
        instance = self.random.choice(self.world.instances)
        fault = Fault(self.random.randrange(8), self.random.random() < 0.5, failing("die"))
        instance.faults.arm(fault)

    def _restart(self) -> None:
        """An instance is taken away without a word, and another one started."""
        self.world.restart(self.random.choice(self.world.instances))


def _nobody() -> Any:
    raise AssertionError("there is a topic")


def hourly(days: float) -> list[timedelta]:
    """A scheduler that runs once an hour."""
    return [HOUR * number for number in range(1, int(days * 24))]


def away(kind: str, hours: float) -> Callable[[datetime], str]:
    """A model that fails for the first hours of the world."""
    from tests.chaos.world import STARTS_AT

    return lambda now: kind if now < STARTS_AT + HOUR * hours else "good"


def outage(place: Place, uploads: int, kind: str = "overloaded") -> Outcome:
    """Six hours in which the model answers nobody; what comes after and before them."""
    days = Days(place, away(kind, 6))
    days.upload(uploads, over=7 * HOUR)
    days.scheduler(*hourly(1))
    days.run(DAY)
    return days.outcome(f"6 hours of {'503' if kind == 'overloaded' else '429'}")


def out_of_quota(place: Place, uploads: int) -> Outcome:
    """Six hours in which every call is refused for its quota."""
    return outage(place, uploads, "quota")


def a_minute(calls: int) -> Callable[[datetime], str]:
    """A model that answers so many calls in each minute."""
    used: Counter[datetime] = Counter()

    def model(now: datetime) -> str:
        minute = now.replace(second=0, microsecond=0)
        used[minute] += 1
        return "good" if used[minute] <= calls else "quota"

    return model


def quota_of_a_tenth(place: Place, uploads: int) -> Outcome:
    """Ten times as many uploads in a minute as the quota has calls for."""
    days = Days(place, a_minute(max(1, uploads // 10)))
    days.upload(uploads, over=MINUTE)
    days.scheduler(*hourly(1))
    days.run(DAY)
    return days.outcome("10 times the quota uploaded at once")


def limit_spent(place: Place, uploads: int) -> Outcome:
    """Ten times the day's limit is uploaded: it takes ten days, and nobody is asked."""
    days = Days(place, limit=max(1, uploads // 5))
    days.upload(uploads)
    days.scheduler(*hourly(6))
    days.run(6 * DAY)
    return days.outcome("5 days' limit uploaded at once")


def killed_each_minute(place: Place, uploads: int) -> Outcome:
    """An instance dies each minute, amid whatever it does."""
    days = Days(place, killed_each=MINUTE)
    days.upload(uploads, over=6 * HOUR)
    days.scheduler(*hourly(1))
    days.run(DAY)
    return days.outcome("an instance killed each minute")


def five_hundred_starts(place: Place, uploads: int) -> Outcome:
    """500 instances start in a day and end without a word; the limit is what is needed and 2%."""
    days = Days(place, limit=uploads + uploads // 50 + 1, started_each=DAY / 2 / 500)
    days.upload(uploads, over=11 * HOUR)
    days.run(11.9 * HOUR)
    return days.outcome("500 starts a day, limit 102%")


def scheduler_late_double_missing(place: Place, uploads: int) -> Outcome:
    """Of two days' limit, and lost events, while the scheduler is late, comes twice, fails."""
    days = Days(place, limit=max(1, uploads // 2))
    days.upload(uploads, lost=max(1, uploads // 10))
    days.scheduler(2 * HOUR, 2 * HOUR, 13 * HOUR, 13 * HOUR, 40 * HOUR, 40 * HOUR, 66 * HOUR)
    days.run(3 * DAY)
    return days.outcome("scheduler late, double and missing; lost events")


def dead_letters(place: Place, uploads: int) -> Outcome:
    """An outage that outlives a hundred deliveries of each event: 17 hours."""
    days = Days(place, away("overloaded", 24))
    days.upload(uploads)
    days.scheduler(*hourly(2))
    days.run(2 * DAY)
    return days.outcome("an outage of 24 hours, dead letters")


SCENARIOS: tuple[Callable[[Place, int], Outcome], ...] = (
    outage,
    out_of_quota,
    quota_of_a_tenth,
    limit_spent,
    killed_each_minute,
    five_hundred_starts,
    scheduler_late_double_missing,
    dead_letters,
)

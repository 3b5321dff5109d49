"""The bulk of :mod:`tools.simulate_quota` in a time of its own: 10,000 uploads in seconds.

The pace and what an instance knows of its model are the product's own; the bucket, the stores
and the platform are left out of it but for the order in which deliveries come.

``python -m tools.simulated_quota --instances 10 --quota bucket`` takes a part of the table.
"""

from __future__ import annotations

import argparse
import heapq
import random
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from rich.console import Console
from rich.table import Table

from functions.core.errors import Away, Outage, TransientError
from functions.model.health import LONG_PATIENCE, ModelHealth, Turn

INSTANCES = (1, 3, 10, 30)
_FIRST_PAUSE, _LONGEST_PAUSE = 10.0, 600.0
# What an instance's answer takes, what its refusal takes, and claim and download before either.
_LATENCY, _REFUSAL, _PREPARED = 2.0, 0.1, 0.3
_INTO = 23.0
_BEGIN = datetime(2026, 11, 23, tzinfo=UTC)
_COLUMNS = (
    "captioned",
    "calls",
    "refused",
    "calls per captioned image",
    "deliveries",
    "minutes",
    "95% after",
)


class Quota(Protocol):
    """Grants calls at a cost; ``after`` is when one may be granted again, in seconds."""

    def grant(self, at: float, cost: float) -> bool: ...
    def after(self, at: float) -> float: ...


class MinuteQuota:
    """So much in each minute, which is not that of the clock."""

    def __init__(self, per_minute: float) -> None:
        self._most, self._minute, self._used = per_minute, -1, 0.0

    def grant(self, at: float, cost: float) -> bool:
        minute = int((at + _INTO) // 60)
        if minute != self._minute:
            self._minute, self._used = minute, 0.0
        if self._used + cost > self._most:
            return False
        self._used += cost
        return True

    def after(self, at: float) -> float:
        return 60 - (at + _INTO) % 60


class SlidingQuota:
    """So much in any sixty seconds."""

    def __init__(self, per_minute: float) -> None:
        self._most, self._used = per_minute, 0.0
        self._granted: deque[tuple[float, float]] = deque()

    def grant(self, at: float, cost: float) -> bool:
        while self._granted and self._granted[0][0] <= at - 60:
            self._used -= self._granted.popleft()[1]
        if self._used + cost > self._most:
            return False
        self._used += cost
        self._granted.append((at, cost))
        return True

    def after(self, at: float) -> float:
        return self._granted[0][0] + 60 - at if self._granted else 0.0


class BucketQuota:
    """A token bucket that fills evenly, and holds what flows into it in ten seconds."""

    def __init__(self, per_minute: float) -> None:
        self._rate, self._most = per_minute / 60, per_minute / 6
        self._left, self._at = self._most, 0.0

    def grant(self, at: float, cost: float) -> bool:
        self._left = min(self._most, self._left + (at - self._at) * self._rate)
        self._at = at
        if self._left < cost:
            return False
        self._left -= cost
        return True

    def after(self, at: float) -> float:
        return max(0.0, 1 - self._left) / self._rate


QUOTAS: dict[str, Callable[[float], Quota]] = {
    "minute": MinuteQuota,
    "sliding": SlidingQuota,
    "bucket": BucketQuota,
}


@dataclass
class Provider:
    """Answers what its quota grants, and refuses the rest, with or without a delay."""

    quota: Quota
    tells: bool
    refused: int = 0
    answered: int = 0

    def ask(self, at: float, cost: float = 1.0) -> TransientError | None:
        """A call that comes in at a moment; its refusal."""
        if self.quota.grant(at, cost):
            self.answered += 1
            return None
        self.refused += 1
        after = self.quota.after(at) if self.tells else None
        return TransientError("429", after, Outage.OVER_QUOTA)


@dataclass
class Simulation:
    """Events in the order of their time."""

    now: float = 0.0
    _queue: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _number: int = 0

    def at(self, time: float, act: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._queue, (time, self._number, act))

    def run(self) -> None:
        while self._queue:
            self.now, _, act = heapq.heappop(self._queue)
            act()

    def clock(self) -> datetime:
        return _BEGIN + timedelta(seconds=self.now)


@dataclass(eq=False)
class Delivery:
    """An upload that an instance works on, for the so manieth time."""

    image: int
    times: int
    until: float = 0.0


class Instance:
    """Serves so many deliveries at once; those that wait for their turn stand in line."""

    def __init__(self, bulk: Bulk, name: str) -> None:
        self._bulk, self._simulation = bulk, bulk.simulation
        self._health = ModelHealth(name, bulk.simulation.clock)
        self._line: deque[Delivery] = deque()
        self._woken_at = float("inf")
        self.busy = 0

    def deliver(self, delivery: Delivery) -> None:
        self.busy += 1
        delivery.until = self._simulation.now + LONG_PATIENCE
        self._line.append(delivery)
        self._serve()

    def _serve(self) -> None:
        """Let those begin who may, and those go back who would wait in vain."""
        now = self._simulation.now
        while self._line:
            first = self._line[0]
            try:
                found = self._health.turn_or_wait(first.until - now)
            except Away:
                self._back(self._line.popleft())
                continue
            if not isinstance(found, Turn):
                self._wake(now + min(found, first.until - now))
                return
            self._begin(self._line.popleft(), found)

    def _wake(self, time: float) -> None:
        if not self._simulation.now < self._woken_at <= time:
            self._woken_at = time
            self._simulation.at(time, self._serve)

    def _begin(self, delivery: Delivery, turn: Turn) -> None:
        spread = self._bulk.random.uniform(0.7, 1.3)
        self._simulation.at(
            self._simulation.now + _PREPARED * spread, lambda: self._ask(delivery, turn)
        )

    def _ask(self, delivery: Delivery, turn: Turn) -> None:
        try:
            self._health.confirm(turn)
        except Away:
            self._health.end(turn)
            return self._back(delivery)
        refusal = self._bulk.provider.ask(self._simulation.now, self._bulk.cost())
        takes = (_REFUSAL if refusal else _LATENCY) * self._bulk.random.uniform(0.7, 1.3)
        self._simulation.at(
            self._simulation.now + takes, lambda: self._end(delivery, turn, refusal)
        )

    def _end(self, delivery: Delivery, turn: Turn, refusal: TransientError | None) -> None:
        if refusal:
            self._health.failed(turn, str(delivery.image), refusal)
        else:
            self._health.answered(turn, str(delivery.image))
            self._bulk.captioned()
        self._health.end(turn)
        if refusal:
            self._back(delivery)
        else:
            self._free()
        self._serve()

    def _back(self, delivery: Delivery) -> None:
        self._bulk.again(delivery)
        self._free()

    def _free(self) -> None:
        self.busy -= 1
        self._bulk.next_held()


class Bulk:
    """Uploads that arrive at once, and instances that serve them."""

    def __init__(
        self,
        provider: Provider,
        images: int,
        instances: int,
        concurrency: int,
        *,
        of_tokens: bool = False,
        seed: int = 1,
    ) -> None:
        self.simulation, self.provider, self._of_tokens = Simulation(), provider, of_tokens
        self.concurrency, self.random = concurrency, random.Random(seed)
        self._instances = [Instance(self, f"model {number}") for number in range(instances)]
        self.left = self.images = images
        self.deliveries = 0
        self._held: deque[Delivery] = deque()
        self.ends: list[float] = []
        for image in range(images):
            self._deliver_at(self.random.uniform(0, 30), Delivery(image, 1))

    def run(self) -> None:
        self.simulation.run()

    def cost(self) -> float:
        """What a call takes of the quota: tokens differ from one to the next."""
        return self.random.uniform(0.4, 1.6) if self._of_tokens else 1.0

    def captioned(self) -> None:
        self.left -= 1
        self.ends.append(self.simulation.now)

    def again(self, delivery: Delivery) -> None:
        """The platform's backoff of a delivery that was not acknowledged."""
        pause = min(_FIRST_PAUSE * 2 ** (delivery.times - 1), _LONGEST_PAUSE)
        time = self.simulation.now + pause * self.random.uniform(0.8, 1.2)
        self._deliver_at(time, Delivery(delivery.image, delivery.times + 1))

    def next_held(self) -> None:
        if self._held:
            self._deliver_at(self.simulation.now, self._held.popleft())

    def _deliver_at(self, time: float, delivery: Delivery) -> None:
        self.simulation.at(time, lambda: self._deliver(delivery))

    def _deliver(self, delivery: Delivery) -> None:
        free = [each for each in self._instances if each.busy < self.concurrency]
        if not free:  # the platform sends no more than are taken
            self._held.append(delivery)
            return
        self.deliveries += 1
        self.random.choice(free).deliver(delivery)

    def figures(self) -> dict[str, Any]:
        calls = self.provider.answered + self.provider.refused
        done = sorted(self.ends)
        return {
            "uploads": self.images,
            "captioned": self.images - self.left,
            "calls": calls,
            "refused": f"{self.provider.refused} ({self.provider.refused / calls:.1%})",
            "calls per captioned image": round(calls / (self.images - self.left), 3),
            "deliveries": self.deliveries,
            "minutes": round(done[-1] / 60, 1),
            "95% after": round(done[int(0.95 * len(done))] / 60, 1),
        }


def simulated(
    kind: str,
    instances: int,
    tells: bool,
    images: int = 10_000,
    per_minute: int = 300,
    *,
    concurrency: int = 40,
    of_tokens: bool = False,
    seed: int = 1,
) -> Bulk:
    """A bulk beyond a quota, to its end."""
    provider = Provider(QUOTAS[kind](per_minute), tells)
    bulk = Bulk(provider, images, instances, concurrency, of_tokens=of_tokens, seed=seed)
    bulk.run()
    return bulk


def main() -> None:
    """Print the figures of a bulk of uploads at 300 calls a minute."""
    parser = argparse.ArgumentParser(prog="python -m tools.simulated_quota", description=__doc__)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--instances", type=int, nargs="*", default=INSTANCES)
    parser.add_argument("--quota", choices=QUOTAS, nargs="*", default=[*QUOTAS])
    parser.add_argument("--tokens", action="store_true", help="the quota is one of tokens")
    options = parser.parse_args()
    table = Table("quota", "instances", "refusals name a delay", *_COLUMNS)
    for kind in options.quota:
        for instances in options.instances:
            for tells in (True, False):
                bulk = simulated(kind, instances, tells, options.images, of_tokens=options.tokens)
                row = (str(bulk.figures()[each]) for each in _COLUMNS)
                table.add_row(kind, str(instances), "yes" if tells else "no", *row)
    Console(width=None if sys.stdout.isatty() else 150).print(table)


if __name__ == "__main__":
    main()

"""The bulk of :mod:`tools.simulate_quota` in a time of its own: 10,000 uploads in seconds.

The pace and what an instance knows of its model are the product's own; the bucket, the stores
and the platform are left out of it but for the order in which deliveries come.
"""

from __future__ import annotations

import heapq
import random
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console
from rich.table import Table

from functions.core.errors import Away, Outage, TransientError
from functions.model.health import PATIENCE, ModelHealth, Turn

_FIRST_PAUSE, _LONGEST_PAUSE = 10.0, 600.0
_BEGIN = datetime(2026, 11, 23, tzinfo=UTC)
# How often a delivery that waits in an instance looks whether it is its turn.
_LOOK = 0.5
_COLUMNS = (
    "captioned",
    "calls",
    "refused",
    "calls per captioned image",
    "deliveries",
    "minutes",
    "least possible",
)


@dataclass
class Provider:
    """So many calls in each minute; the rest is refused, after ``refusal`` seconds."""

    per_minute: int
    latency: float
    refusal: float
    tells: bool
    window: int = -1
    used: int = 0
    refused: int = 0
    answered: int = 0

    def ask(self, at: float) -> TransientError | None:
        """A call that comes in at a moment; its refusal."""
        if int(at // 60) != self.window:
            self.window, self.used = int(at // 60), 0
        if self.used >= self.per_minute:
            self.refused += 1
            after = 60 - at % 60 if self.tells else None
            return TransientError("429", after, Outage.OVER_QUOTA)
        self.used += 1
        self.answered += 1
        return None


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


class Bulk:
    """Uploads that arrive at once, and instances that serve them."""

    def __init__(
        self, provider: Provider, images: int, instances: int, concurrency: int, seed: int = 1
    ) -> None:
        self.simulation, self.provider = Simulation(), provider
        self.healths = [
            ModelHealth(f"model {number}", self.simulation.clock) for number in range(instances)
        ]
        self.busy = [0] * instances
        self.concurrency, self.random = concurrency, random.Random(seed)
        self.left = self.images = images
        self.deliveries = 0
        self.held: deque[tuple[int, int]] = deque()
        self.done_at = 0.0
        for image in range(images):
            self._deliver_at(self.random.uniform(0, 30), image, 1)

    def run(self) -> None:
        self.simulation.run()

    def _deliver_at(self, time: float, image: int, times: int) -> None:
        self.simulation.at(time, lambda: self._deliver(image, times))

    def _deliver(self, image: int, times: int) -> None:
        free = [n for n, busy in enumerate(self.busy) if busy < self.concurrency]
        if not free:  # the platform holds it until one is
            self.held.append((image, times))
            return
        instance = self.random.choice(free)
        self.busy[instance] += 1
        self.deliveries += 1
        self._look(instance, image, times, self.simulation.now + PATIENCE)

    def _look(self, instance: int, image: int, times: int, until: float) -> None:
        health, now = self.healths[instance], self.simulation.now
        try:
            turn = health.turn()
        except Away:
            if health.closed_for() or now >= until:
                return self._again(instance, image, times)
            self.simulation.at(now + _LOOK, lambda: self._look(instance, image, times, until))
            return
        # Claim and download come before the call.
        self.simulation.at(now + 0.3, lambda: self._ask(instance, turn, image, times))

    def _ask(self, instance: int, turn: Turn, image: int, times: int) -> None:
        refusal = self.provider.ask(self.simulation.now)
        spread = self.random.uniform(0.7, 1.3)
        takes = (self.provider.refusal if refusal else self.provider.latency) * spread
        self.simulation.at(
            self.simulation.now + takes,
            lambda: self._end(instance, turn, image, times, refusal),
        )

    def _end(
        self, instance: int, turn: Turn, image: int, times: int, refusal: TransientError | None
    ) -> None:
        health = self.healths[instance]
        if refusal:
            health.failed(turn, str(image), refusal)
        else:
            health.answered(str(image))
        health.end(turn)
        if refusal:
            return self._again(instance, image, times)
        self.left -= 1
        self.done_at = self.simulation.now
        self._free(instance)

    def _again(self, instance: int, image: int, times: int) -> None:
        self._free(instance)
        pause = min(_FIRST_PAUSE * 2 ** (times - 1), _LONGEST_PAUSE)
        self._deliver_at(
            self.simulation.now + pause * self.random.uniform(0.8, 1.2), image, times + 1
        )

    def _free(self, instance: int) -> None:
        self.busy[instance] -= 1
        if self.held:
            image, times = self.held.popleft()
            self._deliver_at(self.simulation.now, image, times)

    def figures(self) -> dict[str, Any]:
        calls = self.provider.answered + self.provider.refused
        return {
            "uploads": self.images,
            "captioned": self.images - self.left,
            "calls": calls,
            "refused": f"{self.provider.refused} ({self.provider.refused / calls:.2%})",
            "calls per captioned image": round(calls / (self.images - self.left), 3),
            "deliveries": self.deliveries,
            "minutes": round(self.done_at / 60, 1),
            "least possible": round(self.images / self.provider.per_minute, 1),
        }


def main() -> None:
    """Print the figures of 10,000 uploads at 300 calls a minute."""
    table = Table("instances", "refusals name a delay", *_COLUMNS)
    for instances in (1, 4, 10):
        for tells in (True, False):
            bulk = Bulk(Provider(300, 2.0, 0.1, tells), 10_000, instances, 80)
            bulk.run()
            figures = bulk.figures()
            row = (str(figures[each]) for each in _COLUMNS)
            table.add_row(str(instances), "yes" if tells else "no", *row)
    Console(width=None if sys.stdout.isatty() else 150).print(table)


if __name__ == "__main__":
    main()

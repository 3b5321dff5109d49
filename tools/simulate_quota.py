"""A bulk upload beyond the provider's quota: real instances, and a stand-in that refuses.

``python -m tools.simulate_quota --images 10000 --per-minute 300`` takes 34 minutes;
``--minute 6`` makes every minute six seconds long, the platform's pauses too. Deliveries that
are not acknowledged come again as Pub/Sub pushes them: after 10 to 600 seconds. Nobody runs a
command.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import os
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.cloud import firestore
from rich.console import Console
from rich.table import Table

from tests.support import emulators
from tests.support.answers import Answer, gemini
from tests.support.model_server import Call, ModelServer, good
from tests.support.pictures import jpeg
from tests.support.serving import Served, serving
from tests.support.strict_storage import StrictStorage

BUCKET = "pictures"
_FIRST_PAUSE, _LONGEST_PAUSE = 10.0, 600.0
_THREADS = 16


class Quota:
    """Answers so many calls in each window, and refuses the rest, with or without a delay."""

    def __init__(self, calls: int, seconds: float, tells: bool) -> None:
        self._calls, self._seconds, self._tells = calls, seconds, tells
        self._window, self._used = -1, 0
        self._lock = threading.Lock()
        self.refused = self.answered = 0

    def answer(self, call: Call) -> Answer:
        with self._lock:
            now = time.monotonic()
            window = int(now / self._seconds)
            if window != self._window:
                self._window, self._used = window, 0
            if self._used >= self._calls:
                self.refused += 1
                left = f"{self._seconds - now % self._seconds:.1f}s" if self._tells else None
                return gemini.quota(left)
            self._used += 1
            self.answered += 1
        return good(call)


@dataclass(order=True)
class Delivery:
    """An event on its way: when it is due, and how often it has come."""

    due: float
    order: int
    event: dict[str, Any] = field(compare=False)
    times: int = field(default=0, compare=False)


class Platform:
    """Pub/Sub's push: so many outstanding at once, again after a backoff until acknowledged."""

    def __init__(self, instances: list[Served], events: list[dict[str, Any]], pace: float) -> None:
        self._instances, self._pace = itertools.cycle(instances), pace
        self._queue = [Delivery(0.0, number, event) for number, event in enumerate(events)]
        self._left = len(events)
        self._changed = threading.Condition()
        self.deliveries = 0
        self.most = 0

    def run(self, at_once: int, until: float) -> bool:
        """Deliver until all is acknowledged; False if that is not so in time."""
        with ThreadPoolExecutor(at_once) as pool:
            for _ in range(at_once):
                pool.submit(self._work, until)
        return not self._left

    def _work(self, until: float) -> None:
        while (delivery := self._next(until)) is not None:
            done = delivery.instance.deliver(delivery.event) == 200
            self._settle(delivery, done)

    def _next(self, until: float) -> Any:
        with self._changed:
            while self._left and time.monotonic() < until:
                now = time.monotonic()
                if self._queue and self._queue[0].due <= now:
                    delivery = heapq.heappop(self._queue)
                    self.deliveries += 1
                    delivery.times += 1
                    return _On(delivery, next(self._instances))
                self._changed.wait(min(1.0, self._queue[0].due - now) if self._queue else 1.0)
        return None

    def _settle(self, on: Any, done: bool) -> None:
        delivery = on.delivery
        with self._changed:
            self.most = max(self.most, delivery.times)
            if done:
                self._left -= 1
            else:
                pause = min(_FIRST_PAUSE * 2 ** (delivery.times - 1), _LONGEST_PAUSE) * self._pace
                delivery.due = time.monotonic() + pause
                heapq.heappush(self._queue, delivery)
            self._changed.notify()


@dataclass(frozen=True)
class _On:
    delivery: Delivery
    instance: Served

    @property
    def event(self) -> dict[str, Any]:
        return self.delivery.event


def simulate(options: argparse.Namespace) -> dict[str, Any]:
    """Run it; the figures."""
    pace = options.minute / 60

    def log(number: int) -> Path | None:
        return Path(options.log, f"{number}.log") if options.log else None

    quota = Quota(options.per_minute, options.minute, not options.silent)
    with ExitStack() as stack:
        emulator = stack.enter_context(emulators.firestore())
        os.environ["FIRESTORE_EMULATOR_HOST"] = emulator.host
        storage = stack.enter_context(StrictStorage())
        model = stack.enter_context(ModelServer(delay=options.latency, keep_images=True))
        model.always(quota.answer)
        storage.objects.create_bucket(BUCKET)
        collection = f"captions-{time.time_ns()}"
        environment = {
            "CAPTION_COLLECTION": collection,
            "CAPTION_DAILY_LIMIT": str(10 * options.images),
            "CAPTION_EMBEDDING_MODEL": "",
            "FIRESTORE_EMULATOR_HOST": emulator.host,
            "GEMINI_API_KEY": "test-key",
            "GOOGLE_CLOUD_PROJECT": emulators.PROJECT,
            "GOOGLE_GEMINI_BASE_URL": model.url,
            "STORAGE_EMULATOR_HOST": storage.url,
            "THREADS": str(_THREADS),
        }
        instances = [
            stack.enter_context(serving("caption_image", environment, log(number)))
            for number in range(options.instances)
        ]
        events = [_put(storage, number) for number in range(options.images)]
        started = time.monotonic()
        platform = Platform(instances, events, pace)
        until = started + 60 * options.most_minutes
        done = platform.run(_THREADS * options.instances, until)
        seconds = time.monotonic() - started
        database = firestore.Client(project=emulators.PROJECT)
        ends = Counter(
            str(each.get("status"))
            for each in database.collection(collection).select(["status"]).stream()
        )
        database.close()
    calls = quota.answered + quota.refused
    return {
        "uploads": options.images,
        **ends,
        "all acknowledged": done,
        "calls": calls,
        "refused": f"{quota.refused} ({quota.refused / max(1, calls):.2%})",
        "calls per captioned image": round(calls / max(1, ends["captioned"]), 3),
        "deliveries": platform.deliveries,
        "most deliveries of one": platform.most,
        "minutes of the provider": round(seconds / options.minute, 1),
        "least possible": round(options.images / options.per_minute, 1),
    }


def _put(storage: StrictStorage, number: int) -> dict[str, Any]:
    fields = {"contentType": "image/jpeg", "metadata": {}}
    data = jpeg(number % 256, (16 + number // 256, 12))
    with storage.objects.lock:
        put: dict[str, Any] = storage.objects.put(
            BUCKET, f"{number}.jpg", data, fields, {}
        ).resource()
    return put


def main() -> int:
    """Run what the arguments say, print the figures, and say whether all were captioned."""
    parser = argparse.ArgumentParser(prog="python -m tools.simulate_quota", description=__doc__)
    parser.add_argument("--images", type=int, default=600)
    parser.add_argument("--per-minute", type=int, default=60)
    parser.add_argument("--minute", type=float, default=6.0, help="seconds that a minute takes")
    parser.add_argument("--instances", type=int, default=3)
    parser.add_argument("--latency", type=float, default=0.5, help="seconds of a call")
    parser.add_argument("--silent", action="store_true", help="refusals name no delay")
    parser.add_argument("--log", default="", help="a folder for the instances' logs")
    parser.add_argument("--most-minutes", type=float, default=60.0, help="then it is given up")
    options = parser.parse_args()
    os.environ |= {"GRPC_VERBOSITY": "NONE", "GOOGLE_CLOUD_PROJECT": emulators.PROJECT}
    found = simulate(options)
    table = Table("what", "figure")
    for name, figure in found.items():
        table.add_row(name, f"{figure:,}" if isinstance(figure, int) else str(figure))
    Console(width=None if sys.stdout.isatty() else 100).print(table)
    return 0 if found.get("captioned") == options.images else 1


if __name__ == "__main__":
    sys.exit(main())

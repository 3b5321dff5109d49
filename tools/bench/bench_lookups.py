"""Prints how many lookups `alt_text` answers a second, and how fast, beside the plain handler.

``python -m tools.bench.bench_lookups``; needs Google's Firestore emulator. Each side is one
functions-framework process with eighty threads, as it is deployed, asked over connections that
stay open; every document carries an embedding, as captions do. In each round all kinds of
questions take their turn, of both sides.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import itertools
import json
import os
import random
import statistics
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from google.cloud import firestore
from rich.console import Console
from rich.table import Table

from functions.adapters.firestore import _record
from functions.core.document import Document
from tests.support import emulators
from tools.bench import figures
from tools.bench.figures import Row
from tools.bench.serving import BUCKET, Failed, Parts, Served, Target

ROOT = Path(__file__).resolve().parents[2]
OURS = Target("alt_text", str(ROOT / "main.py"), "alt_text")
PLAIN = Target("plain", str(ROOT / "tools/bench/sample_lookup.py"), "plain_lookup")
HEADS = (
    *("images a second", "× plain", "median, ms", "95th percentile"),
    *("processor time of a request, ms", "× plain, by image"),
)
THREADS, FEW, MANY, ROUNDS = 80, 8, 80, 3
SINGLES, BATCHES, BATCH = 400, 8, 100
GZIP = {"Accept-Encoding": "gzip"}


@dataclass(frozen=True)
class Question:
    """One request, and what its answer has in it."""

    path: str
    body: bytes = b""
    wanted: bytes = b'"alt"'
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Kind:
    """Questions of one kind, to one side, and what was measured: seconds of each, and of all, and
    of the server's processor."""

    what: str
    served: Served
    ask: Callable[[], Sequence[Question]]
    connections: int = FEW
    images: int = 1
    plain: Kind | None = None
    each: list[float] = field(default_factory=list)
    all: float = 0.0
    processor: float = 0.0

    def measure(self) -> None:
        """Ask one round's questions."""
        questions, before = self.ask(), self.served.processor_seconds()
        seconds, all_ = asked(self.served, questions, self.connections)
        self.each += seconds
        self.all += all_
        self.processor += self.served.processor_seconds() - before

    @property
    def rate(self) -> float:
        """Images a second."""
        return len(self.each) * self.images / self.all

    @property
    def cost(self) -> float:
        """Milliseconds of processor time of a request."""
        return self.processor / len(self.each) * 1000

    def row(self) -> Row:
        """The figures, and how many times better than the plain handler's kind they are."""
        cuts = statistics.quantiles(self.each, n=100, method="inclusive")
        times = (f"{cuts[at] * 1000:.1f}" for at in (49, 94))
        faster = self.rate / self.plain.rate if self.plain else 1
        cheaper = self.plain.cost * self.images / self.cost if self.plain else 1
        cost = f"{self.cost:.2f}"
        return Row(
            self.what, (f"{self.rate:,.0f}", f"{faster:.1f}", *times, cost, f"{cheaper:.1f}")
        )


def single(number: int) -> Question:
    return Question(f"/?src={quote(f'gs://{BUCKET}/{number}.jpg', safe='')}")


def absent(number: int) -> Question:
    return Question(f"/?src={quote(f'gs://{BUCKET}/gone/{number}.jpg', safe='')}", b"", b"", 404)


def batch(first: int, headers: Mapping[str, str] | None = None) -> Question:
    src = [f"gs://{BUCKET}/{number}.jpg" for number in range(first, first + BATCH)]
    wanted = f'"Picture {first + 99}"'.encode()
    return Question("/", json.dumps({"src": src}).encode(), wanted, 200, headers or {})


def seed(count: int) -> None:
    """Store documents 0 to ``count``, each of the size that a caption has."""
    client, now, chance = firestore.Client(), datetime.now(UTC), random.Random(1)
    captions = client.collection("captions")
    for begin in range(0, count, 400):
        writes = client.batch()
        for number in range(begin, min(count, begin + 400)):
            document = Document(
                bucket=BUCKET,
                name=f"{number}.jpg",
                generation=1,
                status="captioned",
                created_at=now,
                updated_at=now,
                content_type="image/jpeg",
                width=4000,
                height=3000,
                alt_text=f"Picture {number}",
                caption="A blue ceramic mug stands beside a steaming kettle on a wooden counter.",
                language="en",
                translations={"fr": {"alt_text": "Tasse bleue", "caption": "Une tasse bleue."}},
                source="model",
                embedding=tuple(chance.uniform(-0.05, 0.05) for _ in range(768)),
            )
            writes.set(captions.document(document.id), _record(document))
        writes.commit()
    client.close()


def asked(
    served: Served, questions: Sequence[Question], connections: int
) -> tuple[list[float], float]:
    """Ask all of them over so many connections, each as soon as the one before is answered: the
    seconds that each took, and all together."""
    left, lock = iter(questions), threading.Lock()

    def work() -> list[float]:
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
        seconds = []
        while True:
            with lock:
                question = next(left, None)
            if question is None:
                connection.close()
                return seconds
            begun = time.perf_counter()
            kind = {"Content-Type": "application/json"} if question.body else {}
            method = "POST" if question.body else "GET"
            headers = kind | {**question.headers}
            connection.request(method, question.path, question.body or None, headers)
            answer = connection.getresponse()
            said = answer.read()
            seconds.append(time.perf_counter() - begun)
            if answer.getheader("Content-Encoding") == "gzip":
                said = gzip.decompress(said)
            if answer.status != question.status or question.wanted not in said:
                raise Failed(f"{served.target.label} answered {answer.status}: {said[:200]!r}")

    begun = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        futures = [pool.submit(work) for _ in range(connections)]
        each = [seconds for future in futures for seconds in future.result()]
    return each, time.perf_counter() - begun


def kinds(ours: Served, plain: Served) -> list[Kind]:
    """What is asked, of whom, in the order of a round: what is remembered after it was read."""
    numbers, last = itertools.count(1), dict[str, Sequence[Question]]()

    def fresh(name: str, make: Callable[[int], Question], count: int, step: int = 1) -> Any:
        def made() -> Sequence[Question]:
            last[name] = [make(next(numbers)) for _ in range(count * step)][::step]
            return last[name]

        return made

    def again(name: str, times: int = 2) -> Any:
        return lambda: [*last[name]] * times

    def compressed() -> Sequence[Question]:
        return [replace(each, headers=GZIP) for each in [*last["page"]] * 10]

    read = Kind("the plain handler: one image, read", plain, fresh("plain", single, SINGLES))
    gone = Kind("the same, not there", plain, fresh("", absent, SINGLES))
    crowd = Kind("the same, 80 at once", plain, fresh("", single, SINGLES), MANY)
    one, many = "`alt_text`: one image", "100 images"
    return [
        read,
        Kind(f"{one}, read", ours, fresh("one", single, SINGLES), plain=read),
        Kind("one image, remembered", ours, again("one"), plain=read),
        gone,
        Kind("one that is not there, read", ours, fresh("gone", absent, SINGLES), plain=gone),
        Kind("one that is not there, remembered", ours, again("gone"), plain=gone),
        crowd,
        Kind("80 at once, read", ours, fresh("crowd", single, SINGLES), MANY, plain=crowd),
        Kind("80 at once, remembered", ours, again("crowd"), MANY, plain=crowd),
        Kind(f"{many}, read", ours, fresh("page", batch, BATCHES, BATCH), FEW, BATCH, read),
        Kind(f"{many}, remembered", ours, again("page", 10), FEW, BATCH, read),
        Kind(f"{many}, remembered and compressed", ours, compressed, FEW, BATCH, read),
    ]


def main() -> int:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.bench_lookups")
    parser.add_argument("--record", action="store_true", help="write docs/benchmarks.md")
    options = parser.parse_args()
    console, rows = Console(), list[Row]()
    table = Table("", *HEADS, title="Lookups, eight at once where nothing else is said")
    try:
        with emulators.firestore() as emulator:
            servers = Parts(emulator, "http://127.0.0.1:9", "http://127.0.0.1:9")
            os.environ |= servers.environment
            seed(1 + ROUNDS * (6 * SINGLES + BATCHES * BATCH))
            with (
                Served(OURS, servers, THREADS) as ours,
                Served(PLAIN, servers, THREADS) as plain,
            ):
                for served in (ours, plain):  # the first request opens the store
                    asked(served, [single(0)] * FEW, FEW)
                every = kinds(ours, plain)
                for _ in range(ROUNDS):
                    for kind in every:
                        kind.measure()
                rows += [kind.row() for kind in every]
        for row in rows:
            table.add_row(row.what, *row.cells)
    except (Failed, emulators.Missing) as problem:
        console.print(f"[red]{problem}[/]")
        return 1
    console.print(table)
    if options.record:
        figures.record("lookups", HEADS, rows)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Prints how many lookups `alt_text` answers a second, and how fast, beside the plain handler.

``python -m tools.bench.bench_lookups``; needs Google's Firestore emulator. Each side is one
functions-framework process with eight threads, asked over eight connections that stay open; every
document carries an embedding, as captions do. Rounds of both sides alternate.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
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
HEADS = ("images a second", "median, ms", "95th percentile", "99th")
CONNECTIONS, ROUNDS = 8, 2
SINGLES, BATCHES, BATCH = 500, 8, 100


@dataclass
class Taken:
    """What was measured of one kind of request: seconds of each, and of all."""

    each: list[float] = field(default_factory=list)
    all: float = 0.0

    def row(self, images: int = 1) -> tuple[str, ...]:
        """Images a second, and milliseconds a request: median, 95th and 99th percentile."""
        cuts = statistics.quantiles(self.each, n=100, method="inclusive")
        rate = len(self.each) * images / self.all
        return (f"{rate:,.0f}", *(f"{cuts[at] * 1000:.1f}" for at in (49, 94, 98)))


@dataclass(frozen=True)
class Question:
    """One request, and what its answer has in it."""

    path: str
    body: bytes = b""
    wanted: bytes = b'"alt"'


def single(number: int) -> Question:
    return Question(f"/?src={quote(f'gs://{BUCKET}/{number}.jpg', safe='')}")


def batch(first: int) -> Question:
    src = [f"gs://{BUCKET}/{number}.jpg" for number in range(first, first + BATCH)]
    return Question("/", json.dumps({"src": src}).encode(), f'"Picture {first + 99}"'.encode())


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


def ask(served: Served, questions: Sequence[Question], taken: Taken) -> None:
    """Ask all of them over the connections, each as soon as the one before is answered."""
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
            connection.request(method, question.path, question.body or None, kind)
            answer = connection.getresponse()
            said = answer.read()
            seconds.append(time.perf_counter() - begun)
            if answer.status != 200 or question.wanted not in said:
                raise Failed(f"{served.target.label} answered {answer.status}: {said[:200]!r}")

    begun = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for future in [pool.submit(work) for _ in range(CONNECTIONS)]:
            taken.each += future.result()
    taken.all += time.perf_counter() - begun


def measured(ours: Served, plain: Served) -> Iterator[Row]:
    """What was asked, of whom, and the figures."""
    kinds = ("read", "remembered", "batch read", "batch remembered")
    taken = {kind: Taken() for kind in kinds}
    sample = Taken()
    for served in (ours, plain):  # the first request opens the store
        ask(served, [single(0)] * CONNECTIONS, Taken())
    for each in range(ROUNDS):
        start = 1 + each * (SINGLES + BATCHES * BATCH)
        singles = [single(number) for number in range(start, start + SINGLES)]
        batches = [batch(start + SINGLES + BATCH * number) for number in range(BATCHES)]
        sides = [(ours, taken["read"]), (plain, sample)]
        for served, into in sides if each % 2 else reversed(sides):
            ask(served, singles, into)
        ask(ours, singles, taken["remembered"])
        ask(ours, batches, taken["batch read"])
        ask(ours, batches * 5, taken["batch remembered"])
    yield Row("the plain handler: one image, read", sample.row())
    yield Row("`alt_text`: one image, read", taken["read"].row())
    yield Row("one image, remembered", taken["remembered"].row())
    yield Row("100 images, read", taken["batch read"].row(BATCH))
    yield Row("100 images, remembered", taken["batch remembered"].row(BATCH))


def main() -> int:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.bench_lookups")
    parser.add_argument("--record", action="store_true", help="write docs/benchmarks.md")
    options = parser.parse_args()
    console, rows = Console(), list[Row]()
    table = Table("", *HEADS, title="Lookups, eight at once")
    try:
        with emulators.firestore() as emulator:
            servers = Parts(emulator, "http://127.0.0.1:9", "http://127.0.0.1:9")
            os.environ |= servers.environment
            seed(1 + ROUNDS * (SINGLES + BATCHES * BATCH))
            with (
                Served(OURS, servers, CONNECTIONS) as ours,
                Served(PLAIN, servers, CONNECTIONS) as plain,
            ):
                for row in measured(ours, plain):
                    rows.append(row)
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

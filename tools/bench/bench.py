"""Prints how fast and how big the function is, as it is shipped, beside the plain sample.

``python -m tools.bench.bench [--ours SOURCE:TARGET] [--only cold,warm,load] [--record]``; needs
what the tests need. All sides run in turns on the same machine: the function as it is shipped,
without embeddings, and the sample, which makes none.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import psutil
from rich.console import Console
from rich.table import Table

from tests.support import emulators
from tools.bench import figures
from tools.bench.figures import Row, spread
from tools.bench.serving import Failed, Parts, Served, Target, distinct, draw, parts

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = Target("sample", str(ROOT / "tools/bench/sample.py"), "plain_sample")
UPLOADS, AT_ONCE, MODEL_SECONDS, EMBEDDING_SECONDS = 160, 80, 2.0, 0.2
# Of JPEGs of 12 MP: 0.4 MB, as websites store them, and 2.5 MB, as cameras do.
QUALITIES = (10, 80)
IDEAL = UPLOADS / AT_ONCE * MODEL_SECONDS
HEADS = ("as shipped", "without embeddings", "plain sample", "shipped / sample", "goal")
_NAMES = (f"bench/{number:05}.jpg" for number in itertools.count())

T = TypeVar("T")
Say = Callable[[str], None]
Sides = Sequence[Target]
Values = Mapping[str, list[float]]


def sides(ours: Target) -> Sides:
    """The function as it is shipped, the same without embeddings, and the sample."""
    bare = Target("bare", ours.source, ours.name, {"CAPTION_EMBEDDING_MODEL": ""})
    return (Target("ours", ours.source, ours.name), bare, SAMPLE)


@dataclass
class Memory:
    """The memory of a process while it works, in bytes: resident, sampled and its peak."""

    process: psutil.Process
    sampled: int = 0
    peak: int = 0
    _end: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def watched(self) -> Iterator[None]:
        thread = threading.Thread(target=self._sample)
        thread.start()
        try:
            yield
        finally:
            self._end.set()
            thread.join()
            self.peak = max(self.sampled, self._high_water())

    def _sample(self) -> None:
        while not self._end.wait(0.02):
            self.sampled = max(self.sampled, self.process.memory_info().rss)

    def _high_water(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status")
        if not status.exists():
            return 0
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) * 1024


def cold_start(targets: Sides, runs: int, say: Say) -> Iterator[Row]:
    """From the start of the process to the first upload acknowledged."""
    photo = draw(1600, 1200)
    taken = _empty(targets)
    with parts() as servers:
        for run in range(runs + 1):
            for target in _in_turns(targets, run):
                resource = servers.upload(next(_NAMES), distinct(photo))
                with Served(target, servers) as served:
                    served.deliver(resource)
                    seconds = time.perf_counter() - served.started
                _captioned(servers, target, resource["name"])
                say(f"cold start {run}/{runs}: {target.label} {seconds:.2f} s")
                if run:  # the first one only fills the disk's cache
                    taken[target.label].append(seconds)
    what = "cold start, from the process to the first upload acknowledged, s"
    yield _row(what, taken, "{:.2f}", "≤ 0.85 ×")


def warm_event(targets: Sides, runs: int, say: Say) -> Iterator[Row]:
    """One event at a time, with a model that answers at once."""
    photo = draw(1600, 1200)
    taken, processor = _empty(targets), _empty(targets)
    say("warm events")
    with parts() as servers, ExitStack() as stack:
        serving = [stack.enter_context(Served(target, servers)) for target in targets]
        for run in range(-10, runs):
            if run % 100 == 0:  # the emulator looks through all documents for a query
                servers.firestore.reset()
            for served in _in_turns(serving, run):
                resource = servers.upload(next(_NAMES), distinct(photo))
                before = served.processor_seconds()
                seconds = served.deliver(resource)
                _captioned(servers, served.target, resource["name"])
                if run >= 0:
                    spent = served.processor_seconds() - before
                    taken[served.target.label].append(seconds * 1000)
                    processor[served.target.label].append(spent * 1000)
    yield _row("one warm event, a model that answers at once, ms", taken, "{:.1f}", "≤ 1.50 ×")
    means = {label: [statistics.fmean(each)] for label, each in processor.items()}
    yield _row("its processor time, mean, ms", means, "{:.1f}", "≤ 1.50 ×")


def many_uploads(targets: Sides, runs: int, say: Say) -> Iterator[Row]:
    """160 uploads of 12 MP, 80 at once, a model that takes two seconds."""
    for quality in QUALITIES:
        yield from _many_uploads(targets, runs, say, draw(4000, 3000, quality))


def _many_uploads(targets: Sides, runs: int, say: Say, photo: bytes) -> Iterator[Row]:
    seconds, memory, processor = _empty(targets), _empty(targets), _empty(targets)
    with parts(MODEL_SECONDS, EMBEDDING_SECONDS) as servers:
        for run in range(runs):
            for target in _in_turns(targets, run):
                taken, peak, spent = _load(target, servers, photo)
                say(f"{UPLOADS} uploads: {target.label} {taken:.2f} s, {peak / 1e6:.0f} MB")
                seconds[target.label].append(taken)
                memory[target.label].append(peak / 1e6)
                processor[target.label].append(spent / UPLOADS * 1000)
    size = f"{len(photo) / 1e6:.1f} MB"
    what = f"{UPLOADS} uploads of 12 MP in {size}, {AT_ONCE} at once, a model that takes"
    yield _row(f"{what} {MODEL_SECONDS:.0f} s, s", seconds, "{:.2f}")
    shares = {label: [IDEAL / each for each in values] for label, values in seconds.items()}
    yield _row(f"{size}: share of the ideal {IDEAL:.0f} s", shares, "{:.2f}", "≥ 0.70")
    yield _row(f"{size}: processor time of each, ms", processor, "{:.1f}", "≤ 1.50 ×")
    yield _row(f"{size}: peak memory of the worker, MB", memory, "{:.0f}", "< 400")


def _load(target: Target, servers: Parts, photo: bytes) -> tuple[float, int, float]:
    servers.firestore.reset()
    uploads = [servers.upload(next(_NAMES), distinct(photo)) for _ in range(UPLOADS)]
    with Served(target, servers, threads=AT_ONCE) as served:
        warm = servers.upload(next(_NAMES), distinct(draw(640, 480)))
        served.deliver(warm)
        memory, before = Memory(served.worker()), served.processor_seconds()
        with ThreadPoolExecutor(AT_ONCE) as pool, memory.watched():
            begun = time.perf_counter()
            list(pool.map(served.deliver, uploads))
            taken = time.perf_counter() - begun
        spent = served.processor_seconds() - before
    for resource in uploads:
        _captioned(servers, target, resource["name"])
        servers.remove(resource["name"])
    return taken, memory.peak, spent


def _captioned(servers: Parts, target: Target, name: str) -> None:
    """A figure counts only if the work was done."""
    if not servers.label(name):
        raise Failed(f"{target.label} acknowledged {name} without alt text in its metadata")


def _empty(targets: Sides) -> dict[str, list[float]]:
    return {target.label: [] for target in targets}


def _in_turns(sides: Sequence[T], run: int) -> Sequence[T]:
    """All sides, each of them first in its turn."""
    first = run % len(sides)
    return (*sides[first:], *sides[:first])


def _row(what: str, values: Values, form: str, goal: str = "") -> Row:
    ratio = statistics.median(values["ours"]) / statistics.median(values["sample"])
    cells = (spread(values[label], form) for label in ("ours", "bare", "sample"))
    return Row(what, (*cells, f"{ratio:.2f} ×", goal))


MEASURES: dict[str, tuple[Callable[..., Iterator[Row]], int]] = {
    "cold": (cold_start, 7),
    "warm": (warm_event, 300),
    "load": (many_uploads, 5),
}


def main() -> int:
    """Run the measures that are asked for, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.bench", description=__doc__)
    parser.add_argument("--ours", default=f"{ROOT / 'main.py'}:caption_image")
    parser.add_argument("--only", default=",".join(MEASURES), help="any of cold, warm, load")
    parser.add_argument("--runs", type=int, help="runs a measure and side")
    parser.add_argument("--record", action="store_true", help="write docs/benchmarks.md")
    options = parser.parse_args()
    source, _, name = options.ours.rpartition(":")
    console, rows = Console(), list[Row]()
    try:
        for only in options.only.split(","):
            measure, runs = MEASURES[only]
            targets = sides(Target("ours", source, name))
            rows += measure(targets, options.runs or runs, console.print)
    except (Failed, emulators.Missing) as problem:
        console.print(f"[red]{problem}[/]")
        return 1
    table = Table("", *HEADS, title="Medians, and the range without the outermost tenths")
    for row in rows:
        table.add_row(row.what, *row.cells)
    console.print(table)
    if options.record:
        figures.record("bench", HEADS, rows)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

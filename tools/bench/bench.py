"""Prints how fast and how big the function is, beside the plain sample.

``python -m tools.bench.bench [--ours SOURCE:TARGET] [--only cold,warm,load]``; needs what the
tests need. The figures of both sides come from interleaved runs on the same machine.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from tests.support import emulators
from tools.bench.serving import Failed, Parts, Served, Target, distinct, draw, parts

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = Target("sample", str(ROOT / "tools/bench/sample.py"), "plain_sample")
UPLOADS, AT_ONCE, MODEL_SECONDS = 160, 80, 2.0
IDEAL = UPLOADS / AT_ONCE * MODEL_SECONDS
_NAMES = (f"bench/{number:05}.jpg" for number in itertools.count())

Say = Callable[[str], None]


@dataclass
class Row:
    """One line of the table."""

    measure: str
    ours: str
    sample: str
    ratio: str
    goal: str


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


def cold_start(ours: Target, runs: int, say: Say) -> Iterator[Row]:
    """From the start of the process to the first upload acknowledged."""
    photo = draw(1600, 1200)
    taken: dict[str, list[float]] = {ours.label: [], SAMPLE.label: []}
    with parts() as servers:
        for run in range(runs + 1):
            for target in _order(ours, run):
                resource = servers.upload(next(_NAMES), distinct(photo))
                with Served(target, servers) as served:
                    served.deliver(resource)
                    seconds = time.perf_counter() - served.started
                _captioned(servers, target, resource["name"])
                say(f"cold start {run}/{runs}: {target.label} {seconds:.2f} s")
                if run:  # the first one only fills the disk's cache
                    taken[target.label].append(seconds)
    yield _row("Cold start to first upload, s", taken, ours, "{:.2f}", "≤ 1.00 ×")


def warm_event(ours: Target, runs: int, say: Say) -> Iterator[Row]:
    """One event at a time, with a model that answers at once."""
    photo = draw(1600, 1200)
    taken: dict[str, list[float]] = {ours.label: [], SAMPLE.label: []}
    say("warm events")
    with (
        parts() as servers,
        Served(ours, servers) as one,
        Served(SAMPLE, servers) as other,
    ):
        for run in range(-5, runs):
            for served in (one, other) if run % 2 else (other, one):
                resource = servers.upload(next(_NAMES), distinct(photo))
                seconds = served.deliver(resource)
                _captioned(servers, served.target, resource["name"])
                if run >= 0:
                    taken[served.target.label].append(seconds * 1000)
    yield _row("One warm event, ms", taken, ours, "{:.1f}", "≤ 2.00 ×")


def many_uploads(ours: Target, runs: int, say: Say, quality: int = 80) -> Iterator[Row]:
    """160 uploads of 12 MP, 80 at once, a model that takes two seconds."""
    photo = draw(4000, 3000, quality)
    seconds: dict[str, list[float]] = {ours.label: [], SAMPLE.label: []}
    memory: dict[str, list[float]] = {ours.label: [], SAMPLE.label: []}
    with parts(MODEL_SECONDS) as servers:
        for run in range(runs):
            for target in _order(ours, run):
                taken, peak = _load(target, servers, photo)
                say(f"{UPLOADS} uploads: {target.label} {taken:.2f} s, {peak / 1e6:.0f} MB")
                seconds[target.label].append(taken)
                memory[target.label].append(peak / 1e6)
    what = f"{UPLOADS} uploads of 12 MP ({len(photo) / 1e6:.1f} MB), {AT_ONCE} at once"
    yield _row(f"{what}, s", seconds, ours, "{:.2f}", "")
    shares = {label: [IDEAL / each for each in values] for label, values in seconds.items()}
    yield _row(f"  share of the ideal {IDEAL} s", shares, ours, "{:.2f}", "≥ 0.65")
    yield _row("  peak memory of the worker, MB", memory, ours, "{:.0f}", "< 400")


def _load(target: Target, servers: Parts, photo: bytes) -> tuple[float, int]:
    servers.firestore.reset()
    uploads = [servers.upload(next(_NAMES), distinct(photo)) for _ in range(UPLOADS)]
    with Served(target, servers, threads=AT_ONCE) as served:
        warm = servers.upload(next(_NAMES), distinct(draw(640, 480)))
        served.deliver(warm)
        memory = Memory(served.worker())
        with ThreadPoolExecutor(AT_ONCE) as pool, memory.watched():
            begun = time.perf_counter()
            list(pool.map(served.deliver, uploads))
            taken = time.perf_counter() - begun
    for resource in uploads:
        _captioned(servers, target, resource["name"])
        servers.remove(resource["name"])
    return taken, memory.peak


def _captioned(servers: Parts, target: Target, name: str) -> None:
    """A figure counts only if the work was done."""
    if not servers.label(name):
        raise Failed(f"{target.label} acknowledged {name} without alt text in its metadata")


def _order(ours: Target, run: int) -> tuple[Target, Target]:
    return (ours, SAMPLE) if run % 2 else (SAMPLE, ours)


def _row(measure: str, values: dict[str, list[float]], ours: Target, form: str, goal: str) -> Row:
    mine, plain = (statistics.median(values[label]) for label in (ours.label, SAMPLE.label))
    return Row(measure, form.format(mine), form.format(plain), f"{mine / plain:.2f} ×", goal)


MEASURES: dict[str, tuple[Callable[..., Iterator[Row]], int]] = {
    "cold": (cold_start, 7),
    "warm": (warm_event, 40),
    "load": (many_uploads, 1),
}


def main() -> int:
    """Run the measures that are asked for, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.bench", description=__doc__)
    parser.add_argument("--ours", default=f"{ROOT / 'main.py'}:caption_image")
    parser.add_argument("--only", default=",".join(MEASURES), help="any of cold, warm, load")
    parser.add_argument("--runs", type=int, help="runs a measure and side")
    parser.add_argument("--quality", type=int, default=80, help="of the 12 MP JPEG: 80 is 2.5 MB")
    options = parser.parse_args()
    source, _, name = options.ours.rpartition(":")
    console = Console()
    table = Table("", "ours", "sample", "ours / sample", "goal", title="Medians")
    try:
        for only in options.only.split(","):
            measure, runs = MEASURES[only]
            target = Target("ours", source, name)
            more = {"quality": options.quality} if only == "load" else {}
            for row in measure(target, options.runs or runs, console.print, **more):
                table.add_row(row.measure, row.ours, row.sample, row.ratio, row.goal)
    except (Failed, emulators.Missing) as problem:
        console.print(f"[red]{problem}[/]")
        return 1
    console.print(table)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Draws where the processor time of a warm event goes: ``build/flame.svg``, and a table.

``python -m tools.bench.profile [--sample] [--events 300]``; py-spy looks at the served function
from outside, as it is shipped.
"""

from __future__ import annotations

import argparse
import itertools
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tools.bench.bench import ROOT, SAMPLE
from tools.bench.serving import Served, Target, distinct, draw, parts

BUILD = ROOT / "build"
_NAMES = (f"profile/{number:05}.jpg" for number in itertools.count())
# What a frame belongs to, the innermost of these that is on the stack.
PARTS = {
    "the model's SDK": r"genai/|httpx2/|httpcore2/|pydantic",
    "Cloud Storage": r"storage/",
    "Firestore's client": r"firestore_v1|api_core|grpc|proto/|adapters/firestore",
    "the framework": r"gunicorn|flask|werkzeug|functions_framework|cloudevents",
    "this repository": r"functions/",
}


def profiled(target: Target, events: int) -> list[tuple[Sequence[str], int]]:
    """Stacks, outermost frame first, and how often each was seen; the picture is drawn."""
    photo = draw(1600, 1200)
    BUILD.mkdir(exist_ok=True)
    raw = BUILD / "stacks.txt"
    with parts() as servers, Served(target, servers) as served:
        for _ in range(20):
            served.deliver(servers.upload(next(_NAMES), distinct(photo)))
        pid = str(served.worker().pid)
        spies = [
            _spy(pid, "raw", raw),
            _spy(pid, "flamegraph", BUILD / "flame.svg"),
        ]
        time.sleep(1)
        for _ in range(events):
            served.deliver(servers.upload(next(_NAMES), distinct(photo)))
        for spy in spies:
            spy.send_signal(signal.SIGINT)
            spy.wait()
    return [*_stacks(raw)]


def _spy(pid: str, form: str, file: Path) -> subprocess.Popen[bytes]:
    program = Path(sys.executable).with_name("py-spy")
    command = [str(program), "record", "--gil", "--rate", "250", "--duration", "3600"]
    command += ["--format", form, "--output", str(file), "--pid", pid]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _stacks(file: Path) -> Iterator[tuple[Sequence[str], int]]:
    for line in file.read_text("utf-8").splitlines():
        stack, _, count = line.rpartition(" ")
        yield stack.split(";"), int(count)


def shares(stacks: Sequence[tuple[Sequence[str], int]]) -> Counter[str]:
    """How often each of the parts was at work."""
    found: Counter[str] = Counter()
    for stack, count in stacks:
        inner_first = (
            part
            for frame in reversed(stack)
            for part, names in PARTS.items()
            if re.search(names, frame)
        )
        found[next(inner_first, "the interpreter")] += count
    return found


def main() -> None:
    """Profile, and print the shares."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.profile", description=__doc__)
    parser.add_argument("--sample", action="store_true", help="the plain sample instead")
    parser.add_argument("--events", type=int, default=300)
    options = parser.parse_args()
    ours = Target("ours", str(ROOT / "main.py"), "caption_image")
    found = shares(profiled(SAMPLE if options.sample else ours, options.events))
    table = Table("part", "share", title=f"Drawn in {BUILD.name}/flame.svg")
    for part, count in found.most_common():
        table.add_row(part, f"{count / found.total():.0%}")
    Console().print(table)


if __name__ == "__main__":
    main()

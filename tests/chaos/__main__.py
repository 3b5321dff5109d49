"""``python -m tests.chaos``: the long run, and the figures.

``--examples N`` says how many runs of the chaos on each pair of stores; ``--only WORD`` runs the
parts whose names contain it.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import ClassVar

import pytest
from google.cloud import firestore
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from rich.console import Console
from rich.table import Table

from tests.chaos import days
from tests.chaos.crowd import crowds
from tests.chaos.machine import Chaos
from tests.chaos.places import MEMORY, CloudPlace, EmbeddedPlace, Place
from tests.chaos.scenarios import SCENARIOS, Outcome
from tests.chaos.test_promise import SHORT, OnAFolder
from tests.support import emulators, network_guard
from tests.support.strict_storage import StrictStorage

_UPLOADS, _CROWDS = 100, 3
_OURS = ("ANTHROPIC_", "CAPTION_", "GEMINI_", "GOOGLE_", "OPENAI_")


def on_emulators(storage: StrictStorage, database: firestore.Client) -> type[Chaos]:
    """The machine on the Firestore emulator and the strict Cloud Storage."""

    class OnEmulators(Chaos):
        figures: ClassVar[Counter[str]] = Counter()

        def place(self) -> CloudPlace:
            return CloudPlace(storage, database)

    return OnEmulators


def explored(name: str, machine: type[Chaos], examples: int, shrink: bool = True) -> Outcome:
    """Run the chaos ``examples`` times; a violation is shown with the run that led to it, made
    small where that does not take many minutes."""
    machine.figures.clear()
    long = settings(
        SHORT,
        max_examples=examples,
        stateful_step_count=60,
        derandomize=False,
        print_blob=False,
        phases=[Phase.generate] + [Phase.shrink] * shrink,
        report_multiple_bugs=False,
    )
    broken = []
    try:
        run_state_machine_as_test(machine, settings=long)
    except AssertionError as violation:
        broken = [str(violation), *getattr(violation, "__notes__", ())]
    figures = machine.figures
    found = (
        f"{figures['runs']:,} runs, {figures['captions']:,} captions, "
        f"{figures['faults']:,} faults, {figures['crashes']:,} crashes, "
        f"{figures['extra calls']:,} extra calls"
    )
    return Outcome(name, figures["deliveries"], figures["model calls"], found, broken)


def folders() -> Iterator[Place]:
    """A folder and SQLite, each time anew."""
    for _ in range(_CROWDS):
        with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
            yield EmbeddedPlace(Path(folder))


def clouds(storage: StrictStorage, database: firestore.Client) -> Iterator[Place]:
    """A bucket and a collection, each time anew."""
    for _ in range(_CROWDS):
        place = CloudPlace(storage, database)
        yield place
        place.close()


def on_a_folder(run: Callable[[Place, int], Outcome]) -> Outcome:
    """A scenario of hours or days, on a folder and SQLite, in a time of its own."""
    with (
        tempfile.TemporaryDirectory(dir=MEMORY) as folder,
        closing(EmbeddedPlace(Path(folder))) as place,
    ):
        return run(place, _UPLOADS)


def main() -> int:
    """Run everything, print the table, and say whether the promise was kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--examples", type=int, default=400)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    for name in [each for each in os.environ if each.startswith(_OURS)]:
        del os.environ[name]
    os.environ |= {"GRPC_VERBOSITY": "NONE", "GOOGLE_CLOUD_PROJECT": emulators.PROJECT}
    console = Console(width=None if sys.stdout.isatty() else 150)
    with pytest.MonkeyPatch.context() as patch, emulators.firestore() as emulator:
        network_guard.install(patch)
        os.environ["FIRESTORE_EMULATOR_HOST"] = emulator.host
        database = firestore.Client()
        with StrictStorage() as storage:
            cloud = on_emulators(storage, database)
            parts = [
                ("anything, on SQLite", lambda n: explored(n, OnAFolder, options.examples)),
                (
                    "anything, on emulators",
                    lambda n: explored(n, cloud, options.examples // 4, False),
                ),
                ("a crowd of copies, on SQLite", lambda n: crowds(folders(), "on SQLite")),
                (
                    "a crowd of copies, on emulators",
                    lambda n: crowds(clouds(storage, database), "on emulators"),
                ),
                *((each.__name__, lambda n, run=each: run(emulator)) for each in SCENARIOS),
                *((each.__name__, lambda n, run=each: on_a_folder(run)) for each in days.SCENARIOS),
            ]
            outcomes = []
            for name, part in parts:
                if options.only in name:
                    console.print(f"{name} ...", style="dim")
                    started = time.monotonic()
                    outcomes.append((part(name), time.monotonic() - started))
        database.close()
    return _report(console, outcomes)


def _report(console: Console, outcomes: list[tuple[Outcome, float]]) -> int:
    table = Table("what", "deliveries", "model calls", "found", "violations", "seconds")
    for outcome, seconds in outcomes:
        table.add_row(
            outcome.name,
            f"{outcome.deliveries:,}",
            f"{outcome.calls:,}",
            outcome.found,
            str(len(outcome.violations)),
            f"{seconds:.0f}",
        )
    console.print(table)
    broken = [each for outcome, _ in outcomes for each in outcome.violations]
    for each in broken[:20]:
        console.print(each, style="red", markup=False)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

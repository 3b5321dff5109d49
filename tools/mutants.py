"""Proof that the tests can fail: bugs planted one at a time, each of which they must catch.

``python -m tools.mutants`` copies the source tree, plants a bug by replacing one passage, runs
the tests that should see it, and prints which were caught. It exits with 1 if one survives.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tools.planted import MUTANTS, Mutant
from tools.planted_pictures import PICTURES
from tools.planted_videos import VIDEOS

ROOT = Path(__file__).parent.parent
_AT_ONCE = 2
# A bug may have no end; a busy machine is slow, and that catches nothing.
_MOST_SECONDS = 1200
# Bytecode goes along: a test that fails in a second need not compile for five.
_LEFT_OUT = shutil.ignore_patterns(".*", "*.egg-info", "build", "node_modules")
_LINKED = "tests/browser/node_modules"


def planted(source: str, mutant: Mutant) -> str:
    """``source`` with the bug. Raises ValueError unless there is exactly one place for it."""
    found = source.count(mutant.old)
    if found != 1:
        raise ValueError(f"{mutant.name}: {mutant.file} has {found} places for it, not 1")
    return source.replace(mutant.old, mutant.new)


def killer(mutant: Mutant) -> str:
    """The test that catches a mutant; empty if it survives."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "copy")
        shutil.copytree(ROOT, copy, ignore=_LEFT_OUT)
        (copy / _LINKED).symlink_to(ROOT / _LINKED)
        place = copy / mutant.file
        place.write_text(planted(place.read_text("utf-8"), mutant), "utf-8")
        for stale in place.parent.glob(f"__pycache__/{place.stem}.*"):
            stale.unlink()
        tests = [*mutant.tests.split(), *(["-k", mutant.only] if mutant.only else [])]
        command = [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", *tests]
        run = subprocess.run(
            command,
            cwd=copy,
            env={**os.environ, "PYTHONPATH": str(copy), "CHAOS_SHRINK": "0"},
            capture_output=True,
            text=True,
            timeout=_MOST_SECONDS,
            check=False,
        )
    if run.returncode == 0:
        return ""
    names = [
        line for line in run.stdout.splitlines() if line.startswith(("FAILED tests", "ERROR tests"))
    ]
    if run.returncode != 1 or not names:
        raise RuntimeError(f"{mutant.name}: the tests did not run\n{run.stdout[-2000:]}")
    return names[0].partition("::")[2].partition(" - ")[0].replace("_", " ")


def main() -> int:
    """Plant every mutant (or those whose names contain the arguments) and report."""
    wanted = [
        m
        for m in (*MUTANTS, *PICTURES, *VIDEOS)
        if not sys.argv[1:] or any(a in m.name for a in sys.argv[1:])
    ]
    for mutant in wanted:
        planted((ROOT / mutant.file).read_text("utf-8"), mutant)
    started, console = time.monotonic(), Console(width=None if sys.stdout.isatty() else 150)
    killers = []
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for mutant, test in zip(wanted, pool.map(killer, wanted), strict=True):
            console.print(f"{mutant.name}: {test or 'survived'}", style="dim", markup=False)
            killers.append(test)
    table = Table("planted bug", "file", "caught by")
    for mutant, test in zip(wanted, killers, strict=True):
        caught_by = escape(test) or "[bold red]SURVIVED[/]"
        table.add_row(escape(mutant.name), mutant.file, caught_by)
    console.print(table)
    caught = sum(map(bool, killers))
    console.print(f"{caught} of {len(wanted)} caught in {time.monotonic() - started:.0f} s")
    return 0 if caught == len(wanted) else 1


if __name__ == "__main__":
    sys.exit(main())

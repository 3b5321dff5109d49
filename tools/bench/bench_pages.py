"""Prints how long `captions html` takes for sites of 1, 100 and 10,000 pages.

``python -m tools.bench.bench_pages``: pages of 7 KB, five images each, every image in two pages,
captioned in a folder's own database. Processor time and memory are the command's own, with its
start; ``--context --check`` reads and prices every place, and asks nobody.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from functions.adapters.folder import database
from functions.adapters.sqlite import SqliteCaptions
from functions.core.document import Document

SITES = (1, 100, 10_000)
IMAGES = 5
_WORDS = " ".join(f"word{number}" for number in range(60))
_NOW = datetime(2026, 11, 26, tzinfo=UTC)


def page(number: int) -> str:
    """One page: five parts of a heading, an image and three paragraphs."""
    parts = (
        f'<section><h2>Part {part} of {number}</h2><p>{_WORDS}</p><img src="/img/{image}.jpg">'
        f"<p>{_WORDS}</p><p>{part} {_WORDS}</p></section>"
        for part, image in enumerate(images(number))
    )
    return f'<!doctype html><html lang="en"><title>{number}</title>{"".join(parts)}</html>'


def images(number: int) -> Iterator[int]:
    """The numbers of a page's images."""
    return (number // 2 * IMAGES + part for part in range(IMAGES))


def site(folder: Path, pages: int) -> None:
    """Write pages, and captions of all their images."""
    store = SqliteCaptions(database(folder))
    for number in range(pages):
        (folder / f"{number}.html").write_text(page(number))
        for image in images(number) if number % 2 == 0 else ():
            name = f"img/{image}.jpg"
            store.create(
                Document(
                    bucket="local",
                    name=name,
                    generation=1,
                    status="captioned",  # type: ignore[arg-type]
                    created_at=_NOW,
                    updated_at=_NOW,
                    alt_text=f"A blue mug with {image} dots",
                    language="en",
                )
            )


def taken(folder: Path, *options: str) -> tuple[float, float, int]:
    """Seconds by the clock and of the processor, and the peak of memory in MB."""
    command = [sys.executable, "-m", "functions.cli", "html", ".", "--local", ".", *options]
    root = str(Path(__file__).parents[2])
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": root},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    begun = datetime.now(UTC)
    _, status, used = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) != ("--check" in options):
        raise SystemExit(f"captions html ended with {status}")
    seconds = (datetime.now(UTC) - begun).total_seconds()
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss // 1024


def main() -> None:
    """Measure, and print a table."""
    table = Table("pages", "images", "command", "seconds", "of the processor", "MB at most")
    for pages in SITES:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            site(folder, pages)
            for options in (("--context", "--check"), ()):
                wall, cpu, memory = taken(folder, *options)
                told = (f"{pages:,}", f"{pages * IMAGES:,}", f"html {' '.join(options)}")
                table.add_row(*told, f"{wall:.1f}", f"{cpu:.1f}", str(memory))
    Console(width=110).print(table)


if __name__ == "__main__":
    main()

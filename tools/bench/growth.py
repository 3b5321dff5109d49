"""Prints how time and memory grow with each thing that others can make long or many.

``python -m tools.bench.growth [--record]``. Each thing is measured at four sizes, each double the
one before, by the shortest time of three and by the peak of what Python allocates; ``slope`` is
the exponent of size that fits the times best: 1 is linear. Below a millisecond, times tell nothing
of growth.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image
from rich.console import Console
from rich.table import Table

from functions import pictures, quality
from functions.adapters.sqlite import SqliteCaptions
from functions.core import search_terms
from functions.core.document import Accepts, Answer, Document, Query, Status
from functions.core.policy import Policy
from functions.model.reply import read_reply
from functions.sites import markup
from tools.bench import figures
from tools.bench.figures import Row

HEADS = ("sizes", "ms", "peak, MB", "slope")
_RUNS = 3
_AT = datetime(2026, 11, 26, tzinfo=UTC)
_LANGUAGES = (
    "aa ab af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de "
    "dv dz ee el eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia "
    "id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln "
    "lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn nr nv ny oc oj om or os pa pi "
    "pl ps pt qu rm rn ro ru rw"
)
_TAKES = Accepts(frozenset({"image/jpeg"}), 20 << 20, 1024)


@dataclass(frozen=True)
class Grown:
    """One thing that grows: ``prepared`` makes the work of a size."""

    what: str
    first: int
    prepared: Callable[[int, Path], Callable[[], object]]


def _reply(size: int, _: Path) -> Callable[[], object]:
    text = json.dumps({"caption": "a dog " * (size // 6), "alt_text": "A dog.", "tags": []})
    return lambda: read_reply(Answer(text))


def _checked(size: int, _: Path) -> Callable[[], object]:
    fields = {"caption": "A dog runs. " * (size // 12), "alt_text": "A dog.", "tags": []}
    reply = read_reply(Answer(json.dumps(fields)))
    return lambda: quality.check(reply, quality.Context(("en",), 250))


def _visible(size: int, _: Path) -> Callable[[], object]:
    fields = {"caption": "A sign.", "alt_text": "A sign.", "visible_text": "STOP 42 " * (size // 8)}
    reply = read_reply(Answer(json.dumps(fields)))
    return lambda: quality.check(reply, quality.Context(("en",), 250))


def _languages(size: int, _: Path) -> Callable[[], object]:
    tags = _LANGUAGES.split()[:size]
    words = [{"language": each, "caption": "A dog.", "alt_text": "A dog."} for each in tags]
    reply = read_reply(
        Answer(json.dumps({"caption": "A dog.", "alt_text": "A dog.", "translations": words}))
    )
    context = quality.Context(("en", *tags), 250)
    return lambda: quality.check(reply, context)


def _rules(size: int, folder: Path) -> Callable[[], object]:
    file = folder / f"{size}.toml"
    file.write_text("".join(f'[[rules]]\nmatch = "part{n}/**/*-*.jpg"\n' for n in range(size)))
    policy, name = Policy.load(file), "other/" + "a-" * 200
    return lambda: policy.rule(name)


def _images(size: int, _: Path) -> Callable[[], object]:
    page = "<main>" + '<p>Text <img src="/a.jpg"> and more.</p>' * size + "</main>"
    return lambda: markup.read(page)


def _nested(size: int, _: Path) -> Callable[[], object]:
    page = "<div>" * size + '<img src="/a.jpg">'
    return lambda: markup.read(page)


def _terms(size: int, _: Path) -> Callable[[], object]:
    text = " ".join(f"word{n}" for n in range(size // 8))
    return lambda: search_terms.terms(text)


def _picture(kind: str) -> Callable[[int, Path], Callable[[], object]]:
    def prepared(size: int, _: Path) -> Callable[[], object]:
        side = math.isqrt(size)
        file = io.BytesIO()
        Image.effect_noise((side, side), 40).convert("RGB").save(file, kind)
        data = file.getvalue()
        return lambda: pictures.prepare(data, _TAKES, 1 << 30).release()

    return prepared


def _documents(size: int, folder: Path) -> Callable[[], object]:
    store = SqliteCaptions(folder / f"{size}.sqlite")
    for number in range(size):
        store.create(
            Document(
                bucket="b",
                name=f"{number}.jpg",
                generation=1,
                status=Status.CAPTIONED,
                created_at=_AT,
                updated_at=_AT,
            )
        )
    return lambda: store.find(Query(limit=50))


GROWN = (
    Grown("characters of a reply, read", 50_000, _reply),
    Grown("characters of a caption, checked", 2_000, _checked),
    Grown("characters of text in the picture, checked", 2_000, _visible),
    Grown("languages of a reply, checked", 16, _languages),
    Grown("rules of a policy", 200, _rules),
    Grown("images of a page", 500, _images),
    Grown("elements within each other", 2_000, _nested),
    Grown("characters to search by", 20_000, _terms),
    Grown("pixels of a JPEG", 4_000_000, _picture("JPEG")),
    Grown("pixels of a PNG", 2_000_000, _picture("PNG")),
    Grown("pixels of a WebP", 1_000_000, _picture("WEBP")),
    Grown("documents of a folder, the first page of a list", 100, _documents),
)


def measured(each: Grown, folder: Path) -> Row:
    """One thing at four sizes."""
    sizes = [each.first * 2**step for step in range(4)]
    times, peaks = [], []
    for size in sizes:
        work = each.prepared(size, folder)
        work()
        times.append(min(_timed(work) for _ in range(_RUNS)))
        tracemalloc.start()
        work()
        peaks.append(tracemalloc.get_traced_memory()[1] / 1e6)
        tracemalloc.stop()
    fit = statistics.linear_regression([*map(math.log, sizes)], [*map(math.log, times)])
    cells = (
        " ".join(f"{size:,}" for size in sizes),
        " ".join(f"{seconds * 1000:.2f}" for seconds in times),
        " ".join(f"{peak:.1f}" for peak in peaks),
        f"{fit.slope:.2f}",
    )
    return Row(each.what, cells)


def _timed(work: Callable[[], object]) -> float:
    """Seconds that passed, since a decoder works in a process of its own."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def rows(only: str) -> Iterator[Row]:
    """All that ``only`` names, by a part of its name."""
    with tempfile.TemporaryDirectory() as folder:
        for each in GROWN:
            if only in each.what:
                yield measured(each, Path(folder))


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.growth", description=__doc__)
    parser.add_argument("--only", default="", help="a part of a thing's name")
    parser.add_argument("--record", action="store_true", help="write docs/benchmarks.md")
    options = parser.parse_args()
    console, found = Console(), list[Row]()
    table = Table("", *HEADS, title="Growth")
    for row in rows(options.only):
        console.print(f"{row.what}: {row.cells[1]} ms, slope {row.cells[3]}")
        found.append(row)
        table.add_row(row.what, *row.cells)
    console.print(table)
    if options.record:
        figures.record("growth", HEADS, found)


if __name__ == "__main__":
    main()

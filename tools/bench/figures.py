"""Recorded figures, and the tables in docs/benchmarks.md that are written from them.

A run with ``--record`` keeps its medians in ``figures.json``; a test sees that the page says what
was recorded last.
"""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

FILE = Path(__file__).with_name("figures.json")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"


@dataclass(frozen=True)
class Row:
    """One line of a table: what was measured, and the cells that say what came out."""

    what: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Figures of one command: the heads of its columns, and rows."""

    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    measured: str

    def markdown(self) -> str:
        """The table as a page has it."""
        lines = [("", *self.heads), ("---",) * (len(self.heads) + 1)]
        lines += [(row.what, *row.cells) for row in self.rows]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return f"{table}\n\nMeasured on {self.measured}."


def spread(values: Sequence[float], form: str) -> str:
    """The median, and the range in which all values but the outermost tenth lie."""
    median = form.format(statistics.median(values))
    if len(values) < 3:
        return median
    cuts = statistics.quantiles(values, n=10, method="inclusive")
    return f"{median} ({form.format(cuts[0])}–{form.format(cuts[-1])})"


def read() -> dict[str, Table]:
    """The recorded tables, by the name of what measures them."""
    recorded: Mapping[str, dict[str, object]] = json.loads(FILE.read_text("utf-8"))
    return {name: _table(values) for name, values in recorded.items()}


def record(name: str, heads: Sequence[str], rows: Sequence[Row]) -> None:
    """Keep a table under its name, and write it into the page."""
    tables = read() if FILE.exists() else {}
    today = datetime.now(UTC).date().isoformat()
    tables[name] = Table(tuple(heads), tuple(rows), today)
    kept = {each: asdict(table) for each, table in tables.items()}
    FILE.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", "utf-8")
    PAGE.write_text(written(PAGE.read_text("utf-8"), tables), "utf-8")


def written(page: str, tables: Mapping[str, Table]) -> str:
    """``page`` with each table between its marks."""
    for name, table in tables.items():
        begin, end = f"<!-- figures: {name} -->", "<!-- end of figures -->"
        within = re.compile(f"({re.escape(begin)}\n).*?({re.escape(end)})", re.DOTALL)
        page = within.sub(lambda found, t=table: f"{found[1]}{t.markdown()}\n{found[2]}", page)
    return page


def _table(values: Mapping[str, object]) -> Table:
    rows = values["rows"]
    assert isinstance(rows, list)
    return Table(
        tuple(values["heads"]),  # type: ignore[arg-type]
        tuple(Row(each["what"], tuple(each["cells"])) for each in rows),
        str(values["measured"]),
    )

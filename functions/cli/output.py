"""How things look: tables for people, one line a record in a pipe, JSON for programs."""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from functions.core.document import Document, Status
from functions.core.document_records import to_record

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from functions.cli.session import Choice

STYLES = {
    "captioned": "green",
    "labelled": "green",
    "renamed": "green",
    "forgotten": "cyan",
    "waiting": "yellow",
    "unfinished": "bold red",
    "pending": "yellow",
    "deferred": "yellow",
    "rejected": "red",
    "failed": "bold red",
    "skipped": "dim",
}
# In a pipe nothing is cut or folded: a record is a line, however long.
_PIPED = 100_000
# Characters that turn the direction of what follows them, beyond the text they are in.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# What steers a terminal, beside the line ends that JSON has none of, and what no encoding writes.
_STEERING = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def console(stderr: bool = False) -> Console:
    """The terminal or pipe that standard output is now, whatever becomes of sys.stdout later."""
    from rich.console import Console

    file = sys.stderr if stderr else sys.stdout
    width = None if file.isatty() else _PIPED
    return Console(
        file=file, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False
    )


def piped(out: Console) -> bool:
    """Whether ``out`` is read by a program rather than a person."""
    return out.width == _PIPED


def plain(text: str) -> str:
    """``text`` on one line, with control and direction-turning characters made visible."""
    return "".join(
        char.encode("unicode_escape").decode()
        if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") or char in _TURNING
        else char
        for char in text
    )


def lines(text: str) -> str:
    """``text`` of several lines with each as :func:`plain`, for a terminal."""
    return "".join(f"{plain(each)}\n" for each in text.splitlines())


def text(value: object, style: str = "") -> Text:
    """``value`` as it is: nothing in it is markup."""
    from rich.text import Text

    return Text(plain(str(value)), style=style)


def status(word: str, note: str = "") -> Text:
    """A status in its colour, and a note beside it."""
    shown = text(word, STYLES.get(word.strip(), ""))
    return shown.append(f" {plain(note)}", "dim") if note else shown


def table(out: Console, *columns: str) -> Table:
    """A table with a quiet line under its head, and none in a pipe. A column that ends in ``>``
    is aligned to the right, one that ends in ``*`` takes the room that is left."""
    from rich import box
    from rich.table import Table

    lines = None if piped(out) else box.SIMPLE_HEAD
    made = Table(box=lines, show_edge=False, pad_edge=False, header_style="bold")
    for name in columns:
        made.add_column(
            name.rstrip(">*"),
            justify="right" if name.endswith(">") else "left",
            ratio=1 if name.endswith("*") and not piped(out) else None,
            overflow="fold",
            no_wrap=name.endswith(">"),
        )
    return made


def facts() -> Table:
    """Two columns without lines: what, and what it is."""
    from rich.table import Table

    made = Table.grid(padding=(0, 2))
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    return made


def stacked(*cells: Text) -> Text:
    """Cells one above the other, empty ones left out."""
    from rich.text import Text

    return Text("\n").join(cell for cell in cells if cell.plain)


def words(document: Document) -> str:
    """What stands where the image cannot be seen, or why there is nothing."""
    if document.status == Status.CAPTIONED:
        return document.alt_text or 'alt="" (decorative)'
    return problem(document)


def problem(document: Document) -> str:
    """What went wrong with an image, in a line."""
    error = document.error
    return f"{error.reason}: {error.message}" if error else ""


def model(choice: Choice) -> Text:
    """Which model answers, and why."""
    line = f"{choice.model}, as {choice.why}"
    if choice.model.provider == "offline":
        line += ": it names size and colours only. Set GEMINI_API_KEY to have pictures described"
        line += "".join(f", or {each}" for each in choice.offers) + "."
    return text(line)


def money(dollars: float) -> str:
    """An amount that may be a fraction of a cent."""
    return f"${dollars:.5f}".rstrip("0").rstrip(".") if dollars else "$0"


def record(document: Document) -> dict[str, Any]:
    """A document as it is stored, but for the numbers of its embedding."""
    return to_record(replace(document, embedding=None))


def when(time: datetime | None) -> str:
    """A time on the reader's clock, to the minute."""
    return f"{time.astimezone():%Y-%m-%d %H:%M}" if time else ""


def stamp(time: datetime) -> str:
    """A time as JSON and CSV have it: RFC 3339, in UTC."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def as_json(value: Any) -> str:
    """``value`` on one line of JSON."""
    text = json.dumps(value, default=_text, ensure_ascii=False)
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return stamp(value)
    raise TypeError(f"{type(value).__name__} has no JSON")

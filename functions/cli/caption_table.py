"""Many documents: a table for people, a line of JSON each for programs, CSV for spreadsheets."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from functions import composition
from functions.cli import output as shown
from functions.cli.session import session, settings
from functions.core.document import Document, Status
from functions.core.spreadsheet import safe_cell

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_COLUMNS = (
    *("uri", "status", "alt_text", "caption", "decorative", "tags", "language", "source"),
    *("review", "model", "generation", "updated_at"),
)


@dataclass(frozen=True)
class Listed:
    """Documents in their order, and by what they are ranked, if they are."""

    documents: Sequence[Document]
    measure: str = ""
    scores: Sequence[float] = ()


def show(listed: Listed, as_csv: bool) -> None:
    """Print ``listed`` as it is asked for."""
    if session().json and as_csv:
        raise click.UsageError("--json and --csv exclude each other")
    if as_csv:
        text = _csv(listed)
        click.echo((shown.lines(text) if sys.stdout.isatty() else text).encode(), nl=False)
    elif session().json:
        for number, document in enumerate(listed.documents):
            score = {listed.measure: listed.scores[number]} if listed.measure else {}
            click.echo(shown.as_json(shown.record(document) | score))
    elif listed.documents:
        out = shown.console()
        out.print(_table(out, listed))
        out.file.flush()
    else:
        click.echo(f"No captions there: {composition.where(settings())}.", err=True)


def _csv(listed: Listed) -> str:
    """RFC 4180, with a header. Uploaders name files and images speak to models: a cell that a
    spreadsheet would compute gets an apostrophe before it. JSON has it as it is."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\r\n")
    rows.writerow([*_COLUMNS, *filter(None, [listed.measure])])
    for number, document in enumerate(listed.documents):
        record = shown.record(document)
        review = document.review
        record["review"] = " ".join(review.reasons) or "needed" if review.needed else ""
        record["tags"] = ", ".join(document.tags)
        record["decorative"] = "true" if document.decorative else ""
        record["updated_at"] = shown.stamp(document.updated_at)
        cells = [safe_cell(str(record[name])) for name in _COLUMNS]
        rows.writerow([*cells, *listed.scores[number : number + 1]])
    return text.getvalue()


def _table(out: Console, listed: Listed) -> Table:
    """A line an image in a pipe; what belongs together one above the other in a terminal."""
    one_bucket = len({document.bucket for document in listed.documents}) == 1
    piped = shown.piped(out)
    columns = ("Image", "Status", "Alt text", "Source", "Changed")
    score = [f"{listed.measure.capitalize()}>"] if listed.measure else []
    table = shown.table(
        out, *(columns if piped else ("Image", "Alt text*", "Source / changed")), *score
    )
    table.columns[0].max_width = None if piped else max(24, out.width // 4)
    for number, each in enumerate(listed.documents):
        name = shown.text(each.name if one_bucket else each.uri, "bold")
        status = shown.status(each.status, "review" if each.review.needed else "")
        words = shown.text(shown.words(each), "" if each.status == Status.CAPTIONED else "dim")
        source, changed = shown.text(each.source), shown.text(shown.when(each.updated_at), "dim")
        ranked = [shown.text(one) for one in listed.scores[number : number + 1]]
        if piped:
            table.add_row(name, status, words, source, changed, *ranked)
        else:
            place, origin = shown.stacked(name, status), shown.stacked(source, changed)
            table.add_row(place, words, origin, *ranked)
    return table

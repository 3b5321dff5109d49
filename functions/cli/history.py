"""``captions history`` and ``captions restore``: an image's text over time, and back again."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from functions import composition
from functions.cli import output
from functions.cli.edit import show
from functions.cli.options import common
from functions.cli.session import located, session, settings
from functions.core.document import document_id
from functions.core.document_records import plain
from functions.core.errors import EditError, NoCaption

if TYPE_CHECKING:
    from rich.table import Table

    from functions.core.document import PastText
    from functions.usecases.edit_caption import Editing


@click.command()
@click.argument("uri")
@common
def history(uri: str) -> None:
    """Show what the text of an image was, who wrote it and when; the last one stands."""
    editing, key, place = _editing(uri)
    texts = _texts(editing, key, place)
    if session().json:
        for number, text in enumerate(texts, 1):
            click.echo(output.as_json(_record(number, text)))
    else:
        output.console().print(_table(texts))


@click.command()
@click.argument("uri")
@click.option("--to", type=click.IntRange(1), help="Its number in `captions history`.")
@common
def restore(uri: str, to: int | None) -> None:
    """Put back what the text of an image was: the one before, or number --to of its history.

    Whoever restores a text approves it; the one that stood there stays in the history.
    """
    editing, key, place = _editing(uri)
    texts = _texts(editing, key, place)
    number = to or len(texts) - 1
    if not 1 <= number <= len(texts):
        raise EditError(
            f"{place} has a history of {len(texts)}; `captions history {place}` shows it"
            if to
            else f"{place} has no earlier text to go back to"
        )
    edited = editing.restore(key, texts[number - 1], getpass.getuser())
    show(edited)


def _editing(uri: str) -> tuple[Editing, str, str]:
    read = settings()
    bucket, name = located(uri, read)
    editing = composition.editing(read, composition.store(read))
    return editing, document_id(bucket, name), f"gs://{bucket}/{name}"


def _texts(editing: Editing, key: str, place: str) -> Sequence[PastText]:
    try:
        return editing.history(key)
    except NoCaption as error:
        raise NoCaption(f"{place}: {error}") from None


def _record(number: int, text: PastText) -> dict[str, Any]:
    return {"number": number, **{key: value for key, value in plain(text).items() if value}}


def _table(texts: Sequence[PastText]) -> Table:
    out = output.console()
    table = output.table(out, "#>", "when", "source", "by", "alt text*")
    for number, text in enumerate(texts, 1):
        alt_text = text.alt_text or ('alt="" (decorative)' if text.decorative else "")
        cells = (number, output.when(text.at), text.source, text.by, alt_text)
        table.add_row(*map(output.text, cells))
    return table

"""``captions list`` and ``captions search``: which images, by what is known and said of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import click

from functions import composition
from functions.cli import caption_table
from functions.cli.options import LANGUAGE, TIME, common
from functions.cli.session import settings
from functions.core import search_terms as searched
from functions.core.document import Document, Query, Source, Status
from functions.core.errors import CaptionError
from functions.core.ports import CaptionStore
from functions.settings import Settings
from functions.usecases import search_captions

F = TypeVar("F", bound=Callable[..., Any])

STATUSES = tuple(each.value for each in Status)
SOURCES = tuple(each.value for each in Source if each)


def filters(command: F) -> F:
    """Options that say which images; a command gets them as one ``query``."""
    options = (
        click.option("--bucket", default="", help="Only images of this bucket."),
        click.option("--prefix", default="", help="Only images whose names begin so."),
        click.option("--tag", default="", help="Only images with this tag."),
        click.option("--language", type=LANGUAGE, default="", help="Only captions in it."),
        click.option("--source", type=click.Choice(SOURCES), help="Only words of this origin."),
        click.option("--review", is_flag=True, help="Only what a person should look at."),
        click.option("--since", type=TIME, help="Only what changed since: 2026-11-23, or 7d ago."),
        click.option("--until", type=TIME, help="Only what changed before then."),
        click.option(
            "--limit",
            type=click.IntRange(1),
            default=50,
            show_default=True,
            help="At most so many.",
        ),
        click.option("--csv", is_flag=True, help="Print CSV, for a spreadsheet."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command("list")
@click.option("--status", type=click.Choice(STATUSES), help="Only documents in this state.")
@click.option("--words", default="", help="Only captions with one of these words.")
@filters
@common
def list_(words: str, csv: bool, limit: int, **options: Any) -> None:
    """List captions, those that changed last first."""
    query = replace(_query(options), words=_terms(words) if words else ())
    found = list(walk(composition.store(settings()), query, limit + 1))
    caption_table.show(caption_table.Listed(found[:limit]), csv)
    if len(found) > limit:
        click.echo(f"The last {limit} that changed; there are more (--limit).", err=True)


@click.command()
@click.argument("text")
@filters
@common
def search(text: str, csv: bool, limit: int, **options: Any) -> None:
    """Search captioned images by meaning, or by words where no model can place TEXT."""
    query = replace(_query(options), status=Status.CAPTIONED, limit=limit)
    read = settings()
    captions = composition.store(read)
    vector = _embedded(text, read)
    near = captions.nearest(vector, query) if vector else ()
    if near:
        scores = [round(similarity, 4) for _, similarity in near]
        caption_table.show(
            caption_table.Listed([each.document for each, _ in near], "nearness", scores), csv
        )
        return
    if vector:
        click.echo("By words: no caption there has been embedded.", err=True)
    caption_table.show(_by_words(captions, replace(query, words=_terms(text))), csv)


def walk(captions: CaptionStore, query: Query, limit: int) -> Iterator[Document]:
    """Documents of as many pages as it takes, up to ``limit``."""
    return (each.document for each in search_captions.walk(captions, query, limit))


def _by_words(captions: CaptionStore, query: Query) -> caption_table.Listed:
    found = search_captions.by_words(captions, query)
    for word in found.frequent:
        click.echo(f"Many have {word!r}: the last {found.looked_at} of them are ranked.", err=True)
    return caption_table.Listed(
        [each.document for each, _ in found.ranked], "matched", [count for _, count in found.ranked]
    )


def _embedded(text: str, settings: Settings) -> Sequence[float] | None:
    """Where a model sees ``text``; None, and said so, if there is none or it cannot be asked."""
    try:
        embedder = composition.embedder(settings)
        if embedder is None:
            click.echo("By words: no model is set for search by meaning.", err=True)
            return None
        try:
            return embedder.question(text).vector
        finally:
            embedder.close()
    except CaptionError as error:
        click.echo(f"By words, as meaning cannot be searched now: {error}", err=True)
        return None


def _query(options: dict[str, Any]) -> Query:
    """The options that say something; tags are stored in lower case."""
    given: dict[str, Any] = {name: value for name, value in options.items() if value}
    return replace(Query(**given), tag=options["tag"].strip().lower())


def _terms(text: str) -> tuple[str, ...]:
    terms = searched.query_terms(text)
    if not terms:
        raise click.UsageError(f"{text!r} has no word in it; write what the images show")
    return terms

"""``captions get`` and ``captions list``: what is known of images."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import click

from functions import wiring
from functions.cli import show
from functions.cli.options import common
from functions.cli.session import located, session, settings
from functions.domain import Document, Query, document_id
from functions.ports import CaptionStore

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

STATUSES = ("pending", "captioned", "rejected", "failed", "deferred")
_PAGE = 100


@click.command()
@click.argument("uri")
@common
def get(uri: str) -> None:
    """Show the document of one image: gs://BUCKET/NAME, or a path with --local."""
    read = settings()
    bucket, name = located(uri, read)
    stored = wiring.store(read).read(document_id(bucket, name))
    if stored is None:
        raise click.ClickException(
            f"gs://{bucket}/{name} has no caption; `captions caption` makes one"
        )
    if session().json:
        click.echo(show.as_json(show.record(stored.document)))
    else:
        show.console().print(_card(stored.document))


@click.command("list")
@click.option("--status", type=click.Choice(STATUSES), help="Only documents in this state.")
@click.option("--bucket", default="", help="Only images of this bucket.")
@click.option("--prefix", default="", help="Only images whose names begin so.")
@click.option(
    "--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many."
)
@common
def list_(status: str | None, bucket: str, prefix: str, limit: int) -> None:
    """List captions, those that changed last first."""
    query = Query(status=status or "", bucket=bucket, prefix=prefix)
    found = list(walk(wiring.store(settings()), query, limit + 1))
    if session().json:
        for document in found[:limit]:
            click.echo(show.as_json(show.record(document)))
        return
    out = show.console()
    if not found:
        click.echo("No captions there.", err=True)
        return
    out.print(_list(out, found[:limit]))
    out.file.flush()
    if len(found) > limit:
        click.echo(f"The last {limit} that changed; there are more (--limit).", err=True)


def walk(captions: CaptionStore, query: Query, limit: int) -> Iterator[Document]:
    """Documents of as many pages as it takes, up to ``limit``."""
    from dataclasses import replace

    while limit > 0:
        page = captions.find(replace(query, limit=min(limit, _PAGE)))
        for stored in page.found:
            yield stored.document
        limit -= len(page.found)
        if not page.cursor:
            return
        query = replace(query, cursor=page.cursor)


def _list(out: Console, documents: list[Document]) -> Table:
    """A line an image in a pipe; what belongs together one above the other in a terminal."""
    one_bucket = len({document.bucket for document in documents}) == 1
    piped = show.piped(out)
    columns = ("Image", "Status", "Alt text", "Source", "Changed")
    table = show.table(out, *(columns if piped else ("Image", "Alt text*", "Source / changed")))
    table.columns[0].max_width = None if piped else max(24, out.width // 4)
    for each in documents:
        name = show.text(each.name if one_bucket else each.uri, "bold")
        status = show.status(each.status, "review" if each.review.needed else "")
        words = show.text(show.words(each), "" if each.status == "captioned" else "dim")
        source, changed = show.text(each.source), show.text(_when(each.updated_at), "dim")
        if piped:
            table.add_row(name, status, words, source, changed)
        else:
            table.add_row(show.stacked(name, status), words, show.stacked(source, changed))
    return table


def _card(document: Document) -> Table:
    """Every field that says something, in words."""
    card = show.facts()
    usage, review, error = document.usage, document.review, document.error
    size = f"{document.size:,} bytes" if document.size is not None else ""
    pixels = f"{document.width} × {document.height} pixels" if document.width else ""
    spent = f"{usage.input_tokens}+{usage.output_tokens} tokens, {show.money(usage.cost_usd)}"
    looked = f"approved by {review.approved_by}" if review.approved_by else ""
    rows: list[tuple[str, object]] = [
        ("Image", document.uri),
        ("", ", ".join(filter(None, (document.content_type, pixels, size)))),
        ("Alt text", show.words(document) if document.status == "captioned" else ""),
        ("Caption", document.caption),
        *((tag, text["alt_text"]) for tag, text in document.translations.items()),
        ("Text in it", document.visible_text),
        ("Tags", ", ".join(document.tags)),
        ("Problem", f"{error.reason}: {error.message}" if error else ""),
        ("Review", f"needed: {', '.join(review.reasons)}" if review.needed else looked),
        ("Proposal", (document.proposal or {}).get("alt_text", "")),
        ("Source", document.source),
        ("Language", document.language),
        ("Model", document.model_version or document.model),
        ("Prompt", document.prompt),
        ("Spent", f"{usage.model_calls} calls, {spent}" if usage.input_tokens else ""),
        ("Attempts", document.attempts if document.attempts > 1 else ""),
        ("Not before", _when(document.not_before)),
        ("Generation", document.generation),
        ("Captioned", _when(document.captioned_at)),
        ("Changed", _when(document.updated_at)),
    ]
    card.add_row("Status", show.status(document.status))
    for label, value in rows:
        if value != "":
            card.add_row(show.text(label), show.text(value))
    return card


def _when(time: datetime | None) -> str:
    """A time on the reader's clock, to the minute."""
    return f"{time.astimezone():%Y-%m-%d %H:%M}" if time else ""

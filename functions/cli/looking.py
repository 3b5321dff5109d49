"""``captions get``: what is known of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from functions import wiring
from functions.cli import show
from functions.cli.options import common
from functions.cli.session import located, session, settings
from functions.domain import Document, document_id

if TYPE_CHECKING:
    from rich.table import Table


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
        ("Similarity", "" if document.similarity is None else document.similarity),
        ("Proposal", (document.proposal or {}).get("alt_text", "")),
        ("Source", document.source),
        ("Language", document.language),
        ("Model", document.model_version or document.model),
        ("Prompt", document.prompt),
        ("Spent", f"{usage.model_calls} calls, {spent}" if usage.input_tokens else ""),
        ("Attempts", document.attempts if document.attempts > 1 else ""),
        ("Not before", show.when(document.not_before)),
        ("Generation", document.generation),
        ("Captioned", show.when(document.captioned_at)),
        ("Changed", show.when(document.updated_at)),
    ]
    card.add_row("Status", show.status(document.status))
    for label, value in rows:
        if value != "":
            card.add_row(show.text(label), show.text(value))
    return card

"""``captions get``: what is known of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from functions import composition
from functions.cli import output
from functions.cli.options import common
from functions.cli.session import located, session, settings
from functions.core.document import Document, Media, Status, document_id

if TYPE_CHECKING:
    from rich.table import Table


@click.command()
@click.argument("uri")
@common
def get(uri: str) -> None:
    """Show the document of one image: gs://BUCKET/NAME, or a path with --local."""
    read = settings()
    bucket, name = located(uri, read)
    stored = composition.store(read).read(document_id(bucket, name))
    if stored is None:
        raise click.ClickException(
            f"gs://{bucket}/{name} has no caption; `captions caption` makes one"
        )
    if session().json:
        click.echo(output.as_json(output.record(stored.document)))
    else:
        output.console().print(_card(stored.document))


def _media(document: Document) -> str:
    """What it is and how long, where it is no still image."""
    if document.media in (None, Media.IMAGE):
        return ""
    seconds = document.duration_seconds
    return f"{document.media}, {seconds:g} s" if seconds else str(document.media)


def _card(document: Document) -> Table:
    """Every field that says something, in words."""
    card = output.facts()
    usage, review, error = document.usage, document.review, document.error
    size = f"{document.size:,} bytes" if document.size is not None else ""
    pixels = f"{document.width} × {document.height} pixels" if document.width else ""
    spent = f"{usage.input_tokens}+{usage.output_tokens} tokens, {output.money(usage.cost_usd)}"
    looked = f"approved by {review.approved_by}" if review.approved_by else ""
    rows: list[tuple[str, object]] = [
        ("Image", document.uri),
        ("", ", ".join(filter(None, (document.content_type, pixels, size)))),
        ("Shows", _media(document)),
        ("Alt text", output.words(document) if document.status == Status.CAPTIONED else ""),
        ("Caption", document.caption),
        *((tag, text["alt_text"]) for tag, text in document.translations.items()),
        ("Text in it", document.visible_text),
        ("Tags", ", ".join(document.tags)),
        ("Problem", f"{error.reason}: {error.message}" if error else ""),
        ("Review", f"needed: {', '.join(review.reasons)}" if review.needed else looked),
        ("Similarity", "" if document.similarity is None else document.similarity),
        ("Proposal", document.proposal.alt_text if document.proposal else ""),
        ("Source", document.source),
        ("Language", document.language),
        ("Model", document.model_version or document.model),
        ("Prompt", document.prompt),
        ("Spent", f"{usage.model_calls} calls, {spent}" if usage.input_tokens else ""),
        ("Attempts", document.attempts if document.attempts > 1 else ""),
        ("Not before", output.when(document.not_before)),
        ("Generation", document.generation),
        ("Captioned", output.when(document.captioned_at)),
        ("Changed", output.when(document.updated_at)),
    ]
    card.add_row("Status", output.status(document.status))
    for label, value in rows:
        if value != "":
            card.add_row(output.text(label), output.text(value))
    return card

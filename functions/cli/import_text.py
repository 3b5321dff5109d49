"""``captions import``: texts that people wrote elsewhere, out of a CSV or JSON lines file."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import click

from functions import composition
from functions.cli import output
from functions.cli.options import common
from functions.cli.session import session, settings
from functions.core import spreadsheet


@click.command("import")
@click.argument("source", metavar="FILE")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--image-field", help="Of firestore:COLLECTION: where the gs:// address stands.")
@click.option("--text-field", default="output", help="Of firestore:COLLECTION: the text.")
@common
def import_(source: str, dry_run: bool, image_field: str | None, text_field: str) -> None:
    """Take texts out of FILE: CSV or JSON lines with the columns uri and alt_text.

    It takes what the review page exports, edited in a spreadsheet: alt_text, caption, decorative,
    language, approve. A row whose caption has changed since it was exported is left alone.

    firestore:COLLECTION in the place of FILE takes over what Firebase's extensions label-images
    and multimodal-genai have written there: texts of images that have none here, to be reviewed,
    and labels as tags.
    """
    if source.startswith("firestore:"):
        _take_over(source.removeprefix("firestore:"), image_field, text_field, dry_run)
        return
    file = Path(source)
    if not file.is_file():
        raise click.UsageError(f"{source} is no file, and no firestore:COLLECTION")
    _import(file, dry_run)


def _take_over(collection: str, image_field: str | None, text_field: str, dry_run: bool) -> None:
    from functions.usecases.take_over import Fields, take_over

    read = settings()
    if read.local:
        raise click.UsageError("a collection is in Firestore: unset CAPTION_LOCAL")
    fields = Fields(language=read.languages[0], text=text_field)
    if image_field:
        fields = replace(fields, image=(image_field,))
    records = composition.records(read, collection)
    store, images = composition.store(read), composition.images(read)
    ended = Counter[str]()
    for each in take_over(records, fields, store, images, datetime.now(UTC), dry_run=dry_run):
        ended[each.done] += 1
        if session().json:
            click.echo(output.as_json(asdict(each)))
        elif each.done != "unchanged":
            click.echo(output.plain(f"{each.uri or '-'}  {each.done}  {each.why or each.alt_text}"))
    would = "would be " if dry_run else ""
    click.echo(
        f"{ended['captioned']} {would}captioned, {ended['tagged']} {would}tagged, "
        f"{ended['unchanged']} unchanged, {ended['left']} left.",
        err=True,
    )


def _import(file: Path, dry_run: bool) -> None:
    from functions.usecases import import_text

    read = settings()
    captions = composition.store(read)
    try:
        text = spreadsheet.decoded(file.read_bytes())
        lines = file.suffix.lower() in (".jsonl", ".ndjson")
        planned = import_text.plan(captions, import_text.read(text, lines=lines))
    except (ValueError, OSError) as error:
        raise click.UsageError(f"{file}: {error}") from None
    applied = 0
    if not dry_run:
        applied = import_text.carry_out(composition.editing(read, captions), planned, "import")
    for each in planned.changes:
        if session().json:
            record = {"uri": each.row.uri, "conflict": each.conflict or None}
            click.echo(output.as_json(record | {"alt_text": each.after.alt_text}))
        else:
            text = each.after.alt_text or 'alt=""'
            what = f"left alone: {each.conflict}" if each.conflict else text
            click.echo(output.plain(f"{each.row.uri}  {what}"))
    for line, uri, why in planned.errors:
        click.echo(output.plain(f"line {line}: {uri}: {why}"), err=True)
    conflicts = sum(bool(each.conflict) for each in planned.changes)
    done = f"{len(planned.changes) - conflicts} would change" if dry_run else f"{applied} changed"
    click.echo(f"{done}, {conflicts} conflicts, {len(planned.errors)} errors.", err=True)
    if conflicts or planned.errors:
        raise SystemExit(1)

"""``captions import``: texts that people wrote elsewhere, out of a CSV or JSON lines file."""

from __future__ import annotations

from pathlib import Path

import click

from functions import composition
from functions.cli import output
from functions.cli.options import common
from functions.cli.session import session, settings


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@common
def import_(file: Path, dry_run: bool) -> None:
    """Take texts out of FILE: CSV or JSON lines with the columns uri and alt_text.

    It takes what the review page exports, edited in a spreadsheet: alt_text, caption, decorative,
    language, approve. A row whose caption has changed since it was exported is left alone.
    """
    from functions.usecases import import_text

    read = settings()
    captions = composition.store(read)
    try:
        text = file.read_text("utf-8-sig")
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

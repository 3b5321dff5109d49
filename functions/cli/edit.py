"""``captions edit``: a person's words for one image."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING

import click

from functions import composition
from functions.cli import output
from functions.cli.options import common
from functions.cli.session import located, session, settings
from functions.core.document import Document, document_id
from functions.core.errors import Conflict, EditError, NoCaption

if TYPE_CHECKING:
    from functions.usecases.edit_caption import Change, Edited

_CUT = "# ---- what stands below is not kept ----"
_HELP = "The alt text, a blank line, then the caption. No alt text: the image is decorative."


@click.command()
@click.argument("uri")
@click.option("--alt-text", metavar="TEXT", help="What stands in the alt attribute.")
@click.option("--caption", metavar="TEXT", help="One or two sentences.")
@click.option(
    "--long-description",
    metavar="TEXT",
    help="What a sentence cannot say of a chart, diagram, map or table; - reads it from stdin.",
)
@click.option("--decorative/--not-decorative", default=None, help="Whether it says nothing.")
@click.option("--language", metavar="TAG", help="Of these words, like en or pt-BR.")
@click.option("--approve", is_flag=True, help="The words are right.")
@click.option("--accept", is_flag=True, help="Take the model's proposal.")
@common
def edit(
    uri: str,
    alt_text: str | None,
    caption: str | None,
    long_description: str | None,
    decorative: bool | None,
    language: str | None,
    approve: bool,
    accept: bool,
) -> None:
    """Write the words for an image, approve them, or take the model's proposal.

    Without options, an editor opens with the alt text and the caption. What a person wrote is
    not overwritten by a model again.
    """
    from functions.usecases.edit_caption import Change, version

    read = settings()
    bucket, name = located(uri, read)
    captions = composition.store(read)
    key = document_id(bucket, name)
    if long_description == "-":
        long_description = sys.stdin.read()
    written = (alt_text, caption, decorative, language, approve or None, accept)
    change, expected = Change(*written, long_description=long_description), ""
    if change == Change():
        stored = captions.read(key)
        if stored is None:
            raise NoCaption(f"gs://{bucket}/{name} has no caption; `captions caption` makes one")
        change, expected = _written(stored.document), version(stored.document)
    try:
        edited = composition.editing(read, captions).edit(key, change, getpass.getuser(), expected)
    except NoCaption as error:
        raise NoCaption(f"gs://{bucket}/{name}: {error}") from None
    except (Conflict, EditError) as error:
        words = "\n\n".join(filter(None, (change.alt_text, change.caption)))
        lost = f"\nYour words were:\n\n{words}" if expected and words else ""
        raise EditError(f"{error}{lost}") from None
    show(edited)


def show(edited: Edited) -> None:
    """Print the text that stands there now."""
    document = edited.stored.document
    if session().json:
        click.echo(output.as_json(output.record(document)))
    else:
        click.echo(output.plain(output.words(document)))
    if edited.unlabelled:
        click.echo(f"The object's metadata is not written yet: {edited.unlabelled}", err=True)


def _written(document: Document) -> Change:
    """What is written in an editor that opens with the words of ``document``."""
    from functions.usecases.edit_caption import Change

    if not sys.stdin.isatty():
        raise click.UsageError("say what to change, with --alt-text, --approve or another option")
    notes = [_HELP, document.error.message if document.error else ""]
    notes += [f"The model proposes: {document.proposal.alt_text}"] if document.proposal else []
    below = "\n".join(f"# {output.plain(note)}" for note in notes if note)
    before = f"{document.alt_text}\n\n{document.caption}\n\n{_CUT}\n{below}\n"
    after = click.edit(before, extension=".txt")
    kept = (after or "").partition(_CUT)[0]
    if after is None or kept == before.partition(_CUT)[0]:
        raise click.ClickException("nothing was changed")
    alt_text, _, caption = (f"\n{kept}" if kept.startswith("\n") else kept).partition("\n\n")
    return Change(alt_text.strip(), caption.strip(), decorative=not alt_text.strip())

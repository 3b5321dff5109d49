"""``captions retry``: images that ended without a caption, once more."""

from __future__ import annotations

from collections.abc import Sequence

import click

from functions import composition
from functions.adapters import pubsub
from functions.cli import output
from functions.cli.caption import Job, use_cases_of, work
from functions.cli.options import common
from functions.cli.search import walk
from functions.cli.session import choose_model_aloud, session, settings
from functions.core.document import Document, Query, Status

_RETRIED = (Status.FAILED.value, Status.DEFERRED.value)
_ENDED = (*_RETRIED, Status.REJECTED.value, Status.PENDING.value)
_ALL = 10**9


@click.command()
@click.option(
    "--status",
    type=click.Choice(_ENDED),
    multiple=True,
    default=_RETRIED,
    show_default=True,
    help="Which ones; may be given more than once.",
)
@click.option("--bucket", default="", help="Only images of this bucket.")
@click.option("--prefix", default="", help="Only images whose names begin so.")
@click.option("--dry-run", is_flag=True, help="Name them, and do nothing.")
@common
def retry(status: Sequence[str], bucket: str, prefix: str, dry_run: bool) -> None:
    """Try images again that ended without a caption.

    In the cloud, a request for each goes to the topic CAPTION_REQUEST_TOPIC, which the function
    caption_request answers at its own pace. With --local they are captioned here and now.
    """
    read = settings()
    captions = composition.store(read)
    found = [
        document
        for each in dict.fromkeys(status)
        for document in walk(captions, Query(status=each, bucket=bucket, prefix=prefix), _ALL)
    ]
    if dry_run:
        _name(found)
    elif found and read.local:
        choose_model_aloud()
        use_cases = use_cases_of(settings())
        work([Job(each.name, each.bucket, each.name, use_cases) for each in found])
    elif found:
        requests = ((each.bucket, each.name, each.generation, False) for each in found)
        pubsub.publish(read, requests)
    plural = "" if len(found) == 1 else "s"
    done = "to be tried again" if dry_run else "tried again" if read.local else "asked for again"
    click.echo(f"{len(found)} image{plural} {done}.", err=True)


def _name(found: Sequence[Document]) -> None:
    for each in found:
        if session().json:
            click.echo(output.as_json(output.record(each)))
        else:
            why = f"{each.error.reason}: {each.error.message}" if each.error else ""
            click.echo(output.plain(f"{each.status}  {each.uri}  {why}".rstrip()))

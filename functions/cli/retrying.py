"""``captions retry``: images that ended without a caption, once more."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

import click

from functions import wiring
from functions.cli import show
from functions.cli.captioning import Job, desk_of, work
from functions.cli.options import common
from functions.cli.searching import walk
from functions.cli.session import choose_model_aloud, session, settings
from functions.domain import Document, Query
from functions.errors import ConfigurationError
from functions.settings import Settings

_ENDED = ("failed", "deferred", "rejected", "pending")
_ALL = 10**9
_PUBLISH_SECONDS = 30


@click.command()
@click.option(
    "--status",
    type=click.Choice(_ENDED),
    multiple=True,
    default=("failed", "deferred"),
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
    captions = wiring.store(read)
    found = [
        document
        for each in dict.fromkeys(status)
        for document in walk(captions, Query(status=each, bucket=bucket, prefix=prefix), _ALL)
    ]
    if dry_run:
        _name(found)
    elif found and read.local:
        choose_model_aloud()
        desk = desk_of(settings())
        work([Job(each.name, each.bucket, each.name, desk) for each in found])
    elif found:
        _publish(found, read)
    plural = "" if len(found) == 1 else "s"
    done = "to be tried again" if dry_run else "tried again" if read.local else "asked for again"
    click.echo(f"{len(found)} image{plural} {done}.", err=True)


def _name(found: Sequence[Document]) -> None:
    for each in found:
        if session().json:
            click.echo(show.as_json(show.record(each)))
        else:
            why = f"{each.error.reason}: {each.error.message}" if each.error else ""
            click.echo(show.plain(f"{each.status}  {each.uri}  {why}".rstrip()))


def _publish(found: Sequence[Document], settings: Settings) -> None:
    """Ask for each in a message. Raises ConfigurationError if the topic does not take them."""
    from concurrent.futures import TimeoutError as Late

    import google.auth
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError
    from google.cloud.pubsub_v1 import PublisherClient
    from rich.progress import track

    try:
        project = os.environ.get("GOOGLE_CLOUD_PROJECT") or google.auth.default()[1] or ""
        publisher = PublisherClient()
        topic = publisher.topic_path(project, settings.request_topic)
        sent = [publisher.publish(topic, _message(each)) for each in found]
        for each in track(sent, "Asking", console=show.console(), transient=True):
            each.result(timeout=_PUBLISH_SECONDS)
        publisher.stop()
    except (GoogleAPIError, GoogleAuthError, Late) as error:
        raise ConfigurationError(
            f"the topic {settings.request_topic} takes no requests ({type(error).__name__}): set "
            "CAPTION_REQUEST_TOPIC to the one that caption_request listens to, and grant "
            "yourself roles/pubsub.publisher on it"
        ) from error


def _message(document: Document) -> bytes:
    body = {"bucket": document.bucket, "name": document.name}
    return json.dumps(body | {"generation": str(document.generation)}).encode()

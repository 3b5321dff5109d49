"""``captions keep``: what the function of that name does, by hand or by cron."""

from __future__ import annotations

import functools

import click

from functions import composition
from functions.cli import output
from functions.cli.options import common
from functions.cli.session import beneath, choose_model_aloud, session, settings
from functions.core.document import KeepRequest
from functions.core.report import Report


@click.command()
@click.argument("uri", required=False)
@common
def keep(uri: str | None) -> None:
    """Take up what waits and mend what has come apart, of all buckets or of gs://BUCKET[/PREFIX].

    What was over a daily limit, what an outage left behind, lost events, missing labels and
    embeddings, captions of images that are gone. A run ends within a minute, and the next one
    goes on where it stopped: run it every quarter of an hour where Cloud Scheduler does not.
    Status 1 if a person should look at something.
    """
    read = settings()
    if read.local:
        choose_model_aloud()
        read = settings()
    request = KeepRequest(*beneath(uri, read)) if uri else KeepRequest()
    report = Report()
    captioning = functools.cache(lambda: composition.build(read))
    composition.keeping_with(read, captioning).keep(request, report)
    if session().json:
        click.echo(output.as_json({"kept": report.kept, "message": report.message}))
    else:
        click.echo(output.plain(report.message))
    if report.reason:
        raise SystemExit(1)

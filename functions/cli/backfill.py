"""``captions backfill``: every image of a bucket that has no finished caption."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TypeVar

import click

from functions import composition
from functions.adapters import pubsub
from functions.cli import output
from functions.cli.caption import Job, use_cases_of, work
from functions.cli.options import common
from functions.cli.session import beneath, choose_model_aloud, session, settings
from functions.core.document import Answer, Upload
from functions.core.errors import Gone
from functions.model import prices
from functions.settings import Settings
from functions.usecases.reconcile import SETTLED, Reconciler

T = TypeVar("T")


@click.command()
@click.argument("uri", required=False)
@click.option("--dry-run", is_flag=True, help="Name them and what they would cost; do nothing.")
@click.option("--limit", type=click.IntRange(1), help="At most so many.")
@click.option("--force", is_flag=True, help="Also those that have a caption or were rejected.")
@click.option("--yes", is_flag=True, help="Do not ask before it costs anything.")
@common
def backfill(uri: str | None, dry_run: bool, limit: int | None, force: bool, yes: bool) -> None:
    """Caption the images of gs://BUCKET[/PREFIX] that have no finished caption.

    In the cloud, a request for each goes to the topic CAPTION_REQUEST_TOPIC, which the function
    caption_request answers at its own pace. With --local they are captioned here and now. What
    is captioned is left out, so that it can be broken off and run again.
    """
    read = settings()
    bucket, prefix = beneath(uri, read)
    if read.local:  # whoever answers here and now has the price
        choose_model_aloud()
        read = settings()
    reconciler = reconciler_of(read)
    uncaptioned = reconciler.uncaptioned(listed(reconciler, bucket, prefix), force)
    found = list(islice(counted(uncaptioned, "Looking"), limit))
    if dry_run:
        for each in found:
            record = {"uri": each.uri, "generation": str(each.generation), "size": each.size}
            click.echo(output.as_json(record) if session().json else output.plain(each.uri))
    price = f": {cost(read, _captions(len(found)))}" if found else ""
    click.echo(f"{number(len(found), 'image')} to caption{price}.", err=True)
    if dry_run or not found:
        return
    if not yes and sys.stdin.isatty() and not click.confirm("Caption them?", err=True):
        raise SystemExit(1)
    ask(read, [(each.bucket, each.name, each.generation, force) for each in found], force)


def ask(read: Settings, requests: list[pubsub.Request], force: bool = False) -> None:
    """Have these images captioned: here and now in a folder, else by a message for each."""
    if read.local:
        choose_model_aloud()
        use_cases = use_cases_of(settings())
        work([Job(name, bucket, name, use_cases) for bucket, name, *_ in requests], force)
        return
    pubsub.publish(read, counted(requests, "Asking", len(requests)))
    click.echo(f"{number(len(requests), 'image')} asked for.", err=True)


def reconciler_of(read: Settings, *, anew: bool = False) -> Reconciler:
    """The upkeep of the stores that the settings name; a folder has no events to wait for."""
    settled = timedelta(0) if read.local else SETTLED
    stores = composition.store(read), composition.images(read)
    return Reconciler(
        *stores, composition.policy(read), composition.embeddings_of(read), settled, anew=anew
    )


def listed(reconciler: Reconciler, bucket: str, prefix: str) -> Iterator[Upload]:
    """The objects there. Raises click.ClickException if there is no such bucket."""
    try:
        yield from reconciler.uploads(bucket, prefix)
    except Gone:
        raise click.ClickException(f"there is no bucket gs://{bucket}") from None


def counted(items: Iterable[T], what: str, total: float | None = None) -> Iterator[T]:
    """``items``, counted on the terminal as they come."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    console = output.console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=output.piped(console)
    ) as shown:
        yield from shown.track(items, total, description=what)


def number(count: int, noun: str) -> str:
    """``count`` and its noun."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def cost(read: Settings, total: Answer) -> str:
    """What the tokens of ``total`` cost with the first model, for people."""
    first = str(read.model.chain[0])
    today = datetime.now(UTC).date()
    dollars = prices.usage(first, total, read.prices, today).cost_usd
    if read.model.provider == "offline":
        return "free, as CAPTION_MODEL=offline"
    if not dollars and prices.has_price(first, read.prices):
        return f"free, as {first} sends no bill"
    if not dollars:
        return f"CAPTION_PRICES has no price for {first}"
    bound = f", {read.daily_limit:,} model calls a day at most" if read.daily_limit else ""
    return f"about {output.money(round(dollars, 4))} with {first}{bound}"


def _captions(images: int) -> Answer:
    """What so many captions take."""
    each = prices.TYPICAL
    return Answer(
        "", input_tokens=images * each.input_tokens, output_tokens=images * each.output_tokens
    )

"""``captions check``: a bucket beside its captions, in both directions."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import click

from functions import composition
from functions.adapters import pubsub
from functions.cli import output
from functions.cli.backfill import ask, counted, listed, number, reconciler_of
from functions.cli.options import common
from functions.cli.session import beneath, session, settings
from functions.cli.similarity import distribution, drawn
from functions.core.document import Embedding
from functions.core.errors import CaptionError, ConfigurationError
from functions.core.report import Report
from functions.model import prices
from functions.settings import Settings
from functions.usecases.reconcile import (
    ASKED_FOR,
    Mismatch,
    MismatchKind,
    Reconciler,
    ReconcileReport,
)

MEANINGS = {
    MismatchKind.UNCAPTIONED: "image without a caption",
    MismatchKind.OUTDATED: "image newer than its caption",
    MismatchKind.STRANDED: "begun, and nobody is at work on it any more",
    MismatchKind.ORPHAN: "caption of an image that is gone",
    MismatchKind.UNLABELLED: "caption that is not in its object's metadata",
    MismatchKind.UNEMBEDDED: "caption that search by meaning does not find",
    MismatchKind.UNPRIORITISED: "caption to review without its place among the others",
    MismatchKind.UNINDEXED: "caption that search by words finds as an earlier version did",
}
_PICTURE = Embedding((), 258)
_NAMED = 20
_AT_ONCE = 8


@click.command()
@click.argument("uri", required=False)
@click.option("--fix", is_flag=True, help="Mend what is found.")
@click.option("--measure", is_flag=True, help="Measure how well captions match their images.")
@click.option(
    "--embed-anew", is_flag=True, help="Count all embeddings as missing: the model is another."
)
@click.option("--yes", is_flag=True, help="Do not ask before it costs anything.")
@common
def check(uri: str | None, fix: bool, measure: bool, embed_anew: bool, yes: bool) -> None:
    """Compare gs://BUCKET[/PREFIX] with its captions; status 1 if something is to be mended.

    --fix labels, embeds and removes what it can by itself, and asks for captions as backfill
    does. How well captions match their images is shown for those that CAPTION_FILTER=similarity
    or --measure has measured.
    """
    read = settings()
    bucket, prefix = beneath(uri, read)
    reconciler = reconciler_of(read, anew=embed_anew)
    survey = reconciler.survey(
        counted(reconciler.documents(bucket, prefix), "Captions"),
        counted(listed(reconciler, bucket, prefix), "Images"),
        datetime.now(UTC),
    )
    if measure and survey.unmeasured:
        _measure(read, reconciler, bucket, survey, yes)
    _tell(survey, read)
    left = survey.findings
    if fix and left:
        left = _mend(read, reconciler, left)
    elif left and not session().json:
        click.echo("`captions check --fix` mends this.", err=True)
    reconciler.close()
    if left:
        raise SystemExit(1)


def _mend(read: Settings, reconciler: Reconciler, findings: Sequence[Mismatch]) -> list[Mismatch]:
    """Those of ``findings`` that are left."""
    requested = [each for each in findings if each.fault in ASKED_FOR]
    others = [each for each in findings if each.fault not in ASKED_FOR]

    def mended(finding: Mismatch) -> str:
        report = Report()
        try:
            done = reconciler.mend(finding, report)
        except ConfigurationError:
            raise
        except CaptionError as error:
            return str(error)
        return "" if done else report.embedding or "it has changed meanwhile; check again"

    left = []
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        results = counted(pool.map(mended, others), "Mending", len(others))
        for finding, why in zip(others, results, strict=True):
            if why:
                left.append(finding)
                click.echo(f"{output.plain(finding.name)}: {output.plain(why)}", err=True)
    if others:
        click.echo(f"{number(len(others) - len(left), 'fault')} mended.", err=True)
    if requested:
        requests: list[pubsub.Request] = [
            (each.bucket, each.name, None, False) for each in requested
        ]
        ask(read, requests)
    return left


def _measure(
    read: Settings, reconciler: Reconciler, bucket: str, survey: ReconcileReport, yes: bool
) -> None:
    """Measure what is not measured and keep it in the documents, at a price that is told."""
    if composition.embedder(read) is None:
        raise ConfigurationError(
            "--measure needs a model that sees the pictures: set GEMINI_API_KEY and "
            "CAPTION_EMBEDDING_MODEL=gemini-embedding-2"
        )
    each = prices.embedding(f"gemini:{read.embedding_model}", _PICTURE, "image", read.prices)
    names, survey.unmeasured = survey.unmeasured, []
    cost = output.money(round(each * len(names), 4))
    click.echo(f"{number(len(names), 'caption')} to measure: about {cost}.", err=True)
    if not yes and sys.stdin.isatty():
        click.confirm("Measure them?", err=True, abort=True)

    def measured(name: str) -> tuple[float | None, str]:
        report = Report()
        try:
            return reconciler.measure(bucket, name, read.max_pixels, report), report.embedding
        except ConfigurationError:
            raise
        except CaptionError as error:
            return None, str(error)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        results = counted(pool.map(measured, names), "Measuring", len(names))
        for name, (similarity, why) in zip(names, results, strict=True):
            if similarity is not None:
                survey.similarities.append(similarity)
                continue
            survey.unmeasured.append(name)
            why = why or "not measured: the image has changed"
            click.echo(f"{output.plain(name)}: {output.plain(why)}", err=True)


def _tell(survey: ReconcileReport, read: Settings) -> None:
    faults = Counter(each.fault for each in survey.findings)
    similarity = distribution(survey.similarities)
    if session().json:
        for each in survey.findings:
            found = {"fault": each.fault, "uri": f"gs://{each.bucket}/{each.name}"}
            click.echo(output.as_json(found | {"generation": str(each.generation)}))
        summary = {
            "images": survey.images,
            "statuses": survey.statuses,
            "faults": faults,
            "arriving": survey.arriving,
            "review": survey.review,
            "cost_usd": round(survey.cost_usd, 6),
            "similarity": similarity,
            "unmeasured": len(survey.unmeasured),
        }
        click.echo(output.as_json(summary))
        return
    card = output.facts()
    captions = ", ".join(f"{count:,} {status}" for status, count in sorted(survey.statuses.items()))
    rows = [
        ("Images", f"{survey.images:,}"),
        ("Captions", captions or "none"),
        ("To review", f"{survey.review:,}"),
        ("Arriving", f"{survey.arriving:,} that may yet have an event" if survey.arriving else ""),
        ("Cost so far", output.money(round(survey.cost_usd, 6))),
        *(
            (f"{faults[fault]:,} {fault}", MEANINGS[fault])
            for fault in MismatchKind
            if faults[fault]
        ),
    ]
    for label, value in rows:
        if value:
            card.add_row(output.text(label), output.text(value))
    out = output.console()
    out.print(card)
    for each in survey.findings[:_NAMED]:
        out.print(output.text(f"{each.fault}  gs://{each.bucket}/{each.name}"), soft_wrap=True)
    if len(survey.findings) > _NAMED:
        out.print(f"and {len(survey.findings) - _NAMED:,} more (--json names all)")
    if similarity:
        out.print(drawn(similarity, read.similarity_threshold), soft_wrap=True)

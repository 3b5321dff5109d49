"""What ``captions eval`` does: pictures found, asked about, measured, shown and kept."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import click

from functions import composition
from functions import pictures as kinds
from functions.adapters.folder import ignored
from functions.cli import eval_report, output
from functions.cli.session import choose_model_aloud, session
from functions.core.errors import ConfigurationError
from functions.evals import comparison, measures, references, runs
from functions.evals.references import Reference
from functions.evals.runs import Row, Run
from functions.evals.trial import Trial
from functions.model import prices
from functions.model.prompt import PromptText
from functions.settings import Model, Settings

_AT_ONCE = 8
_SAMPLES = Path(__file__).with_name("samples.jsonl")


@dataclass(frozen=True, slots=True)
class TrialPictures:
    """What to ask about: names in a folder, and what people wrote for them."""

    folder: Path
    names: tuple[str, ...]
    references: Mapping[str, Reference]
    origin: str


def run(sample: TrialPictures, models: Sequence[str], wording: Path | None, name: str) -> list[Run]:
    """Ask each model about the pictures; show and keep what came of it."""
    own = PromptText.load(wording) if wording else None
    chosen = _chosen(models)
    if sample.references and find_spec("sacrebleu") is None:
        raise ConfigurationError("BLEU needs the package sacrebleu: make .venv/eval")
    started = datetime.now(UTC)
    files = [_place(name, settings.model, started, len(chosen)) for settings in chosen]
    for settings in chosen:
        click.echo(_bill(settings.model, len(sample.names), settings.prices), err=True)
    made = []
    for settings, file in zip(chosen, files, strict=True):
        one = _kept_run(sample, settings, own, started, file)
        made.append(one)
        figures = measures.totals(one)
        if session().json:
            for row in one.rows:
                click.echo(output.as_json(runs.record(row)))
            click.echo(output.as_json(eval_report.summary(one, figures)))
        else:
            eval_report.show_run(output.console(), one, figures, file)
    return made


def _chosen(models: Sequence[str]) -> list[Settings]:
    """The settings to ask with, one for each model. Raises ConfigurationError."""
    if not models:
        choose_model_aloud()
        return [Settings.from_env(os.environ)]
    chosen = [
        Settings.from_env({**os.environ, "CAPTION_MODEL": each}) for each in dict.fromkeys(models)
    ]
    for settings in chosen:
        composition.require_package(settings.model)
        composition.require_key(settings.model, os.environ)
    return chosen


def _place(name: str, model: Model, started: datetime, models: int) -> Path:
    """Where a run is kept: its name, and its model's where that tells it from others."""
    file = name or f"{started:%Y%m%d-%H%M%S}"
    if not name or models > 1:
        slug = re.sub(r"[^\w.-]+", "-", str(model))
        file = f"{file.removesuffix('.jsonl')}-{slug}" + ".jsonl" * file.endswith(".jsonl")
    place = runs.place(file)
    if place.exists():
        raise ConfigurationError(f"{place} is there already: name the run otherwise with --save")
    return place


def _bill(model: Model, pictures: int, own: Path | None) -> str:
    """What asking will cost, said before it is done."""
    most = len(model.chain) + 1
    first = str(model.chain[0])
    today = datetime.now(UTC).date()
    cost = prices.usage(first, prices.TYPICAL, own, today).cost_usd * pictures
    if cost:
        price = f"about {output.money(round(cost, 4))} for one call each"
    else:
        free = prices.has_price(first, own)
        price = "free" if free else "no price in functions/model/prices.toml"
    return f"{pictures} pictures, one call each to {model}, at most {most}: {price}."


def _kept_run(
    pictures: TrialPictures,
    settings: Settings,
    wording: PromptText | None,
    started: datetime,
    place: Path,
) -> Run:
    """Ask about the pictures and keep the answers, those before an interruption too."""
    with ExitStack() as stack:
        captioners = [
            stack.enter_context(closing(composition.captioner(each, settings.timeout_seconds)))
            for each in settings.model.chain
        ]
        trial = Trial(captioners, settings, composition.policy(settings), wording)
        names = [each for each in pictures.names if not trial.instructions(each)[0].skip]
        run = Run(
            name=place.stem,
            model=str(settings.model),
            prompt=", ".join(sorted({trial.instructions(each)[2].version for each in names})),
            date=started.isoformat(timespec="seconds").replace("+00:00", "Z"),
            settings={
                "pictures": pictures.origin,
                "languages": list(settings.languages),
                "filter": settings.filter,
                "policy": str(settings.policy or ""),
            },
        )
        rows: list[Row] = []
        try:
            for row in _answers(trial, pictures, names):
                rows.append(row)  # one by one: what came before a fault stays
        except BaseException:
            if rows:
                runs.save(replace(run, rows=tuple(rows)), place)
                click.echo(f"{len(rows)} of {len(names)} pictures are kept in {place}", err=True)
            raise
    run = replace(run, rows=tuple(rows))
    runs.save(run, place)
    return run


def _answers(trial: Trial, sample: TrialPictures, names: Sequence[str]) -> Iterator[Row]:
    """The rows, in order, as they come."""
    from rich.progress import Progress

    def row(name: str) -> Row:
        return trial.row(sample.folder, name, sample.references.get(name))

    out = output.console(stderr=True)
    with (
        Progress(console=out, disable=not out.is_terminal) as progress,
        ThreadPoolExecutor(_AT_ONCE) as pool,
    ):
        yield from progress.track(pool.map(row, names), len(names), description="Asking")


def pictures(
    folder: Path | None, written: Path | None, limit: int, stack: ExitStack
) -> TrialPictures:
    """The pictures to ask about: those with references, or all of the folder; or the samples."""
    if folder is None:
        from functions.cli.sample_pictures import draw_into

        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="captions-eval-")))
        draw_into(folder)
        written, origin = written or _SAMPLES, "drawn samples"
    else:
        beside = folder / "references.jsonl"
        written, origin = written or (beside if beside.is_file() else None), str(folder)
    written_for = references.load(written, folder) if written else {}
    names = tuple(written_for or _images(folder))
    if not names:
        raise click.UsageError(f"there are no pictures in {folder}")
    if len(names) > limit:
        click.echo(f"{limit} of {len(names)} pictures; --limit takes more.", err=True)
        names = tuple(names[number * len(names) // limit] for number in range(limit))
    return TrialPictures(folder, names, written_for, origin)


def _images(folder: Path) -> Iterator[str]:
    """The paths of a folder's images, known by their first bytes; ignored files left out."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if ignored(name) or not path.is_file():
            continue
        try:
            with path.open("rb") as file:
                head = file.read(kinds.HEAD_BYTES)
        except OSError:
            continue
        if kinds.sniff(head):
            yield name


def compare(before: Run, after: Run) -> None:
    """Show two runs side by side."""
    compared = comparison.compare(before, after)
    both = measures.totals(before), measures.totals(after)
    if session().json:
        for pair in compared.pairs:
            click.echo(output.as_json(eval_report.pair(pair)))
        click.echo(output.as_json(eval_report.compared(before, after, compared)))
    else:
        eval_report.show_comparison(output.console(), (before, after), both, compared)

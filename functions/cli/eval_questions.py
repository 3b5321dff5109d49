"""``captions eval --questions``: sixty questions whose answers are known, asked for real."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import click
from rich.table import Table

from functions import composition
from functions.adapters.folder import BUCKET
from functions.cli import output
from functions.cli.session import choose_model_aloud, session
from functions.core.errors import CaptionError, ConfigurationError
from functions.core.question import Question
from functions.core.report import Report
from functions.evals.question_set import QUESTIONS, Kind, KnownQuestion, draw_into
from functions.settings import Model, Settings
from functions.usecases.ask_about_image import Answering

_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """What came of a question; ``fault`` says why nothing did."""

    known: KnownQuestion
    answer: str
    answerable: bool
    right: bool
    calls: int
    cost_usd: float
    fault: str = ""


def run(models: Sequence[str]) -> bool:
    """Ask each model; show what came of it. Whether every question was answered."""
    if not models:
        choose_model_aloud()
    chosen = models or [str(Settings.from_env(os.environ).model)]
    return all([_show(model, _asked(model)) for model in chosen])


def _asked(model: str) -> list[AskedQuestion]:
    """The questions as the function ``ask`` answers them, on a folder that goes afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        draw_into(Path(folder))
        own = {
            "CAPTION_MODEL": model,
            "CAPTION_LOCAL": folder,
            "CAPTION_ASK_DAILY_LIMIT": "1000000",
        }
        settings = Settings.from_env({**os.environ, **own})
        composition.require_package(settings.model)
        composition.require_key(settings.model, os.environ)
        answering = composition.answering_by(settings)
        click.echo(
            f"{len(QUESTIONS)} questions to {_named(settings.model)}, one call each.", err=True
        )
        try:
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                return list(pool.map(lambda each: _one(answering, each), QUESTIONS))
        finally:
            answering.close()


def _named(model: Model) -> str:
    return str(model)


def _one(answering: Answering, known: KnownQuestion) -> AskedQuestion:
    report, fault = Report(), ""
    answer, answerable, right = "", False, False
    try:
        said = answering.ask(
            answering.live(BUCKET, known.picture), Question(known.text, "en"), report
        )
        answer, answerable = said.text, said.answerable
        right = known.judged(answer, answerable)
    except ConfigurationError:
        raise
    except CaptionError as error:
        fault = str(error) or type(error).__name__
    usage = report.usage
    return AskedQuestion(known, answer, answerable, right, usage.model_calls, usage.cost_usd, fault)


def _show(model: str, asked: list[AskedQuestion]) -> bool:
    right = sum(each.right for each in asked)
    cost = sum(each.cost_usd for each in asked)
    if session().json:
        for each in asked:
            click.echo(output.as_json(_record(each)))
        totals = {kind.value: _of(asked, kind)[1] for kind in Kind}
        summary = {"model": model, "questions": len(asked), "right": right, "by_kind": totals}
        click.echo(output.as_json(summary | {"cost_usd": round(cost, 6)}))
        return not any(each.fault for each in asked)
    table = Table("Kind", "Asked", "Right", "Not answered")
    for kind in Kind:
        table.add_row(kind.value, *map(str, _of(asked, kind)))
    table.add_row("all", str(len(asked)), str(right), str(sum(bool(e.fault) for e in asked)))
    console = output.console()
    console.print(f"{model}: {sum(each.calls for each in asked)} calls, {output.money(cost)}")
    console.print(table)
    for each in asked:
        if not each.right:
            said = each.fault or f"{each.answer} (answerable: {str(each.answerable).lower()})"
            line = f"{each.known.picture}: {each.known.text} {said}"
            console.print(output.text(output.plain(line)), soft_wrap=True)
    return not any(each.fault for each in asked)


def _of(asked: list[AskedQuestion], kind: Kind) -> tuple[int, int, int]:
    mine = [each for each in asked if each.known.kind is kind]
    return len(mine), sum(each.right for each in mine), sum(bool(each.fault) for each in mine)


def _record(each: AskedQuestion) -> dict[str, object]:
    return {
        "kind": each.known.kind.value,
        "picture": each.known.picture,
        "question": each.known.text,
        "answer": each.answer,
        "answerable": each.answerable,
        "right": each.right,
        "error": each.fault or None,
    }

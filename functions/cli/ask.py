"""``captions ask``: a question about an image, or a dialogue."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from functions import composition
from functions.cli import output
from functions.cli.options import LANGUAGE, common
from functions.cli.session import choose_model, located, session, settings
from functions.core.errors import Gone, OverBudget
from functions.core.plain_text import plain_line
from functions.core.question import (
    LONGEST_QUESTION,
    MOST_TURNS,
    Exchange,
    ImageAnswer,
    Question,
)
from functions.core.report import Report

if TYPE_CHECKING:
    from functions.core.document import Upload
    from functions.usecases.ask_about_image import Answering


@click.command()
@click.argument("uri")
@click.argument("question", required=False)
@click.option("--lang", "language", type=LANGUAGE, default="", help="Answer in this language.")
@common
def ask(uri: str, question: str | None, language: str) -> None:
    """Ask what is to be seen in an image: gs://BUCKET/NAME, or a path with --local.

    Without QUESTION, ask as often as you like: later questions may refer to earlier ones. An
    empty line ends it.
    """
    read = settings()
    bucket, name = located(uri, read)
    choose_model(cloud=read.local is None)
    answering = composition.answering_by(settings())
    try:
        upload = _live(answering, bucket, name)
        if question is not None:
            _show(uri, question, _answer(answering, upload, _question(question, language)))
            return
        _converse(answering, upload, uri, language)
    finally:
        answering.give_back()
        answering.close()


def _live(answering: Answering, bucket: str, name: str) -> Upload:
    try:
        return answering.live(bucket, name)
    except Gone:
        raise click.ClickException(
            f"gs://{bucket}/{name} is no image, or its metadata or a rule keeps it from models"
        ) from None


def _question(text: str, language: str, history: tuple[Exchange, ...] = ()) -> Question:
    line = plain_line(text, len(text))
    if not any(character.isalnum() for character in line):
        raise click.UsageError('there is no question; write one, like "What does the sign say?"')
    if len(text.strip()) > LONGEST_QUESTION:
        raise click.UsageError(f"the question is longer than {LONGEST_QUESTION} characters")
    return Question(line, language, history)


def _answer(answering: Answering, upload: Upload, question: Question) -> ImageAnswer:
    try:
        return answering.ask(upload, question, Report())
    except OverBudget:
        raise click.ClickException(
            "the day's answers are spent; raise CAPTION_ASK_DAILY_LIMIT, or ask tomorrow"
        ) from None
    except Gone:
        raise click.ClickException(f"{upload.uri} has been replaced or deleted") from None


def _converse(answering: Answering, upload: Upload, uri: str, language: str) -> None:
    """Questions from standard input, until it ends or one is empty."""
    history: tuple[Exchange, ...] = ()
    while text := _next():
        try:
            question = _question(text, language, history)
        except click.UsageError as wrong:
            click.echo(wrong.message, err=True)
            continue
        answer = _answer(answering, upload, question)
        _show(uri, question.text, answer)
        history = (*history, Exchange(question.text, answer.text))[-MOST_TURNS:]


def _next() -> str:
    click.echo("? ", nl=False, err=True)
    return sys.stdin.readline().strip()


def _show(uri: str, question: str, answer: ImageAnswer) -> None:
    if session().json:
        record = {
            "uri": uri,
            "question": question,
            "answer": answer.text,
            "answerable": answer.answerable,
            "language": answer.language,
            "model": answer.model,
            "cached": answer.cached,
        }
        click.echo(output.as_json(record))
    else:
        click.echo(output.plain(answer.text))

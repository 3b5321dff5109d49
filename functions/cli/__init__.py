"""The command ``captions``: one file a command group, heavy imports only where they are used."""

from __future__ import annotations

import io
import os
import sys

import click

from functions.cli.ask import ask
from functions.cli.audit import audit
from functions.cli.backfill import backfill
from functions.cli.caption import caption
from functions.cli.check import check
from functions.cli.demo import demo
from functions.cli.edit import edit
from functions.cli.eval import evaluate
from functions.cli.get import get
from functions.cli.history import history, restore
from functions.cli.html import html
from functions.cli.import_text import import_
from functions.cli.keep import keep
from functions.cli.models import models
from functions.cli.options import common
from functions.cli.retry import retry
from functions.cli.rules import rules
from functions.cli.search import list_, search
from functions.cli.serve import serve
from functions.core.errors import CaptionError, ConfigurationError
from functions.settings import misspelt


class Misconfigured(click.ClickException):
    """A setting is wrong: shown without a traceback, as wrong usage is."""

    exit_code = 2


class Captions(click.Group):
    """Turns the package's own errors into a line and an exit status."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        for each in args:
            try:
                each.encode()
            except UnicodeEncodeError:
                raise click.UsageError(
                    f"{each} is not in UTF-8; rename what it names, or set PYTHONUTF8=1 where only "
                    "the terminal's language has another encoding"
                ) from None
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        for each in misspelt(os.environ):
            click.echo(f"Warning: {each}", err=True)
        try:
            return super().invoke(ctx)
        except CaptionError as error:
            wrong = isinstance(error, ConfigurationError)
            raise (Misconfigured if wrong else click.ClickException)(str(error)) from None


@click.group(cls=Captions, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(None, "--version", package_name="bucket-captions", prog_name="captions")
@common
def captions() -> None:
    """Alt text for every image in a Cloud Storage bucket, or in a folder.

    \b
    captions demo                      sees it work, in seconds and without an account
    captions serve FOLDER              captions whatever is dropped into a folder
    captions caption gs://BUCKET/NAME  captions one image now
    """


for each in (
    *(demo, serve, caption, ask, get, list_, search, edit, history, restore, import_),
    *(retry, keep, backfill, check),
    *(rules, models, evaluate, html, audit),
):
    captions.add_command(each)


def main() -> None:
    """Run the command line; its status is 0 done, 1 something failed, 2 wrong usage."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    captions(prog_name="captions")

"""``captions rules``: which rule applies to an image, and what a model would be told."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import click

from functions import composition
from functions.cli import output
from functions.cli.options import common
from functions.cli.session import located, session, settings
from functions.core.document import Upload
from functions.model import prompt
from functions.usecases import preflight


@click.command()
@click.argument("uri")
@common
def rules(uri: str) -> None:
    """Show which rule of captions.toml applies to an image, and the prompt that would be sent.

    The image need not exist; hints that stand in its metadata are left out.
    """
    read = settings()
    bucket, name = located(uri, read)
    rule = composition.policy(read).rule(name)
    upload = Upload(bucket, name, 0, datetime.now(UTC))
    languages = preflight.languages(upload, rule, read.languages)
    instructions = prompt.compose(rule, languages)
    if session().json:
        record = {
            "file": str(composition.policy_file(read) or ""),
            "match": rule.match,
            "line": rule.line,
            "skip": rule.skip,
            "languages": list(languages),
            "prompt": instructions.version,
            "system": instructions.system,
            "user": instructions.user,
            "schema": instructions.schema,
        }
        click.echo(json.dumps(record, ensure_ascii=False))
        return
    file = composition.policy_file(read)
    none = f"none of {file}" if file else "there is no captions.toml"
    where = f"{file}, line {rule.line}, match = {rule.match!r}" if rule.line else none
    click.echo(output.plain(f"Rule       {where}"))
    click.echo(f"Captioned  {'no: skip = true' if rule.skip else 'yes'}")
    if not rule.skip:
        click.echo(f"Languages  {', '.join(languages)}")
        click.echo(
            f"Prompt     {instructions.version}\n\n{instructions.system}\n{instructions.user}"
        )

"""``captions models``: who can be asked, what that takes, and whether it works."""

from __future__ import annotations

import os
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from functions import composition
from functions.cli import output
from functions.cli.options import common
from functions.cli.session import choose_model, session
from functions.core.document import Answer
from functions.core.errors import CaptionError, ConfigurationError
from functions.providers import PROVIDERS, Provider
from functions.settings import Model, Settings

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


@dataclass(frozen=True, slots=True)
class Check:
    """What came of asking a model once. ``problem`` is empty if all is well."""

    model: str
    problem: str = ""
    said: str = ""
    version: str = ""
    milliseconds: int = 0
    cost_usd: float = 0.0


@click.command()
@click.option("--check", is_flag=True, help="Ask the chosen models once each, for real.")
@common
def models(check: bool) -> None:
    """List who can write the captions, and what each still needs.

    Status 1 says that a model of CAPTION_MODEL is not ready, or did not pass the check. The
    check sends a drawn picture; it is paid for like any other, and counts against no limit.
    """
    chosen = _chosen().chain
    lacking = {name: _lacking(provider) for name, provider in PROVIDERS.items()}
    checks = [
        _checked(each) if not lacking[each.provider] else Check(str(each), lacking[each.provider])
        for each in (chosen if check else ())
    ]
    if session().json:
        _print_json(chosen, lacking, checks)
    else:
        _print(output.console(), chosen, lacking, checks)
    if any(lacking[each.provider] for each in chosen) or any(each.problem for each in checks):
        raise SystemExit(1)


def _chosen() -> Model:
    """The model that CAPTION_MODEL names, ready or not; else the one that would be used."""
    if os.environ.get("CAPTION_MODEL", "").strip():
        return Settings.from_env(os.environ).model
    return choose_model().model


def _lacking(provider: Provider) -> str:
    """What to do before a provider can be asked; empty if nothing."""
    model = Model(provider.name, "MODEL")
    try:
        composition.require_package(model)
    except ConfigurationError:
        return f"pip install {provider.install}"
    try:
        composition.require_key(model, os.environ)
    except ConfigurationError:
        own = f" or {provider.endpoint}" if provider.own_servers else ""
        return f"set {provider.keys[0]}{own}"
    return ""


def _checked(model: Model) -> Check:
    from functions import pictures
    from functions.cli.sample_pictures import logo
    from functions.core.policy import Rule
    from functions.model import prices, prompt

    settings = Settings.from_env(os.environ)
    try:
        with closing(composition.captioner(model, settings.timeout_seconds)) as captioner:
            picture = pictures.prepare(logo(), captioner.accepts, settings.max_pixels)
            told = prompt.compose(Rule(), settings.languages[:1])
            started = time.monotonic()
            answer = captioner.describe(picture, told)
            took = round((time.monotonic() - started) * 1000)
        problem, said = _judged(answer)
    except CaptionError as error:
        return Check(str(model), str(error))
    cost = prices.usage(str(model), answer, settings.prices).cost_usd
    return Check(str(model), problem, said, answer.model_version, took, cost)


def _judged(answer: Answer) -> tuple[str, str]:
    """What is wrong with the answer to the drawn picture, and its alt text."""
    from functions.core.errors import UnusableReply
    from functions.model.reply import read_reply

    if answer.blocked:
        return f"it refused the drawn picture ({answer.blocked})", ""
    try:
        return "", read_reply(answer).alt_text
    except UnusableReply as error:
        return f"its reply cannot be read: {error}", ""


def _print(
    out: Console, chosen: tuple[Model, ...], lacking: dict[str, str], checks: list[Check]
) -> None:
    table = output.table(out, "Provider", "Ready*", "Reads")
    for name, provider in PROVIDERS.items():
        asked = [
            output.text(f"chosen: {each.name}".rstrip(": "), "dim")
            for each in chosen
            if each.provider == name
        ]
        missing = lacking[name]
        reads = [
            output.text(each, "" if os.environ.get(each) else "dim")
            for each in (*provider.keys, provider.endpoint)
        ]
        table.add_row(
            _cell(out, output.text(name, "bold"), *asked),
            output.text(missing or "yes", "yellow" if missing else "green"),
            _cell(out, *reads),
        )
    out.print(table)
    for each in checks:
        out.print()
        facts = output.facts()
        facts.add_row("Model", output.text(each.model))
        if each.problem:
            facts.add_row("Failed", output.text(each.problem, "red"))
        else:
            facts.add_row("Alt text", output.text(each.said, "green"))
            facts.add_row("Served by", output.text(each.version))
            facts.add_row(
                "Took", output.text(f"{each.milliseconds} ms, {output.money(each.cost_usd)}")
            )
        out.print(facts)


def _cell(out: Console, *parts: Text) -> Text:
    """Parts one above the other, or in a pipe, where a record is a line, one after the other."""
    from rich.text import Text

    if output.piped(out):
        return Text(" ").join(each for each in parts if each.plain)
    return output.stacked(*parts)


def _print_json(chosen: tuple[Model, ...], lacking: dict[str, str], checks: list[Check]) -> None:
    for name, provider in PROVIDERS.items():
        record: dict[str, Any] = {
            "provider": name,
            "ready": not lacking[name],
            "needs": lacking[name] or None,
            "keys": {key: provider.holds(os.environ, key) for key in provider.keys},
            "endpoint": provider.endpoint or None,
            "package": provider.package or None,
            "chosen": [str(each) for each in chosen if each.provider == name],
        }
        if checks:
            record["checks"] = [
                {
                    "model": each.model,
                    "ok": not each.problem,
                    "problem": each.problem or None,
                    "alt_text": each.said or None,
                    "model_version": each.version or None,
                    "duration_ms": each.milliseconds,
                    "cost_usd": each.cost_usd,
                }
                for each in checks
                if each.model.partition(":")[0] == name
            ]
        click.echo(output.as_json(record))

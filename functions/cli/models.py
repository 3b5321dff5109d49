"""``captions models``: who can be asked, what that takes, and whether it works."""

from __future__ import annotations

import os
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from functions import composition
from functions.adapters import ollama_server
from functions.cli import output
from functions.cli.options import common
from functions.cli.session import choose_model, session
from functions.core.document import Answer
from functions.core.errors import CaptionError, ConfigurationError
from functions.model import prices, retirements
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
    alt_text: str = ""
    version: str = ""
    milliseconds: int = 0
    cost_usd: float = 0.0


@click.command()
@click.option("--check", is_flag=True, help="Ask the chosen models once each, for real.")
@common
def models(check: bool) -> None:
    """List who can write the captions, what each still needs, and what is known of its price.

    Of Ollama, the models that it holds and that see pictures are listed; of the chosen models,
    those that are announced to go.

    Status 1 says that a model of CAPTION_MODEL is not ready, or did not pass the check. The
    check sends a drawn picture; it is paid for like any other, and counts against no limit.
    """
    chosen = _chosen().chain
    ollama = ollama_server.find(os.environ)
    lacking = {name: _lacking(provider, ollama) for name, provider in PROVIDERS.items()}
    needs = {str(each): lacking[each.provider] or _missing(each, ollama) for each in chosen}
    lacking |= {each.provider: needs[str(each)] for each in chosen if needs[str(each)]}
    checks = [
        Check(str(each), needs[str(each)]) if needs[str(each)] else _checked(each)
        for each in (chosen if check else ())
    ]
    own = Settings.from_env(os.environ).prices
    if session().json:
        _print_json(chosen, lacking, checks, ollama, own)
    else:
        _print(output.console(), chosen, lacking, checks)
        _print_facts(output.console(), chosen, ollama, own)
    if any(needs.values()) or any(each.problem for each in checks):
        raise SystemExit(1)


def _chosen() -> Model:
    """The model that CAPTION_MODEL names, ready or not; else the one that would be used."""
    if os.environ.get("CAPTION_MODEL", "").strip():
        return Settings.from_env(os.environ).model
    return choose_model().model


def _lacking(provider: Provider, ollama: ollama_server.Server | None) -> str:
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
    if provider.name == "ollama" and not ollama:
        return f"no server answers at {ollama_server.address(os.environ)}"
    if provider.name == "ollama" and ollama and not ollama.models:
        return ollama_server.PULL
    return ""


def _missing(model: Model, ollama: ollama_server.Server | None) -> str:
    """What to do before Ollama can be asked for a model; empty if nothing."""
    if model.provider != "ollama" or not ollama:
        return ""
    names = {model.name, f"{model.name}:latest"}
    return "" if names & set(ollama.models) else f"ollama pull {model.name}, if it sees pictures"


def _notices(chosen: tuple[Model, ...]) -> list[str]:
    """What is announced of the chosen models."""
    today = datetime.now(UTC).date()
    ends = {str(each): retirements.of(str(each)) for each in chosen}
    return [end.notice(model, today) for model, end in ends.items() if end]


def _checked(model: Model) -> Check:
    from functions import pictures
    from functions.cli.sample_pictures import logo
    from functions.core.policy import Rule
    from functions.model import prompt

    settings = Settings.from_env(os.environ)
    try:
        with closing(composition.captioner(model, settings.timeout_seconds)) as captioner:
            picture = pictures.prepare(logo(), captioner.accepts, settings.max_pixels)
            instructions = prompt.compose(Rule(), settings.languages[:1])
            started = time.monotonic()
            answer = captioner.describe(picture, instructions)
            took = round((time.monotonic() - started) * 1000)
        problem, alt_text = _judged(answer)
    except CaptionError as error:
        return Check(str(model), str(error))
    today = datetime.now(UTC).date()
    cost = prices.usage(str(model), answer, settings.prices, today).cost_usd
    return Check(str(model), problem, alt_text, answer.model_version, took, cost)


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
        chosen_names = [
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
            _cell(out, output.text(name, "bold"), *chosen_names),
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
            facts.add_row("Alt text", output.text(each.alt_text, "green"))
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


def _print_facts(
    out: Console, chosen: tuple[Model, ...], ollama: ollama_server.Server | None, own: Path | None
) -> None:
    """What is known beyond who is ready: Ollama's models, prices, and what is announced to go."""
    facts = output.facts()
    if ollama and ollama.models:
        facts.add_row("Ollama", output.text(f"{ollama.address}, where these see pictures:"))
        for each in ollama.models:
            facts.add_row("", output.text(f"CAPTION_MODEL=ollama:{each}", "bold"))
    elif ollama:
        facts.add_row("Ollama", output.text(f"{ollama.address}, where no model sees pictures:"))
        facts.add_row("", output.text(ollama_server.PULL, "bold"))
    facts.add_row("Prices", output.text(f"as of {prices.as_of()}, in functions/model/prices.toml"))
    for model in _unpriced(chosen, own):
        unknown = f"none for {model}: its calls count as $0; name them in CAPTION_PRICES"
        facts.add_row("", output.text(unknown, "yellow"))
    for notice in _notices(chosen):
        facts.add_row("Announced", output.text(f"{notice} (as of {retirements.as_of()})", "yellow"))
    out.print()
    out.print(facts)


def _unpriced(chosen: tuple[Model, ...], own: Path | None) -> list[str]:
    return [str(each) for each in chosen if not prices.has_price(str(each), own)]


def _print_json(
    chosen: tuple[Model, ...],
    lacking: dict[str, str],
    checks: list[Check],
    ollama: ollama_server.Server | None,
    own: Path | None,
) -> None:
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
        mine = tuple(each for each in chosen if each.provider == name)
        if mine:
            record["prices_as_of"] = prices.as_of().isoformat()
            record["without_price"] = _unpriced(mine, own)
            record["announced"] = _notices(mine)
        if name == "ollama":
            record["address"] = ollama_server.address(os.environ)
            record["models"] = list(ollama.models) if ollama else []
        if checks:
            record["checks"] = [
                {
                    "model": each.model,
                    "ok": not each.problem,
                    "problem": each.problem or None,
                    "alt_text": each.alt_text or None,
                    "model_version": each.version or None,
                    "duration_ms": each.milliseconds,
                    "cost_usd": each.cost_usd,
                }
                for each in checks
                if each.model.partition(":")[0] == name
            ]
        click.echo(output.as_json(record))

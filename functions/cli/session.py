"""What every command shares: the settings, the model, the stores, and names of images."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from functions import composition
from functions.adapters import ollama_server
from functions.adapters.folder import BUCKET
from functions.core.errors import ConfigurationError
from functions.providers import PROVIDERS
from functions.settings import Model, Settings

_CHOSEN = "CAPTION_MODEL says so"
# What is offered to whom has another provider's key.
_OTHERS = {
    "OPENAI_API_KEY": "openai:gpt-6-luna",
    "ANTHROPIC_API_KEY": "anthropic:claude-haiku-5-5",
}


@dataclass(slots=True)
class Session:
    """The options that hold for all commands."""

    json: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """Which model answers, and why that one; ``offers`` are others that are there to be chosen."""

    model: Model
    why: str
    offers: tuple[str, ...] = ()

    @property
    def stopgap(self) -> bool:
        """Whether it has come down to ``offline``, which nobody has asked for."""
        return self.model.provider == "offline" and self.why != _CHOSEN


def session() -> Session:
    """The running command's."""
    return click.get_current_context().find_root().ensure_object(Session)


def choose_model(cloud: bool = False) -> Choice:
    """The model of CAPTION_MODEL; if that is unset, the default one, or ``offline`` where there
    is no key for it. The choice is put into the environment, for the functions to find.

    In the ``cloud``, where what it writes may be on a website, nobody gets ``offline`` who has
    not asked for it: ConfigurationError.
    """
    default = Settings.from_env({}).model
    if os.environ.get("CAPTION_MODEL", "").strip():
        model = Settings.from_env(os.environ).model
        composition.require_key(model, os.environ)
        return Choice(model, _CHOSEN)
    if fault := PROVIDERS[default.provider].fault(os.environ):
        raise ConfigurationError(fault)
    if key := _key(default, os.environ):
        return Choice(default, f"{key} is set")
    offers = tuple(_offers(os.environ))
    if cloud:
        raise ConfigurationError(
            f"GEMINI_API_KEY is not set. Set it; {''.join(f'or {each}; ' for each in offers)}or "
            "CAPTION_MODEL=offline to give the images of a bucket captions that name only size "
            "and colours."
        )
    os.environ["CAPTION_MODEL"] = "offline"
    return Choice(Model("offline"), "GEMINI_API_KEY is not set", offers)


def _offers(env: Mapping[str, str]) -> Iterator[str]:
    """What would let a model describe the pictures that is there already: another one's key, or
    Ollama on this machine. Nobody is asked, and none is taken unasked."""
    for key, model in _OTHERS.items():
        if env.get(key):
            yield f"CAPTION_MODEL={model}, as {key} is set"
    found = ollama_server.find(env)
    if found and found.models:
        yield f"CAPTION_MODEL=ollama:{found.models[0]}, as Ollama answers at {found.address}"
    elif found:
        yield f"{ollama_server.PULL}, as Ollama answers at {found.address}, where no model sees"


def choose_model_aloud(cloud: bool = False) -> Choice:
    """As :func:`choose_model`, and say so if it has come down to ``offline``."""
    choice = choose_model(cloud)
    if choice.stopgap:
        default = Settings.from_env({}).model
        others = "".join(f" Or {each}." for each in choice.offers)
        click.echo(
            f"No model: {choice.why}, so captions name only size and colours. "
            f"Set it to let {default} describe the pictures.{others}",
            err=True,
        )
    return choice


def settings() -> Settings:
    """The environment's settings; a command that asks no model needs no key."""
    return Settings.from_env(os.environ)


def located(text: str, settings: Settings) -> tuple[str, str]:
    """Bucket and name of ``gs://BUCKET/NAME``, or with a local folder of a path in it."""
    if text.startswith("gs://"):
        bucket, _, name = text.removeprefix("gs://").partition("/")
        if not bucket or not name:
            raise click.UsageError(f"{text} names no object; write gs://BUCKET/NAME")
        if settings.local and bucket != BUCKET:
            raise click.UsageError(
                f"{text} is not in {settings.local}, whose bucket is called {BUCKET}; "
                "unset CAPTION_LOCAL to work on Cloud Storage"
            )
        return bucket, name
    if settings.local is None:
        raise click.UsageError(
            f"{text} is no object of Cloud Storage; write gs://BUCKET/NAME, "
            "or give --local FOLDER for the files in a folder"
        )
    return BUCKET, _name_in(text, settings.local)


def beneath(text: str | None, settings: Settings) -> tuple[str, str]:
    """Bucket and prefix of ``gs://BUCKET`` or ``gs://BUCKET/PREFIX``; all of a local folder if
    there is no ``text``."""
    if text is None and settings.local:
        return BUCKET, ""
    bucket, _, prefix = (text or "").removeprefix("gs://").partition("/")
    if not bucket or not (text or "").startswith("gs://"):
        wrong = f"{text} is no bucket" if text else "no bucket is named"
        raise click.UsageError(f"{wrong}; write gs://BUCKET[/PREFIX], or give --local FOLDER")
    if settings.local and bucket != BUCKET:
        raise click.UsageError(
            f"{text} is not in {settings.local}, whose bucket is called {BUCKET}; "
            "unset CAPTION_LOCAL to work on Cloud Storage"
        )
    return bucket, prefix


def _name_in(text: str, folder: Path) -> str:
    """The name of a file by its path, or as it is if it is a path in ``folder`` already."""
    path = Path(os.path.abspath(text))
    path = path.parent.resolve() / path.name
    if path.is_relative_to(folder) and path != folder:
        return path.relative_to(folder).as_posix()
    if Path(text).is_absolute() or ".." in Path(text).parts:
        raise click.UsageError(f"{text} is not in the folder {folder}; copy it there first")
    return Path(text).as_posix()


def _key(model: Model, env: Mapping[str, str]) -> str:
    """The variable that lets the model's provider be called; empty if there is none."""
    for name in env:
        try:
            composition.require_key(model, {name: env[name]})
        except ConfigurationError:
            continue
        return name
    return ""

"""Options that every command takes, before or after its name."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from functions.cli.session import Session

F = TypeVar("F", bound=Callable[..., Any])


def common(command: F) -> F:
    """Add ``--local`` and ``--json`` to a command or group."""
    local = click.option(
        "--local",
        metavar="FOLDER",
        type=click.Path(exists=True, file_okay=False, resolve_path=True),
        expose_value=False,
        callback=_set_local,
        help="Work on this folder instead of Google Cloud.",
    )
    json = click.option(
        "--json",
        is_flag=True,
        expose_value=False,
        callback=_set_json,
        help="Print JSON, one line a record.",
    )
    return local(json(command))


def _set_local(context: click.Context, option: click.Parameter, value: str | None) -> None:
    if value:
        os.environ["CAPTION_LOCAL"] = value


def _set_json(context: click.Context, option: click.Parameter, value: bool) -> None:
    if value:
        context.find_root().ensure_object(Session).json = True

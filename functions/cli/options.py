"""Options that every command takes, before or after its name."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import click

from functions.cli.session import Session
from functions.core.language_tags import language_tag

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


class _Time(click.ParamType[datetime]):
    """A date or time, the reader's if it names no zone, or how long ago: ``90m 12h 7d 2w``."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        if isinstance(value, datetime):
            return value
        units = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
        try:
            if ago := re.fullmatch(r"(\d{1,6})([mhdw])", value.strip().lower()):
                return datetime.now(UTC) - timedelta(**{units[ago[2]]: int(ago[1])})
            return datetime.fromisoformat(value.strip()).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(
                f"{value!r} is no time; write 2026-11-23, 2026-11-23T18:30, or how long ago, "
                "like 90m, 12h, 7d, 2w",
                param,
                ctx,
            )


class _Language(click.ParamType[str]):
    """A BCP 47 tag, in its canonical form."""

    name = "tag"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return language_tag(value) if value else ""
        except ValueError as error:
            self.fail(str(error), param, ctx)


TIME = _Time()
LANGUAGE = _Language()

"""Which models are announced to go, and what follows them: the dated rows of retirements.toml."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

_DATED = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|\d{3,8})$")


@dataclass(frozen=True, slots=True)
class Retirement:
    """A model's end: from the day ``on`` it is gone, or its calls are ``routed`` to ``next``."""

    on: date
    next: str
    routed: bool = False

    def notice(self, model: str, today: date) -> str:
        """What a person should know of it."""
        goes = "is announced to go" if today < self.on else "was announced to go"
        then = f"; then {self.next} answers, at its price" if self.routed else ""
        return f"{model} {goes} on {self.on}{then}: set CAPTION_MODEL={self.next}"


def of(model: str) -> Retirement | None:
    """The announced end of ``provider:model``, or of the model that it is a dated version of."""
    return _table().get(model) or _table().get(_DATED.sub("", model))


def as_of() -> date:
    """When the table was last looked at."""
    looked_at: date = _read()["as_of"]
    return looked_at


@functools.cache
def _table() -> Mapping[str, Retirement]:
    rows = {model: Retirement(**row) for model, row in _read().items() if model != "as_of"}
    old = {f"google-generativeai:{model.partition(':')[2]}": row for model, row in rows.items()
           if model.startswith("gemini:")}  # fmt: skip
    return old | rows


@functools.cache
def _read() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))

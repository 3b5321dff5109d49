"""Where the time of one delivery goes: named spans, for whoever records them. By default nobody."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

Open = Callable[[str], AbstractContextManager[Any]]


class _Spans:
    open: Open | None = None


def span(name: str) -> AbstractContextManager[Any]:
    """A part of the work, as long as the block lasts; parts within parts belong to them."""
    return _Spans.open(name) if _Spans.open else nullcontext()


def record(open_: Open | None) -> None:
    """Have the spans opened by this from now on; None for nobody again."""
    _Spans.open = open_

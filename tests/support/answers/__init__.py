"""What models really answer: ready-made bodies in their own wire formats.

Each vendor's module offers functions that make an Answer, and ``ERRORS``, the error answers by
name. ``caption()`` makes the reply of a model that does as it is told.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Answer:
    """One HTTP answer. ``body`` is sent as it is if bytes, else as JSON.

    ``delay`` is the wait before it, ``trickle`` the wait between its bytes, in seconds;
    ``hang`` answers nothing, ``drop`` closes the connection.
    """

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0
    trickle: float = 0
    hang: bool = False
    drop: bool = False

    @property
    def data(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


# How a vendor beyond the stand-in's own says something, by the last part of its address: words
# and model in, an answer out.
SPEAKERS: dict[str, Callable[..., Answer]] = {}
HANG = Answer(hang=True)
DROP = Answer(drop=True)
NOT_JSON = Answer(
    b"<!DOCTYPE html><html><title>502</title><h1>Bad Gateway</h1></html>",
    headers={"Content-Type": "text/html; charset=UTF-8"},
)
CUT_SHORT = Answer(b'{"id": "1", "choices": [')
EMPTY_OBJECT = Answer({})
NO_BODY = Answer(b"")


def caption(**changes: Any) -> dict[str, Any]:
    """A reply that fulfils the schema; ``changes`` replace fields."""
    return {
        "caption": "A brown dog runs along a wet beach with a stick in its mouth.",
        "alt_text": "Brown dog running on a beach with a stick.",
        "decorative": False,
        "tags": ["dog", "beach", "stick"],
        "visible_text": "",
        **changes,
    }

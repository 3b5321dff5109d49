"""What of a request a server does not take: it is asked again without, and so for a while.

Servers that speak one protocol take different parts of it, and some take a part sometimes (a
grammar that does not compile, a router with another server behind it). What one refuses is left
out for a quarter of an hour, and then tried again.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from functions.adapters.vendor_errors import (
    UNTOLD,
    Refused,
    VendorErrors,
    error_text,
    status_within,
)
from functions.core.document import Answer, Picture, Prompt
from functions.core.errors import CaptionError, TransientError

_REMEMBERED_SECONDS = 900.0
_STATUSES = frozenset({400, 404, 406, 415, 422, 500, 501})
# By these words a server names a part that it does not take; the first that was sent counts.
_PARTS = {
    "limit": r"max_(?:completion_|output_)?tokens.{0,80}(?:too large|at most|exceed|less than|<)"
    r"|maximum .{0,20}output tokens",
    "max_completion_tokens": r"max_completion_tokens",
    "detail": r"\bdetail\b",
    "thinking": r"reasoning_?effort|thinking|\beffort\b|support reasoning"
    r"|output_config(?!\.format)",
    "system": r"system.{0,20}(?:role|message|instruction|prompt).{0,40}not|developer instruction"
    r"|roles must alternate",
    "schema": r"response_?format|json[ _]?schema|json_object|json mode|structured[ _-]?output"
    r"|guided|gramm[ae]r|sampler|output_?(?:config|format)|response_?(?:json_?|mime)"
    r"|requested parameters|required for format",
}


class AskDifferently(CaptionError):
    """The server does not take a part of this request; no model was asked."""


class Negotiation:
    """The ``parts`` of a request that a server is sent, less those that it refused.

    A picture is kept until the answer while ``keeps`` or nothing is known of the server, to be
    sent again; otherwise it is let go on its way out.
    """

    def __init__(
        self,
        parts: Collection[str],
        *,
        keeps: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._parts, self._keeps, self._clock = tuple(parts), keeps, clock
        self._refused_until: dict[str, float] = {}
        self._answered = False

    @property
    def parts(self) -> frozenset[str]:
        """What to send now."""
        now = self._clock()
        return frozenset(each for each in self._parts if self._refused_until.get(each, 0) <= now)

    def ask(
        self,
        picture: Picture | None,
        ask: Callable[[Picture | None, frozenset[str]], Answer],
    ) -> Answer:
        """What ``ask`` comes to with what the server takes; again for each part it refuses."""
        kept = self._keeps or not self._answered
        try:
            for _ in range(len(self._parts) + 1):
                try:
                    answer = ask(
                        replace(picture, on_release=_stay) if picture and kept else picture,
                        self.parts,
                    )
                except AskDifferently as error:
                    why = str(error)
                    if picture and not picture.data:
                        break
                else:
                    self._answered = True
                    return answer
        finally:
            if picture and picture.data:
                picture.release()
        raise TransientError(f"{why}; it is asked without that from now on")

    def refused(
        self, status: int, words: str, sent: Collection[str], *, unexplained: bool = False
    ) -> bool:
        """Whether an error is about a part that was sent; it is left out from now on."""
        if status not in _STATUSES:
            return False
        asked = (each for each in _PARTS if each in sent)
        part = next((each for each in asked if re.search(_PARTS[each], words, re.I)), "")
        if not part and (status == 501 or unexplained) and "schema" in sent:
            part = "schema"
        if part:
            self._refused_until[part] = self._clock() + _REMEMBERED_SECONDS
        return bool(part)


def _stay() -> None:
    """The picture may be sent again."""


def judged(
    errors: VendorErrors,
    negotiation: Negotiation,
    model: str,
    status: int,
    body: Any,
    parts: Collection[str],
    retry_after: float | None = None,
) -> Answer:
    """The refusal that an error's ``body`` is; raises what else it is: AskDifferently where it is
    about a part of the request."""
    words, within = error_text(body), status_within(body, status)
    if status == 200 and within == UNTOLD and not words:
        raise errors.unusable("nothing in it")
    status = within
    fault = errors.answered(status, model, words, retry_after)
    unexplained = errors.is_unexplained(status, words)
    if negotiation.refused(status, words, parts, unexplained=unexplained):
        raise AskDifferently(str(fault))
    if isinstance(fault, Refused):
        return Answer("", blocked=fault.why)
    raise fault


def in_words(prompt: Prompt) -> str:
    """The system instruction of a prompt for a server that takes no schema."""
    return (
        f"{prompt.system}\nReply with one JSON object and nothing else, without a code fence. It "
        f"has to be valid by this JSON Schema:\n{json.dumps(dict(prompt.schema))}"
    )

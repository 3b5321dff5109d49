"""What a provider tells of its limits: when to ask again, and what may still be asked.

``Retry-After`` and its likes (RFC 9110, section 10.2.3), the headers of OpenAI
(``x-ratelimit-remaining-requests``, ``x-ratelimit-reset-requests: 6m0s``), of Anthropic
(``anthropic-ratelimit-requests-remaining``, ``…-reset`` as a time) and of servers that do as one
of them, and the words of an error. A time counts from the answer's own ``Date``, so that nobody's
clock has to be right.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from functions.core.document import Allowance, Answer

_DAY = 86400.0
# Numbers above it are a time since 1970, and above the next one in milliseconds.
_EPOCH, _EPOCH_MS = 1e8, 1e11
_UNITS = {"ms": 0.001, "mi": 60.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": _DAY}
_PART = (
    r"(\d{1,12}(?:\.\d{1,12})?) ?"
    r"(ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hours?|d|days?)(?![a-z])"
)
_DURATION = rf"(?:{_PART},? ?)+"
_SAID = rf"(?:try again|retry|wait|available|resets?)\D{{0,20}}?({_DURATION})"
_REMAINING = re.compile(r"(?:[a-z]+-)?rate-?limit-(?:.+-)?remaining(?:-.+)?", re.IGNORECASE)


def delay(headers: Mapping[str, str]) -> float | None:
    """The seconds that an answer asks to wait, a day at most; None if it names none, or a time
    that has passed."""
    for name, unit in (("retry-after-ms", 0.001), ("x-ms-retry-after-ms", 0.001)):
        if (found := _number(headers.get(name, ""))) is not None:
            return min(found * unit, _DAY)
    found = _until(headers.get("retry-after", ""), _now(headers))
    return found or max(
        (each.seconds for each in _limits(headers, 1) if each.calls < 1), default=found
    )


def said(message: str) -> float | None:
    """The seconds after which an error's words say to ask again; None if they do not."""
    found = re.search(_SAID, message, re.IGNORECASE)
    return min(_duration(found[1]), _DAY) if found else None


def allowance(headers: Mapping[str, str], tokens: int) -> Allowance | None:
    """What is left of the tightest of the limits that an answer tells, for calls of so many
    ``tokens``; None if it tells none."""
    found = [each for each in _limits(headers, tokens) if each.seconds]
    return min(found, key=lambda each: max(each.calls, 0.0) / each.seconds, default=None)


def with_allowance(answer: Answer, headers: Mapping[str, str]) -> Answer:
    """``answer`` with what the provider says may still be asked."""
    spent = answer.input_tokens + answer.output_tokens
    return replace(answer, allowance=allowance(headers, spent))


def _limits(headers: Mapping[str, str], tokens: int) -> Iterator[Allowance]:
    now = _now(headers)
    for name in headers:
        if not _REMAINING.fullmatch(name):
            continue
        left = _number(headers[name])
        seconds = _until(headers.get(_beside(name, "reset"), ""), now, epoch=True)
        cost = tokens if "token" in name.lower() else 1
        if left is not None and seconds is not None and cost:
            limit = _number(headers.get(_beside(name, "limit"), "")) or 0.0
            yield Allowance(left / cost, limit / cost, seconds)


def _beside(name: str, word: str) -> str:
    return re.sub("remaining", word, name, flags=re.IGNORECASE)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if number >= 0 else None


def _until(text: str, now: datetime, *, epoch: bool = False) -> float | None:
    """Seconds from ``now`` on: a number of them, with units, or a time."""
    number = _number(text)
    if number is None and re.fullmatch(_DURATION, text.strip(), re.IGNORECASE):
        number = _duration(text)
    if number is None and (at := _time(text)):
        number = (at - now).total_seconds()
    elif epoch and number is not None and number > _EPOCH:
        number = number / (1000 if number > _EPOCH_MS else 1) - now.timestamp()
    return min(number, _DAY) if number is not None and number >= 0 else None


def _duration(text: str) -> float:
    parts = ((float(number), unit.lower()) for number, unit in re.findall(_PART, text, re.I))
    return math.fsum(number * _UNITS.get(unit[:2], _UNITS[unit[0]]) for number, unit in parts)


def _time(text: str) -> datetime | None:
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = parse(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None


def _now(headers: Mapping[str, str]) -> datetime:
    return _time(headers.get("date", "")) or datetime.now(UTC)

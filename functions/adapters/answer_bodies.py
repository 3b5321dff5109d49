"""The JSON in a server's answer, however it is sent: with a byte-order mark, in another encoding of
Unicode, as text in JSON, or as a stream of events or lines that nobody asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

# Not str.splitlines, which also splits at separators that stand inside of JSON's texts.
_LINE = re.compile(r"\r\n|\r|\n")
_EVENT = re.compile(r"\s*(?::|(?:data|event|id|retry):)")
_WRAPPED = re.compile(r"[^\[{]{1,64}(?=[\[{])")
_NO_ERROR = frozenset({"0", "none", "null", "ok", "success"})
_FIELD = re.compile(r"(?::|(?:event|id|retry):)")


def sent(content: bytes | str) -> list[Any]:
    """The values of an answer: one, or in their order those of a stream.

    Raises ValueError where there is none.
    """
    if isinstance(content, bytes):
        content = content.decode(json.detect_encoding(content), "replace")
    text = content.lstrip("\ufeff")
    try:
        return list(_streamed(text)) if _EVENT.match(text) else _values(text)
    except RecursionError:
        raise ValueError("brackets within brackets without end") from None


def _streamed(text: str) -> Iterator[Any]:
    """What a stream's events say; or a whole answer, after comments that kept the connection."""
    lines = [line for line in _LINE.split(text) if not _FIELD.match(line)]
    if any(line.startswith("data:") for line in lines):
        yield from _events(lines)
    else:
        yield from _values("\n".join(lines))


def _events(lines: list[str]) -> Iterator[Any]:
    """What each event says: its lines of data are one value, or one each."""
    data: list[str] = []
    for line in [*lines, ""]:
        if line.startswith("data:"):
            data.append(line.removeprefix("data:").strip())
        elif not line.strip():
            yield from _values("\n".join(each for each in data if each not in {"", "[DONE]"}))
            data = []


def _values(text: str) -> list[Any]:
    """One value, or one in each line."""
    lines = [line for line in _LINE.split(text) if line.strip()]
    if not lines:
        return []
    try:
        value = json.loads(text)
    except ValueError:
        if len(lines) > 1 and all(line.startswith("{") for line in lines):
            return [json.loads(line) for line in lines]
        return [_between(text)]
    if isinstance(value, str) and value.lstrip().startswith("{"):
        value = json.loads(value)
    return [value]


def _between(text: str) -> Any:
    """The one value in a text that wraps it: a call of a function, a guard, a note of a proxy."""
    start = _WRAPPED.match(text)
    value, end = json.JSONDecoder().raw_decode(text, start.end() if start else 0)
    if text[end:].lstrip().startswith("{"):
        raise ValueError("more than one value, and not one in each line")
    return value


def says(error: Any) -> bool:
    """Whether an error says anything: some servers send one of zeros with each answer."""
    values = error.values() if isinstance(error, Mapping) else [error]
    return any(each and str(each).lower() not in _NO_ERROR for each in values)


def mapping(value: Any) -> Mapping[str, Any]:
    """``value`` if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def mappings(values: list[Any]) -> list[Mapping[str, Any]]:
    """Those of ``values`` that are objects."""
    return [each for each in values if isinstance(each, Mapping)]

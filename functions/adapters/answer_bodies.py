"""The JSON in a server's answer, however it is sent: with a byte-order mark, in another encoding,
as text in JSON, in a list, one body after the other, or as a stream that nobody asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

# Not str.splitlines, which also splits at separators that stand inside of JSON's texts.
_LINE = re.compile(r"\r\n|\r|\n")
_DATA = re.compile(r"^(?:data:\s*)+")  # twice where a proxy streams a stream
_EVENT = re.compile(r"\s*(?::|(?:data|event|id|retry):)")
_WRAPPED = re.compile(r"[^\[{]{0,64}(?=[\[{])")
_NEXT = re.compile(r"\s*(?=\{)")
# Some servers write line breaks into JSON's texts as they are.
_DECODER = json.JSONDecoder(strict=False)
# A reply's fields are found this deep, and are so many of those asked for at least.
_DEPTH, _FIELDS = 12, 2
_REFUSED = re.compile(
    r"filter|sensitive|safety|refus|moderat|prohibited|blocklist|recitation|spii|guardrail|unsafe"
    r"|armor",
    re.IGNORECASE,
)
_TRUNCATED = re.compile(r"length|max_?(?:\w+_)?tokens|token_limit|context_window", re.IGNORECASE)
_NO_ERROR = frozenset({"0", "none", "null", "ok", "success"})
_FAULT = re.compile(r"(?i)err|code|msg|message(?!s)|detail|status|reason|fault|base_resp")
_FIELD = re.compile(r"(?::|(?:event|id|retry):)")


def sent(content: bytes | str, charset: str | None = None) -> list[Any]:
    """The values of an answer: one, or in their order those of a stream or a list.

    ``charset`` is what its headers say. Raises ValueError where there is none.
    """
    if isinstance(content, bytes):
        content = content.decode(encoding(content, charset), "replace")
    text = content.lstrip("\ufeff")
    try:
        values = list(_streamed(text)) if _EVENT.match(text) else _values(text)
    except RecursionError:
        raise ValueError("brackets within brackets without end") from None
    return values[0] if len(values) == 1 and isinstance(values[0], list) else values


def encoding(content: bytes, charset: str | None = None) -> str:
    """The encoding of an answer: that of JSON, or else the one that its headers name, or that of
    old Windows programs. What has whole characters in JSON's and others broken is in JSON's."""
    unicode = json.detect_encoding(content)
    for each in (unicode, charset or unicode):
        try:
            content.decode(each)
        except (LookupError, UnicodeDecodeError):
            continue
        return each
    return "cp1252" if content.decode(unicode, "ignore").isascii() else unicode


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
            data.append(_DATA.sub("", line).strip())
        elif not line.strip():
            yield from _values("\n".join(each for each in data if each not in {"", "[DONE]"}))
            data = []


def _values(text: str) -> list[Any]:
    """One value or several, one after the other; or those in a text that wraps them: a call of a
    function, a guard, a note of a proxy."""
    if not text.strip():
        return []
    try:
        value = _DECODER.decode(text)
    except ValueError:
        return list(_objects(text))
    if isinstance(value, str) and value.lstrip().startswith("{"):
        value = _DECODER.decode(value)
    return [value]


def _objects(text: str) -> Iterator[Any]:
    start = _WRAPPED.match(text)
    value, end = _DECODER.raw_decode(text, start.end() if start else 0)
    yield value
    while start := _NEXT.match(text, end):
        value, end = _DECODER.raw_decode(text, start.end())
        yield value


def reply(value: Any, schema: Mapping[str, Any], depth: int = _DEPTH) -> str:
    """The first object in ``value``, thoughts aside, that has fields of ``schema``, or text of one,
    as text: where a server puts it that speaks otherwise than its address says."""
    if isinstance(value, str):
        return value if "{" in value and _has(schema, value, '"{}"') else ""
    if isinstance(value, Mapping):
        if value.get("thought") is True or "think" in str(value.get("type")):
            return ""
        if _has(schema, [key for key, each in value.items() if not isinstance(each, Mapping)]):
            return json.dumps(value)
        value = list(value.values())
    if not isinstance(value, list) or not depth:
        return ""
    return next(filter(None, (reply(each, schema, depth - 1) for each in value)), "")


def _has(schema: Mapping[str, Any], names: Collection[str], form: str = "{}") -> bool:
    """Whether fields of ``schema`` are among ``names``, and it is not repeated itself."""
    wanted = list(schema.get("properties", ()))
    found = sum(form.format(each) in names for each in wanted)
    return found >= min(_FIELDS, max(1, len(wanted))) and form.format("properties") not in names


def refused(finish: str) -> bool:
    """Whether a reason to finish is a refusal, as families of servers word it."""
    return bool(_REFUSED.search(finish))


def truncated(finish: str) -> bool:
    """Whether a reason to finish is that the reply may take no more."""
    return bool(_TRUNCATED.search(finish))


def fault(body: Any) -> dict[str, Any]:
    """What tells of an error in a ``body`` that is no answer: some servers name it otherwise."""
    return {name: each for name, each in mapping(body).items() if _FAULT.search(name)}


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

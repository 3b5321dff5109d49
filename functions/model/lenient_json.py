"""Objects in text that is almost JSON, wherever they stand: in prose, fenced, cut off, misquoted.

What is valid is read as JSON says. Elsewhere quotes may be single or typographic, keys bare,
commas missing or trailing, quotation marks inside a text unescaped, and the end may be missing.
Time and memory grow with the length of the text: what is read twice, because an object that was
begun turned out to be none, is bounded by a multiple of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# Longer text is read at its beginning and its end.
_LONGEST = 400_000
# How often the text may be gone through in all, for objects that were begun and were none.
_PASSES = 8
# A strict reading that fails counts the lines before it, which costs the length of the text.
_STRICT_ATTEMPTS = 50
_STRICT = json.JSONDecoder(strict=False)
_GAP = re.compile(r"(?:[\s\ufeff\u200b\u2060]+|//[^\n]*|# [^\n]*|/\*(?s:.{0,300}?)\*/)*")
_WORD = re.compile(r"[^\s,:{}\[\]\"'“”‘’\ufeff]+")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’"}
_ENDS = {end: re.compile(rf"\\.|{end}", re.DOTALL) for end in _QUOTES.values()}
# What follows the quotation mark that ends a text, and not one that stands inside it.
_AFTER_KEY = re.compile(r"\s*:")
_AFTER_VALUE = re.compile(
    r"""\s*(?:[}\]]|$|,\s*(?:["'“‘][\w -]{0,40}(?:["'”’]\s*(?::|$)|$)"""
    r"""|[\w-]{1,40}\s*(?::|$)|[}\]]|//|/\*|# |$)"""
    r"""|["'“‘]\w{1,40}["'”’]\s*:)"""
)
_AFTER_ITEM = re.compile(r"""\s*(?:[\]}]|$|,\s*(?:["'“‘\]{\[\d-]|//|/\*|# |true|false|null|$))""")
_NAMED = {"true": True, "false": False, "null": None, "none": None}
_SHORT = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


@dataclass(frozen=True, slots=True)
class FoundObject:
    """An object, where it begins, and whether it was closed."""

    value: dict[str, Any]
    start: int
    complete: bool = True


def objects(text: str) -> Iterator[FoundObject]:
    """The outermost objects in ``text``, in their order."""
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST // 2]}\n{text[-_LONGEST // 2 :]}"
    budget, strict, start = _PASSES * len(text), _STRICT_ATTEMPTS, text.find("{")
    while start >= 0:
        found, end = _strictly(text, start) if strict else (None, start)
        if found is None:
            reading = _ObjectReader(text, start)
            found, end = reading.object(), reading.place
            strict -= strict > 0
            budget -= end - start
        if found:
            yield found
            start = text.find("{", end)
        else:
            start = text.find("{", start + 1 if budget > 0 else max(end, start + 1))


def _strictly(text: str, start: int) -> tuple[FoundObject | None, int]:
    try:
        value, end = _STRICT.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None, start
    return FoundObject(value, start), end


def unescaped(text: str) -> str:
    """``text`` with one level of JSON's escapes taken away; other backslashes stay."""
    plain = _ESCAPE.sub(_character, text)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _character(match: re.Match[str]) -> str:
    escape = match[1]
    if len(escape) > 1:
        return chr(int(escape[1:], 16))
    if escape in _SHORT:
        return _SHORT[escape]
    return match[0] if escape.isalnum() else escape


class _ObjectReader:
    """One object, read with a stack of its own: nesting costs no recursion."""

    def __init__(self, text: str, start: int) -> None:
        self._text, self.place = text, start
        self._open: list[dict[str, Any] | list[Any]] = []
        # Of each open object, the key that waits for a colon or a value.
        self._keys: list[tuple[str, bool] | None] = []

    def object(self) -> FoundObject | None:
        """What is there, as far as it goes; None if it is no object."""
        start, root = self.place, self._opened("{")
        while self._open:
            gap = _GAP.match(self._text, self.place)
            self.place = gap.end() if gap else self.place
            if self.place >= len(self._text):
                return FoundObject(root, start, complete=False) if root else None
            if not self._step(self._text[self.place]):
                return None
        return FoundObject(root, start) if root else None

    def _step(self, sign: str) -> bool:
        """Take what begins with ``sign``; False where it makes no sense."""
        if sign in "{[":
            if isinstance(self._open[-1], dict) and not self._awaited():
                return False
            self._put(self._opened(sign))
            return True
        if sign in "}],:":
            self.place += 1
            return self._punctuated(sign)
        if sign in _QUOTES:
            return self._quoted(_QUOTES[sign])
        word = _WORD.match(self._text, self.place)
        if not word:
            return False
        self.place = word.end()
        return self._put(word[0] if self._names() else _value(word[0]))

    def _opened(self, sign: str) -> Any:
        self.place += 1
        new: dict[str, Any] | list[Any] = {} if sign == "{" else []
        if sign == "{" and not self._open:
            self._open, self._keys = [new], [None]
        return new

    def _punctuated(self, sign: str) -> bool:
        top, key = self._open[-1], self._keys[-1]
        if sign == ":":
            if not isinstance(top, dict) or key is None or key[1]:
                return False
            self._keys[-1] = (key[0], True)
            return True
        if key:  # a key without a value
            if not key[1]:
                return False
            self._keys[-1] = None
        if sign == ",":
            return True
        if (sign == "}") != isinstance(top, dict):
            return False
        self._open.pop()
        self._keys.pop()
        return True

    def _quoted(self, end: str) -> bool:
        """A text, which goes as far as a quotation mark that can end it."""
        after = _AFTER_ITEM
        if isinstance(self._open[-1], dict):
            after = _AFTER_KEY if self._names() else _AFTER_VALUE
        start = self.place + 1
        for mark in _ENDS[end].finditer(self._text, start):
            if mark[0] == end and after.match(self._text, mark.end()):
                self.place = mark.end()
                return self._put(unescaped(self._text[start : mark.start()]))
            if after is _AFTER_KEY and mark[0] == end:
                return False
        self.place = len(self._text)
        return True  # it was cut off in here

    def _names(self) -> bool:
        """Whether a key is due."""
        return isinstance(self._open[-1], dict) and self._keys[-1] is None

    def _awaited(self) -> bool:
        key = self._keys[-1]
        return key is not None and key[1]

    def _put(self, value: Any) -> bool:
        """Take ``value`` as the next key, value or item; False if none of them is due."""
        top = self._open[-1]
        if isinstance(top, list):
            top.append(value)
        elif self._keys[-1] is None:
            self._keys[-1] = (str(value), False)
            return True
        elif self._awaited():
            top[self._keys[-1][0]] = value
            self._keys[-1] = None
        else:
            return False
        if isinstance(value, dict | list):
            self._open.append(value)
            self._keys.append(None)
        return True


def _value(word: str) -> Any:
    if word.lower() in _NAMED:
        return _NAMED[word.lower()]
    try:
        return float(word) if len(word) < 40 else word
    except ValueError:
        return word

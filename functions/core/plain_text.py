"""Foreign text made plain: what a model, an uploader or a file says, on one line, all of it seen.

Characters that nobody sees can carry an order past the person who reads a text, or turn the page
around it. Kept of them is what spelling needs, in the places where it needs it. One pass over the
text, whatever stands in it.
"""

from __future__ import annotations

import re
import unicodedata

# What is longer is not read at all: a model in a loop, a file made to hurt.
LONGEST = 5_000

_MARKS = "\u200e\u200f\u061c"  # of direction: LRM, RLM, ALM
_JOINERS = "\u200c\u200d"
_ZERO_WIDTH_SPACE = "\u200b"
_BLACK_FLAG, _TAG_END = "\U0001f3f4", "\U000e007f"
_SUBDIVISION_FLAG = re.compile(f"{_BLACK_FLAG}[\U000e0030-\U000e007a]{{1,6}}{_TAG_END}")
_NO_SPACES = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
# Letters and marks by their category, which show nothing.
_BLANK = frozenset("\u034f\u17b4\u17b5\u2800\u3164\uffa0\ufffc")
# What turns a terminal's colours on and makes its links (ECMA-48, 5.4 and 8.3.89): its letters
# are no words.
_TERMINAL = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_MOST_MARKS = 8  # on one letter; the longest spellings, of Hebrew and Vedic, have five


def plain_line(text: str, longest: int = LONGEST) -> str:
    """One line of visible, composed text (NFC), of ``longest`` characters at most."""
    text = text[: 4 * longest]
    if not (text.isascii() and text.isprintable()):
        text = unicodedata.normalize("NFC", visible(text))
    return " ".join(text.split())[:longest].rstrip()


def plain_lines(text: str, longest: int = LONGEST) -> str:
    """Lines of visible, composed text, without empty ones, of ``longest`` characters in all."""
    lines = (plain_line(line, longest) for line in text[: 4 * longest].splitlines())
    return "\n".join(filter(None, lines))[:longest].rstrip()


def visible(text: str) -> str:
    """``text`` without characters that nobody sees and no spelling needs; line breaks stay."""
    if text.isascii() and text.isprintable():
        return text
    text = _TERMINAL.sub("", text)
    flags = {found.start(): found[0] for found in _SUBDIVISION_FLAG.finditer(text)}
    kept: list[str] = []
    marks = 0
    for index, character in enumerate(text):
        if index in flags:
            kept.append(flags[index])
            continue
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        before = kept[-1][-1] if kept else ""
        if marks <= _MOST_MARKS and _is_kept(character, category, before, text[index + 1 :][:1]):
            kept.append(character)
    return "".join(kept)


def _is_kept(character: str, category: str, before: str, after: str) -> bool:
    code = ord(character)
    if category[0] in "LNPS":
        return character not in _BLANK
    if category[0] == "Z":
        return True
    if category == "Cc":
        return character in "\t\n\r\v\f\x85"
    if category == "Cf":
        return _is_needed(character, before, after)
    if 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF or 0x180B <= code <= 0x180D:
        return _varies(before, code)
    if category[0] == "M":
        return character not in _BLANK
    # Unassigned as yet, but where characters will be: newer than the tables of this Python.
    return category == "Cn" and code < 0x40000 and code & 0xFFFE != 0xFFFE and not (
        0xFDD0 <= code <= 0xFDEF
    )  # fmt: skip


def _is_needed(character: str, before: str, after: str) -> bool:
    """A joiner between what it joins, a mark beside what has a direction, each once."""
    if character in _JOINERS:
        return _is_drawn(before) and _is_drawn(after)
    if character in _MARKS:
        return before not in _MARKS or not before
    if character == _ZERO_WIDTH_SPACE:
        return bool(_NO_SPACES.match(before) and _NO_SPACES.match(after))
    return False


def _is_drawn(character: str) -> bool:
    return bool(character) and unicodedata.category(character)[0] in "LMNS"


def _varies(before: str, code: int) -> bool:
    """A variation selector behind a character that has variants: emoji, Han, Mongolian."""
    if not before:
        return False
    category = unicodedata.category(before)
    if code in (0xFE0E, 0xFE0F):
        return category in ("So", "Sm", "Sk", "Nd", "Po", "Pd") or before in "ⓂℹⒶ"
    return category in ("Lo", "So", "Sm")

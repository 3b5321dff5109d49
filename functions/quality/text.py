"""Text as people see it: characters, words, quotations."""

from __future__ import annotations

import functools
import re
import unicodedata

ZWJ = "\u200d"

# Characters of scripts that put no space between words are words of their own here.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_TOKEN = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+(?:'[^\W_{_UNSPACED}]+)*")
_QUOTED = re.compile(
    r'"[^"]+"|“[^”]+”|„[^“”]+[“”]|«[^»]+»|»[^«]+«|‹[^›]+›|「[^」]+」|『[^』]+』|《[^》]+》'
    r"|(?<!\w)'[^']+'(?!\w)|‘[^’]+’(?!\w)|‚[^‘’]+[‘’]"
)


def graphemes(text: str) -> int:
    """How many characters people see in ``text``, in NFC.

    Counts the bases of UAX #29's extended grapheme clusters: marks, joined emoji, skin tones,
    tag sequences and Hangul medials belong to the base before them, flags are pairs. Its
    remaining rules (Prepend, Indic conjuncts) would move the count of a caption by a few, at the
    price of a 1 MB extension module at every cold start.
    """
    if text.isascii():
        return len(text)
    count, joined, flag = 0, False, False
    for character in text:
        code = ord(character)
        if 0x1F1E6 <= code <= 0x1F1FF:
            count += not flag
            flag, joined = not flag, False
            continue
        flag = False
        extends = (
            unicodedata.category(character) in ("Mn", "Me", "Mc")
            or 0x1F3FB <= code <= 0x1F3FF
            or 0x1160 <= code <= 0x11FF
            or 0xE0020 <= code <= 0xE007F
            or character in "\u200c\u200d"
        )
        if not extends and not (joined and unicodedata.category(character) == "So"):
            count += 1
        joined = character == ZWJ
    return count


def cut(text: str, limit: int) -> str:
    """The first ``limit`` code points at most, never ending inside a seen character."""
    if len(text) <= limit:
        return text
    end = limit
    while end and graphemes(text[: end + 1]) == graphemes(text[:end]):
        end -= 1
    return text[:end].rstrip()


@functools.lru_cache(maxsize=64)  # the prompt and the hints are compared with every text
def tokens(text: str) -> tuple[str, ...]:
    """The words, folded for comparison; in Han, Kana and Thai text each character is one."""
    return tuple(_TOKEN.findall(straight(text).casefold()))


def straight(text: str) -> str:
    """Curly apostrophes as straight ones, nothing else changed, not even the length."""
    return text.replace("’", "'").replace("ʼ", "'")


def without_quotations(text: str) -> str:
    """What a text says itself; quotations are the image's words, in the image's language."""
    return _QUOTED.sub(" ", text)


def uncapitalised(text: str) -> str:
    """The text with a small first letter, for comparison; of the same length."""
    first = text[:1].lower()
    return first + text[1:] if len(first) == 1 else text


def capitalised(text: str, language: str) -> str:
    """The text with a capital first letter, where its script has them.

    Words like "iPhone" stay, and Turkish "i" becomes "İ".
    """
    word = re.match(r"\w*", text)
    if word and any(letter.isupper() for letter in word[0][1:]):
        return text
    if text[:1] == "i" and language.split("-")[0] in ("tr", "az"):
        return "İ" + text[1:]
    first = text[:1].title()  # title, not upper: Georgian has capitals, but not for sentences
    return first + text[1:] if len(first) == 1 else text


def contains(text: str, part: str) -> bool:
    """Whether the words of ``part`` stand in ``text`` one after the other."""
    return f" {' '.join(tokens(part))} " in f" {' '.join(tokens(text))} "


def shown(fragment: str) -> str:
    """A fragment for a message, short."""
    return fragment if len(fragment) <= 60 else fragment[:57] + "..."

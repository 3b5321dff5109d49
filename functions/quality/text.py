"""Text as people see it: characters, words, quotations."""

from __future__ import annotations

import functools
import re
import unicodedata

ZWJ = "\u200d"

# Characters of scripts that put no space between words are words of their own here.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
# Compiled for the first text that is not ASCII: ranges of many scripts take 3 ms of a cold start.
_WORD = rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+(?:'[^\W_{_UNSPACED}]+)*"
_ASCII_WORD = r"[^\W_]+(?:'[^\W_]+)*"
_QUOTED = re.compile(
    r'"[^"]+"|“[^”]+”|”[^”“]+[”“]|„[^“”]+[“”]|«[^»]+»|»[^«]+«|‹[^›]+›|「[^」]+」|『[^』]+』|《[^》]+》'
    r"|(?<!\w)'[^']+'(?!\w)|‘[^’]+’(?!\w)|‚[^‘’]+[‘’]"
)


_EXTENDS = re.compile("[\u1160-\u11ff\u200c\u200d\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")
# They join two consonants into one: Indic_Conjunct_Break=Linker.
_VIRAMAS = "\u094d\u09cd\u0acd\u0b4d\u0c4d\u0d4d"


def graphemes(text: str) -> int:
    """How many characters people see in ``text``, in NFC.

    Counts UAX #29's extended grapheme clusters: marks, joined emoji, skin tones, tag sequences,
    Hangul medials and Indic conjuncts belong to the base before them, flags are pairs. Prepended
    marks, which no modern spelling needs, count by themselves. The third-party ``regex`` counts
    the same on every text of the tests; it would add 3.5 MB and 14 ms to a cold start.
    """
    if text.isascii():
        return len(text)
    count, flag, joined, linked = 0, False, False, False
    for character in text:
        if "\U0001f1e6" <= character <= "\U0001f1ff":
            count += not flag
            flag, joined, linked = not flag, False, False
            continue
        category = unicodedata.category(character)
        extends = category in ("Mn", "Me", "Mc") or bool(_EXTENDS.match(character))
        follows = (joined and category == "So") or (linked and category == "Lo")
        count += not (extends or follows)
        flag, joined = False, character == ZWJ
        linked = character in _VIRAMAS or (linked and extends)
    return count


# Longer ones are no writing: a letter under a heap of marks, or nothing but joiners.
_LONGEST_CLUSTER = 40


def cut(text: str, limit: int) -> str:
    """The first ``limit`` code points at most, never ending inside a seen character."""
    if len(text) <= limit:
        return text
    for end in range(limit, max(0, limit - _LONGEST_CLUSTER), -1):
        before = text[max(0, end - _LONGEST_CLUSTER) : end]
        if graphemes(before + text[end]) > graphemes(before):
            return text[:end].rstrip()
    return text[:limit].rstrip()


@functools.lru_cache(maxsize=64)  # the prompt and the hints are compared with every text
def tokens(text: str) -> tuple[str, ...]:
    """The words, folded for comparison; in Han, Kana and Thai text each character is one."""
    folded = straight(text).casefold()
    return tuple(re.findall(_ASCII_WORD if folded.isascii() else _WORD, folded))


def straight(text: str) -> str:
    """Curly apostrophes as straight ones, nothing else changed, not even the length."""
    return text.replace("’", "'").replace("ʼ", "'")


def without_quotations(text: str, instead: str = "") -> str:
    """What a text says itself; quotations are the image's words, in the image's language."""
    return _QUOTED.sub(f" {instead} ", text)


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

"""What a text speaks of, whatever its language: the words of ``words/concepts.txt``.

A refusal in Bengali and one in German share no word, but both speak of a picture, of the speaker,
of what is not possible. The classifier has these concepts and pairs of them among its features, so
that what it learns in one language it knows in the others.
"""

from __future__ import annotations

import functools
import pathlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

FILE = pathlib.Path(__file__).parent / "words" / "concepts.txt"
# Scripts that put no space between words: a concept's word is found inside a run of them.
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+"
)
_LONGEST_STEM, _LONGEST_PIECE = 14, 6
# "And", "by", "to", "the" are written together with the word that follows, in Arabic and Hebrew.
_JOINED = re.compile(
    "(?:[وف]?(?:[بك]?ال|لل|[بكل])|[وف])(?=[\u0621-\u06d3]{3})|[ושכ]?[הבלמ](?=[\u05d0-\u05ea]{3})"
)

# Who speaks and to whom, what refusals, errors and requests are about; and what pictures show.
_SPEAKS = frozenset({"i", "you", "please", "sorry", "ai"})
_CONCERNS = frozenset(
    {"we", "talk", "image", "file", "text", "service", "error", "rule", "do", "later", "ask"}
)
_SHOWS = frozenset({"person", "bears", "colour", "with"})


def found(words: Iterable[str]) -> tuple[str, ...]:
    """The concepts that folded words have, sorted."""
    return tuple(sorted({each for word in words for each in _of(word)}))


def may_refuse(words: Iterable[str]) -> bool:
    """Whether a text has what refusals, errors and requests speak of, and nothing that pictures
    show: "Closed." and "It is chipped." have none of it, "A dog that may not come in" has both."""
    having = set(found(words))
    return bool(having & (_SPEAKS | _CONCERNS)) and not having & _SHOWS


def _of(word: str) -> Iterator[str]:
    whole, stems, pieces = _known()
    if UNSPACED.search(word):
        for size in range(1, _LONGEST_PIECE + 1):
            for start in range(len(word) - size + 1):
                yield from pieces.get(word[start : start + size], ())
        return
    joined = _JOINED.match(word)
    bare = word[joined.end() :] if joined else word
    for part in {word, bare, *word.split("'")}:
        yield from whole.get(part, ())
    for each in {word, bare}:
        for size in range(1, min(len(each), _LONGEST_STEM) + 1):
            yield from stems.get(each[:size], ())


@functools.cache
def _known() -> tuple[Mapping[str, list[str]], ...]:
    """Concepts by whole word, by stem, and by piece of a run of characters."""
    whole: dict[str, list[str]] = {}
    stems: dict[str, list[str]] = {}
    pieces: dict[str, list[str]] = {}
    for line in FILE.read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        concept, listed = line.split(": ", 1)
        for word in unicodedata.normalize("NFKC", listed).casefold().split():
            if UNSPACED.search(word):
                pieces.setdefault(word, []).append(concept)
            elif word.endswith("*"):
                stems.setdefault(word[:-1], []).append(concept)
            else:
                whole.setdefault(word, []).append(concept)
    return whole, stems, pieces

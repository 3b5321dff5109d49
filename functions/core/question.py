"""A question about an image, what was said before it, and the answer."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from functions.core.plain_text import plain_line, visible

LONGEST_QUESTION = 500
LONGEST_ANSWER = 2_000
MOST_TURNS = 10


@dataclass(frozen=True, slots=True)
class Exchange:
    """An earlier question about the image, and its answer."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody wants to know of an image; in ``language`` (a tag) if they say so, and else in
    the one that they ask in."""

    text: str
    language: str = ""
    history: tuple[Exchange, ...] = ()

    @property
    def spoken(self) -> str:
        """The text without what is only writing: a capital at its start, signs at its end,
        full-width letters. Capitals elsewhere may mean something (``polish``, ``Polish``)."""
        text = unicodedata.normalize("NFKC", self.text)
        while text and unicodedata.category(text[-1])[0] in "PZ":
            text = text[:-1]
        return text[:1].casefold() + text[1:]


@dataclass(frozen=True, slots=True)
class ImageAnswer:
    """What can be said to a question. Where the image does not show it, ``answerable`` is False,
    and the text says so."""

    text: str
    answerable: bool
    language: str
    model: str = ""
    cached: bool = False


def questions(text: str) -> tuple[str, ...]:
    """The questions of a list, one a line or between ``|``. Raises ValueError for what is none."""
    found = tuple(plain_line(each) for each in re.split(r"[|\r\n]", text) if each.strip())
    for each in found:
        if not any(character.isalnum() for character in each):
            raise ValueError(f"names no question by {each!r}")
        if len(each) > LONGEST_QUESTION:
            raise ValueError(f"has a question of more than {LONGEST_QUESTION} characters")
    return found


def same_question(text: str, among: Iterable[str]) -> str | None:
    """The one of these questions that ``text`` is another writing of: in capitals, with other
    spaces or punctuation, in full-width letters."""
    sought = _letters(text)
    return next((each for each in among if _letters(each) == sought), None)


def _letters(text: str) -> str:
    folded = unicodedata.normalize("NFKC", visible(text)).casefold()
    composed = unicodedata.normalize("NFKC", folded)
    return "".join(each for each in composed if unicodedata.category(each)[0] not in "PZC")

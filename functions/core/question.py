"""A question about an image, what was said before it, and the answer."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class ImageAnswer:
    """What can be said to a question. Where the image does not show it, ``answerable`` is False,
    and the text says so."""

    text: str
    answerable: bool
    language: str
    model: str = ""
    cached: bool = False

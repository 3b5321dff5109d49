"""A space of meanings for the tests: texts that share words lie near each other."""

from __future__ import annotations

import functools
import math
import random
import re

_PREFIX = re.compile(r"^(?:title: none \| text|task: search result \| query): ")
# Words that every caption has would make all captions alike.
_EMPTY = {"a", "an", "and", "at", "by", "for", "from", "in", "is", "its", "of", "on", "the", "to"}


def vector(text: str, size: int = 768) -> list[float]:
    """The place of ``text``: the sum of its words', at length 1."""
    words = re.findall(r"\w+", _PREFIX.sub("", text).casefold())
    places = [_place(word, size) for word in dict.fromkeys(words) if word not in _EMPTY]
    summed = [math.fsum(column) for column in zip(*places, strict=True)] or _place("", size)
    length = math.hypot(*summed)
    return [each / length for each in summed]


@functools.cache
def _place(word: str, size: int) -> list[float]:
    draw = random.Random(word)
    return [draw.gauss(0, 1) for _ in range(size)]

"""CIDEr-D: how much a text says what people say of the same picture, from 0 to 10.

Vedantam, Zitnick, Parikh, "CIDEr: Consensus-based Image Description Evaluation", CVPR 2015
(arXiv 1411.5726), sections 3 and 6. Words that people use of every picture count little, those of
this one much (TF-IDF over the references); repeating a word or writing at another length than
people lowers the score, and a text of three words has no fourth to match: it ends at 7.5.

Written here because nothing light is kept: pycocoevalcap's last release is of 2020 and brings
100 MB of Java; aac-metrics needs PyTorch. The tests hold it to the figures of pycocoevalcap.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import chain

Words = Sequence[str]
Vector = dict[tuple[str, ...], float]

LONGEST = 4  # words in an n-gram
SIGMA = 6.0  # words; the width of the penalty on another length
SCALE = 10.0


def scores(texts: Sequence[Words], references: Sequence[Sequence[Words]]) -> list[float]:
    """The score of each text against the references of its picture, of which each has one or
    more. The references of all of them say how telling a word is: those of one picture tell
    nothing, and its score is 0."""
    pictures = math.log(max(1, len(references)))
    counts = Counter(
        gram for texts in references for gram in set(chain.from_iterable(map(_grams, texts)))
    )

    def weighed(words: Words) -> list[Vector]:
        vectors: list[Vector] = [{} for _ in range(LONGEST)]
        for gram, count in Counter(_grams(words)).items():
            telling = pictures - math.log(max(1, counts[gram]))
            vectors[len(gram) - 1][gram] = count * telling
        return vectors

    def likeness(text: Words, vectors: list[Vector], reference: Words) -> float:
        near = math.exp(-((len(text) - len(reference)) ** 2) / (2 * SIGMA**2))
        pairs = zip(vectors, weighed(reference), strict=True)
        return near * sum(_cosine(ours, theirs) for ours, theirs in pairs) / LONGEST

    return [
        SCALE * sum(likeness(text, weighed(text), each) for each in theirs) / len(theirs)
        for text, theirs in zip(texts, references, strict=True)
    ]


def _grams(words: Words) -> list[tuple[str, ...]]:
    return [
        tuple(words[start : start + size])
        for size in range(1, LONGEST + 1)
        for start in range(len(words) - size + 1)
    ]


def _cosine(ours: Vector, theirs: Vector) -> float:
    """Of two vectors, what ours has beyond theirs cut off: saying it twice gains nothing."""
    product = sum(min(weight, theirs.get(gram, 0.0)) * theirs.get(gram, 0.0)
                  for gram, weight in ours.items())  # fmt: skip
    lengths = math.hypot(*ours.values()) * math.hypot(*theirs.values())
    return product / lengths if lengths else 0.0

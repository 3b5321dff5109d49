"""Does a text describe an image? A linear classifier over words, made by ``tools/texts/train.py``.

A text's score is the sum of its features' weights, divided by the root of their number, so that a
long text is judged as a short one is; above 0 it is more like what describes nothing: refusals,
errors, requests, placeholders, talk. Each weight stands in a line of ``words/classifier.tsv``,
to be read and argued with.
"""

from __future__ import annotations

import functools
import itertools
import math
import pathlib
import re
import unicodedata
from collections.abc import Iterator, Mapping

from functions.quality import concepts
from functions.quality.concepts import UNSPACED

FILE = pathlib.Path(__file__).parent / "words" / "classifier.tsv"

# From here on a text is marked for review, and from there on withheld if it may refuse.
DOUBTFUL, CERTAIN = -0.9, 2.5
# A text with no word that is heard of refusals and errors is none that can be known.
_TELLING, UNKNOWN = 0.25, -0.6
# What the weights know; of other languages a person judges what came without tags.
_TAUGHT = (
    "ar bn cs da de el en es fa fi fr he hi hu id it ja ko mr nb "
    "nl pl pt ro ru sv sw ta te th tr uk ur vi zh"
)
LANGUAGES = frozenset(_TAUGHT.split())
# What takes a quotation's place: that something is quoted tells of a description.
QUOTED = "“”"
# A text is judged by its beginning; nothing that is longer is a refusal only.
LONGEST = 1_000

_PUNCTUATION = re.compile(
    r"[\s!-&(-/:-@\[-`{-~\u00a1-\u00bf\u2010-\u2018\u201a-\u203e\u3001-\u303f\uff01-\uff0f\uff1a-\uff20"
    r"\u060c\u061b\u061f\u06d4\u0964\u0965\u30fb\ufeff]+"
)
_DIGITS = re.compile(r"\d+")
# Addresses and files' names have rules of their own.
_NAMES = ("@", "www.", "://", ".png", ".jp", ".gif", ".webp")


@functools.lru_cache(maxsize=64)
def score(text: str) -> float:
    """How much ``text`` is like what describes nothing; below 0 it is like a description."""
    weights = _weights()
    found = {name for name in features(text) if name in weights or name[0] != "^"}
    if not any(weights.get(name, 0.0) >= _TELLING for name in found if name[0] != "^"):
        return min(UNKNOWN, _sum(weights, found))
    return _sum(weights, found)


def _sum(weights: Mapping[str, float], found: set[str]) -> float:
    return weights["^bias"] + sum(weights.get(each, 0.0) for each in found) / math.sqrt(
        max(1, len(found))
    )


def features(text: str) -> Iterator[str]:
    """What the weights are of: words, pairs of them, pieces of words, and what they mean."""
    text, words = _words(text)
    meant = concepts.found(words)
    yield from (f"@{each}" for each in meant or ("none",))
    yield from (f"@{one}+{other}" for one, other in itertools.combinations(meant, 2))
    yield f"^{min(len(words), 6)}"
    stripped = text.rstrip(" .。!…\"'»”)")
    yield from (f"^{mark}" for mark in "{}<>[]$_=\\" if mark in text)
    if stripped.endswith(("?", "？", "؟")):
        yield "^?"
    if "!" in text or "！" in text:
        yield "^!"
    if words and not UNSPACED.search(words[0]):
        yield f"^first {words[0]}"
    before = ""
    for word in words:
        if run := UNSPACED.search(word):
            yield from _pieces(run[0], 1, 4)
            continue
        yield word
        if before:
            yield f"{before} {word}"
        before = word
        yield from _pieces(f"·{word}·", 4, 4)


def may_refuse(text: str) -> bool:
    """Whether a text has what refusals speak of; without it none is certain, whatever its score."""
    return concepts.may_refuse(_words(text)[1])


def _words(text: str) -> tuple[str, list[str]]:
    """The text folded, and its words."""
    text = unicodedata.normalize("NFKC", text[:LONGEST]).casefold().replace("’", "'")
    text = text.replace(QUOTED, " q ")
    text = " ".join(part for part in text.split() if not any(mark in part for mark in _NAMES))
    return text, [word for word in _PUNCTUATION.split(_DIGITS.sub("0", text)) if word]


def _pieces(word: str, shortest: int, longest: int) -> Iterator[str]:
    for size in range(shortest, longest + 1):
        for start in range(min(len(word), 200) - size + 1):
            yield f"~{word[start : start + size]}"


@functools.cache
def _weights() -> Mapping[str, float]:
    lines = FILE.read_text("utf-8").splitlines()
    return {name: int(weight) / 100 for name, weight in (line.split("\t") for line in lines)}

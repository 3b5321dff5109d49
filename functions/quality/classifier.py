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

# From here on a text is marked for review, and from there on withheld if it may refuse; a few
# words have to be more certain.
DOUBTFUL, CERTAIN, CERTAIN_OF_FEW = -1.7, 4.0, 6.0
_FEW = 3
# A name or a number with no word that is heard of refusals and errors is none that can be known.
_TELLING, UNKNOWN = 25, -1.8
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
_STOP = re.compile("[.!?。।؟۔]+")
_CODE = "{};="
# A server's status is certain in few words: "503 Service Unavailable".
_STATUS = re.compile(r"[45][0-9][0-9]\b")
# Addresses and files' names have rules of their own.
_NAMES = ("@", "www.", "://", ".png", ".jp", ".gif", ".webp")


@functools.lru_cache(maxsize=64)
def score(text: str) -> float:
    """How much ``text`` is like what describes nothing; below 0 it is like a description."""
    weights = _weights()
    found = {name for name in features(text) if name in weights or name[0] != "^"}
    telling = any(weights.get(name, 0) >= _TELLING for name in found if name[0] not in "^~")
    whole = _sum(weights, found)
    number = text.strip(" .").isdecimal()
    return min(UNKNOWN, whole) if number or (_is_name(text) and not telling) else whole


def _sum(weights: Mapping[str, int], found: set[str]) -> float:
    of_features = sum(weights.get(each, 0) for each in found) / math.sqrt(max(1, len(found)))
    return (weights["^bias"] + of_features) / 100


def _is_name(text: str) -> bool:
    """Whether it is written as names are: some words, each with a capital or a digit."""
    words = text.split()
    return len(words) > 1 and all(word[0].isupper() or word[0].isdecimal() for word in words)


def features(text: str) -> Iterator[str]:
    """What the weights are of: words, pieces of them, what they mean, and the form of the text."""
    text, words = _words(text)
    meant = concepts.found(words)
    yield from (f"@{each}" for each in meant or ("none",))
    yield from (f"@{one}+{other}" for one, other in itertools.combinations(meant, 2))
    yield from _form(text, words)
    if words and not UNSPACED.search(words[0]):
        yield f"^first {words[0]}"
    for word in words:
        if run := UNSPACED.search(word):
            yield from _pieces(run[0], 1, 4)
        else:
            yield word
            yield from _pieces(f"·{word}·", 4, 4)


def _form(text: str, words: list[str]) -> Iterator[str]:
    """How long a text is, and its signs; but not a full stop, which a description may have."""
    yield f"^{min(len(words), 6)}"
    yield f"^length {min(6, len(text).bit_length())}"
    yield f"^sentences {min(3, sum(map(bool, map(str.strip, _STOP.split(text)))))}"
    yield from (f"^{mark}" for mark in "{}<>[]$_=\\!" if mark in text)
    ending = text.rstrip(" \"'»”)")
    if ending.endswith("..."):
        yield "^..."
    if ending.rstrip(" .。!").endswith(("?", "؟")):
        yield "^?"


def is_certain(text: str, doubt: float) -> bool:
    """Whether a text with this score certainly describes nothing: code is never certain not to."""
    if any(sign in text for sign in _CODE):
        return False
    words = _words(text)[1]
    few = len(words) <= _FEW and not any(map(UNSPACED.search, words)) and not _STATUS.match(text)
    return doubt >= (CERTAIN_OF_FEW if few else CERTAIN) and concepts.may_refuse(words)


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
def _weights() -> Mapping[str, int]:
    """In hundredths, by the features' names. Read in one piece: its 22,000 lines one by one would
    take 15 ms of a cold start."""
    parts = FILE.read_text("utf-8").replace("\n", "\t").split("\t")
    return dict(zip(parts[::2], map(int, parts[1::2]), strict=False))

"""The words under which a caption is found, and those that a question asks for."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

MOST_TERMS = 200

# Scripts that put no space between words: Han and kana; Thai and Lao, Burmese, Khmer.
_HAN = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_UNSPACED = f"{_HAN}\u3041-\u30ff\u31f0-\u31ff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"

# Compiled for the first word that is not ASCII: ranges of many scripts take 4 ms of a cold start.
_RUN = f"([{_UNSPACED}]+)|[^{_UNSPACED}]+"
_IDEOGRAPH = f"[{_HAN}]"


# Letters that are no letter with a mark, and are typed like one.
_TYPED = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe"})


def terms(texts: Iterable[str]) -> tuple[str, ...]:
    """The distinct words of ``texts``, NFKC-normalised and case-folded, in order, at most 200.

    Where a script has no spaces, each two characters that follow each other stand for a word.
    After them come the words without their accents, as many people type them, and the single
    ideographs, which are words of their own.
    """
    runs = [run for text in texts for run in _runs(text)]
    pairs = _with_unaccented(runs)
    ideographs = (
        char for run, unspaced in runs if unspaced for char in re.findall(_IDEOGRAPH, run)
    )
    return tuple(itertools.islice(dict.fromkeys(itertools.chain(pairs, ideographs)), MOST_TERMS))


def query_terms(text: str) -> tuple[str, ...]:
    """The terms of a question: as :func:`terms`, but a single ideograph only where it is alone."""
    return tuple(itertools.islice(dict.fromkeys(_with_unaccented(list(_runs(text)))), MOST_TERMS))


def unaccented(word: str) -> str:
    """A term without the marks over and under its letters, and without those for vowels that
    Hebrew and Arabic mostly leave out. Marks that make another letter or sound stay: India's and
    Thailand's, and those of kana."""
    if word.isascii():
        return word
    apart = unicodedata.normalize("NFD", word)
    kept = "".join(each for each in apart if not _is_accent(unicodedata.combining(each)))
    return unicodedata.normalize("NFC", kept).translate(_TYPED)


def _is_accent(combining_class: int) -> bool:
    """By the classes of Unicode's "UnicodeData": 10 to 36 are points of Hebrew, Arabic and Syriac,
    200 and more stand over and under letters of any script."""
    return 10 <= combining_class <= 36 or combining_class >= 200


def _with_unaccented(runs: Sequence[tuple[str, bool]]) -> Iterable[str]:
    pairs = (pair for run in runs for pair in _pairs(*run))
    return itertools.chain(pairs, (unaccented(run) for run, unspaced in runs if not unspaced))


def _runs(text: str) -> Iterator[tuple[str, bool]]:
    """Letters, marks and digits that belong together, and whether their script has no spaces."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    spaced = "".join(char if unicodedata.category(char)[0] in "LMN" else " " for char in folded)
    for word in spaced.split():
        if word.isascii():
            yield word, False
            continue
        for run in re.finditer(_RUN, word):
            yield run[0], bool(run[1])


def _pairs(run: str, unspaced: bool) -> Iterable[str]:
    if not unspaced or len(run) == 1:
        return (run,)
    return ("".join(pair) for pair in itertools.pairwise(run))

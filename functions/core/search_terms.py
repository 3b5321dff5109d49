"""The words under which a caption is found, and those that a question asks for."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator

MOST_TERMS = 200

# Scripts that put no space between words: Han and kana; Thai and Lao, Burmese, Khmer.
_HAN = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_UNSPACED = f"{_HAN}\u3041-\u30ff\u31f0-\u31ff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"

# Compiled for the first word that is not ASCII: ranges of many scripts take 4 ms of a cold start.
_RUN = f"([{_UNSPACED}]+)|[^{_UNSPACED}]+"
_IDEOGRAPH = f"[{_HAN}]"


def terms(texts: Iterable[str]) -> tuple[str, ...]:
    """The distinct words of ``texts``, NFKC-normalised and case-folded, in order, at most 200.

    Where a script has no spaces, each two characters that follow each other stand for a word;
    last come the single ideographs, which are words of their own.
    """
    runs = [run for text in texts for run in _runs(text)]
    pairs = (pair for run in runs for pair in _pairs(*run))
    ideographs = (
        char for run, unspaced in runs if unspaced for char in re.findall(_IDEOGRAPH, run)
    )
    return tuple(itertools.islice(dict.fromkeys(itertools.chain(pairs, ideographs)), MOST_TERMS))


def query_terms(text: str) -> tuple[str, ...]:
    """The terms of a question: as :func:`terms`, but a single ideograph only where it is alone."""
    pairs = (pair for run in _runs(text) for pair in _pairs(*run))
    return tuple(itertools.islice(dict.fromkeys(pairs), MOST_TERMS))


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

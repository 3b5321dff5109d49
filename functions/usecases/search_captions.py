"""Find captions by words: those that have the most of them first."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Set
from dataclasses import dataclass, replace

from functions.core.document import Document, Query, Stored
from functions.core.ports import CaptionStore
from functions.core.search_terms import unaccented

# How many documents are read to choose those with the most words, and for each word at least.
MOST_RANKED, _LEAST_A_WORD = 1000, 50
_PAGE = 100


@dataclass(frozen=True, slots=True)
class RankedCaptions:
    """Captions with the number of words that each has, and the words of which there are more
    captions than were looked at."""

    ranked: tuple[tuple[Stored, int], ...]
    frequent: tuple[str, ...]
    looked_at: int


def by_words(captions: CaptionStore, query: Query, most: int = MOST_RANKED) -> RankedCaptions:
    """The captions with the most of a query's words, at most its limit, the newer of equals first.

    Each word brings its own, so that those of a rare one are not lost behind a frequent one's; at
    most ``most`` documents are read, or 50 a word. With accents and without it is one word.
    """
    spellings: dict[str, list[str]] = {}
    for word in query.words:
        spellings.setdefault(unaccented(word), []).append(word)
    share = max(_LEAST_A_WORD, most // len(spellings))
    there: dict[str, Stored] = {}
    frequent = []
    for spelled in spellings.values():
        named = list(walk(captions, replace(query, words=tuple(spelled)), share))
        there |= {each.document.id: each for each in named}
        if len(named) == share:
            frequent.append(spelled[0])
    ranked = sorted(
        ((each, _matched(spellings.keys(), each.document)) for each in there.values()),
        key=lambda one: (one[1], one[0].document.updated_at),
        reverse=True,
    )
    return RankedCaptions(tuple(ranked[: query.limit]), tuple(frequent), share)


def _matched(words: Set[str], document: Document) -> int:
    return len(words & set(map(unaccented, document.search_terms)))


def walk(captions: CaptionStore, query: Query, limit: int = sys.maxsize) -> Iterator[Stored]:
    """The documents that a query names, of as many pages as it takes, up to ``limit``."""
    while limit > 0:
        page = captions.find(replace(query, limit=min(limit, _PAGE)))
        yield from page.found
        limit -= len(page.found)
        if not page.cursor:
            return
        query = replace(query, cursor=page.cursor)

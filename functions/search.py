"""The words under which a caption is found."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_WORD = re.compile(r"\w+")
MOST_TERMS = 200


def terms(texts: Iterable[str]) -> tuple[str, ...]:
    """The distinct words of ``texts``, NFKC-normalised and case-folded, in order, at most 200."""
    words = (
        word
        for text in texts
        for word in _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    )
    return tuple(dict.fromkeys(words))[:MOST_TERMS]

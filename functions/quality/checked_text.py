"""One text of a reply, with what the rules need to judge it."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from functions.quality import words
from functions.quality.findings import Context
from functions.quality.text import contains, straight, tokens, without_quotations


@dataclass(frozen=True)
class CheckedText:
    """A cleaned text: which field it is, its language, and how long it may be.

    ``visible_text`` is what stands in the image; a description may repeat it whatever it says.
    """

    text: str
    field: str
    language: str
    limit: int
    context: Context
    visible_text: str = ""

    @functools.cached_property
    def own(self) -> str:
        """The text without its quotations, apostrophes straight."""
        return straight(without_quotations(self.text))

    @functools.cached_property
    def tokens(self) -> tuple[str, ...]:
        return tokens(self.text)

    @functools.cached_property
    def is_quotation(self) -> bool:
        """Whether it says nothing but what stands in the image, as an image of text should."""
        return bool(self.tokens) and contains(self.visible_text, self.text)

    @property
    def words(self) -> tuple[words.Words, ...]:
        return words.of(self.language)

    def stands_in_image(self, fragment: str) -> bool:
        folded = " ".join(straight(fragment).casefold().split())
        return bool(folded) and folded in self._visible

    @functools.cached_property
    def _visible(self) -> str:
        return " ".join(straight(self.visible_text).casefold().split())

"""One text of a reply, with what the rules need to judge it."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from functions.quality import classifier, words
from functions.quality.findings import Context
from functions.quality.text import contains, straight, tokens, uncapitalised, without_quotations

_SENTENCE_END = re.compile(r"(?<=[.!?。！？।؟۔])\s*|\n")


@dataclass(frozen=True)
class CheckedText:
    """A cleaned text: which field it is, its language, and how long it may be.

    ``visible_text`` is what stands in the image; a description may repeat it whatever it says.
    ``tagged`` is whether the reply has tags: a model that saw something has.
    """

    text: str
    field: str
    language: str
    limit: int
    context: Context
    visible_text: str = ""
    tagged: bool = True

    @functools.cached_property
    def own(self) -> str:
        """The text without its quotations, apostrophes straight."""
        return straight(without_quotations(self.text))

    @functools.cached_property
    def doubt(self) -> float:
        """How much it is like what describes nothing, apart from quotations and what stands in
        the image: see :mod:`functions.quality.classifier`."""
        whole = classifier.score(self.unquoted)
        for vocabulary in self.words:
            opening = vocabulary.rephrase.match(uncapitalised(self.unquoted))
            if opening and whole >= classifier.DOUBTFUL:
                # What follows "the picture shows" counts: from the word on that the match ends in.
                start = self.unquoted.rfind(" ", 0, opening.end()) + 1
                rest = self.unquoted[max(start, 0) :]
                known_well = classifier.score(rest) < classifier.UNKNOWN
                if known_well or len(tokens(rest)) >= 2:
                    whole = min(whole, classifier.score(rest))
                elif classifier.score(rest) <= classifier.UNKNOWN:
                    whole = min(whole, classifier.CERTAIN - 0.1)
        return whole

    @functools.cached_property
    def sentences(self) -> tuple[str, ...]:
        """Its sentences, quotations apart; a few of them, for a text has few."""
        parts = (part.strip() for part in _SENTENCE_END.split(self.unquoted))
        return tuple(filter(None, parts))[:20]

    @functools.cached_property
    def unquoted(self) -> str:
        """The text with a mark in the place of quotations and of what stands in the image."""
        text = straight(without_quotations(self.text, classifier.QUOTED))
        lines = [line.strip() for line in straight(self.visible_text).split("\n")]
        for shown in [" ".join(lines), *lines][:20]:
            if len(shown) > 3:
                found = text.casefold().find(shown.casefold())
                if found >= 0 and len(text.casefold()) == len(text):
                    text = f"{text[:found]} {classifier.QUOTED} {text[found + len(shown) :]}"
        return text

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

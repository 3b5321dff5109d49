"""What stands in an image file: a stranger's words, until somebody who may edit says otherwise."""

from __future__ import annotations

from dataclasses import replace

from functions.core.document import EmbeddedText
from functions.core.language_tags import meant_tag
from functions.quality.checked_text import CheckedText
from functions.quality.checking import LONGEST_CAPTION, judged
from functions.quality.cleaning import cleaned
from functions.quality.findings import UNPUBLISHABLE, Context

REASON = "embedded_text"
# Beside what is no description: what harms a page or its readers, and what cannot be read.
_WITHHELD = UNPUBLISHABLE | {"broken_characters", "doubtful", "injection", "wrong_script"}


def vetted(embedded: EmbeddedText, context: Context) -> tuple[EmbeddedText, tuple[str, ...]]:
    """``embedded`` by the rules that a model's words have to pass, and reasons for review.

    What fails is left out, so that the model's words stand. A language tag that is none is left
    out too: the text is then taken to be in the main language.
    """
    language = meant_tag(embedded.language)
    reasons: set[str] = set()
    texts: dict[str, str] = {}
    # The other texts of the file are no excuse for this one, but an order in them is one.
    for field in ("alt_text", "caption", "title"):
        text = getattr(embedded, field)
        found, withheld = _judged(text, field, language or context.languages[0], context)
        texts[field] = "" if withheld else found
        if withheld:
            reasons.add(REASON)
    return replace(embedded, language=language, **texts), tuple(sorted(reasons))


def _judged(text: str, field: str, language: str, context: Context) -> tuple[str, bool]:
    if not text:
        return "", False
    text, _ = cleaned(text, language)
    own = replace(context, hints=(), prompt_text="")
    found = judged(CheckedText(text, field, language, LONGEST_CAPTION, own))
    return text, not text or any(each.code in _WITHHELD for each in found)

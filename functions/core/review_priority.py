"""How much a caption that is to be reviewed needs a person: what people who review begin with.

The severity of a reason says what it costs to leave the text as it is: 9, another picture's text
is told of this one; 8, a stranger's words are told; 7, perhaps nothing is described; 6, people may
be told what is not so; 5, the text is there but not for everybody; 4, nobody has vouched for it;
3, it reads badly. How often a website shows an image is known to nobody here, and does not count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from functions.core.document import IMAGE_CHANGED, Document

SEVERITY: Mapping[str, int] = {
    IMAGE_CHANGED: 9,
    **dict.fromkeys(("contact_details", "hint_obeyed", "injection", "prompt_echo"), 8),
    **dict.fromkeys(
        (
            *("chatter", "doubtful", "empty_text", "file_name", "placeholder", "refusal"),
            *("model_empty", "model_refused", "model_unreadable"),
        ),
        7,
    ),
    **dict.fromkeys(
        (
            *("decorative_doubt", "low_similarity", "model_uncertain", "person_guess"),
            "unread_figures",
        ),
        6,
    ),
    **dict.fromkeys(
        (
            *("broken_characters", "missing_translation", "untranslated"),
            *("wrong_language", "wrong_script"),
        ),
        5,
    ),
    **dict.fromkeys(("embedded_text", "imported", "offline", "similarity_unknown"), 4),
    **dict.fromkeys(
        (
            *("cut_off", "file_mentioned", "keyword_stuffing", "over_length"),
            *("redundant_prefix", "repeats_text", "repetition", "shouting"),
        ),
        3,
    ),
}
# Of a reason that is not listed, such as one that a person or a later version gave.
_UNKNOWN = 5
# Of text whose likeness to its image was not measured: neither good nor bad.
_UNMEASURED = 50


def review_priority(document: Document) -> int | None:
    """From 0 to 999, the greatest first: the severity of the worst reason, and within it the
    less the text is like its image; None for what needs no review."""
    if not document.review.needed:
        return None
    severities = (SEVERITY.get(each, _UNKNOWN) for each in document.review.reasons)
    return 100 * max(severities, default=_UNKNOWN) + _unlike(document.similarity)


def prioritised(document: Document) -> Document:
    """``document`` as it is stored: with the priority that it has now."""
    priority = review_priority(document)
    if document.review.priority == priority:
        return document
    return replace(document, review=replace(document.review, priority=priority))


def _unlike(similarity: float | None) -> int:
    """From 0, alike, to 99, not at all."""
    if similarity is None:
        return _UNMEASURED
    return round(99 * (1 - min(1.0, max(0.0, similarity))))

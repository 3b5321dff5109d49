"""What a website may read of a document, and in which language: the one rule.

`alt_text`, ``captions html`` and Jinja go by it; ``infra/firestore.rules`` states the same for
programs that read Firestore themselves, as it is with CAPTION_UNREVIEWED=withhold.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from functions.core.document import Document, Review, Status
from functions.core.language_tags import fallbacks, language_tag, script_of

_FIELDS = ("alt_text", "caption", "long_description")


@dataclass(frozen=True, slots=True)
class PublicText:
    """An image's words in one language; ``alt_text`` is empty for decoration only."""

    alt_text: str
    caption: str
    language: str
    long_description: str = ""


def published(document: Document, *, withhold: bool = False) -> bool:
    """Whether a document's text is for the public; to ``withhold`` leaves out what a person has
    still to look at. Text whose successor is being made is published until that is there."""
    unreviewed = document.review.needed if isinstance(document.review, Review) else True
    return document.status == Status.CAPTIONED and not (withhold and unreviewed)


def choose(document: Document, language: str = "") -> PublicText | None:
    """The words for a reader of ``language``, or in the main language where there are none or
    where they are outdated: translated from words that were found to be wrong.

    Best first: the tag itself, its fallbacks (``fr-CA``, ``fr``: RFC 4647, section 3.4), another
    one of the same language that stands in a script the reader knows, the main language. A
    ``language`` that is no BCP 47 tag is nobody's. None if the document has no words.
    """
    wordings = _wordings(document)
    try:
        tags = fallbacks(language)
    except ValueError:
        tags = ()
    for tag in tags:
        if tag in wordings:
            return wordings[tag]
    for tag in wordings:
        if tags and tag.split("-")[0] == tags[-1] and script_of(tag) & script_of(language):
            return wordings[tag]
    return next(iter(wordings.values()), None)


def to_translate(document: Document, language: str, offered: Collection[str]) -> str:
    """Which of the languages that are ``offered`` would serve a reader of ``language`` better than
    what there is; empty if none."""
    wordings = _wordings(document)
    if document.decorative or not wordings:
        return ""
    try:
        wanted = fallbacks(language)
    except ValueError:
        return ""
    for tag in wanted:
        if tag in wordings:
            return ""
        if tag in offered:
            return tag
    return ""


def missing(document: Document, languages: Iterable[str]) -> tuple[str, ...]:
    """Those of the languages that the words of a document are not told in."""
    wordings = _wordings(document)
    if document.decorative or not wordings:
        return ()
    return tuple(tag for tag in dict.fromkeys(languages) if tag not in wordings)


def _wordings(document: Document) -> dict[str, PublicText]:
    """By canonical tag, the main language first. People and programs edit documents: what is no
    text is left out, and what is no tag is for nobody but those who find nothing better."""
    main = {name: getattr(document, name) for name in _FIELDS}
    translations = document.translations if isinstance(document.translations, Mapping) else {}
    wordings: dict[str, PublicText] = {}
    for language, words in ((document.language, main), *translations.items()):
        if isinstance(words, Mapping) and not words.get("outdated"):
            alt_text, caption, long = (_text(words.get(key)) for key in _FIELDS)
            if document.decorative:
                alt_text = long = ""
            if document.decorative or alt_text:
                wording = PublicText(alt_text, caption, language, long)
                wordings.setdefault(_canonical(language), wording)
    return wordings


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _canonical(language: str) -> str:
    try:
        return language_tag(language)
    except ValueError:
        return ""

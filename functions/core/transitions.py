"""Whose words stand: a person's before the file's, the file's before the model's."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from functions.core import search_terms
from functions.core.document import (
    CheckedCaption,
    Document,
    EmbeddedText,
    Problem,
    Proposal,
    Review,
    Source,
    Status,
    Usage,
)
from functions.core.errors import ConfigurationError, TransientError


def captioned(
    claim: Document, asked: CheckedCaption, uploader: EmbeddedText, now: datetime
) -> Document:
    """``claim`` with the words for its image.

    What a person edited stays, and the model's words become a proposal beside it; alt text
    that came with the upload or in the file stays, and the model fills what is missing.
    """
    document = replace(
        claim,
        width=asked.width,
        height=asked.height,
        model=asked.model,
        model_version=asked.model_version,
    )
    if claim.source == Source.HUMAN:
        document = replace(
            document,
            proposal=_proposal(claim, asked, now),
            review=Review(True, ("image_changed",)),
        )
    else:
        document = replace(
            document,
            **_text(asked),
            source=Source.MODEL,
            review=Review(bool(asked.reasons), asked.reasons),
            proposal=None,
            embedding=None,
            similarity=None,
        )
        if asked.embedded.alt_text:
            document = kept(document, asked.embedded, Source.EMBEDDED)
        document = _with_words_of(uploader, claim, document)
    return ended(document, Status.CAPTIONED, now, captioned_at=now)


def kept(document: Document, people: EmbeddedText, source: Source) -> Document:
    """``document`` with the words that people gave in place of the model's."""
    return replace(
        document,
        embedding=None,
        similarity=None,
        alt_text=people.alt_text or document.alt_text,
        caption=people.caption or document.caption,
        decorative=document.decorative and not people.alt_text,
        language=people.language or document.language,
        source=source,
    )


def copied(claim: Document, copy: Document, uploader: EmbeddedText, now: datetime) -> Document:
    """``claim`` with the words of the same bytes under another name, the uploader's apart."""
    document = replace(
        claim,
        width=copy.width,
        height=copy.height,
        **copy.text_fields(),
        source=copy.source,
        model_version=copy.model_version,
        review=Review(bool(copy.review.reasons), copy.review.reasons),
        embedding=copy.embedding,
        similarity=copy.similarity,
    )
    document = _with_words_of(uploader, claim, document)
    return ended(document, Status.CAPTIONED, now, captioned_at=now)


def _with_words_of(uploader: EmbeddedText, claim: Document, document: Document) -> Document:
    """``document`` with the uploader's words, if there are any.

    A caption that is asked for again finds our labels where those words were; they stand in the
    claim then.
    """
    if claim.source == Source.UPLOADER and not (uploader.alt_text or uploader.caption):
        uploader = EmbeddedText(claim.alt_text, claim.caption)
    if not (uploader.alt_text or uploader.caption):
        return document
    return kept(document, uploader, Source.UPLOADER)


def ended(
    document: Document,
    status: Status,
    now: datetime,
    error: Problem | None = None,
    captioned_at: datetime | None = None,
) -> Document:
    """``document`` with no work left on it."""
    translated = (text for words in document.translations.values() for text in words.values())
    terms = search_terms.terms(
        (
            *(document.alt_text, document.caption, *document.tags, *translated),
            *(document.visible_text, document.name.rpartition(".")[0] or document.name),
        )
    )
    return replace(
        document,
        status=status,
        updated_at=now,
        error=error,
        lease=None,
        not_before=None,
        metadata_synced=False,
        search_terms=terms,
        captioned_at=captioned_at or document.captioned_at,
    )


def spent(document: Document, usage: Usage) -> Document:
    """``document`` with ``usage`` added to its own."""
    return replace(document, usage=document.usage + usage)


def _proposal(claim: Document, asked: CheckedCaption, now: datetime) -> Proposal:
    return Proposal(
        **_text(asked),
        model=asked.model,
        model_version=asked.model_version,
        prompt=claim.prompt,
        generation=str(claim.generation),
        at=now,
    )


def _text(asked: CheckedCaption) -> dict[str, Any]:
    return asked.reply.text_fields() | {"language": asked.language}


def kind(error: Exception) -> str:
    """The word for what a person has to do about an error: wait, mend a setting, or report."""
    if isinstance(error, TransientError):
        return "transient"
    return "configuration" if isinstance(error, ConfigurationError) else "defect"

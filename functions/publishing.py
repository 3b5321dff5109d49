"""Whose words stand: a person's before the file's, the file's before the model's."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from functions import labels, search
from functions.asking import Asked
from functions.domain import Document, EmbeddedText, Problem, Review, Upload, Usage
from functions.errors import ConfigurationError, Gone, Stale, TransientError
from functions.ports import ImageStore

# How often the labels are written anew when the metadata changed under them.
_LABELLING = 4


def captioned(claim: Document, asked: Asked, uploader: EmbeddedText, now: datetime) -> Document:
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
    if claim.source == "human":
        document = replace(
            document,
            proposal=_proposal(claim, asked, now),
            review=Review(True, ("image_changed",)),
        )
    else:
        reply = asked.reply
        document = replace(
            document,
            caption=reply.caption,
            alt_text=reply.alt_text,
            decorative=reply.decorative,
            tags=reply.tags,
            visible_text=reply.visible_text,
            translations=reply.translations,
            language=asked.language,
            source="model",
            review=Review(bool(asked.reasons), asked.reasons),
            proposal=None,
        )
        if asked.embedded.alt_text:
            document = kept(document, asked.embedded, "embedded")
        if uploader.alt_text or uploader.caption:
            document = kept(document, uploader, "uploader")
    return ended(document, "captioned", now, captioned_at=now)


def kept(document: Document, people: EmbeddedText, source: str) -> Document:
    """``document`` with the words that people gave in place of the model's."""
    return replace(
        document,
        alt_text=people.alt_text or document.alt_text,
        caption=people.caption or document.caption,
        decorative=document.decorative and not people.alt_text,
        language=people.language or document.language,
        source=source,
        search_terms=(),
    )


def copied(claim: Document, twin: Document, now: datetime) -> Document:
    """``claim`` with the words of the same bytes under another name."""
    document = replace(
        claim,
        width=twin.width,
        height=twin.height,
        caption=twin.caption,
        alt_text=twin.alt_text,
        decorative=twin.decorative,
        tags=twin.tags,
        visible_text=twin.visible_text,
        translations=twin.translations,
        language=twin.language,
        source=twin.source,
        model_version=twin.model_version,
        review=Review(bool(twin.review.reasons), twin.review.reasons),
    )
    return ended(document, "captioned", now, captioned_at=now)


def ended(
    document: Document,
    status: str,
    now: datetime,
    error: Problem | None = None,
    captioned_at: datetime | None = None,
) -> Document:
    """``document`` with no work left on it."""
    terms = search.terms(
        (document.alt_text, document.caption, *document.tags, document.visible_text)
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


def _proposal(claim: Document, asked: Asked, now: datetime) -> dict[str, Any]:
    reply = asked.reply
    return {
        "caption": reply.caption,
        "alt_text": reply.alt_text,
        "decorative": reply.decorative,
        "tags": list(reply.tags),
        "model": asked.model,
        "model_version": asked.model_version,
        "prompt": claim.prompt,
        "generation": str(claim.generation),
        "at": now,
    }


def kind(error: Exception) -> str:
    """The word for what a person has to do about an error: wait, mend a setting, or report."""
    if isinstance(error, TransientError):
        return "transient"
    return "configuration" if isinstance(error, ConfigurationError) else "defect"


def label(images: ImageStore, document: Document, upload: Upload) -> None:
    """Write a document's labels into the metadata of its object.

    The first write goes by the metageneration that ``upload`` knows, without a read. Raises
    Gone if the generation is no longer live, TransientError if its metadata keeps changing.
    """
    live: Upload | None = upload if upload.metageneration is not None else None
    for _ in range(_LABELLING):
        if live is None:
            live = images.look_up(upload.bucket, upload.name)
        if live is None or live.generation != document.generation:
            raise Gone
        wanted = labels.written(document, live.metadata)
        if all(live.metadata.get(key) == value for key, value in wanted.items()):
            return
        try:
            images.label(live, wanted)
            return
        except Stale:
            live = None
    raise TransientError(f"the metadata of {document.uri} keeps changing")

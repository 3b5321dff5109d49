"""Whose words stand: a person's before the file's, the file's before the model's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from functions import labels, removals, search
from functions.asking import Asked
from functions.domain import Document, EmbeddedText, Problem, Review, Stored, Upload, Usage
from functions.errors import ConfigurationError, Gone, Stale, TransientError
from functions.ports import CaptionStore, ImageStore

# How often the labels are written anew when the metadata or the document changed under them.
_LABELLING = 8


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
            embedding=None,
            similarity=None,
        )
        if asked.embedded.alt_text:
            document = kept(document, asked.embedded, "embedded")
        document = _with_words_of(uploader, claim, document)
    return ended(document, "captioned", now, captioned_at=now)


def kept(document: Document, people: EmbeddedText, source: str) -> Document:
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


def copied(claim: Document, twin: Document, uploader: EmbeddedText, now: datetime) -> Document:
    """``claim`` with the words of the same bytes under another name, the uploader's apart."""
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
        embedding=twin.embedding,
        similarity=twin.similarity,
    )
    document = _with_words_of(uploader, claim, document)
    return ended(document, "captioned", now, captioned_at=now)


def _with_words_of(uploader: EmbeddedText, claim: Document, document: Document) -> Document:
    """``document`` with the uploader's words, if there are any.

    A caption that is asked for again finds our labels where those words were; they stand in the
    claim then.
    """
    if claim.source == "uploader" and not (uploader.alt_text or uploader.caption):
        uploader = EmbeddedText(claim.alt_text, claim.caption)
    if not (uploader.alt_text or uploader.caption):
        return document
    return kept(document, uploader, "uploader")


def ended(
    document: Document,
    status: str,
    now: datetime,
    error: Problem | None = None,
    captioned_at: datetime | None = None,
) -> Document:
    """``document`` with no work left on it."""
    translated = (text for words in document.translations.values() for text in words.values())
    terms = search.terms(
        (document.alt_text, document.caption, *document.tags, *translated, document.visible_text)
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
        "visible_text": reply.visible_text,
        "language": asked.language,
        "translations": reply.translations,
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


def label(
    store: CaptionStore,
    images: ImageStore,
    stored: Stored,
    upload: Upload,
    finished: Callable[[Document], Document] = lambda document: document,
) -> str:
    """Write a captioned document's text into the metadata of ``upload``, and note that in it;
    ``labelled``, ``gone`` or ``changed_meanwhile``. ``finished`` may add to the document what
    is to be saved with that note.

    The first write goes by the metageneration that ``upload`` knows. After it the object is read
    before the document: a text that is newer than the one in hand and labelled already has moved
    the metageneration, so that of two writers the one with the later text wins.
    """
    live: Upload | None = upload if upload.metageneration is not None else None
    for _ in range(_LABELLING):
        if live is None:
            live = images.look_up(upload.bucket, upload.name)
            current = store.read(upload.id)
            if current is None or current.document.generation != upload.generation:
                return "changed_meanwhile"
            if current.document.status != "captioned":
                return "changed_meanwhile"
            stored = current
        if live is None or live.generation != upload.generation:
            break
        try:
            _write(images, stored.document, live)
            if not stored.document.metadata_synced:
                document = finished(stored.document)
                store.replace(stored, replace(document, metadata_synced=True))
            return "labelled"
        except Stale:
            live = None
        except Gone:
            break
    else:
        raise TransientError(f"the metadata of {upload.uri} keeps changing")
    if images.look_up(upload.bucket, upload.name) is None:
        removals.drop(store, images, stored)
    return "gone"


def _write(images: ImageStore, document: Document, live: Upload) -> None:
    wanted = labels.written(document, live.metadata)
    if any(live.metadata.get(key) != value for key, value in wanted.items()):
        images.label(live, wanted)

"""Who may work on an image: the rules of the claim, by generation, as pure functions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from functions.core.document import (
    IMAGE_CHANGED,
    Document,
    Lease,
    Problem,
    Record,
    Renewal,
    Review,
    Status,
    Stored,
    Upload,
    Usage,
)
from functions.core.object_metadata import carried_text

ENDED = frozenset({Status.REJECTED, Status.FAILED, Status.DEFERRED})


class Decision(Enum):
    """What a delivery may do about a document that is there already."""

    WORK = "work"
    CARRY = "carry"
    LABEL = "label"
    DONE = "done"
    SUPERSEDED = "superseded"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Trigger:
    """How a delivery goes about a document that has ended.

    ``retry`` takes up one that ended without a caption, ``force`` a captioned one as well, in
    either case only if it ended before the trigger was made: a repeated request has no effect.
    """

    made_at: datetime
    retry: bool = False
    force: bool = False


@dataclass(frozen=True, slots=True)
class LeaseRequest:
    """A delivery's claim: who, until when, and which model is asked in which words."""

    holder: str
    model: str
    prompt: str
    at: datetime
    lease: timedelta


@dataclass(frozen=True, slots=True)
class Claim:
    """A claimed document, by whose request, and what stood there before. To ``label`` it is all
    there is to do for one that has its text already. ``record`` is that of its picture's text, as
    it was written with the claim."""

    stored: Stored
    request: LeaseRequest
    before: Document | None = None
    label: bool = False
    record: Record | None = None


def decide(
    stored: Stored, upload: Upload, trigger: Trigger, request: LeaseRequest, *, own_text: bool
) -> Decision:
    """What may be done for ``upload`` about the document as it is stored; ``own_text`` says that
    the upload brings a person's text with it."""
    document = stored.document
    if document.generation > upload.generation:
        return Decision.SUPERSEDED
    if document.generation < upload.generation:
        given = own_text or carries_text(document, upload)
        text_stands = not given and not trigger.force and _has_wanted_text(document, request)
        return Decision.CARRY if text_stands and same_picture(document, upload) else Decision.WORK
    if document.in_work:
        return Decision.HELD if waits_until(stored) else Decision.WORK
    if document.updated_at < trigger.made_at and (
        trigger.force or (trigger.retry and document.status in ENDED)
    ):
        return Decision.WORK
    if unlabelled(document):
        return Decision.LABEL
    return Decision.DONE


def carries_text(document: Document, upload: Upload) -> bool:
    """Whether an upload carries a person's text in its labels, as a copy of another image does,
    for a document that has none."""
    return bool(carried_text(upload).alt_text) and not document.by_person


def same_picture(document: Document, upload: Upload) -> bool:
    """Whether an upload has the very bytes that a document describes."""
    return bool(upload.md5) and document.md5 == upload.md5


def _has_wanted_text(document: Document, request: LeaseRequest) -> bool:
    """Whether a document has text that is a person's, or what the model would be asked for."""
    alike = (document.model, document.prompt) == (request.model, request.prompt)
    done = document.status == Status.CAPTIONED and not document.in_work
    return done and (document.by_person or alike)


def own_text(document: Document, request: LeaseRequest) -> bool:
    """Whether a claimed document has the text that is asked for already, and nobody wants it
    replaced."""
    published = document.status == Status.CAPTIONED and document.width is not None
    forced = bool(document.renewal and document.renewal.forced)
    alike = (document.model, document.prompt) == (request.model, request.prompt)
    return published and not forced and (document.by_person or alike)


def unlabelled(document: Document) -> bool:
    """Whether its words are still to be written into the object's metadata."""
    return document.status == Status.CAPTIONED and not document.metadata_synced


def waits_until(stored: Stored) -> datetime | None:
    """Until when nobody may take up a pending document; None if anybody may now."""
    document = stored.document
    times = [document.not_before, document.lease.expires_at if document.lease else None]
    return max((time for time in times if time and time > stored.read_at), default=None)


def first(upload: Upload, request: LeaseRequest) -> Document:
    """The document of an image that had none, claimed."""
    return Document(
        bucket=upload.bucket,
        name=upload.name,
        generation=upload.generation,
        status=Status.PENDING,
        content_type=upload.content_type,
        size=upload.size,
        md5=upload.md5,
        model=request.model,
        prompt=request.prompt,
        created_at=request.at,
        updated_at=request.at,
        attempts=1,
        lease=Lease(request.holder, request.at + request.lease),
    )


def waiting(upload: Upload, request: LeaseRequest, why: Problem) -> Document:
    """The document of an image that had none and is not worked on yet."""
    claim = first(upload, request)
    return replace(claim, attempts=0, lease=None, error=why)


def holds(request: LeaseRequest, document: Document) -> bool:
    """Whether the claim on a document is this request's."""
    return document.lease is not None and document.lease.holder == request.holder


def renewed(stored: Stored, upload: Upload, request: LeaseRequest) -> Document:
    """``stored``, which this request holds, by a clock that has been set right since."""
    claim = first(upload, request)
    return replace(stored.document, updated_at=request.at, lease=claim.lease)


def carried(stored: Stored, upload: Upload, request: LeaseRequest) -> Document:
    """``stored`` as that of another generation of the same picture, to be labelled."""
    return replace(
        stored.document,
        **_described(upload),
        updated_at=request.at,
        usage=Usage(),
        error=None,
        attempts=1,
        metadata_synced=False,
    )


def taken(stored: Stored, upload: Upload, request: LeaseRequest, trigger: Trigger) -> Document:
    """``stored``, claimed for ``upload``.

    Another picture's document starts anew, unless its text is a person's: that stays, to be
    reviewed. Text that is published stays so while its successor is made: such a claim is told
    by its ``renewal``. Attempts go on if somebody was at work on this generation, and else
    begin again.
    """
    document, claim = stored.document, first(upload, request)
    newer = document.generation != upload.generation
    changed = newer and not same_picture(document, upload)
    if changed and not document.by_person:
        return replace(claim, created_at=document.created_at)
    again = document.in_work and not newer
    kept = replace(
        document,
        updated_at=request.at,
        attempts=document.attempts + 1 if again else 1,
        lease=claim.lease,
        not_before=None,
    )
    if newer:
        kept = replace(kept, **_described(upload), usage=Usage(), error=None)
        kept = replace(kept, metadata_synced=False)
    if changed:
        kept = _of_another_picture(kept)
    if document.status == Status.CAPTIONED:
        renewal = document.renewal if again else None
        forced = trigger.force and not carries_text(document, upload)
        if renewal is None or (forced and not renewal.forced):
            renewal = Renewal(trigger.made_at, forced)
        return replace(kept, renewal=renewal)
    waiting: dict[str, Any] = {"status": Status.PENDING, "metadata_synced": False}
    return replace(kept, **waiting, model=request.model, prompt=request.prompt)


def released(document: Document) -> Document:
    """``document`` with nobody at work on it any more."""
    return replace(document, lease=None, not_before=None, renewal=None)


def _described(upload: Upload) -> dict[str, Any]:
    return {
        "generation": upload.generation,
        "content_type": upload.content_type,
        "size": upload.size,
        "md5": upload.md5,
    }


def _of_another_picture(document: Document) -> Document:
    """``document`` with a person's text whose picture has been overwritten: it is to be looked at
    again. Whoever approved it did so for the other picture."""
    review = document.review
    reasons = tuple(dict.fromkeys((*review.reasons, IMAGE_CHANGED)))
    edited_at = document.edited_at or review.approved_at or document.captioned_at
    return replace(
        document,
        width=None,
        height=None,
        media=None,
        duration_seconds=None,
        edited_at=edited_at or document.created_at,
        review=Review(True, reasons),
    )

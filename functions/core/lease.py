"""Who may work on an image: the rules of the claim, by generation, as pure functions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from functions.core.document import Document, Lease, Source, Status, Stored, Upload, Usage

ENDED = frozenset({Status.REJECTED, Status.FAILED, Status.DEFERRED})


class Decision(Enum):
    """What a delivery may do about a document that is there already."""

    WORK = "work"
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
    """A claimed document, and what stood there before."""

    stored: Stored
    before: Document | None = None


def decide(stored: Stored, upload: Upload, trigger: Trigger) -> Decision:
    """What may be done for ``upload`` about the document as it is stored."""
    document = stored.document
    if document.generation > upload.generation:
        return Decision.SUPERSEDED
    if document.generation < upload.generation:
        return Decision.WORK
    if document.status == Status.PENDING:
        return Decision.HELD if waits_until(stored) else Decision.WORK
    if document.updated_at < trigger.made_at and (
        trigger.force or (trigger.retry and document.status in ENDED)
    ):
        return Decision.WORK
    if unlabelled(document):
        return Decision.LABEL
    return Decision.DONE


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


def holds(request: LeaseRequest, document: Document) -> bool:
    """Whether the claim on a document is this request's."""
    return document.lease is not None and document.lease.holder == request.holder


def renewed(stored: Stored, upload: Upload, request: LeaseRequest) -> Document:
    """``stored``, which this request holds, by a clock that has been set right since."""
    claim = first(upload, request)
    return replace(stored.document, updated_at=request.at, lease=claim.lease)


def taken(stored: Stored, upload: Upload, request: LeaseRequest) -> Document:
    """``stored``, claimed for ``upload``.

    A document of an older generation starts anew but for what a person wrote. One of this
    generation keeps what it has; its attempts go on if it was pending and else begin again.
    """
    document, claim = stored.document, first(upload, request)
    again = document.generation == upload.generation and document.status == Status.PENDING
    if document.generation != upload.generation and document.source != Source.HUMAN:
        return replace(claim, created_at=document.created_at)
    kept = replace(
        document,
        status=Status.PENDING,
        model=request.model,
        prompt=request.prompt,
        updated_at=request.at,
        attempts=document.attempts + 1 if again else 1,
        lease=claim.lease,
        not_before=None,
        metadata_synced=False,
    )
    if document.generation == upload.generation:
        return kept
    return replace(
        kept,
        generation=upload.generation,
        content_type=upload.content_type,
        size=upload.size,
        md5=upload.md5,
        width=None,
        height=None,
        usage=Usage(),
        error=None,
    )

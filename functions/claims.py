"""Who may work on an image: the rules of the claim, by generation, as pure functions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from functions.domain import Document, Lease, Stored, Upload, Usage

ENDED = frozenset({"rejected", "failed", "deferred"})


class Verdict(Enum):
    """What a delivery may do about a document that is there already."""

    WORK = "work"
    LABEL = "label"
    DONE = "done"
    SUPERSEDED = "superseded"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Wish:
    """How a delivery goes about a document that has ended.

    ``retry`` takes up one that ended without a caption, ``force`` a captioned one as well, in
    either case only if it ended before the wish was made: a repeated request has no effect.
    """

    made_at: datetime
    retry: bool = False
    force: bool = False


@dataclass(frozen=True, slots=True)
class Bid:
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


def decide(stored: Stored, upload: Upload, wish: Wish) -> Verdict:
    """What may be done for ``upload`` about the document as it is stored."""
    document = stored.document
    if document.generation > upload.generation:
        return Verdict.SUPERSEDED
    if document.generation < upload.generation:
        return Verdict.WORK
    if document.status == "pending":
        return Verdict.HELD if waits_until(stored) else Verdict.WORK
    if document.updated_at < wish.made_at and (
        wish.force or (wish.retry and document.status in ENDED)
    ):
        return Verdict.WORK
    if unlabelled(document):
        return Verdict.LABEL
    return Verdict.DONE


def unlabelled(document: Document) -> bool:
    """Whether its words are still to be written into the object's metadata."""
    return document.status == "captioned" and not document.metadata_synced


def waits_until(stored: Stored) -> datetime | None:
    """Until when nobody may take up a pending document; None if anybody may now."""
    document = stored.document
    times = [document.not_before, document.lease.expires_at if document.lease else None]
    return max((time for time in times if time and time > stored.read_at), default=None)


def first(upload: Upload, bid: Bid) -> Document:
    """The document of an image that had none, claimed."""
    return Document(
        bucket=upload.bucket,
        name=upload.name,
        generation=upload.generation,
        status="pending",
        content_type=upload.content_type,
        size=upload.size,
        md5=upload.md5,
        model=bid.model,
        prompt=bid.prompt,
        created_at=bid.at,
        updated_at=bid.at,
        attempts=1,
        lease=Lease(bid.holder, bid.at + bid.lease),
    )


def holds(bid: Bid, document: Document) -> bool:
    """Whether the claim on a document is this bid's."""
    return document.lease is not None and document.lease.holder == bid.holder


def renewed(stored: Stored, upload: Upload, bid: Bid) -> Document:
    """``stored``, which this bid holds, by a clock that has been set right since."""
    claim = first(upload, bid)
    return replace(stored.document, updated_at=bid.at, lease=claim.lease)


def taken(stored: Stored, upload: Upload, bid: Bid) -> Document:
    """``stored``, claimed for ``upload``.

    A document of an older generation starts anew but for what a person wrote. One of this
    generation keeps what it has; its attempts go on if it was pending and else begin again.
    """
    document, claim = stored.document, first(upload, bid)
    again = document.generation == upload.generation and document.status == "pending"
    if document.generation != upload.generation and document.source != "human":
        return replace(claim, created_at=document.created_at)
    kept = replace(
        document,
        status="pending",
        model=bid.model,
        prompt=bid.prompt,
        updated_at=bid.at,
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

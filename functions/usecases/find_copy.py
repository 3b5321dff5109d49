"""The same bytes again, under another name or the same: captioned once, copied ever after."""

from __future__ import annotations

from functions.core.document import Document, Query, Source, Status, Stored
from functions.core.errors import Held
from functions.core.lease import Claim
from functions.core.ports import CaptionStore

_MOST = 50


def copy_of(store: CaptionStore, claim: Claim) -> Document | None:
    """A caption of the same bytes by the same model, asked for in the same words; None if there
    is none.

    Raises Held while another delivery, whose claim was written first, is asking for it. Claims
    are looked for after one's own is written, so that of two at least one sees the other.
    """
    mine, before = claim.stored.document, claim.before
    if not mine.md5 or mine.source == Source.HUMAN:
        return None
    if before and before.generation < mine.generation and _answers(before, mine):
        return before
    others = [
        other
        for other in store.find(Query(md5=mine.md5, limit=_MOST)).found
        if _alike(other.document, mine) and other.document.id != mine.id
    ]
    for other in others:
        if _answers(other.document, mine):
            return other.document
    order = (claim.stored.version, mine.id)
    if any(_asking(other) and (other.version, other.document.id) < order for other in others):
        raise Held("the same bytes are being captioned under another name")
    return None


def _alike(one: Document, other: Document) -> bool:
    return (one.md5, one.model, one.prompt) == (other.md5, other.model, other.prompt)


def _answers(there: Document, mine: Document) -> bool:
    return _alike(there, mine) and there.status == Status.CAPTIONED and there.source == Source.MODEL


def _asking(other: Stored) -> bool:
    lease = other.document.lease
    return other.document.status == Status.PENDING and bool(
        lease and lease.expires_at > other.read_at
    )

"""The same bytes under another name: captioned once, copied ever after."""

from __future__ import annotations

from functions.domain import Document, Query, Stored
from functions.errors import Held
from functions.ports import CaptionStore

_MOST = 50


def twin(store: CaptionStore, stored: Stored) -> Document | None:
    """A caption of the same bytes by the same model, asked for in the same words; None if there
    is none.

    Raises Held while another delivery, whose claim was written first, is asking for it. Claims
    are looked for after one's own is written, so that of two at least one sees the other.
    """
    mine = stored.document
    if not mine.md5 or mine.source == "human":
        return None
    others = [
        other
        for other in store.find(Query(md5=mine.md5, limit=_MOST)).found
        if (other.document.model, other.document.prompt) == (mine.model, mine.prompt)
        and other.document.id != mine.id
    ]
    for other in others:
        if other.document.status == "captioned" and other.document.source == "model":
            return other.document
    order = (stored.version, mine.id)
    if any(_asking(other) and (other.version, other.document.id) < order for other in others):
        raise Held("the same bytes are being captioned under another name")
    return None


def _asking(other: Stored) -> bool:
    lease = other.document.lease
    return other.document.status == "pending" and bool(lease and lease.expires_at > other.read_at)

"""Where the next page begins: after a position, whatever becomes of the document there."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime

from functions.core.document import Document

# The rank of what has no priority in an order by priority.
UNRANKED = -1
_MOST = 1_000_000


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the order of a store's answers, the greatest first; ``rank`` is the priority in
    an order by that, and else None."""

    rank: int | None
    updated_at: datetime
    name: str
    id: str

    @classmethod
    def of(cls, document: Document, by_priority: bool = False) -> Position:
        priority = document.review.priority
        rank = (UNRANKED if priority is None else priority) if by_priority else None
        return cls(rank, document.updated_at, document.name, document.id)

    @classmethod
    def read(cls, cursor: str, by_priority: bool = False) -> Position | None:
        """The position that ``cursor`` names; None for the beginning.

        Raises ValueError if no page of this order has given this cursor.
        """
        if not cursor:
            return None
        try:
            position = cls(*_parsed(cursor))
        except (ValueError, TypeError, OverflowError, RecursionError):
            position = None
        ranked = position is not None and position.rank is not None
        if position is None or not position.id or ranked is not by_priority:
            raise ValueError(f"{cursor[:40]!r} is no page's cursor; leave it out to begin anew")
        return position

    def cursor(self) -> str:
        """The position as text that is safe in an address."""
        rank = () if self.rank is None else (self.rank,)
        text = json.dumps([*rank, self.updated_at.isoformat(), self.name, self.id])
        return base64.urlsafe_b64encode(text.encode()).decode()


def _parsed(cursor: str) -> tuple[int | None, datetime, str, str]:
    """Raises ValueError, or what else comes of reading a text that no page has given."""
    *ranks, time, name, key = json.loads(base64.urlsafe_b64decode(cursor))
    if len(ranks) > 1 or any(type(each) is not int or abs(each) > _MOST for each in ranks):
        raise ValueError("no rank")
    if not all(isinstance(each, str) for each in (time, name, key)):
        raise ValueError("no position")
    at = datetime.fromisoformat(time)
    if at.tzinfo is None:
        raise ValueError("no moment")
    f"{name}{key}".encode()  # half a character is none
    return (ranks[0] if ranks else None), at.astimezone(UTC), name, key

"""Where the next page begins: after a position, whatever becomes of the document there."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime

from functions.core.document import Document


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the order of a store's answers, the greatest first."""

    updated_at: datetime
    name: str
    id: str

    @classmethod
    def of(cls, document: Document) -> Position:
        return cls(document.updated_at, document.name, document.id)

    @classmethod
    def read(cls, cursor: str) -> Position | None:
        """The position that ``cursor`` names; None for the beginning.

        Raises ValueError if no page has given this cursor.
        """
        if not cursor:
            return None
        try:
            position = cls(*_parsed(cursor))
        except (ValueError, TypeError, OverflowError, RecursionError):
            position = None
        if position is None or not position.id:
            raise ValueError(f"{cursor[:40]!r} is no page's cursor; leave it out to begin anew")
        return position

    def cursor(self) -> str:
        """The position as text that is safe in an address."""
        text = json.dumps([self.updated_at.isoformat(), self.name, self.id])
        return base64.urlsafe_b64encode(text.encode()).decode()


def _parsed(cursor: str) -> tuple[datetime, str, str]:
    """Raises ValueError, or what else comes of reading a text that no page has given."""
    time, name, key = json.loads(base64.urlsafe_b64decode(cursor))
    if not all(isinstance(each, str) for each in (time, name, key)):
        raise ValueError("no position")
    at = datetime.fromisoformat(time)
    if at.tzinfo is None:
        raise ValueError("no moment")
    f"{name}{key}".encode()  # half a character is none
    return at.astimezone(UTC), name, key

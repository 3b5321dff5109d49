"""A store of captions that tells a topic of every document that has ended or was edited.

Before a document is told of it carries the mark ``untold``, and loses it with the write that
follows: a message is sent at least once, and what could not be sent is found by the mark. For a
caption that is the write which notes that its labels stand: it costs none of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from functions.core.document import Document, Record, Status, Stored
from functions.core.errors import CaptionError, Stale
from functions.core.ports import CaptionStore
from functions.core.public_text import choose, published

# Attributes and data of one message. Raises CaptionError.
Publish = Callable[[Mapping[str, str], Mapping[str, Any]], None]

# After a failure the topic is left alone for so long; a caption does not wait for it.
_PAUSE_SECONDS = 30.0


class AnnouncedCaptions:
    """A CaptionStore on another one. A message that cannot be sent fails nothing."""

    def __init__(self, store: CaptionStore, publish: Publish, *, withhold: bool = False) -> None:
        self._store, self._publish, self._withhold = store, publish, withhold
        self._paused_until = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def replace(self, stored: Stored, document: Document, record: Record | None = None) -> Stored:
        """As the store's own, with a message where ``document`` has ended."""
        before = stored.document
        news = _ended(document) and (
            before.untold or not _ended(before) or _content(before) != _content(document)
        )
        if not news:
            return self._store.replace(stored, document, record)
        marked = replace(document, untold=True)
        if not _final(document):
            return self._store.replace(stored, marked, record)
        if before.untold:
            published = self._tell(document)
            after = replace(document, untold=None) if published else marked
            return self._store.replace(stored, after, record)
        stored = self._store.replace(stored, marked, record)
        if self._tell(document):
            with suppress(Stale):
                return self._store.replace(stored, replace(document, untold=None))
        return stored

    def _tell(self, document: Document) -> bool:
        if time.monotonic() < self._paused_until:
            return False
        try:
            self._publish(attributes(document), data(document, withhold=self._withhold))
        except CaptionError:
            self._paused_until = time.monotonic() + _PAUSE_SECONDS
            return False
        return True


def attributes(document: Document) -> dict[str, str]:
    """What a subscription can filter by."""
    return {
        "bucket": document.bucket,
        "name": document.name,
        "generation": str(document.generation),
        "status": str(document.status),
        "source": str(document.source),
    }


def data(document: Document, *, withhold: bool = False) -> dict[str, Any]:
    """The message: the public text as ``alt_text`` tells it, and what came of the image."""
    public = published(document, withhold=withhold)
    text = choose(document) if public else None
    review, error = document.review, document.error
    return {
        "src": document.uri,
        "alt": text.alt_text if text else None,
        "caption": text.caption if text else None,
        "language": text.language if text else None,
        "decorative": document.decorative,
        "source": str(document.source),
        "updated_at": _time(document.updated_at),
        "status": str(document.status),
        "review": {"needed": review.needed, "reasons": list(review.reasons)},
        "error": {"reason": error.reason, "message": error.message, "at": _time(error.at)}
        if error
        else None,
    }


def _ended(document: Document) -> bool:
    return document.status != Status.PENDING and not document.in_work


def _final(document: Document) -> bool:
    """Whether nothing is left to write after this."""
    return document.status != Status.CAPTIONED or document.metadata_synced


def _content(document: Document) -> tuple[Any, ...]:
    """What makes another message."""
    error = (document.error.reason, document.error.at) if document.error else None
    review = (document.review, document.source, document.status)
    return (document.text_fields(), review, error, document.generation)


def _time(time: datetime) -> str:
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")

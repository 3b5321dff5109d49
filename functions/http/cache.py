"""Documents that were just asked for, kept for a minute by each instance."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass

from functions.core.document import Document
from functions.core.errors import TransientError

# A page's images are asked for by many readers within the minute; a caption that has just been
# written, or edited, is seen within it.
SECONDS = 60.0
ABSENT_SECONDS = 5.0
MOST_ENTRIES = 10_000
MOST_BYTES = 32 * 2**20
# What an entry takes beside its words: the objects around them, measured with tracemalloc.
_OVERHEAD = 2_200
# Longer than a store takes to give up.
_PATIENCE = 30.0

Load = Callable[[Iterable[str]], Mapping[str, Document]]


@dataclass(frozen=True, slots=True)
class _CachedDocument:
    document: Document | None
    size: int
    until: float


class DocumentCache:
    """Documents by ID, from ``load`` or from memory; safe in threads.

    A document is kept for ``seconds``, and absence for five at most. Each key is loaded by one
    thread at a time, and the others wait for it. What is longest unused goes first when there are
    too many entries, or too many bytes.
    """

    def __init__(
        self,
        load: Load,
        seconds: float = SECONDS,
        clock: Callable[[], float] = time.monotonic,
        most_entries: int = MOST_ENTRIES,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._load, self._seconds, self._clock = load, seconds, clock
        self._most_entries, self._most_bytes = most_entries, most_bytes
        self._entries: OrderedDict[str, _CachedDocument] = OrderedDict()
        self._coming: dict[str, Future[Document | None]] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    def kept(self, key: str) -> Document | None:
        """The document with this ID, if it is remembered."""
        with self._lock:
            entry = self._entries.get(key)
            return entry.document if entry and entry.until > self._clock() else None

    def forget(self, keys: Iterable[str]) -> None:
        """Remember nothing of these any more."""
        with self._lock:
            for key in keys:
                self._drop(key)

    def read(self, keys: Iterable[str]) -> dict[str, Document | None]:
        """The documents with these IDs; None where there is none. Raises what ``load`` raises."""
        found: dict[str, Document | None] = {}
        mine: dict[str, Future[Document | None]] = {}
        others: dict[str, Future[Document | None]] = {}
        with self._lock:
            for key in dict.fromkeys(keys):
                entry = self._entries.get(key)
                if entry and entry.until > self._clock():
                    self._entries.move_to_end(key)
                    found[key] = entry.document
                elif key in self._coming:
                    others[key] = self._coming[key]
                else:
                    mine[key] = self._coming[key] = Future()
        if mine:
            found |= self._loaded(mine)
        try:
            return found | {key: future.result(_PATIENCE) for key, future in others.items()}
        except TimeoutError:
            raise TransientError("the captions that were asked for are slow to come") from None

    def _loaded(self, mine: Mapping[str, Future[Document | None]]) -> dict[str, Document | None]:
        try:
            loaded = self._load(mine)
        except BaseException as error:
            with self._lock:
                for key, future in mine.items():
                    del self._coming[key]
                    future.set_exception(error)
            raise
        with self._lock:
            for key, future in mine.items():
                self._keep(key, loaded.get(key))
                del self._coming[key]
                future.set_result(loaded.get(key))
        return {key: loaded.get(key) for key in mine}

    def _keep(self, key: str, document: Document | None) -> None:
        size = _OVERHEAD + (_text_bytes(document) if document else 0)
        seconds = self._seconds if document else min(ABSENT_SECONDS, self._seconds)
        self._drop(key)
        self._entries[key] = _CachedDocument(document, size, self._clock() + seconds)
        self._bytes += size
        while len(self._entries) > self._most_entries or self._bytes > self._most_bytes:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: str) -> None:
        if entry := self._entries.pop(key, None):
            self._bytes -= entry.size


def _text_bytes(document: Document) -> int:
    """At most what a document's words take; a character takes up to four bytes."""
    return 4 * len(
        repr((document.name, document.caption, document.alt_text, document.long_description))
    ) + 4 * len(repr(document.translations))

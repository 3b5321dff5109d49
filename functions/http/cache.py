"""Documents that were just asked for, kept for a minute by each instance."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future

from functions.core.document import Document
from functions.core.errors import TransientError
from functions.http.kept import Kept, KeptValue

# A page's images are asked for by many readers within the minute; a caption that has just been
# written, or edited, is seen within it.
SECONDS = 60.0
ABSENT_SECONDS = 5.0
MOST_ENTRIES = 10_000
MOST_BYTES = 32 * 2**20
# What an entry takes beside its words: the objects around them, measured with tracemalloc.
_OVERHEAD = 2_200
_ABSENT_BYTES = 400
# Longer than a store takes to give up.
_PATIENCE = 30.0

Load = Callable[[Iterable[str]], Mapping[str, Document]]


class DocumentCache:
    """Documents by ID, from ``load`` or from memory; safe in threads.

    A document is kept for ``seconds``, and absence for five at most. Each key is loaded by one
    thread at a time, and the others wait for it. What is longest unused goes first when there are
    too many entries, or too many bytes; names that are not there drive no document out.
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
        self._documents = Kept[str, Document](most_entries, most_bytes, clock)
        self._absent = Kept[str, None](most_entries, most_bytes, clock)
        self._coming: dict[str, Future[Mapping[str, Document]]] = {}
        self._lock = threading.Lock()

    def kept(self, key: str) -> Document | None:
        """The document with this ID, if it is remembered."""
        entry = self._documents.find(key)
        return entry.value if entry else None

    def until(self, keys: Iterable[str]) -> float:
        """The moment of the clock until which all that is known of these is remembered; 0 if one
        of them is not."""
        return min((entry.until if (entry := self._find(key)) else 0 for key in keys), default=0)

    def forget(self, keys: Iterable[str]) -> None:
        """Remember nothing of these any more."""
        for key in keys:
            self._documents.drop(key)
            self._absent.drop(key)

    def read(self, keys: Iterable[str]) -> dict[str, Document | None]:
        """The documents with these IDs; None where there is none. Raises what ``load`` raises."""
        found: dict[str, Document | None] = {}
        others: dict[str, Future[Mapping[str, Document]]] = {}
        mine = list[str]()
        with self._lock:
            for key in dict.fromkeys(keys):
                if entry := self._find(key):
                    found[key] = entry.value
                elif key in self._coming:
                    others[key] = self._coming[key]
                else:
                    mine.append(key)
            if mine:
                coming: Future[Mapping[str, Document]] = Future()
                self._coming |= dict.fromkeys(mine, coming)
        if mine:
            loaded = self._loaded(mine, coming)
            found |= {key: loaded.get(key) for key in mine}
        try:
            return found | {key: each.result(_PATIENCE).get(key) for key, each in others.items()}
        except TimeoutError:
            raise TransientError("the captions that were asked for are slow to come") from None

    def _loaded(
        self, mine: Sequence[str], coming: Future[Mapping[str, Document]]
    ) -> Mapping[str, Document]:
        try:
            loaded = self._load(mine)
        except BaseException as error:
            with self._lock:
                for key in mine:
                    del self._coming[key]
            coming.set_exception(error)
            raise
        with self._lock:
            for key in mine:
                self._keep(key, loaded.get(key))
                del self._coming[key]
        coming.set_result(loaded)
        return loaded

    def _find(self, key: str) -> KeptValue[Document] | KeptValue[None] | None:
        return self._documents.find(key) or self._absent.find(key)

    def _keep(self, key: str, document: Document | None) -> None:
        now = self._clock()
        if document is None:
            self._documents.drop(key)
            until = now + min(ABSENT_SECONDS, self._seconds)
            self._absent.keep(key, None, _ABSENT_BYTES, until)
        else:
            self._absent.drop(key)
            size = _OVERHEAD + _text_bytes(document)
            self._documents.keep(key, document, size, now + self._seconds)


def _text_bytes(document: Document) -> int:
    """At most what a document's words take; a character takes up to four bytes."""
    return 4 * len(
        repr((document.name, document.caption, document.alt_text, document.long_description))
    ) + 4 * len(repr(document.translations))

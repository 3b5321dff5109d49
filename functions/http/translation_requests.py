"""What websites make of a language that is not there: at most one request, and few in a day."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable

from functions.core.document import Document
from functions.core.errors import CaptionError
from functions.core.public_text import to_translate
from functions.http.daily_limit import LookupLimit
from functions.usecases.request_translations import Wanted

# How long a request is not repeated: it may have been lost. How long a translation is looked for
# at each answer, because it may be there in a moment.
_REPEAT_SECONDS, _EXPECTED_SECONDS = 900.0, 120.0
# How long nothing is asked for after a topic has not taken it.
_PAUSE_SECONDS = 60.0
_MOST_REMEMBERED = 20_000


class TranslationRequests:
    """Asks for translations into the ``offered`` languages, each of an image's words once for a
    while, ``most`` in a UTC day (0: none). Safe in threads."""

    def __init__(
        self,
        offered: Collection[str],
        most: int,
        ask: Callable[[list[Wanted]], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._offered = frozenset(offered) if most else frozenset[str]()
        self._limit, self._ask, self._clock = LookupLimit(most), ask, clock
        self._lock = threading.Lock()
        self._asked: OrderedDict[tuple[str, str, int], float] = OrderedDict()
        self._paused_until = 0.0

    def make(self, documents: Iterable[Document], language: str) -> set[str]:
        """Ask for what a reader of ``language`` misses in these; the IDs of those that may have
        it in a moment."""
        if not self._offered or not language:
            return set()
        expected: set[str] = set()
        wanted: list[Wanted] = []
        for document in documents:
            tag = to_translate(document, language, self._offered)
            if tag and self._is_new(document, tag):
                wanted.append((document.bucket, document.name, (tag,)))
            if tag and self._is_expected(document, tag):
                expected.add(document.id)
        if wanted:
            self._send(wanted)
        return expected

    def misses(self, document: Document, language: str) -> bool:
        """Whether a reader of ``language`` would be better served by a translation."""
        return bool(self._offered and language and to_translate(document, language, self._offered))

    def _is_new(self, document: Document, tag: str) -> bool:
        """Whether this is to be asked for, which it then is."""
        key, now = _key(document, tag), self._clock()
        with self._lock:
            at = self._asked.get(key)
            if now < self._paused_until or (at is not None and now - at < _REPEAT_SECONDS):
                return False
            if not self._limit.spend(1):
                return False
            self._asked[key] = now
            self._asked.move_to_end(key)
            while len(self._asked) > _MOST_REMEMBERED:
                self._asked.popitem(last=False)
            return True

    def _is_expected(self, document: Document, tag: str) -> bool:
        with self._lock:
            at = self._asked.get(_key(document, tag))
        return at is not None and self._clock() - at < _EXPECTED_SECONDS

    def _send(self, wanted: list[Wanted]) -> None:
        """A topic that is out of reach fails no answer: the next reader asks again."""
        try:
            self._ask(wanted)
        except CaptionError:
            self._paused_until = self._clock() + _PAUSE_SECONDS


def _key(document: Document, tag: str) -> tuple[str, str, int]:
    """Other words are another matter."""
    words = (document.alt_text, document.caption, document.language)
    return document.id, tag, hash(words)

"""Sees every effect on the stores as it takes place, and writes down what breaks the promise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from functions.core.document import Document, Upload

Key = tuple[str, int]
_ENDED = frozenset({"captioned", "rejected", "failed", "deferred"})


class Witness:
    """``violations`` says in words what must not have happened.

    ``cherished`` names the images that hold a person's text and have stood ever since, ``carried``
    the copies of images with text of theirs, ``written`` their text by the picture's bytes.
    """

    def __init__(
        self,
        live: Callable[[str], Upload | None],
        bytes_of: Callable[[Key], bytes],
        attempts: int,
        limit: int,
    ) -> None:
        self._live, self._bytes = live, bytes_of
        self._attempts, self._limit = attempts, limit
        self.violations: list[str] = []
        self.most_calls = 0
        self.calls: Counter[Key] = Counter()
        self.calls_by_day: Counter[str] = Counter()
        self.wishes: Counter[str] = Counter()
        self.captions: Counter[Key] = Counter()
        self.cherished: set[str] = set()
        self.carried: set[Key] = set()
        self.written: set[tuple[bytes, str]] = set()
        self._newest: dict[str, int] = {}
        self._ended: set[Key] = set()

    def broken(self, what: str) -> None:
        self.violations.append(what)

    def ended(self, key: Key) -> bool:
        """Whether a document was written that says so."""
        return key in self._ended

    def wrote(self, before: Document | None, after: Document) -> None:
        """A delivery's write took effect."""
        key = (after.name, after.generation)
        if after.status in _ENDED and not after.renewal:
            self._ended.add(key)
        else:
            self._ended.discard(key)
        if before and before.by_person:
            self._spares(before, after)
        if before and before.status == "captioned" and after.status != "captioned":
            same = before.generation == after.generation or before.md5 == after.md5 != ""
            if same and not (before.by_person and "image_changed" in after.review.reasons):
                self.broken(f"{key}: published text became {after.status}")
        if after.status != "captioned":
            return
        newest = self._newest.get(after.name, 0)
        # A person may write into what a late event has claimed for a moment.
        if after.generation < newest and not after.by_person:
            self.broken(f"{key}: a caption older than that of generation {newest}")
        self._newest[after.name] = max(newest, after.generation)
        if before is None or before.status != "captioned":
            self.captions[key] += 1
            if self.captions[key] > 1 + self.wishes[after.name]:
                self.broken(f"{key}: captioned {self.captions[key]} times")

    def _spares(self, before: Document, after: Document) -> None:
        """What a person wrote or approved stands, or makes way for what a person wrote for the
        very picture that is there now, or for the uploader's own words for that."""
        if (before.alt_text, before.caption) == (after.alt_text, after.caption):
            return
        key, theirs = (after.name, after.generation), after.by_person
        theirs = theirs and (self._bytes(key), after.alt_text) in self.written
        given = after.source == "uploader" and before.source == "uploader"
        if not (theirs or given):
            self.broken(f"{key}: a person's {before.alt_text!r} became {after.alt_text!r}")

    def removed(self, document: Document) -> None:
        """A delivery removed a document."""
        live = self._live(document.name)
        skipped = live is not None and "caption-skip" in live.metadata
        if live and live.generation == document.generation and not skipped:
            self.broken(f"{(document.name, document.generation)}: removed while the image stands")
        if document.source == "human" and document.name in self.cherished:
            self.broken(f"{document.name}: a person's text was removed with a late event")

    def called(self, upload: Key, now: datetime, refused: bool) -> None:
        """The model was called for a generation, by an instance whose clock says ``now``; one
        that it refused costs nothing, and is none of the day's."""
        day = now.date().isoformat()
        self.calls[upload] += 1
        self.calls_by_day[day] += not refused
        if self._limit and self.calls_by_day[day] > self._limit:
            self.broken(f"{day}: call {self.calls_by_day[day]} of {self._limit}")
        most = self.most_calls or 2 * self._attempts * (1 + self.wishes[upload[0]])
        if self.calls[upload] > most:
            self.broken(f"{upload}: {self.calls[upload]} calls")

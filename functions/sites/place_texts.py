"""The alt text that was written for places in pages, each read from the store once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from functions.core.document import Document
from functions.core.page_place import PagePlace, PlaceId, PlaceText
from functions.core.ports import CaptionStore
from functions.core.public_text import PublicText
from functions.sites.attributes import one_line

_AT_ONCE = 300  # what CaptionStore.read_places takes


class PlaceTexts:
    """What is kept for places of captioned images, as far as a page may show it."""

    def __init__(self, captions: CaptionStore) -> None:
        self._captions = captions
        self._texts: dict[PlaceId, PlaceText | None] = {}

    def load(self, places: Iterable[tuple[Document, PagePlace]]) -> None:
        """Read those that are not known yet, in few round trips."""
        wanted = {(document.id, place.key): document for document, place in places}
        new = [each for each in wanted if each not in self._texts]
        for begin in range(0, len(new), _AT_ONCE):
            batch = new[begin : begin + _AT_ONCE]
            kept = self._captions.read_places(batch)
            for each in batch:
                self._texts[each] = kept[each].of(wanted[each].generation)

    def settled(self, document: Document, place: PagePlace) -> bool:
        """Whether a model has been asked about a place, whatever came of it."""
        self.load([(document, place)])
        return self._texts[(document.id, place.key)] is not None

    def settle(self, document: Document, place: PagePlace, text: PlaceText) -> None:
        """Take over what was written just now."""
        self._texts[(document.id, place.key)] = text

    def wording(self, document: Document, place: PagePlace) -> PublicText | None:
        """The words for a place, the alt text empty for decoration only; None if there are none
        to show."""
        self.load([(document, place)])
        text = self._texts[(document.id, place.key)]
        if text is None or not text.shown:
            return None
        line = "" if text.decorative else one_line(text.alt_text)
        words = PublicText(line, "", text.language or place.language)
        return replace(words, caption=line) if line or text.decorative else None

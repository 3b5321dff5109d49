"""The words of images, each read from the store once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from functions.core import public_text
from functions.core.document import Document, Status, document_id
from functions.core.ports import CaptionStore
from functions.core.public_text import PublicText
from functions.sites.attributes import one_line
from functions.sites.image_locator import ObjectName

_AT_ONCE = 300  # what CaptionStore.read_many takes


class PublicCaptions:
    """What ``captions`` holds, as far as a website may show it: images that are captioned, and
    with ``withhold`` only those that no person has to look at any more."""

    def __init__(self, captions: CaptionStore, withhold: bool = False) -> None:
        self._captions = captions
        self._withhold = withhold
        self._documents: dict[str, Document | None] = {}

    def load(self, objects: Iterable[ObjectName]) -> None:
        """Read the documents of these objects that are not known yet, in few round trips."""
        keys = (document_id(*place) for place in objects)
        new = list(dict.fromkeys(key for key in keys if key not in self._documents))
        for begin in range(0, len(new), _AT_ONCE):
            batch = new[begin : begin + _AT_ONCE]
            stored = self._captions.read_many(batch)
            for key in batch:
                self._documents[key] = stored[key].document if key in stored else None

    def why_not(self, place: ObjectName) -> str:
        """Why there are no words to show: the outcome of an image that lacks them."""
        document = self._documents.get(document_id(*place))
        if document is None:
            return "uncaptioned"
        if document.status == Status.CAPTIONED:
            published = public_text.published(document, withhold=self._withhold)
            return "uncaptioned" if published else "withheld"
        ended = document.status in (Status.REJECTED, Status.FAILED)
        return str(document.status) if ended else "waiting"

    def document(self, place: ObjectName) -> Document | None:
        """The document with words to show; None if there is none."""
        self.load([place])
        document = self._documents[document_id(*place)]
        if document is None or not public_text.published(document, withhold=self._withhold):
            return None
        return document

    def wording(self, place: ObjectName, language: str) -> PublicText | None:
        """The words for readers of ``language``, the alt text on one line and empty for decoration
        only; None if there are none to show."""
        document = self.document(place)
        if document is None:
            return None
        chosen = public_text.choose(document, language)
        if chosen is None:
            return None
        line = one_line(chosen.alt_text)
        return replace(chosen, alt_text=line) if line or document.decorative else None

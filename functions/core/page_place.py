"""A place where an image stands in a page, and the alt text that was written for it there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from datetime import datetime
from typing import Any

from functions.core.document import Lease, Problem, Usage

# A place by the ID of its image's document and its own key.
PlaceId = tuple[str, str]


@dataclass(frozen=True, slots=True)
class PagePlace:
    """What a page says around one use of an image: data, never an instruction.

    ``link`` is where the link leads that has the image for its only content, ``link_text`` what
    other links of the page to the same address say, ``names_link`` whether a link or button would
    have no name without the image. ``before`` and ``after`` are the paragraphs around it.
    """

    language: str = ""
    title: str = ""
    heading: str = ""
    link: str = ""
    link_text: str = ""
    figcaption: str = ""
    before: str = ""
    after: str = ""
    names_link: bool = False

    @property
    def key(self) -> str:
        """A hash over all of it: the same words around an image are one place."""
        return hashlib.sha256(json.dumps(astuple(self)).encode()).hexdigest()

    @property
    def texts(self) -> Mapping[str, str]:
        """What is said there, each text under what it is; without what is empty."""
        named = {
            "title of the page": self.title,
            "heading": self.heading,
            "the image is the only content of a link to": self.link,
            "links there say": self.link_text,
            "caption under the image": self.figcaption,
            "text before the image": self.before,
            "text after the image": self.after,
        }
        return {name: text for name, text in named.items() if text}

    @property
    def beside(self) -> tuple[str, ...]:
        """The texts that an alt text must not say again."""
        near = (self.figcaption, self.before, self.after)
        return tuple(filter(None, near if self.names_link else (*near, *self._heads)))

    @property
    def names(self) -> tuple[str, ...]:
        """The texts that an alt text may say again as a whole: a link may be called so."""
        return tuple(filter(None, self._heads)) if self.names_link else ()

    @property
    def _heads(self) -> tuple[str, ...]:
        return self.heading, self.title, self.link_text


@dataclass(frozen=True, slots=True)
class PlaceText:
    """What was written for a place, of one generation of its image; the fields are the stored
    document's. With ``error``, a model was asked and nothing of it may be shown there; with
    ``lease``, one is being asked."""

    generation: int
    alt_text: str = ""
    decorative: bool = False
    language: str = ""
    model: str = ""
    model_version: str = ""
    prompt: str = ""
    usage: Usage = field(default_factory=Usage)
    error: Problem | None = None
    lease: Lease | None = None
    updated_at: datetime | None = None

    @property
    def shown(self) -> bool:
        """Whether it may stand in the page."""
        return self.lease is None and self.error is None


@dataclass(frozen=True, slots=True)
class KeptPlace:
    """A place as a store holds it; without ``text`` and ``version`` there is nothing yet.
    ``read_at`` is the time by the store's own clock."""

    image: str
    key: str
    read_at: datetime
    text: PlaceText | None = None
    version: Any = None

    def of(self, generation: int) -> PlaceText | None:
        """What was settled for this generation; None if nothing was."""
        text = self.text
        return text if text and text.generation == generation and text.lease is None else None

    def is_asked(self, generation: int) -> bool:
        """Whether somebody is asking a model about it, of this generation."""
        text = self.text
        if text is None or text.lease is None or text.generation != generation:
            return False
        return text.lease.expires_at > self.read_at

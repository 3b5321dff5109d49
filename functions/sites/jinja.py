"""Alt text in the templates of a site that Python renders.

In Jinja2 it is a filter, after which an image has its words, or no attribute where none are
known: ``<img src="{{ src }}"{{ src | alt(page.lang) }}>``::

    from functions.sites.jinja import AltText

    env.filters["alt"] = AltText.open().attribute
"""

from __future__ import annotations

import os

from functions import composition
from functions.core.errors import ConfigurationError
from functions.core.ports import CaptionStore
from functions.settings import Settings
from functions.sites import attributes
from functions.sites.captions import PublicCaptions
from functions.sites.image_locator import ImageLocator


class Attribute(str):
    """HTML as it is: engines that escape what they print leave it alone."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


class AltText:
    """Looks alt text up by an image's address, and reads each image once: it is for builds, which
    end, and not for servers, which would miss what changes."""

    def __init__(
        self, captions: CaptionStore, locator: ImageLocator, withhold: bool = False
    ) -> None:
        self._captions = PublicCaptions(captions, withhold)
        self._locator = locator

    @classmethod
    def open(cls, bucket: str = "", prefix: str = "", site: str = "") -> AltText:
        """On the store that the environment names.

        ``bucket`` and ``prefix`` say where images lie whose addresses are relative, or are under
        ``site``. Raises ConfigurationError if a setting is wrong or the store is out of reach.
        """
        read = Settings.from_env(os.environ)
        try:
            locator = ImageLocator(read.origins or (), site, bucket, prefix)
        except ValueError as error:
            raise ConfigurationError(f"AltText.open: site or bucket {error}") from None
        return cls(composition.store(read), locator, read.unreviewed == "withhold")

    def of(self, src: object, lang: object = "") -> str | None:
        """The alt text of the image at ``src`` for readers of ``lang``: ``""`` for decoration,
        None if there is none, or no ``src`` either, as templates have it (``None``, undefined).
        Raises TransientError if the store does not answer."""
        for place in self._locator.find(_text(src)) if _text(src) else ():
            wording = self._captions.wording(place, _text(lang))
            if wording:
                return wording.alt_text
        return None

    def attribute(self, src: object, lang: object = "") -> Attribute:
        """`` alt="..."`` as HTML, with the space before it; nothing if there is no alt text, so
        that an image nobody has described does not pass for decoration."""
        alt_text = self.of(src, lang)
        return Attribute("" if alt_text is None else attributes.attribute(alt_text))


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()

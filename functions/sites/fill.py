"""One page: what becomes of each image in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain

from functions.sites import encoding, markup
from functions.sites.attributes import attribute
from functions.sites.captions import PublicCaptions
from functions.sites.image_locator import ImageLocator, ObjectPlace
from functions.sites.markup import Image


@dataclass(frozen=True, slots=True)
class ImageFinding:
    """What becomes of one image.

    ``outcome`` is ``present`` (it has an ``alt`` attribute), ``filled`` or ``decorative`` (it gets
    ``alt``, which is in ``language``), ``uncaptioned`` (no words for it), ``elsewhere`` (in no
    bucket that is known), ``template`` (written by a template) or ``untouched`` (no ``img``).
    """

    line: int
    tag: str
    src: str
    outcome: str
    uri: str = ""
    alt: str | None = None
    language: str = ""


@dataclass(frozen=True, slots=True)
class Filled:
    """A page as it is and as it would be, and what becomes of each image."""

    source: encoding.Text
    text: str
    findings: tuple[ImageFinding, ...]

    @property
    def changed(self) -> bool:
        return self.text != self.source.text

    @property
    def before(self) -> bytes:
        return self.source.encode(self.source.text)

    @property
    def after(self) -> bytes:
        return self.source.encode(self.text)


class HtmlPage:
    """A page's images, and where they may be stored. Raises encoding.NotText."""

    def __init__(self, path: str, data: bytes, places: ImageLocator, language: str = "") -> None:
        self._text = encoding.decode(data)
        self._language = language
        found = markup.read(self._text.text)
        page = places.page(path)
        self._images = []
        for each in found.images:
            meant = [places.find(src, page, found.base) for src in each.addresses]
            exact = [place for readings in meant for place in readings[:1]]
            self._images.append((each, exact, [place for found in meant for place in found[1:]]))

    @property
    def places(self) -> Iterator[ObjectPlace]:
        """The objects whose words are needed."""
        for image, exact, _ in self._images:
            if _fillable(image):
                yield from exact

    def originals(self, known: PublicCaptions) -> Iterator[ObjectPlace]:
        """The objects that images may have been made from, of which nothing is ``known``."""
        for image, exact, originals in self._images:
            if _fillable(image) and not any(known.wording(place, "") for place in exact):
                yield from originals

    def fill(self, known: PublicCaptions) -> Filled:
        """Put in the alt text that is missing and ``known``."""
        text = self._text.text
        attributes, findings, line, counted = [], [], 1, 0
        for image, *places in self._images:
            line += text.count("\n", counted, image.start)
            counted = image.start
            finding = self._finding(line, image, list(chain(*places)), known)
            findings.append(finding)
            if finding.alt is not None:
                written = self._text.references(attribute(finding.alt))
                attributes.append((image.insert, written))
        return Filled(self._text, markup.insert(text, attributes), tuple(findings))

    def _finding(
        self, line: int, image: Image, places: list[ObjectPlace], known: PublicCaptions
    ) -> ImageFinding:
        found = ImageFinding(
            line, image.tag, image.addresses[0] if image.addresses else "", "present"
        )
        if image.has_alt:
            return found
        if image.templated:
            return replace(found, outcome="template")
        if image.tag != "img":
            return replace(found, outcome="untouched")
        for place in places:
            said = known.wording(place, image.language or self._language)
            if said:
                outcome = "filled" if said.alt_text else "decorative"
                uri, alt = "gs://{}/{}".format(*place), said.alt_text
                return replace(found, outcome=outcome, uri=uri, alt=alt, language=said.language)
        if places:
            return replace(found, outcome="uncaptioned", uri="gs://{}/{}".format(*places[0]))
        return replace(found, outcome="elsewhere")


def _fillable(image: Image) -> bool:
    return image.tag == "img" and not image.has_alt and not image.templated

"""One page: what becomes of each image in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from functions.core.document import Document
from functions.core.page_place import PagePlace, PlaceId
from functions.core.public_text import PublicText
from functions.sites import encoding, functional, long_descriptions, markup, sources
from functions.sites.attributes import attribute
from functions.sites.captions import PublicCaptions
from functions.sites.functional import Titles
from functions.sites.image_locator import ImageLocator, ObjectName
from functions.sites.markup import Image, Markup
from functions.sites.place_texts import PlaceTexts

# Of one page; others get their general alt text.
MOST_PLACES = 200


@dataclass(frozen=True, slots=True)
class ImageFinding:
    """What becomes of one image.

    ``outcome`` is ``present`` (it has an ``alt`` attribute), ``named`` (by another attribute),
    ``hidden`` (from those who hear the page), ``template`` (written by a template), ``untouched``
    (no ``img``); or it gets ``alt``, which is in ``language``: ``filled``, ``functional`` (with
    where its link leads), ``decorative``, ``presentational`` (its author says so) or
    ``redundant`` (what stands beside it says so already); or it lacks words: ``nameless`` (a link
    that would have no name without them), ``uncaptioned``, ``rejected``, ``failed`` or ``waiting``
    (as its document says), ``withheld`` (until somebody has looked), ``elsewhere`` (in no bucket
    that is known). ``functional_image`` tells of an image that is all of its link's content and
    says what it shows, not where that leads; ``trackless`` of a video that has no captions;
    ``in_place`` of words that were written for it there. A video is given its ``alt`` as
    ``aria-label``.
    """

    line: int
    tag: str
    src: str
    outcome: str
    uri: str = ""
    alt: str | None = None
    language: str = ""
    functional_image: bool = False
    trackless: bool = False
    in_place: bool = False


@dataclass(frozen=True, slots=True)
class ImageUse:
    """An image whose words may depend on its place in a page, and that place."""

    document: Document
    place: PagePlace

    @property
    def id(self) -> PlaceId:
        return self.document.id, self.place.key


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
    """A page's images, and where they may be stored. ``around`` is the language of places whose
    page names none, where what is said around the images counts. Raises encoding.NotText."""

    def __init__(
        self,
        path: str,
        data: bytes,
        locator: ImageLocator,
        language: str = "",
        titles: Titles | None = None,
        around: str = "",
    ) -> None:
        self._text, self._form = encoding.decode(data), sources.form(path, bool(around))
        self._path, self._language = path, language
        found = self._form.read(self._text.text)
        page = locator.page(path)
        self._target = functional.targets(titles, locator, page, found.base)
        self._around = dict(_places(found, language or around))
        self._images = []
        for each in found.images:
            candidates = [locator.find(src, page, found.base) for src in each.addresses]
            exact = [place for objects in candidates for place in objects[:1]]
            originals = [place for objects in candidates for place in objects[1:]]
            self._images.append((each, exact, originals))

    @property
    def lacking(self) -> int:
        """How many images have no alt text, and no other name."""
        return sum(_settled(image) in ("", "template") for image, *_ in self._images)

    @property
    def objects(self) -> Iterator[ObjectName]:
        """The objects whose words are needed."""
        for image, exact, _ in self._images:
            if _fillable(image):
                yield from exact

    def originals(self, captions: PublicCaptions) -> Iterator[ObjectName]:
        """The objects that images may have been made from, of which there are no ``captions``."""
        for image, exact, originals in self._images:
            if _fillable(image) and not any(captions.wording(place, "") for place in exact):
                yield from originals

    def uses(self, captions: PublicCaptions, people: bool = False) -> Iterator[ImageUse]:
        """The uses of captioned images whose words their place may change: not of decoration, nor
        where a rule tells what they need, nor, but with ``people``, where a person has decided."""
        for image, exact, originals in self._images:
            if use := self._use(image, [*exact, *originals], captions, people):
                yield use

    def fill(
        self,
        captions: PublicCaptions,
        fitted: PlaceTexts | None = None,
        people: bool = False,
        *,
        long: bool = False,
    ) -> Filled:
        """Put in the alt text that is missing: the caption's, or that ``fitted`` to its place; with
        ``long``, also what the captions say at length."""
        text = self._text.text
        attributes, findings, line, counted = [], [], 1, 0
        for image, exact, originals in self._images:
            line += text.count("\n", counted, image.start)
            counted = image.start
            finding = self._finding(line, image, [*exact, *originals], captions)
            use = fitted and self._use(image, [*exact, *originals], captions, people)
            if fitted and use and (wording := fitted.wording(use.document, use.place)):
                finding = _in_place(finding, image, wording)
            findings.append(finding)
            if finding.alt is not None:
                write = _label if image.tag == "video" else self._form.write
                written = self._text.references(write(finding.alt))
                attributes.append((image.insert, written))
        if long and self._path.lower().endswith((".html", ".htm")):
            attributes += self._long(captions, findings)
        return Filled(self._text, markup.insert(text, attributes), tuple(findings))

    def _long(
        self, captions: PublicCaptions, findings: list[ImageFinding]
    ) -> Iterator[tuple[int, str]]:
        """The long descriptions of images that have an alt text, in this page."""
        text, sections = self._text.text, []
        for number, ((image, exact, originals), found) in enumerate(
            zip(self._images, findings, strict=True), 1
        ):
            if image.tag != "img" or not (found.alt or image.alt) or image.templated:
                continue
            language = image.language or self._language
            texts = (captions.wording(each, language) for each in (*exact, *originals))
            if (said := next(filter(None, texts), None)) and said.long_description:
                parts, section = long_descriptions.offered(
                    text, image, said, language or said.language, number
                )
                yield from ((at, self._text.references(part)) for at, part in parts)
                sections.append(section)
        if any(sections):
            yield long_descriptions.body_end(text), self._text.references("".join(sections))

    def _use(
        self, image: Image, objects: list[ObjectName], captions: PublicCaptions, people: bool
    ) -> ImageUse | None:
        around = self._around.get(image.start)
        if around is None or functional.purpose(image.context, self._target):
            return None
        for place in objects:
            wording = captions.wording(place, image.language or self._language)
            document = captions.document(place)
            if wording and document:
                settled = _described(ImageFinding(0, "", "", ""), image, wording)
                mine = document.by_person and not people
                return None if settled.outcome != "filled" or mine else ImageUse(document, around)
        return None

    def _finding(
        self, line: int, image: Image, objects: list[ObjectName], captions: PublicCaptions
    ) -> ImageFinding:
        src = image.addresses[0] if image.addresses else ""
        uri = "gs://{}/{}".format(*objects[0]) if objects else ""
        settled = _settled(image)
        trackless = image.trackless and settled not in ("template", "hidden", "presentational")
        found = ImageFinding(line, image.tag, src, settled, uri, trackless=trackless)
        if found.outcome:
            if image.tag == "video":
                return replace(found, uri="")
            alt = "" if found.outcome in ("presentational", "redundant") else None
            return replace(found, uri="", alt=alt)
        purpose = functional.purpose(image.context, self._target)
        if purpose and image.tag != "video":
            return replace(found, outcome="functional", alt=purpose)
        for place in objects:
            if wording := captions.wording(place, image.language or self._language):
                return _described(replace(found, uri="gs://{}/{}".format(*place)), image, wording)
        return replace(found, outcome=captions.why_not(objects[0]) if objects else "elsewhere")


def _label(words: str) -> str:
    return attribute(words, "aria-label")


def _settled(image: Image) -> str:
    """What becomes of an image whatever it shows; nothing if that depends on it."""
    context = image.context
    if image.has_alt:
        return "present"
    if image.templated:
        return "template"
    if context.intent in ("named", "hidden"):
        return context.intent
    if image.tag == "video":
        return context.intent
    if image.tag != "img":
        return "untouched"
    if context.intent == "presentational":
        return "hidden" if functional.is_only_name(context) else "presentational"
    return "redundant" if functional.is_beside_its_name(context) else ""


def _described(found: ImageFinding, image: Image, wording: PublicText) -> ImageFinding:
    """An image with the words for it; not where a text beside it has them. A video has no other
    name than its own."""
    if image.tag == "video":
        if wording.alt_text:
            return replace(found, outcome="filled", alt=wording.alt_text, language=wording.language)
        return replace(found, outcome="decorative")
    only = functional.is_only_name(image.context)
    if not wording.alt_text and only:
        return replace(found, outcome="nameless")
    if not wording.alt_text:
        return replace(found, outcome="decorative", alt="", language=wording.language)
    if not only and functional.says_the_same(image.context.figcaption, wording.alt_text):
        return replace(found, outcome="redundant", alt="", language=wording.language)
    return replace(
        found,
        outcome="filled",
        alt=wording.alt_text,
        language=wording.language,
        functional_image=only and not functional.leads_to_an_image(image.context),
    )


def _places(found: Markup, language: str) -> Iterator[tuple[int, PagePlace]]:
    """What stands around the images without settled words, by where their tags begin."""
    unsettled = (each for each in found.images if each.tag == "img" and _fillable(each))
    for image in islice(unsettled if found.text else (), MOST_PLACES):
        if found.text and (place := found.text.place(image.start, image.context, language)):
            yield image.start, place


def _in_place(found: ImageFinding, image: Image, wording: PublicText) -> ImageFinding:
    """An image with the words for its place; the general ones stand where those would not do."""
    fitted = _described(found, image, wording)
    return replace(fitted, in_place=True) if fitted.outcome in ("filled", "decorative") else found


def _fillable(image: Image) -> bool:
    return not _settled(image)

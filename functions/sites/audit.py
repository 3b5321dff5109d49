"""The alt text that a page has already, by the filter's rules and by its place.

What is told of a text by itself is told by `functions.quality`, as of a model's; here are the rules
on what stands around it, and on a site as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from urllib.parse import unquote, urljoin, urlsplit

from functions.core.document import Document
from functions.core.public_text import PublicText
from functions.core.renditions import originals
from functions.quality import Context
from functions.quality.checked_text import CheckedText
from functions.quality.checking import judged
from functions.quality.cleaning import cleaned
from functions.sites import encoding, functional, markup, template_code
from functions.sites.attributes import attribute, one_line
from functions.sites.captions import PublicCaptions
from functions.sites.image_locator import ImageLocator
from functions.sites.markup import Image
from functions.sites.page_text import PageText
from functions.sites.place_texts import PlaceTexts

LIMIT = 150
# Browsers and people write more than a model may.
_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class AuditRule:
    """A fault of alt text. ``level`` is SARIF's: an ``error`` keeps people from using the page, a
    ``warning`` from knowing what an image shows, a ``note`` is worth a look."""

    code: str
    level: str
    meaning: str


RULES = {
    rule.code: rule
    for rule in (
        AuditRule("missing_alt", "error", "An image has no alt attribute and no other name."),
        AuditRule(
            "nameless_link", "error", "A link or button has no name but an image without words."
        ),
        AuditRule("file_name", "warning", "The name of a file is no description."),
        AuditRule("placeholder", "warning", "A text that would fit every image."),
        AuditRule("refusal", "warning", "A model speaks of itself."),
        AuditRule("prompt_echo", "warning", "Words of a prompt."),
        AuditRule("injection", "warning", "Words that instruct a reader's program, or code."),
        AuditRule("broken_characters", "warning", "Characters lost on the way."),
        AuditRule("empty_text", "warning", "Signs without a word."),
        AuditRule("same_text", "warning", "Different images of the site have the same text."),
        AuditRule("repeats_text", "warning", "The text beside the image says the same already."),
        AuditRule("redundant_prefix", "warning", "“Image of” and its like: screen readers say so."),
        AuditRule("markup", "warning", "HTML or Markdown in a text is read out."),
        AuditRule("keyword_stuffing", "warning", "A list of search terms."),
        AuditRule("repetition", "warning", "The same words again and again."),
        AuditRule("chatter", "warning", "A sentence to whoever asked for the text."),
        AuditRule("unnamed_video", "warning", "A video has no name: aria-label or title."),
        AuditRule(
            "over_length", "note", f"More than {LIMIT} characters, and a fifth: say it beside."
        ),
        AuditRule("shouting", "note", "Capitals throughout are spelled out by some readers."),
        AuditRule("unmentioned", "note", "An image that shows something is marked as decoration."),
        AuditRule("no_track", "note", "A video has no captions for who cannot hear it: <track>."),
        AuditRule("whitespace", "note", "Line breaks, or runs of spaces."),
        AuditRule("control_characters", "note", "Invisible characters."),
    )
}
# Of a person's text, a rule that is made for a model's may be wrong: these are told.
_SINGLE_WORDS_ARE_FINE = frozenset({"shouting"})


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one image. ``fix`` is the text that may be put in its place without a thought,
    ``suggestion`` what the image's caption says."""

    line: int
    column: int
    src: str
    code: str
    alt: str | None
    message: str
    fix: str | None = None
    suggestion: str = ""

    @property
    def level(self) -> str:
        return RULES[self.code].level


@dataclass(frozen=True, slots=True)
class Audited:
    """A page as it is and as it would be with its ``faults`` fixed that can be."""

    images: int
    faults: tuple[Fault, ...]
    source: encoding.Text
    text: str

    @property
    def before(self) -> bytes:
        return self.source.encode(self.source.text)

    @property
    def after(self) -> bytes:
        return self.source.encode(self.text)

    @property
    def changed(self) -> bool:
        return self.text != self.source.text


class Texts:
    """The texts of a site's images, and where each was seen first: bounded by ``most``."""

    def __init__(self, most: int = 200_000) -> None:
        self._first: dict[str, tuple[str, str]] = {}
        self._most = most

    def first(self, alt: str, image: str, where: str) -> str:
        """Where another image has the same text; empty if none has."""
        key = " ".join(alt.casefold().split())
        if key not in self._first and len(self._first) < self._most:
            self._first[key] = (image, where)
        other, place = self._first.get(key, (image, ""))
        return place if other != image else ""


@dataclass(frozen=True, slots=True)
class FittedTexts:
    """What was written for places in pages; ``language`` is that of pages that name none."""

    texts: PlaceTexts
    language: str

    def wording(self, document: Document, image: Image, page: PageText) -> PublicText | None:
        """What was written for the place of an image, if anything."""
        place = page.place(image.start, image.context, self.language)
        return self.texts.wording(document, place) if place else None


class Audit:
    """Audits pages of one site, one after another. The words that were ``fitted`` to a place are
    suggested rather than those of the caption."""

    def __init__(
        self,
        locator: ImageLocator,
        captions: PublicCaptions | None,
        language: str,
        fitted: FittedTexts | None = None,
    ) -> None:
        self._locator, self._captions, self._language = locator, captions, language
        self._fitted, self._texts = fitted, Texts()

    def page(self, path: str, data: bytes, address: str = "") -> Audited:
        """The faults of a page. Raises encoding.NotText."""
        source = encoding.decode(data)
        found = markup.read(source.text, around=self._fitted is not None)
        base = address or self._locator.page(path)
        faults: list[Fault] = []
        replaced: list[tuple[int, int, str]] = []
        line, counted = 1, 0
        for image in found.images:
            line += source.text.count("\n", counted, image.start)
            counted = image.start
            column = image.start - (source.text.rfind("\n", 0, image.start) + 1) + 1
            where = Fault(line, column, next(iter(image.addresses), ""), "", image.alt, "")
            here = urljoin(base, found.base)
            where = replace(where, suggestion=self._suggestion(image, here, found.text))
            own = list(self._faults(image, where, f"{path}:{line}", here))
            faults += own
            fix = next((each.fix for each in own if each.fix is not None), None)
            span = markup.alt_attribute(source.text, image) if fix is not None else None
            if span:
                replaced.append((*span, source.references(attribute(fix or "").lstrip())))
        text = _replaced(source.text, replaced)
        return Audited(len(found.images), tuple(faults), source, text)

    def _faults(self, image: Image, where: Fault, place: str, base: str) -> Iterator[Fault]:
        context, alt = image.context, image.alt
        if image.templated or (alt and template_code.is_code(alt)) or context.intent == "hidden":
            return
        if image.tag == "video":
            yield from _of_video(image, where)
            return
        if alt is None:
            if not context.intent:
                yield replace(where, code="missing_alt", message=RULES["missing_alt"].meaning)
            return
        if context.intent == "named":
            return
        if not alt.strip():
            if image.tag == "img" and functional.is_only_name(context):
                message = RULES["nameless_link"].meaning
                yield replace(where, code="nameless_link", message=message)
            elif where.suggestion and not functional.is_beside_its_name(context):
                same = functional.says_the_same(context.figcaption, where.suggestion)
                if not same and not context.intent:
                    message = RULES["unmentioned"].meaning
                    yield replace(where, code="unmentioned", message=message)
            return
        yield from self._of_text(alt, image, where)
        yield from self._of_place(alt, image, where, place, base)

    def _of_text(self, alt: str, image: Image, where: Fault) -> Iterator[Fault]:
        language = image.language or self._language or _LANGUAGE
        text, fixes = cleaned(alt, language)
        checked = CheckedText(text, "alt_text", language, LIMIT, Context((language,), LIMIT))
        findings = [(each.code, each.message) for each in judged(checked)]
        if _is_named_like_its_file(alt, where.src) and "file_name" not in dict(findings):
            findings.append(("file_name", RULES["file_name"].meaning))
        fixed = text if text and not findings else None
        for code, message in fixes.items():
            if code in RULES and text != alt.strip():  # spaces around a text are nobody's fault
                yield replace(where, code=code, message=message, fix=fixed)
        for code, message in findings:
            if code in RULES and not (code in _SINGLE_WORDS_ARE_FINE and " " not in alt.strip()):
                useless = code in ("file_name", "placeholder", "refusal", "prompt_echo")
                fix = where.suggestion if useless and where.suggestion else None
                yield replace(where, code=code, message=message, fix=fix)

    def _of_place(
        self, alt: str, image: Image, where: Fault, place: str, base: str
    ) -> Iterator[Fault]:
        context = image.context
        beside = context.control.text if context.control else ""
        if _same(alt, beside) or (not beside and _same(alt, context.figcaption)):
            redundant = functional.is_beside_its_name(context) or context.control is None
            message = f"{RULES['repeats_text'].meaning} Leave alt empty."
            yield replace(
                where, code="repeats_text", message=message, fix="" if redundant else None
            )
            return
        first = self._texts.first(alt, _identity(urljoin(base, where.src)), place)
        if first and context.control is None:
            message = f"{RULES['same_text'].meaning} The other one is at {first}."
            yield replace(where, code="same_text", message=message)

    def _suggestion(self, image: Image, base: str, page: PageText | None) -> str:
        """What was written for the image's place, or what its caption says; empty if there is
        neither, or if it is decoration."""
        if self._captions is None or image.tag not in ("img", "video"):
            return ""
        for src in image.addresses:
            for place in self._locator.find(src, base):
                wording = self._captions.wording(place, image.language or self._language)
                document = self._captions.document(place)
                if wording and document:
                    fitted = self._fitted and page and self._fitted.wording(document, image, page)
                    return (fitted or wording).alt_text
        return ""


def _of_video(image: Image, where: Fault) -> Iterator[Fault]:
    codes = []
    if not image.context.intent:
        codes.append("unnamed_video")
    if image.trackless and image.context.intent != "presentational":
        codes.append("no_track")
    for code in codes:
        yield replace(where, code=code, message=RULES[code].meaning)


def _same(alt: str, text: str) -> bool:
    def words(of: str) -> list[str]:
        return re.findall(r"\w+", of.casefold())

    return bool(text) and words(alt) == words(text)


def _identity(address: str) -> str:
    """The picture, whatever its size and format."""
    name = unquote(urlsplit(address).path).lstrip("/") or address
    shortest = min((name, *originals(name)), key=len)
    return shortest.rpartition(".")[0] or shortest


def _is_named_like_its_file(alt: str, src: str) -> bool:
    name = PurePosixPath(unquote(src.split("?")[0].split("#")[0])).name
    stem = name.rpartition(".")[0]
    # `mug` may be what a file and an image are called, `4` what a picture of a number says.
    looks = re.fullmatch(r"(?=.*[_\-\d])(?=.*[^\W\d_])\S+", one_line(alt)) is not None
    return bool(stem) and looks and alt.strip().casefold() in (stem.casefold(), name.casefold())


def _replaced(text: str, parts: list[tuple[int, int, str]]) -> str:
    pieces, at = [], 0
    for begin, end, new in sorted(parts):
        pieces += [text[at:begin], new]
        at = end
    return "".join([*pieces, text[at:]])

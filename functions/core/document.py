"""The nouns of this package."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

# A review's reason: a person's text stands where another picture does now.
IMAGE_CHANGED = "image_changed"
# Of one request for translations: what one call of a model can write.
MOST_LANGUAGES = 20


def document_id(bucket: str, name: str) -> str:
    """The ID of an image's document: names contain ``/`` and may be longer than an ID."""
    return hashlib.sha256(f"{bucket}/{name}".encode()).hexdigest()


class Media(StrEnum):
    """What an object shows."""

    IMAGE = "image"
    ANIMATION = "animation"
    VIDEO = "video"


class Status(StrEnum):
    """Where an image stands."""

    PENDING = "pending"  # claimed, or waiting to be taken up again
    CAPTIONED = "captioned"  # it has its text
    REJECTED = "rejected"  # this image cannot be captioned; `error` says why
    FAILED = "failed"  # tried often enough, or too late
    DEFERRED = "deferred"  # over the daily limit; taken up later


class Source(StrEnum):
    """Whose text it is."""

    NONE = ""  # there is no text yet
    MODEL = "model"
    HUMAN = "human"  # a person who may edit captions
    EMBEDDED = "embedded"  # IPTC, XMP or EXIF inside the file
    UPLOADER = "uploader"  # the object's metadata


@dataclass(frozen=True, slots=True)
class Upload:
    """One generation of an object, as an event or the bucket describes it."""

    bucket: str
    name: str
    generation: int
    time: datetime
    metageneration: int | None = None
    content_type: str = ""
    size: int | None = None
    md5: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    content_encoding: str = ""

    @property
    def id(self) -> str:
        return document_id(self.bucket, self.name)

    @property
    def uri(self) -> str:
        return f"gs://{self.bucket}/{self.name}"


@dataclass(frozen=True, slots=True)
class Deletion:
    """A generation of an object that is no longer live."""

    bucket: str
    name: str
    generation: int

    @property
    def id(self) -> str:
        return document_id(self.bucket, self.name)


@dataclass(frozen=True, slots=True)
class CaptionRequest:
    """Somebody asks for a caption; ``force`` replaces one that is there already. With
    ``translate``, for the words that are there in these languages."""

    bucket: str
    name: str
    time: datetime
    generation: int | None = None
    force: bool = False
    translate: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeepRequest:
    """Somebody, a clock mostly, asks to take up what waits; of all buckets, or of one."""

    bucket: str = ""
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class EmbeddedText:
    """What people wrote into the image file itself (IPTC, XMP, EXIF, PNG text)."""

    alt_text: str = ""
    caption: str = ""
    title: str = ""
    language: str = ""


def _nothing() -> None:
    pass


@dataclass(slots=True)
class Picture:
    """An image as a model gets it: upright, in bounds, without private data.

    ``width`` and ``height`` are the stored image's, upright, in pixels. ``note`` says in words
    what the picture is where that is not plain to see (a contact sheet of an animation, say).
    ``media`` is what it is a picture of, ``duration_seconds`` how long that takes.
    ``data`` may be dropped with :meth:`release` as soon as it is on its way.
    """

    data: bytes
    mime_type: str
    width: int
    height: int
    embedded: EmbeddedText = EmbeddedText()
    note: str = ""
    media: Media = Media.IMAGE
    duration_seconds: float | None = None
    on_release: Callable[[], None] = _nothing

    def release(self) -> None:
        """Let go of the bytes; 80 pictures may wait for their models at once."""
        self.data = b""
        self.on_release()


@dataclass(frozen=True, slots=True)
class Accepts:
    """What a model takes: MIME types, bytes of a picture, pixels of its longer side; and the MIME
    types of ``videos`` that it takes as they are."""

    types: frozenset[str]
    max_bytes: int
    max_side: int
    videos: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is told. ``version`` names the text and hashes all of it but the picture.

    ``max_output_tokens`` is what the reply may take, thinking included (0: as
    the adapter sees fit); ``output_limit`` what it
    may be raised to where a reply was cut off.
    """

    version: str
    system: str
    user: str
    schema: Mapping[str, Any]
    max_output_tokens: int = 0
    output_limit: int = 65_536


@dataclass(frozen=True, slots=True)
class Usage:
    """Model calls and what they took; tokens as the provider counts them, cost in US dollars."""

    model_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.model_calls + other.model_calls,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            round(self.cost_usd + other.cost_usd, 9),
        )


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many ``calls`` a model may still be asked; in so many ``seconds`` it is ``limit`` again
    (0: not known)."""

    calls: float
    limit: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from a model: text, or the reason why it was ``blocked``.

    ``language`` is set by a captioner that does not write in the language it was asked for,
    ``review`` by one whose words a person has to look at in any case, ``model`` by who asked,
    ``allowance`` where the provider tells it.
    """

    text: str
    blocked: str = ""
    truncated: bool = False
    model_version: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    language: str = ""
    review: str = ""
    model: str = ""
    allowance: Allowance | None = None


@dataclass(frozen=True, slots=True)
class ImageText:
    """All text about one image: in its main language, and translated.

    ``alt_text`` is for the ``alt`` attribute and empty only for decoration; ``caption`` is one
    or two sentences; ``visible_text`` stands in the image; ``long_description`` is lines of
    what a sentence cannot say, of a chart or a table; ``translations`` has the same fields
    by BCP 47 tag. A field that is added here is stored, copied, proposed and accepted with the
    others.
    """

    caption: str = ""
    alt_text: str = ""
    decorative: bool = False
    tags: tuple[str, ...] = ()
    visible_text: str = ""
    long_description: str = ""
    language: str = ""
    translations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def by_hand(self) -> dict[str, Mapping[str, Any]]:
        """The translations that a person wrote."""
        found = self.translations.items() if isinstance(self.translations, Mapping) else ()
        return {tag: text for tag, text in found if _written_by(text, Source.HUMAN)}

    @property
    def outdated(self) -> tuple[str, ...]:
        """The languages whose translation, a model's, is of words that a person has replaced."""
        found = self.translations.items() if isinstance(self.translations, Mapping) else ()
        return tuple(t for t, text in found if isinstance(text, Mapping) and text.get("outdated"))

    def text_fields(self) -> dict[str, Any]:
        """The fields of this class by name, of whatever has them."""
        return {each.name: getattr(self, each.name) for each in fields(ImageText)}


def _written_by(translation: object, source: Source) -> bool:
    return isinstance(translation, Mapping) and translation.get("source") == source


class Unable(StrEnum):
    """Why a model says that it does not describe an image."""

    REFUSED = "refused"
    UNREADABLE = "unreadable"
    EMPTY = "empty"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class Reply(ImageText):
    """A model's answer, read: the text for one image, or why there is none."""

    could_not_describe: Unable | None = None


@dataclass(frozen=True, slots=True)
class Proposal(ImageText):
    """What a model says where a person's text stands; ``generation`` is decimal."""

    model: str = ""
    model_version: str = ""
    prompt: str = ""
    generation: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CheckedCaption:
    """What came of asking a model: checked text, and what the file said of itself."""

    reply: Reply
    reasons: tuple[str, ...]
    model: str
    model_version: str
    language: str
    width: int
    height: int
    embedded: EmbeddedText
    media: Media = Media.IMAGE
    duration_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Embedding:
    """A point in a model's space of meanings: unit length, so that a dot product is a cosine.

    ``input_tokens`` is what it took, as the provider counts.
    """

    vector: tuple[float, ...]
    input_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Lease:
    """Who works on a document, and until when nobody else may."""

    holder: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Renewal:
    """A successor of published text is being made: since when somebody waits for it, and
    whether other text was asked for (``forced``), so that no older text will do."""

    since: datetime
    forced: bool = False


@dataclass(frozen=True, slots=True)
class Untranslated:
    """Languages that the text is still to be put into, and since when; ``waits`` is for queries."""

    languages: tuple[str, ...] = ()
    since: datetime | None = None
    waits: bool = True


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong, for a person."""

    reason: str
    message: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Review:
    """Whether a person should look, why, and who has.

    ``priority`` is what the stored document says of :mod:`functions.core.review_priority`: None
    where no review is needed, and where an earlier version wrote it.
    """

    needed: bool = False
    reasons: tuple[str, ...] = ()
    approved_by: str | None = None
    approved_at: datetime | None = None
    priority: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document(ImageText):
    """One image's text and how it came about; the fields are the stored document's."""

    bucket: str
    name: str
    generation: int
    status: Status
    created_at: datetime
    updated_at: datetime
    content_type: str = ""
    size: int | None = None
    width: int | None = None
    height: int | None = None
    media: Media | None = None
    duration_seconds: float | None = None
    md5: str = ""
    source: Source = Source.NONE
    model: str = ""
    model_version: str = ""
    prompt: str = ""
    review: Review = Review()
    proposal: Proposal | None = None
    usage: Usage = Usage()
    error: Problem | None = None
    attempts: int = 0
    lease: Lease | None = None
    not_before: datetime | None = None
    metadata_synced: bool = False
    untold: bool | None = None
    search_terms: tuple[str, ...] = ()
    captioned_at: datetime | None = None
    edited_at: datetime | None = None
    renewal: Renewal | None = None
    untranslated: Untranslated | None = None
    embedding: tuple[float, ...] | None = None
    similarity: float | None = None

    @property
    def id(self) -> str:
        return document_id(self.bucket, self.name)

    @property
    def uri(self) -> str:
        return f"gs://{self.bucket}/{self.name}"

    @property
    def by_person(self) -> bool:
        """Whether a person wrote its text or part of it, or has approved it: it is not replaced
        then, only proposed against."""
        decided = self.edited_at is not None or bool(self.review.approved_by)
        return decided or self.source in (Source.HUMAN, Source.UPLOADER) or bool(self.by_hand)

    @property
    def in_work(self) -> bool:
        """Whether text for it is being made, by somebody or as soon as somebody may."""
        return self.status == Status.PENDING or self.renewal is not None


@dataclass(frozen=True, slots=True)
class PastText(ImageText):
    """Text that stands for an image, or stood there: whose, by whom, when; ``generation`` is
    decimal."""

    source: Source = Source.NONE
    by: str = ""
    at: datetime | None = None
    generation: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """Something small that is kept beside the documents, under a kind and a key.

    ``version`` is None as long as it is not stored, ``read_at`` the time by the store's own
    clock. It may be swept away after ``expires_at``, and then reads as empty.
    """

    kind: str
    key: str
    read_at: datetime
    text: str = ""
    version: Any = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """A document as a store holds it.

    ``version`` grows with every write to the store, so that of two documents the one with the
    lower version was written first. ``read_at`` is the time by the store's own clock.
    """

    document: Document
    version: Any
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Query:
    """Which documents; empty means any. Newest first by ``updated_at``.

    ``words`` are search terms (:mod:`functions.core.search_terms`), of which a document has one at
    least; ``reason`` is one of its review's; ``since`` and ``until`` bound ``updated_at``, the
    latter exclusively. ``by_priority`` asks for what is to be reviewed only, what needs a person
    most first (:mod:`functions.core.review_priority`), and what has no stored priority last.
    """

    status: str = ""
    bucket: str = ""
    prefix: str = ""
    language: str = ""
    source: str = ""
    tag: str = ""
    words: tuple[str, ...] = ()
    review: bool = False
    reason: str = ""
    since: datetime | None = None
    until: datetime | None = None
    by_priority: bool = False
    limit: int = 50
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Documents as they are stored, and the cursor of the next page (empty at the end)."""

    found: tuple[Stored, ...]
    cursor: str = ""

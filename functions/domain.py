"""The nouns of this package, and the ports that adapters fill."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


def document_id(bucket: str, name: str) -> str:
    """The ID of an image's document: names contain ``/`` and may be longer than an ID."""
    return hashlib.sha256(f"{bucket}/{name}".encode()).hexdigest()


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


@dataclass(frozen=True, slots=True)
class CaptionRequest:
    """Somebody asks for a caption; ``force`` replaces one that is there already."""

    bucket: str
    name: str
    time: datetime
    generation: int | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class EmbeddedText:
    """What people wrote into the image file itself (IPTC, XMP, EXIF, PNG text)."""

    alt_text: str = ""
    caption: str = ""
    title: str = ""
    language: str = ""


@dataclass(slots=True)
class Picture:
    """An image as a model gets it: upright, in bounds, without private data.

    ``width`` and ``height`` are the stored image's, upright, in pixels. ``note`` says in words
    what the picture is where that is not plain to see (a contact sheet of an animation, say).
    ``data`` may be dropped with :meth:`release` as soon as it is on its way.
    """

    data: bytes
    mime_type: str
    width: int
    height: int
    embedded: EmbeddedText = EmbeddedText()
    note: str = ""

    def release(self) -> None:
        """Let go of the bytes; 80 pictures may wait for their models at once."""
        self.data = b""


@dataclass(frozen=True, slots=True)
class Accepts:
    """What a model takes: MIME types, bytes of a picture, pixels of its longer side."""

    types: frozenset[str]
    max_bytes: int
    max_side: int


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is told. ``version`` names the text and hashes all of it but the picture."""

    version: str
    system: str
    user: str
    schema: Mapping[str, Any]


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
class Answer:
    """What came back from a model: text, or the reason why it was ``blocked``."""

    text: str
    blocked: str = ""
    truncated: bool = False
    model_version: str = ""
    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """A model's answer, read: the words for one image."""

    caption: str
    alt_text: str
    decorative: bool = False
    tags: tuple[str, ...] = ()
    visible_text: str = ""
    translations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lease:
    """Who works on a document, and until when nobody else may."""

    holder: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong, for a person."""

    reason: str
    message: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Review:
    """Whether a person should look, why, and who has."""

    needed: bool = False
    reasons: tuple[str, ...] = ()
    approved_by: str | None = None
    approved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """One image's caption and how it came about; the fields are the stored document's."""

    bucket: str
    name: str
    generation: int
    status: str
    created_at: datetime
    updated_at: datetime
    content_type: str = ""
    size: int | None = None
    width: int | None = None
    height: int | None = None
    md5: str = ""
    caption: str = ""
    alt_text: str = ""
    decorative: bool = False
    tags: tuple[str, ...] = ()
    visible_text: str = ""
    language: str = ""
    translations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    source: str = ""
    model: str = ""
    model_version: str = ""
    prompt: str = ""
    review: Review = Review()
    proposal: Mapping[str, Any] | None = None
    usage: Usage = Usage()
    error: Problem | None = None
    attempts: int = 0
    lease: Lease | None = None
    not_before: datetime | None = None
    metadata_synced: bool = False
    search_terms: tuple[str, ...] = ()
    captioned_at: datetime | None = None

    @property
    def id(self) -> str:
        return document_id(self.bucket, self.name)

    @property
    def uri(self) -> str:
        return f"gs://{self.bucket}/{self.name}"


@dataclass(frozen=True, slots=True)
class Stored:
    """A document as a store holds it. ``read_at`` is the store's clock, ``version`` its own."""

    document: Document
    version: Any
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Query:
    """Which documents; empty means any. Newest first, unless ``md5`` is asked for."""

    status: str = ""
    bucket: str = ""
    prefix: str = ""
    md5: str = ""
    limit: int = 50
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Documents, and the cursor of the next page (empty at the end)."""

    documents: tuple[Document, ...]
    cursor: str = ""


class Captioner(Protocol):
    """A model. It answers one prompt about one picture with one call."""

    model: str
    accepts: Accepts

    def describe(self, picture: Picture, prompt: Prompt) -> Answer:
        """Ask once. Raises TransientError, ConfigurationError, or PermanentError for an image
        that the model cannot read."""


class CaptionStore(Protocol):
    """Documents, changed by compare-and-set."""

    def create(self, document: Document) -> Stored | None:
        """Store a new document; None if one is there already."""

    def read(self, key: str) -> Stored | None:
        """The document with this ID."""

    def replace(self, stored: Stored, document: Document) -> Stored:
        """Write ``document`` over ``stored``. Raises Stale if that has changed or is gone."""

    def remove(self, stored: Stored) -> None:
        """Remove ``stored``. Raises Stale if it has changed or is gone."""

    def find(self, query: Query) -> Page:
        """The documents that a query names."""

    def reserve(self, day: str, block: int, limit: int) -> int:
        """Take up to ``block`` of ``limit`` units of ``day``; the number granted, 0 when spent."""


class ImageStore(Protocol):
    """Objects in buckets, read by generation."""

    def look_up(self, bucket: str, name: str) -> Upload | None:
        """The live object; None if there is none."""

    def read(self, upload: Upload, end: int | None = None) -> bytes:
        """The bytes of exactly this generation, up to ``end``. Raises Gone if not the live one."""

    def label(self, upload: Upload, labels: Mapping[str, str]) -> None:
        """Merge ``labels`` into the metadata of exactly this generation and metageneration.
        Raises Gone if the generation is no longer live, Stale if the metageneration moved."""

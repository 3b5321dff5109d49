"""The ports that adapters fill: a model, a store of captions, a store of images."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from functions.core.document import (
    Accepts,
    Answer,
    Document,
    Embedding,
    Page,
    Picture,
    Prompt,
    Query,
    Record,
    Stored,
    Upload,
)
from functions.core.page_place import KeptPlace, PlaceId

# Gets the picture of an upload, as a model takes it. Raises Gone.
FetchPicture = Callable[[Accepts], Picture]


class Captioner(Protocol):
    """A model. It answers one prompt, about one picture or about words, with one call."""

    @property
    def model(self) -> str:
        """``provider:model``, as it is asked for."""

    @property
    def accepts(self) -> Accepts:
        """What it takes."""

    def describe(self, picture: Picture | None, prompt: Prompt) -> Answer:
        """Ask once; without a picture where that is None. Raises TransientError,
        ConfigurationError, or PermanentError for an image that the model cannot read."""

    def close(self) -> None:
        """Let go of connections."""


class Embedder(Protocol):
    """A model that places words and pictures in one space of meanings.

    Each method makes one call and raises TransientError, ConfigurationError, or PermanentError.
    """

    @property
    def model(self) -> str:
        """``provider:model``, as it is asked for."""

    @property
    def accepts(self) -> Accepts:
        """What it takes for a picture."""

    def question(self, text: str) -> Embedding:
        """What somebody looks for."""

    def words(self, text: str) -> Embedding:
        """What a document says."""

    def picture(self, picture: Picture) -> Embedding:
        """What is to be seen."""

    def close(self) -> None:
        """Let go of connections."""


class CaptionStore(Protocol):
    """Documents, changed by compare-and-set."""

    def create(self, document: Document, record: Record | None = None) -> Stored | None:
        """Store a new document, and ``record`` with it, whose version is then the document's;
        None if one of them is there already, or has changed: then neither is written."""

    def read(self, key: str) -> Stored | None:
        """The document with this ID."""

    def read_many(self, keys: Iterable[str]) -> Mapping[str, Stored]:
        """The documents with these IDs, those that exist; a round trip for every 300."""

    def read_fields(self, keys: Iterable[str], fields: Collection[str]) -> Mapping[str, Document]:
        """These fields of the documents with these IDs, as `read_many`; the others are left at
        their defaults, and an embedding that is not asked for is not carried."""

    def replace(self, stored: Stored, document: Document, record: Record | None = None) -> Stored:
        """Write ``document`` over ``stored``, and ``record`` with it. Raises Stale if that has
        changed or is gone, or the record has changed: then neither is written."""

    def remove(self, stored: Stored) -> None:
        """Remove ``stored``. Raises Stale if it has changed or is gone."""

    def find(self, query: Query) -> Page:
        """The documents that a query names, as many as its limit if there are. Raises ValueError
        for a cursor that no page has given."""

    def alike(self, md5: str, limit: int) -> Callable[[], Sequence[Stored]]:
        """Begin to look for documents of these bytes, in any order, at most ``limit``; what it
        returns waits for them."""

    def count(self, query: Query) -> int | None:
        """How many documents a query names, whatever its limit and cursor; None where only
        reading them all would tell."""

    def nearest(self, vector: Sequence[float], query: Query) -> Sequence[tuple[Stored, float]]:
        """The captioned documents of ``query`` whose embeddings lie closest, with the cosine
        similarity, closest first, at most ``query.limit``. Its cursor and words do not count."""

    def read_record(self, kind: str, key: str) -> Record:
        """The record of this kind and key; empty where there is none, or none any more."""

    def write_record(self, record: Record) -> Record:
        """Write a record over the version that it was read in. Raises Stale if that has changed,
        or if it was read as absent and is there."""

    def read_places(self, places: Iterable[PlaceId]) -> Mapping[PlaceId, KeptPlace]:
        """What is kept of these places, each of them; a round trip for every 300."""

    def write_place(self, place: KeptPlace) -> KeptPlace:
        """Write a place over the version that it was read in, or remove it where it has no text.
        Raises Stale if that has changed, is gone, or if it was read as absent and is there."""

    def remove_places(self, image: str, generation: int) -> None:
        """Remove all places of an image that are of this generation or an older one."""

    def equal(self, fields: Mapping[str, str | bool], limit: int) -> Sequence[Stored]:
        """Documents with these values, in any order, at most ``limit``. A field of a nested map
        is named ``error.reason``."""

    def oldest(self, status: str, before: datetime, limit: int) -> Sequence[Stored]:
        """Documents of this status that were last updated before then, the oldest first."""

    def by_name(self, bucket: str, after: str, until: str, limit: int) -> Sequence[Stored]:
        """Documents of a bucket with names after ``after`` up to ``until`` (empty: to the end),
        in the order in which the bucket lists them."""

    def reserve(self, day: str, block: int, limit: int) -> int:
        """Take up to ``block`` of ``limit`` units of ``day``; the number granted, 0 when spent."""

    def give_back(self, day: str, units: int) -> None:
        """Return units of ``day`` that were reserved and not used."""

    def reserved(self, day: str) -> int:
        """The units of ``day`` that are taken."""


class ImageStore(Protocol):
    """Objects in buckets, read by generation."""

    def look_up(self, bucket: str, name: str) -> Upload | None:
        """The live object; None if there is none."""

    def list(self, bucket: str, prefix: str = "", after: str = "") -> Iterator[Upload]:
        """The live objects whose names begin so, by name, those after ``after``. Raises Gone if
        there is no such bucket."""

    def read(self, upload: Upload, end: int | None = None, start: int = 0) -> bytes:
        """The bytes of exactly this generation, from ``start`` up to ``end``. Raises Gone if not
        the live one."""

    def label(self, upload: Upload, labels: Mapping[str, str | None]) -> None:
        """Merge ``labels`` into the metadata of exactly this generation and metageneration;
        None takes a key out. Raises Gone if the generation is no longer live, Stale if the
        metageneration moved."""


class Gallery(Protocol):
    """Shows images to people."""

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins that its addresses lead to."""

    def show(self, document: Document) -> str | bytes:
        """An address that is good for some minutes, or the image itself. Raises Gone."""

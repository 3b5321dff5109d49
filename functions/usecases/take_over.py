"""Take over what Firebase's extensions have written: texts and labels of images in a bucket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from functions.core import transitions
from functions.core.document import Document, Review, Source, Status, Stored, document_id
from functions.core.errors import CaptionError, Stale
from functions.core.plain_text import plain_line
from functions.core.ports import CaptionStore, ImageStore

# Who wrote it is not told by the documents; the review page shows why they wait there.
MODEL, REASON = "firebase:extension", "imported"
LONGEST_ALT_TEXT, LONGEST_CAPTION, MOST_LABELS = 250, 2_000, 20
_LONGEST_LABEL = 60
_AT_ONCE = 300


@dataclass(frozen=True, slots=True)
class Fields:
    """Where a document of theirs has the image's gs:// address, and the text about it, in which
    language."""

    image: tuple[str, ...] = ("file", "image")
    text: str = "output"
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Theirs:
    """What one document of theirs says of one image."""

    bucket: str
    name: str
    text: str
    labels: tuple[str, ...]

    @property
    def uri(self) -> str:
        return f"gs://{self.bucket}/{self.name}"


@dataclass(frozen=True, slots=True)
class TakenOver:
    """What became of it: ``captioned``, ``tagged``, ``unchanged`` or ``left``, and why."""

    uri: str
    done: str
    why: str = ""
    alt_text: str = ""


def read(record: Mapping[str, Any], fields: Fields) -> Theirs | str:
    """What a document says: that of label-images (``file``, ``labels``), or of multimodal-genai
    (an image, ``output``, ``status``). The reason if it says nothing of an image."""
    uri = next((record[each] for each in fields.image if record.get(each)), None)
    if not isinstance(uri, str) or not uri.startswith("gs://"):
        return f"no gs:// address in {' or '.join(fields.image)}"
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    if not bucket or not name:
        return f"{uri} names no object"
    status = record.get("status")
    state = status.get("state") if isinstance(status, Mapping) else None
    text = record.get(fields.text) if state in (None, "COMPLETED") else ""
    text = plain_line(text, LONGEST_CAPTION) if isinstance(text, str) else ""
    labels = record.get("labels")
    tags = map(_label, labels if isinstance(labels, list) else ())
    return Theirs(bucket, name, text, tuple(dict.fromkeys(filter(None, tags)))[:MOST_LABELS])


def take_over(
    records: Iterable[Mapping[str, Any]],
    fields: Fields,
    captions: CaptionStore,
    images: ImageStore,
    now: datetime,
    *,
    dry_run: bool = False,
) -> Iterator[TakenOver]:
    """Give images their texts where they have none, and their labels as tags; what is captioned
    here keeps its text. Each is to be looked at by a person.

    The objects' own labels follow by ``keep``, or ``captions check --fix``. What fails is told
    and does not end the rest; done again, nothing is changed.
    """
    waiting: list[Theirs] = []
    for record in records:
        found = read(record, fields)
        if isinstance(found, str):
            yield TakenOver("", "left", found)
            continue
        waiting.append(found)
        if len(waiting) == _AT_ONCE:
            yield from _batch(waiting, fields, captions, images, now, dry_run)
            waiting = []
    yield from _batch(waiting, fields, captions, images, now, dry_run)


def _batch(
    theirs: list[Theirs],
    fields: Fields,
    captions: CaptionStore,
    images: ImageStore,
    now: datetime,
    dry_run: bool,
) -> Iterator[TakenOver]:
    there = dict(captions.read_many(document_id(each.bucket, each.name) for each in theirs))
    for each in theirs:
        key = document_id(each.bucket, each.name)
        try:
            stored = there.get(key)
            document = (
                _tagged(stored.document, each, now)
                if stored
                else _new(each, fields.language, images, now)
            )
            if isinstance(document, TakenOver):
                yield document
                continue
            if not dry_run:
                there[key] = _written(captions, stored, document)
            done = "tagged" if stored else "captioned"
            yield TakenOver(each.uri, done, alt_text=document.alt_text)
        except CaptionError as error:
            yield TakenOver(each.uri, "left", str(error))


def _written(captions: CaptionStore, stored: Stored | None, document: Document) -> Stored:
    made = captions.replace(stored, document) if stored else captions.create(document)
    if made is None:
        raise Stale("it was captioned this very moment")
    return made


def _new(theirs: Theirs, language: str, images: ImageStore, now: datetime) -> Document | TakenOver:
    upload = images.look_up(theirs.bucket, theirs.name)
    if upload is None:
        return TakenOver(theirs.uri, "left", "there is no such image")
    if not theirs.text:
        return TakenOver(theirs.uri, "left", "labels and no text: `captions backfill` asks for one")
    claim = Document(
        bucket=upload.bucket,
        name=upload.name,
        generation=upload.generation,
        status=Status.PENDING,
        created_at=now,
        updated_at=now,
        content_type=upload.content_type,
        size=upload.size,
        md5=upload.md5,
        caption=theirs.text,
        alt_text=_alt_text(theirs.text),
        tags=theirs.labels,
        language=language,
        source=Source.MODEL,
        model=MODEL,
        review=Review(needed=True, reasons=(REASON,)),
    )
    return transitions.ended(claim, Status.CAPTIONED, now, captioned_at=now)


def _tagged(document: Document, theirs: Theirs, now: datetime) -> Document | TakenOver:
    tags = tuple(dict.fromkeys((*document.tags, *theirs.labels)))[:MOST_LABELS]
    if document.status != Status.CAPTIONED:
        return TakenOver(theirs.uri, "left", f"its caption here is {document.status.value}")
    if tags == document.tags[:MOST_LABELS]:
        return TakenOver(theirs.uri, "unchanged")
    tagged = transitions.ended(replace(document, tags=tags), Status.CAPTIONED, now)
    return replace(tagged, metadata_synced=document.metadata_synced, error=document.error)


def _label(label: Any) -> str:
    """A label as a tag; label-images writes a text, or with its details a map."""
    text = label.get("description") if isinstance(label, Mapping) else label
    return plain_line(text, _LONGEST_LABEL).casefold() if isinstance(text, str) else ""


def _alt_text(text: str) -> str:
    """The first sentences that fit, or words: alt text is read in one piece."""
    if len(text) <= LONGEST_ALT_TEXT:
        return text
    start = text[:LONGEST_ALT_TEXT]
    for end in (". ", "! ", "? ", " "):
        if (place := start.rfind(end)) > 0:
            return start[: place + 1].rstrip()
    return start

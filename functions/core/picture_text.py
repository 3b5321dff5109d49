"""The text of a picture by its bytes: what its copies take over, wherever they are stored."""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from functions.core.document import IMAGE_CHANGED, Document, Usage
from functions.core.document_records import as_json, from_json, from_record, to_record

# A moved image's old name may be forgotten before the new one is seen, and a deleted object can
# be restored for a while.
KEPT_FOR = timedelta(days=30)
# Copies that people have edited apart, and models or prompts that were asked.
_MOST_PERSONS, _MOST_MODELS = 8, 4
_EMBEDDING = "embedding_bytes"


@dataclass(frozen=True, slots=True)
class SavedText:
    """A document's text as it stood. ``expires_at`` is set once that document is gone."""

    document: Document
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ModelLease:
    """Which document a model is being asked for, and until when nobody else asks."""

    document_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PictureText:
    """What is known of one picture's text. ``leases`` are by :func:`question`."""

    texts: tuple[SavedText, ...] = ()
    leases: Mapping[str, ModelLease] = field(default_factory=dict)

    @property
    def expires_at(self) -> datetime | None:
        """When nothing of it is of use any more; None as long as a document holds some of it."""
        ends = [*(each.expires_at for each in self.texts)]
        if None in ends:
            return None
        ends += [each.expires_at for each in self.leases.values()]
        return max((end for end in ends if end), default=None)

    def persons(self, label: str = "") -> SavedText | None:
        """A person's text: that which the object carries as its ``label``, or else the latest,
        of what was written for this picture."""
        persons = [each for each in self.texts if each.document.by_person]
        labelled = [each for each in persons if label and _is_labelled(each.document, label)]
        return max(labelled or filter(_for_it, persons), key=_rank, default=None)

    def outdated(self) -> SavedText | None:
        """A person's text that was written for another picture, and waits for a review here."""
        persons = (each for each in self.texts if each.document.by_person)
        return max(persons, key=_rank, default=None)

    def models(self, model: str, prompt: str, since: datetime | None = None) -> SavedText | None:
        """What this model said to this prompt, not before ``since``."""
        for each in self.texts:
            document = each.document
            alike = (document.model, document.prompt) == (model, prompt)
            recent = since is None or (document.captioned_at or document.created_at) >= since
            if alike and recent and not document.by_person:
                return each
        return None

    def with_text(self, document: Document, expires_at: datetime | None = None) -> PictureText:
        """With the text of ``document``, in place of what is the same, or was the same
        document's. What another document has as well is held by that."""
        if any(
            _same(each.document, document) and _held_by_another(each, document)
            for each in self.texts
        ):
            texts = [each for each in self.texts if not _outdated(each.document, document)]
            return replace(self, texts=tuple(texts))
        new = SavedText(snapshot(document), expires_at)
        others = [each for each in self.texts if not _replaced(each.document, new.document)]
        texts = sorted((new, *others), key=_rank, reverse=True)
        persons = [each for each in texts if each.document.by_person][:_MOST_PERSONS]
        models = [each for each in texts if not each.document.by_person][:_MOST_MODELS]
        return replace(self, texts=(*persons, *models))

    def without(self, document: Document, expires_at: datetime) -> PictureText:
        """With the text of ``document``, which is about to go, until ``expires_at``."""
        text = self.with_text(document, expires_at).expiring({document.id}, expires_at)
        return text.without_leases_of(document.id)

    def expiring(self, documents: Collection[str], expires_at: datetime) -> PictureText:
        """With the texts of these documents until ``expires_at``."""
        texts = (
            replace(each, expires_at=expires_at) if each.document.id in documents else each
            for each in self.texts
        )
        return replace(self, texts=tuple(texts))

    def with_lease(self, key: str, document_id: str, until: datetime, now: datetime) -> PictureText:
        """With a document's claim to ask ``key``; claims that have run out go."""
        leases = {k: each for k, each in self.leases.items() if each.expires_at > now}
        return replace(self, leases={**leases, key: ModelLease(document_id, until)})

    def without_leases_of(self, document_id: str) -> PictureText:
        """Without the claims of a document."""
        left = {k: each for k, each in self.leases.items() if each.document_id != document_id}
        return replace(self, leases=left)

    def at(self, now: datetime) -> PictureText:
        """Without text that has expired."""
        texts = [each for each in self.texts if each.expires_at is None or each.expires_at > now]
        return replace(self, texts=tuple(texts))


def question(model: str, prompt: str) -> str:
    """Names what a model is asked about a picture."""
    return f"{model} {prompt}"


def snapshot(document: Document) -> Document:
    """What of a document goes along with its picture: text, whose it is, and what was made of
    it; not how it came about."""
    return replace(
        document,
        updated_at=document.captioned_at or document.created_at,
        usage=Usage(),
        error=None,
        attempts=0,
        lease=None,
        not_before=None,
        metadata_synced=False,
        search_terms=(),
        renewal=None,
    )


def to_text(text: PictureText) -> str:
    """``text`` as a record holds it."""
    texts = [
        {"document": _packed(each.document), "expires_at": each.expires_at} for each in text.texts
    ]
    leases = {
        key: {"document_id": each.document_id, "expires_at": each.expires_at}
        for key, each in text.leases.items()
    }
    return as_json({"known": texts, "asking": leases})


def from_text(text: str) -> PictureText:
    """What :func:`to_text` wrote; empty for an empty text."""
    record = from_json(text) if text else {"known": [], "asking": {}}
    return PictureText(
        tuple(
            SavedText(_unpacked(each["document"]), each["expires_at"]) for each in record["known"]
        ),
        {key: ModelLease(**each) for key, each in record["asking"].items()},
    )


def _packed(document: Document) -> dict[str, Any]:
    """A document's record with its embedding as bytes: 768 numbers take 0.4 ms of the processor
    as digits, and twice the room."""
    record = to_record(replace(document, embedding=None))
    if numbers := document.embedding:
        record[_EMBEDDING] = base64.b64encode(struct.pack(f"<{len(numbers)}d", *numbers)).decode()
    return record


def _unpacked(record: Mapping[str, Any]) -> Document:
    """What :func:`_packed` made, or an earlier version, which wrote digits; without an embedding
    that nobody can read."""
    document = from_record(record)
    try:
        packed = base64.b64decode(record.get(_EMBEDDING, ""), validate=True)
        numbers = struct.unpack(f"<{len(packed) // 8}d", packed)
    except (binascii.Error, TypeError, ValueError, struct.error):
        return document
    return replace(document, embedding=numbers) if numbers else document


def _for_it(saved: SavedText) -> bool:
    return IMAGE_CHANGED not in saved.document.review.reasons


def _rank(saved: SavedText) -> tuple[bool, datetime]:
    document = saved.document
    return _for_it(saved), document.edited_at or document.captioned_at or document.created_at


def _is_labelled(document: Document, label: str) -> bool:
    """Whether ``label`` is a document's alt text, perhaps shortened to fit."""
    return document.alt_text == label or (
        label.endswith("…") and document.alt_text.startswith(label[:-1])
    )


def _replaced(old: Document, new: Document) -> bool:
    if old.by_person != new.by_person:
        return False
    if not new.by_person:
        return (old.model, old.prompt) == (new.model, new.prompt)
    return old.id == new.id or _same(old, new)


def _held_by_another(saved: SavedText, document: Document) -> bool:
    """Whether another document than ``document`` stands for a text."""
    return saved.document.id != document.id and saved.expires_at is None


def _outdated(old: Document, new: Document) -> bool:
    """Whether an entry is what a person wrote for the same document before."""
    return old.id == new.id and old.by_person and new.by_person


def _same(one: Document, other: Document) -> bool:
    """Whether one stands for the other: the same text, by a person, or by the same model."""
    if one.by_person != other.by_person or one.text_fields() != other.text_fields():
        return False
    same_question = (one.model, one.prompt) == (other.model, other.prompt)
    return one.source == other.source and (one.by_person or same_question)

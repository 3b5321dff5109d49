"""Answers about an image that were paid for once: one record for each image, of one generation.

It stands beside the documents, which websites may read whole, and holds the answers by a hash
of what was asked, and who is asking a model now.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from functions.core.document import Record
from functions.core.document_records import as_json, from_json
from functions.core.errors import Gone, Held, Stale
from functions.core.ports import CaptionStore
from functions.core.question import ImageAnswer

KIND = "questions"
_CONTENTION = 16
# Of one image: a record of Firestore's takes 1 MiB. The oldest answer goes first.
_MOST, _MOST_BYTES = 200, 500_000


@dataclass(frozen=True, slots=True)
class KeptAnswers:
    """What is known of one generation: answers, and until when each open question is asked."""

    record: Record
    generation: int
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    leases: dict[str, str] = field(default_factory=dict)

    def answer(self, key: str) -> ImageAnswer | None:
        """The answer that was kept under this key."""
        found = self.answers.get(key)
        return ImageAnswer(**found, cached=True) if found else None

    def is_leased(self, key: str) -> bool:
        """Whether somebody is asking a model for it."""
        until = self.leases.get(key)
        return bool(until) and datetime.fromisoformat(str(until)) > self.record.read_at


def read(store: CaptionStore, image: str, generation: int) -> KeptAnswers:
    """What is kept of this generation. Raises Gone if a newer one was asked about already."""
    record = store.read_record(KIND, image)
    fields: dict[str, Any] = from_json(record.text) if record.text else {}
    kept = int(fields.get("generation", generation))
    if kept > generation:
        raise Gone
    if kept < generation:
        return KeptAnswers(record, generation)
    return KeptAnswers(record, generation, fields.get("answers", {}), fields.get("asking", {}))


def claim(store: CaptionStore, kept: KeptAnswers, key: str, lease: timedelta) -> bool:
    """Whether the caller is the one to ask, until the lease ends; not if anything has changed
    since ``kept`` was read."""
    now = kept.record.read_at
    leases = {k: until for k, until in kept.leases.items() if kept.is_leased(k)}
    leases[key] = (now + lease).isoformat()
    try:
        _write(store, replace(kept, leases=leases))
    except Stale:
        return False
    return True


def keep(store: CaptionStore, image: str, generation: int, key: str, answer: ImageAnswer) -> None:
    """Keep the answer of who has claimed the question; not if the image was forgotten meanwhile.
    Raises Held if the record keeps changing."""
    fields = {
        "text": answer.text,
        "answerable": answer.answerable,
        "language": answer.language,
        "model": answer.model,
    }
    _end(store, image, generation, key, lambda answers: {**answers, key: fields})


def give_way(store: CaptionStore, image: str, generation: int, key: str) -> None:
    """Let another one ask. Raises Held if the record keeps changing."""
    _end(store, image, generation, key, lambda answers: answers)


def forget(store: CaptionStore, image: str, generation: int | None = None) -> None:
    """Let go of all answers about an image, at once; with ``generation``, only of that one and
    older ones. Raises Held if the record keeps changing."""
    for _ in range(_CONTENTION):
        record = store.read_record(KIND, image)
        if not record.text:
            return
        kept = int(from_json(record.text).get("generation", 0))
        if generation is not None and kept > generation:
            return
        try:
            store.write_record(replace(record, text="", expires_at=record.read_at))
            return
        except Stale:
            continue
    raise Held("the answers about an image keep changing")


def _end(
    store: CaptionStore,
    image: str,
    generation: int,
    key: str,
    change: Callable[[dict[str, dict[str, Any]]], dict[str, dict[str, Any]]],
) -> None:
    for _ in range(_CONTENTION):
        try:
            kept = read(store, image, generation)
            if key not in kept.leases:
                return
            leases = {k: until for k, until in kept.leases.items() if k != key}
            _write(store, replace(kept, answers=change(kept.answers), leases=leases))
            return
        except Gone:
            return
        except Stale:
            continue
    raise Held("the answers about an image keep changing")


def _write(store: CaptionStore, kept: KeptAnswers) -> None:
    answers = dict(kept.answers)
    while len(answers) > _MOST or len((text := _text(kept, answers)).encode()) > _MOST_BYTES:
        answers.pop(next(iter(answers)))
    store.write_record(replace(kept.record, text=text, expires_at=None))


def _text(kept: KeptAnswers, answers: dict[str, dict[str, Any]]) -> str:
    return as_json({"generation": str(kept.generation), "answers": answers, "asking": kept.leases})

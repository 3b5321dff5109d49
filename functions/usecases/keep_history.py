"""What an image's text was over time: nothing that a person wrote is beyond recall.

The history stands beside the documents, which websites may read whole. It is written before the
document is, so that no text is replaced that is not kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from functions.core.document import Document, PastText, Record, Source, Status
from functions.core.document_records import as_json, from_json, past_text, plain
from functions.core.errors import Held, Stale
from functions.core.picture_text import KEPT_FOR
from functions.core.ports import CaptionStore

KIND = "history"
_CONTENTION = 8
# Of one record; older text moves to another one, of which the first knows the number. A record
# of Firestore's takes 1 MiB, and one text with its translations some tens of KiB at most.
_MOST, _MOVED, _MOST_BYTES = 40, 20, 500_000


@dataclass(frozen=True, slots=True)
class _HistoryRecord:
    """``texts`` as they came about; ``earlier`` counts the records with older ones."""

    texts: tuple[PastText, ...] = ()
    earlier: int = 0


def keep(
    store: CaptionStore, before: Document, after: Document | None = None, by: str = ""
) -> None:
    """Keep the text of ``before``, which is about to be replaced, and with ``by`` the text of
    ``after`` that a person puts there. Raises Held if the history keeps changing."""
    texts = [_past(before)] if _has_text(before) else []
    if after is not None:
        if (after.source, after.text_fields()) == (before.source, before.text_fields()):
            return
        texts.append(replace(_past(after), by=by, at=after.edited_at))
    _append(store, before.id, texts)


def inherit(store: CaptionStore, document: Document, origin: Document) -> None:
    """Let the history of an image go along with a copy or move of it. Raises Held."""
    if origin.id != document.id and (texts := _texts(store, origin.id)):
        _append(store, document.id, texts, once=True)


def history(store: CaptionStore, document: Document) -> Sequence[PastText]:
    """The text of a document as it was over time, the present one last."""
    texts = _texts(store, document.id)
    if _has_text(document) and not (texts and _same(texts[-1], _past(document))):
        texts.append(_past(document))
    return texts


def forget(store: CaptionStore, document: Document) -> None:
    """Let the history of an image that is deleted go after a while. Raises Stale."""
    record = store.read_record(KIND, document.id)
    if record.version is None or record.expires_at:
        return
    until = record.read_at + KEPT_FOR
    for number in range(_read(record).earlier):
        older = store.read_record(KIND, _earlier(document.id, number))
        store.write_record(replace(older, expires_at=until))
    store.write_record(replace(record, expires_at=until))


def _append(
    store: CaptionStore, key: str, texts: Sequence[PastText], *, once: bool = False
) -> None:
    if not texts:
        return
    for _ in range(_CONTENTION):
        record = store.read_record(KIND, key)
        log = _read(record)
        kept = list(log.texts)
        for each in texts:
            if not any(_same(each, there) for there in (kept if once else kept[-1:])):
                kept.append(each)
        if len(kept) == len(log.texts) and not record.expires_at:
            return
        try:
            log = _shortened(store, key, replace(log, texts=tuple(kept)))
            store.write_record(replace(record, text=_text(log), expires_at=None))
            return
        except Stale:
            continue
    raise Held("the history of a caption keeps changing")


def _shortened(store: CaptionStore, key: str, log: _HistoryRecord) -> _HistoryRecord:
    """``log`` as it fits into its record: the oldest text of people has moved to another one, a
    model's is gone. Raises Stale."""
    while len(log.texts) > _MOST or (len(log.texts) > 2 and len(_text(log)) > _MOST_BYTES):
        count = min(_MOVED, len(log.texts) // 2)
        moved = tuple(each for each in log.texts[:count] if _by_person(each))
        log = replace(log, texts=log.texts[count:])
        if moved:
            older = store.read_record(KIND, _earlier(key, log.earlier))
            store.write_record(replace(older, text=_text(_HistoryRecord(moved)), expires_at=None))
            log = replace(log, earlier=log.earlier + 1)
    return log


def _texts(store: CaptionStore, key: str) -> list[PastText]:
    log = _read(store.read_record(KIND, key))
    texts = list[PastText]()
    for number in range(log.earlier):
        texts += _read(store.read_record(KIND, _earlier(key, number))).texts
    return [*texts, *log.texts]


def _read(record: Record) -> _HistoryRecord:
    fields: dict[str, Any] = from_json(record.text) if record.text else {}
    texts = tuple(map(past_text, fields.get("texts", ())))
    return _HistoryRecord(texts, fields.get("earlier", 0))


def _text(log: _HistoryRecord) -> str:
    return as_json({"texts": [plain(each) for each in log.texts], "earlier": log.earlier})


def _earlier(key: str, number: int) -> str:
    return f"{key}-{number}"


def _past(document: Document) -> PastText:
    at = document.edited_at or document.captioned_at
    by = document.review.approved_by or ""
    if not by and document.source == Source.MODEL:
        by = document.model
    generation = str(document.generation)
    return PastText(
        **document.text_fields(), source=document.source, by=by, at=at, generation=generation
    )


def _has_text(document: Document) -> bool:
    there = document.alt_text or document.caption or document.decorative
    return bool(there) and document.status in (Status.CAPTIONED, Status.PENDING)


def _by_person(text: PastText) -> bool:
    return text.source != Source.MODEL or bool(text.by_hand) or ":" not in text.by


def _same(one: PastText, other: PastText) -> bool:
    return (one.source, one.text_fields()) == (other.source, other.text_fields())

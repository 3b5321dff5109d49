"""The same bytes again, under another name or the same: captioned once, copied ever after.

One record for each checksum holds what is known of that picture's text and who is asking a
model for more: one keyed read, for the second copy as for the hundred-thousandth. It stays as long
as a document has the text, and so bytes without a record are new, but where documents are older
than records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from functions.core import lease, picture_text
from functions.core.document import Document, Record, Status, Upload
from functions.core.errors import Held, Stale
from functions.core.lease import Claim, LeaseRequest
from functions.core.object_metadata import carried_text
from functions.core.picture_text import PictureText, SavedText, from_text, question, to_text
from functions.core.ports import CaptionStore

KIND = "copies"
# What becomes of a picture's text, at the time of the store.
Change = Callable[[PictureText, datetime], PictureText]
_CONTENTION = 8
# The record that says that each captioned document of this store has one. No checksum is so short.
_COMPLETE = "complete"
_ANY_CAPTIONED = {"status": Status.CAPTIONED.value}
# Documents that were captioned before there were records are looked for among as many.
_MOST_UNRECORDED = 50


@dataclass(frozen=True, slots=True)
class Copy:
    """Text of the same bytes, if there is any; ``record`` as it was left if this claim asks."""

    text: SavedText | None = None
    record: Record | None = None


def copy_of(store: CaptionStore, claim: Claim, upload: Upload) -> Copy:
    """Text of the same bytes: a person's, or what the same model said to the same prompt. Without
    any this claim is the one that asks, until its lease ends.

    A forced claim takes only what a model has said since. Where an upload carries labels of a
    person's text that nobody else knows, nobody asks. Raises Held while another claim asks.
    """
    mine = claim.stored.document
    if not mine.md5:
        return Copy()
    if claim.record:
        return Copy(record=claim.record)
    for _ in range(_CONTENTION):
        record = store.read_record(KIND, _key(mine.md5))
        text = _picture_text(store, record, mine)
        found = _best(text, claim, upload)
        if found or is_labelled(claim, upload):
            return Copy(found)
        key = question(claim.request.model, claim.request.prompt)
        other = text.leases.get(key)
        if other and other.document_id != mine.id and other.expires_at > record.read_at:
            raise Held("the same bytes are being captioned under another name")
        with suppress(Stale):
            leased = text.with_lease(key, mine.id, _until(claim), record.read_at)
            return Copy(record=_write(store, record, leased))
    raise Held("many are captioning the same bytes")


def first_to_ask(upload: Upload, request: LeaseRequest) -> Record | None:
    """The record by which a new document's claim is the one to ask about bytes that were never
    seen: most are, and it is written with the claim. None where nobody may be to ask."""
    if not upload.md5 or carried_text(upload).alt_text:
        return None
    key, until = question(request.model, request.prompt), request.at + request.lease
    asked = PictureText().with_lease(key, upload.id, until, request.at)
    return _with(Record(KIND, _key(upload.md5), request.at), asked)


class Unrecorded:
    """Documents that have text, and no record of it: of a store whose first caption had one, there
    are none, and nobody looks for them. Which of the two a store is, is read once."""

    def __init__(self, store: CaptionStore) -> None:
        self._store = store
        self._is_complete: bool | None = None

    def begin(self, claim: Claim, record: Record, upload: Upload) -> Callable[[], Copy] | None:
        """Begin what :func:`copy_of` does, for a claim whose bytes were on no ``record``. None
        where that finds nothing."""
        if self._is_complete:
            return None
        others = _begin_captioned(self._store, claim.stored.document)

        def found() -> Copy:
            if self._is_complete is None:
                self._is_complete = self._completed()
            text = asked = from_text(record.text)
            for document in others():
                text = text.with_text(document)
            if text == asked:
                return Copy(record=record)
            written = record
            with suppress(Stale):
                written = _write(self._store, record, text)
            return Copy(_best(text, claim, upload), written)

        return found

    def _completed(self) -> bool:
        """Whether the store says so, or can be told to: nothing is captioned yet."""
        record = self._store.read_record(KIND, _COMPLETE)
        if record.text:
            return True
        if self._store.equal(_ANY_CAPTIONED, 1):
            return False
        with suppress(Stale):
            self._store.write_record(replace(record, text=_COMPLETE))
        return True


def needs_no_model(store: CaptionStore, upload: Upload, request: LeaseRequest) -> bool:
    """Whether an upload of these bytes needs no model."""
    if not upload.md5:
        return False
    record = store.read_record(KIND, _key(upload.md5))
    text = from_text(record.text).at(record.read_at)
    return bool(text.persons() or text.models(request.model, request.prompt))


def is_labelled(claim: Claim, upload: Upload) -> bool:
    """Whether an upload carries a person's text in its labels, for a claim that has none."""
    mine = claim.stored.document
    return lease.carries_text(mine, upload) and not _forced(mine)


def _forced(document: Document) -> bool:
    return bool(document.renewal and document.renewal.forced)


def remember(store: CaptionStore, document: Document) -> None:
    """Keep the text of a document for copies of its picture. Raises Held if the record keeps
    changing."""
    _change(store, document, lambda text, now: text.with_text(document))


def kept_in(record: Record, document: Document) -> Record | None:
    """``record`` with the text of a document for copies of its picture; None if it has it."""
    if not _has_text(document):
        return None
    return _changed(record, document, lambda text, now: text.with_text(document))


def forget(store: CaptionStore, document: Document) -> None:
    """Note that a document is about to go, or to be another picture's: its text is kept for a
    while, and as long as another document has it; without text it asks no more. Raises Held if the
    record keeps changing."""
    if not _has_text(document):
        return give_way(store, document)

    def without(text: PictureText, now: datetime) -> PictureText:
        return text.without(document, now + picture_text.KEPT_FOR)

    def inherited(text: PictureText, now: datetime) -> PictureText:
        for heir in heirs:
            text = text.with_text(heir)
        return text

    left = _change(store, document, without)
    # Looked for once the note is there: who takes the text over later sees it.
    if any(each.document.id == document.id for each in left.texts):
        heirs = list(_begin_captioned(store, document)())
        if heirs:
            _change(store, document, inherited)


def let_go(store: CaptionStore, document: Document) -> None:
    """Note that a document is gone: of several that went at the same moment, each may have been
    taken for one that keeps the text of the others."""

    def expiring(text: PictureText, now: datetime) -> PictureText:
        held = {each.document.id for each in text.texts if each.expires_at is None}
        gone = held - store.read_many(held).keys() if held else held
        return text.expiring(gone, now + picture_text.KEPT_FOR)

    _change(store, document, expiring)


def give_way(store: CaptionStore, document: Document) -> None:
    """Let another copy of a document's picture ask, if this one was to; it may have to wait for
    the lease to end where that cannot be noted."""
    if not document.md5:
        return
    record = store.read_record(KIND, _key(document.md5))
    text = from_text(record.text)
    left = text.without_leases_of(document.id)
    if left != text:
        with suppress(Stale):
            _write(store, record, left)


def _best(text: PictureText, claim: Claim, upload: Upload) -> SavedText | None:
    mine, request = claim.stored.document, claim.request
    if mine.renewal and mine.renewal.forced:
        return text.models(request.model, request.prompt, mine.renewal.since)
    if found := text.persons(carried_text(upload).alt_text):
        return found
    if is_labelled(claim, upload):
        return None
    return text.models(request.model, request.prompt) or text.outdated()


def _changed(record: Record, document: Document, change: Change) -> Record | None:
    """``record`` after a change by ``document``, which asks no more; None if it stays the same."""
    text = from_text(record.text).at(record.read_at)
    changed = change(text, record.read_at).without_leases_of(document.id)
    return None if changed == text else _with(record, changed)


def _change(
    store: CaptionStore,
    document: Document,
    change: Change,
) -> PictureText:
    """The picture's text after the change, as it is kept."""
    if not document.md5 or not _has_text(document):
        return PictureText()
    for _ in range(_CONTENTION):
        record = store.read_record(KIND, _key(document.md5))
        changed = _changed(record, document, change)
        if changed is None:
            return from_text(record.text)
        with suppress(Stale):
            store.write_record(changed)
            return from_text(changed.text)
    raise Held("the text of a picture keeps changing")


def _picture_text(store: CaptionStore, record: Record, mine: Document) -> PictureText:
    text = from_text(record.text).at(record.read_at)
    if not text.texts and not text.leases:
        for document in _begin_captioned(store, mine)():
            text = text.with_text(document)
    return text


def _begin_captioned(store: CaptionStore, mine: Document) -> Callable[[], Iterator[Document]]:
    """Begin to look for other documents of the same picture that have text, as far as one query
    tells."""
    alike = store.alike(mine.md5, _MOST_UNRECORDED)

    def others() -> Iterator[Document]:
        for stored in alike():
            document = stored.document
            if document.status == Status.CAPTIONED and document.id != mine.id:
                yield document

    return others


def _write(store: CaptionStore, record: Record, text: PictureText) -> Record:
    return store.write_record(_with(record, text))


def _with(record: Record, text: PictureText) -> Record:
    return replace(record, text=to_text(text), expires_at=text.expires_at)


def _has_text(document: Document) -> bool:
    return bool(document.alt_text or document.caption or document.decorative)


def _until(claim: Claim) -> datetime:
    lease = claim.stored.document.lease
    return lease.expires_at if lease else claim.request.at + claim.request.lease


def _key(md5: str) -> str:
    """The checksum as a key: base64 has slashes."""
    return md5.replace("/", "_").replace("+", "-").rstrip("=")

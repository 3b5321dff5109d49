"""Write a captioned document's text into its object's metadata."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from functions.core import object_metadata, transitions
from functions.core.document import Document, Record, Status, Stored, Upload
from functions.core.errors import Gone, Stale, TransientError
from functions.core.ports import CaptionStore, ImageStore
from functions.usecases import find_copy
from functions.usecases.forget_image import drop

# How often the labels are written anew when the metadata or the document changed under them.
_LABELLING = 8


def label(
    store: CaptionStore,
    images: ImageStore,
    stored: Stored,
    upload: Upload,
    finished: Callable[[Document], Document] = lambda document: document,
    record: Record | None = None,
) -> str:
    """Write a captioned document's text into the metadata of ``upload``, keep it for copies of
    the picture, and note that in the document; ``labelled``, ``gone`` or ``changed_meanwhile``.
    ``finished`` may add to the document what is to be saved with that note; ``record`` is that of
    the picture's text as it was left, for one round trip less.

    The first write goes by the metageneration that ``upload`` knows. After it the object is read
    before the document: a text that is newer than the one in hand and labelled already has moved
    the metageneration, so that of two writers the one with the later text wins. A text that a
    person has set on the object meanwhile is one of these, and is not written over.
    """
    live: Upload | None = upload if upload.metageneration is not None else None
    for _ in range(_LABELLING):
        if live is None:
            live = images.look_up(upload.bucket, upload.name)
            current = store.read(upload.id)
            if current is None or current.document.generation != upload.generation:
                return "changed_meanwhile"
            if current.document.status != Status.CAPTIONED:
                return "changed_meanwhile"
            stored = current
        if live is None or live.generation != upload.generation:
            break
        try:
            if given := _given_meanwhile(stored.document, upload, live):
                stored, record = store.replace(stored, given), None
            _write(images, stored.document, live)
            if not stored.document.metadata_synced:
                document = finished(stored.document)
                _note(store, stored, document, record)
            return "labelled"
        except Stale:
            live = None
        except Gone:
            break
    else:
        raise TransientError(f"the metadata of {upload.uri} keeps changing")
    if images.look_up(upload.bucket, upload.name) is None:
        drop(store, images, stored)
    return "gone"


def _given_meanwhile(document: Document, upload: Upload, live: Upload) -> Document | None:
    """``document`` with what an uploader has set since ``upload``; None if that is nothing, or if
    a person's text stands."""
    text = object_metadata.uploader_text(live)
    if document.by_person or not transitions.has_text(text):
        return None
    if text == object_metadata.uploader_text(upload):
        return None
    return transitions.given(document, text, datetime.now(UTC))


def _note(store: CaptionStore, stored: Stored, document: Document, record: Record | None) -> None:
    """Keep the text for copies of the picture, and note that the labels stand. Raises Stale.

    A text that was taken over is looked for again, now that the document is there with it: what
    it was taken from may have gone since, and nobody else may stand for it.
    """
    synced = replace(document, metadata_synced=True)
    if record:
        with suppress(Stale):
            store.replace(stored, synced, find_copy.kept_in(record, document))
            return
    find_copy.remember(store, document)
    store.replace(stored, synced)


def _write(images: ImageStore, document: Document, live: Upload) -> None:
    labels = object_metadata.written(document, live.metadata)
    if any(live.metadata.get(key) != value for key, value in labels.items()):
        images.label(live, labels)

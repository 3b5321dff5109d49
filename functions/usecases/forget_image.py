"""Captions that go: of deleted images, of overwritten ones, of claims that came too late."""

from __future__ import annotations

from contextlib import suppress

from functions.core import lease
from functions.core.document import Deletion, Status, Stored, Upload, document_id
from functions.core.errors import Held, Stale
from functions.core.lease import waits_until
from functions.core.ports import CaptionStore, ImageStore
from functions.core.report import Report
from functions.usecases import find_copy, keep_answers, keep_history

# How often a removal that met another write is tried again before the event is redelivered.
_CONTENTION = 8
_CHANGING = "the document keeps changing while it is removed"


class Forgetting:
    """The use case of a deletion. It needs no model."""

    def __init__(self, store: CaptionStore, images: ImageStore) -> None:
        self._store, self._images = store, images

    def forget(self, deletion: Deletion, report: Report) -> None:
        """Remove the caption of an image of which no generation is live any more, and in any case
        the answers about the generation that went, and what was written for its places.

        An overwrite sends a deletion of the older generation too: that one, and one that comes
        after a newer upload, change nothing. Raises Held if the document keeps changing.
        """
        report.bucket, report.name = deletion.bucket, deletion.name
        report.generation = deletion.generation
        keep_answers.forget(self._store, deletion.id, deletion.generation)
        self._store.remove_places(deletion.id, deletion.generation)
        report.outcome = self._forget(deletion)

    def _forget(self, deletion: Deletion) -> str:
        for _ in range(_CONTENTION):
            stored = self._store.read(deletion.id)
            if stored is None:
                return "absent"
            if stored.document.generation > deletion.generation:
                return "superseded"
            if self._images.look_up(deletion.bucket, deletion.name):
                return "live"
            with suppress(Stale):
                remove(self._store, stored)
                return "forgotten"
        raise Held(_CHANGING)


def remove(store: CaptionStore, stored: Stored) -> None:
    """Remove a document; its text is kept for a while, for where its image may have gone.
    Raises Stale if it has changed or is gone."""
    find_copy.forget(store, stored.document)
    keep_history.forget(store, stored.document)
    store.remove(stored)
    find_copy.let_go(store, stored.document)


def withdraw(store: CaptionStore, images: ImageStore, upload: Upload) -> None:
    """Remove the caption of an image that was overwritten by something to be skipped.

    Where that was overwritten in its turn, the newest generation's own event decides.
    """
    for _ in range(_CONTENTION):
        stored = store.read(upload.id)
        if stored is None or stored.document.generation >= upload.generation:
            return
        live = images.look_up(upload.bucket, upload.name)
        if live is None or live.generation != upload.generation:
            return
        with suppress(Stale):
            return remove(store, stored)
    raise Held(_CHANGING)


def drop_gone(store: CaptionStore, images: ImageStore, bucket: str, name: str) -> None:
    """Remove what is pending of an image that is gone: nobody else may come for it. Another one
    may be there by now."""
    stored = store.read(document_id(bucket, name))
    waiting = stored and stored.document.status == "pending" and not waits_until(stored)
    if stored and waiting and images.look_up(bucket, name) is None:
        drop(store, images, stored)


def drop(store: CaptionStore, images: ImageStore, claim: Stored) -> None:
    """Give up a generation that is gone for good, whoever claims it by now.

    Published text, and what a person wrote, waits unclaimed for the event of the newer image,
    if one stands.
    """
    stored: Stored | None = claim
    for _ in range(_CONTENTION):
        if stored is None or stored.document.generation != claim.document.generation:
            return
        document = stored.document
        try:
            waits = document.by_person or document.status == Status.CAPTIONED
            if waits and images.look_up(document.bucket, document.name):
                if document.lease or document.renewal:
                    store.replace(stored, lease.released(document))
            else:
                remove(store, stored)
        except Stale:
            stored = store.read(document.id)
            continue
        return
    raise Held(_CHANGING)

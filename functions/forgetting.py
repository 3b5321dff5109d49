"""The use case of a deleted image: its caption goes with it."""

from __future__ import annotations

from functions.deliveries import Report
from functions.domain import Deletion
from functions.errors import Held, Stale
from functions.ports import CaptionStore, ImageStore

_CONTENTION = 8


class Forgetting:
    """Removes captions of images that are gone. It needs no model."""

    def __init__(self, store: CaptionStore, images: ImageStore) -> None:
        self._store, self._images = store, images

    def forget(self, deletion: Deletion, report: Report) -> None:
        """Remove the caption of an image of which no generation is live any more.

        An overwrite sends a deletion of the older generation too: that one, and one that comes
        after a newer upload, change nothing. Raises Held if the document keeps changing.
        """
        report.bucket, report.name = deletion.bucket, deletion.name
        report.generation = deletion.generation
        for _ in range(_CONTENTION):
            report.outcome = ""
            stored = self._store.read(deletion.id)
            if stored is None:
                report.outcome = "absent"
            elif stored.document.generation > deletion.generation:
                report.outcome = "superseded"
            elif self._images.look_up(deletion.bucket, deletion.name):
                report.outcome = "live"
            if report.outcome or stored is None:
                return
            try:
                self._store.remove(stored)
            except Stale:
                continue
            report.outcome = "forgotten"
            return
        raise Held("the document keeps changing while its image is deleted")

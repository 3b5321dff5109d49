"""A folder as a bucket that tells the functions of every change in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from functions import wiring
from functions.cli.hosting import Functions, Outcome
from functions.cli.local import deleted, finalized
from functions.domain import Document, document_id
from functions.settings import Settings
from functions.stores.folder import BUCKET, FolderImages


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a file: how its event ended, and the document there is now."""

    name: str
    outcome: Outcome
    document: Document | None


class Bucket:
    """Sends a folder's changes to the functions, as Cloud Storage would."""

    def __init__(self, folder: Path, settings: Settings, served: Functions) -> None:
        self.folder = folder
        self._served = served
        self._images = FolderImages(folder)
        self._store = wiring.store(settings)

    def document(self, name: str) -> Document | None:
        """The document of a file, if it has one."""
        stored = self._store.read(document_id(BUCKET, name))
        return stored.document if stored else None

    def store(self, name: str, pauses: Sequence[float]) -> Result | None:
        """Tell of a file that was written; None if it is gone again."""
        upload = self._images.look_up(BUCKET, name)
        if upload is None:
            return None
        outcome = self._served.send(finalized(upload), pauses)
        return Result(name, outcome, self.document(name))

    def delete(self, document: Document, pauses: Sequence[float]) -> Result:
        """Tell of a file that was deleted."""
        outcome = self._served.send(deleted(document), pauses)
        return Result(document.name, outcome, self.document(document.name))

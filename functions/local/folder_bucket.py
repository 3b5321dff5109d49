"""A folder as a bucket that tells the functions of every change in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from functions import composition
from functions.adapters.folder import BUCKET, FolderImages
from functions.core.document import Document, Query, document_id
from functions.local.bucket_events import deleted, finalized
from functions.local.server import Functions, Outcome
from functions.settings import Settings

_PAGE = 200


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a file: how its event ended, and the document there is now."""

    name: str
    outcome: Outcome
    document: Document | None


def _nobody(result: Result) -> None:
    pass


class FolderBucket:
    """Sends a folder's changes to the functions, as Cloud Storage would."""

    def __init__(self, folder: Path, settings: Settings, served: Functions) -> None:
        self.folder = folder
        self._served = served
        self._images = FolderImages(folder)
        self._store = composition.store(settings)

    def document(self, name: str) -> Document | None:
        """The document of a file, if it has one."""
        stored = self._store.read(document_id(BUCKET, name))
        return stored.document if stored else None

    def documents(self, prefix: str = "") -> Iterator[Document]:
        """The documents of all files whose names begin so, of all pages."""
        query = Query(bucket=BUCKET, prefix=prefix, limit=_PAGE)
        while True:
            page = self._store.find(query)
            yield from (stored.document for stored in page.found)
            if not page.cursor:
                return
            query = replace(query, cursor=page.cursor)

    def names(self) -> Iterator[str]:
        """The names of all files."""
        return self._images.names()

    def generation(self, name: str) -> int | None:
        """The generation of a file as it is now; None if it is gone."""
        upload = self._images.look_up(BUCKET, name)
        return upload.generation if upload else None

    def store(
        self, name: str, pauses: Sequence[float], told: Callable[[Result], None] = _nobody
    ) -> Result | None:
        """Tell of a file that was written; None if it is gone again. ``told`` is called once if
        that has to wait."""
        upload = self._images.look_up(BUCKET, name)
        if upload is None:
            return None
        outcome = self._served.send(
            finalized(upload), pauses, lambda waiting: told(Result(name, waiting, None))
        )
        return Result(name, outcome, self.document(name))

    def delete(self, document: Document, pauses: Sequence[float]) -> Result:
        """Tell of a file that was deleted."""
        outcome = self._served.send(deleted(document), pauses)
        return Result(document.name, outcome, self.document(document.name))

"""A folder as a bucket that tells the functions of every change in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from functions import composition
from functions.adapters.folder import BUCKET, FolderImages
from functions.core.document import Document, Query, document_id
from functions.core.errors import Stale
from functions.local.bucket_events import deleted, finalized
from functions.local.server import EventOutcome, Functions
from functions.settings import Settings
from functions.usecases import forget_image
from functions.usecases.search_captions import walk

_PAGE = 200


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a file: how its event ended, and the document there is now; ``before`` is
    the name that it had until then."""

    name: str
    outcome: EventOutcome
    document: Document | None
    before: str = ""


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
        for stored in walk(self._store, Query(bucket=BUCKET, prefix=prefix)):
            yield stored.document

    def under(self, path: str) -> Iterator[Document]:
        """The documents of a file, or of all files that were in a folder of that name."""
        if document := self.document(path):
            yield document
        after = f"{path}/"
        while found := self._store.by_name(BUCKET, after, f"{path}0", _PAGE):
            inside = [each.document for each in found if each.document.name.startswith(f"{path}/")]
            yield from inside
            if len(inside) < _PAGE:
                return
            after = inside[-1].name

    def names(self) -> Iterator[str]:
        """The names of all files."""
        return self._images.names()

    def generation(self, name: str) -> int | None:
        """The generation of a file as it is now; None if it is gone."""
        return self._images.generation(name)

    def md5(self, name: str) -> str | None:
        """The checksum of a file as it is now; None if it is gone."""
        upload = self._images.look_up(BUCKET, name)
        return upload.md5 if upload else None

    def renamed_over(self, name: str) -> None:
        """Let go of a person's text whose picture is under another name now, where a file that
        was renamed has taken its place: swapped files take their text along."""
        stored = self._store.read(document_id(BUCKET, name))
        if stored is None or not stored.document.by_person:
            return
        if self._images.generation(name) in (None, stored.document.generation):
            return  # nothing has happened to it: most files at a start, and they may be large
        md5 = self.md5(name)
        if not md5 or md5 == stored.document.md5 or not self._moved(name, md5):
            return
        if self._elsewhere(stored.document):
            with suppress(Stale):
                forget_image.remove(self._store, stored)

    def _moved(self, name: str, md5: str | None) -> bool:
        """Whether the picture that ``name`` shows now was that of another file, which shows it
        no more."""
        same = self._store.alike(md5 or "", _PAGE)()
        others = [each.document.name for each in same if each.document.name != name]
        return any(self.md5(other) != md5 for other in others)

    def _elsewhere(self, document: Document) -> bool:
        """Whether another file has the picture of ``document`` now."""
        for name in self.names():
            with suppress(OSError):
                size = (self.folder / name).stat().st_size
                if size == document.size and self.md5(name) == document.md5:
                    return True
        return False

    def store(
        self,
        name: str,
        pauses: Sequence[float],
        report: Callable[[Result], None] = _nobody,
        origin: Document | None = None,
    ) -> Result | None:
        """Tell of a file that was written; None if it is gone again. ``report`` is called once if
        that has to wait. Labels come along from its ``origin``, if it was renamed."""
        if origin:
            self._images.carry_labels(origin.name, origin.generation, name)
        upload = self._images.look_up(BUCKET, name)
        if upload is None:
            return None
        outcome = self._served.send(
            finalized(upload), pauses, lambda waiting: report(Result(name, waiting, None))
        )
        return Result(name, outcome, self.document(name))

    def delete(self, document: Document, pauses: Sequence[float]) -> Result:
        """Tell of a file that was deleted."""
        outcome = self._served.send(deleted(document), pauses)
        return Result(document.name, outcome, self.document(document.name))

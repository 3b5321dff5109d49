"""Sees what happens to the files of a folder, and tells the functions of it."""

from __future__ import annotations

import stat
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path

from functions.adapters.folder import STATE, ignored, missing
from functions.core.document import Document, Status
from functions.core.errors import CaptionError
from functions.core.lease import ENDED
from functions.local.folder_bucket import FolderBucket, Result
from functions.local.server import PATIENT, EventOutcome

# A file is taken when nobody has written to it for so long; an empty one is often just begun.
QUIET_SECONDS, EMPTY_SECONDS = 0.4, 2.0
_TICK_SECONDS = 0.1
_AT_ONCE = 8
# A file that is gone may be there again in a moment (editors save so), or under another name.
_MISSING_SECONDS = 2.0


class Watcher:
    """Keeps a bucket's captions in step with its folder until ``stop`` is set.

    ``report`` is called with every result, from many threads. A file has one event on its way at
    a time; if it changes meanwhile, another one follows. A file that is gone is told of when
    what has arrived by then is known: if it is one of those, it has been renamed.
    """

    def __init__(
        self, bucket: FolderBucket, report: Callable[[Result], None], stop: threading.Event
    ):
        self._bucket, self._report, self._stop = bucket, report, stop
        self._uploads = ThreadPoolExecutor(_AT_ONCE)
        self._removals = ThreadPoolExecutor(1)
        self._lock = threading.Lock()
        self._running: dict[str, Future[None]] = {}
        self._again: set[str] = set()
        self._missing: dict[str, Document] = {}
        self._told: set[str] = set()

    def run(self) -> None:
        """Tell of what happened while nobody watched, then of all that happens."""
        from watchfiles import watch
        from watchfiles._rust_notify import WatchfilesRustInternalError

        while not self._stop.is_set():
            changes = watch(
                self._bucket.folder,
                watch_filter=None,
                debounce=200,
                rust_timeout=200,
                yield_on_timeout=True,
                stop_event=self._stop,
                raise_interrupt=False,
                ignore_permission_denied=True,
            )
            caught_up = False
            try:
                for batch in changes:
                    if not caught_up:
                        self._catch_up()
                        caught_up = True
                    self._see(Path(path) for path in sorted({path for _, path in batch}))
                return
            except WatchfilesRustInternalError as error:
                self._look(str(error), caught_up)

    def _look(self, error: str, caught_up: bool) -> None:
        """What is there now, where a change cannot be told of, such as one of a name that is not
        in UTF-8: whoever watches ends of it."""
        if error not in self._told:
            self._told.add(error)
            message = f"{error}: rename it, if it is to be captioned"
            self._report(
                Result(str(self._bucket.folder), EventOutcome(False, message=message), None)
            )
        if not caught_up:
            self._catch_up()
        self._stop.wait(_MISSING_SECONDS)

    def running(self) -> int:
        """How many files have an event on its way."""
        return sum(each.running() for each in list(self._running.values()))

    def finish(self) -> None:
        """Let the events finish that are on their way; begin no other."""
        self._stop.set()
        self._uploads.shutdown(cancel_futures=True)
        self._removals.shutdown(cancel_futures=True)

    def _catch_up(self) -> None:
        names = list(self._names(self._bucket.folder))
        there = set(names)
        self._miss(each for each in self._bucket.documents() if each.name not in there)
        self._take(names)

    def _see(self, paths: Iterable[Path]) -> None:
        """What a path is now decides, not what is said to have happened to it: editors replace
        files in many ways."""
        changed, gone = list[str](), list[str]()
        for path in paths:
            name = path.relative_to(self._bucket.folder).as_posix()
            if name.split("/")[0] == STATE:
                continue
            if path.is_dir() and not path.is_symlink():
                changed += self._names(path)
            elif self._is_file(name):
                changed.append(name)
            else:
                gone.append(name)
        for name in gone:
            self._miss(self._bucket.under(name))
        self._take(changed)

    def _miss(self, documents: Iterable[Document]) -> None:
        """Note whose files are not there, before anybody looks at what has arrived."""
        since = time.monotonic()
        for document in documents:
            if not self._is_file(document.name) and not self._stop.is_set():
                with self._lock:
                    self._missing[document.name] = document
                self._removals.submit(self._remove, document.name, since)

    def _take(self, names: Iterable[str]) -> None:
        once = list(dict.fromkeys(names))
        for name in once:
            self._act(name, lambda: self._bucket.renamed_over(name))  # noqa: B023
        for name in once:
            self._upload(name)

    def _names(self, where: Path) -> Iterator[str]:
        for name in self._bucket.names():
            if (self._bucket.folder / name).is_relative_to(where):
                yield name

    def _is_file(self, name: str) -> bool:
        if ignored(name):
            return False
        try:
            return stat.S_ISREG((self._bucket.folder / name).lstat().st_mode)
        except OSError as error:
            return not missing(error)

    def _upload(self, name: str) -> None:
        with self._lock:
            if name in self._running:
                self._again.add(name)
            elif not self._stop.is_set():
                self._running[name] = self._uploads.submit(self._store, name)

    def _store(self, name: str) -> None:
        try:
            if settled(self._bucket.folder / name, self._stop):
                origin = self._origin(name)
                document = self._bucket.document(name)
                if not (document and self._is_done(document)):
                    self._act(name, lambda: self._stored(name, origin))
                elif origin:
                    self._act(origin.name, lambda: self._deleted(origin))
        finally:
            with self._lock:
                del self._running[name]
                again = name in self._again
                self._again.discard(name)
            if again:
                self._upload(name)

    def _stored(self, name: str, origin: Document | None) -> Result | None:
        """Tell of a file that was written, or has come from another name."""
        result = self._bucket.store(name, PATIENT, self._report, origin)
        if origin is None:
            return result
        gone = self._deleted(origin)
        if result is None or not result.outcome.acknowledged or result.document is None:
            return result or gone
        renamed = replace(result.outcome, outcome="renamed")
        return replace(result, outcome=renamed, before=origin.name)

    def _origin(self, name: str) -> Document | None:
        """The document whose file has been renamed to this one, if there is one: it is missing
        no more."""
        try:
            size = (self._bucket.folder / name).stat().st_size
        except OSError:
            return None
        with self._lock:
            possible = [each for each in self._missing.values() if each.size == size and each.md5]
        md5 = self._bucket.md5(name) if possible else None
        alike = [each for each in possible if each.md5 == md5 and not self._is_file(each.name)]
        last = name.rpartition("/")[2]
        alike.sort(key=lambda each: (each.name.rpartition("/")[2] != last, each.name))
        with self._lock:
            for each in alike:
                if self._missing.pop(each.name, None):
                    return each
        return None

    def _deleted(self, document: Document) -> Result | None:
        if self._is_file(document.name) or self._stop.is_set():
            return None
        return self._bucket.delete(document, PATIENT)

    def _is_done(self, document: Document) -> bool:
        """Whether the file is as its document describes it, and nothing is left to do."""
        finished = document.status in ENDED or (
            document.status == Status.CAPTIONED and document.metadata_synced
        )
        return finished and self._bucket.generation(document.name) == document.generation

    def _remove(self, name: str, since: float) -> None:
        """Tell that a file is gone, unless it has come back or has been found under another name
        by the time that what arrived with it is known."""
        self._stop.wait(max(0, since + _MISSING_SECONDS - time.monotonic()))
        with self._lock:
            uploads = list(self._running.values())
        if name in self._missing:
            wait(uploads)
        with self._lock:
            document = self._missing.pop(name, None)
        if document:
            self._act(name, lambda: self._deleted(document))

    def _act(self, name: str, act: Callable[[], Result | None]) -> None:
        try:
            result = act()
        except (CaptionError, OSError) as error:
            result = Result(name, EventOutcome(False, message=str(error)), None)
        if result:
            self._report(result)


def settled(path: Path, stop: threading.Event) -> bool:
    """Wait until a file is no longer being written; False if it is gone, or ``stop`` is set."""
    before, since = None, time.monotonic()
    while not stop.is_set():
        try:
            status = path.stat()
        except OSError:
            return False
        now = (status.st_size, status.st_mtime_ns, status.st_ino)
        quiet = QUIET_SECONDS if status.st_size else EMPTY_SECONDS
        if now != before:
            before, since = now, time.monotonic()
        unchanged = time.monotonic() - since
        age = time.time() - max(status.st_mtime, status.st_ctime)
        if unchanged >= quiet or age > 10 * quiet:
            return True
        stop.wait(_TICK_SECONDS)
    return False

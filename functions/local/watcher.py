"""Sees what happens to the files of a folder, and tells the functions of it."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

from functions.adapters.folder import STATE, ignored
from functions.core.document import Document, Status
from functions.core.errors import CaptionError
from functions.core.lease import ENDED
from functions.local.folder_bucket import FolderBucket, Result
from functions.local.server import PATIENT, Outcome

# A file is taken when nobody has written to it for so long; an empty one is often just begun.
QUIET_SECONDS, EMPTY_SECONDS = 0.4, 2.0
_TICK_SECONDS = 0.1
_AT_ONCE = 8
# How long a deletion waits for uploads: a renamed file is to find its caption under its old name.
_RENAME_SECONDS = 10.0


class Watcher:
    """Keeps a bucket's captions in step with its folder until ``stop`` is set.

    ``told`` is called with every result, from many threads. A file has one event on its way at
    a time; if it changes meanwhile, another one follows.
    """

    def __init__(self, bucket: FolderBucket, told: Callable[[Result], None], stop: threading.Event):
        self._bucket, self._told, self._stop = bucket, told, stop
        self._uploads = ThreadPoolExecutor(_AT_ONCE)
        self._removals = ThreadPoolExecutor(1)
        self._lock = threading.Lock()
        self._running: dict[str, Future[None]] = {}
        self._again: set[str] = set()

    def run(self) -> None:
        """Tell of what happened while nobody watched, then of all that happens."""
        from watchfiles import watch

        folder = self._bucket.folder
        changes = watch(
            folder,
            watch_filter=None,
            debounce=200,
            rust_timeout=200,
            yield_on_timeout=True,
            stop_event=self._stop,
            raise_interrupt=False,
        )
        for number, batch in enumerate(changes):
            if number == 0:
                self._catch_up()
            for path in sorted({path for _, path in batch}):
                self._changed(Path(path))

    def running(self) -> int:
        """How many files have an event on its way."""
        return sum(each.running() for each in list(self._running.values()))

    def finish(self) -> None:
        """Let the events finish that are on their way; begin no other."""
        self._stop.set()
        self._uploads.shutdown(cancel_futures=True)
        self._removals.shutdown(cancel_futures=True)

    def _catch_up(self) -> None:
        for name in self._names(self._bucket.folder):
            self._upload(name)
        for document in self._bucket.documents():
            if not self._is_file(document.name):
                self._removals.submit(self._remove, document.name, False)

    def _changed(self, path: Path) -> None:
        """What a path is now decides, not what is said to have happened to it: editors replace
        files in many ways."""
        name = path.relative_to(self._bucket.folder).as_posix()
        if name.split("/")[0] == STATE:
            return
        if path.is_dir() and not path.is_symlink():
            for each in self._names(path):
                self._upload(each)
        elif self._is_file(name):
            self._upload(name)
        else:
            self._removals.submit(self._remove, name, True)

    def _names(self, where: Path) -> Iterator[str]:
        for name in self._bucket.names():
            if (self._bucket.folder / name).is_relative_to(where) and not ignored(name):
                yield name

    def _is_file(self, name: str) -> bool:
        path = self._bucket.folder / name
        return not ignored(name) and path.is_file() and not path.is_symlink()

    def _upload(self, name: str) -> None:
        with self._lock:
            if name in self._running:
                self._again.add(name)
            elif not self._stop.is_set():
                self._running[name] = self._uploads.submit(self._store, name)

    def _store(self, name: str) -> None:
        try:
            if settled(self._bucket.folder / name, self._stop):
                known = self._bucket.document(name)
                if not (known and self._is_done(known)):
                    self._tell(name, lambda: self._bucket.store(name, PATIENT, self._told))
        finally:
            with self._lock:
                del self._running[name]
                again = name in self._again
                self._again.discard(name)
            if again:
                self._upload(name)

    def _is_done(self, document: Document) -> bool:
        """Whether the file is as its document describes it, and nothing is left to do."""
        finished = document.status in ENDED or (
            document.status == Status.CAPTIONED and document.metadata_synced
        )
        return finished and self._bucket.generation(document.name) == document.generation

    def _remove(self, path: str, wait_first: bool) -> None:
        """Tell that a file is gone, or all files of a folder."""
        if wait_first:
            with self._lock:
                uploads = list(self._running.values())
            wait(uploads, _RENAME_SECONDS)
        for document in self._bucket.documents(path):
            inside = document.name == path or document.name.startswith(f"{path}/")
            if inside and not self._is_file(document.name) and not self._stop.is_set():
                delete = functools.partial(self._bucket.delete, document, PATIENT)
                self._tell(document.name, delete)

    def _tell(self, name: str, act: Callable[[], Result | None]) -> None:
        try:
            result = act()
        except (CaptionError, OSError) as error:
            result = Result(name, Outcome(False, message=str(error)), None)
        if result:
            self._told(result)


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

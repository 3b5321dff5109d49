"""A folder as a bucket: files are its objects, their labels stand beside the captions.

A file's generation is the later of its modification and its status change, in nanoseconds:
it moves on with every way to write, replace or rename a file. Files are never written to.
"""

from __future__ import annotations

import base64
import errno
import functools
import hashlib
import json
import mimetypes
import os
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from functions.adapters.sqlite import connected, prepare
from functions.core.document import Upload
from functions.core.errors import Gone, Stale, TransientError

BUCKET = "local"
STATE = ".captions"
_LONGEST_NAME = 1024
_MISSING = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENXIO}
# Bytes of a file whose MD5 is worth remembering: a video's takes seconds.
_LARGE = 32 << 20
_UNFINISHED = (".part", ".partial", ".filepart", ".tmp", ".temp", ".crdownload", ".download", "~")


def ignored(name: str) -> bool:
    """Whether a file is no object: hidden, a program's temporary file, or with a name that
    Cloud Storage does not take."""
    parts = name.split("/")
    if any(part.startswith((".", "~$", "#")) for part in parts):
        return True
    if parts[-1].lower().endswith((*_UNFINISHED, ".swp")):
        return True
    try:
        return len(name.encode()) > _LONGEST_NAME or "\n" in name or "\r" in name
    except UnicodeEncodeError:
        return True


def database(folder: Path) -> Path:
    """The file that holds a folder's captions and labels; its own folder is made if missing."""
    state = folder / STATE
    state.mkdir(exist_ok=True)
    return state / "captions.db"


def missing(error: OSError) -> bool:
    """Whether a file is not there, rather than out of reach: of a file that may not be read, or of
    a disk that answers nothing, nobody knows that it is gone."""
    return error.errno in _MISSING


def _unreadable(name: str, error: OSError) -> TransientError:
    return TransientError(f"{name} cannot be read: {error.strerror}; let it be read, or move it")


class FolderImages:
    """An ImageStore on a folder; its bucket is called ``local``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._path = database(self._folder)
        prepare(self._path)

    def names(self) -> Iterator[str]:
        """The names of all objects: files of the folder, ignored ones and links left out."""
        for where, folders, files in os.walk(self._folder):
            folders[:] = sorted(each for each in folders if not each.startswith("."))
            for each in sorted(files):
                path = Path(where, each)
                name = path.relative_to(self._folder).as_posix()
                if not ignored(name) and not path.is_symlink():
                    yield name

    def look_up(self, bucket: str, name: str) -> Upload | None:
        try:
            path = self._file(bucket, name)
            before = path.stat()
        except Gone:
            return None
        except OSError as error:
            if missing(error):
                return None
            raise _unreadable(name, error) from error
        generation = _generation(before)
        large = before.st_size > _LARGE
        try:
            digest = (_digest if large else _digest.__wrapped__)(path, generation)
        except OSError as error:
            if missing(error):
                return None
            digest = b""  # it is there all the same: who reads it is told why that fails
        metageneration, metadata = self._labels(name, generation)
        return Upload(
            bucket=bucket,
            name=name,
            generation=generation,
            metageneration=metageneration,
            content_type=mimetypes.guess_type(name)[0] or "application/octet-stream",
            size=before.st_size,
            md5=base64.b64encode(digest).decode(),
            metadata=metadata,
            time=datetime.fromtimestamp(generation / 1e9, UTC),
        )

    def list(self, bucket: str, prefix: str = "", after: str = "") -> Iterator[Upload]:
        if bucket != BUCKET:
            raise Gone
        for name in sorted(self.names()):
            listed = name.startswith(prefix) and name > after
            upload = self.look_up(bucket, name) if listed else None
            if upload:
                yield upload

    def read(self, upload: Upload, end: int | None = None, start: int = 0) -> bytes:
        try:
            with self._file(upload.bucket, upload.name).open("rb") as file:
                file.seek(start)
                data = file.read() if end is None else file.read(max(0, end - start))
                if _generation(os.fstat(file.fileno())) == upload.generation:
                    return data
        except OSError as error:
            if not missing(error):
                raise _unreadable(upload.name, error) from error
        raise Gone

    def label(self, upload: Upload, labels: Mapping[str, str | None]) -> None:
        try:
            live = _generation(self._file(upload.bucket, upload.name).stat())
        except OSError as error:
            raise (Gone() if missing(error) else _unreadable(upload.name, error)) from None
        if live != upload.generation:
            raise Gone
        with connected(self._path) as db:
            metageneration, metadata = _read_labels(db, upload.name, upload.generation)
            if metageneration != upload.metageneration:
                raise Stale
            merged: dict[str, str | None] = {**metadata, **labels}
            kept = {key: value for key, value in merged.items() if value is not None}
            row = (upload.name, upload.generation, metageneration + 1, json.dumps(kept))
            db.execute("insert or replace into labels values (?, ?, ?, ?)", row)

    def generation(self, name: str) -> int | None:
        """The generation of a file as it is now, unread; None if it is gone."""
        try:
            return _generation(self._file(BUCKET, name).stat())
        except (OSError, Gone):
            return None

    def carry_labels(self, before: str, generation: int, name: str) -> None:
        """Give a file that was renamed the labels that it had, as moving an object does; but not
        the generation that they describe, which is the same where a folder was renamed."""
        _, labels = self._labels(before, generation)
        labels.pop("caption-generation", None)
        upload = self.look_up(BUCKET, name) if labels else None
        if upload and not upload.metadata:
            self.label(upload, labels)

    def _labels(self, name: str, generation: int) -> tuple[int, dict[str, str]]:
        with connected(self._path) as db:
            return _read_labels(db, name, generation)

    def _file(self, bucket: str, name: str) -> Path:
        """The file of an object. Raises Gone for a name that leads out of the folder, for a hidden
        file, and for another way to write the name of one: a file has one."""
        path = (self._folder / name).resolve()
        inside = path.is_relative_to(self._folder) and path != self._folder
        if bucket != BUCKET or not inside or path.relative_to(self._folder).as_posix() != name:
            raise Gone
        if any(part.startswith(".") for part in name.split("/")):
            raise Gone
        return path


@functools.lru_cache(maxsize=1024)
def _digest(path: Path, _generation: int) -> bytes:
    """The MD5 of a file: of a large one, each generation is read once."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, _md5).digest()


def _md5() -> Any:
    return hashlib.md5(usedforsecurity=False)


def _generation(status: os.stat_result) -> int:
    return max(status.st_mtime_ns, status.st_ctime_ns)


def _read_labels(db: sqlite3.Connection, name: str, generation: int) -> tuple[int, dict[str, str]]:
    row = db.execute(
        "select metageneration, metadata from labels where name = ? and generation = ?",
        (name, generation),
    ).fetchone()
    return (row[0], json.loads(row[1])) if row else (1, {})

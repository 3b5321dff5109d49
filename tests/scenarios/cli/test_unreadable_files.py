"""A file that cannot be read is not gone, and its caption stays."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from functions.adapters.folder import BUCKET, FolderImages, database
from functions.adapters.sqlite import SqliteCaptions
from functions.cli import captions
from functions.core.document import document_id
from functions.core.errors import TransientError
from tests.support.pictures import jpeg

NAMES = ("a.jpg", "sub/b.jpg")
# CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH
READS_EVERYTHING = 1 << 1 | 1 << 2


def run(*arguments: str) -> Result:
    return CliRunner().invoke(captions, arguments)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With the words of a person for each picture."""
    monkeypatch.setenv("CAPTION_MODEL", "offline")
    (tmp_path / "sub").mkdir()
    for number, name in enumerate(NAMES):
        (tmp_path / name).write_bytes(jpeg(number))
        assert run("caption", name, "--local", str(tmp_path)).exit_code == 0
        assert run("edit", name, "--local", str(tmp_path), "--alt-text", name).exit_code == 0
    return tmp_path


@contextmanager
def unreadable(folder: Path) -> Iterator[None]:
    """Neither picture can be read, also by root."""
    (folder / "a.jpg").chmod(0)
    (folder / "sub").chmod(0)
    before = capable(without=READS_EVERYTHING) if os.geteuid() == 0 else None
    try:
        yield
    finally:
        if before is not None:
            capable(of=before)
        (folder / "sub").chmod(0o700)


def capable(without: int = 0, of: int | None = None) -> int:
    """Change what this thread, and those that it starts, may do; what it might do before
    (capget(2), Linux manual pages)."""
    libc = ctypes.CDLL(None)
    header, data = (ctypes.c_uint32 * 2)(0x20080522), (ctypes.c_uint32 * 6)()
    assert libc.capget(header, data) == 0
    before = data[0]
    data[0] = before & ~without if of is None else of
    assert libc.capset(header, data) == 0
    return int(before)


def words(folder: Path) -> list[str | None]:
    store = SqliteCaptions(database(folder))
    found = [store.read(document_id(BUCKET, name)) for name in NAMES]
    return [stored and stored.document.alt_text for stored in found]


@pytest.mark.parametrize("command", [("check", "--fix"), ("keep",), ("backfill", "--yes")])
def test_the_words_for_a_file_that_cannot_be_read_stay(
    command: tuple[str, ...], folder: Path
) -> None:
    with unreadable(folder):
        ran = run(*command, "--local", str(folder))

    assert "cannot be read: Permission denied" in ran.output or command == ("keep",)
    assert words(folder) == list(NAMES)


def test_whether_it_is_there_is_not_answered_with_no(folder: Path) -> None:
    images = FolderImages(folder)
    with unreadable(folder):
        upload = images.look_up(BUCKET, "a.jpg")
        assert upload
        with pytest.raises(TransientError, match="cannot be read: Permission denied"):
            images.read(upload)
        with pytest.raises(TransientError, match="cannot be read: Permission denied"):
            images.look_up(BUCKET, "sub/b.jpg")
        assert images.look_up(BUCKET, "none.jpg") is None

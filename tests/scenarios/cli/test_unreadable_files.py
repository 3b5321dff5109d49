"""A file that cannot be read is not gone, and its caption stays."""

from __future__ import annotations

import os
import shutil
import tempfile
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
NOBODY = 65534


def run(*arguments: str) -> Result:
    return CliRunner().invoke(captions, arguments)


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """With the words of a person for each picture."""
    made = Path(tempfile.mkdtemp(dir="/tmp"))
    monkeypatch.setenv("CAPTION_MODEL", "offline")
    (made / "sub").mkdir()
    for number, name in enumerate(NAMES):
        (made / name).write_bytes(jpeg(number))
        assert run("caption", name, "--local", str(made)).exit_code == 0
        assert run("edit", name, "--local", str(made), "--alt-text", name).exit_code == 0
    yield made
    shutil.rmtree(made)


@contextmanager
def unreadable(folder: Path) -> Iterator[None]:
    """Neither picture can be read; by nobody, since root reads everything."""
    user = os.geteuid()
    (folder / "a.jpg").chmod(0)
    (folder / "sub").chmod(0)
    try:
        if user == 0:
            for each in (folder, *folder.rglob("*")):
                os.chown(each, NOBODY, -1)
            os.seteuid(NOBODY)
        yield
    finally:
        os.seteuid(user)
        (folder / "sub").chmod(0o700)


def words(folder: Path) -> list[str | None]:
    store = SqliteCaptions(database(folder))
    found = [store.read(document_id(BUCKET, name)) for name in NAMES]
    return [stored and stored.document.alt_text for stored in found]


@pytest.mark.parametrize("command", [("check", "--fix"), ("keep",), ("backfill", "--yes")])
def test_the_words_for_a_file_that_cannot_be_read_stay(
    command: tuple[str, ...], folder: Path
) -> None:
    assert run(*command, "--local", str(folder)).exit_code == 0  # all is imported by then
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

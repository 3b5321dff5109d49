"""``captions serve``: text stays with its picture whatever people do to the files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.command_line import Serve, captions, serving
from tests.support.model_server import ModelServer
from tests.support.pictures import jpeg

HAND = "My red mug"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "pictures"
    made.mkdir()
    return made


@pytest.fixture
def serve(model_server: ModelServer) -> Callable[[Path], object]:
    @contextmanager
    def started(folder: Path) -> Iterator[Serve]:
        key = {"GEMINI_API_KEY": "k", "GOOGLE_GEMINI_BASE_URL": model_server.url}
        with serving(folder, **key) as running:
            running.url()
            yield running

    return started


def done(document: dict | None) -> bool:
    return bool(document and document["status"] == "captioned" and document["metadata_synced"])


def says(text: str) -> Callable[[dict | None], bool]:
    return lambda document: done(document) and document["alt_text"] == text


def gone(document: dict | None) -> bool:
    return document is None


def edit(folder: Path, name: str, text: str) -> None:
    run = captions("edit", name, "--alt-text", text, "--local", folder, where=folder)
    assert run.status == 0, run.err


@pytest.mark.parametrize(
    ("before", "after", "watched"),
    [
        ("a.jpg", "A.jpg", True),
        ("a.jpg", "sub/b.jpg", False),
        ("old/a.jpg", "new/a.jpg", True),
        ("old/a.jpg", "new/a.jpg", False),
    ],
)
def test_a_rename_takes_a_persons_text_along(
    folder: Path, serve: Callable, model_server: ModelServer, before: str, after: str, watched: bool
) -> None:
    for name in (before, after):
        (folder / name).parent.mkdir(exist_ok=True)
    (folder / before).write_bytes(jpeg())
    (folder / "other.jpg").write_bytes(jpeg(5))

    def rename() -> None:
        if before.startswith("old/"):
            (folder / after).parent.rmdir()
            (folder / "old").rename(folder / "new")
        else:
            (folder / before).rename(folder / after)

    with serve(folder) as running:
        running.until(before, done)
        running.until("other.jpg", done)
        edit(folder, before, HAND)
        if watched:
            rename()
            running.until(after, says(HAND))
            running.until(before, gone)
            running.wait(lambda: f"renamed    {before} -> {after}  {HAND}" in running.said)
            assert f"forgotten  {before}" not in running.said
        assert running.end() == 0
    if not watched:
        rename()
        with serve(folder) as running:
            running.until(after, says(HAND))
            running.until(before, gone)
    document = captions("get", after, "--local", folder, "--json", where=folder).records[0]
    assert (document["source"], document["review"]["needed"]) == ("human", False)
    assert model_server.count == 2


def test_copies_that_were_edited_apart_keep_their_own_text_in_a_renamed_folder(
    folder: Path, serve: Callable, model_server: ModelServer
) -> None:
    (folder / "old").mkdir()
    for name in ("a.jpg", "b.jpg"):
        (folder / "old" / name).write_bytes(jpeg())
    with serve(folder) as running:
        for name in ("a.jpg", "b.jpg"):
            running.until(f"old/{name}", done)
            edit(folder, f"old/{name}", f"Text of {name}")
        (folder / "old").rename(folder / "new")
        for name in ("a.jpg", "b.jpg"):
            running.until(f"new/{name}", says(f"Text of {name}"))
            running.until(f"old/{name}", gone)
    assert model_server.count == 1


@pytest.mark.parametrize(
    ("edited", "watched"), [(("a.jpg",), True), (("a.jpg", "b.jpg"), True), (("b.jpg",), False)]
)
def test_two_files_that_are_swapped_swap_their_text(
    folder: Path, serve: Callable, model_server: ModelServer, edited: tuple[str, ...], watched: bool
) -> None:
    def swap() -> None:
        (folder / "a.jpg").rename(folder / "c.jpg")
        (folder / "b.jpg").rename(folder / "a.jpg")
        (folder / "c.jpg").rename(folder / "b.jpg")

    for seed, name in enumerate(("a.jpg", "b.jpg")):
        (folder / name).write_bytes(jpeg(seed))
    with serve(folder) as running:
        text = {name: running.until(name, done)["alt_text"] for name in ("a.jpg", "b.jpg")}
        for name in edited:
            text[name] = f"Text of {name}"
            edit(folder, name, text[name])
        if watched:
            swap()
            running.until("a.jpg", says(text["b.jpg"]))
            running.until("b.jpg", says(text["a.jpg"]))
        assert running.end() == 0
    if not watched:
        swap()
        with serve(folder) as running:
            running.until("a.jpg", says(text["b.jpg"]))
            running.until("b.jpg", says(text["a.jpg"]))
    for name in ("a.jpg", "b.jpg"):
        document = captions("get", name, "--local", folder, "--json", where=folder).records[0]
        assert document["review"]["needed"] is False
    assert model_server.count == 2


@pytest.mark.parametrize("how", ["a new file over it", "a backup, then a new file"])
def test_an_editor_that_saves_by_rename_leaves_a_persons_text(
    folder: Path, serve: Callable, model_server: ModelServer, how: str
) -> None:
    (folder / "a.jpg").write_bytes(jpeg())
    with serve(folder) as running:
        first = running.until("a.jpg", done)
        edit(folder, "a.jpg", HAND)
        if how == "a new file over it":
            (folder / ".a.swp").write_bytes(jpeg(7))
            (folder / ".a.swp").replace(folder / "a.jpg")
        else:
            (folder / "a.jpg").rename(folder / "a.jpg~")
            running.wait(lambda: True)
            (folder / "a.jpg").write_bytes(jpeg(7))
            os.unlink(folder / "a.jpg~")
        document = running.until(
            "a.jpg",
            lambda each: done(each) and each["md5"] != first["md5"] and each.get("proposal"),
        )
        assert "forgotten" not in running.said
    assert (document["alt_text"], document["source"]) == (HAND, "human")
    assert document["review"]["reasons"] == ["image_changed"]

"""``captions edit``: a person's words, from a terminal."""

from __future__ import annotations

import os
import pty
import sys
from pathlib import Path

import pytest

from tests.support.answers import gemini
from tests.support.command_line import captions
from tests.support.pictures import jpeg
from tests.support.stack import Cloud, Embedded, Stack


@pytest.fixture
def mug(stack: Stack) -> Stack:
    """A captioned image, ``a.jpg``."""
    stack.model.answer(gemini.good(alt_text="A red mug", caption="A red mug stands there."))
    assert stack.deliver(stack.put("a.jpg", jpeg())) == 200
    return stack


def test_words_are_written_and_approved(mug: Stack, tmp_path: Path) -> None:
    run = captions(
        *("edit", f"gs://{mug.bucket}/a.jpg", "--alt-text", "A blue mug", "--approve", "--json"),
        where=tmp_path,
        USER="ana",
        LOGNAME="ana",
    )
    assert run.status == 0, run.err
    assert run.records[0]["alt_text"] == "A blue mug"
    document = mug.document("a.jpg")
    assert document
    assert (document["source"], document["review"]["approved_by"]) == ("human", "ana")
    assert document["caption"] == "A red mug stands there."
    assert mug.metadata("a.jpg")["alt-text"] == "A blue mug"


def test_a_proposal_is_accepted(embedded: Embedded, tmp_path: Path) -> None:
    embedded.deliver(embedded.put("a.jpg", jpeg()))
    captions("edit", "a.jpg", "--alt-text", "My mug", where=tmp_path)
    embedded.model.answer(gemini.good(alt_text="A green mug"))
    embedded.deliver(embedded.put("a.jpg", jpeg(2)))

    run = captions("edit", "a.jpg", "--accept", where=tmp_path)
    assert (run.status, run.out.strip()) == (0, "A green mug")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["a.jpg", "--alt-text", ""], 1, "mark the image as decorative"),
        (["a.jpg", "--accept"], 1, "there is no proposal"),
        (["a.jpg", "--alt-text", "x", "--decorative"], 1, "leave it empty"),
        (["b.jpg", "--approve"], 1, "gs://local/b.jpg: there is no such caption"),
        (["a.jpg"], 2, "say what to change"),
    ],
)
def test_what_cannot_be_is_said_with_what_would_do(
    arguments: list[str], status: int, said: str, embedded: Embedded, tmp_path: Path
) -> None:
    embedded.deliver(embedded.put("a.jpg", jpeg()))
    run = captions("edit", *arguments, where=tmp_path)
    assert (run.status, said in run.err) == (status, True), run.err
    assert "Traceback" not in run.err


def test_metadata_that_cannot_be_written_is_said(cloud: Cloud, tmp_path: Path) -> None:
    cloud.deliver(cloud.put("a.jpg", jpeg()))
    cloud.storage.fail("PATCH", "a.jpg", 403)
    run = captions("edit", "gs://pictures/a.jpg", "--alt-text", "My mug", where=tmp_path)
    assert (run.status, run.out.strip()) == (0, "My mug")
    assert "metadata is not written yet" in run.err


def edited(where: Path, editor: str) -> tuple[int, str]:
    """``captions edit a.jpg`` in a terminal, with a shell command as the editor."""
    script = where / "editor.sh"
    script.write_text(f"#!/bin/sh\n{editor}\n")
    script.chmod(0o755)
    terminal, side = pty.openpty()
    try:
        run = captions("edit", "a.jpg", where=where, given=side, VISUAL=str(script))
    finally:
        os.close(terminal)
        os.close(side)
    return run.status, run.out + run.err


def test_an_editor_opens_with_the_words_and_its_words_are_kept(
    embedded: Embedded, tmp_path: Path
) -> None:
    embedded.model.answer(gemini.good(alt_text="A red mug", caption="It stands on a white table."))
    embedded.deliver(embedded.put("a.jpg", jpeg()))
    assert edited(tmp_path, ":") == (1, "Error: nothing was changed\n")

    status, said = edited(tmp_path, "sed -i 's/red/blue/; s/It stands/It lies/' \"$1\"")
    assert (status, said) == (0, "A blue mug\n")
    document = embedded.document("a.jpg")
    assert document
    assert (document["alt_text"], document["caption"]) == (
        "A blue mug",
        "It lies on a white table.",
    )

    assert edited(tmp_path, 'sed -i 1d "$1"')[0] == 0
    document = embedded.document("a.jpg")
    assert document
    assert (document["alt_text"], document["decorative"]) == ("", True)
    assert document["caption"] == "It lies on a white table."


def test_words_that_come_too_late_are_not_lost(embedded: Embedded, tmp_path: Path) -> None:
    embedded.deliver(embedded.put("a.jpg", jpeg()))
    meanwhile = f"{sys.executable} -m functions.cli edit a.jpg --alt-text Theirs >&2"
    status, said = edited(tmp_path, f'{meanwhile} </dev/null\necho "Mine" > "$1"')

    assert status == 1
    assert "somebody has changed this caption" in said
    assert said.rstrip().endswith("Mine")
    document = embedded.document("a.jpg")
    assert document
    assert document["alt_text"] == "Theirs"

"""``captions history`` and ``captions restore``."""

from __future__ import annotations

from pathlib import Path

import pytest

from functions import composition
from functions.core.document import document_id
from functions.usecases.edit_caption import Change
from tests.support.answers import gemini
from tests.support.command_line import captions
from tests.support.pictures import jpeg
from tests.support.stack import Embedded, Stack


def edit(stack: Stack, name: str, **fields: str | bool) -> None:
    read = composition.settings()
    editing = composition.editing(read, composition.store(read))
    editing.edit(document_id(stack.bucket, name), Change(**fields), "ana@example.com")  # type: ignore[arg-type]


def alt_text(stack: Stack, name: str = "a.jpg") -> str:
    document = stack.document(name)
    assert document
    return str(document["alt_text"])


@pytest.fixture
def edited(embedded: Embedded) -> Embedded:
    embedded.model.answer(gemini.good(alt_text="A red mug"))
    embedded.deliver(embedded.put("a.jpg", jpeg()))
    edit(embedded, "a.jpg", alt_text="My mug")
    edit(embedded, "a.jpg", alt_text="My chipped mug")
    return embedded


def test_the_history_tells_who_wrote_what_when_and_from_which_source(
    edited: Embedded, tmp_path: Path
) -> None:
    found = captions("history", "a.jpg", "--json", where=tmp_path).records

    assert [(each["number"], each["alt_text"], each["source"], each["by"]) for each in found] == [
        (1, "A red mug", "model", "gemini:gemini-3.5-flash-lite"),
        (2, "My mug", "human", "ana@example.com"),
        (3, "My chipped mug", "human", "ana@example.com"),
    ]
    assert [each["at"] for each in found] == sorted(each["at"] for each in found)
    table = captions("history", "a.jpg", where=tmp_path).out
    assert "My mug" in table
    assert "ana@example.com" in table


def test_text_is_restored_and_what_stood_there_stays_in_the_history(
    edited: Embedded, tmp_path: Path
) -> None:
    assert captions("restore", "a.jpg", where=tmp_path).out.strip() == "My mug"
    assert edited.metadata("a.jpg")["alt-text"] == "My mug"
    assert captions("restore", "a.jpg", "--to", "1", where=tmp_path).out.strip() == "A red mug"

    document = edited.document("a.jpg")
    assert document
    assert document["source"] == "model"
    assert document["review"]["approved_by"]
    edited.request(name="a.jpg", force=True)
    assert alt_text(edited) == "A red mug"
    said = [
        each["alt_text"] for each in captions("history", "a.jpg", "--json", where=tmp_path).records
    ]
    assert said == ["A red mug", "My mug", "My chipped mug", "My mug", "A red mug"]


def test_there_is_nothing_to_restore_before_the_first_change(
    embedded: Embedded, tmp_path: Path
) -> None:
    embedded.deliver(embedded.put("a.jpg", jpeg()))
    run = captions("restore", "a.jpg", where=tmp_path)
    assert (run.status, "no earlier text" in run.err) == (1, True)
    run = captions("restore", "a.jpg", "--to", "7", where=tmp_path)
    assert "has a history of 1" in run.err
    assert captions("history", "b.jpg", where=tmp_path).status == 1


def test_nothing_that_a_person_wrote_is_beyond_recall(edited: Embedded) -> None:
    for number in range(64):  # twice as many as fit into a record, and some
        edit(edited, "a.jpg", alt_text=f"Mug number {number} {'x' * 900}", caption="y" * 4000)

    read = composition.settings()
    store = composition.store(read)
    texts = composition.editing(read, store).history(document_id("local", "a.jpg"))
    said = [each.alt_text.partition(" x")[0] for each in texts if each.source == "human"]
    assert said == ["My mug", "My chipped mug", *(f"Mug number {number}" for number in range(64))]
    assert len(store.read_record("history", document_id("local", "a.jpg")).text) < 600_000


def test_the_history_goes_along_with_a_move(edited: Embedded, tmp_path: Path) -> None:
    arrived = edited.copy("a.jpg", "b.jpg")
    edited.forget(edited.remove("a.jpg"))
    edited.deliver(arrived)

    assert captions("restore", "b.jpg", where=tmp_path).out.strip() == "My mug"


def test_a_models_text_that_another_one_replaces_is_kept(
    embedded: Embedded, tmp_path: Path
) -> None:
    embedded.deliver(embedded.put("a.jpg", jpeg()))
    first = alt_text(embedded)
    embedded.model.answer(gemini.good(alt_text="A mug, made anew"))
    embedded.request(name="a.jpg", force=True)

    found = captions("history", "a.jpg", "--json", where=tmp_path).records
    assert [each["alt_text"] for each in found] == [first, "A mug, made anew"]

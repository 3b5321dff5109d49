"""What Firebase's extensions wrote, taken over: which documents say what, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from functions.adapters.folder import BUCKET, FolderImages, database
from functions.adapters.sqlite import SqliteCaptions
from functions.core.document import Source, Status, document_id
from functions.usecases.take_over import Fields, TakenOver, Theirs, read, take_over
from tests.support.pictures import jpeg

NOW = datetime(2026, 11, 26, tzinfo=UTC)
URI = f"gs://{BUCKET}/a/mug.jpg"


class Here:
    """A folder with one image, and its captions."""

    def __init__(self, folder: Path) -> None:
        (folder / "a").mkdir()
        (folder / "a" / "mug.jpg").write_bytes(jpeg())
        self.images, self.captions = FolderImages(folder), SqliteCaptions(database(folder))

    def take(self, *records: Mapping[str, Any], dry_run: bool = False) -> list[TakenOver]:
        fields = Fields()
        return list(take_over(records, fields, self.captions, self.images, NOW, dry_run=dry_run))

    def document(self) -> Any:
        stored = self.captions.read(document_id(BUCKET, "a/mug.jpg"))
        return stored and stored.document


@pytest.fixture
def here(tmp_path: Path) -> Here:
    return Here(tmp_path)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"file": "gs://b/a.jpg", "labels": ["Dog", "dog", "Pet"]}, ("", ("dog", "pet"))),
        (
            {"file": "gs://b/a.jpg", "labels": [{"description": "Dog", "score": 0.9}, 7, None]},
            ("", ("dog",)),
        ),
        ({"image": "gs://b/a.jpg", "output": " A\ndog. "}, ("A dog.", ())),
        (
            {"image": "gs://b/a.jpg", "output": "A dog.", "status": {"state": "COMPLETED"}},
            ("A dog.", ()),
        ),
        ({"image": "gs://b/a.jpg", "output": "…", "status": {"state": "ERRORED"}}, ("", ())),
        ({"image": "gs://b/a.jpg", "output": ["no text"], "labels": "none"}, ("", ())),
    ],
)
def test_both_extensions_are_read(record: dict[str, Any], said: tuple[str, Any]) -> None:
    assert read(record, Fields()) == Theirs("b", "a.jpg", *said)


@pytest.mark.parametrize(
    "record",
    [{}, {"file": 7}, {"file": "https://x/y"}, {"file": "gs://b"}, {"file": "gs://b/"}],
)
def test_a_document_that_names_no_image_is_told_with_its_reason(record: dict[str, Any]) -> None:
    assert isinstance(read(record, Fields()), str)


def test_a_text_becomes_a_caption_that_a_person_looks_at(here: Here) -> None:
    record = {"image": URI, "output": "A mug on a table.", "labels": ["Mug"]}
    [done] = here.take(record)
    assert (done.done, done.alt_text) == ("captioned", "A mug on a table.")
    document = here.document()
    assert (document.status, document.source) == (Status.CAPTIONED, Source.MODEL)
    assert (document.tags, document.review.reasons) == (("mug",), ("imported",))
    assert document.review.needed
    assert "table" in document.search_terms
    assert not document.metadata_synced, "keep and check write the object's labels"


def test_a_caption_that_is_here_keeps_its_text_and_gains_tags(here: Here) -> None:
    here.take({"image": URI, "output": "The first."})
    [tagged] = here.take({"file": URI, "output": "Another.", "labels": ["Mug"]})
    assert tagged.done == "tagged"
    assert (here.document().alt_text, here.document().tags) == ("The first.", ("mug",))
    before = here.document()
    assert [each.done for each in here.take({"file": URI, "labels": ["Mug"]})] == ["unchanged"]
    assert here.document() == before


def test_two_documents_of_one_image_are_one_caption(here: Here) -> None:
    done = here.take({"image": URI, "output": "A mug."}, {"file": URI, "labels": ["Mug"]})
    assert [each.done for each in done] == ["captioned", "tagged"]


def test_what_has_no_text_or_no_image_is_left_with_its_reason(here: Here) -> None:
    done = here.take({"file": URI, "labels": ["Mug"]}, {"image": f"gs://{BUCKET}/gone.jpg"}, {})
    assert [each.done for each in done] == ["left"] * 3
    whys = " | ".join(each.why for each in done)
    assert all(part in whys for part in ("backfill", "no such image", "no gs:// address"))
    assert here.document() is None


def test_a_dry_run_tells_and_writes_nothing(here: Here) -> None:
    [told] = here.take({"image": URI, "output": "A mug."}, dry_run=True)
    assert (told.done, here.document()) == ("captioned", None)


def test_a_long_text_is_the_caption_and_its_first_sentences_the_alt_text(here: Here) -> None:
    here.take({"image": URI, "output": "A mug on a table. " * 40})
    document = here.document()
    assert len(document.alt_text) <= 250
    assert document.alt_text.endswith("table.")
    assert len(document.caption) > 250

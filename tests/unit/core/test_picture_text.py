"""What copies of a picture take over, by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.core.document import IMAGE_CHANGED, Document, Lease, Review, Source
from functions.core.document_records import as_json, from_json, to_record
from functions.core.picture_text import (
    KEPT_FOR,
    PictureText,
    from_text,
    question,
    to_text,
)
from tests.support.documents import plain_document

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def document(name: str, alt_text: str, **changes: object) -> Document:
    plain = plain_document(
        name,
        at=NOW,
        bucket="b",
        captioned_at=NOW,
        source=Source.MODEL,
        model="m",
        prompt="p",
        alt_text=alt_text,
        embedding=(0.25, 0.5),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def written(name: str, alt_text: str, hours: int = 0, **changes: object) -> Document:
    at = NOW + hours * HOUR
    return document(name, alt_text, source=Source.HUMAN, edited_at=at, **changes)


def told(text: PictureText, label: str = "") -> str:
    found = text.persons(label)
    return found.document.alt_text if found else ""


def test_of_several_the_latest_by_a_person() -> None:
    text = PictureText().with_text(written("a", "Second", 2)).with_text(written("b", "First", 1))
    assert told(text.with_text(document("c", "Third"))) == "Second"


def test_a_label_says_which_and_may_be_shortened() -> None:
    text = (
        PictureText()
        .with_text(written("a", "Red mug on a table"))
        .with_text(written("b", "Blue mug", 1))
    )
    assert told(text, "Red mug on a table") == "Red mug on a table"
    assert told(text, "Red mug…") == "Red mug on a table"
    assert told(text, "Somebody else's") == "Blue mug"


def test_what_was_written_for_another_picture_comes_last() -> None:
    outdated = written("a", "Old", 5, review=Review(True, (IMAGE_CHANGED,)))
    text = PictureText().with_text(outdated)
    assert told(text) == ""
    assert text.outdated()
    assert told(text.with_text(written("b", "For it"))) == "For it"


def test_a_models_text_is_found_by_model_and_prompt_and_time() -> None:
    text = PictureText().with_text(document("a", "A mug"))
    assert text.models("m", "p")
    assert text.models("m", "p", since=NOW)
    assert not text.models("m", "other")
    assert not text.models("m", "p", since=NOW + HOUR)


def test_a_copy_writes_nothing() -> None:
    text = PictureText().with_text(written("a", "Mine"))
    assert text.with_text(written("b", "Mine")) is not None
    assert text.with_text(written("b", "Mine")) == text


def test_an_approval_of_what_copies_have_is_a_persons_text() -> None:
    text = PictureText().with_text(document("a", "A mug"))
    approved = document("b", "A mug", review=Review(approved_by="ana"), edited_at=NOW)
    assert told(text.with_text(approved)) == "A mug"


def test_a_persons_second_thought_takes_the_place_of_the_first() -> None:
    text = PictureText().with_text(written("a", "First")).with_text(written("a", "Second", 1))
    assert [each.document.alt_text for each in text.texts] == ["Second"]


def test_what_is_gone_expires_unless_another_document_has_it() -> None:
    until = NOW + KEPT_FOR
    a, b = written("a", "Mine"), written("b", "Mine")
    alone = PictureText().with_text(a).without(a, until)
    assert alone.expires_at == until
    assert told(alone.at(until - HOUR)) == "Mine"
    assert told(alone.at(until)) == ""
    taken_over = alone.with_text(b)
    assert (taken_over.expires_at, told(taken_over.at(until))) == (None, "Mine")


def test_it_is_bounded_however_many_there_are() -> None:
    text = PictureText()
    for number in range(200):
        text = text.with_text(written(f"{number}", f"Text {number}", number))
        text = text.with_text(document(f"m{number}", "x", prompt=f"p{number}"))
    assert told(text) == "Text 199"
    assert len(text.texts) == 12


def test_claims_to_ask_end_with_their_time_and_with_their_document() -> None:
    key = question("m", "p")
    text = PictureText().with_lease(key, "a", NOW + HOUR, NOW)
    assert text.leases[key].document_id == "a"
    assert text.without_leases_of("a").leases == {}
    later = text.with_lease("other", "b", NOW + 3 * HOUR, NOW + 2 * HOUR)
    assert list(later.leases) == ["other"]


def test_it_comes_back_as_it_was_stored() -> None:
    whole = written(
        "a",
        "Ein Becher ☕",
        tags=("a",),
        lease=Lease("x", NOW),
        translations={"fr": {"alt_text": "Une tasse", "source": "human"}},
    )
    text = PictureText().with_text(whole).without(whole, NOW).with_lease("k", "d", NOW + HOUR, NOW)
    back = from_text(to_text(text))
    assert back == text
    assert back.texts[0].document.lease is None
    assert from_text("") == PictureText()


def test_an_embedding_comes_back_to_the_last_bit() -> None:
    numbers = tuple(1 / (each + 3) for each in range(768))
    text = PictureText().with_text(document("a", "A cup", embedding=numbers))
    stored = to_text(text)
    assert from_text(stored) == text
    assert len(stored) < 10_000


def test_an_embedding_in_digits_is_read_as_earlier_versions_wrote_it() -> None:
    text = PictureText().with_text(document("a", "A cup", embedding=(0.6, 0.8)))
    record = {"document": to_record(text.texts[0].document), "expires_at": None}
    assert from_text(as_json({"known": [record], "asking": {}})) == text


@pytest.mark.parametrize("damaged", ["?", "AAAA", "é", 7])
def test_a_damaged_embedding_costs_no_text(damaged: Any) -> None:
    stored = to_text(PictureText().with_text(document("a", "A cup", embedding=(0.6, 0.8))))
    record = from_json(stored)
    record["known"][0]["document"]["embedding_bytes"] = damaged
    (saved,) = from_text(as_json(record)).texts
    assert (saved.document.alt_text, saved.document.embedding) == ("A cup", None)


@pytest.mark.parametrize("source", list(Source))
def test_a_source_alone_says_whose_text_it_is(source: Source) -> None:
    by_person = document("a", "x", source=source).by_person
    assert by_person is (source in (Source.HUMAN, Source.UPLOADER))

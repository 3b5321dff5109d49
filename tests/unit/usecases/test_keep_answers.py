"""Answers that were paid for, among those who ask and those who delete."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from functions.adapters.sqlite import SqliteCaptions
from functions.core.errors import Gone
from functions.core.question import LONGEST_ANSWER, ImageAnswer
from functions.usecases import keep_answers

LEASE = timedelta(seconds=60)
MUG = ImageAnswer("A mug.", True, "en", "gemini:m")


@pytest.fixture
def store(tmp_path: Path) -> SqliteCaptions:
    return SqliteCaptions(tmp_path / "captions.db")


def claimed(store: SqliteCaptions, key: str, generation: int = 1) -> bool:
    kept = keep_answers.read(store, "image", generation)
    return not kept.is_leased(key) and keep_answers.claim(store, kept, key, LEASE)


def test_one_of_those_who_read_the_same_asks(store: SqliteCaptions) -> None:
    one, other = (keep_answers.read(store, "image", 1) for _ in range(2))
    assert keep_answers.claim(store, one, "what", LEASE)
    assert not keep_answers.claim(store, other, "what", LEASE)
    assert keep_answers.read(store, "image", 1).is_leased("what")


def test_another_one_may_ask_when_the_first_gives_way_or_its_lease_is_over(
    store: SqliteCaptions,
) -> None:
    assert claimed(store, "what")
    assert not claimed(store, "what")
    keep_answers.give_way(store, "image", 1, "what")
    kept = keep_answers.read(store, "image", 1)
    assert keep_answers.claim(store, kept, "what", timedelta(seconds=-1))
    assert claimed(store, "what")


def test_an_answer_is_kept_beside_others_and_marked_as_such(store: SqliteCaptions) -> None:
    assert claimed(store, "what")
    assert claimed(store, "where")
    keep_answers.keep(store, "image", 1, "what", MUG)
    kept = keep_answers.read(store, "image", 1)
    assert kept.answer("what") == ImageAnswer("A mug.", True, "en", "gemini:m", cached=True)
    assert kept.is_leased("where")
    assert not kept.is_leased("what")


def test_an_answer_that_comes_after_the_deletion_is_not_kept(store: SqliteCaptions) -> None:
    assert claimed(store, "what")
    keep_answers.forget(store, "image")
    keep_answers.keep(store, "image", 1, "what", MUG)
    assert keep_answers.read(store, "image", 1).answers == {}


def test_an_older_generations_answers_neither_serve_nor_go_in_the_newer_ones_place(
    store: SqliteCaptions,
) -> None:
    assert claimed(store, "what", 1)
    keep_answers.keep(store, "image", 1, "what", MUG)
    assert keep_answers.read(store, "image", 2).answer("what") is None
    assert claimed(store, "what", 2)
    keep_answers.keep(store, "image", 1, "what", MUG)
    assert keep_answers.read(store, "image", 2).answer("what") is None
    with pytest.raises(Gone):
        keep_answers.read(store, "image", 1)
    keep_answers.forget(store, "image", 1)
    assert keep_answers.read(store, "image", 2).is_leased("what")


def test_a_record_has_a_bound_and_the_oldest_answer_goes_first(store: SqliteCaptions) -> None:
    long = ImageAnswer("\U0001f600" * LONGEST_ANSWER, True, "en", "gemini:m")
    for number in range(70):
        assert claimed(store, str(number))
        keep_answers.keep(store, "image", 1, str(number), long)
    record = store.read_record(keep_answers.KIND, "image")
    assert len(record.text.encode()) <= 500_000
    kept = keep_answers.read(store, "image", 1)
    assert kept.answer("69")
    assert kept.answer("0") is None

"""What an instance remembers of the documents it was asked for."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from functions.core.document import Document
from functions.core.errors import TransientError
from functions.http.cache import ABSENT_SECONDS, SECONDS, DocumentCache
from tests.support.documents import plain_document

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def document(name: str, words: str = "words") -> Document:
    return plain_document(name, at=NOW, alt_text=words)


@dataclass
class Source:
    """Documents whose name is not 'gone'; keeps a record of what was asked, and the time."""

    asked: list[list[str]] = field(default_factory=list)
    time: float = 0.0
    words: str = "words"

    def load(self, keys: Iterable[str]) -> Mapping[str, Document]:
        self.asked.append(list(keys))
        return {key: document(key, self.words) for key in self.asked[-1] if key != "gone"}

    def clock(self) -> float:
        return self.time


def test_what_was_read_is_kept_for_its_time() -> None:
    source = Source()
    memory = DocumentCache(source.load, clock=source.clock)
    for time in (0.0, SECONDS - 1, SECONDS + 1):
        source.time = time
        assert memory.read(["a"]) == {"a": document("a")}
    assert source.asked == [["a"], ["a"]]


def test_absence_is_kept_for_less() -> None:
    source = Source()
    memory = DocumentCache(source.load, clock=source.clock)
    for time in (0.0, ABSENT_SECONDS - 1, ABSENT_SECONDS + 1):
        source.time = time
        assert memory.read(["gone"]) == {"gone": None}
    assert source.asked == [["gone"], ["gone"]]


def test_nothing_is_kept_where_that_is_wished() -> None:
    source = Source()
    memory = DocumentCache(source.load, 0, source.clock)
    for _ in range(2):
        assert memory.read(["a", "gone"]) == {"a": document("a"), "gone": None}
    assert source.asked == [["a", "gone"]] * 2


def test_a_batch_asks_once_for_what_is_not_known() -> None:
    source = Source()
    memory = DocumentCache(source.load, clock=source.clock)
    memory.read(["a"])
    assert list(memory.read(["b", "a", "b", "gone"])) == ["a", "b", "gone"]
    assert source.asked == [["a"], ["b", "gone"]]


def test_the_longest_unused_goes_first() -> None:
    source = Source()
    memory = DocumentCache(source.load, clock=source.clock, most_entries=2)
    for key in ("a", "b", "a", "c", "a", "b"):
        memory.read([key])
    assert source.asked == [["a"], ["b"], ["c"], ["b"]]


def test_names_that_are_not_there_drive_no_document_out() -> None:
    source = Source()
    memory = DocumentCache(source.load, clock=source.clock, most_entries=2)
    for _ in range(9):
        memory.read(["a", "gone"])
        source.time += ABSENT_SECONDS
    assert source.asked == [["a", "gone"], *[["gone"]] * 8]
    crowd = DocumentCache(lambda keys: {"a": document("a")}, clock=source.clock, most_entries=2)
    crowd.read(["a"])
    for number in range(9):
        crowd.read([f"gone {number}"])
    assert crowd.kept("a")


def test_what_is_known_lasts_as_long_as_the_first_of_it_that_goes() -> None:
    source = Source()
    memory = DocumentCache(source.load, clock=source.clock)
    memory.read(["a", "gone"])
    assert memory.until(["a"]) == SECONDS
    assert memory.until(["gone", "a"]) == ABSENT_SECONDS
    assert memory.until(["a", "never asked for"]) == memory.until([]) == 0


def test_long_words_count_by_their_bytes() -> None:
    source = Source(words="ü" * 10_000)
    memory = DocumentCache(source.load, clock=source.clock, most_bytes=100_000)
    for key in ("a", "b", "c", "a"):
        memory.read([key])
    assert source.asked == [["a"], ["b"], ["c"], ["a"]]


def test_what_was_replaced_is_not_counted_twice() -> None:
    source = Source()
    memory = DocumentCache(source.load, clock=source.clock, most_bytes=6_000)
    for time in range(50):
        source.time = time * (SECONDS + 1)
        memory.read(["a"])
    memory.read(["b"])
    memory.read(["a"])
    assert len(source.asked) == 51


def test_many_who_ask_at_once_are_one_read() -> None:
    arrived, go_on = threading.Event(), threading.Event()
    asked: list[list[str]] = []

    def load(keys: Iterable[str]) -> Mapping[str, Document]:
        asked.append(list(keys))
        arrived.set()
        assert go_on.wait(60)
        return {key: document(key) for key in asked[-1]}

    memory = DocumentCache(load)
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(memory.read, ["a"])
        assert arrived.wait(60)
        others = [pool.submit(memory.read, ["a"]) for _ in range(8)]
        go_on.set()
        assert all(each.result(10) == {"a": document("a")} for each in (first, *others))
    assert asked == [["a"]]


def test_a_failure_is_told_to_all_who_wait_and_not_kept() -> None:
    arrived, go_on = threading.Event(), threading.Event()
    failing = True

    def load(keys: Iterable[str]) -> Mapping[str, Document]:
        arrived.set()
        assert go_on.wait(60)
        if failing:
            raise TransientError("down")
        return {key: document(key) for key in keys}

    memory = DocumentCache(load)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(memory.read, ["a"])
        assert arrived.wait(60)
        second = pool.submit(memory.read, ["a", "b"])
        go_on.set()
        for each in (first, second):
            with pytest.raises(TransientError):
                each.result(10)
    failing = False
    assert memory.read(["a"]) == {"a": document("a")}

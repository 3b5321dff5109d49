"""A file that is read in ranges: the right bytes, few of them, and never more than allowed."""

from __future__ import annotations

import io
import random

import pytest

from functions.pictures.decoding.ranges import Ranges, Remote

DATA = random.Random(1).randbytes(5 << 20)


class Read(list[tuple[int, int]]):
    """Which ranges of DATA were fetched."""

    def fetch(self, start: int, end: int) -> bytes:
        self.append((start, end))
        return DATA[start:end]

    @property
    def bytes(self) -> int:
        return sum(end - start for start, end in self)


def test_what_is_read_is_what_is_there() -> None:
    there, ranges = io.BytesIO(DATA), Ranges(len(DATA), Read().fetch)
    choice = random.Random(2)
    for _ in range(300):
        at, size = choice.randrange(len(DATA) + 9), choice.randrange(60_000)
        there.seek(at)
        assert ranges.exactly(at, size) == there.read(size)
    ranges.seek(-10, io.SEEK_END)
    assert ranges.read() == DATA[-10:]
    assert ranges.read() == b""


def test_a_place_costs_its_surroundings_and_not_the_file() -> None:
    read = Read()
    ranges = Ranges(len(DATA), read.fetch)
    ranges.exactly(3_000_000, 10)
    ranges.exactly(3_000_100, 10)
    assert len(read) == 1
    assert read.bytes <= 128 << 10


def test_reading_on_takes_larger_steps() -> None:
    read = Read()
    Ranges(len(DATA), read.fetch).exactly(0, len(DATA))
    assert read.bytes == len(DATA)
    assert len(read) < 9


def test_what_was_read_is_forgotten_when_it_is_much() -> None:
    ranges = Ranges(1 << 40, lambda start, end: bytes(end - start))
    for at in range(0, 60 << 20, 1 << 20):
        ranges.exactly(at, 1 << 20)
    assert ranges._held <= 18 << 20


def test_a_file_that_is_shorter_than_it_says_is_an_error_and_no_endless_loop() -> None:
    ranges = Ranges(100, lambda _start, _end: b"12345")
    assert ranges.exactly(0, 5) == b"12345"
    with pytest.raises(OSError, match="ends before"):
        ranges.exactly(50, 1)


def test_a_place_before_the_file_is_an_error() -> None:
    with pytest.raises(OSError, match="before"):
        Ranges(10, Read().fetch).seek(-1)


@pytest.mark.parametrize(
    ("start", "end"),
    [(-1, 5), (5, 5), (6, 5), (0, 5 << 20 | 1), (0, 3 << 20), ("0", 5), (0.0, 5), (True, 5)],
)
def test_a_decoder_gets_no_range_that_it_has_no_use_for(start: object, end: object) -> None:
    read = Read()
    assert Remote(len(DATA), read.fetch, 1 << 30).serve(start, end) is None
    assert not read


def test_no_more_is_served_than_allowed() -> None:
    read = Read()
    remote = Remote(len(DATA), read.fetch, most_bytes=1 << 20)
    assert remote.serve(0, 1 << 19)
    assert remote.serve(0, 1 << 19)
    assert remote.serve(0, 1) is None
    assert read.bytes == remote.read == 1 << 20

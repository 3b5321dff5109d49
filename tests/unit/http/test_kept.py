"""How an instance remembers: until its time, and within bounds."""

from __future__ import annotations

from functions.http.kept import Kept


class Clock:
    time = 0.0

    def __call__(self) -> float:
        return self.time


def test_a_value_is_found_until_its_time_and_takes_no_room_after_it() -> None:
    clock = Clock()
    kept = Kept[str, str](9, 100, clock)
    kept.keep("a", "one", 100, until=5)
    assert (entry := kept.find("a"))
    assert (entry.value, entry.until) == ("one", 5)

    clock.time = 5
    assert kept.find("a") is None
    kept.keep("b", "two", 100, until=9)
    assert kept.find("b")


def test_what_is_over_already_is_not_kept_and_takes_the_place_of_nothing_older() -> None:
    kept = Kept[str, str](9, 100, Clock())
    kept.keep("a", "one", 10, until=5)
    kept.keep("a", "two", 10, until=0)
    assert kept.find("a") is None


def test_the_longest_unused_goes_by_number_and_by_bytes() -> None:
    for most_entries, most_bytes in ((2, 100), (9, 25)):
        kept = Kept[str, int](most_entries, most_bytes, Clock())
        for number, key in enumerate("ab"):
            kept.keep(key, number, 10, until=1)
        kept.find("a")
        kept.keep("c", 2, 10, until=1)
        assert [key for key in "abc" if kept.find(key)] == ["a", "c"]


def test_a_value_that_is_replaced_or_dropped_gives_its_bytes_back() -> None:
    kept = Kept[str, int](9, 25, Clock())
    for number in range(9):
        kept.keep("a", number, 10, until=1)
    kept.drop("a")
    kept.drop("a")
    for key in "bc":
        kept.keep(key, 0, 10, until=1)
    assert [key for key in "abc" if kept.find(key)] == ["b", "c"]

"""What every CaptionStore answers to a query: SQLite and Firestore alike."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.adapters import sqlite
from functions.core.document import Document, Query, Review
from functions.core.ports import CaptionStore
from functions.core.review_priority import SEVERITY, review_priority
from tests.support.documents import plain_document
from tests.support.earlier_version import without_priority

NOW = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
HOUR = timedelta(hours=1)


def document(name: str = "a.jpg", **changes: Any) -> Document:
    plain = plain_document(name, at=NOW, bucket="pictures")
    return replace(plain, **changes)


def add(store: CaptionStore, *documents: Document) -> None:
    for each in documents:
        assert store.create(each)


def names(store: CaptionStore, query: Query) -> list[str]:
    return [each.document.name for each in store.find(query).found]


def walked(store: CaptionStore, query: Query) -> list[list[str]]:
    """The names on each page."""
    pages = []
    while True:
        page = store.find(query)
        pages.append([each.document.name for each in page.found])
        if not page.cursor:
            return pages
        query = replace(query, cursor=page.cursor)


# What a filter keeps, as it is asked for and as a document has it, and a document without it.
FILTERS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "status": ({"status": "captioned"}, {}, {"status": "failed"}),
    "bucket": ({"bucket": "pictures"}, {}, {"bucket": "others"}),
    "language": ({"language": "de"}, {"language": "de"}, {"language": "en"}),
    "source": ({"source": "human"}, {"source": "human"}, {"source": "model"}),
    "tag": ({"tag": "mug"}, {"tags": ("kettle", "mug")}, {"tags": ("mugs",)}),
    "words": (
        {"words": ("blue", "red")},
        {"search_terms": ("a", "red", "mug")},
        {"search_terms": ("green",)},
    ),
    "review": (
        {"review": True},
        {"review": Review(True, ("x",))},
        {"review": Review(False, ("x",))},
    ),
    "reason": ({"reason": "x"}, {"review": Review(True, ("x",))}, {"review": Review(True, ("y",))}),
    "since": ({"since": NOW}, {}, {"updated_at": NOW - HOUR}),
    "until": ({"until": NOW + HOUR}, {}, {"updated_at": NOW + HOUR}),
    "prefix": ({"prefix": "shop/"}, {"name": "shop/a.jpg"}, {"name": "shopping/a.jpg"}),
}
COMBINATIONS = [
    *itertools.chain(*(itertools.combinations(FILTERS, count) for count in (1, 2))),
    tuple(FILTERS),
]


@pytest.fixture(params=["few", "many"])
def many(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many documents SQLite takes for many: it then looks for a page otherwise."""
    if request.param == "many":
        monkeypatch.setattr(sqlite, "_MANY", 1)


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", ["tag", "words", "reason"])
def test_a_list_is_searched_alike_by_a_sort_and_by_a_walk(store: CaptionStore, name: str) -> None:
    asked, has, lacks = FILTERS[name]
    for number in range(9):
        values = has if number % 2 else lacks
        add(store, document(f"{number}", **values, updated_at=NOW + number * HOUR))

    assert walked(store, Query(limit=2, **asked)) == [["7", "5"], ["3", "1"], []]


@pytest.mark.parametrize("chosen", COMBINATIONS, ids=lambda chosen: "+".join(chosen))
def test_a_document_is_found_if_it_passes_every_filter(
    store: CaptionStore, chosen: Sequence[str]
) -> None:
    asked: dict[str, Any] = {}
    has: dict[str, Any] = {"name": "shop/a.jpg"}
    for name in FILTERS:
        has |= FILTERS[name][1]
    for name in chosen:
        asked |= FILTERS[name][0]
    add(store, document(**has))
    for number, name in enumerate(chosen):
        lacking = has | FILTERS[name][2]
        lacking["name"] += str(number)
        add(store, document(**lacking))

    assert names(store, Query(**asked)) == ["shop/a.jpg"]
    assert store.count(Query(**asked)) in (1, None)


def test_documents_are_counted_whatever_the_page(store: CaptionStore) -> None:
    add(store, *(document(str(number), tags=("mug",)) for number in range(5)))
    add(store, document("other", status="failed"))

    assert store.count(Query(limit=2)) == 6
    assert store.count(Query(tag="mug", limit=2, cursor=store.find(Query(limit=2)).cursor)) == 5


def test_a_query_without_filters_names_everything_newest_first(store: CaptionStore) -> None:
    add(store, *(document(str(hour), updated_at=NOW + hour * HOUR) for hour in (2, 3, 1)))

    assert names(store, Query()) == ["3", "2", "1"]


def test_until_is_exclusive_and_since_is_not(store: CaptionStore) -> None:
    tick = timedelta(microseconds=1)
    add(store, *(document(str(step), updated_at=NOW + step * tick) for step in range(4)))

    assert names(store, Query(since=NOW + tick, until=NOW + 3 * tick)) == ["2", "1"]


def test_times_are_compared_across_time_zones(store: CaptionStore) -> None:
    from zoneinfo import ZoneInfo

    add(store, document())

    assert names(store, Query(since=NOW.astimezone(ZoneInfo("Asia/Tokyo")))) == ["a.jpg"]
    assert names(store, Query(until=NOW.astimezone(ZoneInfo("Asia/Tokyo")))) == []


ODD = (
    "é",
    "%",
    "_",
    "*",
    "\ud7ff",
    "\ue000",
    "\uf8ff",
    "\uffff",
    "😀",
    "\U0010ffff",
    "'",
    '"',
    "\\",
)


@pytest.mark.parametrize("odd", ODD, ids=ascii)
def test_a_prefix_is_taken_as_it_is(store: CaptionStore, odd: str) -> None:
    beginning = [f"a/{odd}", f"a/{odd}/b", f"a/{odd}\uf8ff", f"a/{odd}😀", f"a/{odd}\U0010ffff.jpg"]
    others = ["a/", "a/b", "A/" + odd, f"a/\u0001{odd}", "b", f"a/{chr((ord(odd) + 1) % 0xD000)}"]
    add(store, *map(document, (*beginning, *others)))

    assert sorted(names(store, Query(prefix=f"a/{odd}"))) == sorted(beginning)


def test_a_prefix_of_nothing_but_the_last_character_has_no_end(store: CaptionStore) -> None:
    add(store, document("\U0010ffff\U0010ffff"), document("\U0010fffe"))

    assert names(store, Query(prefix="\U0010ffff")) == ["\U0010ffff\U0010ffff"]


@pytest.mark.parametrize(
    "query",
    [
        Query(limit=3),
        Query(limit=3, status="captioned"),
        Query(limit=3, prefix="n"),
        Query(limit=3, tag="t", words=("even",)),
        Query(limit=3, words=tuple(f"w{number}" for number in range(95))),
    ],
    ids=["all", "status", "prefix", "tag and words", "95 words"],
)
def test_pages_over_equal_times_name_every_document_once(store: CaptionStore, query: Query) -> None:
    every = [f"n{number:02}" for number in range(20)]
    for number, name in enumerate(every):
        terms = (f"w{number * 5}", f"w{number}", "even" if number % 2 else "odd")
        add(store, document(name, tags=("t",), search_terms=terms))
    expected = every[1::2] if query.tag else every

    pages = walked(store, query)

    assert sorted(itertools.chain(*pages)) == expected
    assert {len(page) for page in pages[:-1]} == {3}


def test_a_page_is_full_though_most_documents_of_the_tag_lack_the_word(store: CaptionStore) -> None:
    for number in range(230):
        terms = ("rare",) if number in (0, 115, 229) else ("common",)
        when = NOW + timedelta(seconds=number)
        add(store, document(f"{number}", tags=("t",), search_terms=terms, updated_at=when))

    assert walked(store, Query(tag="t", words=("rare",), limit=2)) == [["229", "115"], ["0"]]


def test_what_changes_between_pages_moves_no_other_document(store: CaptionStore) -> None:
    for hour in range(6):
        add(store, document(str(hour), updated_at=NOW + hour * HOUR))
    first = store.find(Query(limit=2))
    last = first.found[-1]
    store.replace(last, replace(last.document, updated_at=NOW + 9 * HOUR))
    store.remove(first.found[0])

    assert walked(store, Query(limit=2, cursor=first.cursor)) == [["3", "2"], ["1", "0"], []]


def doubtful(name: str, *reasons: str, **changes: Any) -> Document:
    return document(name, review=Review(True, reasons), **changes)


def test_what_needs_a_person_most_comes_first(store: CaptionStore) -> None:
    add(
        store,
        doubtful("long", "over_length", updated_at=NOW + HOUR),
        doubtful("unlike", "low_similarity", similarity=0.1),
        doubtful("less unlike", "low_similarity", similarity=0.3, updated_at=NOW + HOUR),
        doubtful("another picture's", "over_length", "image_changed"),
        document("fine", updated_at=NOW + HOUR),
    )

    worst = ["another picture's", "unlike", "less unlike", "long"]
    assert names(store, Query(by_priority=True)) == worst
    assert names(store, Query(by_priority=True, reason="low_similarity")) == worst[1:3]
    assert names(store, Query(review=True)) == [worst[i] for i in (3, 2, 1, 0)]
    assert store.count(Query(by_priority=True)) == 4


@pytest.mark.parametrize("more", [{}, {"tag": "t", "words": ("even",)}, {"prefix": "n"}], ids=str)
def test_pages_by_priority_name_every_document_once_and_those_without_one_last(
    store: CaptionStore, more: dict[str, Any]
) -> None:
    every = [
        doubtful(f"n{number:02}", reason, tags=("t",), search_terms=("even",))
        for number, reason in enumerate(["shouting", "injection", "refusal"] * 5)
    ]
    add(store, *every, document("fine"))
    for each in every[:4]:
        without_priority(store, each.id)

    pages = walked(store, Query(by_priority=True, limit=4, **more))

    found = [name for page in pages for name in page]
    assert sorted(found[-4:]) == [each.name for each in every[:4]]
    assert sorted(found) == [each.name for each in every]
    assert {len(page) for page in pages[:3]} == {4}
    severities = [
        SEVERITY[each.review.reasons[0]]
        for name in found[:-4]
        for each in every
        if each.name == name
    ]
    assert severities == sorted(severities, reverse=True)


def test_what_is_decided_between_pages_moves_no_other_document(store: CaptionStore) -> None:
    add(store, *(doubtful(str(each), "refusal", similarity=each / 10) for each in range(6)))
    first = store.find(Query(by_priority=True, limit=2))
    approved = replace(
        first.found[1].document, review=Review(approved_by="ann"), updated_at=NOW + HOUR
    )
    store.replace(first.found[1], approved)
    store.remove(first.found[0])

    rest = walked(store, Query(by_priority=True, limit=2, cursor=first.cursor))
    assert [*itertools.chain(*rest)] == ["2", "3", "4", "5"]
    assert names(store, Query(by_priority=True)) == ["2", "3", "4", "5"]


def test_a_document_is_stored_with_the_priority_that_it_has(store: CaptionStore) -> None:
    written = doubtful("a", "refusal", similarity=0.5)
    add(store, written)
    stored = store.read(written.id)
    assert stored
    assert stored.document.review.priority == review_priority(written)

    without_priority(store, written.id)
    stored = store.read(written.id)
    assert stored
    assert stored.document.review.priority is None
    assert store.replace(stored, stored.document).document.review.priority
    again = store.read(written.id)
    assert again
    assert again.document.review.priority == review_priority(written)


def test_a_cursor_is_good_for_its_own_order(store: CaptionStore) -> None:
    add(store, doubtful("a", "refusal"))
    for order, other in itertools.permutations((True, False)):
        cursor = store.find(Query(by_priority=order, limit=1)).cursor
        with pytest.raises(ValueError, match="leave it out"):
            store.find(Query(by_priority=other, cursor=cursor))


@pytest.mark.parametrize("cursor", ["x", "bm90IGpzb24=", "WzFd", "WyIyMDI2IiwgIiIsICIiXQ=="])
def test_a_cursor_that_no_page_gave_is_refused(store: CaptionStore, cursor: str) -> None:
    with pytest.raises(ValueError, match="leave it out"):
        store.find(Query(cursor=cursor))


@pytest.mark.parametrize("count", [0, 1, 299, 300, 301, 700])
def test_many_documents_are_read_at_once(store: CaptionStore, count: int) -> None:
    every = [document(str(number)) for number in range(3)]
    add(store, *every)
    keys = [each.id for each in every][:count] + [f"absent-{n}" for n in range(count - 3)]

    found = store.read_many(iter(keys))

    assert {key: each.document for key, each in found.items()} == {
        each.id: each for each in every[:count]
    }


def test_what_is_read_by_the_way_can_be_replaced(store: CaptionStore) -> None:
    add(store, document())
    many = store.read_many([document().id] * 3)

    store.replace(many[document().id], document(attempts=4))

    read = store.read(document().id)
    assert read
    assert read.document.attempts == 4


def point(degrees: float, dimensions: int = 768) -> tuple[float, ...]:
    """A vector of unit length, that far from the first axis."""
    angle = math.radians(degrees)
    return (math.cos(angle), math.sin(angle), *[0.0] * (dimensions - 2))


def near(store: CaptionStore, query: Query, degrees: float = 0) -> list[str]:
    return [each.document.name for each, _ in store.nearest(point(degrees), query)]


def test_an_embedding_comes_back_as_it_was_stored(store: CaptionStore) -> None:
    vector = tuple(math.sin(number) / 20 for number in range(768))
    add(store, document(embedding=vector))
    read = store.read(document().id)
    assert read
    assert read.document.embedding == vector
    store.replace(read, document(caption="other"))

    again = store.read(document().id)
    assert again
    assert again.document.embedding is None


def test_the_nearest_come_first_with_their_cosine(store: CaptionStore) -> None:
    add(store, *(document(str(each), embedding=point(each)) for each in (80, 10, 170, 40)))

    found = store.nearest(point(0), Query(limit=3))

    read = store.read(found[0][0].document.id)
    assert read
    assert found[0][0] == replace(read, read_at=found[0][0].read_at)
    assert [each.document.name for each, _ in found] == ["10", "40", "80"]
    assert [round(cosine, 6) for _, cosine in found] == [
        round(math.cos(math.radians(each)), 6) for each in (10, 40, 80)
    ]


def test_only_what_is_captioned_and_has_an_embedding_of_that_length_is_near(
    store: CaptionStore,
) -> None:
    add(
        store,
        document("whole", embedding=point(50)),
        document("none"),
        document("pending", status="pending", embedding=point(1)),
        document("short", embedding=point(1, dimensions=8)),
    )

    assert near(store, Query()) == ["whole"]
    assert near(store, Query(status="pending")) == ["whole"]


@pytest.mark.parametrize("name", [name for name in FILTERS if name not in ("status", "words")])
def test_the_nearest_pass_the_filters_and_are_as_many_as_asked_for(
    store: CaptionStore, name: str
) -> None:
    asked, has, lacks = FILTERS[name]
    for number in range(30):
        changes = {"name": str(number)} | lacks
        changes["name"] += f"-{number}"
        add(store, document(embedding=point(number / 10), **changes))
    for degrees in (50, 60, 70):
        changes = {"name": "x"} | has
        changes["name"] += str(degrees)
        add(store, document(embedding=point(degrees), **changes))

    found = near(store, Query(limit=2, **asked))

    assert [each[-2:] for each in found] == ["50", "60"]


def test_words_and_cursor_do_not_count_for_what_is_near(store: CaptionStore) -> None:
    add(store, document(embedding=point(5)))

    assert near(store, Query(words=("absent",), cursor="whatever")) == ["a.jpg"]

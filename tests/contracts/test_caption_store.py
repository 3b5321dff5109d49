"""What every CaptionStore promises: SQLite and Firestore alike."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from functions.adapters.sqlite import SqliteCaptions
from functions.core.document import Document, Lease, Problem, Proposal, Query, Review, Usage
from functions.core.errors import Stale, TransientError
from functions.core.page_place import KeptPlace, PlaceText
from functions.core.ports import CaptionStore
from tests.support.documents import plain_document

NOW = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)


def document(name: str = "a/b.jpg", **changes: object) -> Document:
    plain = plain_document(name, at=NOW, bucket="pictures", generation=2**62 + 1, status="pending")
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_a_document_comes_back_as_it_was_stored(store: CaptionStore) -> None:
    whole = document(
        content_type="image/jpeg",
        size=2**40,
        width=4000,
        height=3000,
        md5="abc==",
        caption="Ein Hund. 犬\u200d🦮",
        alt_text='"<b>"',
        tags=("a", "b"),
        visible_text="STOP",
        language="de",
        translations={"zh-Hans": {"caption": "一", "alt_text": "二"}},
        source="human",
        review=Review(True, ("x",), "me@example.com", NOW),
        proposal=Proposal(alt_text="other", at=NOW),
        usage=Usage(2, 3, 4, 0.000721),
        error=Problem("blocked", "why", NOW),
        attempts=3,
        lease=Lease("h", NOW + timedelta(minutes=2)),
        not_before=NOW,
        metadata_synced=True,
        search_terms=("ein", "hund"),
        captioned_at=NOW,
    )

    store.create(whole)
    read = store.read(whole.id)

    assert read is not None
    assert read.document == whole


def test_of_many_that_create_one_document_exactly_one_succeeds(store: CaptionStore) -> None:
    with ThreadPoolExecutor(16) as pool:
        won = [each for each in pool.map(lambda _: store.create(document()), range(32)) if each]

    assert len(won) == 1


def test_there_is_nothing_to_read_before_it_is_created(store: CaptionStore) -> None:
    assert store.read(document().id) is None


def test_some_fields_are_read_without_the_others(store: CaptionStore) -> None:
    whole = document(alt_text="A dog", review=Review(True, ("hedging",)), embedding=(0.6, 0.8))
    store.create(whole)
    keys = [whole.id, document("absent").id]

    found = store.read_fields(keys, ("bucket", "name", "alt_text", "review"))

    assert list(found) == [whole.id]
    told = found[whole.id]
    assert (told.id, told.alt_text, told.review) == (whole.id, "A dog", whole.review)
    assert (told.embedding, told.generation) == (None, 0)


def test_of_many_that_replace_what_they_read_exactly_one_succeeds(store: CaptionStore) -> None:
    stored = store.create(document())
    assert stored

    def attempt(number: int) -> bool:
        try:
            store.replace(stored, document(attempts=number))
        except Stale:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(1, 17))) == 1


def test_a_replacement_can_be_replaced_without_reading_it(store: CaptionStore) -> None:
    stored = store.create(document())
    assert stored
    for attempts in (1, 2, 3):
        stored = store.replace(stored, document(attempts=attempts))

    read = store.read(document().id)
    assert read is not None
    assert (read.document.attempts, read.version) == (3, stored.version)


def test_a_document_can_be_replaced_by_itself(store: CaptionStore) -> None:
    stored = store.create(document())
    assert stored
    store.replace(stored, document())

    read = store.read(document().id)
    assert read is not None
    assert read.document == document()


def test_replacing_removes_what_the_new_document_lacks(store: CaptionStore) -> None:
    stored = store.create(document(lease=Lease("h", NOW), tags=("a",), caption="old"))
    assert stored
    store.replace(stored, document())

    read = store.read(document().id)
    assert read is not None
    assert read.document == document()


def test_a_removed_document_is_not_replaced(store: CaptionStore) -> None:
    stored = store.create(document())
    assert stored
    store.remove(stored)

    with pytest.raises(Stale):
        store.replace(stored, document(attempts=1))
    assert store.read(document().id) is None


def test_a_document_that_changed_is_not_removed(store: CaptionStore) -> None:
    stored = store.create(document())
    assert stored
    store.replace(stored, document(attempts=1))

    with pytest.raises(Stale):
        store.remove(stored)
    assert store.read(document().id) is not None


def test_versions_grow_in_the_order_of_writes_over_all_documents(store: CaptionStore) -> None:
    first = store.create(document("1"))
    second = store.create(document("2"))
    assert first
    assert second
    third = store.replace(first, document("1", attempts=1))

    assert first.version < second.version < third.version


def test_documents_are_found_by_the_bytes_they_describe(store: CaptionStore) -> None:
    for name, md5 in (("1", "x"), ("2", "y"), ("3", "x")):
        store.create(document(name, md5=md5))

    found = store.alike("x", 50)()
    assert sorted(each.document.name for each in found) == ["1", "3"]
    assert len(store.alike("x", 1)()) == 1


def test_what_is_looked_for_by_its_bytes_may_be_waited_for_never(store: CaptionStore) -> None:
    store.create(document("1", md5="x"))

    store.alike("x", 50)

    assert [each.document.name for each in store.alike("x", 50)()] == ["1"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        (Query(), ["4", "sub/3", "sub/2", "1"]),
        (Query(status="failed"), ["sub/2"]),
        (Query(prefix="sub/"), ["sub/3", "sub/2"]),
        (Query(bucket="other"), []),
    ],
)
def test_documents_are_listed_newest_first(
    store: CaptionStore, query: Query, names: list[str]
) -> None:
    for number, name in enumerate(("1", "sub/2", "sub/3", "4")):
        status = "failed" if name == "sub/2" else "captioned"
        when = NOW + timedelta(seconds=number)
        store.create(document(name, status=status, updated_at=when))

    assert [each.document.name for each in store.find(query).found] == names


def test_pages_name_every_document_once(store: CaptionStore) -> None:
    for number in range(7):
        store.create(document(str(number), updated_at=NOW + timedelta(seconds=number)))
    seen: list[str] = []
    cursor = ""
    while True:
        page = store.find(Query(limit=3, cursor=cursor))
        seen += [each.document.name for each in page.found]
        cursor = page.cursor
        if not cursor:
            break

    assert seen == list("6543210")


def test_no_more_is_reserved_than_the_limit(store: CaptionStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        granted = list(pool.map(lambda _: store.reserve("2026-11-23", 7, 50), range(16)))

    assert sum(granted) == 50
    assert store.reserved("2026-11-23") == 50
    assert store.reserve("2026-11-24", 7, 50) == 7


def test_the_store_tells_its_own_time(store: CaptionStore) -> None:
    created = store.create(document())
    assert created
    read = store.read(document().id)

    assert read is not None
    assert read.read_at >= created.read_at
    assert abs(read.read_at - datetime.now(UTC)) < timedelta(minutes=5)


def test_two_processes_share_a_sqlite_store(tmp_path: Path) -> None:
    one, other = (SqliteCaptions(tmp_path / "captions.db") for _ in range(2))
    stored = one.create(document())
    assert stored
    assert other.create(document()) is None
    other.replace(stored, document(attempts=1))

    with pytest.raises(Stale):
        one.replace(stored, document(attempts=2))


def test_a_database_that_cannot_be_opened_is_a_transient_fault(tmp_path: Path) -> None:
    store = SqliteCaptions(tmp_path / "captions.db")
    (tmp_path / "captions.db").unlink()
    for extra in tmp_path.glob("captions.db-*"):
        extra.unlink()
    (tmp_path / "captions.db").mkdir()

    with pytest.raises(TransientError):
        store.read("x")


def test_a_record_is_written_once_over_each_version(store: CaptionStore) -> None:
    absent = store.read_record("copies", "a_b-c")
    assert (absent.text, absent.version, absent.expires_at) == ("", None, None)
    first = store.write_record(replace(absent, text="one"))
    with pytest.raises(Stale):
        store.write_record(replace(absent, text="another"))
    second = store.write_record(replace(first, text="two"))
    with pytest.raises(Stale):
        store.write_record(replace(first, text="late"))

    read = store.read_record("copies", "a_b-c")
    assert (read.text, read.version) == ("two", second.version)
    assert store.read_record("history", "a_b-c").text == ""


def test_a_record_that_has_expired_reads_as_empty_and_is_written_again(
    store: CaptionStore,
) -> None:
    now = datetime.now(UTC)
    record = replace(store.read_record("copies", "k"), text="old", expires_at=now)
    store.write_record(record)
    expired = store.read_record("copies", "k")
    assert expired.text == ""
    store.write_record(replace(expired, text="new", expires_at=now + timedelta(days=1)))
    assert store.read_record("copies", "k").text == "new"


def test_a_document_and_a_record_are_created_together_or_not_at_all(store: CaptionStore) -> None:
    record = replace(store.read_record("copies", "k"), text="asking")
    created = store.create(document("a.jpg"), record)
    assert created
    assert store.create(document("b.jpg"), record) is None
    assert store.create(document("a.jpg"), replace(record, key="other")) is None

    assert store.read(document("b.jpg").id) is None
    assert store.read_record("copies", "other").version is None
    again = store.write_record(replace(record, version=created.version, text="more"))
    read = store.read_record("copies", "k")
    assert (read.text, read.version) == ("more", again.version)


def test_a_document_and_a_record_are_replaced_together_or_not_at_all(store: CaptionStore) -> None:
    record = replace(store.read_record("copies", "k"), text="asking")
    created = store.create(document("a.jpg"), record)
    assert created
    mine = replace(record, version=created.version, text="known")
    written = store.replace(created, replace(created.document, caption="one"), mine)
    with pytest.raises(Stale):
        store.replace(written, replace(written.document, caption="two"), mine)
    with pytest.raises(Stale):
        store.replace(created, created.document, replace(record, key="other"))

    read = store.read(created.document.id)
    assert read
    assert read.document.caption == "one"
    assert store.read_record("copies", "k").text == "known"
    assert store.read_record("copies", "other").version is None


def test_of_many_that_write_one_record_each_version_has_one_winner(store: CaptionStore) -> None:
    absent = store.read_record("copies", "contended")

    def write(number: int) -> bool:
        try:
            store.write_record(replace(absent, text=str(number)))
        except Stale:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(write, range(32))) == 1


def place(store: CaptionStore, key: str = "k1", image: str = "a1") -> KeptPlace:
    return store.read_places([(image, key)])[(image, key)]


def test_a_place_comes_back_as_it_was_written(store: CaptionStore) -> None:
    whole = PlaceText(
        2**62 + 1,
        '"A mug" 犬',
        True,
        "de",
        "gemini:x",
        "x-001",
        "place-1@0",
        Usage(2, 3, 4, 0.000721),
        Problem("no_caption", "why", NOW),
        Lease("h", NOW),
        NOW,
    )
    store.write_place(replace(place(store), text=whole))
    assert place(store).text == whole


def test_a_place_is_written_once_over_each_version(store: CaptionStore) -> None:
    absent = place(store)
    assert (absent.text, absent.version) == (None, None)
    asked = PlaceText(1, lease=Lease("h", NOW), updated_at=NOW)
    first = store.write_place(replace(absent, text=asked))
    with pytest.raises(Stale):
        store.write_place(replace(absent, text=asked))
    second = store.write_place(replace(first, text=PlaceText(1, "A mug")))
    for late in (PlaceText(1, "A cup"), None):
        with pytest.raises(Stale):
            store.write_place(replace(first, text=late))
    read = place(store)
    assert (read.text, read.version) == (PlaceText(1, "A mug"), second.version)
    assert store.read(read.image) is None


def test_a_place_is_removed_where_it_has_no_text(store: CaptionStore) -> None:
    written = store.write_place(replace(place(store), text=PlaceText(1, "A mug")))
    gone = store.write_place(replace(written, text=None))
    assert (place(store).text, gone.version) == (None, None)
    with pytest.raises(Stale):
        store.write_place(replace(written, text=PlaceText(1, "A cup")))


def test_many_places_are_read_at_once_each_by_its_image(store: CaptionStore) -> None:
    store.write_place(replace(place(store, "k1", "a1"), text=PlaceText(1, "A mug")))
    store.write_place(replace(place(store, "k1", "a2"), text=PlaceText(1, "A cup")))
    wanted = [(image, f"k{number}") for image in ("a1", "a2") for number in range(160)]
    found = store.read_places(wanted)
    texts = {at: kept.text.alt_text for at, kept in found.items() if kept.text}
    assert texts == {("a1", "k1"): "A mug", ("a2", "k1"): "A cup"}
    assert set(found) == set(wanted)
    assert store.read_places([]) == {}


def test_places_go_with_their_images_generation_and_older_ones(store: CaptionStore) -> None:
    for key, image, generation in [("k1", "a1", 1), ("k2", "a1", 2), ("k3", "a1", 3)]:
        store.write_place(replace(place(store, key, image), text=PlaceText(generation, "A mug")))
    store.write_place(replace(place(store, "k1", "a2"), text=PlaceText(1, "A cup")))
    store.remove_places("a1", 2)
    store.remove_places("a3", 2)
    left = store.read_places([("a1", "k1"), ("a1", "k2"), ("a1", "k3"), ("a2", "k1")])
    assert [at for at, kept in left.items() if kept.text] == [("a1", "k3"), ("a2", "k1")]


def test_the_embedded_stores_older_file_gets_what_it_lacks_for_places(tmp_path: Path) -> None:
    SqliteCaptions(tmp_path / "older.db")
    with sqlite3.connect(tmp_path / "older.db") as db:
        db.execute("drop table places")
    db.close()
    assert place(SqliteCaptions(tmp_path / "older.db")).text is None

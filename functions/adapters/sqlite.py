"""Captions in SQLite: durable, and safe under concurrent threads and processes."""

from __future__ import annotations

import heapq
import json
import operator
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from functions.adapters.paging import UNRANKED, Position
from functions.core.document import Document, Page, Query, Record, Status, Stored
from functions.core.document_records import (
    as_json,
    from_json,
    from_place,
    from_record,
    stamp,
    to_place,
    to_record,
)
from functions.core.errors import Stale, TransientError
from functions.core.page_place import KeptPlace, PlaceId
from functions.core.review_priority import prioritised

_BUSY_SECONDS = 20.0
_SCHEMA = Path(__file__).with_name("schema.sql").read_text("utf-8")
# Of the schema: what an older file lacks is filled in when it is opened.
_LAYOUT = 2
# Documents that a sort takes longer for than a walk takes to find a page among them.
_MANY = 2000
# As the index has it.
_PRIORITY = f"coalesce(document ->> '$.review.priority', {UNRANKED})"


@contextmanager
def connected(path: Path, to: str = "immediate") -> Iterator[sqlite3.Connection]:
    """One write transaction on the database at ``path``, committed unless it raises; ``to``
    ``deferred``, one that reads and lets others write.

    Raises TransientError if the database stays locked or cannot be written.
    """
    try:
        connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            connection.execute("pragma synchronous = full")
            connection.execute(f"begin {to}")
            yield connection
            connection.execute("commit")
        finally:
            connection.close()
    except sqlite3.OperationalError as error:
        raise TransientError(f"the local store is unavailable: {error}") from error


def prepare(path: Path) -> None:
    """Create the tables, once for a process."""
    with sqlite3.connect(path, timeout=_BUSY_SECONDS) as connection:
        _write_ahead(connection)
        connection.executescript(_SCHEMA)
        (layout,) = connection.execute("pragma user_version").fetchone()
        if layout < _LAYOUT:
            connection.execute("insert or ignore into terms select * from document_terms")
            connection.execute(f"pragma user_version = {_LAYOUT}")
    connection.close()


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log; SQLite itself does not wait for others who open the file."""
    end = monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("pragma journal_mode = wal")
            return
        except sqlite3.OperationalError:
            if monotonic() > end:
                raise
            sleep(0.02)


class SqliteCaptions:
    """A CaptionStore in one file; ``Stored.version`` is a counter of all writes to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        prepare(path)

    def create(self, document: Document, record: Record | None = None) -> Stored | None:
        document = prioritised(document)
        with suppress(Stale), connected(self._path) as db:
            version = _next_version(db)
            row = _row(document, version)
            added = db.execute(
                "insert or ignore into captions values (?, ?, ?, ?, ?, ?, ?, ?)", row
            ).rowcount
            if not added:
                raise Stale
            if record:
                _write(db, record, version)
            return Stored(document, version, _now())
        return None

    def read(self, key: str) -> Stored | None:
        with connected(self._path) as db:
            row = db.execute(
                "select document, version from captions where id = ?", (key,)
            ).fetchone()
        return _stored(row) if row else None

    def read_many(self, keys: Iterable[str]) -> Mapping[str, Stored]:
        ids = json.dumps(list(keys))
        with connected(self._path) as db:
            rows = db.execute(
                "select document, version from captions "
                "where id in (select value from json_each(?))",
                (ids,),
            ).fetchall()
        found = map(_stored, rows)
        return {each.document.id: each for each in found}

    def read_fields(self, keys: Iterable[str], fields: Collection[str]) -> Mapping[str, Document]:
        names = set(fields)
        return {
            key: from_record({k: v for k, v in to_record(stored.document).items() if k in names})
            for key, stored in self.read_many(keys).items()
        }

    def replace(self, stored: Stored, document: Document, record: Record | None = None) -> Stored:
        document = prioritised(document)
        with connected(self._path) as db:
            version = _next_version(db)
            key, *rest = _row(document, version)
            changed = db.execute(
                "update captions set version = ?, bucket = ?, name = ?, status = ?, md5 = ?, "
                "updated_at = ?, document = ? where id = ? and version = ?",
                (*rest, key, stored.version),
            ).rowcount
            if not changed:
                raise Stale
            if record:
                _write(db, record, version)
        return Stored(document, version, _now())

    def remove(self, stored: Stored) -> None:
        with connected(self._path) as db:
            removed = db.execute(
                "delete from captions where id = ? and version = ?",
                (stored.document.id, stored.version),
            ).rowcount
        if not removed:
            raise Stale

    def find(self, query: Query) -> Page:
        first = f"{_PRIORITY} desc, " if query.by_priority else ""
        with connected(self._path) as db:
            where, values = _condition(query, _frequent(db, query))
            rows = db.execute(
                f"select document, version from captions where {where} "  # noqa: S608
                f"order by {first}updated_at desc, name desc, id desc limit ?",
                (*values, query.limit),
            ).fetchall()
        found = tuple(_stored(row) for row in rows)
        full = found and len(found) == query.limit
        last = Position.of(found[-1].document, query.by_priority).cursor() if full else ""
        return Page(found, last)

    def alike(self, md5: str, limit: int) -> Callable[[], Sequence[Stored]]:
        with connected(self._path, "deferred") as db:
            rows = db.execute(
                "select document, version from captions where md5 = ? limit ?", (md5, limit)
            ).fetchall()
        found = [_stored(row) for row in rows]
        return lambda: found

    def count(self, query: Query) -> int | None:
        where, values = _condition(replace(query, cursor=""))
        with connected(self._path, "deferred") as db:
            (number,) = db.execute(
                f"select count(*) from captions where {where}",  # noqa: S608
                values,
            ).fetchone()
        return int(number)

    def nearest(self, vector: Sequence[float], query: Query) -> Sequence[tuple[Stored, float]]:
        captioned = replace(query, status=Status.CAPTIONED, words=(), cursor="")
        where, values = _condition(captioned)
        with connected(self._path, "deferred") as db:
            rows = db.execute(
                f"select id, document ->> 'embedding' from captions where {where} "  # noqa: S608
                "and json_array_length(document, '$.embedding') = ?",
                (*values, len(vector)),
            )
            near = heapq.nlargest(
                query.limit,
                ((sum(map(operator.mul, vector, json.loads(text))), key) for key, text in rows),
            )
        found = self.read_many(key for _, key in near)
        return [(found[key], similarity) for similarity, key in near if key in found]

    def read_record(self, kind: str, key: str) -> Record:
        now = _now()
        with connected(self._path, "deferred") as db:
            row = db.execute(
                "select version, text, expires_at from records where kind = ? and key = ?",
                (kind, key),
            ).fetchone()
        if row is None or (row[2] and row[2] <= stamp(now)):
            return Record(kind, key, now, version=row and row[0])
        expires_at = datetime.fromisoformat(row[2]) if row[2] else None
        return Record(kind, key, now, row[1], row[0], expires_at)

    def write_record(self, record: Record) -> Record:
        with connected(self._path) as db:
            version = _next_version(db)
            _write(db, record, version)
            db.execute("delete from records where expires_at < ?", (stamp(_now()),))
        return replace(record, version=version)

    def read_places(self, places: Iterable[PlaceId]) -> Mapping[PlaceId, KeptPlace]:
        wanted, now = list(places), _now()
        with connected(self._path, "deferred") as db:
            rows = db.execute(
                "select image, key, version, text from places where (image, key) in "
                "(select value ->> 0, value ->> 1 from json_each(?))",
                (json.dumps(wanted),),
            ).fetchall()
        kept = {(row[0], row[1]): (from_place(from_json(row[3])), row[2]) for row in rows}
        return {each: KeptPlace(*each, now, *kept.get(each, (None, None))) for each in wanted}

    def write_place(self, place: KeptPlace) -> KeptPlace:
        text, at = place.text, (place.image, place.key)
        with connected(self._path) as db:
            version = _next_version(db)
            row = (version, text.generation, as_json(to_place(text))) if text else ()
            if place.version is None:
                written = db.execute(
                    "insert or ignore into places values (?, ?, ?, ?, ?)", (*at, *row)
                ).rowcount
            elif text is None:
                written = db.execute(
                    "delete from places where image = ? and key = ? and version = ?",
                    (*at, place.version),
                ).rowcount
            else:
                written = db.execute(
                    "update places set version = ?, generation = ?, text = ? "
                    "where image = ? and key = ? and version = ?",
                    (*row, *at, place.version),
                ).rowcount
        if not written:
            raise Stale
        return replace(place, version=version if text else None)

    def remove_places(self, image: str, generation: int) -> None:
        with connected(self._path) as db:
            db.execute(
                "delete from places where image = ? and generation <= ?", (image, generation)
            )

    def equal(self, fields: Mapping[str, str | bool], limit: int) -> Sequence[Stored]:
        where = " and ".join(f"document ->> '$.{field}' = ?" for field in fields)
        return self._some(where, [*fields.values()], "id", limit)

    def oldest(self, status: str, before: datetime, limit: int) -> Sequence[Stored]:
        where = "status = ? and updated_at < ?"
        return self._some(where, [status, stamp(before)], "updated_at, id", limit)

    def by_name(self, bucket: str, after: str, until: str, limit: int) -> Sequence[Stored]:
        where = "bucket = ? and name > ?" + (" and name <= ?" if until else "")
        values = [bucket, after, *([until] if until else [])]
        return self._some(where, values, "name", limit)

    def _some(self, where: str, values: list[Any], order: str, limit: int) -> Sequence[Stored]:
        with connected(self._path, "deferred") as db:
            rows = db.execute(
                f"select document, version from captions where {where} "  # noqa: S608
                f"order by {order} limit ?",
                (*values, limit),
            ).fetchall()
        return [_stored(row) for row in rows]

    def reserve(self, day: str, block: int, limit: int) -> int:
        with connected(self._path) as db:
            taken = _taken(db, day)
            granted = max(0, min(block, limit - taken))
            db.execute("insert or replace into days values (?, ?)", (day, taken + granted))
        return granted

    def give_back(self, day: str, units: int) -> None:
        with connected(self._path) as db:
            left = max(0, _taken(db, day) - units)
            db.execute("insert or replace into days values (?, ?)", (day, left))

    def reserved(self, day: str) -> int:
        with connected(self._path, "deferred") as db:
            return _taken(db, day)


def _lists(query: Query) -> dict[str, tuple[str, ...]]:
    """The fields that are lists, with the values of which a document is to have one."""
    lists = {"tags": (query.tag,), "search_terms": query.words, "review.reasons": (query.reason,)}
    return {field: values for field, values in lists.items() if any(values)}


def _frequent(db: sqlite3.Connection, query: Query) -> set[str]:
    """The lists of whose values there are so many documents that a page is sooner found by
    looking at one document after the other than by sorting them all."""
    found = set()
    for field, values in _lists(query).items():
        marks = ", ".join("?" * len(values))
        there = f"select 1 from terms where field = ? and value in ({marks}) limit {_MANY}"  # noqa: S608
        (number,) = db.execute(f"select count(*) from ({there})", (field, *values)).fetchone()  # noqa: S608
        if number == _MANY:
            found.add(field)
    return found


def _condition(query: Query, frequent: Collection[str] = ()) -> tuple[str, list[Any]]:
    """What SQL asks for, and its values."""
    wheres, values = ["true"], list[Any]()
    for field in ("status", "bucket"):
        if value := getattr(query, field):
            wheres.append(f"{field} = ?")
            values.append(value)
    for field in ("language", "source"):
        if value := getattr(query, field):
            wheres.append(f"document ->> '{field}' = ?")
            values.append(value)
    if query.review or query.by_priority:
        wheres.append("document ->> '$.review.needed'")
    for field, texts in _lists(query).items():
        marks = ", ".join("?" * len(texts))
        having = f"from terms where field = ? and value in ({marks})"
        each = f"exists (select 1 {having} and terms.id = captions.id)"
        wheres.append(each if field in frequent else f"id in (select id {having})")
        values += [field, *texts]
    for sign, time in ((">=", query.since), ("<", query.until)):
        if time:
            wheres.append(f"updated_at {sign} ?")
            values.append(stamp(time))
    if query.prefix:
        wheres.append("substr(name, 1, ?) = ?")
        values += [len(query.prefix), query.prefix]
    if after := Position.read(query.cursor, query.by_priority):
        first = f"{_PRIORITY}, " if query.by_priority else ""
        ranks = [after.rank] if query.by_priority else []
        marks = ", ".join("?" * (3 + len(ranks)))
        wheres.append(f"({first}updated_at, name, id) < ({marks})")
        values += [*ranks, stamp(after.updated_at), after.name, after.id]
    return " and ".join(wheres), values


def _taken(db: sqlite3.Connection, day: str) -> int:
    row = db.execute("select model_calls from days where day = ?", (day,)).fetchone()
    return int(row[0]) if row else 0


def _next_version(db: sqlite3.Connection) -> int:
    row = db.execute("update counter set version = version + 1 returning version").fetchone()
    return int(row[0])


def _row(document: Document, version: int) -> tuple[Any, ...]:
    record = to_record(document)
    return (
        document.id,
        version,
        document.bucket,
        document.name,
        document.status,
        document.md5,
        stamp(document.updated_at),
        as_json(record),
    )


def _write(db: sqlite3.Connection, record: Record, version: int) -> None:
    """Write a record over the version that it was read in. Raises Stale."""
    expires_at = stamp(record.expires_at) if record.expires_at else None
    if record.version is None:
        written = db.execute(
            "insert or ignore into records values (?, ?, ?, ?, ?)",
            (record.kind, record.key, version, record.text, expires_at),
        ).rowcount
    else:
        written = db.execute(
            "update records set version = ?, text = ?, expires_at = ? "
            "where kind = ? and key = ? and version = ?",
            (version, record.text, expires_at, record.kind, record.key, record.version),
        ).rowcount
    if not written:
        raise Stale


def _stored(row: tuple[str, int]) -> Stored:
    return Stored(from_record(from_json(row[0])), row[1], _now())


def _now() -> datetime:
    return datetime.now(UTC)

"""Captions in Firestore: one document an image, changed under preconditions.

Contended transactions are slow there (locks are pessimistic); ``create`` and updates with a
``last_update_time`` precondition are one round trip each and have one winner.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

from google.api_core import exceptions as google
from google.api_core.retry import Retry, if_exception_type
from google.cloud import firestore
from google.cloud.firestore_v1.vector import Vector

from functions.adapters.credentials import account, unanswered
from functions.adapters.firestore_queries import (
    SIMILARITY,
    by_name,
    equal,
    exact,
    matches,
    nearest,
    oldest,
    page,
    page_size,
    queries_for,
)
from functions.adapters.firestore_rpc import Rpc, Snapshot, no_database
from functions.adapters.paging import UNRANKED, Position
from functions.core.document import Document, Page, Query, Record, Status, Stored
from functions.core.document_records import from_place, from_record, to_place, to_record
from functions.core.errors import ConfigurationError, PermanentError, Stale, TransientError
from functions.core.page_place import KeptPlace, PlaceId, PlaceText
from functions.core.review_priority import prioritised

# One attempt of one call, and all attempts of it together, in seconds. An event makes at most
# eight calls, so that Firestore's share of its time stays bounded.
_ATTEMPT_SECONDS = 5.0
_RETRY = Retry(
    predicate=if_exception_type(
        google.ServiceUnavailable,
        google.InternalServerError,
        google.Aborted,
        google.DeadlineExceeded,
        google.ResourceExhausted,
    ),
    initial=0.1,
    maximum=2.0,
    timeout=12.0,
)
_BOUNDS: dict[str, Any] = {"retry": _RETRY, "timeout": _ATTEMPT_SECONDS}
_REMOVAL_TRIES = 8
_MOST_READ = 300
_PLACE_FIELDS = tuple(each.name for each in fields(PlaceText))


class FirestoreCaptions:
    """A CaptionStore on one collection; ``Stored.version`` is the document's update time."""

    def __init__(self, client: firestore.Client, collection: str) -> None:
        self._client = client
        self._rpc = Rpc(client, _BOUNDS)
        self._captions = client.collection(collection)
        self._name, self._days = collection, f"{collection}-days"
        self._spent = ""

    def create(self, document: Document, record: Record | None = None) -> Stored | None:
        document = prioritised(document)
        write = self._rpc.create(self._name, document.id, _record(document))
        try:
            version = self._commit(write, *self._written(record))
        except google.AlreadyExists:
            return None
        return Stored(document, version, version)

    def read(self, key: str) -> Stored | None:
        return self.read_many([key]).get(key)

    def read_many(self, keys: Iterable[str]) -> Mapping[str, Stored]:
        return {each.id: _stored(each) for each in self._read(keys)}

    def read_fields(self, keys: Iterable[str], fields: Collection[str]) -> Mapping[str, Document]:
        keys = list(dict.fromkeys(keys))
        if len(keys) == 1:
            with _translating(self._client):
                found = self._rpc.fields(self._name, keys[0], fields)
            return {keys[0]: from_record(found)} if found is not None else {}
        return {each.id: from_record(each.fields) for each in self._read(keys, fields)}

    def replace(self, stored: Stored, document: Document, record: Record | None = None) -> Stored:
        document = prioritised(document)
        before, after = _record(stored.document), _record(document)
        changed = {key: value for key, value in after.items() if before.get(key) != value}
        removed = before.keys() - after.keys()
        if not changed and not removed:
            changed = {"updated_at": document.updated_at}
        write = self._rpc.update(
            self._name, document.id, changed, stored.version, removed=sorted(removed)
        )
        try:
            version = self._commit(write, *self._written(record))
        except (google.AlreadyExists, google.FailedPrecondition, google.NotFound):
            raise Stale from None
        return Stored(document, version, version)

    def remove(self, stored: Stored) -> None:
        try:
            self._commit(self._rpc.delete(self._name, stored.document.id, stored.version))
        except (google.FailedPrecondition, google.NotFound):
            raise Stale from None

    def find(self, query: Query) -> Page:
        after = Position.read(query.cursor, query.by_priority)
        if not query.by_priority:
            return self._page(query, after)
        ranked = Page(())
        if after is None or after.rank != UNRANKED:
            ranked, after = self._page(query, after), None
            if ranked.cursor or self._all_ranked(query):
                return ranked
        # An order by a field leaves out the documents that lack it.
        left = replace(query, limit=query.limit - len(ranked.found))
        rest = self._page(left, after, ranked=False)
        return Page((*ranked.found, *rest.found), rest.cursor)

    def _page(self, query: Query, after: Position | None, ranked: bool = True) -> Page:
        """A page in the query's order, or ``ranked`` or not, of what has no priority in its."""
        asked_for = query if ranked else replace(query, by_priority=False, review=True)
        queries, size = (
            queries_for(self._captions, asked_for),
            page_size(query, all_match=ranked),
        )
        found = list[Stored]()
        while True:
            pages = [page(each, after, size) for each in queries]
            with _querying(self._client):
                answers = [each for one in pages for each in self._rpc.query(one)]
            rows = list({each.id: _stored(each) for each in answers}.values())
            if len(pages) > 1:
                order = functools.partial(Position.of, by_priority=asked_for.by_priority)
                rows.sort(key=lambda each: order(each.document), reverse=True)
            rows = rows[:size]
            found += [
                each
                for each in rows
                if matches(each.document, query)
                and (ranked or each.document.review.priority is None)
            ]
            if len(found) >= query.limit:
                found = found[: query.limit]
                return Page(
                    tuple(found), Position.of(found[-1].document, query.by_priority).cursor()
                )
            if len(rows) < size:
                return Page(tuple(found))
            after = Position.of(rows[-1].document, query.by_priority)

    def _all_ranked(self, query: Query) -> bool:
        """Whether all documents of ``query`` have a priority; two counts tell."""
        each = (query, replace(query, by_priority=False, review=True))
        ranked, every = (sum(map(self._number, queries_for(self._captions, one))) for one in each)
        return ranked == every

    def count(self, query: Query) -> int | None:
        review = query.review or query.by_priority
        queries = queries_for(self._captions, replace(query, by_priority=False, review=review))
        if not exact(query) or len(queries) > 1:
            return None
        return self._number(queries[0])

    def _number(self, query: firestore.Query) -> int:
        with _querying(self._client):
            answers: Any = query.count().get(**_BOUNDS)
            return int(answers[0][0].value)

    def nearest(self, vector: Sequence[float], query: Query) -> Sequence[tuple[Stored, float]]:
        captioned = replace(query, status=Status.CAPTIONED, words=())
        near: list[tuple[Stored, float]] = []
        for each, most in nearest(self._captions, vector, captioned):
            with _querying(self._client):
                found = self._rpc.query(each)
            near = [(_stored(one), float(one.fields[SIMILARITY])) for one in found]
            near = [one for one in near if matches(one[0].document, captioned)]
            if len(near) >= query.limit or len(found) < most:
                break
        return near[: query.limit]

    def read_record(self, kind: str, key: str) -> Record:
        with _translating(self._client):
            (read,) = self._rpc.read(self._records(kind), [key])
        fields, expires_at = read.fields, read.fields.get("expires_at")
        if expires_at and expires_at <= read.read_time:
            fields, expires_at = {}, None
        text = fields.get("text", "")
        return Record(kind, key, read.read_time, text, read.update_time, expires_at)

    def write_record(self, record: Record) -> Record:
        try:
            version = self._commit(*self._written(record))
        except (google.AlreadyExists, google.FailedPrecondition, google.NotFound):
            raise Stale from None
        return replace(record, version=version)

    def read_places(self, places: Iterable[PlaceId]) -> Mapping[PlaceId, KeptPlace]:
        wanted = [self._place(*each) for each in dict.fromkeys(places)]
        found: list[Any] = []
        for start in range(0, len(wanted), _MOST_READ):
            some = wanted[start : start + _MOST_READ]
            with _translating(self._client):
                found += self._client.get_all(some, **_BOUNDS)
        kept = map(_kept_place, found)
        return {(each.image, each.key): each for each in kept}

    def write_place(self, place: KeptPlace) -> KeptPlace:
        reference = self._place(place.image, place.key)
        option = place.version and self._client.write_option(last_update_time=place.version)
        try:
            with _translating(self._client):
                if place.text is None:
                    reference.delete(option=option, **_BOUNDS)
                    return replace(place, version=None)
                fields = to_place(place.text)
                if place.version is None:
                    written = reference.create(fields, **_BOUNDS)
                else:
                    absent = set(_PLACE_FIELDS) - fields.keys()
                    fields |= dict.fromkeys(absent, firestore.DELETE_FIELD)
                    written = reference.update(fields, option=option, **_BOUNDS)
        except (google.AlreadyExists, google.FailedPrecondition, google.NotFound):
            raise Stale from None
        return replace(place, version=written.update_time)

    def remove_places(self, image: str, generation: int) -> None:
        places = self._captions.document(image).collection("places")
        after: Any = None
        while True:
            page = places.order_by("__name__").limit(_MOST_READ)
            with _translating(self._client):
                found = list((page.start_after(after) if after else page).get(**_BOUNDS))
            for each in found:
                self._remove_place(_kept_place(each), generation)
            if len(found) < _MOST_READ:
                return
            after = found[-1]

    def alike(self, md5: str, limit: int) -> Callable[[], Sequence[Stored]]:
        """By automatic indexes alone: each upload asks, and must not depend on what somebody
        deploys. No thread waits meanwhile."""
        begun = self._rpc.begin_equal(self._name, "md5", md5, limit)

        def found() -> Sequence[Stored]:
            with _querying(self._client):
                return [_stored(each) for each in begun()]

        return found

    def equal(self, fields: Mapping[str, str | bool], limit: int) -> Sequence[Stored]:
        return self._found(equal(self._captions, fields), limit)

    def oldest(self, status: str, before: datetime, limit: int) -> Sequence[Stored]:
        return self._found(oldest(self._captions, status, before), limit)

    def by_name(self, bucket: str, after: str, until: str, limit: int) -> Sequence[Stored]:
        return self._found(by_name(self._captions, bucket, after, until), limit)

    def _found(self, query: firestore.Query, limit: int) -> Sequence[Stored]:
        with _querying(self._client):
            return [_stored(each) for each in self._rpc.query(query.limit(limit))]

    def reserved(self, day: str) -> int:
        with _translating(self._client):
            (read,) = self._rpc.read(self._days, [day])
        return int(read.fields.get("model_calls", 0))

    def give_back(self, day: str, units: int) -> None:
        self._count(day, -units)

    def reserve(self, day: str, block: int, limit: int) -> int:
        """One write, which nothing contends with: what is taken over the limit goes back."""
        if self._spent == day and self.reserved(day) >= limit:
            return 0
        over = self._count(day, block) - limit
        if over > 0:
            self.give_back(day, min(over, block))
        granted = max(0, block - max(0, over))
        self._spent = "" if granted else day
        return granted

    def _count(self, day: str, units: int) -> int:
        with _translating(self._client):
            return self._rpc.increment(self._days, day, "model_calls", units)

    def _read(self, keys: Iterable[str], fields: Collection[str] = ()) -> Iterator[Snapshot]:
        """Those documents that exist."""
        wanted = list(dict.fromkeys(keys))
        for start in range(0, len(wanted), _MOST_READ):
            with _translating(self._client):
                read = self._rpc.read(self._name, wanted[start : start + _MOST_READ], fields)
            yield from (each for each in read if each.update_time)

    def _commit(self, *writes: Any) -> Any:
        with _translating(self._client):
            return self._rpc.commit(*writes)

    def _written(self, record: Record | None) -> Iterator[Any]:
        """The write of a record, if there is one."""
        if record is None:
            return
        where = self._records(record.kind), record.key
        fields = {"text": record.text, "expires_at": record.expires_at}
        if record.version is None:
            yield self._rpc.create(*where, fields)
        else:
            yield self._rpc.update(*where, fields, record.version)

    def _records(self, kind: str) -> str:
        return f"{self._name}-{kind}"

    def _remove_place(self, place: KeptPlace, generation: int) -> None:
        for _ in range(_REMOVAL_TRIES):
            if place.text is None or place.text.generation > generation:
                return
            try:
                self.write_place(replace(place, text=None))
            except Stale:
                at = (place.image, place.key)
                place = self.read_places([at])[at]
                continue
            return
        raise TransientError("what is kept of a place keeps changing; it is tried again")

    def _place(self, image: str, key: str) -> firestore.DocumentReference:
        places: firestore.CollectionReference = self._captions.document(image).collection("places")
        return places.document(key)


def records(client: firestore.Client, collection: str) -> Iterator[Mapping[str, Any]]:
    """The documents of any collection, by their IDs, some hundreds at a time."""
    query = client.collection(collection).order_by("__name__").limit(_MOST_READ)
    page = query
    while True:
        with _translating(client):
            found = list(page.get(**_BOUNDS))
        yield from (each.to_dict() or {} for each in found)
        if len(found) < _MOST_READ:
            return
        page = query.start_after(found[-1])


def _record(document: Document) -> dict[str, Any]:
    record = to_record(document)
    if document.embedding:
        record["embedding"] = Vector(document.embedding)
    return record


def _stored(read: Snapshot) -> Stored:
    return Stored(from_record(read.fields), read.update_time, read.read_time)


def _kept_place(snapshot: Any) -> KeptPlace:
    text = from_place(snapshot.to_dict()) if snapshot.exists else None
    version = snapshot.update_time if snapshot.exists else None
    image = snapshot.reference.parent.parent.id
    return KeptPlace(image, snapshot.id, _utc(snapshot.read_time), text, version)


def _utc(time: Any) -> datetime:
    return datetime.fromtimestamp(time.timestamp(), UTC)


@contextmanager
def _querying(client: firestore.Client) -> Iterator[None]:
    """As :func:`_translating`, for a query: Firestore refuses those that no index serves."""
    try:
        with _translating(client):
            yield
    except google.FailedPrecondition as error:
        raise ConfigurationError(
            "Firestore has no index for this query yet; deploy infra/firestore.indexes.json with "
            "`firebase deploy --only firestore:indexes --config infra/firebase.json`, and wait "
            "until the indexes are built"
        ) from error


@contextmanager
def _translating(client: firestore.Client) -> Iterator[None]:
    """Let preconditions through as they are, and raise other errors as our families."""
    try:
        yield
    except (google.AlreadyExists, google.FailedPrecondition, google.NotFound) as error:
        if isinstance(error, google.NotFound) and no_database(error):
            raise ConfigurationError(
                f"there is no Firestore database {client._database} in the project "
                f"{client.project}; create it, or set CAPTION_DATABASE and GOOGLE_CLOUD_PROJECT "
                "to one that is there"
            ) from error
        raise
    except (google.PermissionDenied, google.Unauthenticated) as error:
        raise ConfigurationError(
            f"Firestore refuses {account(client._credentials)} in the project {client.project}; "
            "grant it roles/datastore.user there"
        ) from error
    except google.InvalidArgument as error:
        raise PermanentError(
            "no_caption", f"Firestore does not take the document: {error.message}"
        ) from error
    except google.GoogleAPIError as error:
        raise unanswered("Firestore", error, _emulator()) from error


def _emulator() -> str:
    """Where the emulator should be, if that is who was asked."""
    host = os.environ.get("FIRESTORE_EMULATOR_HOST")
    if not host:
        return ""
    return (
        f". FIRESTORE_EMULATOR_HOST={host}: start the emulator there (host:port, without http://), "
        "or unset the variable to use Google Cloud"
    )

"""Every query that leaves this package is served by an index that we deploy, and each is needed."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter
from google.cloud.firestore_v1.types import StructuredQuery

from functions.adapters.firestore import FirestoreCaptions
from functions.core.document import Query, Review, Source, Usage
from functions.core.document_records import to_record
from functions.core.errors import ConfigurationError
from functions.core.review_priority import prioritised
from functions.usecases.keep import ASKED_BY_KEEP
from tests.infra.firestore_indexes import Indexes, leaves
from tests.support.documents import plain_document
from tests.support.recorded_firestore import Recorded, recorded_firestore

ROOT = Path(__file__).parents[2]
DEPLOYED = Indexes.load(ROOT / "infra" / "firestore.indexes.json")
SCALE = (ROOT / "docs" / "scale-and-cost.md").read_text("utf-8")
NOW = datetime(2026, 11, 23, tzinfo=UTC)
FILTERS: dict[str, Any] = {
    "status": "captioned",
    "bucket": "pictures",
    "language": "en",
    "source": "model",
    "tag": "mug",
    "words": tuple(map(str, range(31))),
    "review": True,
    "reason": "low_similarity",
    "since": NOW,
    "until": NOW,
    "prefix": "shop/",
    "by_priority": True,
}
FULL = plain_document(
    "shop/mug.jpg",
    at=NOW,
    bucket="pictures",
    generation=1764115200000000,
    captioned_at=NOW,
    content_type="image/jpeg",
    size=1,
    width=1,
    height=1,
    md5="x==",
    source=Source.MODEL,
    language="en",
    caption="A blue mug beside a kettle.",
    alt_text="Blue mug beside a kettle",
    tags=("mug", "kettle", "kitchen", "steam"),
    search_terms=tuple(f"word{number}" for number in range(8)),
    translations={"fr": {"caption": "Une tasse.", "alt_text": "Tasse", "source": "model"}},
    model="gemini:gemini-3.5-flash-lite",
    model_version="1",
    prompt="1",
    attempts=1,
    metadata_synced=True,
    review=Review(needed=False, approved_by="ann@example.com", approved_at=NOW),
    usage=Usage(1, 1, 1, 0.1),
    embedding=(1.0, *[0.0] * 767),
)
VECTOR = [1.0, *[0.0] * 767]


@pytest.fixture(scope="module")
def server() -> Iterator[Recorded]:
    with recorded_firestore() as recorded:
        yield recorded


@pytest.fixture(scope="module")
def captions(server: Recorded) -> Iterator[FirestoreCaptions]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIRESTORE_EMULATOR_HOST", server.host)
        patch.setenv("GOOGLE_CLOUD_PROJECT", "captions-test")
        client = firestore.Client()
    with closing(client):
        yield FirestoreCaptions(client, "captions")


@pytest.fixture
def store(captions: FirestoreCaptions, server: Recorded) -> FirestoreCaptions:
    """The captions, of which nothing has been asked yet."""
    server.queries.clear()
    server.refusal = None
    return captions


@pytest.fixture(scope="module")
def sent(captions: FirestoreCaptions, server: Recorded) -> list[StructuredQuery]:
    """What is sent for few filters in every combination and for nearly all, for documents and
    for near ones: each filter adds its condition or its order, whatever the others are."""
    store = captions
    server.queries.clear()
    server.refusal = None
    for count in (*range(4), len(FILTERS) - 1, len(FILTERS)):
        for chosen in itertools.combinations(FILTERS, count):
            query = Query(**{name: FILTERS[name] for name in chosen})
            store.find(query)
            if "words" not in chosen:
                store.nearest(VECTOR, query)
    store.alike("x==", 50)()
    store.oldest("deferred", NOW, 10)
    store.by_name("pictures", "a", "", 10)
    store.by_name("pictures", "a", "b", 10)
    for some in ASKED_BY_KEEP:
        store.equal(some, 10)
    unlike = {StructuredQuery.serialize(each): each for each in server.queries}
    return list(unlike.values())


def test_every_query_is_served_and_every_index_is_needed(sent: list[StructuredQuery]) -> None:
    assert len(sent) > 500
    for query in sent:
        assert not DEPLOYED.fault(query), query
    for index in DEPLOYED.composite:
        assert any(map(DEPLOYED.without(index).fault, sent)), f"no query needs {index}"


def test_nothing_is_indexed_that_no_query_asks_for(sent: list[StructuredQuery]) -> None:
    asked = {path for query in sent for path in re.findall(r'field_path: "([\w.]+)"', str(query))}
    for path, _ in leaves(to_record(FULL)):
        assert path in asked or DEPLOYED.is_exempt(path), f"{path}: exempt it from indexes"


def test_a_document_has_few_index_entries() -> None:
    record = to_record(FULL)
    assert Indexes(DEPLOYED.composite, frozenset()).entries(record) == 104
    assert DEPLOYED.entries(record) == 52
    assert "has 52 index entries, where all its fields\nwould have 104" in SCALE


def test_the_place_among_what_is_to_be_reviewed_costs_entries_only_there() -> None:
    doubtful = replace(FULL, review=Review(True, ("low_similarity",)))
    assert DEPLOYED.entries(to_record(prioritised(doubtful))) == 53 + 18
    assert "to be reviewed has 19 more" in SCALE


def test_uploads_and_the_plain_list_need_no_index_that_is_deployed(
    store: FirestoreCaptions, server: Recorded
) -> None:
    store.alike("x==", 50)()
    for query in (Query(), Query(since=NOW, until=NOW)):
        store.find(query)

    assert [Indexes(exempt=DEPLOYED.exempt).fault(each) for each in server.queries] == ["", "", ""]
    assert all(
        Indexes(exempt=frozenset({"md5", "updated_at"})).fault(each) for each in server.queries
    )


def test_filters_are_asked_of_firestore_and_not_sorted_out_afterwards(
    store: FirestoreCaptions, server: Recorded
) -> None:
    wanted = dict(FILTERS, tag="", words=("a",), by_priority=False)
    store.find(Query(**wanted))

    (query,) = server.queries
    filters = query.where.composite_filter.filters
    assert sorted(each.field_filter.field.field_path for each in filters) == [
        "bucket",
        "language",
        "name",
        "name",
        "review.needed",
        "search_terms",
        "source",
        "status",
        "updated_at",
        "updated_at",
    ]


def test_a_missing_index_is_a_fault_of_the_set_up_with_its_remedy(
    store: FirestoreCaptions, server: Recorded
) -> None:
    server.refusal = grpc.StatusCode.FAILED_PRECONDITION, "The query requires an index."

    for ask in (lambda: store.find(Query(tag="a")), lambda: store.nearest(VECTOR, Query())):
        with pytest.raises(ConfigurationError, match=r"deploy infra/firestore\.indexes\.json"):
            ask()


_UP, _DOWN = firestore.Query.ASCENDING, firestore.Query.DESCENDING
_BY_TIME = (
    (("tags", "CONTAINS"), ("at", "DESCENDING")),
    (("status", "ASCENDING"), ("at", "DESCENDING")),
)


@pytest.mark.parametrize(
    ("filters", "order", "composite", "served"),
    [
        ([], [], (), True),
        ([("a", "==", 1), ("b", "==", 1), ("tags", "array_contains", 1)], [], (), True),
        ([("a", ">", 1)], [], (), True),
        ([("a", ">", 1)], [("a", _DOWN)], (), True),
        ([("a", "==", 1), ("b", ">", 1)], [], (), False),
        ([("a", "==", 1), ("b", ">", 1)], [], ((("a", "ASCENDING"), ("b", "ASCENDING")),), True),
        ([("a", "==", 1)], [("b", _DOWN)], ((("a", "ASCENDING"), ("b", "ASCENDING")),), False),
        ([("a", ">", 1), ("b", ">", 1)], [], ((("a", "ASCENDING"), ("b", "ASCENDING")),), True),
        ([("a", ">", 1)], [("b", _UP)], ((("a", "ASCENDING"), ("b", "ASCENDING")),), False),
        ([("a", ">", 1)], [("b", _UP)], ((("b", "ASCENDING"), ("a", "ASCENDING")),), True),
        ([], [("a", _UP), ("b", _UP)], (), False),
        ([("tags", "array_contains", 1), ("status", "==", 1)], [("at", _DOWN)], _BY_TIME, True),
        ([("tags", "array_contains", 1), ("status", "==", 1)], [("at", _UP)], _BY_TIME, False),
        ([("tags", "array_contains", 1), ("a", "==", 1)], [("at", _DOWN)], _BY_TIME, False),
        ([("tags", "==", [1])], [("at", _DOWN)], _BY_TIME, False),
        ([("tags", "array_contains", 1), ("b", "array_contains_any", [1])], [], (), False),
        ([("tags", "array_contains_any", list(range(31)))], [], (), False),
    ],
)
def test_the_checker_knows_firestores_rules(
    filters: list[Any], order: list[Any], composite: Any, served: bool
) -> None:
    with closing(firestore.Client("p", _anonymous())) as client:
        query: Any = client.collection("captions")
        for each in filters:
            query = query.where(filter=FieldFilter(*each))
        for field, direction in order:
            query = query.order_by(field, direction=direction)
        sent = (query if filters or order else query.limit(1))._to_protobuf()

    assert (not Indexes(composite).fault(sent)) is served


def _anonymous() -> Any:
    from google.auth.credentials import AnonymousCredentials

    return AnonymousCredentials()

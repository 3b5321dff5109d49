"""What Firestore is asked for a Query, and what is left to sort out of its answer.

Each query here is served by an index of ``infra/firestore.indexes.json`` or by an automatic one.
Firestore's rules that shape them (its pages "Perform simple and compound queries", "Index types"
and "Search with vector embeddings"): ``array_contains`` and ``array_contains_any`` exclude each
other, at most 30 alternatives, indexes merge only if they end in the same order, and
``find_nearest`` takes equality filters that are in its own index, and names 1,000 documents at
most.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter
from google.cloud.firestore_v1.base_vector_query import DistanceMeasure
from google.cloud.firestore_v1.vector import Vector

from functions.adapters.paging import Position
from functions.core.document import Document, Query

# Not a name of a document's own field.
SIMILARITY = "similarity_to_question"
_MOST_NEAR = 1000
_MOST_ALTERNATIVES = 30
_EQUAL = ("status", "bucket", "language", "source")
_LEAST_READ = 100
_LAST = 0x10FFFF

_Filter = tuple[str, str, Any]


def queries_for(captions: firestore.CollectionReference, query: Query) -> list[firestore.Query]:
    """Queries of one order whose answers together hold all that ``query`` names, and may hold
    more: see :func:`matches`."""
    filters: list[_Filter] = [
        (field, "==", getattr(query, field)) for field in _EQUAL if getattr(query, field)
    ]
    if query.review or query.by_priority:
        filters.append(("review.needed", "==", True))
    if query.since:
        filters.append(("updated_at", ">=", query.since))
    if query.until:
        filters.append(("updated_at", "<", query.until))
    if query.prefix:
        filters.append(("name", ">=", query.prefix))
        if end := after_prefix(query.prefix):
            filters.append(("name", "<", end))
    choices: list[list[_Filter]] = [[]]
    if query.tag:
        choices = [[("tags", "array_contains", query.tag)]]
    elif query.reason and not query.words:
        choices = [[("review.reasons", "array_contains", query.reason)]]
    elif query.words:
        choices = [[("search_terms", "array_contains_any", list(some))] for some in _parts(query)]
    # The plain list needs no index but the automatic one of `updated_at`.
    beyond_time = {field for field, *_ in (*filters, *choices[0])} - {"updated_at"}
    first = ("review.priority",) if query.by_priority else ()
    order = (*first, "updated_at", *(("name",) if beyond_time else ()), "__name__")
    return [_ordered(_filtered(captions, [*filters, *choice]), order) for choice in choices]


def exact(query: Query) -> bool:
    """Whether what Firestore is asked for holds nothing but what ``query`` names: it takes one
    condition on a list at a time."""
    return sum(map(bool, (query.tag, query.words, query.reason))) < 2


def page_size(query: Query, all_match: bool) -> int:
    """How many documents to read at once; more than are wanted where not all of them match."""
    return query.limit if all_match and exact(query) else max(query.limit, _LEAST_READ)


def page(query: firestore.Query, after: Position | None, limit: int) -> firestore.Query:
    """``query`` for the ``limit`` documents that follow ``after``."""
    if after:
        place = {"updated_at": after.updated_at, "name": after.name, "__name__": after.id}
        place["review.priority"] = after.rank
        fields = [order.field.field_path for order in query._orders]
        query = query.start_after({field: place[field] for field in fields})
    return query.limit(limit)


def nearest(
    captions: firestore.CollectionReference, vector: Sequence[float], query: Query
) -> Iterator[tuple[Any, int]]:
    """Vector queries for the captioned documents of ``query``, each with the number it asks for;
    later ones ask for more, for where too few of an answer match."""
    filters: list[_Filter] = [("status", "==", "captioned")]
    if query.bucket:
        filters.append(("bucket", "==", query.bucket))
    near = _filtered(captions, filters)
    for most in dict.fromkeys(min(size, _MOST_NEAR) for size in (query.limit * 4, _MOST_NEAR)):
        yield (
            near.find_nearest(
                vector_field="embedding",
                query_vector=Vector(vector),
                distance_measure=DistanceMeasure.DOT_PRODUCT,
                limit=most,
                distance_result_field=SIMILARITY,
            ),
            most,
        )


def equal(captions: firestore.CollectionReference, fields: Mapping[str, str | bool]) -> Any:
    """A query for documents with these values: automatic indexes are merged for it."""
    return _filtered(captions, [(field, "==", value) for field, value in fields.items()])


def oldest(captions: firestore.CollectionReference, status: str, before: datetime) -> Any:
    """A query for documents of a status, those that have not changed for longest first."""
    filters: list[_Filter] = [("status", "==", status), ("updated_at", "<", before)]
    return _filtered(captions, filters).order_by("updated_at")


def by_name(captions: firestore.CollectionReference, bucket: str, after: str, until: str) -> Any:
    """A query for a bucket's documents between two names, as the bucket lists its objects."""
    filters: list[_Filter] = [("bucket", "==", bucket), ("name", ">", after)]
    if until:
        filters.append(("name", "<=", until))
    return _filtered(captions, filters).order_by("name")


def matches(document: Document, query: Query) -> bool:
    """Whether ``query`` names ``document``, whatever its limit and cursor."""
    return (
        all(getattr(document, field) == getattr(query, field) for field in _set(query))
        and (not (query.review or query.by_priority) or document.review.needed)
        and (not query.tag or query.tag in document.tags)
        and (not query.reason or query.reason in document.review.reasons)
        and (not query.words or not set(query.words).isdisjoint(document.search_terms))
        and document.name.startswith(query.prefix)
        and (query.since is None or document.updated_at >= query.since)
        and (query.until is None or document.updated_at < query.until)
    )


def after_prefix(prefix: str) -> str:
    """The first string that is greater than all with ``prefix``; empty if there is none.

    Firestore orders strings by code point, and has no surrogates.
    """
    for end in range(len(prefix) - 1, -1, -1):
        if (code := ord(prefix[end])) < _LAST:
            return prefix[:end] + chr(0xE000 if code == 0xD7FF else code + 1)
    return ""


def _set(query: Query) -> list[str]:
    return [field for field in _EQUAL if getattr(query, field)]


def _parts(query: Query) -> Iterator[tuple[str, ...]]:
    for start in range(0, len(query.words), _MOST_ALTERNATIVES):
        yield query.words[start : start + _MOST_ALTERNATIVES]


def _filtered(captions: Any, filters: Sequence[_Filter]) -> Any:
    for each in filters:
        captions = captions.where(filter=FieldFilter(*each))
    return captions


def _ordered(query: Any, order: Sequence[str]) -> Any:
    for field in order:
        query = query.order_by(field, direction=firestore.Query.DESCENDING)
    return query

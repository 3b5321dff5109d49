"""Which queries Firestore serves with which indexes: the emulator serves all of them.

Written after Firestore's pages "Index types" (automatic indexes, exemptions, merging), "Perform
simple and compound queries" (limits), "Search with vector embeddings", and StructuredQuery's own
description of the order that a query gets.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from google.cloud.firestore_v1.types import StructuredQuery

MOST_ALTERNATIVES = 30
MOST_NEAR = 1000
_CONTAINS = ("ARRAY_CONTAINS", "ARRAY_CONTAINS_ANY")
_RANGES = ("LESS_THAN", "LESS_THAN_OR_EQUAL", "GREATER_THAN", "GREATER_THAN_OR_EQUAL")

# A field and how it is indexed: ASCENDING, DESCENDING, CONTAINS or VECTOR and its dimensions.
Field = tuple[str, str]


@dataclass(frozen=True)
class Indexes:
    """The composite indexes of one collection, and the fields without automatic ones."""

    composite: tuple[tuple[Field, ...], ...] = ()
    exempt: frozenset[str] = frozenset()

    @classmethod
    def load(cls, path: Path) -> Indexes:
        """Those of a file for the Firebase CLI."""
        data = json.loads(path.read_text("utf-8"))
        exempt = {each["fieldPath"] for each in data["fieldOverrides"] if not each["indexes"]}
        composite = (tuple(map(_field, each["fields"])) for each in data["indexes"])
        return cls(tuple(composite), frozenset(exempt))

    def without(self, index: tuple[Field, ...]) -> Indexes:
        return replace(self, composite=tuple(each for each in self.composite if each != index))

    def entries(self, record: Mapping[str, Any]) -> int:
        """How many index entries a document has: two for a plain field, one for each element of a
        list, and one for each composite index that all its fields are in."""
        alone = sum(
            len(set(value)) if isinstance(value, list) else 2
            for path, value in leaves(record)
            if not self.is_exempt(path)
        )
        values = dict(leaves(record))
        return alone + sum(
            math.prod(len(set(values[path])) for path, mode in index if mode == "CONTAINS")
            for index in self.composite
            if all(path in values for path, _ in index if path != "__name__")
        )

    def is_exempt(self, path: str) -> bool:
        return any(path == each or path.startswith(f"{each}.") for each in self.exempt)

    def fault(self, query: StructuredQuery) -> str:
        """Why Firestore refuses ``query``; empty if it serves it."""
        filters = list(_filters(query.where))
        contains = [each for each in filters if each.op.name in _CONTAINS]
        if len(contains) > 1:
            return "array_contains and array_contains_any exclude each other"
        if any(len(each.value.array_value.values) > MOST_ALTERNATIVES for each in contains):
            return f"more than {MOST_ALTERNATIVES} alternatives"
        equal = {
            (each.field.field_path, "CONTAINS" if each in contains else "EQUAL")
            for each in filters
            if each.op.name not in _RANGES
        }
        ranged = {each.field.field_path for each in filters if each.op.name in _RANGES}
        if query.find_nearest:
            return self._near(query, equal, ranged)
        order, end = _order(query, ranged)
        if end != (order[-1][1] if order else end):
            return "an index ends in __name__, in the direction of its last field"
        if not equal:
            plain = len(order) == 1 and self._automatic(order[0][0])
            served = not order or plain or tuple(order) in self.composite
            return "" if served else f"no index of {order}"
        missing = equal - {field for some in self._merged(equal, order) for field in some}
        return f"no index of {sorted(missing)} in the order {order}" if missing else ""

    def _merged(self, equal: set[Field], order: list[Field]) -> Iterator[set[Field]]:
        """The equality filters of each index that may be merged for this order."""
        if not order:
            yield {field for field in equal if self._automatic(field[0])}
        for index in self.composite:
            cut = len(index) - len(order)
            first = {
                (path, "CONTAINS" if mode == "CONTAINS" else "EQUAL") for path, mode in index[:cut]
            }
            if list(index[cut:]) == order and first <= equal:
                yield first

    def _near(self, query: StructuredQuery, equal: set[Field], ranged: set[str]) -> str:
        near = query.find_nearest
        vector = near.query_vector.map_value.fields["value"].array_value.values
        if ranged or query.order_by:
            return "find_nearest takes neither ranges nor orders"
        if not 0 < near.limit <= MOST_NEAR:
            return f"find_nearest names at most {MOST_NEAR} documents"
        last = (near.vector_field.field_path, f"VECTOR {len(vector)}")
        for *first, vector_field in self.composite:
            same = {path for path, _ in first} == {path for path, _ in equal}
            if same and vector_field == last:
                return ""
        return f"no vector index of {sorted(equal)} and {last}"

    def _automatic(self, path: str) -> bool:
        parts = path.split(".")
        return not any(".".join(parts[: end + 1]) in self.exempt for end in range(len(parts)))


def leaves(record: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """The fields that Firestore indexes by themselves, by their paths."""
    for name, value in record.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def _field(field: dict[str, Any]) -> Field:
    vector = field.get("vectorConfig")
    mode = f"VECTOR {vector['dimension']}" if vector else None
    return field["fieldPath"], mode or field.get("order") or field["arrayConfig"]


def _filters(where: Any) -> Iterator[Any]:
    """The filters that all hold; no query of ours has others."""
    if where.composite_filter.filters:
        assert where.composite_filter.op.name == "AND"
        for each in where.composite_filter.filters:
            yield from _filters(each)
    elif where.field_filter:
        assert where.field_filter.op.name in ("EQUAL", *_CONTAINS, *_RANGES)
        yield where.field_filter
    else:
        assert not where.unary_filter


def _order(query: StructuredQuery, ranged: set[str]) -> tuple[list[Field], Any]:
    """The order that Firestore completes, but __name__, and the direction of that."""
    order = [(each.field.field_path, each.direction.name) for each in query.order_by]
    last = order[-1][1] if order else "ASCENDING"
    given = dict(order)
    order += [(path, last) for path in sorted(ranged - given.keys())]
    return [field for field in order if field[0] != "__name__"], given.get("__name__", last)

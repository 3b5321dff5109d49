"""Document <-> the map that a store keeps; the names are those of the stored fields."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, TypeVar

from functions.core.document import (
    Document,
    Lease,
    PastText,
    Problem,
    Proposal,
    Renewal,
    Review,
    Source,
    Status,
    Untranslated,
    Usage,
)
from functions.core.page_place import PlaceText

_NESTED: dict[str, type[Any]] = {
    "review": Review,
    "usage": Usage,
    "error": Problem,
    "lease": Lease,
    "proposal": Proposal,
    "renewal": Renewal,
    "untranslated": Untranslated,
}
E = TypeVar("E", bound=Enum)

# Most values of a record; a check for a map takes longer than all else together.
_SCALARS = frozenset({bool, datetime, float, int, str, type(None)})

_EVER = datetime.fromtimestamp(0, UTC)
_LISTS = frozenset({"tags", "search_terms", "reasons", "embedding", "languages"})
_TIMES = frozenset(
    {
        "created_at",
        "updated_at",
        "captioned_at",
        "edited_at",
        "not_before",
        "expires_at",
        "since",
        "at",
        "approved_at",
    }
)


def to_record(document: Document) -> dict[str, Any]:
    """The fields that are set; None is left out, since a null field is stored and indexed too.

    ``generation`` becomes a decimal string: 64 bits do not fit a JavaScript number.
    """
    record: dict[str, Any] = plain(document)
    record["uri"] = document.uri
    record["generation"] = str(document.generation)
    if not document.long_description:
        del record["long_description"]
    if document.review.priority is None:
        del record["review"]["priority"]
    return {key: value for key, value in record.items() if value is not None}


def from_record(record: Mapping[str, Any]) -> Document:
    """The document in ``record``, as far as it goes: people and programs edit documents.

    Unknown fields are left out, missing ones have defaults; a document without generation is
    older than any image, and one without status is still to be captioned.
    """
    values: dict[str, Any] = {"created_at": _EVER, "updated_at": _EVER, "status": Status.PENDING}
    values |= {"bucket": "", "name": "", "generation": 0} | _known_fields(Document, record)
    values["generation"] = int(values["generation"])
    values["status"] = _member(Status, values["status"], Status.PENDING)
    values["source"] = _member(Source, values.get("source", ""), Source.HUMAN)
    for name, kind in _NESTED.items():
        nested = values.get(name)
        if isinstance(nested, Mapping):
            values[name] = _made(kind, nested)
        elif nested is not None:
            del values[name]
    return Document(**{key: value for key, value in values.items() if value is not None})


def past_text(record: Mapping[str, Any]) -> PastText:
    """The text in a record of a history, as far as it goes."""
    values = _known_fields(PastText, record)
    return PastText(**values | {"source": _member(Source, values.get("source", ""), Source.HUMAN)})


def to_place(text: PlaceText) -> dict[str, Any]:
    """The fields of a place that are set, as :func:`to_record`."""
    record = plain(text) | {"generation": str(text.generation)}
    return {key: value for key, value in record.items() if value is not None}


def from_place(record: Mapping[str, Any]) -> PlaceText:
    """The place in a record, as far as it goes; one without generation is older than any image."""
    values: dict[str, Any] = {"generation": 0} | _known_fields(PlaceText, record)
    values["generation"] = int(values["generation"])
    for name in ("usage", "error", "lease"):
        if isinstance(values.get(name), Mapping):
            values[name] = _made(_NESTED[name], values[name])
    return PlaceText(**{key: value for key, value in values.items() if value is not None})


def as_json(record: Mapping[str, Any]) -> str:
    """A record as text, its times in ISO 8601 to the microsecond, in UTC."""
    return json.dumps(record, default=_encoded, ensure_ascii=False)


def from_json(text: str) -> dict[str, Any]:
    """The record in a text that :func:`as_json` wrote."""
    record: dict[str, Any] = json.loads(text, object_hook=_decoded)
    return record


def stamp(time: datetime) -> str:
    """A time as text that sorts as times do."""
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def _encoded(value: Any) -> str:
    if isinstance(value, datetime):
        return stamp(value)
    raise TypeError(f"{type(value).__name__} is not stored")


def _decoded(record: dict[str, Any]) -> dict[str, Any]:
    return {
        key: datetime.fromisoformat(value) if key in _TIMES and isinstance(value, str) else value
        for key, value in record.items()
    }


def _member(kind: type[E], value: Any, otherwise: E) -> E:
    """The member of that value. A status that nobody knows is none; a source that nobody knows
    is taken for a person, whose text is kept."""
    try:
        return kind(value)
    except ValueError:
        return otherwise


def _made(kind: type[Any], record: Mapping[str, Any]) -> Any:
    """None if what the kind cannot do without is missing."""
    try:
        return kind(**_known_fields(kind, record))
    except TypeError:
        return None


def _known_fields(kind: type[Any], record: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of ``kind`` in ``record``; None counts as absent."""
    values = {}
    for each in fields(kind):
        value = record.get(each.name)
        if value is not None:
            values[each.name] = tuple(value) if each.name in _LISTS else value
    return values


def plain(value: Any) -> Any:
    """A dataclass as a map, all the way down."""
    kind: Any = type(value)
    if kind in _SCALARS:
        return value
    if names := _field_names(kind):
        return {name: plain(getattr(value, name)) for name in names}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        first: Any = type(value[0]) if value else None
        deep = _field_names(first)
        return [plain(each) for each in value] if deep else list(value)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return value


@functools.cache
def _field_names(kind: Any) -> tuple[str, ...]:
    """Those of a dataclass; of any other type there are none."""
    return tuple(each.name for each in fields(kind)) if is_dataclass(kind) else ()

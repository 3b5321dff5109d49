"""Firestore's own messages for what documents hold."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from google.api_core.exceptions import NotFound
from google.cloud.firestore_v1 import _helpers, types
from google.cloud.firestore_v1.vector import Vector

from functions.adapters.firestore_rpc import decoded, encoded, no_database

AT = datetime(2026, 11, 26, 12, 0, 0, 123456, tzinfo=UTC)
VALUES = [None, True, 7, -(2**62), 0.5, "犬\u200d🦮", AT, [], ["a", ["b"]], {}, {"a": {"b": [1]}}]


@pytest.mark.parametrize("value", [*VALUES, Vector([0.25, -1.0])], ids=repr)
def test_a_value_is_written_as_the_client_library_writes_it(value: Any) -> None:
    theirs = _helpers.encode_value(value)
    assert encoded(value) == types.Value.pb(theirs)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_comes_back_as_it_was_written(value: Any) -> None:
    assert decoded(encoded(value)) == value


def test_a_vector_comes_back_as_numbers() -> None:
    assert decoded(encoded(Vector([0.25, -1.0]))) == [0.25, -1.0]


def test_what_documents_do_not_hold_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="set is not stored"):
        encoded({1})


@pytest.mark.parametrize(
    ("message", "missing"),
    [
        ("The database (default) does not exist for project p Please visit the console", True),
        ('"projects/p/databases/(default)/documents/captions/x" not found.', False),
        ("No document to update: projects/p/databases/(default)/documents/captions/x", False),
    ],
)
def test_a_missing_document_is_not_taken_for_a_missing_database(
    message: str, missing: bool
) -> None:
    assert no_database(NotFound(message)) is missing

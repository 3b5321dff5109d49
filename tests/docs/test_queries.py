"""The queries that docs/queries.md shows are run as they stand there."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.cloud import firestore

from functions.adapters.firestore import FirestoreCaptions
from functions.core.document import Document, Review
from tests.infra.firestore_indexes import Indexes
from tests.support.documentation import page
from tests.support.recorded_firestore import recorded_firestore

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 23, tzinfo=UTC)
VECTOR = (1.0, *[0.0] * 767)
PLAIN = Document(
    bucket="b", name="x", generation=1, status="captioned", created_at=NOW, updated_at=NOW
)
DOCUMENTS = {
    "doubtful": replace(PLAIN, name="a", review=Review(True)),
    "kitchen": replace(PLAIN, name="b", tags=("kitchen",), source="human"),
    "kettles": replace(PLAIN, name="c", search_terms=("blue", "mug")),
    "shop": replace(PLAIN, name="shop/d"),
    "alike": replace(PLAIN, name="e", embedding=VECTOR),
    "": replace(PLAIN, name="shopping"),
}


def snippet(language: str) -> str:
    """The code in this language in docs/queries.md."""
    section = page("queries")
    found = re.search(rf"```{language}\n(.*?)```", section, re.S)
    assert found
    return found[1]


@pytest.fixture
def collection(firestore_emulator: object) -> Iterator[str]:
    name = f"captions-{uuid.uuid4().hex}"
    with closing(firestore.Client()) as client:
        store = FirestoreCaptions(client, name)
        for document in DOCUMENTS.values():
            store.create(document)
        yield name


def test_each_query_in_python_finds_what_it_says(collection: str) -> None:
    code = snippet("python").replace('"captions"', repr(collection))
    names: dict[str, Any] = {"vector": VECTOR}
    exec(code, names)  # noqa: S102

    for name, document in DOCUMENTS.items():
        if name:
            assert [each.get("name") for each in names[name]] == [document.name], name


def test_each_query_in_python_has_its_index(monkeypatch: pytest.MonkeyPatch) -> None:
    indexes = Indexes.load(ROOT / "infra" / "firestore.indexes.json")
    with recorded_firestore() as recorded:
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", recorded.host)
        monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "captions-test")
        names: dict[str, Any] = {"vector": VECTOR}
        exec(snippet("python"), names)  # noqa: S102
        names["captions"]._client.close()

    assert [indexes.fault(each) for each in recorded.queries] == [""] * (len(DOCUMENTS) - 1)

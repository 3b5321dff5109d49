"""Documents for lookups, and where they are kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from functions import composition
from functions.adapters.folder import BUCKET
from tests.support.documents import plain_document

THEN = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
MUG = plain_document(
    at=THEN,
    bucket=BUCKET,
    generation=7,
    width=64,
    height=48,
    caption="A blue mug stands on a wooden counter.",
    alt_text="Blue mug on a wooden counter",
    language="en",
    translations={"fr": {"alt_text": "Tasse bleue", "caption": "Une tasse bleue."}},
    source="model",
    embedding=(0.6, 0.8),
)


def keep(name: str = "mug.jpg", bucket: str = BUCKET, **fields: Any) -> str:
    """Store a document; the address of its image."""
    store = composition.store(composition.settings())
    assert store.create(replace(MUG, bucket=bucket, name=name, **fields))
    return f"gs://{bucket}/{name}"

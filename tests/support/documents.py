"""Documents for tests: plain but for what a test is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from functions.core.document import Document, Status

THEN = datetime(2026, 11, 23, tzinfo=UTC)


def plain_document(name: str = "mug.jpg", at: datetime = THEN, **fields: Any) -> Document:
    """A captioned document of a bucket ``shop``, made ``at`` a time, with these ``fields``."""
    plain = Document(
        bucket="shop",
        name=name,
        generation=1,
        status=Status.CAPTIONED,
        created_at=at,
        updated_at=at,
    )
    return replace(plain, **fields)

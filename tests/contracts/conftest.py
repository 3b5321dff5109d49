"""Each implementation of a port, for the facts that all of them keep."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.adapters.sqlite import SqliteCaptions
from functions.core.ports import CaptionStore


@pytest.fixture(params=["sqlite", "firestore"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CaptionStore]:
    """An empty store."""
    if request.param == "sqlite":
        yield SqliteCaptions(tmp_path / "captions.db")
        return
    request.getfixturevalue("firestore_emulator")
    from google.cloud import firestore

    from functions.adapters.firestore import FirestoreCaptions

    client = firestore.Client()
    yield FirestoreCaptions(client, f"captions-{uuid.uuid4().hex}")
    client.close()

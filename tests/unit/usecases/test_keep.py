"""What one run of ``keep`` does while another one is at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from functions.adapters.folder import FolderImages
from functions.adapters.sqlite import SqliteCaptions
from functions.core.document import KeepRequest, Status, Stored
from functions.core.policy import Policy
from functions.core.report import Report
from functions.model.embeddings import Embeddings
from functions.usecases.keep import Keeping
from functions.usecases.reconcile import Reconciler
from tests.support.documents import plain_document

NOW = datetime.now(UTC)


class Overtaken(SqliteCaptions):
    """A store in which another run marks what this one has just found."""

    def oldest(self, status: str, before: datetime, limit: int) -> Sequence[Stored]:
        found = super().oldest(status, before, limit)
        for each in found:
            later = each.document.updated_at + timedelta(microseconds=5)
            super().replace(each, replace(each.document, updated_at=later))
        return found


def test_what_another_run_has_marked_is_left_to_it(tmp_path: Path) -> None:
    store, images = Overtaken(tmp_path / "captions.db"), FolderImages(tmp_path)
    waiting = plain_document(
        "a.jpg",
        bucket="local",
        status=Status.DEFERRED,
        created_at=NOW,
        updated_at=NOW - timedelta(hours=1),
    )
    store.create(waiting)
    asked: list[Any] = []

    def ask(images: Sequence[tuple[str, str]], until: float, report: Report) -> int:
        asked.extend(images)
        return len(images)

    reconciler = Reconciler(store, images, Policy.empty(), Embeddings(None))
    Keeping(store, images, reconciler, ask, lambda: NOW, daily_limit=0).keep(
        KeepRequest(), Report()
    )
    assert asked == []

"""What one run of ``keep`` does while another one is at it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from functions.adapters.folder import BUCKET, FolderImages
from functions.adapters.sqlite import SqliteCaptions
from functions.core.document import KeepRequest, Status, Stored, Upload
from functions.core.errors import ConfigurationError
from functions.core.policy import Policy
from functions.core.report import Report
from functions.model.embeddings import Embeddings
from functions.usecases.keep import Keeping
from functions.usecases.reconcile import Reconciler
from tests.support.documents import plain_document
from tests.support.pictures import jpeg

NOW = datetime.now(UTC)


class Overtaken(SqliteCaptions):
    """A store in which another run marks what this one has just found."""

    def oldest(self, status: str, before: datetime, limit: int) -> Sequence[Stored]:
        found = super().oldest(status, before, limit)
        for each in found:
            later = each.document.updated_at + timedelta(microseconds=5)
            super().replace(each, replace(each.document, updated_at=later))
        return found


class Refusing(FolderImages):
    """A bucket that may not be listed, beside the folder."""

    def list(self, bucket: str, prefix: str = "", after: str = "") -> Iterator[Upload]:
        if bucket == "theirs":
            raise ConfigurationError("storage.objects.list is missing")
        return super().list(bucket, prefix, after)


def run(store: SqliteCaptions, images: FolderImages, *buckets: str) -> tuple[list[Any], Report]:
    """One run: what it asks for, and what it tells."""
    asked: list[Any] = []

    def ask(images: Sequence[tuple[str, str]], until: float, report: Report) -> int:
        asked.extend(images)
        return len(images)

    reconciler = Reconciler(store, images, Policy.empty(), Embeddings(None), timedelta(0))
    keeping = Keeping(
        store, images, reconciler, ask, lambda: datetime.now(UTC), daily_limit=0, buckets=buckets
    )
    report = Report()
    keeping.keep(KeepRequest(), report)
    return asked, report


def test_a_bucket_that_may_not_be_listed_keeps_no_other_from_being_looked_through(
    tmp_path: Path,
) -> None:
    (tmp_path / "lost.jpg").write_bytes(jpeg())
    store = SqliteCaptions(tmp_path / "captions.db")
    asked, report = run(store, Refusing(tmp_path), "theirs", BUCKET)
    assert asked == [(BUCKET, "lost.jpg")]
    assert "gs://theirs: storage.objects.list is missing" in report.message


def test_without_any_bucket_to_look_through_it_says_how_to_name_one(tmp_path: Path) -> None:
    _, report = run(SqliteCaptions(tmp_path / "captions.db"), FolderImages(tmp_path))
    assert report.reason == "needs_a_person"
    assert "CAPTION_PUBLIC_BUCKETS" in report.message


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
    assert run(store, images, BUCKET)[0] == []

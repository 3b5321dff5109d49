"""What has come apart between a bucket and its captions, and how it is mended.

Nothing here is needed as long as every event arrives: this is for buckets that were there
first, for lost events, and for what failed too often.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import TypeVar

from functions.core import lease
from functions.core.document import (
    Deletion,
    Document,
    Query,
    Source,
    Status,
    Stored,
    Upload,
    document_id,
)
from functions.core.errors import Gone, Stale
from functions.core.policy import Policy
from functions.core.ports import CaptionStore, ImageStore
from functions.core.report import Report
from functions.core.review_priority import review_priority
from functions.core.transitions import words_for_search
from functions.model.embeddings import Embeddings, embeddable
from functions.usecases import preflight
from functions.usecases.fetch_picture import PictureFetcher
from functions.usecases.forget_image import Forgetting
from functions.usecases.label_image import label
from functions.usecases.search_captions import walk

# Pub/Sub push waits 600 s at most between two deliveries ("Push subscriptions", Pub/Sub
# documentation): what has not moved for longer has no event on its way.
SETTLED = timedelta(minutes=15)
_BATCH = 300
T = TypeVar("T")


class MismatchKind(StrEnum):
    """What is wrong with an image or a document; the first three want a caption asked for.
    ``UNPRIORITISED`` is a document to review that an earlier version wrote, whose place among
    the others is not stored, or is another one by now, and ``UNINDEXED`` one whose words for
    search are that version's."""

    UNCAPTIONED = "uncaptioned"
    OUTDATED = "outdated"
    STRANDED = "stranded"
    ORPHAN = "orphan"
    UNLABELLED = "unlabelled"
    UNEMBEDDED = "unembedded"
    UNPRIORITISED = "unprioritised"
    UNINDEXED = "unindexed"


ASKED_FOR = frozenset({MismatchKind.UNCAPTIONED, MismatchKind.OUTDATED, MismatchKind.STRANDED})


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One fault. ``generation`` is the live object's, or the document's where there is none."""

    fault: MismatchKind
    bucket: str
    name: str
    generation: int


@dataclass(slots=True)
class ReconcileReport:
    """A bucket beside its captions. ``arriving`` counts what may yet have its event coming,
    ``similarities`` are those that were measured, ``unmeasured`` the model's captions without."""

    images: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    review: int = 0
    arriving: int = 0
    cost_usd: float = 0.0
    findings: list[Mismatch] = field(default_factory=list)
    similarities: list[float] = field(default_factory=list)
    unmeasured: list[str] = field(default_factory=list)


class Reconciler:
    """Surveys and mends. ``settled`` is how long something must have rested before no event is
    expected for it; ``anew`` counts every embedding as missing, as another model made it."""

    def __init__(
        self,
        store: CaptionStore,
        images: ImageStore,
        policy: Policy,
        embeddings: Embeddings,
        settled: timedelta = SETTLED,
        *,
        anew: bool = False,
    ) -> None:
        self._store, self._images = store, images
        self._policy, self._embeddings, self._settled, self._anew = (
            policy,
            embeddings,
            settled,
            anew,
        )

    def documents(self, bucket: str, prefix: str = "") -> Iterator[Stored]:
        """All documents, of as many pages as it takes."""
        return walk(self._store, Query(bucket=bucket, prefix=prefix))

    def uploads(self, bucket: str, prefix: str = "") -> Iterator[Upload]:
        """All live objects. Raises Gone if there is no such bucket."""
        return self._images.list(bucket, prefix)

    def survey(
        self, documents: Iterable[Stored], uploads: Iterable[Upload], now: datetime
    ) -> ReconcileReport:
        """``documents`` beside ``uploads``, which are taken one after the other. Of each document
        some 400 bytes are kept."""
        survey = ReconcileReport()
        states: dict[str, tuple[int, Mismatch | None]] = {}
        for stored in documents:
            document = stored.document
            _count(survey, document)
            found = self._fault(stored)
            states[document.id] = document.generation, found
            if found is None and _at_work(stored, self._settled):
                survey.arriving += 1
        missing = dict.fromkeys(states)
        for batch in _batches(uploads):
            survey.images += len(batch)
            for upload in batch:
                missing.pop(upload.id, None)
            fresh = [each for each in batch if each.id not in states]
            there = self._store.read_many([each.id for each in fresh]) if fresh else {}
            for upload in batch:
                generation, found = states.get(upload.id, (None, None))
                if upload.id in there:
                    generation = there[upload.id].document.generation
                self._compare(survey, upload, generation, found, now)
        survey.findings += self._orphans(missing)
        order = list(MismatchKind)
        survey.findings.sort(key=lambda each: (order.index(each.fault), each.name))
        return survey

    def _compare(
        self,
        survey: ReconcileReport,
        upload: Upload,
        generation: int | None,
        found: Mismatch | None,
        now: datetime,
    ) -> None:
        if generation is None or generation < upload.generation:
            if not self._captionable(upload):
                return
            if now - upload.time < self._settled:
                survey.arriving += 1
                return
            fault = MismatchKind.UNCAPTIONED if generation is None else MismatchKind.OUTDATED
            found = Mismatch(fault, upload.bucket, upload.name, upload.generation)
        if found:
            survey.findings.append(found)

    def _orphans(self, keys: Iterable[str]) -> Iterator[Mismatch]:
        """Those of the documents with these IDs that have no object, looked up once more."""
        for batch in _batches(keys):
            for stored in self._store.read_many(batch).values():
                document = stored.document
                if self._images.look_up(document.bucket, document.name) is None:
                    yield _finding(MismatchKind.ORPHAN, document)

    def _fault(self, stored: Stored) -> Mismatch | None:
        """What is wrong with a document by itself."""
        document = stored.document
        rests = stored.read_at - document.updated_at >= self._settled
        if document.in_work:
            stranded = rests and not lease.waits_until(stored)
            return _finding(MismatchKind.STRANDED, document) if stranded else None
        captioned = document.status == Status.CAPTIONED
        if captioned and not document.metadata_synced:
            return _finding(MismatchKind.UNLABELLED, document) if rests else None
        lacks = captioned and (self._anew or not document.embedding)
        if lacks and self._embeddings.available and embeddable(document):
            return _finding(MismatchKind.UNEMBEDDED, document)
        if document.review.priority != review_priority(document):
            return _finding(MismatchKind.UNPRIORITISED, document)
        if document.search_terms != words_for_search(document):
            return _finding(MismatchKind.UNINDEXED, document)
        return None

    def _captionable(self, upload: Upload) -> bool:
        try:
            rule = self._policy.rule(upload.name)
            return not preflight.skip_reason(upload, rule, self._images)
        except Gone:
            return False

    def uncaptioned(self, uploads: Iterable[Upload], force: bool = False) -> Iterator[Upload]:
        """Those of ``uploads`` that are to have a caption and have none: no document, an older
        image's, or one that failed, was deferred, or is pending with nobody at work on it. With
        ``force`` also those that have one or were rejected."""
        for batch in _batches(uploads):
            there = self._store.read_many([each.id for each in batch])
            for upload in batch:
                stored = there.get(upload.id)
                if (stored is None or _unfinished(stored, upload) or force) and self._captionable(
                    upload
                ):
                    yield upload

    def mend(self, finding: Mismatch, report: Report) -> bool:
        """Mend what needs no caption; whether it is mended. Where something else has been written
        meanwhile, it is left to the next survey. Raises what the stores raise."""
        if finding.fault is MismatchKind.ORPHAN:
            deletion = Deletion(finding.bucket, finding.name, finding.generation)
            Forgetting(self._store, self._images).forget(deletion, report)
            return report.outcome in {"forgotten", "absent"}
        stored, upload = self._pair(finding.bucket, finding.name)
        if stored is None or upload is None:
            return False
        if finding.fault is MismatchKind.UNLABELLED:
            embed = self._embeddings.embedding_once(report)
            return label(self._store, self._images, stored, upload, embed) == "labelled"
        document = stored.document
        if finding.fault is MismatchKind.UNPRIORITISED:
            return self._keep(stored, document)
        if finding.fault is MismatchKind.UNINDEXED:
            return self._keep(stored, replace(document, search_terms=words_for_search(document)))
        if self._anew:
            document = replace(document, embedding=None, similarity=None)
        embedded = self._embeddings.with_embedding(document, report)
        return bool(embedded.embedding) and self._keep(stored, embedded)

    def measure(self, bucket: str, name: str, max_pixels: int, report: Report) -> float | None:
        """How well a caption matches its image, kept in its document; None, and in ``report``
        why, if that cannot be told. Raises what the stores raise."""
        stored, upload = self._pair(bucket, name)
        if stored is None or upload is None:
            return None

        fetch = functools.partial(PictureFetcher(self._images, 1 << 31, max_pixels).fetch, upload)

        with suppress(Gone):
            made = self._embeddings.measured(stored.document, fetch, report)
            self._keep(stored, replace(made, usage=made.usage + report.usage))
            return made.similarity
        return None

    def _pair(self, bucket: str, name: str) -> tuple[Stored | None, Upload | None]:
        """A document and its object, if they are of one generation; else None for both."""
        stored = self._store.read(document_id(bucket, name))
        upload = self._images.look_up(bucket, name)
        if stored and upload and stored.document.generation == upload.generation:
            return stored, upload
        return None, None

    def close(self) -> None:
        """Let go of the embedding model's connections."""
        self._embeddings.close()

    def _keep(self, stored: Stored, document: Document) -> bool:
        """Write ``document`` over ``stored``, unless that has changed."""
        with suppress(Stale):
            self._store.replace(stored, document)
            return True
        return False


def _count(survey: ReconcileReport, document: Document) -> None:
    survey.statuses[document.status] += 1
    survey.review += document.review.needed
    survey.cost_usd += document.usage.cost_usd
    if document.similarity is not None:
        survey.similarities.append(document.similarity)
    elif (
        document.status == Status.CAPTIONED
        and document.source == Source.MODEL
        and embeddable(document)
    ):
        survey.unmeasured.append(document.name)


def _at_work(stored: Stored, settled: timedelta) -> bool:
    document = stored.document
    unfinished = document.in_work or (
        document.status == Status.CAPTIONED and not document.metadata_synced
    )
    return unfinished and stored.read_at - document.updated_at < settled


def _unfinished(stored: Stored, upload: Upload) -> bool:
    document = stored.document
    if document.generation != upload.generation:
        return document.generation < upload.generation
    if document.in_work:
        return not lease.waits_until(stored)
    return document.status in {Status.FAILED, Status.DEFERRED}


def _finding(fault: MismatchKind, document: Document) -> Mismatch:
    return Mismatch(fault, document.bucket, document.name, document.generation)


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    remaining = iter(items)
    while batch := list(islice(remaining, _BATCH)):
        yield batch

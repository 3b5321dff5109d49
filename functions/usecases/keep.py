"""What a careful operator would do every quarter of an hour: take up what waits, and mend.

Each step is an indexed query or a part of a listing that goes on where the last run stopped.
Whoever takes up a document marks it first, by compare-and-set, so that several runs at once
ask for it once; what is lost on the way is taken up again when it has rested.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Protocol

from functions.core import lease
from functions.core.document import KeepRequest, Query, Status, Stored, document_id
from functions.core.errors import CaptionError, ConfigurationError, Gone, Stale
from functions.core.ports import CaptionStore, ImageStore
from functions.core.report import Report
from functions.usecases.reconcile import (
    ASKED_FOR,
    SETTLED,
    Mismatch,
    MismatchKind,
    Reconciler,
    ReconcileReport,
)
from functions.usecases.request_translations import Wanted
from functions.usecases.translate import COUNTED_AS

# A run ends before its message would be delivered again, and before a function's usual bound.
SECONDS = 45.0
# Of what may wait in great numbers: how many a run takes up; while no model answers, how many
# it tries; how many objects it looks at.
_MOST, _TRIED, _LOOKED_AT = 1000, 20, 5000
_PAGE, _AT_ONCE = 250, 8
_BOOKMARKS = "bookmarks"
# A caption of the last hour shows that a model answers.
_LATELY = timedelta(hours=1)
_UNLABELLED: Mapping[str, str | bool] = {"status": "captioned", "metadata_synced": False}
_UNTOLD: Mapping[str, str | bool] = {"untold": True}
_RENEWED: tuple[Mapping[str, str | bool], ...] = tuple(
    {"status": "captioned", "renewal.forced": forced} for forced in (True, False)
)
_UNTRANSLATED: Mapping[str, str | bool] = {"untranslated.waits": True}
_EXPIRED: Mapping[str, str | bool] = {"status": "failed", "error.reason": "expired"}
ASKED_BY_KEEP = (_UNLABELLED, _EXPIRED, _UNTOLD, _UNTRANSLATED, *_RENEWED)

_NO_BUCKET = (
    "which buckets there are: no image has a document yet, and none is named. Set "
    "CAPTION_PUBLIC_BUCKETS, or name one to look for lost events: captions keep gs://BUCKET, or "
    '{"bucket": "BUCKET"} as the message\'s data'
)

# Bucket and name of an image that is to be captioned.
Image = tuple[str, str]


class CaptionRequester(Protocol):
    """Has images captioned, until a moment of ``time.monotonic``; the number asked for."""

    def __call__(self, images: Sequence[Image], until: float, report: Report) -> int: ...


# Has text translated, likewise.
Translate = Callable[[Sequence[Wanted], float, Report], int]


@dataclass(slots=True)
class _KeepRun:
    """One run: what is asked of it, until when, and what it has done."""

    request: KeepRequest
    until: float
    report: Report
    faults: list[str]

    def over(self) -> bool:
        return time.monotonic() >= self.until

    def concerns(self, stored: Stored) -> bool:
        bucket, document = self.request.bucket, stored.document
        return (not bucket or document.bucket == bucket) and document.name.startswith(
            self.request.prefix
        )

    def count(self, what: str, number: int = 1) -> None:
        if number:
            self.report.kept[what] = self.report.kept.get(what, 0) + number


class Keeping:
    """The use case of a clock. ``buckets`` are those to look through where none is named."""

    def __init__(
        self,
        store: CaptionStore,
        images: ImageStore,
        reconciler: Reconciler,
        ask: CaptionRequester,
        clock: Callable[[], datetime],
        *,
        daily_limit: int,
        translate: Translate | None = None,
        translation_limit: int = 0,
        buckets: Sequence[str] = (),
        seconds: float = SECONDS,
        settled: timedelta = SETTLED,
    ) -> None:
        self._store, self._images, self._reconciler = store, images, reconciler
        self._ask, self._clock, self._limit = ask, clock, daily_limit
        self._translate, self._translation_limit = translate, translation_limit
        self._buckets, self._seconds, self._settled = buckets, seconds, settled

    def keep(self, request: KeepRequest, report: Report) -> None:
        """Do what can be done within the bound of time. What stands in the way of one step does
        not keep the others from being done; it is told, with what a person should look at."""
        run = _KeepRun(request, time.monotonic() + self._seconds, report, [])
        report.bucket, report.name, report.outcome = request.bucket, request.prefix, "kept"
        for step in (
            self._deferred,
            self._left_behind,
            self._expired,
            self._untranslated,
            self._unlabelled,
            self._untold,
            self._looked_through,
        ):
            try:
                if not run.over():
                    step(run)
            except CaptionError as error:
                run.faults.append(f"{step.__name__.strip('_')}: {error}")
        self._tell(run)

    def _deferred(self, run: _KeepRun) -> None:
        """Uploads over a daily limit, and wishes for other words, as many as today's limit
        allows, the oldest upload first."""
        now = self._clock()
        left = self._limit - self._store.reserved(now.date().isoformat())
        most = min(left, _MOST) if self._limit else _MOST
        if most > 0:
            waiting = [*self._store.oldest("deferred", now, most)]
            waiting += filter(_over_the_limit, self._renewed())
            self._take_up(run, "deferred", filter(run.concerns, waiting[:most]))

    def _left_behind(self, run: _KeepRun) -> None:
        """Documents whose text is due and nobody makes it: a holder died, or no event is left."""
        now = self._clock()
        waiting = [*self._store.oldest("pending", now, _MOST)]
        waiting += (each for each in self._renewed() if not _over_the_limit(each))
        stranded = [each for each in waiting if run.concerns(each) and self._stranded(each)]
        most = _MOST if self._answers(now) else _TRIED
        self._take_up(run, "left_behind", stranded[:most])

    def _renewed(self) -> Iterator[Stored]:
        """Captions for which somebody wants other words."""
        for each in _RENEWED:
            yield from self._store.equal(each, _PAGE)

    def _stranded(self, stored: Stored) -> bool:
        if lease.waits_until(stored):
            return False
        rests = stored.read_at - stored.document.updated_at
        return stored.document.lease is not None or rests >= self._settled

    def _answers(self, now: datetime) -> bool:
        """Whether a model has written a caption lately."""
        lately = Query(status="captioned", since=now - _LATELY, limit=10)
        return any(
            each.document.usage.model_calls
            and each.document.captioned_at
            and each.document.captioned_at > now - _LATELY
            for each in self._store.find(lately).found
        )

    def _expired(self, run: _KeepRun) -> None:
        """Uploads whose events grew too old in an outage, once a model answers."""
        if self._answers(self._clock()):
            given_up = self._store.equal(_EXPIRED, _MOST)
            self._take_up(run, "expired", filter(run.concerns, given_up))

    def _untranslated(self, run: _KeepRun) -> None:
        """Text that is still to be put into other languages, as far as today's limit allows: what
        a spent limit put off, and what was lost after a person's edit."""
        now = self._clock()
        left = self._translation_limit - self._store.reserved(COUNTED_AS + now.date().isoformat())
        if left <= 0 or not self._translate:
            return
        wanted = []
        for stored in filter(run.concerns, self._store.equal(_UNTRANSLATED, min(left, _PAGE))):
            document, due = stored.document, stored.document.untranslated
            if due and due.since and stored.read_at - due.since >= self._settled:
                wanted.append((document.bucket, document.name, due.languages))
        if wanted:
            run.count("translations", self._translate(wanted, run.until, run.report))

    def _take_up(self, run: _KeepRun, what: str, waiting: Iterable[Stored]) -> None:
        """Mark documents as waiting without a holder, and ask for those that were marked."""
        remaining = iter(waiting)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            while not run.over() and (some := list(islice(remaining, _PAGE))):
                marked = zip(some, pool.map(self._mark, some), strict=True)
                mine = [each.document for each, won in marked if won]
                images = [(each.bucket, each.name) for each in mine]
                if images:
                    run.count(what, self._ask(images, run.until, run.report))

    def _mark(self, stored: Stored) -> bool:
        document = stored.document
        marked = replace(
            document,
            status=document.status if document.in_work else Status.PENDING,
            attempts=document.attempts if document.in_work else 0,
            lease=None,
            not_before=None,
            updated_at=max(stored.read_at, document.updated_at + timedelta(microseconds=1)),
        )
        with suppress(Stale):
            self._store.replace(stored, marked)
            return True
        return False

    def _unlabelled(self, run: _KeepRun) -> None:
        """Captions that are not in their objects' metadata."""
        for stored in filter(run.concerns, self._store.equal(_UNLABELLED, _PAGE)):
            if run.over():
                return
            document = stored.document
            self._mend(run, MismatchKind.UNLABELLED, document.bucket, document.name)

    def _untold(self, run: _KeepRun) -> None:
        """Ends that the topic of events has not been told of; the store tells of them."""
        for stored in self._store.equal(_UNTOLD, _PAGE):
            document = stored.document
            if document.in_work or lease.unlabelled(document) or not run.concerns(stored):
                continue
            with suppress(Stale):
                after = self._store.replace(stored, replace(document, untold=None))
                run.count("told", not after.document.untold)
            if run.over():
                return

    def _looked_through(self, run: _KeepRun) -> None:
        """The next part of each bucket beside its captions: lost events, images that are gone,
        missing labels and embeddings."""
        buckets = [run.request.bucket] if run.request.bucket else self._buckets_to_check()
        if not buckets:
            run.faults.append(_NO_BUCKET)
        share = max(1, _LOOKED_AT // max(1, len(buckets)))
        for bucket in buckets:
            try:
                for some in self._parts(run, bucket, share):
                    self._mend_part(run, some)
            except CaptionError as error:  # the other buckets' images have no part in it
                run.faults.append(f"gs://{bucket}: {error}")

    def _buckets_to_check(self) -> Sequence[str]:
        if self._buckets:
            return self._buckets
        newest = self._store.find(Query(limit=100)).found
        return sorted({each.document.bucket for each in newest})

    def _parts(self, run: _KeepRun, bucket: str, most: int) -> Iterator[ReconcileReport]:
        """Surveys of the names that follow the last run's, until the end or enough is seen."""
        prefix = run.request.prefix
        key = document_id(bucket, prefix)
        after = self._store.read_record(_BOOKMARKS, key).text
        while most > 0 and not run.over():
            try:
                size = min(most, _PAGE)
                listed = list(islice(self._images.list(bucket, prefix, after), size))
            except Gone:
                run.faults.append(f"there is no bucket gs://{bucket}")
                return
            most -= len(listed)
            until = listed[-1].name if len(listed) == size else ""
            documents = filter(run.concerns, self._between(bucket, after, until))
            yield self._reconciler.survey(documents, listed, self._clock())
            run.count("looked_at", len(listed))
            after = until
            self._remember(key, after)
            if not after:
                return

    def _remember(self, key: str, after: str) -> None:
        """Where the next run goes on; of several at once, any of theirs will do."""
        with suppress(Stale):
            record = self._store.read_record(_BOOKMARKS, key)
            self._store.write_record(replace(record, text=after))

    def _between(self, bucket: str, after: str, until: str) -> Iterator[Stored]:
        while some := self._store.by_name(bucket, after, until, _PAGE):
            yield from some
            after = some[-1].document.name
            if len(some) < _PAGE:
                return

    def _mend_part(self, run: _KeepRun, survey: ReconcileReport) -> None:
        # What is pending has its own step, which knows whether anything is on its way.
        missing = [
            (each.bucket, each.name)
            for each in survey.findings
            if each.fault in ASKED_FOR and each.fault is not MismatchKind.STRANDED
        ]
        if missing:
            run.count("lost_events", self._ask(missing, run.until, run.report))
        for each in survey.findings:
            if each.fault not in ASKED_FOR and not run.over():
                self._mend(run, each.fault, each.bucket, each.name, each.generation)

    def _mend(
        self, run: _KeepRun, fault: MismatchKind, bucket: str, name: str, generation: int = 0
    ) -> None:
        report = Report()
        try:
            done = self._reconciler.mend(Mismatch(fault, bucket, name, generation), report)
        except ConfigurationError:
            raise
        except CaptionError as error:
            run.faults.append(f"gs://{bucket}/{name}: {error}")
            return
        run.report.usage += report.usage
        run.count(str(fault), done)

    def _tell(self, run: _KeepRun) -> None:
        """What was done, and what is left for a person."""
        report, now = run.report, self._clock()
        reasons: Counter[str] = Counter()
        with suppress(CaptionError):
            for stored in filter(run.concerns, self._store.oldest("failed", now, _PAGE)):
                error = stored.document.error
                reasons[error.reason if error else "no reason"] += 1
        done = ", ".join(f"{what} {number:,}" for what, number in report.kept.items())
        report.message = f"kept: {done or 'nothing to do'}"
        if reasons:
            counts = ", ".join(f"{number:,} {reason}" for reason, number in reasons.items())
            run.faults.append(f"{counts}: see `captions list --status failed`")
        if run.faults:
            report.reason = "needs_a_person"
            report.message += "; a person should look at " + "; ".join(run.faults[:10])


def _over_the_limit(stored: Stored) -> bool:
    error = stored.document.error
    return error is not None and error.reason == "over_budget"

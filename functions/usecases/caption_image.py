"""The use cases that end in a caption: an upload, and somebody's request."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from functions import quality
from functions.core import lease, object_metadata, transitions
from functions.core.clock import Clock
from functions.core.document import (
    CaptionRequest,
    Document,
    Problem,
    Prompt,
    Source,
    Status,
    Stored,
    Upload,
)
from functions.core.errors import Gone, Held, OverBudget, PermanentError, Stale, TransientError
from functions.core.lease import Claim, Decision, LeaseRequest, Trigger
from functions.core.policy import Policy, Rule
from functions.core.ports import Captioner, CaptionStore, Embedder, ImageStore
from functions.core.report import Report
from functions.model.client import ModelClient
from functions.model.embeddings import Embeddings
from functions.model.prompt import compose
from functions.model.quota import DailyLimit
from functions.settings import Settings
from functions.usecases import find_copy, forget_image, preflight
from functions.usecases.fetch_picture import PictureFetcher
from functions.usecases.label_image import label

# How often a write that met another one is tried again before the event is redelivered.
_CONTENTION = 8
# An event lives for a day, and each pause costs an attempt: ten of them must fit.
_LONGEST_PAUSE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Task:
    """A claimed upload, and what is asked about it."""

    claim: Claim
    upload: Upload
    rule: Rule
    languages: Sequence[str]
    prompt: Prompt


class Captioning:
    """Keeps one caption for each stored image.

    A method returns when its event is to be acknowledged, and raises a TransientError or
    ConfigurationError when it is to be redelivered; ``report`` tells what happened.
    """

    def __init__(
        self,
        settings: Settings,
        policy: Policy,
        store: CaptionStore,
        images: ImageStore,
        captioner: Captioner,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        fallbacks: Sequence[Captioner] = (),
        embedder: Embedder | None = None,
    ) -> None:
        self._settings, self._policy, self._clock = settings, policy, Clock(clock)
        self._store, self._images, self._captioner = store, images, captioner
        self._lease = timedelta(seconds=settings.lease_seconds)
        self._pictures = PictureFetcher(images, settings.max_bytes, settings.max_pixels)
        self._captioners = (captioner, *fallbacks)
        self._model = ModelClient(
            self._captioners,
            DailyLimit(store, settings.daily_limit),
            self._clock,
            rules=settings.filter != "off",
            own_prices=settings.prices,
        )
        self._embeddings = Embeddings(embedder, settings.prices)

    def close(self) -> None:
        """Close the models' connections."""
        for each in self._captioners:
            each.close()
        self._embeddings.close()

    def caption(self, upload: Upload, report: Report, trigger: Trigger | None = None) -> None:
        """Give one generation of an object its caption, once."""
        report.bucket, report.name = upload.bucket, upload.name
        report.generation = upload.generation
        rule = self._policy.rule(upload.name)
        try:
            if reason := preflight.skip_reason(upload, rule, self._images):
                forget_image.withdraw(self._store, self._images, upload)
                report.outcome, report.reason = "skipped", reason
                return
        except Gone:
            report.outcome = "gone"
            return
        languages = preflight.languages(upload, rule, self._settings.languages)
        prompt = compose(rule, languages, object_metadata.hint(upload))
        claim = self._claim(upload, prompt, trigger or Trigger(upload.time), report)
        if claim and claim.stored.document.status == Status.CAPTIONED:
            self._label(claim.stored, upload, report)
        elif claim:
            self._work(Task(claim, upload, rule, languages, prompt), report)

    def request(self, request: CaptionRequest, report: Report) -> None:
        """Caption the live object of that name, again if it ended without a caption, and if
        ``force`` is set in any case. The same request a second time has no effect."""
        report.bucket, report.name = request.bucket, request.name
        upload = self._images.look_up(request.bucket, request.name)
        if upload is None:
            forget_image.drop_gone(self._store, self._images, request.bucket, request.name)
        if upload is None or (request.generation or upload.generation) != upload.generation:
            report.outcome = "gone"
            return
        trigger = Trigger(request.time, retry=True, force=request.force)
        self.caption(replace(upload, time=request.time), report, trigger)

    def _claim(
        self, upload: Upload, prompt: Prompt, trigger: Trigger, report: Report
    ) -> Claim | None:
        """The document, claimed; as it is if only its labels are missing; None if there is
        nothing to do. Raises Held where another delivery may still do it."""
        request = LeaseRequest(
            uuid.uuid4().hex, self._captioner.model, prompt.version, self._clock(), self._lease
        )
        for _ in range(_CONTENTION):
            won = self._store.create(lease.first(upload, request))
            stored = won or self._store.read(upload.id)
            if stored is None:
                continue
            wrong = self._clock.set(stored.read_at)
            request = replace(request, at=self._clock())
            mine = lease.holds(request, stored.document)  # created, perhaps with a lost answer
            if mine and not wrong:
                return Claim(stored)
            decision = Decision.WORK if mine else lease.decide(stored, upload, trigger)
            if decision is Decision.HELD:
                raise Held(f"held until {lease.waits_until(stored)}")
            if decision is not Decision.WORK:
                report.outcome = decision.value
                return Claim(stored) if decision is Decision.LABEL else None
            taken = lease.renewed if mine else lease.taken
            try:
                return Claim(
                    self._store.replace(stored, taken(stored, upload, request)), stored.document
                )
            except Stale:
                continue
        raise Held("the document keeps changing; other deliveries are at work on it")

    def _work(self, task: Task, report: Report) -> None:
        """Bring a claimed document to its end: captioned, or ended with a reason."""
        stored = task.claim.stored
        report.model = self._captioner.model
        try:
            document = self._captioned(task, report)
            report.outcome = "captioned"
        except Gone:
            forget_image.drop(self._store, self._images, stored)
            report.outcome = "gone"
            return
        except OverBudget:
            document = self._ended(
                task,
                Status.DEFERRED,
                "over_budget",
                f"the day's {self._settings.daily_limit} model calls are spent; run `captions "
                "retry` tomorrow, or raise CAPTION_DAILY_LIMIT",
                report,
            )
        except PermanentError as error:
            status = Status.FAILED if error.reason in preflight.GIVEN_UP else Status.REJECTED
            document = self._ended(task, status, error.reason, error.message, report)
        except Exception as error:
            self._postpone(stored, error, report)
            raise
        saved = self._save(stored, transitions.spent(document, report.usage), report)
        if saved and lease.unlabelled(saved.document):
            self._label(saved, task.upload, report)

    def _captioned(self, task: Task, report: Report) -> Document:
        """The document with its words: a copy's, or the model's. Raises what ends the work."""
        upload, document = task.upload, task.claim.stored.document
        preflight.check(upload, document, self._images, self._settings, self._clock())
        people = object_metadata.uploader_text(upload)
        if copy := find_copy.copy_of(self._store, task.claim):
            preflight.look_for(upload, self._images)
            return transitions.copied(document, copy, people, self._clock())
        fetch = functools.partial(self._pictures.fetch, upload)
        picture = fetch(self._captioner.accepts)
        try:
            context = quality.Context(
                languages=tuple(task.languages),
                max_length=task.rule.max_length,
                hints=tuple(filter(None, [object_metadata.hint(upload)])),
                name=upload.name,
                prompt_text=f"{task.prompt.system}\n{task.prompt.user}",
            )
            asked = self._model.ask(
                picture, fetch, task.prompt, context, self._repair_until(), report
            )
        finally:
            picture.release()
        document = transitions.captioned(document, asked, people, self._clock())
        if self._settings.filter == "similarity" and document.source == Source.MODEL:
            threshold = self._settings.similarity_threshold
            document = self._embeddings.judged(document, fetch, threshold, report)
        return document

    def _repair_until(self) -> datetime:
        """A second call is begun only if it can end while the claim holds."""
        return self._clock() + self._lease - timedelta(seconds=2 * self._settings.timeout_seconds)

    def _save(self, stored: Stored, document: Document, report: Report) -> Stored | None:
        """Write what the work came to; None, with the outcome, where it is no longer wanted.

        A caption that was paid for is saved over the claim of a delivery that took over.
        """
        for _ in range(_CONTENTION):
            try:
                return self._store.replace(stored, document)
            except Stale:
                current = self._store.read(document.id)
            if current is None:
                report.outcome = "gone"
                return None
            if current.document.generation != document.generation:
                report.outcome = "superseded"
                return None
            if current.document == document:
                return current  # written, though the answer to that was lost
            edited = current.document.source == Source.HUMAN != document.source
            if edited or current.document.status != Status.PENDING:
                report.outcome = "done"
                return None
            stored = current
        raise Held("the document keeps changing; other deliveries are at work on it")

    def _label(self, stored: Stored, upload: Upload, report: Report) -> None:
        """Write a captioned document's text into the object's metadata and note that."""
        place = self._embeddings.placing(report)
        ended = label(self._store, self._images, stored, upload, place)
        if ended == "gone":
            report.outcome = ended
        elif ended == "changed_meanwhile":
            report.reason = ended
        else:
            report.outcome = "captioned" if report.usage.model_calls else report.outcome or ended

    def _postpone(self, stored: Stored, error: Exception, report: Report) -> None:
        """Let go of the claim and keep the error; the platform's redelivery takes it up."""
        now = self._clock()
        waited = isinstance(error, Held)
        after = error.retry_after if isinstance(error, TransientError) else None
        document = replace(
            transitions.spent(stored.document, report.usage),
            updated_at=now,
            attempts=stored.document.attempts - waited,
            lease=None,
            not_before=now + min(timedelta(seconds=after), _LONGEST_PAUSE) if after else None,
            error=None if waited else Problem(transitions.kind(error), str(error)[:1000], now),
        )
        try:
            self._store.replace(stored, document)
        except (Stale, TransientError):
            return  # somebody else has it, or the lease runs out by itself

    def _ended(
        self, task: Task, status: Status, reason: str, message: str, report: Report
    ) -> Document:
        """The document without new words; those that it had before stand."""
        report.outcome, report.reason = status, reason
        now, before = self._clock(), task.claim.before
        if (
            before
            and before.generation == task.upload.generation
            and before.status == Status.CAPTIONED
        ):
            message = f"asked again in vain, the words from before stand: {message}"
            return replace(before, updated_at=now, error=Problem(reason, message, now))
        claimed = task.claim.stored.document
        return transitions.ended(claimed, status, now, Problem(reason, message, now))

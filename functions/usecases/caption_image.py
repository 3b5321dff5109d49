"""The use cases that end in a caption: an upload, and somebody's request."""

from __future__ import annotations

import functools
import threading
import uuid
from collections.abc import Callable, Sequence
from concurrent import futures
from concurrent.futures import Future
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from functions import quality
from functions.core import background, lease, object_metadata, transitions
from functions.core.background import Start
from functions.core.clock import Clock
from functions.core.document import (
    CaptionRequest,
    Document,
    EmbeddedText,
    Problem,
    Prompt,
    Record,
    Source,
    Status,
    Stored,
    Upload,
)
from functions.core.errors import (
    Away,
    CaptionError,
    ConfigurationError,
    Gone,
    Held,
    OverBudget,
    PermanentError,
    Stale,
    TransientError,
)
from functions.core.lease import Claim, Decision, LeaseRequest, Trigger
from functions.core.policy import Policy, Rule
from functions.core.ports import Captioner, CaptionStore, Embedder, ImageStore
from functions.core.report import Report
from functions.core.spans import span
from functions.core.work_limiter import WorkLimiter
from functions.model.client import ModelClient
from functions.model.embeddings import Embeddings, Made
from functions.model.health import LONG_PATIENCE, MOMENT, Turn, Wait
from functions.model.prompt import compose
from functions.model.quota import DailyLimit
from functions.settings import Settings
from functions.usecases import find_copy, forget_image, keep_history, preflight
from functions.usecases.fetch_picture import PictureFetcher
from functions.usecases.label_image import label
from functions.usecases.translate import Translating

# How often a write that met another one is tried again before the event is redelivered.
_CONTENTION = 8
_SAVING_SECONDS = 2
# Whatever a provider asks for: an image is to be captioned within the day.
_LONGEST_PAUSE = timedelta(hours=1)


# What a claimed document comes to, whatever has become of it meanwhile.
Finish = Callable[[Document], Document]
T = TypeVar("T")


@dataclass(slots=True)
class Task:
    """A claimed upload, what is asked about it, and the right to ask. The claim may be renewed;
    ``record`` is that of its picture's text as this claim left it, ``embedding`` is being made of
    the text meanwhile; ``beside`` is all that was begun, and has to end before the event does."""

    claim: Claim
    upload: Upload
    rule: Rule
    languages: Sequence[str]
    prompt: Prompt
    turn: Turn | None = None
    record: Record | None = None
    embedding: Future[Made] | None = None
    beside: list[Future[Any]] = field(default_factory=list)


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
        wait: Wait = threading.Condition.wait,
        start: Start[Any] = background.start,
        limiter: WorkLimiter | None = None,
    ) -> None:
        self._settings, self._policy, self._clock = settings, policy, Clock(clock)
        self._store, self._images, self._captioner = store, images, captioner
        self._lease = timedelta(seconds=settings.lease_seconds)
        # A call of the model, and the writes after it.
        self._call = timedelta(seconds=settings.timeout_seconds + _SAVING_SECONDS)
        self._pictures = PictureFetcher.by(
            settings, images, whole_videos=settings.video == "native" and not fallbacks
        )
        self._captioners = (captioner, *fallbacks)
        self._model = ModelClient(
            self._captioners,
            DailyLimit(store, settings.daily_limit),
            self._clock,
            rules=settings.filter != "off",
            own_prices=settings.prices,
            wait=wait,
        )
        self._embeddings = Embeddings(embedder, settings.prices)
        self._unrecorded = find_copy.Unrecorded(store)
        self._start = start
        self._limiter = limiter or WorkLimiter()
        self._translating = Translating(settings, policy, store, self._model.chain, self._clock)

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
        upload = self._whole(upload)
        try:
            if reason := preflight.skip_reason(upload, rule, self._images):
                forget_image.withdraw(self._store, self._images, upload)
                report.outcome, report.reason = "skipped", reason
                return
        except Gone:
            report.outcome = "gone"
            return
        languages = preflight.languages(upload, rule, self._settings.languages)
        prompt = compose(
            rule,
            languages,
            object_metadata.hint(upload),
            max_output_tokens=self._settings.max_output_tokens,
        )
        trigger = trigger or Trigger(upload.time)
        try:
            with ExitStack() as stack:
                if turn := self._turn(upload, prompt, trigger):
                    stack.enter_context(turn)
                stack.enter_context(self._limiter.working())
                with span("claim"):
                    claim = self._claim(upload, prompt, trigger, report)
                if claim and claim.label:
                    self._label(claim.stored, upload, report)
                elif claim:
                    task = Task(claim, upload, rule, languages, prompt, turn)
                    # Nothing goes on once the event has ended: the platform may stop the instance.
                    stack.callback(lambda: futures.wait(task.beside))
                    self._work(task, report)
        finally:
            report.model_state = self._model.state

    def request(self, request: CaptionRequest, report: Report) -> None:
        """Caption the live object of that name, again if it ended without a caption, and if
        ``force`` is set in any case; or translate the words that it has. The same request a
        second time has no effect."""
        if request.translate:
            return self._translating.translate(request, report)
        report.bucket, report.name = request.bucket, request.name
        upload = self._images.look_up(request.bucket, request.name)
        if upload is None:
            forget_image.drop_gone(self._store, self._images, request.bucket, request.name)
        if upload is None or (request.generation or upload.generation) != upload.generation:
            report.outcome = "gone"
            return
        trigger = Trigger(request.time, retry=True, force=request.force)
        self.caption(replace(upload, time=request.time), report, trigger)

    def _whole(self, upload: Upload) -> Upload:
        """``upload`` as the object itself tells it, where its event says no more than which."""
        if upload.size is not None:
            return upload
        found = self._images.look_up(upload.bucket, upload.name)
        same = found is not None and found.generation == upload.generation
        return replace(found, time=upload.time) if found and same else upload

    def give_back(self) -> None:
        """Return what the instance has reserved and not used, at its end."""
        self._model.give_back()
        self._translating.give_back()

    def _turn(self, upload: Upload, prompt: Prompt, trigger: Trigger) -> Turn | None:
        """The right to ask the model; None for an upload that does not need it.

        Raises Away where the model answers nobody, or not so fast: before anything is claimed,
        so that it costs neither an attempt nor a write each time.
        """
        try:
            return self._model.turn(MOMENT)
        except Away as away:
            request = self._lease_request(prompt)
            why = Problem("transient", str(away), request.at)
            if not self._store.create(lease.waiting(upload, request, why)):
                stored = self._store.read(upload.id)
                own_text = transitions.has_text(object_metadata.uploader_text(upload))
                decision = stored and lease.decide(
                    stored, upload, trigger, request, own_text=own_text
                )
                if decision and decision is not Decision.WORK:
                    return None
            if find_copy.needs_no_model(self._store, upload, request):
                return None
            return self._model.turn(LONG_PATIENCE)

    def _lease_request(self, prompt: Prompt) -> LeaseRequest:
        return LeaseRequest(
            uuid.uuid4().hex, self._captioner.model, prompt.version, self._clock(), self._lease
        )

    def _claim(
        self, upload: Upload, prompt: Prompt, trigger: Trigger, report: Report
    ) -> Claim | None:
        """The document, claimed; as it is if only its labels are missing; None if there is
        nothing to do. Raises Held where another delivery may still do it."""
        request = self._lease_request(prompt)
        own_text = transitions.has_text(object_metadata.uploader_text(upload))
        record = find_copy.first_to_ask(upload, request)
        for _ in range(_CONTENTION):
            won = self._store.create(lease.first(upload, request), record)
            stored = won or self._store.read(upload.id)
            if stored is None:
                record = None  # these bytes were seen before
                continue
            if won and record:
                record = replace(record, version=won.version, read_at=won.read_at)
            wrong = self._clock.set(stored.read_at)
            request = replace(request, at=self._clock())
            mine = lease.holds(request, stored.document)  # created, perhaps with a lost answer
            if mine and not wrong:
                return Claim(stored, request, record=record if won else None)
            decision = lease.decide(stored, upload, trigger, request, own_text=own_text)
            if mine:
                decision = Decision.WORK
            if decision is Decision.HELD:
                raise Held(
                    f"another delivery holds it, or a pause has not passed, until "
                    f"{lease.waits_until(stored)}; it is delivered again by itself"
                )
            if decision in (Decision.DONE, Decision.SUPERSEDED):
                report.outcome = decision.value
                return None
            if decision is Decision.LABEL:
                report.outcome = decision.value
                return Claim(stored, request, label=True)
            try:
                return self._claimed(stored, upload, trigger, request, decision, mine)
            except Stale:
                continue
        raise Held("the document keeps changing; other deliveries are at work on it")

    def _claimed(
        self,
        stored: Stored,
        upload: Upload,
        trigger: Trigger,
        request: LeaseRequest,
        decision: Decision,
        mine: bool,
    ) -> Claim:
        """The claim, written over ``stored``. Raises Stale."""
        document = stored.document
        if decision is Decision.CARRY:
            carried = self._store.replace(stored, lease.carried(stored, upload, request))
            return Claim(carried, request, document, label=True)
        if mine:
            taken = lease.renewed(stored, upload, request)
        else:
            taken = lease.taken(stored, upload, request, trigger)
            if document.alt_text and not taken.alt_text:
                keep_history.keep(self._store, document)
            if document.md5 != taken.md5:
                find_copy.forget(self._store, document)
        return Claim(self._store.replace(stored, taken), request, document)

    def _begin(self, task: Task, work: Callable[[], T]) -> Future[T]:
        """Begin ``work`` beside what follows."""
        begun: Future[T] = self._start(work)
        task.beside.append(begun)
        return begun

    def _work(self, task: Task, report: Report) -> None:
        """Bring a claimed document to its end: captioned, or ended with a reason."""
        report.model = self._captioner.model
        try:
            finish = self._captioned(task, report)
            report.outcome = "captioned"
        except Gone:
            forget_image.drop(self._store, self._images, task.claim.stored)
            report.outcome = "gone"
            return
        except OverBudget:
            finish = self._unanswered(
                task,
                Status.DEFERRED,
                "over_budget",
                f"the day's {self._settings.daily_limit} model calls are spent; it is "
                "taken up as soon as the limit allows again, or when CAPTION_DAILY_LIMIT is raised",
                report,
            )
        except PermanentError as error:
            if error.reason in preflight.UNREADABLE and not preflight.claimed(task.upload):
                find_copy.give_way(self._store, task.claim.stored.document)
                forget_image.drop(self._store, self._images, task.claim.stored)
                report.outcome, report.reason = "skipped", "not_an_image"
                return
            status = Status.FAILED if error.reason in preflight.GIVEN_UP else Status.REJECTED
            finish = self._unanswered(task, status, error.reason, error.message, report)
        except Exception as error:
            self._postpone(task.claim.stored, error, report)
            raise
        with span("save"):
            saved = self._save(task.claim.stored, finish, report)
        if saved and lease.unlabelled(saved.document):
            self._label(saved, task.upload, report, task)

    def _captioned(self, task: Task, report: Report) -> Finish:
        """What gives a claimed document its text: a copy's, what the object carries, or the
        model's. Raises what ends the work."""
        upload, claim, document = task.upload, task.claim, task.claim.stored.document
        preflight.check(upload, document, self._images, self._settings, self._clock())
        people = object_metadata.uploader_text(upload)
        if copy := self._copy(task):
            return self._copied(task, copy, people)
        if find_copy.is_labelled(claim, upload):
            preflight.look_for(upload, self._images)
            text, language = object_metadata.carried_text(upload), task.languages[0]
            return functools.partial(
                transitions.labelled, text=text, language=language, now=self._clock()
            )
        return self._model_text(task, people, report)

    def _copied(self, task: Task, copy: Document, people: EmbeddedText) -> Finish:
        """What gives a claimed document the text of ``copy``."""
        preflight.look_for(task.upload, self._images)
        if copy.by_person:
            keep_history.inherit(self._store, task.claim.stored.document, copy)
        return functools.partial(transitions.copied, copy=copy, uploader=people, now=self._clock())

    def _copy(self, task: Task) -> Document | None:
        """The document that has the text for a claimed one: itself, or one of the same bytes."""
        claim = task.claim
        has_text = lease.own_text(claim.stored.document, claim.request)
        if has_text and not find_copy.is_labelled(claim, task.upload):
            return claim.stored.document
        return self._found(task, find_copy.copy_of(self._store, claim, task.upload))

    def _found(self, task: Task, copy: find_copy.Copy) -> Document | None:
        task.record = None if copy.text else copy.record
        return copy.text.document if copy.text else None

    def _model_text(self, task: Task, people: EmbeddedText, report: Report) -> Finish:
        """What gives a claimed document the model's text."""
        upload = task.upload
        fetch = functools.partial(self._pictures.fetch, upload)
        claim = task.claim
        older = claim.record and self._unrecorded.begin(claim, claim.record, upload)
        picture = fetch(self._model.accepts(task.turn) if task.turn else self._captioner.accepts)
        try:
            if older and (copy := self._found(task, older())):
                return self._copied(task, copy, people)
            held_until = self._hold(task)
            context = quality.Context(
                languages=tuple(task.languages),
                max_length=task.rule.max_length,
                hints=tuple(filter(None, [object_metadata.hint(task.upload)])),
                name=task.upload.name,
                prompt_text=f"{task.prompt.system}\n{task.prompt.user}",
            )
            with span("model"), self._limiter.waiting():
                checked = self._model.ask(
                    picture,
                    fetch,
                    task.prompt,
                    context,
                    held_until - self._call,
                    report,
                    image=upload.id,
                    turn=task.turn,
                )
        finally:
            picture.release()
            if task.turn:
                task.turn.end()
        finish = functools.partial(
            transitions.captioned,
            checked=checked,
            prompt=task.prompt.version,
            uploader=people,
            now=self._clock(),
        )
        found = finish(task.claim.stored.document)
        own = found.source != Source.MODEL or found.proposal
        if self._settings.filter != "similarity" or own:
            if self._embeddings.available:
                embed = functools.partial(self._embeddings.made, found, replace(report))
                task.embedding = self._begin(task, embed)
            return finish
        threshold = self._settings.similarity_threshold
        judged = self._embeddings.judged(found, fetch, threshold, report)
        return lambda claim: transitions.measured(finish(claim), judged)

    def _hold(self, task: Task) -> datetime:
        """See that the claim holds for a call of the model, or renew it; until when it holds.

        Waiting for memory, a decoder or the stores can take longer than a lease: another
        delivery may be at work by now. Raises Held then, before anything is paid for.
        """
        stored, now = task.claim.stored, self._clock()
        held_lease = stored.document.lease
        if held_lease and held_lease.expires_at - now >= min(self._call, self._lease * 0.8):
            return held_lease.expires_at
        request = replace(
            self._lease_request(task.prompt), holder=held_lease.holder if held_lease else ""
        )
        try:
            renewed = self._store.replace(stored, lease.renewed(stored, task.upload, request))
        except Stale:
            raise Held("the claim ran out, and another delivery has taken it over") from None
        task.claim = replace(task.claim, stored=renewed)
        return now + self._lease

    def _save(self, stored: Stored, finish: Finish, report: Report) -> Stored | None:
        """Write what the work came to; None, with the outcome, where it is no longer wanted.

        Text that was paid for is saved over the claim of a delivery that took over; what a
        person has said of the published text meanwhile is heeded.
        """
        document = transitions.spent(finish(stored.document), report.usage)
        if document.text_fields() != stored.document.text_fields():
            keep_history.keep(self._store, stored.document)
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
            if not current.document.in_work:
                report.outcome = "done"
                return None
            if not transitions.alike(stored.document, current.document):
                document = transitions.spent(finish(current.document), report.usage)
            stored = current
        raise Held("the document keeps changing; other deliveries are at work on it")

    def _label(
        self,
        stored: Stored,
        upload: Upload,
        report: Report,
        task: Task | None = None,
    ) -> None:
        """Write a captioned document's text into the object's metadata and note that."""
        embed = self._embeddings.embedding_once(report, self._being_made(task))
        record = task.record if task else None
        try:
            with span("label"):
                ended = label(self._store, self._images, stored, upload, embed, record)
        except CaptionError as error:
            own = isinstance(error, ConfigurationError) and error.own
            refused = own and self._refused(stored)
            # Labels may be long in coming; copies need not wait for them.
            with nullcontext() if refused else suppress(CaptionError):
                find_copy.remember(self._store, stored.document)
            if not refused:
                raise
            report.reason, report.message = "unlabelled", str(error)
            return
        if ended == "gone":
            report.outcome = ended
        elif ended == "changed_meanwhile":
            report.reason = ended
        else:
            report.outcome = "captioned" if report.usage.model_calls else report.outcome or ended

    def _being_made(self, task: Task | None) -> Callable[[], Made] | None:
        """What waits for the embedding that has been begun."""
        begun = task.embedding if task else None
        if begun is None:
            return None

        def made() -> Made:
            if begun.done():
                return begun.result()
            with self._limiter.waiting():
                return begun.result()

        return made

    def _refused(self, stored: Stored) -> bool:
        """Count that a captioned object takes no labels; whether it has been tried enough."""
        document = stored.document
        if document.attempts < self._settings.max_attempts:
            with suppress(Stale):
                self._store.replace(stored, replace(document, attempts=document.attempts + 1))
            return False
        return True

    def _postpone(self, stored: Stored, error: Exception, report: Report) -> None:
        """Let go of the claim and keep the error; the platform's redelivery takes it up.

        What is not the image's own fault, as nobody is served, was no attempt of its own.
        """
        now = self._clock()
        waited = isinstance(error, Held) and not isinstance(error, Away)
        others = isinstance(error, CaptionError) and not error.own
        after = error.retry_after if isinstance(error, TransientError) else None
        document = replace(
            transitions.spent(stored.document, report.usage),
            updated_at=now,
            attempts=stored.document.attempts - others,
            lease=None,
            not_before=now + min(timedelta(seconds=after), _LONGEST_PAUSE) if after else None,
            error=None if waited else Problem(transitions.kind(error), str(error)[:1000], now),
        )
        try:
            self._store.replace(stored, document)
        except (Stale, TransientError):
            return  # somebody else has it, or the lease runs out by itself

    def _unanswered(
        self, task: Task, status: Status, reason: str, message: str, report: Report
    ) -> Finish:
        """What ends a claimed document without new text, and lets copies of it ask."""
        report.outcome, report.reason = status, reason
        find_copy.give_way(self._store, task.claim.stored.document)
        problem = Problem(reason, message, self._clock())
        return functools.partial(transitions.unanswered, status=status, problem=problem)

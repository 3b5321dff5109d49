"""The use case of a question about one image: answered once a generation, then from memory."""

from __future__ import annotations

import functools
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from functions import quality
from functions.core import object_metadata
from functions.core.clock import Clock
from functions.core.document import (
    Answer,
    EmbeddedText,
    Picture,
    Prompt,
    Upload,
    document_id,
)
from functions.core.errors import (
    CaptionError,
    Gone,
    Held,
    OverBudget,
    UnusableReply,
)
from functions.core.policy import Policy
from functions.core.ports import Captioner, CaptionStore, ImageStore
from functions.core.public_text import choose, published
from functions.core.question import ImageAnswer, Question
from functions.core.report import Report
from functions.model import question_prompt, question_reply
from functions.model.fallback_chain import FallbackChain
from functions.model.health import PATIENCE, Turn
from functions.model.prompt import repair
from functions.model.quota import DailyLimit
from functions.settings import Settings
from functions.usecases import keep_answers, preflight
from functions.usecases.fetch_picture import PictureFetcher

# What is said where the model refuses, or nothing of its reply may be passed on.
WITHHELD = "The model gave no answer to this question that can be passed on."
_SAVING_SECONDS = 2
# The store that counts the day's captions counts answers under names of their own.
_COUNTED_AS = "asks-"
_PLACE = ("bucket", "name", "generation", "updated_at")
# What decides whether `alt_text` would tell of an image.
_TOLD = (*_PLACE, "status", "review", "alt_text", "caption", "decorative", "language")


class Answering:
    """Answers questions about images, each once for a generation; safe in threads.

    To the ``public`` it answers about images whose words everybody may read, from what they show
    and not from their notes; those answers are kept apart.
    """

    def __init__(
        self,
        settings: Settings,
        policy: Policy,
        store: CaptionStore,
        images: ImageStore,
        captioners: Sequence[Captioner],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
        *,
        public: bool = False,
    ) -> None:
        self._public = public
        self._settings, self._policy = settings, policy
        self._store, self._images, self._captioners = store, images, captioners
        self._clock, self._sleep = Clock(clock), sleep
        self._lease = timedelta(seconds=settings.lease_seconds)
        self._call = timedelta(seconds=settings.timeout_seconds + _SAVING_SECONDS)
        self._pictures = PictureFetcher.by(settings, images)
        self._budget = DailyLimit(store, settings.ask_daily_limit, _COUNTED_AS)
        self._chain = FallbackChain(captioners, self._budget, self._clock, settings.prices)

    def close(self) -> None:
        """Close the models' connections."""
        for each in self._captioners:
            each.close()

    def give_back(self) -> None:
        """Return what the instance has reserved and not used, at its end."""
        self._budget.give_back()

    def find(self, candidates: Sequence[tuple[str, str]]) -> Upload:
        """The first of these objects that is live and ours to answer for: in a bucket of
        CAPTION_PUBLIC_BUCKETS, or if that is unset, in one that has captions; for the public one
        whose words everybody may read. Raises Gone."""
        buckets = self._settings.public_buckets
        mine = [place for place in candidates if not buckets or place[0] in buckets]
        keys = [document_id(*place) for place in mine]
        if self._public:
            return self._find_told(mine, keys)
        captioned = self._store.read_fields(keys, _PLACE)
        for number, (place, key) in enumerate(zip(mine, keys, strict=True)):
            if key in captioned or (number == 0 and (buckets or self._has_captions(place[0]))):
                with suppress(Gone):
                    return self.live(*place)
        raise Gone

    def _find_told(self, places: Sequence[tuple[str, str]], keys: Sequence[str]) -> Upload:
        """The first one whose present generation `alt_text` tells of. Raises Gone."""
        documents = self._store.read_fields(keys, _TOLD)
        withhold = self._settings.unreviewed == "withhold"
        for place, document in zip(places, map(documents.get, keys), strict=True):
            if document and published(document, withhold=withhold) and choose(document):
                with suppress(Gone):
                    upload = self.live(*place)
                    if upload.generation == document.generation:
                        return upload
        raise Gone

    def live(self, bucket: str, name: str) -> Upload:
        """The live object of this name, if it is an image that may be shown to a model by its
        metadata and the policy. Raises Gone."""
        upload = self._images.look_up(bucket, name)
        if upload is None or preflight.skip_reason(upload, self._policy.rule(name), self._images):
            raise Gone
        return upload

    def ask(self, upload: Upload, question: Question, report: Report) -> ImageAnswer:
        """The answer to ``question`` about this generation: kept, or the model's.

        Raises OverBudget where the day's answers are spent, Gone if the generation is no longer
        live, PermanentError for an image that nobody can read, Held while another one asks the
        same for long, and what the captioners raise. ``report`` counts each call.
        """
        report.bucket, report.name = upload.bucket, upload.name
        report.generation = upload.generation
        if not self._settings.ask_daily_limit:
            raise OverBudget
        key = self._key(question)
        for pause in self._clock.pauses(self._lease):
            kept = keep_answers.read(self._store, upload.id, upload.generation)
            if answer := kept.answer(key):
                return answer
            if kept.is_leased(key):
                self._sleep(pause)
                continue
            with self._chain.turn(PATIENCE) as turn:
                if keep_answers.claim(self._store, kept, key, self._lease):
                    return self._kept_answer(turn, upload, question, key, report)
        raise Held("the same question is being answered for somebody else")

    def _key(self, question: Question) -> str:
        """A hash of all that decides an answer, beside the picture. Another model, or other
        instructions, answer anew."""
        instructions = [
            *(["public"] if self._public else []),
            question_prompt.version(),
            [each.model for each in self._captioners],
            question.spoken,
            question.language,
            [[each.question, each.answer] for each in question.history],
        ]
        return hashlib.sha256(json.dumps(instructions).encode()).hexdigest()[:32]

    def _kept_answer(
        self, turn: Turn, upload: Upload, question: Question, key: str, report: Report
    ) -> ImageAnswer:
        """The model's answer, kept. Whatever fails, another one may ask."""
        try:
            answer = self._answered(turn, upload, question, report)
            preflight.look_for(upload, self._images)
            keep_answers.keep(self._store, upload.id, upload.generation, key, answer)
        except BaseException:
            with suppress(CaptionError):
                keep_answers.give_way(self._store, upload.id, upload.generation, key)
            raise
        report.outcome = "answered"
        return answer

    def _answered(
        self, turn: Turn, upload: Upload, question: Question, report: Report
    ) -> ImageAnswer:
        until = self._clock() + self._lease - self._call
        fetch = functools.partial(self._pictures.fetch, upload)
        picture = fetch(self._chain.accepts(turn))
        try:
            instructions, context = self._instructions(upload, question, picture)
            answer = self._chain.ask(turn, upload.id, fetch, instructions, until, report, picture)
        finally:
            picture.release()
        reply, faults = self._read(answer, question, context)
        if faults and not answer.blocked and self._clock() < until:
            again = repair(instructions, answer.text, faults)
            answer = self._chain.again(turn, answer.model, upload.id, fetch, again, report)
            reply, faults = self._read(answer, question, context)
        if reply is None or faults:
            return ImageAnswer(WITHHELD, False, "en", answer.model)
        return reply

    def _instructions(
        self, upload: Upload, question: Question, picture: Picture
    ) -> tuple[Prompt, quality.Context]:
        """What the model is told, and what the filter is to know of it."""
        hint, embedded = object_metadata.hint(upload), picture.embedded
        if self._public:
            hint, embedded = "", EmbeddedText()
        context = quality.Context(
            (self._settings.languages[0],),
            self._policy.rule(upload.name).max_length,
            tuple(filter(None, [hint])),
            upload.name,
        )
        if self._rules:
            embedded, _ = quality.vetted(embedded, context)
        texts = (hint, embedded.title, embedded.alt_text, embedded.caption)
        notes = tuple(filter(None, texts))
        limit = self._settings.max_output_tokens
        instructions = question_prompt.compose(question, notes, picture.note, limit)
        return instructions, replace(context, hints=notes, prompt_text=instructions.system)

    def _read(
        self, answer: Answer, question: Question, context: quality.Context
    ) -> tuple[ImageAnswer | None, tuple[str, ...]]:
        """An answer, and what is wrong with it; None for none."""
        if answer.blocked:
            return None, (answer.blocked,)
        try:
            reply = question_reply.read_reply(answer, question, context.languages[0])
        except UnusableReply as error:
            return None, (str(error),)
        return reply.answer, question_reply.faults(reply, context, question) if self._rules else ()

    @property
    def _rules(self) -> bool:
        return self._settings.filter != "off"

    def _has_captions(self, bucket: str) -> bool:
        return bool(self._store.by_name(bucket, "", "", 1))

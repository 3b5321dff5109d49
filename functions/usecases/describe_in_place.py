"""The use case of an image's alt text for one place in a page: asked once a generation, then kept.

A place is claimed before the picture is read, so that what is written of an image that is deleted
meanwhile finds its claim gone, and is not kept.
"""

from __future__ import annotations

import functools
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from functions import quality
from functions.core import object_metadata
from functions.core.clock import Clock
from functions.core.document import CheckedCaption, Lease, Problem, Upload, document_id
from functions.core.errors import CaptionError, Gone, Held, PermanentError, Stale
from functions.core.page_place import KeptPlace, PagePlace, PlaceText
from functions.core.policy import Policy
from functions.core.ports import Captioner, CaptionStore, ImageStore
from functions.core.report import Report
from functions.model import place_prompt
from functions.model.client import ModelClient
from functions.model.health import PATIENCE, Turn
from functions.model.quota import DailyLimit
from functions.quality.embedded import REASON as EMBEDDED
from functions.settings import Settings
from functions.usecases import preflight
from functions.usecases.fetch_picture import PictureFetcher

_SAVING_SECONDS = 2


class DescribingInPlace:
    """Writes alt text for places in pages, each once for a generation; safe in threads."""

    def __init__(
        self,
        settings: Settings,
        policy: Policy,
        store: CaptionStore,
        images: ImageStore,
        captioners: Sequence[Captioner],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings, self._policy = settings, policy
        self._store, self._images, self._captioners = store, images, captioners
        self._clock, self._sleep = Clock(clock), sleep
        self._lease = timedelta(seconds=settings.lease_seconds)
        self._call = timedelta(seconds=settings.timeout_seconds + _SAVING_SECONDS)
        self._pictures = PictureFetcher.by(settings, images)
        self._model = ModelClient(
            captioners,
            DailyLimit(store, settings.daily_limit),
            self._clock,
            rules=settings.filter != "off",
            own_prices=settings.prices,
        )

    def close(self) -> None:
        """Return what is reserved of the day's calls and not used, and close connections."""
        self._model.give_back()
        for each in self._captioners:
            each.close()

    def describe(
        self, bucket: str, name: str, generation: int, place: PagePlace, report: Report
    ) -> PlaceText:
        """What is written for ``place``: kept, or the model's; nothing to be shown (``error``)
        where the model has nothing for it that leaves no doubt.

        Raises OverBudget where the day's calls are spent, Gone if this generation is not the live
        one or kept from models, Held while another one asks for long, and what the captioners
        raise. ``report`` counts each call.
        """
        report.bucket, report.name, report.generation = bucket, name, generation
        at = (document_id(bucket, name), place.key)
        for pause in self._clock.pauses(self._lease):
            kept = self._store.read_places([at])[at]
            if text := kept.of(generation):
                return text
            if kept.text and kept.text.generation > generation:
                raise Gone
            if kept.is_asked(generation):
                self._sleep(pause)
                continue
            with self._model.turn(PATIENCE) as turn:
                if claim := self._claimed(kept, generation):
                    return self._settled(turn, claim, (bucket, name), place, report)
        raise Held("somebody else is asking about the same place")

    def _claimed(self, kept: KeptPlace, generation: int) -> KeptPlace | None:
        """The place, for the caller to ask about; None if another one was faster."""
        self._clock.set(kept.read_at)
        lease = Lease(uuid.uuid4().hex, self._clock() + self._lease)
        asked = PlaceText(generation, lease=lease, updated_at=self._clock())
        try:
            return self._store.write_place(replace(kept, text=asked))
        except Stale:
            return None

    def _settled(
        self,
        turn: Turn,
        claim: KeptPlace,
        image: tuple[str, str],
        place: PagePlace,
        report: Report,
    ) -> PlaceText:
        """What the model has for a claimed place, kept. Whatever fails, another one may ask."""
        until = self._clock() + self._lease - self._call
        try:
            upload = self._live(claim, *image)
            try:
                text = self._asked(turn, upload, place, until, report)
            except PermanentError as error:
                text = self._in_vain(upload, error.reason, error.message)
            preflight.look_for(upload, self._images)
            text = replace(text, usage=report.usage, updated_at=self._clock())
            self._store.write_place(replace(claim, text=text))
        except Stale:
            raise Gone from None  # the image was forgotten meanwhile
        except BaseException:
            with suppress(CaptionError):
                self._store.write_place(replace(claim, text=None))
            raise
        report.outcome = "described" if text.shown else "in_vain"
        return text

    def _live(self, claim: KeptPlace, bucket: str, name: str) -> Upload:
        """The live object, if it is of the claimed generation and models may see it."""
        upload = self._images.look_up(bucket, name)
        if upload is None or claim.text is None or upload.generation != claim.text.generation:
            raise Gone
        if preflight.skip_reason(upload, self._policy.rule(name), self._images):
            raise Gone
        return upload

    def _asked(
        self, turn: Turn, upload: Upload, place: PagePlace, until: datetime, report: Report
    ) -> PlaceText:
        """The model's answer. Raises PermanentError where it has none."""
        rule, hint = self._policy.rule(upload.name), object_metadata.hint(upload)
        limit = self._settings.max_output_tokens
        prompt = place_prompt.compose(place, rule, hint, limit)
        fetch = functools.partial(self._pictures.fetch, upload)
        context = quality.Context(
            (place.language,),
            rule.max_length,
            tuple(filter(None, (hint, *place.texts.values()))),
            upload.name,
            prompt.system,
            place.beside,
            place.names,
        )
        picture = fetch(self._model.accepts(turn))
        try:
            checked = self._model.ask(
                picture, fetch, prompt, context, until, report, image=upload.id, turn=turn
            )
        finally:
            picture.release()
        text = PlaceText(
            upload.generation,
            checked.reply.alt_text,
            checked.reply.decorative,
            checked.language,
            checked.model,
            checked.model_version,
            prompt.version,
        )
        if doubts := _doubts(checked, place):
            problem = Problem("no_caption", f"The filter has doubts: {doubts}.", self._clock())
            return replace(text, error=problem)
        return text

    def _in_vain(self, upload: Upload, reason: str, message: str) -> PlaceText:
        problem = Problem(reason, message, self._clock())
        return PlaceText(upload.generation, prompt=place_prompt.version(), error=problem)


def _doubts(checked: CheckedCaption, place: PagePlace) -> str:
    """Why a text is not to be shown. There is a general one, so that no doubt is taken lightly;
    but what a link is called describes nothing, and need not."""
    passed = {EMBEDDED, "doubtful"} if place.names_link else {EMBEDDED}
    doubts = [each for each in checked.reasons if each not in passed]
    if checked.reply.decorative and place.names_link:
        doubts.append("nameless")
    return ", ".join(doubts)

"""One picture and one prompt in, checked words out: the model, its repair, the filter."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from functions import quality
from functions.core.document import (
    Accepts,
    Answer,
    CheckedCaption,
    Picture,
    Prompt,
    Reply,
    Unable,
)
from functions.core.errors import CaptionError, PermanentError, UnusableReply
from functions.core.ports import Captioner, FetchPicture
from functions.core.report import Report
from functions.model import prompt
from functions.model.fallback_chain import FallbackChain
from functions.model.health import PATIENCE, Turn, Wait
from functions.model.moment_times import without_times
from functions.model.quota import DailyLimit
from functions.model.reply import read_reply


@dataclass(frozen=True, slots=True)
class Draft:
    """A model's answer on its way: readable or not, and what is wrong with it."""

    answer: Answer
    checked: quality.Checked | None
    faults: tuple[str, ...]
    mendable: bool = True

    @property
    def reply(self) -> Reply | None:
        """What of it may be published; None if nothing."""
        return self.checked.publishable if self.checked else None


def read_rules(languages: Sequence[str]) -> None:
    """Read what the filter needs for an answer in ``languages`` before there is one: 30 ms of
    words, weights and patterns."""
    example = Reply("A dog lies on a sofa.", "A dog on a sofa")
    quality.check(example, quality.Context(tuple(languages), 125))


class ModelClient:
    """Asks captioners within the budget, and once more where the words need mending."""

    def __init__(
        self,
        captioners: Sequence[Captioner],
        budget: DailyLimit,
        clock: Callable[[], datetime],
        *,
        rules: bool,
        own_prices: Path | None = None,
        wait: Wait = threading.Condition.wait,
    ) -> None:
        self.chain = FallbackChain(captioners, budget, clock, own_prices, wait)
        self._clock = clock
        self._budget, self._rules = budget, rules

    @property
    def state(self) -> str:
        """How the model stands: ``answering``, ``over_quota``, ``no_credit`` or ``away``."""
        return self.chain.state

    def turn(self, patience: float = 0.0) -> Turn:
        """The right to ask, waited for as long as ``patience`` says. Raises Away."""
        return self.chain.turn(patience)

    def accepts(self, turn: Turn) -> Accepts:
        """What the model takes whose turn it is."""
        return self.chain.accepts(turn)

    def give_back(self) -> None:
        """Return what is left of the day's reserved calls, at the end of an instance."""
        self._budget.give_back()

    def ask(
        self,
        picture: Picture,
        refetch: FetchPicture,
        instructions: Prompt,
        context: quality.Context,
        again_until: datetime,
        report: Report,
        *,
        image: str,
        turn: Turn | None = None,
    ) -> CheckedCaption:
        """Caption ``picture``, which is let go as soon as it is sent; another captioner or a
        repair gets it again from ``refetch``. They are asked only before ``again_until``, so as
        to end while the claim holds. ``image`` tells one from another; without a ``turn`` it is
        waited for.

        Raises OverBudget before a call is made, PermanentError where the model is blocked or
        its reply stays unusable, and what the captioner raises. ``report`` counts each call.
        """
        embedded = picture.embedded
        doubts: tuple[str, ...] = ()
        instructions = prompt.about(instructions, picture.note, embedded, picture.media)
        texts = (embedded.title, embedded.alt_text, embedded.caption)
        context = replace(context, hints=(*context.hints, *filter(None, texts)))
        if self._rules:
            embedded, doubts = quality.vetted(embedded, context)
            picture.embedded = embedded
        with ExitStack() as stack:
            mine = turn or stack.enter_context(self.turn(PATIENCE))
            answer = self.chain.ask(
                mine, image, refetch, instructions, again_until, report, picture
            )
            draft = self._draft(answer, context)
            if draft.faults and draft.mendable and self._clock() < again_until:
                draft = self._repaired(mine, image, draft, refetch, instructions, context, report)
        if draft.checked is None or draft.reply is None:
            raise PermanentError(
                "no_caption",
                f"{draft.answer.model} gave no usable caption: {'; '.join(draft.faults)[:500]}. "
                "Try another model, or write the alt text by hand.",
            )
        unable = draft.reply.could_not_describe
        doubts += (draft.answer.review, f"model_{unable}" if unable else "")
        visible_text = without_times(draft.reply.visible_text, picture.note)
        return CheckedCaption(
            replace(draft.reply, visible_text=visible_text),
            tuple(filter(None, (*draft.checked.reasons, *doubts))),
            draft.answer.model,
            draft.answer.model_version,
            draft.answer.language or context.languages[0],
            picture.width,
            picture.height,
            embedded,
            picture.media,
            picture.duration_seconds,
        )

    def _repaired(
        self,
        turn: Turn,
        image: str,
        draft: Draft,
        refetch: FetchPicture,
        instructions: Prompt,
        context: quality.Context,
        report: Report,
    ) -> Draft:
        """The better of ``draft`` and a second answer. What was paid for is not given up for a
        fault of the second call."""
        again = prompt.repair(instructions, draft.answer.text, draft.faults)
        if draft.answer.truncated:
            again = prompt.shorter(instructions)
        try:
            answer = self.chain.again(turn, draft.answer.model, image, refetch, again, report)
            second = self._draft(answer, context)
        except CaptionError:
            if draft.reply:
                return draft
            raise
        if draft.reply and len(second.faults) >= len(draft.faults):
            return draft
        return second

    def _draft(self, answer: Answer, context: quality.Context) -> Draft:
        if answer.blocked:
            raise _blocked(answer, answer.blocked)
        try:
            reply = read_reply(answer)
        except UnusableReply as error:
            return Draft(answer, None, (_cut_off(answer) or str(error),))
        if not self._rules or answer.review:
            return Draft(answer, quality.Checked(reply, ()), ())
        checked = quality.check(reply, context)
        faults = _messages(checked.repairable)
        if faults and answer.truncated:
            faults = (*faults, _cut_off(answer))
        unable = reply.could_not_describe
        if not unable or checked.publishable:
            return Draft(answer, checked, faults)
        if unable is Unable.REFUSED:
            raise _blocked(answer, "it says that it may not describe it")
        return Draft(answer, checked, (_UNABLE[unable],), mendable=False)


_UNABLE = {
    Unable.UNREADABLE: "it says that it got no image that it can read",
    Unable.EMPTY: "it says that there is nothing in the image",
    Unable.UNCERTAIN: "it says that it cannot make out what the image shows",
}


def _blocked(answer: Answer, why: str) -> PermanentError:
    return PermanentError(
        "blocked",
        f"{answer.model} refused this image ({why}). Write the alt text by hand, or try another "
        "model.",
    )


def _cut_off(answer: Answer) -> str:
    """What to say of a reply that ended too early; nothing if it did not."""
    if not answer.truncated:
        return ""
    return (
        f"the reply was cut off after {answer.output_tokens} output tokens, thinking included: "
        "raise CAPTION_MAX_OUTPUT_TOKENS, or ask for fewer languages"
    )


def _messages(findings: Sequence[quality.Finding]) -> tuple[str, ...]:
    return tuple(f"{each.field}: {each.message}" for each in findings)

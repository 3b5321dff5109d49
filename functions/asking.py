"""One picture and one prompt in, checked words out: the model, its repair, the filter."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from functions import prices, prompt, quality
from functions.budget import Budget
from functions.deliveries import Report
from functions.domain import Answer, EmbeddedText, Picture, Prompt, Reply, Usage
from functions.errors import CaptionError, PermanentError, UnusableReply
from functions.ports import Captioner


class OverBudget(CaptionError):
    """The day's model calls are spent."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking: checked words, and what the file said of itself."""

    reply: Reply
    reasons: tuple[str, ...]
    model_version: str
    language: str
    width: int
    height: int
    embedded: EmbeddedText


@dataclass(frozen=True, slots=True)
class Draft:
    """A model's answer on its way: readable or not, and what is wrong with it."""

    answer: Answer
    checked: quality.Checked | None
    faults: tuple[str, ...]

    @property
    def reply(self) -> Reply | None:
        """What of it may be published; None if nothing."""
        return self.checked.publishable if self.checked else None


class Asking:
    """Asks a captioner within the budget, and once more where its words need mending."""

    def __init__(
        self, captioner: Captioner, budget: Budget, clock: Callable[[], datetime], *, rules: bool
    ) -> None:
        self._captioner, self._budget, self._clock = captioner, budget, clock
        self._rules = rules

    @property
    def model(self) -> str:
        return self._captioner.model

    def ask(
        self,
        picture: Picture,
        refetch: Callable[[], Picture],
        told: Prompt,
        context: quality.Context,
        repair_until: datetime,
        report: Report,
    ) -> Asked:
        """Caption ``picture``, which is let go as soon as it is sent; a repair gets it again
        from ``refetch``. It is begun only before ``repair_until``, to end while the claim holds.

        Raises OverBudget before a call is made, PermanentError where the model is blocked or
        its reply stays unusable, and what the captioner raises. ``report`` counts each call.
        """
        told = prompt.about(told, picture.note, picture.embedded)
        draft = self._draft(picture, told, context, report)
        if draft.faults and self._clock() < repair_until:
            draft = self._repaired(draft, refetch, told, context, report)
        if draft.checked is None or draft.reply is None:
            raise PermanentError(
                "no_caption",
                f"{self.model} gave no usable caption: {'; '.join(draft.faults)[:500]}. "
                "Try another model, or write the alt text by hand.",
            )
        return Asked(
            draft.reply,
            tuple(filter(None, (*draft.checked.reasons, draft.answer.review))),
            draft.answer.model_version,
            draft.answer.language or context.languages[0],
            picture.width,
            picture.height,
            picture.embedded,
        )

    def _repaired(
        self,
        draft: Draft,
        refetch: Callable[[], Picture],
        told: Prompt,
        context: quality.Context,
        report: Report,
    ) -> Draft:
        """The better of ``draft`` and a second answer. What was paid for is not given up for a
        fault of the second call."""
        again = prompt.repair(told, draft.answer.text, draft.faults)
        try:
            second = self._draft(refetch(), again, context, report)
        except CaptionError:
            if draft.reply:
                return draft
            raise
        if draft.reply and len(second.faults) >= len(draft.faults):
            return draft
        return second

    def _draft(
        self, picture: Picture, told: Prompt, context: quality.Context, report: Report
    ) -> Draft:
        if not self._budget.take(self._clock()):
            raise OverBudget
        started = time.monotonic()
        report.usage += Usage(model_calls=1)
        try:
            answer = self._captioner.describe(picture, told)
        finally:
            picture.release()
            report.model_seconds += time.monotonic() - started
        spent = prices.usage(self.model, answer)
        report.usage += Usage(0, spent.input_tokens, spent.output_tokens, spent.cost_usd)
        if answer.blocked:
            raise PermanentError(
                "blocked",
                f"{self.model} refused this image ({answer.blocked}). Write the alt text by "
                "hand, or try another model.",
            )
        return self._check(answer, context)

    def _check(self, answer: Answer, context: quality.Context) -> Draft:
        try:
            reply = prompt.read(answer)
        except UnusableReply as error:
            return Draft(answer, None, (str(error),))
        if not self._rules or answer.review:
            return Draft(answer, quality.Checked(reply, ()), ())
        checked = quality.check(reply, context)
        return Draft(answer, checked, _messages(checked.repairable))


def _messages(findings: Sequence[quality.Finding]) -> tuple[str, ...]:
    return tuple(f"{each.field}: {each.message}" for each in findings)

"""Captioners in turn: the next one is asked where one is unable to answer, or unwilling."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from functions.core.document import Answer, Picture, Prompt, Usage
from functions.core.errors import OverBudget, TransientError
from functions.core.ports import Captioner, FetchPicture
from functions.core.report import Report
from functions.model import prices
from functions.model.quota import DailyLimit


class FallbackChain:
    """Asks within the budget; every call counts, whoever is asked.

    A wrong key or an unknown model is not passed over: it is raised, for somebody to mend.
    """

    def __init__(
        self,
        captioners: Sequence[Captioner],
        budget: DailyLimit,
        clock: Callable[[], datetime],
        own_prices: Path | None = None,
    ) -> None:
        self._captioners, self._budget, self._clock = captioners, budget, clock
        self._prices = own_prices

    def ask(
        self, picture: Picture, fetch: FetchPicture, told: Prompt, until: datetime, report: Report
    ) -> Answer:
        """The first answer that is no refusal, with who gave it. ``picture`` is for the first
        captioner and is gone once it is sent: every other one gets its own from ``fetch``, as
        it takes it, and is asked only before ``until``.

        If there is none, raises the error of one that may yet answer, or returns the refusal.
        """
        unable: TransientError | None = None
        refused = Answer("")
        for number, captioner in enumerate(self._captioners):
            if number and self._clock() >= until:
                break
            try:
                answer = self._call(
                    captioner, fetch(captioner.accepts) if number else picture, told, report
                )
            except TransientError as error:
                unable = unable or error
                continue
            if not answer.blocked:
                return answer
            refused = answer
        if unable:
            raise unable
        return refused

    def again(self, model: str, fetch: FetchPicture, told: Prompt, report: Report) -> Answer:
        """Another answer of the captioner that gave the first one."""
        captioner = next(each for each in self._captioners if each.model == model)
        return self._call(captioner, fetch(captioner.accepts), told, report)

    def _call(self, captioner: Captioner, picture: Picture, told: Prompt, report: Report) -> Answer:
        started = time.monotonic()
        try:
            if not self._budget.take(self._clock()):
                raise OverBudget
            report.model = captioner.model
            report.usage += Usage(model_calls=1)
            answer = captioner.describe(picture, told)
        finally:
            picture.release()
            report.model_seconds += time.monotonic() - started
        spent = prices.usage(captioner.model, answer, self._prices, self._clock().date())
        report.usage += Usage(0, spent.input_tokens, spent.output_tokens, spent.cost_usd)
        return replace(answer, model=captioner.model)

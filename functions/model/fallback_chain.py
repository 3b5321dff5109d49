"""Captioners in turn: the next one is asked where one is unable to answer, or unwilling."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from functions.core.document import Accepts, Answer, Picture, Prompt, Usage
from functions.core.errors import Away, CaptionError, ConfigurationError, OverBudget, TransientError
from functions.core.ports import Captioner, FetchPicture
from functions.core.report import Report
from functions.model import prices
from functions.model.health import MOMENT, PATIENCE, ModelHealth, Turn, Wait
from functions.model.quota import DailyLimit


class FallbackChain:
    """Asks within the budget; every call that is answered counts, whoever is asked.

    A wrong key or an unknown model is not passed over: it is raised, for somebody to mend.
    """

    def __init__(
        self,
        captioners: Sequence[Captioner],
        budget: DailyLimit,
        clock: Callable[[], datetime],
        own_prices: Path | None = None,
        wait: Wait = threading.Condition.wait,
    ) -> None:
        self._captioners = [(each, ModelHealth(each.model, clock, wait)) for each in captioners]
        self._budget, self._clock, self._prices = budget, clock, own_prices

    def counted_by(self, budget: DailyLimit) -> FallbackChain:
        """The same captioners, and what is known of their health, within another budget."""
        chain = copy.copy(self)
        chain._budget = budget
        return chain

    @property
    def state(self) -> str:
        """How the captioner stands that is asked first."""
        return self._captioners[0][1].state

    def turn(self, patience: float = 0.0) -> Turn:
        """The right to ask the first captioner that answers: where it may only be asked later,
        for its quota, the next one. Raises Away where none does."""
        healths = [health for _, health in self._captioners]
        answering = [health for health in healths if not health.closed_for()]
        for health in answering if len(answering) > 1 else ():
            with suppress(Away):
                return health.turn(min(patience, MOMENT))
        best = answering[0] if answering else min(healths, key=ModelHealth.closed_for)
        return best.turn(patience)

    def ask(
        self,
        turn: Turn,
        image: str,
        fetch: FetchPicture | None,
        instructions: Prompt,
        until: datetime,
        report: Report,
        picture: Picture | None = None,
    ) -> Answer:
        """The first answer that is no refusal, with who gave it. ``turn`` is for the captioner to
        begin with, and ``picture`` as it takes it, gone once it is sent: every other one gets its
        own from ``fetch`` and is asked only before ``until``. Without ``fetch`` it is about words.

        If there is none, raises the error of one that may yet answer, or returns the refusal.
        """
        unable: TransientError | None = None
        refused = Answer("")
        begun = next(n for n, (_, health) in enumerate(self._captioners) if health is turn.health)
        for captioner, health in self._captioners[begun:]:
            mine, own_turn = picture, turn
            if health is not turn.health:
                mine = None
                if self._clock() >= until:
                    break
            try:
                with ExitStack() as stack:
                    if health is not turn.health:
                        own_turn = stack.enter_context(health.turn(MOMENT))
                    mine = mine or (fetch(captioner.accepts) if fetch else None)
                    answer = self._call(captioner, own_turn, image, mine, instructions, report)
            except TransientError as error:
                unable = unable or error
                continue
            if not answer.blocked:
                return answer
            refused = answer
        if unable:
            raise unable
        return refused

    def accepts(self, turn: Turn) -> Accepts:
        """What the captioner takes whose turn it is."""
        return next(each.accepts for each, health in self._captioners if health is turn.health)

    def again(
        self,
        turn: Turn,
        model: str,
        image: str,
        fetch: FetchPicture | None,
        instructions: Prompt,
        report: Report,
    ) -> Answer:
        """Another answer of the captioner that gave the first one, in the same ``turn`` if that
        is its own."""
        captioner, health = next(pair for pair in self._captioners if pair[0].model == model)
        with ExitStack() as stack:
            if health is not turn.health:
                turn = stack.enter_context(health.turn(PATIENCE))
            picture = fetch(captioner.accepts) if fetch else None
            return self._call(captioner, turn, image, picture, instructions, report)

    def _call(
        self,
        captioner: Captioner,
        turn: Turn,
        image: str,
        picture: Picture | None,
        instructions: Prompt,
        report: Report,
    ) -> Answer:
        started = time.monotonic()
        try:
            turn.health.confirm(turn)
            if not self._budget.take(self._clock()):
                raise OverBudget
            report.model = captioner.model
            report.usage += Usage(model_calls=1)
            answer = self._answered(turn, image, lambda: captioner.describe(picture, instructions))
        finally:
            if picture:
                picture.release()
            report.model_seconds += time.monotonic() - started
        spent = prices.usage(captioner.model, answer, self._prices, self._clock().date())
        report.usage += Usage(0, spent.input_tokens, spent.output_tokens, spent.cost_usd)
        return replace(answer, model=captioner.model)

    def _answered(self, turn: Turn, image: str, call: Callable[[], Answer]) -> Answer:
        """What ``call`` returns, noted for all that ask after it. What was refused is no call of
        the day's, unless it is the image's own fault."""
        try:
            answer = call()
        except (TransientError, ConfigurationError) as error:
            error.own = turn.health.failed(turn, image, error)
            if not error.own:
                self._budget.untake(self._clock())
            raise
        except CaptionError:
            turn.health.answered(turn, image)
            raise
        turn.health.answered(turn, image, answer.allowance)
        return answer

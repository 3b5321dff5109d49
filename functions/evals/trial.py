"""One picture through the model and the filter, the way an upload goes, without stores."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from functions import pictures, quality
from functions.core.document import Accepts, Answer, Picture, Prompt, Upload
from functions.core.errors import PermanentError, TransientError, UnusableReply
from functions.core.policy import Policy, Rule
from functions.core.ports import Captioner
from functions.core.report import Report
from functions.evals.references import Reference
from functions.evals.runs import Row
from functions.model import prompt
from functions.model.client import ModelClient
from functions.model.quota import DailyLimit
from functions.model.reply import read_reply
from functions.settings import Settings
from functions.usecases import preflight

# Seconds before a busy provider is asked again, where it does not say how long itself.
WAITS = (1.0, 5.0, 20.0)
LONGEST_WAIT = 60.0
UNREADABLE = "unreadable"  # in the place of a rule's code: the first answer is no reply


@dataclass(frozen=True, slots=True)
class Trial:
    """What pictures are asked with. ``wording`` is a prompt to try in the place of ours."""

    captioners: Sequence[Captioner]
    settings: Settings
    policy: Policy
    wording: prompt.PromptText | None = None

    def instructions(self, name: str) -> tuple[Rule, tuple[str, ...], Prompt]:
        """The rule for a picture, its languages, and what the model is told."""
        rule = self.policy.rule(name)
        upload = Upload("local", name, 0, datetime.now(UTC))
        languages = preflight.languages(upload, rule, self.settings.languages)
        return rule, languages, prompt.compose(rule, languages, wording=self.wording)

    def row(self, folder: Path, name: str, reference: Reference | None) -> Row:
        """Ask about one picture, again where the provider is busy. Raises ConfigurationError
        only: every other failure is a row."""
        waits = iter(WAITS)
        while True:
            try:
                return self._row(folder, name, reference)
            except TransientError as error:
                wait = next(waits, None)
                if wait is None:
                    return Row(name, "unavailable", str(error), reference=reference)
                time.sleep(min(error.retry_after or wait, LONGEST_WAIT))

    def _row(self, folder: Path, name: str, reference: Reference | None) -> Row:
        rule, languages, instructions = self.instructions(name)
        context = quality.Context(
            languages,
            rule.max_length,
            name=name,
            prompt_text=f"{instructions.system}\n{instructions.user}",
        )
        answers: list[Answer] = []
        captioners = [_Recorded(each, answers) for each in self.captioners]
        row, report = Row(name, "", max_length=rule.max_length, reference=reference), Report()

        def picture(accepts: Accepts) -> Picture:
            data = (folder / name).read_bytes()
            return pictures.prepare(data, accepts, self.settings.max_pixels)

        try:
            if (folder / name).stat().st_size > self.settings.max_bytes:
                raise PermanentError("too_large", "The file is over CAPTION_MAX_BYTES.")
            rules, own_prices = self.settings.filter != "off", self.settings.prices
            client = ModelClient(captioners, _Unbound(), _now, rules=rules, own_prices=own_prices)
            sent = picture(captioners[0].accepts)
            checked = client.ask(sent, picture, instructions, context, _LATE, report, image=name)
        except PermanentError as error:
            row = replace(row, outcome=error.reason, problem=error.message)
        except OSError as error:
            row = replace(row, outcome="unavailable", problem=f"not readable: {error.strerror}")
        else:
            left = {*checked.reasons, *quality.check(checked.reply, context).reasons}
            row = replace(
                row,
                outcome="captioned",
                alt_text=checked.reply.alt_text,
                caption=checked.reply.caption,
                decorative=checked.reply.decorative,
                language=checked.language,
                model_version=checked.model_version,
                left=tuple(sorted(left)),
            )
        return replace(
            row,
            found=_found(answers, context),
            model_calls=report.usage.model_calls,
            input_tokens=report.usage.input_tokens,
            output_tokens=report.usage.output_tokens,
            cost_usd=report.usage.cost_usd,
            seconds=round(report.model_seconds, 4),
        )


def _found(answers: Sequence[Answer], context: quality.Context) -> tuple[str, ...]:
    """The codes of what is wrong with the first answer that is one."""
    for answer in answers:
        if answer.blocked:
            continue
        try:
            reply = read_reply(answer)
        except UnusableReply:
            return (UNREADABLE,)
        return tuple(sorted({found.code for found in quality.check(reply, context).findings}))
    return ()


class _Recorded:
    """A captioner whose answers are kept, for what the filter made of the first one."""

    def __init__(self, captioner: Captioner, answers: list[Answer]) -> None:
        self._captioner, self._answers = captioner, answers
        self.model, self.accepts, self.close = captioner.model, captioner.accepts, captioner.close

    def describe(self, picture: Picture | None, instructions: Prompt) -> Answer:
        answer = self._captioner.describe(picture, instructions)
        self._answers.append(answer)
        return answer


class _Unbound(DailyLimit):
    """No daily limit: the number of pictures bounds what an evaluation costs."""

    def __init__(self) -> None:
        """There is no store to count in."""

    def take(self, now: datetime) -> bool:
        return True

    def untake(self, now: datetime) -> None:
        """Nothing was counted."""


_LATE = datetime.max.replace(tzinfo=UTC)


def _now() -> datetime:
    return datetime.now(UTC)

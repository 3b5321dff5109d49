"""What a model's reply to a question says, and what in it must not be passed on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from functions import quality
from functions.core.document import Answer
from functions.core.errors import UnusableReply
from functions.core.language_tags import language_tag
from functions.core.question import LONGEST_ANSWER, ImageAnswer, Question
from functions.model.lenient_json import objects
from functions.quality import sources, wording
from functions.quality.checked_text import CheckedText
from functions.quality.cleaning import plain
from functions.quality.text import cut

_STEPS = ("escapes", "control_characters", "unicode_form", "markup", "whitespace")
_LONGEST_VISIBLE_TEXT = 4_000
_NO = frozenset({"false", "no", "0", "none", "null"})
# What asks for a name, and names of two words or more: no face has them written on it.
_WHO = re.compile(
    r"\b(?:who|whom|whose|wer|wen|wem|wessen|wie is|qui|quién(?:es)?|chi|quem|names?|heißt)\b", re.I
)
_NAME = re.compile(r"\b[A-ZÀ-ÖØ-Þ][^\W\d_]+(?:[ -][A-ZÀ-ÖØ-Þ][^\W\d_]+){1,3}\b")
_RULES = (
    sources.prompt_echo,
    sources.hint_obeyed,
    sources.injection,
    sources.contact_details,
    wording.broken_characters,
    wording.person_guess,
)


@dataclass(frozen=True, slots=True)
class QuestionReply:
    """An answer, and the words in the image that it rests on."""

    answer: ImageAnswer
    visible_text: str = ""


def read_reply(answer: Answer, question: Question, language: str) -> QuestionReply:
    """The reply in a model's answer to ``question``; in ``language`` if it does not say.

    Raises UnusableReply, with what to mend, where there is none.
    """
    found = _best(answer.text)
    if found is None:
        cut_off = "was cut off" if answer.truncated else "is not a JSON object with an answer"
        raise UnusableReply(f"the reply {cut_off}; write one complete JSON object, and be brief")
    words = _words(found.get("answer"))[: 2 * LONGEST_ANSWER]
    text = cut(plain(words, _STEPS), LONGEST_ANSWER).rstrip()
    if not any(letter.isalnum() for letter in text):
        raise UnusableReply("answer is empty: answer, or say plainly that the image does not show")
    answerable = str(found.get("answerable", True)).strip().lower() not in _NO
    tag = _tag(found.get("language")) or question.language or language
    visible_text = _words(found.get("visible_text"))[:_LONGEST_VISIBLE_TEXT]
    return QuestionReply(ImageAnswer(text, answerable, tag, answer.model), visible_text)


def faults(reply: QuestionReply, context: quality.Context, question: Question) -> tuple[str, ...]:
    """What must not be passed on of a reply, each with how to mend it: refusals that pass for
    answers, what the asker, the image or its notes dictated, code, made-up contact details,
    guesses about people."""
    checked = CheckedText(
        reply.answer.text,
        "answer",
        reply.answer.language,
        LONGEST_ANSWER,
        context,
        reply.visible_text,
    )
    rules = (*_RULES, wording.spoken_refusal) if reply.answer.answerable else _RULES
    found = [judge(checked) for judge in rules] + [_identified(checked, question)]
    if not checked.is_quotation:
        found.append(sources.hint_obeyed(_asked(checked, question)))
    return tuple(f"answer: {each}" for each in dict.fromkeys(filter(None, found)))


def _identified(checked: CheckedText, question: Question) -> str | None:
    """A name in an answer to who somebody is that stands neither in the image nor in its notes.
    The first word of a sentence, and each noun in German, has a capital anyway."""
    if not _WHO.search(question.text):
        return None
    told = " ".join(checked.context.hints).casefold()
    frequent = frozenset[str]().union(*(each.frequent for each in checked.words))
    for found in _NAME.finditer(checked.own):
        before = checked.own[: found.start()].rstrip()
        opens = not before or before.endswith((".", "!", "?"))
        whole = found[0] == checked.own.strip(" .")
        noun = opens and not whole and checked.language.startswith("de")
        known = found[0].casefold() in told or checked.stands_in_image(found[0])
        if not (noun or known or found[0].split()[0].casefold() in frequent):
            return f"“{found[0]}” is a name that stands nowhere: say what can be seen."
    return None


def _asked(checked: CheckedText, question: Question) -> CheckedText:
    """``checked`` against what the asker says alone."""
    earlier = (text for each in question.history for text in (each.question, each.answer))
    context = replace(checked.context, hints=(question.text, *earlier), name="")
    return replace(checked, context=context, visible_text="")


def _best(text: str) -> Mapping[str, Any] | None:
    """The last complete object that has an answer: models think aloud first. A broken one only
    if there is no other."""
    best, complete = None, False
    for found in objects(text):
        value = found.value
        if isinstance(value, Mapping) and "answer" in value and found.complete >= complete:
            best, complete = value, found.complete
    return best


def _words(value: Any) -> str:
    """A text; half of a surrogate pair is no character."""
    if not isinstance(value, str):
        return ""
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _tag(value: Any) -> str:
    try:
        return language_tag(value) if isinstance(value, str) and value.strip() else ""
    except ValueError:
        return ""

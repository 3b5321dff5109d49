"""``ask``: an answer to a question about one image. Private: each new question costs money."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Request, Response

from functions import logs
from functions.core.document import Upload
from functions.core.errors import Gone, OverBudget, PermanentError, TransientError
from functions.core.image_url import candidates
from functions.core.language_tags import language_tag
from functions.core.plain_text import plain_line
from functions.core.question import (
    LONGEST_ANSWER,
    LONGEST_QUESTION,
    MOST_TURNS,
    Exchange,
    ImageAnswer,
    Question,
)
from functions.core.report import Report
from functions.http import responses
from functions.http.caller_pace import CallerPace, caller
from functions.http.daily_limit import seconds_left_of_day
from functions.http.responses import Refusal
from functions.settings import Settings
from functions.usecases.ask_about_image import Answering

# Ten turns of the longest questions and answers, with every character escaped.
MOST_BYTES = 1 << 18
_RETRY_SECONDS = 5
_BODY = '{"src": "gs://BUCKET/NAME", "question": "What does the sign say?"}'
_NOT_OURS = "there is no image at this address that can be asked about"


class AskEndpoint:
    """Answers requests; ``answering`` is opened with the first question."""

    def __init__(self, settings: Settings, answering: Callable[[], Answering]) -> None:
        self._settings, self._answering = settings, answering
        self._pace = CallerPace(settings.ask_pace)

    def answer(self, request: Request) -> Response:
        """The answer to any request, whatever goes wrong."""
        response = responses.guarded(request, lambda: self._routed(request))
        return responses.compressed(response, request)

    def _routed(self, request: Request) -> Response:
        sent = responses.body(request, MOST_BYTES)
        if request.path != "/":
            raise Refusal(404, "there is nothing here; send a question to /")
        responses.allow(request, "POST")
        if request.method == "OPTIONS":
            response = Response(status=204)
            response.headers["Allow"] = "POST, OPTIONS"
            return response
        if not request.is_json:
            raise Refusal(415, f"send Content-Type: application/json, and {_BODY}")
        src, question = read_question(sent)
        try:
            objects = candidates(src, self._settings.origins or ())
        except ValueError as error:
            raise Refusal(400, f"src {error}") from None
        if wait := self._pace.wait(caller(request)):
            fast = "you ask faster than CAPTION_ASK_PACE allows; ask again in a moment"
            raise Refusal(429, fast, **{"Retry-After": str(wait)})
        answering = self._answering()
        answer = answered(request, answering, lambda: answering.find(objects), question)
        return responses.as_json({"src": src, **answer})


def answered(
    request: Request, answering: Answering, find: Callable[[], Upload], question: Question
) -> dict[str, Any]:
    """The answer to a question about the image that ``find`` gets, as JSON, and its line in the
    log. Raises Refusal."""
    report, started = Report(), time.monotonic()
    try:
        answer: ImageAnswer = answering.ask(find(), question, report)
    except OverBudget:
        report.outcome, wait = "over_budget", seconds_left_of_day(datetime.now(UTC))
        spent = "the day's answers are spent; raise CAPTION_ASK_DAILY_LIMIT, or ask tomorrow"
        raise Refusal(429, spent, **{"Retry-After": str(wait)}) from None
    except (Gone, PermanentError):
        report.outcome = "gone"
        raise Refusal(404, _NOT_OURS) from None
    except TransientError as error:
        report.outcome = "unanswered"
        responses.log(request, "WARNING", str(error), 503)
        wait = math.ceil(error.retry_after or _RETRY_SECONDS)
        away = "nobody can answer for the moment; ask again later"
        raise Refusal(503, away, **{"Retry-After": str(wait)}) from None
    finally:
        if report.usage.model_calls:
            traceparent = request.headers.get("traceparent", "")
            logs.answered(report, traceparent, time.monotonic() - started)
    return {
        "answer": answer.text,
        "answerable": answer.answerable,
        "language": answer.language,
        "model": answer.model,
        "cached": answer.cached,
    }


def read_question(sent: bytes) -> tuple[str, Question]:
    """The address and the question in a body. Raises Refusal for what is neither."""
    try:
        fields = json.loads(sent)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise Refusal(400, f"the body is not the JSON asked for; send {_BODY}")
    src = fields.get("src")
    if not isinstance(src, str) or not src.strip():
        raise Refusal(400, f"src is missing; send {_BODY}")
    if any("\ud800" <= character <= "\udfff" for character in src):
        raise Refusal(400, f"src holds something that is no text; send {_BODY}")
    return src, question_in(fields)


def question_in(fields: Mapping[str, Any]) -> Question:
    """The question in the fields of a body. Raises Refusal for what is none."""
    text = _text(fields.get("question"), "question", LONGEST_QUESTION)
    return Question(text, _language(fields.get("lang")), _history(fields.get("history")))


def _text(value: Any, name: str, longest: int) -> str:
    text = plain_line(value, len(value)) if isinstance(value, str) else ""
    if not any(character.isalnum() for character in text):
        raise Refusal(400, f"{name} is missing, or no text; send {_BODY}")
    if len(value.strip()) > longest:
        raise Refusal(400, f"{name} is longer than {longest} characters; say it in fewer")
    return text


def _language(value: Any) -> str:
    if value is None or value == "":
        return ""
    try:
        return language_tag(value)
    except (ValueError, TypeError, AttributeError):
        raise Refusal(400, "lang is no language tag; write fr, pt-BR or zh-Hant") from None


def _history(value: Any) -> tuple[Exchange, ...]:
    shape = f'up to {MOST_TURNS} times {{"question": "…", "answer": "…"}}, the oldest first'
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise Refusal(400, f"history is no list of earlier questions; send {shape}")
    if len(value) > MOST_TURNS:
        raise Refusal(400, f"history has {len(value)} turns; send {shape}")
    return tuple(
        Exchange(
            _text(each.get("question"), "a question in history", LONGEST_QUESTION),
            _text(each.get("answer"), "an answer in history", LONGEST_ANSWER),
        )
        for each in value
    )

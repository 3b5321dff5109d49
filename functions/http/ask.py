"""``ask``: an answer to a question about one image. Each new question costs money: private, unless
CAPTION_ASK_PUBLIC says otherwise."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from flask import Request, Response

from functions import logs
from functions.core.document import Upload
from functions.core.errors import Gone, OverBudget, PermanentError, TransientError
from functions.core.image_url import candidates
from functions.core.language_tags import fallbacks, language_tag
from functions.core.plain_text import plain_line
from functions.core.question import (
    LONGEST_ANSWER,
    LONGEST_QUESTION,
    MOST_TURNS,
    Exchange,
    ImageAnswer,
    Question,
    same_question,
)
from functions.core.report import Report
from functions.http import responses
from functions.http.caller_pace import CallerPace, address, caller
from functions.http.daily_limit import LookupLimit, seconds_left_of_day
from functions.http.responses import Refusal
from functions.settings import Settings
from functions.usecases.ask_about_image import Answering

# Ten turns of the longest questions and answers, with every character escaped.
MOST_BYTES = 1 << 18
_RETRY_SECONDS = 5
_BODY = '{"src": "gs://BUCKET/NAME", "question": "What does the sign say?"}'
# Questions a minute that one caller may ask, where CAPTION_ASK_PACE says nothing.
_PACE, _PUBLIC_PACE = 120, 10
NOT_OURS = "there is no image at this address that can be asked about"


class AskEndpoint:
    """Answers requests; ``answering`` is opened with the first question."""

    def __init__(self, settings: Settings, answering: Callable[[], Answering]) -> None:
        self._settings, self._answering = settings, answering
        self._public, self._origins = settings.ask_public, settings.ask_origins or ()
        pace = _PUBLIC_PACE if self._public else _PACE
        self._pace = CallerPace(pace if settings.ask_pace is None else settings.ask_pace)
        self._limit = LookupLimit(settings.lookup_daily_limit if self._public else 0)
        self._visitors = responses.Visitors(self._origins)

    def answer(self, request: Request) -> Response:
        """The answer to any request, whatever goes wrong."""
        response = responses.guarded(request, lambda: self._routed(request))
        response = responses.compressed(response, request)
        return self._visitors.admitted(request, response) if self._origins else response

    def _routed(self, request: Request) -> Response:
        sent = responses.body(request, MOST_BYTES)
        if request.path != "/":
            raise Refusal(404, "there is nothing here; send a question to /")
        responses.allow(request, "POST")
        self._refuse_other_websites(request)
        if request.method == "OPTIONS":
            if self._origins:
                return self._visitors.preflight("POST")
            response = Response(status=204)
            response.headers["Allow"] = "POST, OPTIONS"
            return response
        if not request.is_json:
            raise Refusal(415, f"send Content-Type: application/json, and {_BODY}")
        src, question = read_question(sent)
        question = self._taken(question)
        try:
            objects = candidates(src, self._settings.origins or ())
        except ValueError as error:
            raise Refusal(400, f"src {error}") from None
        self._bound(request, len(objects))
        answering = self._answering()
        answer = answered(request, answering, lambda: answering.find(objects), question)
        return responses.as_json({"src": src, **answer})

    def _refuse_other_websites(self, request: Request) -> None:
        """Raises Refusal for a browser that asks for a website that may not. Whoever is no browser
        writes what it likes."""
        guarded = (self._public or self._origins) and "*" not in self._origins
        named = request.headers.get("Origin") in self._origins
        if guarded and not named and responses.from_elsewhere(request):
            raise Refusal(403, "this website may not ask; name it in CAPTION_ASK_ORIGINS")

    def _taken(self, question: Question) -> Question:
        """The question as it is asked of a model: of a list, in the list's own words, which leave
        nothing of the asker's. The public asks in languages that are offered."""
        if listed := self._settings.ask_questions:
            text = same_question(question.text, listed)
            if text is None or question.history:
                asked = "; ".join(listed)
                raise Refusal(403, f"ask one of these, without history: {asked}")
            question = replace(question, text=text)
        return replace(question, language=self._offered(question.language))

    def _offered(self, language: str) -> str:
        if not self._public or not language:
            return language
        offered = {*self._settings.languages, *(self._settings.languages_on_request or ())}
        return next((each for each in fallbacks(language) if each in offered), "")

    def _bound(self, request: Request, reads: int) -> None:
        """Raises Refusal where one caller asks too fast, or the public has made this instance
        read too much today. An identity that nobody has checked is none."""
        proxies = self._settings.ask_proxies
        who = address(request, proxies) if self._public else caller(request)
        if wait := self._pace.wait(who):
            fast = "you ask faster than CAPTION_ASK_PACE allows; ask again in a moment"
            raise Refusal(429, fast, **{"Retry-After": str(wait)})
        self._limit.read(reads)


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
        raise Refusal(404, NOT_OURS) from None
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

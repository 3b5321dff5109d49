"""Gemini's captions, by ``generateContent``."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any

from google.genai import types

from functions.adapters import answer_bodies
from functions.adapters.answer_bodies import mapping
from functions.adapters.google_genai import Config, Connection, Content, Part
from functions.adapters.negotiation import Negotiation, in_words
from functions.adapters.vendor_errors import Refused, error_text, status_within, tokens
from functions.core.document import Accepts, Answer, Picture, Prompt

# "Supported image formats", Gemini API documentation; a request ends at 20 MB, base64 included.
ACCEPTS = Accepts(
    types=frozenset({"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"}),
    max_bytes=14 * 2**20,
    max_side=8192,
    videos=frozenset({"video/mp4"}),
)
_MAX_OUTPUT_TOKENS = 2048
_UNDERSCORE = re.compile(r"_([a-z])")
# No field that is read lies deeper.
_DEPTH = 10


class GeminiCaptioner:
    """A Captioner on ``generateContent``. One call an answer: no retries of its own."""

    accepts = ACCEPTS

    def __init__(self, model: str, timeout_seconds: float) -> None:
        self.model = f"gemini:{model}"
        self._name = model
        self._connection = Connection(timeout_seconds)
        self._thinking = thinking(model)
        parts = ("system", "schema", *(["thinking"] if self._thinking else []))
        self._negotiation = Negotiation(parts)

    def describe(self, picture: Picture | None, prompt: Prompt) -> Answer:
        return self._negotiation.ask(picture, lambda sent, parts: self._ask(sent, prompt, parts))

    def _ask(self, picture: Picture | None, prompt: Prompt, parts: frozenset[str]) -> Answer:
        with self._connection.sending(picture) as (image, options):
            system = prompt.system if "schema" in parts else in_words(prompt)
            text = prompt.user if "system" in parts else f"{system}\n\n{prompt.user}"
            config = Config(
                system_instruction=system if "system" in parts else None,
                response_mime_type="application/json" if "schema" in parts else None,
                response_json_schema=prompt.schema if "schema" in parts else None,
                max_output_tokens=prompt.max_output_tokens or _MAX_OUTPUT_TOKENS,
                thinking_config=self._thinking if "thinking" in parts else None,
                http_options=options,
                # The SDK's types refuse an answer over its bill; the answer is read as JSON.
                should_return_http_response=True,
            )
            declined = functools.partial(self._negotiation.refused, sent=parts)
            content = Content(role="user", parts=[*image, Part(text=text)])
            try:
                with self._connection.translating(self._name, declined):
                    response = self._connection.models.generate_content(
                        model=self._name, contents=content, config=config
                    )
                    answer = response.sdk_http_response
                    return self._answer((answer and answer.body) or "{}", prompt)
            except Refused as refusal:
                return Answer("", blocked=refusal.why)

    def _answer(self, content: bytes | str, prompt: Prompt) -> Answer:
        """What a response says; raises what is none."""
        values = answer_bodies.sent(content)
        body, service = _whole(values), self._connection.service
        if answer_bodies.says(error := body.get("error")):
            raise service.answered(status_within(body, 200), self._name, error_text(error))
        text = _text(body["parts"])
        if "{" not in text:  # a function may be called with it, or a gateway speak otherwise
            text = answer_bodies.reply(values, prompt.schema) or text
        feedback, used = mapping(body.get("promptFeedback")), mapping(body.get("usageMetadata"))
        candidate = mapping(body.get("candidate"))
        blocked = str(feedback.get("blockReason") or "")
        finish = str(candidate.get("finishReason")).upper()
        if not candidate and not blocked and not text:
            if words := error_text(answer_bodies.fault(body)):
                raise service.answered(status_within(body, 200), self._name, words)
            raise service.unusable("no candidates")
        answered = tokens(used.get("candidatesTokenCount"))
        return Answer(
            text=text,
            blocked=blocked or (finish if answer_bodies.refused(finish) else ""),
            truncated=answer_bodies.truncated(finish),
            model_version=str(body.get("modelVersion") or ""),
            input_tokens=tokens(used.get("promptTokenCount")),
            output_tokens=answered + tokens(used.get("thoughtsTokenCount")),
        )

    def close(self) -> None:
        """Let go of connections."""
        self._connection.close()


def thinking(model: str) -> types.ThinkingConfig | None:
    """How little a model is told to think; None to leave it at its default.

    "Gemini thinking", Gemini API documentation: Flash and Pro of Gemini 3 think at length if they
    are not told, Flash-Lite hardly; Gemini 2.5 Flash counts tokens instead of levels.
    """
    name = model.rpartition("/")[2]
    if re.match(r"gemini-[3-9][.\d]*-(?:flash|pro)(?!-lite|-image|-live)", name):
        return types.ThinkingConfig(thinking_level=types.ThinkingLevel.LOW)
    if re.match(r"gemini-2\.5-flash(?!-lite|-image|-live)", name):
        return types.ThinkingConfig(thinking_budget=0)
    return None


def _whole(values: list[Any]) -> dict[str, Any]:
    """The response that was sent at once or in pieces: its last fields, the fields of its first
    candidate, and all parts of that one. Proxies write names with underscores, too."""
    whole: dict[str, Any] = {"parts": []}
    for piece in answer_bodies.mappings(values):
        piece = _camel(piece)
        whole |= {name: each for name, each in piece.items() if each and name != "parts"}
        candidates = piece.get("candidates")
        candidate = mapping(candidates[0] if isinstance(candidates, list) and candidates else {})
        whole["candidate"] = {**whole.get("candidate", {}), **candidate}
        content = candidate.get("content")
        parts = content.get("parts") if isinstance(content, Mapping) else content
        whole["parts"] += parts if isinstance(parts, list) else [parts]
    return whole


def _camel(value: Any, depth: int = _DEPTH) -> Any:
    """``value`` with the names of its fields as Gemini's own."""
    if isinstance(value, list) and depth:
        return [_camel(each, depth - 1) for each in value]
    if not isinstance(value, Mapping) or not depth:
        return value
    return {
        _UNDERSCORE.sub(lambda found: found[1].upper(), key): _camel(each, depth - 1)
        for key, each in value.items()
    }


def _text(parts: list[Any]) -> str:
    """The texts of an answer, thoughts aside."""
    parts = [{"text": each} if isinstance(each, str) else mapping(each) for each in parts]
    said = [each for each in parts if not each.get("thought")]
    return "".join(each["text"] for each in said if isinstance(each.get("text"), str))

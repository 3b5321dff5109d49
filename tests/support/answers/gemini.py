"""Gemini's answers to generateContent and embedContent."""

from __future__ import annotations

import json
from typing import Any

from tests.support.answers import DROP, HANG, Answer, caption

RPC = "type.googleapis.com/google.rpc."
SERVICE = "generativelanguage.googleapis.com"
FINISH_REASONS = ("SAFETY", "RECITATION", "PROHIBITED_CONTENT", "SPII", "BLOCKLIST")
BLOCK_REASONS = ("SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY")
REFUSAL = "I'm sorry, but I can't help with describing this image."
_TROUBLESHOOTING = "https://developers.generativeai.google/guide/troubleshooting"
_JSON = {"Content-Type": "application/json; charset=UTF-8"}


def text(
    words: str | None,
    finish: str = "STOP",
    model: str = "gemini-3.5-flash-lite",
    tokens: tuple[int, int] = (1420, 118),
) -> Answer:
    """An answer with this text, or with no content at all if None."""
    candidate: dict[str, Any] = {"finishReason": finish, "index": 0}
    if words is not None:
        candidate["content"] = {"parts": [{"text": words}], "role": "model"}
    return Answer({"candidates": [candidate], **_around(model, tokens)}, headers=_JSON)


def good(**changes: Any) -> Answer:
    """A caption as asked for; ``changes`` replace fields of it."""
    return text(json.dumps(caption(**changes), ensure_ascii=False))


def finished(reason: str, words: str | None = None) -> Answer:
    """An answer that ended for ``reason``, usually without text."""
    return text(words, reason, tokens=(1420, 0))


def prompt_blocked(reason: str = "PROHIBITED_CONTENT") -> Answer:
    """The prompt itself was blocked: no candidates."""
    body = {"promptFeedback": {"blockReason": reason}, **_around(tokens=(1420, 0))}
    return Answer(body, headers=_JSON)


def out_of_tokens(words: str | None = None) -> Answer:
    """MAX_TOKENS: all thought and no text, or the beginning of it."""
    answer = text(words, "MAX_TOKENS", tokens=(1420, 0 if words is None else 512))
    answer.body["usageMetadata"]["thoughtsTokenCount"] = 512
    return answer


def fenced(**changes: Any) -> Answer:
    """The JSON in a Markdown code fence."""
    return text(f"```json\n{json.dumps(caption(**changes), indent=2)}\n```")


def truncated() -> Answer:
    """JSON that stops in the middle, said to be complete."""
    return text(json.dumps(caption())[:70])


def endless_newlines() -> Answer:
    """JSON that turns into newlines until the tokens run out."""
    return out_of_tokens(json.dumps(caption())[:70] + "\n" * 20_000)


def trickle(seconds: float = 0.2) -> Answer:
    """A good answer, one byte at a time."""
    return Answer(good().body, headers=_JSON, trickle=seconds)


def embeddings(*vectors: list[float], tokens: int = 12) -> Answer:
    """What batchEmbedContents answers: the developer API asks through it for one as well."""
    listed = [{"values": values} for values in vectors]
    return Answer({"embeddings": listed, "usageMetadata": _counted(tokens)}, headers=_JSON)


def embedding(values: list[float], tokens: int = 12) -> Answer:
    """What embedContent answers, which Vertex AI is asked through."""
    body = {"embedding": {"values": values}, "usageMetadata": _counted(tokens)}
    return Answer(body | {"truncated": False}, headers=_JSON)


def _counted(tokens: int) -> dict[str, Any]:
    return {"promptTokenCount": tokens, "totalTokenCount": tokens}


def error(code: int, status: str, message: str, *details: dict[str, Any], **headers: str) -> Answer:
    """An error as Google's APIs send it."""
    body: dict[str, Any] = {"code": code, "message": message, "status": status}
    if details:
        body["details"] = list(details)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer({"error": body}, code, {**_JSON, **sent})


def quota(
    delay: str | None = "7s",
    header: str | None = None,
    wrapped: bool = False,
    period: str = "Minute",
) -> Answer:
    """429: with RetryInfo, with a Retry-After header only, or the body wrapped in an array."""
    failure = {
        "@type": f"{RPC}QuotaFailure",
        "violations": [
            {
                "quotaMetric": f"{SERVICE}/generate_content_free_tier_requests",
                "quotaId": f"GenerateRequestsPer{period}PerProjectPerModel-FreeTier",
                "quotaDimensions": {"location": "global", "model": "gemini-3.5-flash-lite"},
                "quotaValue": "15",
            }
        ],
    }
    link = {"description": "Learn more about Gemini API quotas", "url": "https://ai.google.dev"}
    details = [failure, {"@type": f"{RPC}Help", "links": [link]}]
    message = (
        "You exceeded your current quota, please check your plan and billing details. For more "
        "information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits."
    )
    if delay:
        details.append({"@type": f"{RPC}RetryInfo", "retryDelay": delay})
        message += f"\nPlease retry in {delay}."
    answer = error(429, "RESOURCE_EXHAUSTED", message, *details)
    headers = {**answer.headers, **({"Retry-After": header} if header else {})}
    return Answer([answer.body] if wrapped else answer.body, 429, headers)


def _around(
    model: str = "gemini-3.5-flash-lite", tokens: tuple[int, int] = (1420, 118)
) -> dict[str, Any]:
    asked, answered = tokens
    usage: dict[str, Any] = {
        "promptTokenCount": asked,
        "totalTokenCount": asked + answered,
        "promptTokensDetails": [
            {"modality": "TEXT", "tokenCount": asked - 1120},
            {"modality": "IMAGE", "tokenCount": 1120},
        ],
    }
    if answered:
        usage["candidatesTokenCount"] = answered
    return {"usageMetadata": usage, "modelVersion": model, "responseId": "mDkaacbvEo2Z7M8P5raB8Ag"}


def _info(reason: str) -> dict[str, Any]:
    return {
        "@type": f"{RPC}ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": {"service": SERVICE},
    }


_BAD_KEY = "API key not valid. Please pass a valid API key."
ERRORS = {
    "wrong key": error(
        400,
        "INVALID_ARGUMENT",
        _BAD_KEY,
        _info("API_KEY_INVALID"),
        {"@type": f"{RPC}LocalizedMessage", "locale": "en-US", "message": _BAD_KEY},
    ),
    "expired key": error(
        400,
        "INVALID_ARGUMENT",
        "API key expired. Please renew the API key.",
        _info("API_KEY_INVALID"),
    ),
    "invalid image": error(
        400,
        "INVALID_ARGUMENT",
        f"Unable to process input image. Please retry or report in {_TROUBLESHOOTING}",
    ),
    "unsupported type": error(400, "INVALID_ARGUMENT", "Unsupported MIME type: image/jpg"),
    "unknown field": error(
        400,
        "INVALID_ARGUMENT",
        'Invalid JSON payload received. Unknown name "frequencyPenalty": Cannot find field.',
        {
            "@type": f"{RPC}BadRequest",
            "fieldViolations": [{"description": 'Unknown name "frequencyPenalty"'}],
        },
    ),
    "wrong place": error(
        400, "FAILED_PRECONDITION", "User location is not supported for the API use."
    ),
    "permission denied": error(
        403,
        "PERMISSION_DENIED",
        "Generative Language API has not been used in project 1234 before or it is disabled.",
        _info("SERVICE_DISABLED"),
    ),
    "unknown model": error(
        404,
        "NOT_FOUND",
        "models/gemini-9 is not found for API version v1, or is not supported for "
        "generateContent. Call ListModels to see the list of available models.",
    ),
    "quota with RetryInfo": quota(),
    "quota with Retry-After": quota(None, "7"),
    "quota without a delay": quota(None),
    "quota in an array": quota(wrapped=True),
    "internal": error(
        500,
        "INTERNAL",
        f"An internal error has occurred. Please retry or report in {_TROUBLESHOOTING}",
    ),
    "overloaded": error(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
    "deadline": error(
        504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."
    ),
    "hangs": HANG,
    "drops": DROP,
}

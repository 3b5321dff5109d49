"""OpenAI's answers to chat completions and responses."""

from __future__ import annotations

import json
from typing import Any

from tests.support.answers import DROP, HANG, Answer, caption

REFUSAL = "I'm sorry, I can't assist with that."
_EXCEEDED = "rate_limit_exceeded"
_RATE = {
    "x-ratelimit-limit-requests": "500",
    "x-ratelimit-remaining-requests": "0",
    "x-ratelimit-reset-requests": "7s",
}


def chat(
    words: str | None, finish: str = "stop", refusal: str | None = None, model: str = "gpt-5.4-mini"
) -> Answer:
    """A chat completion with this text."""
    message: dict[str, Any] = {
        "role": "assistant",
        "content": words,
        "refusal": refusal,
        "annotations": [],
    }
    return Answer(
        {
            "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
            "object": "chat.completion",
            "created": 1790000000,
            "model": f"{model}-2026-03-17",
            "choices": [
                {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
            ],
            "usage": {
                "prompt_tokens": 1420,
                "completion_tokens": 118,
                "total_tokens": 1538,
                "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
            },
            "service_tier": "default",
            "system_fingerprint": None,
        }
    )


def response(
    words: str | None,
    incomplete: str | None = None,
    refusal: str | None = None,
    model: str = "gpt-5.4-mini",
) -> Answer:
    """A response (of the Responses API) with this text or refusal."""
    said: list[dict[str, Any]] = []
    if words is not None:
        said.append({"type": "output_text", "text": words, "annotations": [], "logprobs": []})
    if refusal is not None:
        said.append({"type": "refusal", "refusal": refusal})
    status = "incomplete" if incomplete else "completed"
    message = {
        "type": "message",
        "id": "msg_67ccd2bf17f0819081ff3bb2cf6508e6",
        "status": status,
        "role": "assistant",
        "content": said,
    }
    return Answer(
        {
            "id": "resp_67ccd2bed1ec8190b14f964abc054267",
            "object": "response",
            "created_at": 1790000000,
            "status": status,
            "error": None,
            "incomplete_details": {"reason": incomplete} if incomplete else None,
            "instructions": None,
            "metadata": {},
            "model": f"{model}-2026-03-17",
            "output": [message] if said else [],
            "parallel_tool_calls": True,
            "temperature": 1.0,
            "tool_choice": "auto",
            "tools": [],
            "top_p": 1.0,
            "usage": {
                "input_tokens": 1420,
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens": 118,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": 1538,
            },
        }
    )


def good(**changes: Any) -> Answer:
    """A chat completion with a caption as asked for."""
    return chat(json.dumps(caption(**changes), ensure_ascii=False))


def refused() -> Answer:
    """A refusal in words, as structured output has it."""
    return chat(None, refusal=REFUSAL)


def filtered() -> Answer:
    """A reply that the content filter stopped."""
    return chat("", "content_filter")


def truncated() -> Answer:
    """A reply that the limit of tokens cut off."""
    return chat('{"visible_text": "", "caption": "A br', "length")


def quota(delay: str | None) -> Answer:
    """429, with Retry-After, or without a word of when."""
    sent = {"retry_after": delay} if delay else {}
    return error(429, "Rate limit reached for gpt-5.4-mini.", "requests", _EXCEEDED, **sent)


def error(status: int, message: str, kind: str, code: str | None = None, **headers: str) -> Answer:
    """An error as OpenAI sends it."""
    body: dict[str, Any] = {
        "error": {"message": message, "type": kind, "param": None, "code": code}
    }
    return Answer(body, status, {name.replace("_", "-"): v for name, v in headers.items()})


_BAD_REQUEST = "invalid_request_error"
ERRORS = {
    "wrong key": error(
        401,
        "Incorrect API key provided: test. You can find your API key at "
        "https://platform.openai.com/account/api-keys.",
        _BAD_REQUEST,
        "invalid_api_key",
    ),
    "permission denied": error(
        403, "Country, region, or territory not supported", "request_forbidden"
    ),
    "unknown model": error(
        404,
        "The model `gpt-9` does not exist or you do not have access to it.",
        _BAD_REQUEST,
        "model_not_found",
    ),
    "invalid image": error(
        400,
        "You uploaded an unsupported image. Please make sure your image is valid.",
        _BAD_REQUEST,
        "image_parse_error",
    ),
    "quota": error(
        429,
        "Rate limit reached for gpt-5.4-mini on requests per min (RPM): Limit 500, Used 500. "
        "Please try again in 7s.",
        "requests",
        _EXCEEDED,
        **{"retry_after": "7", **_RATE},
    ),
    "no credit": error(
        429,
        "You exceeded your current quota, please check your plan and billing details.",
        "insufficient_quota",
        "insufficient_quota",
    ),
    "forbidden image": error(
        400,
        "Your request was rejected by the safety system.",
        _BAD_REQUEST,
        "content_policy_violation",
    ),
    "no schema": error(400, "'response_format.type' must be 'text' or 'json_object'", _BAD_REQUEST),
    "sees no images": error(
        400,
        "Invalid content type. image_url is only supported by certain models.",
        _BAD_REQUEST,
    ),
    "internal": error(
        500, "The server had an error while processing your request. Sorry!", "server_error"
    ),
    "overloaded": error(
        503, "The engine is currently overloaded, please try again later.", "service_unavailable"
    ),
    "hangs": HANG,
    "drops": DROP,
}

"""Anthropic's answers to messages."""

from __future__ import annotations

import json
from typing import Any

from tests.support.answers import DROP, HANG, Answer, caption


def text(
    words: str | None, stop: str = "end_turn", model: str = "claude-haiku-4-5-20251001"
) -> Answer:
    """A message with this text; None for no content, as in a refusal."""
    return Answer(
        {
            "id": "msg_01XFDUDYJgAACzvnptvVoYEL",
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [] if words is None else [{"type": "text", "text": words}],
            "stop_reason": stop,
            "stop_sequence": None,
            "usage": {
                "input_tokens": 1420,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
                "output_tokens": 0 if words is None else 118,
                "service_tier": "standard",
            },
        },
        headers={"request-id": "req_011CSHoEeqs5C35K2UUqR7Fy"},
    )


def good(**changes: Any) -> Answer:
    """A message with a caption as asked for."""
    return text(json.dumps(caption(**changes), ensure_ascii=False))


def refused() -> Answer:
    """A refusal: no content, and the reason for stopping."""
    return text(None, "refusal")


def truncated() -> Answer:
    """A reply that the limit of tokens cut off."""
    return text('{"visible_text": "", "caption": "A br', "max_tokens")


def quota(delay: str | None) -> Answer:
    """429, with Retry-After or without."""
    answer = ERRORS["quota"]
    headers = {k: v for k, v in answer.headers.items() if k != "retry-after"}
    return Answer(answer.body, 429, headers | ({"retry-after": delay} if delay else {}))


def error(status: int, kind: str, message: str, **headers: str) -> Answer:
    """An error as Anthropic sends it."""
    request = "req_011CSHoEeqs5C35K2UUqR7Fy"
    body = {"type": "error", "error": {"type": kind, "message": message}, "request_id": request}
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(body, status, {"request-id": request, **sent})


ERRORS = {
    "wrong key": error(401, "authentication_error", "invalid x-api-key"),
    "permission denied": error(
        403, "permission_error", "Your API key does not have permission to use the resource."
    ),
    "unknown model": error(404, "not_found_error", "model: claude-9"),
    "invalid image": error(400, "invalid_request_error", "Could not process image"),
    "no credit": error(
        400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API."
    ),
    "forbidden image": error(
        400, "invalid_request_error", "Output blocked by content filtering policy"
    ),
    "too large": error(413, "request_too_large", "Request exceeds the maximum allowed size."),
    "quota": error(
        429,
        "rate_limit_error",
        "This request would exceed your organization's rate limit of 50 requests per minute.",
        retry_after="7",
    ),
    "internal": error(500, "api_error", "Internal server error"),
    "overloaded": error(529, "overloaded_error", "Overloaded"),
    "hangs": HANG,
    "drops": DROP,
}

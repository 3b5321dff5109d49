"""Anthropic through its SDK, which reads ANTHROPIC_API_KEY and ANTHROPIC_BASE_URL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import anthropic
import httpx2
from anthropic.types import Message

from functions.adapters.picture_transport import PictureTransport, encoded, headers, pool
from functions.adapters.vendor_errors import VendorErrors, seconds
from functions.core.document import Accepts, Answer, Picture, Prompt
from functions.core.errors import CaptionError

# "Vision", Anthropic documentation: 5 MB a picture, counted in base64, and 8,000 pixels.
ACCEPTS = Accepts(
    frozenset({"image/png", "image/jpeg", "image/webp"}), 5 * 2**20 * 3 // 4 - 1024, 8000
)
_MAX_OUTPUT_TOKENS = 4096
_SERVICE = VendorErrors(
    "Anthropic",
    "set ANTHROPIC_API_KEY to a valid one whose workspace may use it",
    "ANTHROPIC_BASE_URL",
    ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
)
_FILTERED = re.compile(r"content filtering policy", re.IGNORECASE)


class AnthropicCaptioner:
    """A Captioner on ``messages``. One call an answer: no retries of its own."""

    accepts = ACCEPTS

    def __init__(self, model: str, timeout_seconds: float) -> None:
        self.model = f"anthropic:{model}"
        self._name = model
        self._splicing = PictureTransport(pool())
        self._client = anthropic.Anthropic(
            timeout=timeout_seconds,
            max_retries=0,
            http_client=httpx2.Client(transport=self._splicing, timeout=timeout_seconds),
        )

    def describe(self, picture: Picture, prompt: Prompt) -> Answer:
        with self._splicing.placeholder(picture) as placeholder:
            try:
                with _SERVICE.asked(anthropic.APIStatusError, late=anthropic.APITimeoutError):
                    return _answer(self._ask(picture.mime_type, placeholder, prompt))
            except anthropic.APIStatusError as error:
                if _FILTERED.search(_said(error)):
                    return Answer("", blocked="content_filter")
                raise _refused(error, self._name) from None

    def _ask(self, mime_type: str, placeholder: bytes, prompt: Prompt) -> Message:
        source = {"type": "base64", "media_type": mime_type, "data": encoded(placeholder)}
        content: Any = [{"type": "image", "source": source}, {"type": "text", "text": prompt.user}]
        return self._client.messages.create(
            model=self._name,
            max_tokens=_MAX_OUTPUT_TOKENS,
            system=prompt.system,
            messages=[{"role": "user", "content": content}],
            output_config={"format": {"type": "json_schema", "schema": dict(prompt.schema)}},
            extra_headers=headers(placeholder),
        )

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()


def _answer(message: Message) -> Answer:
    used, details = message.usage, message.stop_details
    category = details.category if details else None
    return Answer(
        text="".join(block.text for block in message.content or () if block.type == "text"),
        blocked=(category or "refusal") if message.stop_reason == "refusal" else "",
        truncated=message.stop_reason in {"max_tokens", "model_context_window_exceeded"},
        model_version=message.model or "",
        input_tokens=used.input_tokens if used else 0,
        output_tokens=used.output_tokens if used else 0,
    )


def _refused(error: anthropic.APIStatusError, model: str) -> CaptionError:
    """What an answer that is an error means for the event."""
    delay = seconds(error.response.headers)
    return _SERVICE.answered(error.status_code, model, _said(error), delay)


def _said(error: anthropic.APIStatusError) -> str:
    body = error.body
    inner = body.get("error") if isinstance(body, Mapping) else None
    if isinstance(inner, Mapping):
        return f"{inner.get('type')}: {inner.get('message')}"
    return str(body or error.message)

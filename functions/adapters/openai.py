"""OpenAI through its SDK, and every server that speaks its chat completions.

The SDK reads OPENAI_API_KEY and OPENAI_BASE_URL. Chat completions rather than responses, because
Ollama, vLLM, llama.cpp and LM Studio speak them too; a server of one's own needs no key.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx2
import openai
from openai.types.chat import ChatCompletion

from functions.adapters.picture_transport import PictureTransport, encoded, headers, pool
from functions.adapters.vendor_errors import VendorErrors, seconds
from functions.core.document import Accepts, Answer, Picture, Prompt
from functions.core.errors import CaptionError

# "Image input requirements", OpenAI documentation; the bytes are well below its bound.
ACCEPTS = Accepts(frozenset({"image/png", "image/jpeg", "image/webp"}), 20 * 2**20, 8192)
# llama.cpp reads no WebP, and local models count tokens by pixels.
COMPATIBLE = Accepts(frozenset({"image/png", "image/jpeg"}), 8 * 2**20, 1536)
_MAX_OUTPUT_TOKENS = 4096
_SERVICE = VendorErrors(
    "OpenAI",
    "set OPENAI_API_KEY to a valid one whose project may use it",
    "OPENAI_BASE_URL",
    ("OPENAI_API_KEY",),
)
_REFUSALS = frozenset({"content_filter", "content_policy_violation", "moderation_blocked"})
# 400 of most servers, 422 and 500 of some forks of llama.cpp.
_NO_SCHEMA = re.compile(r"response_format|json_schema|guided|grammar", re.IGNORECASE)


class OpenAICaptioner:
    """A Captioner on ``chat/completions``. One call an answer: no retries of its own."""

    def __init__(self, model: str, timeout_seconds: float) -> None:
        self.model = f"openai:{model}"
        self._name = model
        self._splicing = PictureTransport(pool())
        elsewhere = bool(os.environ.get("OPENAI_BASE_URL"))
        self.accepts = COMPATIBLE if elsewhere else ACCEPTS
        self._client = openai.OpenAI(
            api_key=os.environ.get("OPENAI_API_KEY") or "none",
            timeout=timeout_seconds,
            max_retries=0,
            http_client=httpx2.Client(transport=self._splicing, timeout=timeout_seconds),
        )
        # Imported by the SDK when it is first used: 27 ms that no image has to wait for.
        self._completions = self._client.chat.completions
        # Whether the server takes a schema; None until the first answer tells.
        self._schema: bool | None = None

    def describe(self, picture: Picture, prompt: Prompt) -> Answer:
        if self._schema is None:
            # Kept, to be sent again without a schema if the server takes none.
            kept = replace(picture, on_release=lambda: None)
            try:
                answer = self._ask(kept, prompt, schema=True)
                self._schema = True
                return answer
            except _NoSchemaError:
                self._schema = False
        return self._ask(picture, prompt, schema=self._schema)

    def _ask(self, picture: Picture, prompt: Prompt, *, schema: bool) -> Answer:
        with self._splicing.placeholder(picture) as placeholder:
            try:
                with _SERVICE.asked(openai.APIStatusError, late=openai.APITimeoutError):
                    completion = self._completions.create(
                        model=self._name,
                        messages=_messages(picture.mime_type, placeholder, prompt, schema),
                        max_completion_tokens=_MAX_OUTPUT_TOKENS,
                        response_format=_format(prompt) if schema else openai.omit,
                        extra_headers=headers(placeholder),
                    )
                    return _answer(completion)
            except openai.APIStatusError as error:
                code = _said(error)["code"]
                if code in _REFUSALS:
                    return Answer("", blocked=code)
                if (
                    schema
                    and error.status_code in {400, 422, 500}
                    and _NO_SCHEMA.search(str(error))
                ):
                    raise _NoSchemaError from None
                raise _refused(error, self._name) from None

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()


class _NoSchemaError(Exception):
    """The server takes no schema; no model was asked."""


def _messages(mime_type: str, placeholder: bytes, prompt: Prompt, schema: bool) -> Any:
    url = f"data:{mime_type};base64,{encoded(placeholder)}"
    system = prompt.system if schema else f"{prompt.system}\n{_in_words(prompt.schema)}"
    return [
        {"role": "system", "content": system},
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": url, "detail": "high"}},
                {"type": "text", "text": prompt.user},
            ],
        },
    ]


def _format(prompt: Prompt) -> Any:
    schema = {"name": "alt_text", "strict": True, "schema": dict(prompt.schema)}
    return {"type": "json_schema", "json_schema": schema}


def _in_words(schema: Mapping[str, Any]) -> str:
    return (
        "Reply with one JSON object and nothing else, without a code fence. It has to be valid "
        f"by this JSON Schema:\n{json.dumps(schema)}"
    )


def _answer(completion: ChatCompletion) -> Answer:
    choice = completion.choices[0] if completion.choices else None
    used = completion.usage
    refusal = choice.message.refusal if choice else None
    finish = choice.finish_reason if choice else None
    return Answer(
        text=(choice.message.content or "") if choice else "",
        blocked="refusal" if refusal else "content_filter" if finish == "content_filter" else "",
        truncated=finish == "length",
        model_version=completion.model or "",
        input_tokens=used.prompt_tokens if used else 0,
        output_tokens=used.completion_tokens if used else 0,
    )


def _refused(error: openai.APIStatusError, model: str) -> CaptionError:
    """What an answer that is an error means for the event."""
    said = _said(error)
    message = f"{said['code']}: {said['message']}" if said["code"] else said["message"]
    return _SERVICE.answered(error.status_code, model, message, seconds(error.response.headers))


def _said(error: openai.APIStatusError) -> dict[str, str]:
    """Code and message in an error's body, whatever server it comes from."""
    body = error.body
    if not isinstance(body, Mapping):
        return {"code": "", "message": str(body or error.message)}
    return {"code": str(body.get("code") or ""), "message": str(body.get("message") or body)}

"""Anthropic through its SDK, which reads ANTHROPIC_API_KEY and ANTHROPIC_BASE_URL."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

import anthropic
import httpx2

from functions.adapters import answer_bodies
from functions.adapters.answer_bodies import mapping
from functions.adapters.negotiation import Negotiation, in_words, judged
from functions.adapters.picture_transport import PictureTransport, encoded, headers, pool
from functions.adapters.rate_limits import delay, with_allowance
from functions.adapters.server_names import server_name
from functions.adapters.vendor_errors import VendorErrors, parsed, tokens
from functions.core.document import Accepts, Answer, Picture, Prompt

# "Vision", Anthropic documentation: 5 MB a picture, counted in base64, and 8,000 pixels.
ACCEPTS = Accepts(
    frozenset({"image/png", "image/jpeg", "image/webp"}), 5 * 2**20 * 3 // 4 - 1024, 8000
)
_MAX_OUTPUT_TOKENS = 4096
# "Effort" and "Adaptive thinking", Anthropic documentation: from version 5 on models think if
# they are not told, and take no other limit; older ones refuse the word.
_THINKS = re.compile(r"claude-[a-z]+-(?:[5-9]|[1-9]\d)(?:-|$|@|:)")


class AnthropicCaptioner:
    """A Captioner on ``messages``. One call an answer: no retries of its own."""

    accepts = ACCEPTS

    def __init__(self, model: str, timeout_seconds: float) -> None:
        self.model = f"anthropic:{model}"
        self._name = model
        self._service = VendorErrors(
            server_name(os.environ.get("ANTHROPIC_BASE_URL", ""), "Anthropic"),
            "set ANTHROPIC_API_KEY to a valid one whose workspace may use it",
            "ANTHROPIC_BASE_URL",
            ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
        )
        self._negotiation = Negotiation(["schema", *(["thinking"] if _THINKS.match(model) else [])])
        self._transport = PictureTransport(pool())
        self._client = anthropic.Anthropic(
            api_key=os.environ.get("ANTHROPIC_API_KEY", "").strip() or None,
            timeout=timeout_seconds,
            max_retries=0,
            http_client=httpx2.Client(transport=self._transport, timeout=timeout_seconds),
        )

    def describe(self, picture: Picture | None, prompt: Prompt) -> Answer:
        return self._negotiation.ask(picture, lambda sent, parts: self._ask(sent, prompt, parts))

    def _ask(self, picture: Picture | None, prompt: Prompt, parts: frozenset[str]) -> Answer:
        with self._transport.placeholder(picture) as placeholder:
            request = self._request(_image(picture, placeholder), prompt, parts)
            with self._service.translating(late=anthropic.APITimeoutError):
                response = self._posted(request, headers(placeholder))
                if response.is_error:
                    body, told = parsed(response.text), delay(response.headers)
                    return self._judged(body, response.status_code, parts, told)
                body = _message(response.content, response.charset_encoding)
                answer = self._answer(body, prompt, parts)
                return with_allowance(answer, response.headers)

    def _posted(self, request: dict[str, Any], extra: dict[str, str]) -> httpx2.Response:
        """The response, be it an error: the SDK's own repeats what it says, keys and all."""
        try:
            return self._client.post(
                "/v1/messages", body=request, cast_to=httpx2.Response, options={"headers": extra}
            )
        except anthropic.APIStatusError as error:
            return error.response

    def _request(
        self, image: list[dict[str, Any]], prompt: Prompt, parts: frozenset[str]
    ) -> dict[str, Any]:
        content = [*image, {"type": "text", "text": prompt.user}]
        output: dict[str, Any] = {}
        if "schema" in parts:
            output["format"] = {"type": "json_schema", "schema": dict(prompt.schema)}
        if "thinking" in parts:
            output["effort"] = "low"
        request: dict[str, Any] = {
            "model": self._name,
            "max_tokens": prompt.max_output_tokens or _MAX_OUTPUT_TOKENS,
            "system": prompt.system if "schema" in parts else in_words(prompt),
            "messages": [{"role": "user", "content": content}],
        }
        return request | ({"output_config": output} if output else {})

    def _judged(
        self, body: Any, status: int, parts: frozenset[str], retry_after: float | None = None
    ) -> Answer:
        service, negotiation = self._service, self._negotiation
        return judged(service, negotiation, self._name, status, body, parts, retry_after)

    def _answer(self, body: Any, prompt: Prompt, parts: frozenset[str]) -> Answer:
        """What a message says; raises what is none."""
        message = mapping(body)
        if message.get("type") == "error" or answer_bodies.says(message.get("error")):
            return self._judged(message, 200, parts)
        content, stop = message.get("content"), message.get("stop_reason")
        if isinstance(content, str):  # as requests may write it, and gateways answer
            content = [{"type": "text", "text": content}]
        elif isinstance(content, Mapping):
            content = [content]
        none = not isinstance(content, list) or (not content and not stop)
        if stop == "error":
            raise self._service.unusable("it stopped for an error")
        text = _text(content) if isinstance(content, list) else ""
        stop = str(stop or "")
        if "{" not in text:  # a tool may be called with it, or a gateway speak otherwise
            text = answer_bodies.reply(body, prompt.schema) or text
        refused, truncated = answer_bodies.refused(stop), answer_bodies.truncated(stop)
        if none and not text and not refused and not truncated:
            return self._judged(answer_bodies.fault(body), 200, parts)
        details, used = mapping(message.get("stop_details")), mapping(message.get("usage"))
        return Answer(
            text=text,
            blocked=str(details.get("category") or stop) if refused else "",
            truncated=truncated,
            model_version=str(message.get("model") or ""),
            input_tokens=tokens(used.get("input_tokens")),
            output_tokens=tokens(used.get("output_tokens")),
        )

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()


def _image(picture: Picture | None, placeholder: bytes) -> list[dict[str, Any]]:
    if picture is None:
        return []
    source = {
        "type": "base64",
        "media_type": picture.mime_type,
        "data": encoded(placeholder),
    }
    return [{"type": "image", "source": source}]


def _message(content: bytes, charset: str | None) -> Any:
    """A message; also one that a gateway streams although nobody asked for that."""
    values = answer_bodies.sent(content, charset)
    if len(values) == 1:
        return values[0]
    whole: dict[str, Any] = {}
    blocks: dict[Any, dict[str, Any]] = {}
    for event in answer_bodies.mappings(values):
        delta = mapping(event.get("delta"))
        if event.get("type") == "error":
            return event
        if event.get("type") == "message_start":
            whole = dict(mapping(event.get("message")))
        elif event.get("type") == "content_block_start":
            blocks[event.get("index")] = dict(mapping(event.get("content_block")))
        elif event.get("type") == "content_block_delta":
            block = blocks.setdefault(event.get("index"), {})
            for name, to in (("text", "text"), ("partial_json", "input")):
                if isinstance(more := delta.get(name), str):
                    so_far = block.get(to)
                    block[to] = (so_far if isinstance(so_far, str) else "") + more
        elif event.get("type") == "message_delta":
            used = {**mapping(whole.get("usage")), **mapping(event.get("usage"))}
            whole |= {**delta, "usage": used}
    return whole | ({"content": list(blocks.values())} if blocks else {}) or values


def _text(content: list[Any]) -> str:
    """The texts of a message, thoughts aside."""
    blocks = [
        each for each in answer_bodies.mappings(content) if "think" not in str(each.get("type"))
    ]
    return "".join(each["text"] for each in blocks if isinstance(each.get("text"), str))

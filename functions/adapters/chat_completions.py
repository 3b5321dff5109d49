"""Chat completions: OpenAI's own, and those of every server that speaks like it.

Answers are read as JSON, not through the SDK's types: servers leave out what those promise, and
put the words where those have no place. Chat completions rather than responses, because Ollama,
vLLM, llama.cpp, LM Studio and gateways speak them too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import httpx2
import openai

from functions.adapters import answer_bodies
from functions.adapters.negotiation import Negotiation, in_words, judged
from functions.adapters.picture_transport import PictureTransport, encoded, headers, pool
from functions.adapters.rate_limits import delay, with_allowance
from functions.adapters.vendor_errors import VendorErrors, parsed, tokens
from functions.core.document import Accepts, Answer, Picture, Prompt

_MAX_OUTPUT_TOKENS = 4096
_FAILED = re.compile(
    r"error|insufficient_system_resource|abort|cancel|timeout|overload|fail|unavailable",
    re.IGNORECASE,
)


class ChatCaptioner:
    """A Captioner on ``chat/completions``. One call an answer: no retries of its own, but one for
    each part of a request that the server does not take.

    ``effort`` is how much the model is to think, None for its default; ``parts`` are those of a
    request that the server may refuse (see functions/adapters/negotiation.py).
    """

    def __init__(
        self,
        model: str,
        name: str,
        service: VendorErrors,
        client: openai.OpenAI,
        transport: PictureTransport,
        *,
        accepts: Accepts,
        parts: Collection[str],
        effort: str | None = None,
        keeps: bool = False,
    ) -> None:
        self.model, self.accepts = model, accepts
        self._name, self._service, self._effort = name, service, effort
        self._client, self._transport = client, transport
        thinking = ["thinking"] if effort else []
        self._negotiation = Negotiation([*parts, *thinking], keeps=keeps)

    def describe(self, picture: Picture | None, prompt: Prompt) -> Answer:
        return self._negotiation.ask(picture, lambda sent, parts: self._ask(sent, prompt, parts))

    def _ask(self, picture: Picture | None, prompt: Prompt, parts: frozenset[str]) -> Answer:
        with self._transport.placeholder(picture) as placeholder:
            request = self._request(_image(picture, placeholder, parts), prompt, parts)
            with self._service.translating(late=openai.APITimeoutError):
                response = self._posted(request, headers(placeholder))
                if response.is_error:
                    body, told = parsed(response.text), delay(response.headers)
                    return self._judged(body, response.status_code, parts, told)
                body = _completion(response.content, response.charset_encoding)
                answer = self._answer(body, prompt, parts)
                return with_allowance(answer, response.headers)

    def _posted(self, request: dict[str, Any], extra: dict[str, str]) -> httpx2.Response:
        """The response, be it an error: the SDK's own repeats what it says, keys and all."""
        try:
            return self._client.post(
                "/chat/completions",
                body=request,
                cast_to=httpx2.Response,
                options={"headers": extra},
            )
        except openai.APIStatusError as error:
            return error.response

    def _request(
        self, image: list[dict[str, Any]], prompt: Prompt, parts: frozenset[str]
    ) -> dict[str, Any]:
        system = prompt.system if "schema" in parts else in_words(prompt)
        text = prompt.user if "system" in parts else f"{system}\n\n{prompt.user}"
        content = [*image, {"type": "text", "text": text}]
        messages: list[dict[str, Any]] = [{"role": "user", "content": content}]
        if "system" in parts:
            messages.insert(0, {"role": "system", "content": system})
        request: dict[str, Any] = {"model": self._name, "messages": messages}
        if "limit" in parts:
            limit = "max_completion_tokens" if "max_completion_tokens" in parts else "max_tokens"
            request[limit] = prompt.max_output_tokens or _MAX_OUTPUT_TOKENS
        if "schema" in parts:
            schema = {"name": "alt_text", "strict": True, "schema": dict(prompt.schema)}
            request["response_format"] = {"type": "json_schema", "json_schema": schema}
        if "thinking" in parts:
            request["reasoning_effort"] = self._effort
        return request

    def _judged(
        self, body: Any, status: int, parts: frozenset[str], retry_after: float | None = None
    ) -> Answer:
        service, negotiation = self._service, self._negotiation
        return judged(service, negotiation, self._name, status, body, parts, retry_after)

    def _answer(self, body: Any, prompt: Prompt, parts: frozenset[str]) -> Answer:
        """What a completion says; raises what is none."""
        found = answer_bodies.mapping(body)
        choice = next(iter(answer_bodies.mappings(_list(found.get("choices")))), {})
        if error := next(
            filter(answer_bodies.says, (found.get("error"), choice.get("error"))), None
        ):
            return self._judged({"error": error}, 200, parts)
        message = _message(choice)
        finish = choice.get("finish_reason")
        finish = finish if isinstance(finish, str) else ""
        if _FAILED.search(finish):
            raise self._service.unusable(finish)
        text = _text(answer_bodies.mapping(message), prompt.schema.get("properties", ()))
        if "{" not in text:
            text = answer_bodies.reply(body, prompt.schema) or text
        refused, truncated = answer_bodies.refused(finish), answer_bodies.truncated(finish)
        if not isinstance(message, Mapping) and not text and not refused and not truncated:
            return self._judged(answer_bodies.fault(body), 200, parts)
        refusal = _refusal(answer_bodies.mapping(message)) and "{" not in text
        tokens_in, tokens_out = _counted(found.get("usage"))
        return Answer(
            text=text,
            blocked=finish if refused else "refusal" if refusal else "",
            truncated=truncated,
            model_version=str(found.get("model") or ""),
            input_tokens=tokens_in,
            output_tokens=tokens_out,
        )

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()


def connected(
    service: VendorErrors, key: str, base_url: str | None, timeout_seconds: float
) -> tuple[openai.OpenAI, PictureTransport]:
    """The SDK's client, and the transport by which pictures join its requests."""
    transport = PictureTransport(pool())
    with service.translating(late=openai.APITimeoutError):
        client = openai.OpenAI(
            api_key=key,
            base_url=base_url,
            timeout=timeout_seconds,
            max_retries=0,
            http_client=httpx2.Client(transport=transport, timeout=timeout_seconds),
        )
    return client, transport


def _image(
    picture: Picture | None, placeholder: bytes, parts: frozenset[str]
) -> list[dict[str, Any]]:
    if picture is None:
        return []
    image = {"url": f"data:{picture.mime_type};base64,{encoded(placeholder)}"}
    if "detail" in parts:
        image["detail"] = "high"
    return [{"type": "image_url", "image_url": image}]


def _completion(content: bytes, charset: str | None) -> Any:
    """A completion; also one that a server streams although nobody asked for that."""
    values = answer_bodies.sent(content, charset)
    if len(values) == 1:
        return values[0]
    return _whole(answer_bodies.mappings(values))


def _whole(chunks: list[Mapping[str, Any]]) -> dict[str, Any]:
    """The completion that was sent in ``chunks``."""
    whole: dict[str, Any] = {}
    message: dict[str, list[str]] = {}
    calls: dict[Any, list[str]] = {}
    choice: dict[str, Any] = {}
    for chunk in chunks:
        whole |= {name: chunk[name] for name in ("error", "model", "usage") if chunk.get(name)}
        for each in answer_bodies.mappings(_list(chunk.get("choices"))):
            if each.get("index"):
                continue  # of several answers, the first
            delta = _message(each)
            for name, words in answer_bodies.mapping(delta).items():
                if name == "tool_calls":
                    _gather(calls, words)
                elif words := words if isinstance(words, str) else _joined(words):
                    message.setdefault(name, []).append(words)
            if each.get("finish_reason"):
                choice["finish_reason"] = each["finish_reason"]
    if message or choice or calls:
        choice["message"] = {name: "".join(words) for name, words in message.items()}
        functions = [{"function": {"arguments": "".join(each)}} for each in calls.values()]
        choice["message"]["tool_calls"] = functions
    return whole | {"choices": [choice] if choice else []}


def _message(choice: Mapping[str, Any]) -> Any:
    """What a choice says, or a piece of it."""
    older = {"content": choice["text"]} if "text" in choice else None
    return choice.get("message") or choice.get("delta") or older


def _gather(calls: dict[Any, list[str]], deltas: Any) -> None:
    """Add to each of ``calls`` what a chunk has of its arguments."""
    for call in _list(deltas):
        function = call.get("function") if isinstance(call, Mapping) else None
        more = function.get("arguments") if isinstance(function, Mapping) else None
        if more:
            words = more if isinstance(more, str) else json.dumps(more)
            calls.setdefault(call.get("index"), []).append(words)


def _refusal(message: Mapping[str, Any]) -> str:
    """Why the model declines: in a field of its own, or as a part of the content."""
    parts = answer_bodies.mappings(_list(message.get("content")))
    return str(
        message.get("refusal")
        or next((each["refusal"] for each in parts if each.get("refusal")), "")
    )


def _counted(usage: Any) -> tuple[int, int]:
    """Tokens in and out. Some servers count thoughts in the total only."""
    used = answer_bodies.mapping(usage)
    tokens_in = tokens(used.get("prompt_tokens", used.get("input_tokens")))
    tokens_out = tokens(used.get("completion_tokens", used.get("output_tokens")))
    return tokens_in, max(
        tokens_out, tokens(used.get("total_tokens")) - tokens_in if tokens_in else 0
    )


def _text(message: Mapping[str, Any], fields: Collection[str]) -> str:
    """Of all that a message says, the first that has one of the ``fields``; else its content."""
    texts = list(_texts(message))
    for text in texts:
        if "{" in text and any(field in text for field in fields):
            return text
    return texts[0] if texts else ""


def _texts(message: Mapping[str, Any]) -> Iterator[str]:
    """Content; what it calls tools with; thoughts, where servers put the answer by mistake."""
    yield _joined(message.get("content"))
    calls = [*_list(message.get("tool_calls")), {"function": message.get("function_call")}]
    for call in calls:
        function = call.get("function") if isinstance(call, Mapping) else None
        arguments = function.get("arguments") if isinstance(function, Mapping) else None
        if arguments:
            yield arguments if isinstance(arguments, str) else json.dumps(arguments)
    if message.get("parsed"):
        yield json.dumps(message["parsed"])
    for name in ("reasoning_content", "reasoning", "reasoning_details", "thinking"):
        yield _joined(message.get(name), thoughts=True)


def _joined(content: Any, *, thoughts: bool = False) -> str:
    """A text, or a list of its parts, thoughts aside; an object is a reply that is read already."""
    parts = content if isinstance(content, list) else [content]
    words = []
    for part in parts:
        if isinstance(part, Mapping) and not thoughts and "think" in str(part.get("type")):
            continue
        if isinstance(part, Mapping):
            inner = part.get("text", part.get("content", None if "type" in part else part))
            part = json.dumps(inner) if isinstance(inner, Mapping) else inner
            part = _joined(part, thoughts=thoughts) if isinstance(part, list) else part
        words.append(part if isinstance(part, str) else "")
    return "".join(words)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []

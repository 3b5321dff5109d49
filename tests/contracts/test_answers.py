"""In whatever mood a server answers: what each provider's answer ends in, over its real SDK."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from functions import composition
from functions.core.document import Picture
from functions.core.errors import (
    CaptionError,
    ConfigurationError,
    TransientError,
    UnusableReply,
)
from functions.core.policy import Rule
from functions.model.prompt import compose
from functions.model.reply import read_reply
from functions.settings import Settings
from tests.support.answers import Answer, caption
from tests.support.model_server import ModelServer
from tests.support.pictures import jpeg
from tests.support.providers import WIRES, Wire

PROMPT = compose(Rule(), ["en"])
J = json.dumps(caption())
ALT = caption()["alt_text"]
WORDS = {
    "after thoughts": f"<think>\nThe user wants {{alt_text}}.\n</think>\n{J}",
    "twice": J + J,
    "before a note": f"{J}\nNote: {{alt_text}} is short.",
    "in a list": f"[{J}]",
    "escaped": json.dumps(J),
    "as Python": repr(caption()),
    "fenced": f"```json\n{J}\n```",
    "commented": J.replace("{", "{ /* the reply */ ", 1).replace('", "', '", # so far\n "'),
}


def events(*values: Any, end: str = "\n") -> bytes:
    """A stream of ``values``, which nobody asked for."""
    return "".join(f"data: {json.dumps(each)}{end}{end}" for each in values).encode()


PIECES = (J[:9], J[9:50], J[50:])
BILLS: list[Any] = [None, [], {}, "none", -1, 3.5, "12", float("nan"), 10**30, {"a": None}]


@pytest.fixture(params=WIRES)
def wire(request: pytest.FixtureRequest) -> Wire:
    return WIRES[request.param]


@pytest.fixture
def captioner(
    wire: Wire, model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    for key, value in wire.environment(model_server).items():
        monkeypatch.setenv(key, value)
    made: Any = composition.captioner(Settings.from_env({"CAPTION_MODEL": wire.model}).model, 2)
    yield made
    made.close()


@pytest.fixture
def reader(captioner: Any) -> Any:
    """A captioner that reads the bytes of an answer itself."""
    if captioner.model.startswith("google-generativeai"):
        pytest.skip("its SDK reads the answer into types of its own")
    return captioner


def picture() -> Picture:
    return Picture(jpeg(), "image/jpeg", 64, 48)


def ending(captioner: Any) -> str:
    """What one call ends in."""
    try:
        answer = captioner.describe(picture(), PROMPT)
    except TransientError as error:
        return error.outage.value
    except ConfigurationError:
        return "configuration"
    except CaptionError as error:
        return type(error).__name__
    if answer.blocked:
        return "blocked"
    try:
        return "truncated" if answer.truncated else f"captioned: {read_reply(answer).alt_text}"
    except UnusableReply:
        return "unusable"


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_the_words_are_found_with_one_call(
    words: str, captioner: Any, wire: Wire, model_server: ModelServer
) -> None:
    model_server.answer(wire.say(words))
    assert ending(captioner) == f"captioned: {ALT}"
    assert model_server.count == 1


@pytest.mark.parametrize("bill", BILLS, ids=repr)
def test_an_answer_is_never_lost_to_its_bill(
    bill: Any, captioner: Any, wire: Wire, model_server: ModelServer
) -> None:
    body = wire.say(J).body
    name = wire.bill
    bills = [bill, dict.fromkeys(body[name], bill), None]
    if captioner.model.startswith("google-generativeai"):
        bills = [None]  # its SDK reads the answer into types of its own
    for each in bills:
        changed = {key: value for key, value in body.items() if key != name}
        model_server.answer(Answer(changed if each is None else changed | {name: each}))
        answer = captioner.describe(picture(), PROMPT)
        assert read_reply(answer).alt_text == ALT
        assert 0 <= answer.input_tokens < 10**9
        assert 0 <= answer.output_tokens < 10**9


MOODS: dict[str, dict[str, tuple[Any, str]]] = {
    "gemini": {
        "an error": ({"error": {"code": 503, "message": "Overloaded"}}, "away"),
        "over quota": ({"error": {"code": 429, "message": "Slow down"}}, "over_quota"),
        "nothing": ({}, "away"),
        "null": (None, "away"),
        "null candidates": ({"candidates": None}, "away"),
        "a list": ([{"candidates": [{"content": {"parts": [{"text": J}]}}]}], f"captioned: {ALT}"),
        "thoughts as parts": (
            {"candidates": [{"content": {"parts": [{"text": "{x}", "thought": True},
             {"text": J}]}, "finishReason": "STOP"}]},
            f"captioned: {ALT}",
        ),
        "safety": ({"candidates": [{"finishReason": "SAFETY"}]}, "blocked"),
        "safety in small letters": ({"candidates": [{"finish_reason": "safety"}]}, "blocked"),
        "underscores": ({"prompt_feedback": {"block_reason": "OTHER"}}, "blocked"),
        "a function's arguments": (
            {"candidates": [{"content": {"parts": [{"text": "I call it."},
             {"functionCall": {"name": "f", "args": caption()}}]}}]},
            f"captioned: {ALT}",
        ),
        "a function's arguments within arguments": (
            {"candidates": [{"content": {"parts": [{"functionCall": {"args":
             {"result": caption()}}}]}}]},
            f"captioned: {ALT}",
        ),
        "a part that is no list": ({"candidates": [{"content": {"parts": {"text": J}}}]},
                                   f"captioned: {ALT}"),
        "a list of pieces": (
            [{"candidates": [{"content": {"parts": [{"text": each}]}}]} for each in PIECES],
            f"captioned: {ALT}",
        ),
        "a stream that nobody asked for": (
            events(*({"candidates": [{"content": {"parts": [{"text": each}]}}]}
                     for each in PIECES), end="\r\n"),
            f"captioned: {ALT}",
        ),
        "a byte-order mark": (
            b"\xef\xbb\xbf" + json.dumps({"candidates": [{"content": {"parts": [{"text": J}]}}]})
            .encode(),
            f"captioned: {ALT}",
        ),
        "max tokens": ({"candidates": [{"finishReason": "MAX_TOKENS"}]}, "truncated"),
        "inside a response": (
            {"response": {"candidates": [{"content": {"parts": [{"text": J}]}}]}, "traceId": "1"},
            f"captioned: {ALT}",
        ),
        "an error without its name": ({"code": 429, "msg": "Too many requests"}, "over_quota"),
        "a draft in the thoughts": (
            {"candidates": [{"content": {"parts": [{"text": J, "thought": True},
                                                   {"text": "No."}]}}]},
            "unusable",
        ),
    },
    "anthropic": {
        "an error": ({"type": "error", "error": {"type": "overloaded_error"}}, "away"),
        "nothing": ({}, "away"),
        "null content": ({"content": None, "stop_reason": "end_turn"}, "away"),
        "thinking first": (
            {"content": [{"type": "thinking", "thinking": "{hm}"}, {"type": "text", "text": J}]},
            f"captioned: {ALT}",
        ),
        "a text": ({"content": J}, f"captioned: {ALT}"),
        "a tool's input": (
            {"content": [{"type": "tool_use", "name": "f", "input": caption()}]},
            f"captioned: {ALT}",
        ),
        "a tool's input as text": (
            {"content": [{"type": "text", "text": "I note it."},
                         {"type": "tool_use", "name": "f", "input": J}]},
            f"captioned: {ALT}",
        ),
        "one block": ({"content": {"type": "text", "text": J}}, f"captioned: {ALT}"),
        "thoughts as text": (
            {"content": [{"type": "thinking", "text": J.replace(ALT, "A draft")},
                         {"type": "text", "text": J}]},
            f"captioned: {ALT}",
        ),
        "a stream that nobody asked for": (
            events(
                {"type": "message_start", "message": {"model": "m", "content": []}},
                {"type": "content_block_start", "index": 0, "content_block": {"type": "text"}},
                *({"type": "content_block_delta", "index": 0,
                   "delta": {"type": "text_delta", "text": each}} for each in PIECES),
                {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
                {"type": "message_stop"},
            ),
            f"captioned: {ALT}",
        ),
        "a stream of a tool's input": (
            events(
                {"type": "message_start", "message": {"model": "m", "content": []}},
                {"type": "content_block_start", "index": 0,
                 "content_block": {"type": "tool_use", "input": {}}},
                *({"type": "content_block_delta", "index": 0,
                   "delta": {"type": "input_json_delta", "partial_json": each}}
                  for each in PIECES),
            ),
            f"captioned: {ALT}",
        ),
        "a stream of an error": (
            events({"type": "error", "error": {"type": "overloaded_error"}},
                   {"type": "message_stop"}),
            "away",
        ),
        "refusal": ({"content": [], "stop_reason": "refusal"}, "blocked"),
        "max tokens": ({"content": [], "stop_reason": "max_tokens"}, "truncated"),
        "length": ({"content": [], "stop_reason": "length"}, "truncated"),
        "a guardrail": ({"content": [], "stop_reason": "guardrail_intervened"}, "blocked"),
        "a refusal without content": ({"content": None, "stop_reason": "refusal"}, "blocked"),
        "a text in the list": ({"content": [J], "stop_reason": "end_turn"}, f"captioned: {ALT}"),
        "an error without its name": ({"code": 1301, "msg": "sensitive content"}, "blocked"),
        "another protocol": ({"choices": [{"message": {"content": J}}]}, f"captioned: {ALT}"),
        "another protocol's message": (
            {"output": {"message": {"content": [{"text": J}]}}, "stopReason": "end_turn"},
            f"captioned: {ALT}",
        ),
    },
}  # fmt: skip


def chat(message: Any, finish: Any = "stop", **beside: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "finish_reason": finish, "message": message}], **beside}


def call(arguments: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "alt_text", "arguments": arguments}}


SAID = f"captioned: {ALT}"
MOODS["openai"] = {
    "an error": ({"error": {"code": 429, "message": "Provider returned error"}}, "over_quota"),
    "an error as text": ({"error": {"code": "502", "message": "Bad gateway"}}, "away"),
    "an error of no number": ({"error": {"message": "Engine died"}}, "away"),
    "an error beside choices": (chat({"content": J}, error={"code": 503}), "away"),
    "no credit in a 200": ({"error": {"code": 402, "message": "Insufficient credits"}},
                           "no_credit"),
    "moderation in a 200": ({"error": {"code": 403, "message": "Input was flagged"}}, "blocked"),
    "no choices": ({"choices": []}, "away"),
    "null choices": ({"choices": None}, "away"),
    "a null choice": ({"choices": [None]}, "away"),
    "a null message": (chat(None), "away"),
    "null": (None, "away"),
    "finish error": (chat({"content": ""}, "error"), "away"),
    "network_error": (chat({"content": ""}, "network_error"), "away"),
    "no resources": (chat({"content": ""}, "insufficient_system_resource"), "away"),
    "sensitive": (chat({"content": ""}, "sensitive"), "blocked"),
    "content_filter": (chat({"content": ""}, "content_filter"), "blocked"),
    "a refusal": (chat({"content": None, "refusal": "I cannot."}), "blocked"),
    "an empty refusal": (chat({"content": J, "refusal": ""}), SAID),
    "max_tokens": (chat({"content": "{"}, "max_tokens"), "truncated"),
    "length": (chat({"content": None}, "length"), "truncated"),
    "no finish": (chat({"content": J}, None), SAID),
    "parts": (chat({"content": [{"type": "thinking", "thinking": "{hm}"},
                                {"type": "text", "text": J}]}), SAID),
    "an object": (chat({"content": caption()}), SAID),
    "a list of one object": (chat({"content": [caption()]}), SAID),
    "an object as a part": (chat({"content": [{"type": "text", "text": caption()}]}), SAID),
    "parts as texts": (chat({"content": [J[:20], J[20:]]}), SAID),
    "reasoning_content": (chat({"content": None, "reasoning_content": J}), SAID),
    "reasoning": (chat({"content": "", "reasoning": J}), SAID),
    "reasoning beside": (chat({"content": J, "reasoning": "{alt_text}?"}), SAID),
    "reasoning_details": (chat({"content": "", "reasoning_details": [{"type": "reasoning.text",
                                                                      "text": J}]}), SAID),
    "a call": (chat({"content": None, "tool_calls": [call(J)]}, "tool_calls"), SAID),
    "a call's object": (chat({"content": "", "tool_calls": [call(caption())]}), SAID),
    "the old call": (chat({"content": None, "function_call": call(J)["function"]}), SAID),
    "parsed": (chat({"content": None, "parsed": caption()}), SAID),
    "a stream that nobody asked for": (
        "".join(
            f"data: {json.dumps({'choices': [{'delta': {'content': each}}]})}\n\n"
            for each in (J[:9], J[9:50], J[50:])
        ).encode()
        + b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": null}\n\n'
        + b"data: [DONE]\n\n",
        SAID,
    ),
    "a stream that breaks off": (
        b'data: {"choices": [{"delta": {"content": "{"}}]}\n\n'
        b'data: {"error": {"code": 502, "message": "Provider disconnected"}}\n\n',
        "away",
    ),
    "a stream of a call": (
        events(*({"choices": [{"delta": {"tool_calls": [{"index": 0, "function":
                 {"arguments": each}}]}}]} for each in PIECES)),
        SAID,
    ),
    "a stream of two answers": (
        events(*({"choices": [{"index": index, "delta": {"content": each}}]}
                 for each in PIECES for index in (1, 0)), end="\r"),
        SAID,
    ),
    "a stream in lines": (
        b"\n".join(json.dumps({"choices": [{"delta": {"content": each}}]}).encode()
                   for each in PIECES),
        SAID,
    ),
    "a stream that is cut within a line": (
        b"\n".join(json.dumps({"choices": [{"delta": {"content": each}}]}).encode()
                   for each in PIECES)[:-9],
        "away",
    ),
    "an event in several lines": (
        b"event: message\n"
        + "".join(f"data: {line}\n" for line in
                  json.dumps(chat({"content": J}), indent=1).splitlines()).encode(),
        SAID,
    ),
    "a separator of lines in a text": (
        "data: {}\n\n".format(json.dumps(chat({"content": J.replace("{", "{\u2028", 1)}),
                               ensure_ascii=False)).encode(),
        SAID,
    ),
    "UTF-16": (json.dumps(chat({"content": J})).encode("utf-16"), SAID),
    "JSON as text": (json.dumps(json.dumps(chat({"content": J}))).encode(), SAID),
    "an error of zeros": (chat({"content": J}, error={"code": 0, "message": ""}), SAID),
    "a refusal as a part": (chat({"content": [{"type": "refusal", "refusal": "I cannot."}]}),
                            "blocked"),
    "comments first": (b": WAIT\n\n: WAIT\n\n" + json.dumps(chat({"content": J})).encode(), SAID),
    "a byte-order mark": (b"\xef\xbb\xbf" + json.dumps(chat({"content": J})).encode(), SAID),
    "content_filter without a message": (chat(None, "content_filter"), "blocked"),
    "length without a message": (chat(None, "length"), "truncated"),
    "the older completion in a stream": (
        events(*({"choices": [{"index": 0, "text": each}]} for each in PIECES)), SAID),
    "a stream within a stream": (
        b"".join(b"data: " + line + b"\n\n" for line in
                 events(chat({"content": J})).split(b"\n") if line), SAID),
    "a line break in a text": (json.dumps(chat({"content": J})).encode().replace(
        b"wet beach", b"wet\nbeach"), SAID),
    "UTF-8 with a broken byte": (json.dumps(chat({"content": J, "note": "\u201c?"}),
        ensure_ascii=False).encode().replace(b"?", b"\xff"), SAID),
    "another choice": ({"choices": [{"message": {"content": ""}}, {"message": {"content": J}}]},
                       SAID),
    "choices by number": ({"choices": {"0": {"message": {"content": J}}}}, SAID),
    "a call of another form": (chat({"content": "", "tool_calls": [{"input": caption()}]}), SAID),
    "a part of JSON": (chat({"content": [{"type": "json", "json": caption()}]}), SAID),
    "a gateway's envelope": ({"code": 0, "msg": "ok", "data": chat({"content": J})}, SAID),
    "Ollama's own protocol": ({"message": {"role": "assistant", "content": J}, "done": True}, SAID),
    "llama.cpp's own protocol": ({"content": J, "stop": True}, SAID),
    "TGI's own protocol": ([{"generated_text": J}], SAID),
    "a response": ({"object": "response", "instructions": json.dumps(dict(PROMPT.schema)),
                    "text": {"format": {"schema": dict(PROMPT.schema)}},
                    "output": [{"content": [{"type": "output_text", "text": J}]}]}, SAID),
    "the request said back": ({"echo": {"schema": dict(PROMPT.schema)},
                               "messages": [PROMPT.system, json.dumps(dict(PROMPT.schema))]},
                              "away"),
    "the bare reply": (caption(), SAID),
    "a quota in an envelope": ({"base_resp": {"status_code": 1002, "status_msg":
                                              "rate limit exceeded"}}, "over_quota"),
    "no balance in an envelope": ({"base_resp": {"status_msg": "insufficient balance"}},
                                  "no_credit"),
    "a judgement without its name": ({"code": "DataInspectionFailed", "message":
                                      "Input data may contain inappropriate content."}, "blocked"),
    "an unknown model in a 200": ({"object": "error", "message": "The model `m` does not exist.",
                                   "code": 404}, "configuration"),
    "a telling name of a model": ({"model": "unsafe-content-moderation-7b", "choices": []}, "away"),
    "the older completion": ({"choices": [{"text": J, "finish_reason": "stop"}]}, SAID),
}  # fmt: skip


@pytest.mark.parametrize(
    ("vendor", "mood"), [(vendor, mood) for vendor in MOODS for mood in MOODS[vendor]]
)
def test_a_mood_ends_as_it_should(
    vendor: str, mood: str, model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    if vendor not in WIRES:
        pytest.skip("its SDK is not in this environment")
    for key, value in WIRES[vendor].environment(model_server).items():
        monkeypatch.setenv(key, value)
    model = Settings.from_env({"CAPTION_MODEL": WIRES[vendor].model}).model
    captioner: Any = composition.captioner(model, 2)
    body, expected = MOODS[vendor][mood]
    model_server.always(Answer(body))
    assert ending(captioner) == expected
    assert model_server.count == 1
    captioner.close()


PARTS = {
    "response_format": (400, {"error": {"message": "json_schema is not supported"}}),
    "a grammar": (500, {"error": {"message": "Failed to compile the grammar"}}),
    "json mode": (400, {"error": {"message": "JSON mode is not enabled for this model"}}),
    "a router": (404, {"error": {"message": "No endpoints found that can handle the requested "
                                            "parameters"}}),
    "not implemented": (501, {}),
    "unexplained": (400, {"error": "Bad Request"}),
}  # fmt: skip


@pytest.mark.parametrize("refusal", PARTS.values(), ids=PARTS)
def test_a_schema_that_is_not_taken_is_put_in_words(
    refusal: tuple[int, Any], captioner: Any, wire: Wire, model_server: ModelServer
) -> None:
    status, body = refusal
    if wire.schema_in_words:
        pytest.skip("it sends none")
    model_server.answer(Answer(body, status))

    if body == {"error": "Bad Request"} and captioner.model.startswith("gemini"):
        assert ending(captioner) == "configuration"  # Gemini says what it does not take
        return
    assert ending(captioner).startswith("captioned")
    assert ending(captioner).startswith("captioned")
    first, second, third = model_server.calls
    assert first.schema
    for later in (second, third):
        assert later.schema is None
        assert later.images == [jpeg()]
        assert '"additionalProperties": false' in later.text


WRAPPED: dict[str, bytes] = {
    "by a call": b"callback(%s);",
    "by a guard": b")]}'\n%s",
    "by a proxy's note": b"%s\n<!-- by a proxy -->",
    "by the end of a stream": b"%s\n\ndata: [DONE]\n",
    "by a list": b"[%s]",
    "by another body": b"%s{}",
}
ENCODED: dict[str, tuple[Callable[[str], bytes], dict[str, str]]] = {
    "latin-1": (lambda text: text.encode("latin-1"), {}),
    "another encoding than JSON's": (
        lambda text: text.encode("latin-1"),
        {"Content-Type": "application/json; charset=ISO-8859-1"},
    ),
    "UTF-8 that is called latin-1": (
        lambda text: json.dumps(json.loads(text)).encode(),
        {"Content-Type": "application/json; charset=ISO-8859-1"},
    ),
    "gzip by its older name": (
        lambda text: gzip.compress(text.encode()),
        {"Content-Encoding": "x-gzip"},
    ),
}


@pytest.mark.parametrize("around", WRAPPED.values(), ids=WRAPPED)
def test_an_answer_that_is_wrapped_is_unwrapped(
    around: bytes, reader: Any, wire: Wire, model_server: ModelServer
) -> None:
    model_server.answer(Answer(around % json.dumps(wire.say(J).body).encode()))
    assert ending(reader) == f"captioned: {ALT}"


@pytest.mark.parametrize(("encode", "headers"), ENCODED.values(), ids=ENCODED)
def test_an_answer_is_read_however_it_is_encoded(
    encode: Callable[[str], bytes],
    headers: dict[str, str],
    reader: Any,
    wire: Wire,
    model_server: ModelServer,
) -> None:
    words = json.dumps(caption(alt_text="Café in Zürich"), ensure_ascii=False)
    body = json.dumps(wire.say(words).body, ensure_ascii=False)
    model_server.answer(Answer(encode(body), headers=headers))
    assert ending(reader) == "captioned: Café in Zürich"


def test_an_error_that_says_nothing_is_none(
    reader: Any, wire: Wire, model_server: ModelServer
) -> None:
    model_server.answer(
        Answer({**wire.say(J).body, "error": {"code": 0, "message": "ok"}}),
        Answer({**wire.say(J).body, "error": {"code": 1, "message": "ok"}}),
    )
    assert ending(reader) == f"captioned: {ALT}"
    assert ending(reader) == "away"


@pytest.mark.parametrize("deep", ["[" * 50_000, '{"a":' * 50_000])
def test_brackets_without_end_are_no_answer(
    deep: str, reader: Any, wire: Wire, model_server: ModelServer
) -> None:
    model_server.answer(Answer(deep.encode()), Answer(f"data: {deep}\n\n".encode()))
    assert [ending(reader), ending(reader)] == ["away", "away"]


def test_a_setting_that_stays_wrong_is_no_negotiation_without_end(
    captioner: Any, wire: Wire, model_server: ModelServer
) -> None:
    model_server.always(Answer({"error": {"message": "json_schema and reasoning_effort"}}, 400))
    assert ending(captioner) == "configuration"
    assert model_server.count <= 4

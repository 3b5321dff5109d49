"""The stand-in for models answers the real SDK the way the real models do."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import httpx2
import pytest
from google import genai
from google.genai import errors, types

from tests.support.answers import DROP, EMPTY_OBJECT, HANG, NOT_JSON, anthropic, gemini, openai
from tests.support.model_server import ModelServer

PICTURE = b"\xff\xd8\xff picture"
WORDS = {"type": "string"}
SCHEMA = {
    "type": "object",
    "properties": {"caption": WORDS, "alt_text": WORDS, "decorative": {"type": "boolean"}},
}


@pytest.fixture
def client(model_server):
    options = types.HttpOptions(base_url=model_server.url, timeout=60_000)
    with genai.Client(api_key="test", http_options=options) as made:
        yield made


def describe(client, schema=SCHEMA, words="Describe this."):
    return client.models.generate_content(
        model="gemini-3.5-flash-lite",
        contents=[types.Part.from_bytes(data=PICTURE, mime_type="image/jpeg"), words],
        config=types.GenerateContentConfig(
            system_instruction="Be brief.",
            response_mime_type="application/json",
            response_json_schema=schema,
        ),
    )


def test_the_default_is_a_caption_that_fulfils_the_schema(client):
    answer = describe(client)
    assert set(json.loads(answer.text)) >= {"caption", "alt_text", "decorative"}
    assert answer.candidates[0].finish_reason is types.FinishReason.STOP
    assert answer.usage_metadata.prompt_token_count == 1420
    assert answer.model_version == "gemini-3.5-flash-lite"


def test_the_same_picture_gets_the_same_caption(client):
    assert describe(client).text == describe(client).text


def test_translations_come_in_the_languages_that_are_asked_for(client):
    language = {"type": "string", "enum": ["de", "pt-BR"]}
    item = {"type": "object", "properties": {"language": language, "alt_text": WORDS}}
    properties = {**SCHEMA["properties"], "translations": {"type": "array", "items": item}}
    asked = {"type": "object", "properties": properties}
    said = json.loads(describe(client, schema=asked).text)
    assert [each["language"] for each in said["translations"]] == ["de", "pt-BR"]


def test_calls_are_recorded_with_their_pictures(client, model_server):
    describe(client, words="Describe this lighthouse.")
    (call,) = model_server.calls
    assert call.images == [PICTURE]
    assert call.image_types == ["image/jpeg"]
    assert call.headers["x-goog-api-key"] == "test"
    assert call.schema["properties"]["alt_text"] == WORDS
    assert "lighthouse" in call.text
    assert "Be brief." in call.text


def test_concurrent_calls_are_counted(client, model_server):
    together = threading.Barrier(4)

    def wait_for_all(call):
        together.wait(60)
        return gemini.good()

    model_server.always(wait_for_all)
    threads = [threading.Thread(target=describe, args=(client,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert model_server.count == 4
    assert model_server.max_concurrency == 4


def test_answers_come_in_the_order_of_the_script(client, model_server):
    model_server.answer(gemini.ERRORS["overloaded"], gemini.good(alt_text="A dog."))
    with pytest.raises(errors.ServerError):
        describe(client)
    assert json.loads(describe(client).text)["alt_text"] == "A dog."


@pytest.mark.parametrize("name", sorted(set(gemini.ERRORS) - {"hangs", "drops"}))
def test_errors_arrive_as_the_sdk_knows_them(client, model_server, name):
    answer = gemini.ERRORS[name]
    model_server.answer(answer)
    with pytest.raises(errors.APIError) as caught:
        describe(client)
    assert caught.value.code == answer.status


def test_a_retry_delay_arrives_in_the_details_or_in_a_header(client, model_server):
    model_server.answer(gemini.quota("7s"), gemini.quota(None, header="7"))
    with pytest.raises(errors.ClientError) as caught:
        describe(client)
    assert caught.value.details["error"]["details"][-1]["retryDelay"] == "7s"
    with pytest.raises(errors.ClientError) as caught:
        describe(client)
    assert caught.value.response.headers["retry-after"] == "7"


@pytest.mark.parametrize("reason", [*gemini.FINISH_REASONS, "MAX_TOKENS"])
def test_an_answer_can_end_without_text(client, model_server, reason):
    model_server.answer(gemini.finished(reason))
    answer = describe(client)
    assert answer.text is None
    assert answer.candidates[0].finish_reason == reason


@pytest.mark.parametrize("reason", gemini.BLOCK_REASONS)
def test_a_prompt_can_be_blocked(client, model_server, reason):
    model_server.answer(gemini.prompt_blocked(reason))
    answer = describe(client)
    assert answer.text is None
    assert answer.prompt_feedback.block_reason == reason


def test_a_reason_from_the_future_only_warns(client, model_server):
    model_server.answer(gemini.finished("MODEL_ON_STRIKE"))
    with pytest.warns(UserWarning, match="MODEL_ON_STRIKE"):
        assert describe(client).text is None


@pytest.mark.parametrize(
    ("answer", "start"),
    [
        (gemini.fenced(), "```json"),
        (gemini.truncated(), '{"caption": "A brown'),
        (gemini.endless_newlines(), '{"caption": "A brown'),
        (gemini.text(gemini.REFUSAL), "I'm sorry"),
    ],
)
def test_text_can_be_something_else_than_the_schema(client, model_server, answer, start):
    model_server.answer(answer)
    assert describe(client).text.startswith(start)


def test_bodies_can_be_empty_or_no_json(client, model_server):
    model_server.answer(EMPTY_OBJECT, NOT_JSON)
    assert describe(client).text is None
    with pytest.raises(json.JSONDecodeError):
        describe(client)


def test_a_server_can_hang_trickle_or_hang_up(client, model_server):
    options = client._api_client._http_options
    model_server.answer(HANG, DROP, gemini.trickle(0.0001))
    options.timeout = 200
    with pytest.raises(httpx2.ReadTimeout):
        describe(client)
    options.timeout = 60_000
    with pytest.raises(httpx2.RemoteProtocolError):
        describe(client)
    assert describe(client).text


def test_embeddings_are_unit_vectors_that_depend_on_the_words(client):
    def embedding(words):
        config = types.EmbedContentConfig(output_dimensionality=768)
        model = "gemini-embedding-2"
        answer = client.models.embed_content(model=model, contents=words, config=config)
        return answer.embeddings[0].values

    assert math.isclose(math.hypot(*embedding("dog")), 1, rel_tol=1e-6)
    assert len(embedding("dog")) == 768
    assert embedding("dog") == embedding("dog") != embedding("cat")


def test_vertex_ai_is_served_too(model_server):
    from google.oauth2.credentials import Credentials

    options = types.HttpOptions(base_url=model_server.url)
    with genai.Client(
        enterprise=True,
        project="p",
        location="global",
        credentials=Credentials("token"),
        http_options=options,
    ) as client:
        assert describe(client).text
    assert "/projects/p/locations/global/publishers/google/models/" in model_server.calls[0].path


def post(url, body):
    request = urllib.request.Request(url, json.dumps(body).encode())  # noqa: S310
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        return json.load(answer)


def test_openai_and_anthropic_are_served_too(model_server):
    data = "aGVsbG8="
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
    chat = {"model": "gpt-5.4-mini", "messages": [{"role": "user", "content": [image]}]}
    said = post(f"{model_server.url}/v1/chat/completions", chat)
    assert "alt_text" in json.loads(said["choices"][0]["message"]["content"])

    image = {"type": "input_image", "image_url": f"data:image/png;base64,{data}"}
    asked = {"model": "gpt-5.4-mini", "input": [{"role": "user", "content": [image]}]}
    said = post(f"{model_server.url}/v1/responses", asked)
    assert "alt_text" in json.loads(said["output"][0]["content"][0]["text"])

    source = {"type": "base64", "media_type": "image/png", "data": data}
    turn = {"role": "user", "content": [{"type": "image", "source": source}]}
    said = post(f"{model_server.url}/v1/messages", {"model": "claude", "messages": [turn]})
    assert "alt_text" in json.loads(said["content"][0]["text"])

    assert [call.vendor for call in model_server.calls] == ["openai", "openai", "anthropic"]
    assert [call.images for call in model_server.calls] == [[b"hello"]] * 3
    assert [call.image_types for call in model_server.calls] == [["image/png"]] * 3


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        *(("chat/completions", answer) for answer in openai.ERRORS.values() if answer.body),
        *(("messages", answer) for answer in anthropic.ERRORS.values() if answer.body),
    ],
)
def test_their_errors_have_their_status(model_server, path, answer):
    model_server.answer(answer)
    with pytest.raises(urllib.error.HTTPError) as caught:
        post(f"{model_server.url}/v1/{path}", {})
    with caught.value as error:
        assert error.code == answer.status
        assert json.load(error) == answer.body


def test_pictures_can_be_dropped_on_arrival():
    with ModelServer(keep_images=False) as server:
        options = types.HttpOptions(base_url=server.url)
        with genai.Client(api_key="test", http_options=options) as client:
            part = types.Part.from_bytes(data=bytes(1_000_000), mime_type="image/jpeg")
            assert client.models.generate_content(model="m", contents=[part, "Describe this."]).text
    assert server.calls[0].images == []
    assert server.calls[0].text == "Describe this."


def test_it_can_be_served_by_hand():
    command = [sys.executable, "-m", "tests.support.model_server", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().strip().partition("=")[2]
        said = post(f"{url}/v1beta/models/m:generateContent", {"contents": []})
        process.terminate()
    assert said["candidates"]
    assert process.returncode == 0

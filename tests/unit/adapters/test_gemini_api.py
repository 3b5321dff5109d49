"""What leaves for Gemini, compared with what Google's own SDK sends, and where to."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import google.auth
import pytest
from google import genai
from google.genai import types
from google.oauth2.credentials import Credentials

from functions.adapters.gemini import GeminiCaptioner
from functions.adapters.gemini_api import place
from functions.adapters.gemini_embeddings import GeminiEmbedder
from functions.core.document import Picture
from functions.core.errors import ConfigurationError
from functions.core.policy import Rule
from functions.model.prompt import compose
from tests.support.answers import Answer
from tests.support.model_server import Call, ModelServer
from tests.support.pictures import jpeg

PROMPT = compose(Rule(), ["en", "de"])
ENTERPRISE = {"GOOGLE_GENAI_USE_ENTERPRISE": "true"}
PLACES: list[dict[str, str]] = [
    {"GEMINI_API_KEY": "k"},
    {"GEMINI_API_KEY": "k", "GOOGLE_API_KEY": " of-google "},
    {"GEMINI_API_KEY": "k", "GOOGLE_GENAI_API_VERSION": "beta"},
    {"GEMINI_API_KEY": "k", "GOOGLE_GENAI_API_VERSION": "v1alpha"},
    {"GEMINI_API_KEY": "k", "GOOGLE_GENAI_USE_ENTERPRISE": "false", "GOOGLE_CLOUD_PROJECT": "p"},
    {"GEMINI_API_KEY": "k", "GOOGLE_GEMINI_BASE_URL": "https://gate.example/gemini/"},
    ENTERPRISE,
    ENTERPRISE | {"GEMINI_API_KEY": "k"},
    ENTERPRISE | {"GOOGLE_CLOUD_PROJECT": "p"},
    ENTERPRISE | {"GOOGLE_CLOUD_PROJECT": "p", "GEMINI_API_KEY": "k"},
    ENTERPRISE | {"GOOGLE_CLOUD_PROJECT": "p", "GOOGLE_CLOUD_LOCATION": "europe-west4"},
    ENTERPRISE | {"GOOGLE_CLOUD_PROJECT": "p", "GOOGLE_CLOUD_LOCATION": "eu"},
    ENTERPRISE | {"GOOGLE_CLOUD_PROJECT": "p", "GOOGLE_CLOUD_LOCATION": "global"},
    ENTERPRISE | {"GOOGLE_CLOUD_LOCATION": "us", "GOOGLE_GENAI_API_VERSION": "v1"},
    ENTERPRISE | {"GOOGLE_VERTEX_BASE_URL": "https://gate.example/vertex/"},
    ENTERPRISE | {"GOOGLE_VERTEX_BASE_URL": "https://x.googleapis.com", "GEMINI_API_KEY": "k"},
    ENTERPRISE
    | {"GOOGLE_VERTEX_BASE_URL": "https://x.googleapis.com", "GOOGLE_CLOUD_PROJECT": "p"},
    ENTERPRISE
    | {
        "GOOGLE_VERTEX_BASE_URL": "https://gate.example/vertex/",
        "GOOGLE_CLOUD_PROJECT": "p",
        "GOOGLE_CLOUD_LOCATION": "eu",
    },
]
MODELS = ["gemini-9", "models/gemini-9", "tunedModels/mine", "publishers/google/models/gemini-9"]
MODELS += ["projects/p/locations/l/endpoints/7", "meta/llama-9"]


_ALPHABET = str.maketrans("-_", "+/")


def picture() -> Picture:
    return Picture(jpeg(), "image/jpeg", 64, 48)


def surround(monkeypatch: pytest.MonkeyPatch, env: Mapping[str, str]) -> None:
    account = Credentials("of-the-service-account", quota_project_id="who-pays")
    monkeypatch.setattr(google.auth, "default", lambda **_: (account, "own-project"))
    for name, value in env.items():
        monkeypatch.setenv(name, value)


def sdk(env: Mapping[str, str]) -> genai.Client:
    """Google's client; told of the project, which it forgets beside another address."""
    if env.get("GOOGLE_GENAI_USE_ENTERPRISE") != "true":
        return genai.Client()
    project, location = env.get("GOOGLE_CLOUD_PROJECT"), env.get("GOOGLE_CLOUD_LOCATION")
    return genai.Client(enterprise=True, project=project, location=location)


@pytest.mark.parametrize("env", PLACES, ids=lambda env: " ".join(env.values()))
def test_a_model_is_asked_where_googles_sdk_asks_it(
    env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    surround(monkeypatch, env)
    client, ours = sdk(env)._api_client, place(env)
    assert (ours.vertex, ours.key) == (bool(client.vertexai), client.api_key or "")
    for model in MODELS:
        if model.startswith("projects/") and not ours.vertex:
            continue  # the SDK has no such model there
        path = f"{genai._transformers.t_model(client, model)}:generateContent"
        assert ours.url(model, "generateContent") == client._build_request("post", path, {}).url


@pytest.mark.parametrize(
    ("newer", "earlier", "vertex"),
    [("True", None, True), (None, "1", True), ("0", "1", False), ("1", "0", True)],
)
def test_the_switch_has_two_names_and_the_newer_one_counts(
    newer: str | None, earlier: str | None, vertex: bool
) -> None:
    named = {"GOOGLE_GENAI_USE_ENTERPRISE": newer, "GOOGLE_GENAI_USE_VERTEXAI": earlier}
    switches = {name: value for name, value in named.items() if value is not None}
    env = {"GOOGLE_CLOUD_PROJECT": "p", "GEMINI_API_KEY": "k"} | switches
    assert place(env).vertex is vertex


@pytest.mark.parametrize("key", ["k\nx: y", "ключ", "k\0"])
def test_a_key_that_fits_no_header_is_a_setting_and_is_not_shown(key: str) -> None:
    with pytest.raises(ConfigurationError, match="set GEMINI_API_KEY") as caught:
        place({"GEMINI_API_KEY": key})
    assert key not in str(caught.value)


@pytest.mark.parametrize(
    "base", ["gate.example", "localhost:8080", "ftp://gate.example", "http://"]
)
def test_an_endpoint_that_is_no_address_is_named(
    base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    surround(monkeypatch, {"GEMINI_API_KEY": "k", "GOOGLE_GEMINI_BASE_URL": base})
    with pytest.raises(ConfigurationError, match="GOOGLE_GEMINI_BASE_URL is no address"):
        GeminiCaptioner("gemini-9", 5).describe(picture(), PROMPT)


@pytest.fixture(params=["developers", "enterprise"])
def env(request: pytest.FixtureRequest, model_server: ModelServer) -> dict[str, str]:
    if request.param == "developers":
        return {"GEMINI_API_KEY": "k", "GOOGLE_GEMINI_BASE_URL": model_server.url}
    return ENTERPRISE | {
        "GOOGLE_VERTEX_BASE_URL": model_server.url,
        "GOOGLE_CLOUD_PROJECT": "p",
        "GOOGLE_CLOUD_LOCATION": "europe-west4",
    }


def told(call: Call) -> tuple[Any, ...]:
    """A request without the words for the one that sends it; both spellings of a field and of
    bytes are Gemini's."""
    names = ("authorization", "content-type", "x-goog-api-key", "x-goog-user-project")
    headers = {name: call.headers[name] for name in names if name in call.headers}
    return call.path, headers, _spelled(call.body)


def _spelled(value: Any) -> Any:
    if isinstance(value, list):
        return [_spelled(each) for each in value]
    if not isinstance(value, dict):
        return value
    same = {"inline_data": "inlineData"}
    return {
        same.get(name, name): each.translate(_ALPHABET) if name == "data" else _spelled(each)
        for name, each in value.items()
    }


@pytest.mark.parametrize("model", ["gemini-3.5-flash-lite", "gemini-3.5-flash"])
def test_a_caption_is_asked_for_as_by_googles_sdk(
    model: str, env: dict[str, str], model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    surround(monkeypatch, env)
    thinks = types.ThinkingConfig(thinking_level=types.ThinkingLevel.LOW)
    part = types.Part.from_bytes(data=jpeg(), mime_type="image/jpeg")
    client = sdk(env)
    client.models.generate_content(
        model=model,
        contents=types.Content(role="user", parts=[part, types.Part(text=PROMPT.user)]),
        config=types.GenerateContentConfig(
            system_instruction=PROMPT.system,
            response_mime_type="application/json",
            response_json_schema=PROMPT.schema,
            max_output_tokens=PROMPT.max_output_tokens,
            thinking_config=None if model.endswith("lite") else thinks,
        ),
    )
    GeminiCaptioner(model, 5).describe(picture(), PROMPT)
    theirs, ours = model_server.calls
    assert told(ours) == told(theirs)


@pytest.mark.parametrize(
    ("model", "of"),
    [
        ("gemini-embedding-2", "words"),
        ("gemini-embedding-2", "picture"),
        ("text-embedding-005", "words"),
    ],
)
def test_an_embedding_is_asked_for_as_by_googles_sdk(
    model: str,
    of: str,
    env: dict[str, str],
    model_server: ModelServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    surround(monkeypatch, env)
    part = types.Part.from_bytes(data=jpeg(), mime_type="image/jpeg")
    words = types.Part(text="title: none | text: A cup")
    client, embedder = sdk(env), GeminiEmbedder(model, 5)
    for ask in (
        lambda: client.models.embed_content(
            model=model,
            contents=types.Content(role="user", parts=[words if of == "words" else part]),
            config=types.EmbedContentConfig(output_dimensionality=768),
        ),
        lambda: embedder.words("A cup") if of == "words" else embedder.picture(picture()),
    ):
        with suppress(Exception):  # the stand-in has no answer of each kind
            ask()
    theirs, ours = model_server.embeddings or model_server.calls
    assert told(ours) == told(theirs)


def test_the_numbers_of_a_model_that_predicts_are_found(
    model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    surround(monkeypatch, ENTERPRISE | {"GOOGLE_CLOUD_PROJECT": "p", "GOOGLE_CLOUD_LOCATION": "eu"})
    monkeypatch.setenv("GOOGLE_VERTEX_BASE_URL", model_server.url)
    found = {"values": [2.0] + [0.0] * 767, "statistics": {"token_count": 4}}
    model_server.answer(Answer({"predictions": [{"embeddings": found}]}))
    made = GeminiEmbedder("text-embedding-005", 5).words("A cup")
    assert (made.vector[:2], made.input_tokens) == ((1.0, 0.0), 4)

"""Ollama: its address as it reads it itself, its models that see, and one call to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from functions import composition
from functions.adapters import ollama_server
from functions.adapters.ollama import OllamaCaptioner
from functions.core.document import Picture
from functions.core.errors import ConfigurationError, TransientError
from functions.core.policy import Rule
from functions.model.prompt import compose
from functions.model.reply import read_reply
from functions.settings import Model, Settings
from tests.support.answers import DROP, Answer
from tests.support.model_server import ModelServer
from tests.support.pictures import jpeg

PROMPT = compose(Rule(), ["en"])


def picture() -> Picture:
    return Picture(jpeg(), "image/jpeg", 64, 48)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("", "http://localhost:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),  # noqa: S104 - as servers are told to listen
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        (":8080", "http://localhost:8080"),
        ("gpu.example", "http://gpu.example:11434"),
        ("gpu.example:1", "http://gpu.example:1"),
        ("http://gpu.example", "http://gpu.example"),
        ("https://ollama.com", "https://ollama.com"),
        ("https://gpu.example:8443/ollama/", "https://gpu.example:8443/ollama"),
        ("[::1]:8080", "http://[::1]:8080"),
        ("::1", "http://[::1]:11434"),
        ("[::]", "http://[::1]:11434"),
        (' "gpu.example" ', "http://gpu.example:11434"),
        ("gpu.example:99999", "http://gpu.example:11434"),
    ],
)
def test_the_address_is_read_as_ollama_reads_it(host: str, address: str) -> None:
    assert ollama_server.address({"OLLAMA_HOST": host}) == address


def test_only_models_that_see_are_found_the_smallest_first(model_server: ModelServer) -> None:
    model_server.pulled = {
        "qwen3-vl:4b": ["completion", "vision"],
        "llama3.2:3b": ["completion", "tools"],
        "gemma3:27b": ["completion", "vision"],
    }
    found = ollama_server.find({"OLLAMA_HOST": model_server.url})
    assert found == ollama_server.Server(model_server.url, ("qwen3-vl:4b", "gemma3:27b"))


@pytest.mark.parametrize("host", ["127.0.0.1:9", "http://[broken", "127.0.0.1:99999999"])
def test_where_no_server_answers_none_is_found(host: str) -> None:
    assert ollama_server.find({"OLLAMA_HOST": host}) is None


def test_a_server_that_is_no_ollama_is_none(model_server: ModelServer) -> None:
    assert ollama_server.find({"OLLAMA_HOST": model_server.url}) is None


@pytest.fixture
def captioner(
    model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[OllamaCaptioner]:
    monkeypatch.setenv("OLLAMA_HOST", model_server.url.removeprefix("http://"))
    made = OllamaCaptioner("qwen3-vl:4b", 1)
    yield made
    made.close()


def test_it_is_asked_without_a_key_and_told_not_to_think(
    captioner: OllamaCaptioner, model_server: ModelServer
) -> None:
    composition.require_key(Model("ollama", "qwen3-vl:4b"), {})
    answer = captioner.describe(picture(), PROMPT)

    assert read_reply(answer).alt_text
    (call,) = model_server.calls
    assert (call.path, call.model) == ("/v1/chat/completions", "qwen3-vl:4b")
    assert call.headers["authorization"] == "Bearer ollama"
    assert call.images == [jpeg()]
    assert call.schema == dict(PROMPT.schema)
    assert call.body["reasoning_effort"] == "none"
    assert call.body["max_tokens"]
    assert "detail" not in str(call.body["messages"][1]["content"][0]["image_url"].keys())


def test_a_key_for_its_cloud_is_sent(
    model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", model_server.url)
    monkeypatch.setenv("OLLAMA_API_KEY", "a-key-of-the-cloud")
    made = OllamaCaptioner("qwen3-vl:235b-cloud", 1)
    made.describe(picture(), PROMPT)
    made.close()
    assert model_server.calls[0].headers["authorization"] == "Bearer a-key-of-the-cloud"


def test_a_model_that_is_not_there_says_how_to_bring_it(
    captioner: OllamaCaptioner, model_server: ModelServer
) -> None:
    said = {"error": {"message": "model 'qwen3-vl:4b' not found, try pulling it first"}}
    model_server.always(Answer(said, 404))
    with pytest.raises(ConfigurationError, match="run `ollama pull qwen3-vl:4b`"):
        captioner.describe(picture(), PROMPT)


def test_a_server_that_is_away_is_named_by_its_address(
    captioner: OllamaCaptioner, model_server: ModelServer
) -> None:
    model_server.always(DROP)
    with pytest.raises(TransientError, match=rf"Ollama \({model_server.url}\) could not be"):
        captioner.describe(picture(), PROMPT)


def test_the_name_of_a_model_may_have_colons() -> None:
    model = Settings.from_env({"CAPTION_MODEL": "ollama:hf.co/me/seer-GGUF:Q4_K_M"}).model
    assert (model.provider, model.name) == ("ollama", "hf.co/me/seer-GGUF:Q4_K_M")


@pytest.mark.parametrize("host", ["http://[broken", "ftp://gpu.example"])
def test_an_address_that_is_none_is_a_wrong_setting(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", host)
    with pytest.raises(ConfigurationError, match="OLLAMA_HOST is no address"):
        OllamaCaptioner("qwen3-vl:4b", 1).describe(picture(), PROMPT)

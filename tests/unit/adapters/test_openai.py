"""What is OpenAI's own, and its compatible servers'; contracts/test_captioner.py has the rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from functions import composition
from functions.adapters.openai import ACCEPTS, COMPATIBLE, OpenAICaptioner
from functions.core.document import Picture
from functions.core.errors import ConfigurationError, TransientError
from functions.core.policy import Rule
from functions.model.prompt import compose
from functions.model.reply import read_reply
from functions.settings import Model
from tests.support.answers import Answer, openai
from tests.support.model_server import Call, ModelServer, good
from tests.support.pictures import jpeg

PROMPT = compose(Rule(), ["en", "de"])


def picture() -> Picture:
    return Picture(jpeg(), "image/jpeg", 64, 48)


@pytest.fixture
def captioner(
    model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[OpenAICaptioner]:
    monkeypatch.setenv("OPENAI_BASE_URL", f"{model_server.url}/v1")
    captioner = OpenAICaptioner("qwen3-vl:8b", timeout_seconds=60)
    yield captioner
    captioner.close()


def without_schema(call: Call) -> Answer:
    """A server that knows no ``response_format``."""
    if "response_format" in call.body:
        return openai.ERRORS["no schema"]
    return good(call)


def test_a_server_of_ones_own_needs_no_key(
    captioner: OpenAICaptioner, model_server: ModelServer
) -> None:
    composition.require_key(Model("openai", "m"), {"OPENAI_BASE_URL": model_server.url})

    assert read_reply(captioner.describe(picture(), PROMPT)).alt_text
    assert model_server.calls[0].model == "qwen3-vl:8b"


def test_openai_itself_needs_a_key() -> None:
    with pytest.raises(ConfigurationError, match=r"OPENAI_API_KEY.*OPENAI_BASE_URL"):
        composition.require_key(Model("openai", "m"), {})


def test_a_server_without_schemas_is_asked_in_words_and_from_then_on(
    captioner: OpenAICaptioner, model_server: ModelServer
) -> None:
    model_server.always(without_schema)

    assert read_reply(captioner.describe(picture(), PROMPT)).alt_text
    assert read_reply(captioner.describe(picture(), PROMPT)).alt_text

    first, second, third = model_server.calls
    assert "response_format" in first.body
    for call in (second, third):
        assert "response_format" not in call.body
        assert call.images == [jpeg()]
        assert '"additionalProperties": false' in call.text


@pytest.mark.parametrize("status", [400, 422, 500])
def test_a_schema_is_refused_in_several_ways(
    captioner: OpenAICaptioner, model_server: ModelServer, status: int
) -> None:
    model_server.answer(replace(openai.ERRORS["no schema"], status=status))
    assert read_reply(captioner.describe(picture(), PROMPT)).alt_text
    assert model_server.count == 2


def test_a_fault_of_the_first_call_does_not_lose_the_schema(
    captioner: OpenAICaptioner, model_server: ModelServer
) -> None:
    model_server.answer(openai.ERRORS["overloaded"])
    with pytest.raises(TransientError):
        captioner.describe(picture(), PROMPT)
    captioner.describe(picture(), PROMPT)
    assert "response_format" in model_server.calls[1].body


def test_a_model_without_eyes_is_a_wrong_setting_and_not_a_broken_image(
    captioner: OpenAICaptioner, model_server: ModelServer
) -> None:
    model_server.always(openai.ERRORS["sees no images"])
    with pytest.raises(ConfigurationError, match=r"sees no images.*CAPTION_MODEL"):
        captioner.describe(picture(), PROMPT)


def test_an_account_without_credit_says_so(
    captioner: OpenAICaptioner, model_server: ModelServer
) -> None:
    model_server.always(openai.ERRORS["no credit"])
    with pytest.raises(TransientError, match="out of quota or credit"):
        captioner.describe(picture(), PROMPT)


def test_a_server_of_ones_own_gets_what_every_one_reads(
    captioner: OpenAICaptioner, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert captioner.accepts == COMPATIBLE
    monkeypatch.delenv("OPENAI_BASE_URL")
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    hosted = OpenAICaptioner("gpt-6-luna", timeout_seconds=60)
    assert hosted.accepts == ACCEPTS
    hosted.close()


@pytest.mark.parametrize(
    ("bill", "counted"),
    [
        ({"prompt_tokens": 900, "completion_tokens": 80, "total_tokens": 980}, (900, 80)),
        ({"prompt_tokens": 900, "completion_tokens": 80, "total_tokens": 1400}, (900, 500)),
        ({"prompt_tokens": None, "completion_tokens": 80, "total_tokens": 980}, (0, 80)),
        ({"input_tokens": 900, "output_tokens": 80}, (900, 80)),
        ({"prompt_tokens": 900, "completion_tokens": 80, "total_tokens": 0}, (900, 80)),
    ],
)
def test_thoughts_that_stand_in_the_total_only_are_counted(
    bill: dict[str, int],
    counted: tuple[int, int],
    captioner: OpenAICaptioner,
    model_server: ModelServer,
) -> None:
    model_server.answer(Answer(openai.good().body | {"usage": bill}))
    answer = captioner.describe(picture(), PROMPT)
    assert (answer.input_tokens, answer.output_tokens) == counted

"""``CAPTION_MODEL=a,b``: the next model answers where one is unable or unwilling."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from PIL import Image

from functions import composition
from functions.core.document import Accepts, Answer, Picture, Prompt
from functions.core.errors import ConfigurationError
from functions.model.late import LateCaptioner
from functions.settings import Model, Settings
from tests.support import answers
from tests.support.answers import DROP, anthropic, gemini, openai
from tests.support.model_server import Call, ModelServer, good
from tests.support.pictures import jpeg
from tests.support.stack import Embedded

FIRST, SECOND = "gemini:gemini-3.5-flash-lite", "openai:gpt-5.4-mini"


@pytest.fixture
def stack(embedded: Embedded, monkeypatch: pytest.MonkeyPatch) -> Embedded:
    monkeypatch.setenv("CAPTION_MODEL", f"{FIRST},{SECOND}")
    monkeypatch.setenv("OPENAI_BASE_URL", f"{embedded.model.url}/v1")
    embedded.restart()
    return embedded


def answering(server: ModelServer, **by_vendor: answers.Answer) -> None:
    """Let a vendor give this answer, and the others a caption."""

    def answer(call: Call) -> answers.Answer:
        return by_vendor.get(call.vendor) or good(call)

    server.always(answer)


def vendors(stack: Embedded) -> list[str]:
    return [call.vendor for call in stack.model.calls]


def test_the_first_model_answers_while_it_can(stack: Embedded) -> None:
    assert stack.deliver(stack.put("a.jpg", jpeg())) == 200

    document = stack.document("a.jpg")
    assert document
    assert document["model"] == FIRST
    assert vendors(stack) == ["gemini"]


@pytest.mark.parametrize(
    "fault",
    [
        gemini.ERRORS["overloaded"],
        gemini.quota("7s"),
        gemini.prompt_blocked(),
        gemini.finished("RECITATION"),
        DROP,
        answers.Answer({"error": {"code": 503, "message": "The model is overloaded."}}),
        answers.Answer({}),
        answers.NOT_JSON,
        gemini.error(429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted."),
        gemini.error(400, "INVALID_ARGUMENT", "The image was flagged by our content policy."),
    ],
    ids=[
        *("overloaded", "out of quota", "refuses the prompt", "refuses to answer", "hangs up"),
        *("an error in a 200", "no candidates", "a page of HTML", "no credit", "moderation"),
    ],
)
def test_where_one_does_not_answer_the_next_one_does_and_is_on_record(
    stack: Embedded, fault: answers.Answer
) -> None:
    answering(stack.model, gemini=fault)
    assert stack.deliver(stack.put("a.jpg", jpeg())) == 200

    document = stack.document("a.jpg")
    assert document
    assert (document["status"], document["model"]) == ("captioned", SECOND)
    assert document["model_version"] == "gpt-5.4-mini-2026-03-17"
    assert document["usage"]["model_calls"] == 2
    assert stack.metadata("a.jpg")["caption-model"] == SECOND
    (line,) = stack.log()
    assert (line["outcome"], line["model"], line["model_calls"]) == ("captioned", SECOND, 2)
    assert vendors(stack) == ["gemini", "openai"]


def test_each_model_gets_the_picture_as_it_takes_it(stack: Embedded) -> None:
    file = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(file, "WEBP")
    answering(stack.model, gemini=gemini.ERRORS["overloaded"])

    assert stack.deliver(stack.put("a.webp", file.getvalue(), "image/webp")) == 200
    assert [call.image_types for call in stack.model.calls] == [["image/webp"], ["image/jpeg"]]


def test_a_wrong_key_is_not_passed_over(stack: Embedded) -> None:
    answering(stack.model, gemini=gemini.ERRORS["wrong key"])

    assert stack.deliver(stack.put("a.jpg", jpeg())) == 500
    (line,) = stack.log()
    assert (line["severity"], line["reason"]) == ("ERROR", "configuration")
    assert vendors(stack) == ["gemini"]


def test_where_nobody_can_answer_the_first_ones_delay_is_kept(stack: Embedded) -> None:
    answering(stack.model, gemini=gemini.quota("7s"), openai=openai.ERRORS["overloaded"])

    assert stack.deliver(stack.put("a.jpg", jpeg())) == 500
    document = stack.document("a.jpg")
    assert document
    assert document["status"] == "pending"
    assert document["not_before"] - document["updated_at"] == timedelta(seconds=7)
    assert document["model"] == FIRST


def test_an_image_is_rejected_only_if_everybody_refuses_it(stack: Embedded) -> None:
    answering(stack.model, gemini=gemini.prompt_blocked(), openai=openai.refused())
    assert stack.deliver(stack.put("a.jpg", jpeg())) == 200
    refused = stack.document("a.jpg")
    assert refused
    assert (refused["status"], refused["error"]["reason"]) == ("rejected", "blocked")

    answering(stack.model, gemini=gemini.ERRORS["overloaded"], openai=openai.refused())
    assert stack.deliver(stack.put("b.jpg", jpeg(1))) == 500
    waiting = stack.document("b.jpg")
    assert waiting
    assert waiting["status"] == "pending"


def test_every_call_counts_against_the_daily_limit(
    stack: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPTION_DAILY_LIMIT", "1")
    stack.restart()
    answering(stack.model, gemini=gemini.finished("SAFETY"))

    assert stack.deliver(stack.put("a.jpg", jpeg())) == 200
    document = stack.document("a.jpg")
    assert document
    assert document["status"] == "deferred"
    assert vendors(stack) == ["gemini"]


def test_no_model_is_begun_that_could_outlive_the_claim(
    stack: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPTION_TIMEOUT_SECONDS", "2")
    monkeypatch.setenv("CAPTION_LEASE_SECONDS", "3")  # less than two calls
    stack.restart()
    answering(stack.model, gemini=gemini.ERRORS["overloaded"])

    assert stack.deliver(stack.put("a.jpg", jpeg())) == 500
    assert vendors(stack) == ["gemini"]


def test_a_repair_is_for_who_wrote_the_reply(stack: Embedded) -> None:
    stack.model.answer(
        gemini.ERRORS["overloaded"], openai.chat("no JSON at all"), openai.good(alt_text="A dog.")
    )
    assert stack.deliver(stack.put("a.jpg", jpeg())) == 200

    assert vendors(stack) == ["gemini", "openai", "openai"]
    document = stack.document("a.jpg")
    assert document
    assert (document["alt_text"], document["usage"]["model_calls"]) == ("A dog.", 3)


def test_words_of_a_fallback_are_not_copied_for_the_same_bytes(stack: Embedded) -> None:
    stack.model.answer(gemini.ERRORS["overloaded"])
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        assert stack.deliver(stack.put(name, jpeg())) == 200, stack.log()

    assert vendors(stack) == ["gemini", "openai", "gemini"]
    copied = stack.document("c.jpg")
    assert copied
    assert copied["model"] == FIRST


def test_a_list_is_read_in_its_order() -> None:
    model = Settings.from_env({"CAPTION_MODEL": f"{FIRST}, {SECOND},anthropic:claude-haiku-5-5"})
    assert [str(each) for each in model.model.chain] == [
        FIRST,
        SECOND,
        "anthropic:claude-haiku-5-5",
    ]
    assert str(model.model) == f"{FIRST},{SECOND},anthropic:claude-haiku-5-5"


@pytest.mark.parametrize("value", [f"{FIRST},", f"{FIRST},offline", f"{FIRST},gpt-5.4-mini"])
def test_a_wrong_list_is_named(value: str) -> None:
    with pytest.raises(ConfigurationError, match="CAPTION_MODEL="):
        Settings.from_env({"CAPTION_MODEL": value})


def test_every_model_of_a_list_needs_its_key_at_the_start() -> None:
    model = Model("gemini", "m", Model("anthropic", "n"))
    with pytest.raises(ConfigurationError, match=r"anthropic:n needs ANTHROPIC_API_KEY"):
        composition.require_key(model, {"GEMINI_API_KEY": "k"})


def test_every_model_of_a_list_needs_its_package_at_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name != "anthropic" or None)
    with pytest.raises(ConfigurationError, match="pip install anthropic=="):
        composition.require_package(Model("gemini", "m", Model("anthropic", "n")))


def test_a_fallback_is_built_once_and_when_it_is_first_asked() -> None:
    built: list[str] = []

    class Fake:
        model = "fake:m"
        accepts = Accepts(frozenset(), 1, 1)

        def describe(self, picture: Picture | None, prompt: Prompt) -> Answer:
            return Answer("said")

    late = LateCaptioner("fake:m", lambda: built.append("once") or Fake())  # type: ignore[func-returns-value]
    assert (late.model, built) == ("fake:m", [])
    assert late.accepts.max_side == 1
    assert late.describe(Picture(b"", "", 1, 1), Prompt("", "", "", {})).text == "said"
    assert built == ["once"]


def test_anthropic_may_be_the_one_to_fall_back_on(
    stack: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPTION_MODEL", f"{SECOND},anthropic:claude-haiku-5-5")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", stack.model.url)
    stack.restart()
    answering(stack.model, openai=openai.ERRORS["no credit"])
    assert stack.deliver(stack.put("a.jpg", jpeg())) == 200
    answering(
        stack.model,
        openai=openai.ERRORS["overloaded"],
        anthropic=anthropic.ERRORS["no credit"],
    )
    assert stack.deliver(stack.put("b.jpg", jpeg(1))) == 500
    assert vendors(stack) == ["openai", "anthropic"] * 2

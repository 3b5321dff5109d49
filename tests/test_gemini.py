"""GeminiCaptioner over the real SDK and the real wire format."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from functions.captioners.gemini import GeminiCaptioner
from functions.domain import Picture
from functions.errors import (
    CaptionError,
    ConfigurationError,
    PermanentError,
    TransientError,
)
from functions.policy import Rule
from functions.prompt import compose, read
from tests.answers import HANG, Answer, gemini
from tests.model_server import ModelServer
from tests.pictures import jpeg

PROMPT = compose(Rule(), ["en"])


def picture() -> Picture:
    return Picture(jpeg(), "image/jpeg", 64, 48)


@pytest.fixture
def captioner(
    model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[GeminiCaptioner]:
    monkeypatch.setenv("GEMINI_API_KEY", "secret-key")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", model_server.url)
    captioner = GeminiCaptioner("gemini-3.5-flash-lite", timeout_seconds=1)
    yield captioner
    captioner.close()


def test_a_picture_becomes_a_reply_with_its_usage(
    captioner: GeminiCaptioner, model_server: ModelServer
) -> None:
    answer = captioner.describe(picture(), PROMPT)

    assert read(answer).alt_text
    assert answer.blocked == ""
    assert answer.model_version == "gemini-3.5-flash-lite"
    assert (answer.input_tokens, answer.output_tokens) == (1420, 118)


def test_what_leaves_is_the_picture_the_prompt_and_the_schema(
    captioner: GeminiCaptioner, model_server: ModelServer
) -> None:
    captioner.describe(picture(), PROMPT)

    (call,) = model_server.calls
    assert call.model == "gemini-3.5-flash-lite"
    assert call.images == [jpeg()]
    assert call.image_types == ["image/jpeg"]
    assert call.schema == dict(PROMPT.schema)
    assert PROMPT.system in call.text
    assert PROMPT.user in call.text
    assert "x-spliced-picture" not in {key.lower() for key in call.headers}


@pytest.mark.parametrize("size", [0, 1, 2, 3, 196_607, 196_608, 196_609, 1_000_000])
def test_a_picture_of_any_length_arrives_whole(
    captioner: GeminiCaptioner, model_server: ModelServer, size: int
) -> None:
    data = bytes(i % 251 for i in range(size))
    captioner.describe(Picture(data, "image/png", 1, 1), PROMPT)

    assert model_server.calls[0].images == ([data] if data else [b""])


def test_a_pictures_bytes_are_let_go_once_they_are_sent(
    captioner: GeminiCaptioner, model_server: ModelServer
) -> None:
    released: list[int] = []
    sent = picture()
    sent.on_release = lambda: released.append(model_server.count)
    model_server.answer(HANG)

    with pytest.raises(TransientError):
        captioner.describe(sent, PROMPT)
    assert sent.data == b""
    assert released


@pytest.mark.parametrize(
    ("fault", "family", "says"),
    [
        ("wrong key", ConfigurationError, "GEMINI_API_KEY"),
        ("expired key", ConfigurationError, "GEMINI_API_KEY"),
        ("permission denied", ConfigurationError, "GEMINI_API_KEY"),
        ("unknown model", ConfigurationError, "CAPTION_MODEL"),
        ("unknown field", ConfigurationError, "CAPTION_MODEL"),
        ("wrong place", ConfigurationError, "regions"),
        ("invalid image", PermanentError, "Save it anew"),
        ("unsupported type", PermanentError, "Save it anew"),
        ("quota with RetryInfo", TransientError, "429"),
        ("internal", TransientError, "500"),
        ("overloaded", TransientError, "503"),
        ("deadline", TransientError, "504"),
        ("hangs", TransientError, "CAPTION_TIMEOUT_SECONDS"),
        ("drops", TransientError, "reached"),
    ],
)
def test_a_fault_belongs_to_its_family_and_names_the_remedy(
    captioner: GeminiCaptioner,
    model_server: ModelServer,
    fault: str,
    family: type[CaptionError],
    says: str,
) -> None:
    model_server.always(gemini.ERRORS[fault])

    with pytest.raises(family, match=says) as caught:
        captioner.describe(picture(), PROMPT)
    assert "secret-key" not in str(caught.value)
    assert model_server.count == 1


def test_every_known_fault_is_translated(
    captioner: GeminiCaptioner, model_server: ModelServer
) -> None:
    for fault in gemini.ERRORS.values():
        model_server.always(fault)
        with pytest.raises(CaptionError):
            captioner.describe(picture(), PROMPT)


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (gemini.quota("7s"), 7),
        (gemini.quota("0.5s"), 0.5),
        (gemini.quota(None, "12"), 12),
        (gemini.quota("7s", wrapped=True), 7),
        (gemini.quota(None), None),
        (gemini.quota(None, "Wed, 21 Oct 2026 07:28:00 GMT"), None),
    ],
)
def test_the_delay_that_a_quota_answer_asks_for_is_kept(
    captioner: GeminiCaptioner, model_server: ModelServer, answer: Answer, seconds: float | None
) -> None:
    model_server.always(answer)

    with pytest.raises(TransientError) as caught:
        captioner.describe(picture(), PROMPT)
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize("reason", gemini.BLOCK_REASONS)
def test_a_blocked_prompt_is_a_refusal(
    captioner: GeminiCaptioner, model_server: ModelServer, reason: str
) -> None:
    model_server.answer(gemini.prompt_blocked(reason))
    assert captioner.describe(picture(), PROMPT).blocked == reason


@pytest.mark.parametrize("reason", gemini.FINISH_REASONS)
def test_a_refusing_finish_reason_is_a_refusal(
    captioner: GeminiCaptioner, model_server: ModelServer, reason: str
) -> None:
    model_server.answer(gemini.finished(reason, "half a sen"))
    assert captioner.describe(picture(), PROMPT).blocked == reason


def test_a_finish_reason_of_the_future_is_no_refusal(
    captioner: GeminiCaptioner, model_server: ModelServer
) -> None:
    model_server.answer(gemini.finished("QUANTUM_DECOHERENCE"))
    with pytest.warns(UserWarning, match="QUANTUM_DECOHERENCE"):
        answer = captioner.describe(picture(), PROMPT)
    assert (answer.text, answer.blocked) == ("", "")


def test_thoughts_that_ate_the_tokens_are_told_apart(
    captioner: GeminiCaptioner, model_server: ModelServer
) -> None:
    model_server.answer(gemini.out_of_tokens())
    answer = captioner.describe(picture(), PROMPT)
    assert (answer.text, answer.truncated) == ("", True)


def test_a_body_that_trickles_in_ends_with_the_timeout(
    captioner: GeminiCaptioner, model_server: ModelServer
) -> None:
    model_server.answer(gemini.trickle(0.2))
    with pytest.raises(TransientError, match="CAPTION_TIMEOUT_SECONDS"):
        captioner.describe(picture(), PROMPT)

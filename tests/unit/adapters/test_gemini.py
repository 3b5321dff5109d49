"""What is Gemini's own; what every captioner does is in contracts/test_captioner.py."""

from __future__ import annotations

from collections.abc import Iterator

import google.auth
import google.auth.exceptions
import pytest
from google.oauth2.credentials import Credentials

from functions.adapters.gemini import GeminiCaptioner
from functions.core.document import Picture
from functions.core.errors import (
    CaptionError,
    ConfigurationError,
    Outage,
    PermanentError,
    TransientError,
)
from functions.core.policy import Rule
from functions.model.prompt import compose
from tests.support.answers import Answer, gemini
from tests.support.model_server import ModelServer
from tests.support.pictures import jpeg

PROMPT = compose(Rule(), ["en"])


def picture() -> Picture:
    return Picture(jpeg(), "image/jpeg", 64, 48)


@pytest.fixture
def captioner(
    model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[GeminiCaptioner]:
    monkeypatch.setenv("GEMINI_API_KEY", "secret-key")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", model_server.url)
    captioner = GeminiCaptioner("gemini-3.5-flash-lite", timeout_seconds=60)
    yield captioner
    captioner.close()


@pytest.mark.parametrize(
    ("fault", "family", "says"),
    [
        ("expired key", ConfigurationError, "GEMINI_API_KEY"),
        ("unknown field", ConfigurationError, "CAPTION_MODEL"),
        ("wrong place", ConfigurationError, "regions"),
        ("unsupported type", PermanentError, "Save it anew"),
        ("quota with RetryInfo", TransientError, "429"),
        ("deadline", TransientError, "504"),
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

    with pytest.raises(family, match=says):
        captioner.describe(picture(), PROMPT)


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (gemini.quota("7s"), 7),
        (gemini.quota("0.5s"), 0.5),
        (gemini.quota(None, "12"), 12),
        (gemini.quota("7s", wrapped=True), 7),
        (gemini.quota(None), None),
        (gemini.quota(None, "Wed, 21 Oct 2015 07:28:00 GMT"), None),
    ],
)
def test_the_delay_that_a_quota_answer_asks_for_is_kept(
    captioner: GeminiCaptioner, model_server: ModelServer, answer: Answer, seconds: float | None
) -> None:
    model_server.always(answer)

    with pytest.raises(TransientError) as caught:
        captioner.describe(picture(), PROMPT)
    assert caught.value.retry_after == seconds


def test_a_days_quota_is_none_of_pace_whatever_delay_is_told(
    captioner: GeminiCaptioner, model_server: ModelServer
) -> None:
    for period, outage in (("Day", Outage.NO_CREDIT), ("Minute", Outage.OVER_QUOTA)):
        model_server.always(gemini.quota("5s", period=period))
        with pytest.raises(TransientError) as caught:
            captioner.describe(picture(), PROMPT)
        assert caught.value.outage is outage


def test_an_alias_that_is_on_another_version_of_the_api_says_which(
    captioner: GeminiCaptioner, model_server: ModelServer
) -> None:
    model_server.always(gemini.ERRORS["unknown model"])
    with pytest.raises(ConfigurationError, match="set GOOGLE_GENAI_API_VERSION=v1beta"):
        captioner.describe(picture(), PROMPT)


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
    answer = captioner.describe(picture(), PROMPT)
    assert (answer.text, answer.blocked) == ("", "")


def test_thoughts_that_ate_the_tokens_are_told_apart(
    captioner: GeminiCaptioner, model_server: ModelServer
) -> None:
    model_server.answer(gemini.out_of_tokens())
    answer = captioner.describe(picture(), PROMPT)
    assert (answer.text, answer.truncated) == ("", True)


@pytest.fixture
def vertex(model_server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[GeminiCaptioner]:
    monkeypatch.setenv("GOOGLE_GENAI_USE_ENTERPRISE", "true")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "my-project")
    monkeypatch.setenv("GOOGLE_CLOUD_LOCATION", "europe-west4")
    monkeypatch.setenv("GOOGLE_VERTEX_BASE_URL", model_server.url)
    account = Credentials("of-the-service-account")
    monkeypatch.setattr(google.auth, "default", lambda **_: (account, "my-project"))
    captioner = GeminiCaptioner("gemini-3.5-flash-lite", timeout_seconds=60)
    yield captioner
    captioner.close()


def test_vertex_ai_is_asked_as_the_service_account_without_a_key(
    vertex: GeminiCaptioner, model_server: ModelServer
) -> None:
    vertex.describe(picture(), PROMPT)

    (call,) = model_server.calls
    assert "/projects/my-project/locations/europe-west4/publishers/google/models/" in call.path
    assert call.headers["authorization"] == "Bearer of-the-service-account"
    assert "x-goog-api-key" not in call.headers
    assert call.images == [jpeg()]
    assert call.schema == dict(PROMPT.schema)


def test_what_vertex_ai_forbids_is_a_role_that_is_missing(
    vertex: GeminiCaptioner, model_server: ModelServer
) -> None:
    model_server.always(gemini.ERRORS["permission denied"])
    with pytest.raises(ConfigurationError, match=r"roles/aiplatform.user in GOOGLE_CLOUD_PROJECT"):
        vertex.describe(picture(), PROMPT)


@pytest.mark.parametrize("project", ["", "my-project"])
def test_vertex_ai_without_credentials_says_what_to_set(
    project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(**_: object) -> None:
        raise google.auth.exceptions.DefaultCredentialsError("no credentials")

    monkeypatch.setenv("GOOGLE_GENAI_USE_ENTERPRISE", "true")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", project)
    monkeypatch.setattr(google.auth, "default", nothing)
    with pytest.raises(ConfigurationError, match=r"GEMINI_API_KEY.*roles/aiplatform.user"):
        GeminiCaptioner("gemini-3.5-flash-lite", timeout_seconds=60).describe(picture(), PROMPT)

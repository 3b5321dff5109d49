"""Whose fault an error is, by its words: bodies as servers send them, and what each is."""

from __future__ import annotations

from typing import Any

import pytest

from functions.adapters.vendor_errors import (
    Refused,
    VendorErrors,
    _words,
    error_text,
    status_within,
    tokens,
)
from functions.core.errors import (
    CaptionError,
    ConfigurationError,
    Outage,
    PermanentError,
    TransientError,
)

ACME = VendorErrors("Acme", "set ACME_API_KEY", "ACME_BASE_URL", ("ACME_API_KEY",))


def error(message: str, **fields: Any) -> dict[str, Any]:
    return {"error": {"message": message, **fields}}


def judged(status: int, body: Any) -> CaptionError:
    return ACME.answered(status_within(body, status), "seer-1", error_text(body))


BLIND = (
    (400, error("messages[1]: unknown variant `image_url`, expected `text` at line 1 column 86")),
    (422, error("unknown variant `input_image`, expected `input_text`")),
    (400, error("Invalid content type. image_url is only supported by certain models.")),
    (400, error("Model do not support image input")),
    (400, error("At most 0 image(s) may be provided in one prompt.")),
    (400, error("This model is a text-only model and cannot take this content")),
    (400, error("Image input modality is not enabled for models/gemma-3-1b-it", status="X")),
    (500, error("image input is not supported - hint: you may need to provide the mmproj")),
    (500, {"error": "this model is missing data required for image input"}),
    (400, error("seer-1 is not a multimodal model")),
    (404, error("No endpoints found that support image input", code=404)),
    (400, error("The model does not support vision.")),
    (400, error("Images are not supported by this model.")),
    (400, error("This model doesn't accept images")),
    (400, error("Unsupported content type: image_url")),
    (400, error("Vision is not enabled for this deployment")),
    (400, error("seer-1 only supports text input")),
    (400, error("no vision projector loaded; start the server with --mmproj")),
    (400, error("Multimodal input is not available for this model")),
    (400, error("deepseek-chat can only process text")),
    (422, error("Input tag 'image_url' does not match any of the expected tags: 'text'")),
    (400, error("Image inputs are disabled for this deployment.")),
    (400, error("seer-1 does not have vision capabilities")),
    (400, error("Unexpected item type in content.")),
    (400, error("messages[1].content: invalid type: sequence, expected a string")),
    (
        422,
        {
            "detail": [
                {
                    "type": "string_type",
                    "loc": ["body", "messages", 1, "content"],
                    "msg": "Input should be a valid string",
                    "input": [{"type": "image_url"}],
                }
            ]
        },
    ),
)
SETTINGS: tuple[tuple[int, Any], ...] = (
    (400, error("image_url.detail is not supported")),
    (400, error("JSON mode is not enabled for this model")),
    (400, error("This API method requires billing to be enabled", status="FAILED_PRECONDITION")),
    (403, error("Billing account for project 7 is disabled", reason="BILLING_DISABLED")),
    (403, error("Your API key was reported as leaked. Please use another API key.")),
    (401, error("Incorrect API key provided", code="invalid_api_key")),
    (400, error("API key not valid. Please pass a valid API key.")),
    (403, error("Country, region, or territory not supported")),
    (404, {"error": "model 'seer-1' not found, try pulling it first"}),
    (400, error("Model Not Exist")),
    (400, error("seer-1 is not a valid model ID", code=400)),
    (404, error("No endpoints found matching your data policy", code=404)),
    (400, error("the request exceeds the available context size", type="exceed_context_size")),
    (400, error("This model's maximum context length is 4096 tokens")),
    (404, "404 page not found"),
    (405, {"detail": "Method Not Allowed"}),
    (400, error("Invalid URL: only http and https image urls are allowed")),
    (400, {}),
)
CREDIT: tuple[tuple[int, Any], ...] = (
    (402, error("Insufficient credits. Add more in settings.", code=402)),
    (402, {}),
    (
        429,
        error(
            "You exceeded your current quota, please check your plan and billing details.",
            type="insufficient_quota",
            code="insufficient_quota",
        ),
    ),
    (
        429,
        error(
            "Rate limit reached for seer-1 on requests per day (RPD): Limit 200, Used 200. "
            "Please try again in 7m12s.",
            code="rate_limit_exceeded",
        ),
    ),
    (429, error("This request would exceed your organization's daily rate limit of 1 tokens")),
    (
        429,
        [
            error(
                "You exceeded your current quota. Please retry in 5s.",
                code=429,
                details=[
                    {
                        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                        "violations": [
                            {"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}
                        ],
                    }
                ],
            )
        ],
    ),
    (400, error("You have reached your specified API usage limits.")),
    (400, error("Budget has been exceeded! Current cost: 10, max budget: 10")),
    (429, error("You exceeded your current quota", code="insufficient_quota")),
    (400, error("Your credit balance is too low to access the Anthropic API.")),
    (403, error("Key limit exceeded (daily limit). Manage it in settings.", code=403)),
    (402, error("This request requires more credits, or fewer max_tokens. You can only afford 9")),
    (402, error("Insufficient Balance", type="unknown_error")),
    (400, {"code": "Arrearage", "message": "Please make sure your account is in good standing"}),
    (429, error("Billing hard limit has been reached", code="billing_hard_limit_reached")),
    (403, {"code": "AllocationQuota.FreeTierOnly", "message": "The free tier has been exhausted"}),
    (429, error("Your prepayment credits are depleted.", status="RESOURCE_EXHAUSTED")),
    (200, error("Insufficient credits", code=402)),
    (429, error("Monthly spend limit of the workspace reached")),
    (400, error("ExceededBudget: User has exceeded their budget")),
    (401, error("Your account is out of credits")),
    (403, error("Your account balance is insufficient")),
    (429, error("You've exceeded your monthly included credits for this provider")),
    (403, error("Key has reached its usage limit")),
)
REFUSALS = (
    (403, error("Your chosen model requires moderation and your input was flagged", code=403)),
    (400, error("Input data may contain inappropriate content.", code="data_inspection_failed")),
    (400, error("Image was flagged as unsafe by the content management policy")),
    (400, error("Your request was rejected by the safety system.", code="moderation_blocked")),
    (400, error("Content Exists Risk")),
    (400, error("The response was filtered", code="content_filter")),
    (
        500,
        error("litellm.BadRequestError: ContentPolicyViolationError - content_policy_violation"),
    ),
    (400, error("refused", innererror={"code": "ResponsibleAIPolicyViolation"})),
    (403, error("Content violates usage guidelines. Team: 7")),
    (400, error("Provider returned error", metadata={"raw": '{"error":{"code":"1301",'
     '"message":"The input may contain unsafe or sensitive content"}}'})),
    (400, error("Output blocked by content filtering policy")),
    (451, error("This image was flagged by our moderation")),
    (403, error("Moderation: input rejected")),
    (400, error("unsafe_image")),
    (400, error("guardrail intervened")),
    (422, error("Request blocked by content safety")),
    (200, error("finish_reason: PROHIBITED_CONTENT")),
    (400, error("系统检测到输入内容可能包含不安全或敏感内容")),
)  # fmt: skip
AWAY: tuple[tuple[int, Any], ...] = (
    (500, {}),
    (503, "<html>Service Unavailable</html>"),
    (503, error("The model is overloaded. Please try again later.", status="UNAVAILABLE")),
    (529, error("Overloaded", type="overloaded_error")),
    (529, error("Overloaded", type="overloaded_error")),
    (524, ""),
    (408, {}),
    (200, error("Upstream error", code=502)),
    (200, error("something")),
    (400, error("Provider returned error", code=400)),
    (400, error("litellm.Timeout: Connection timed out")),
    (400, error("The model is temporarily overloaded, try again later")),
    (503, error("content filter service unavailable")),
    (400, error("The server is busy")),
    (400, error("Model is currently loading")),
    (424, error("Failed dependency")),
    (400, error("image decoder queue full, retry later")),
    (500, error("Failed to load image")),
)
OVER_QUOTA = (
    (429, error("Rate limit reached for images per min")),
    (200, error("Provider returned error", code=429)),
    (500, error("litellm.RateLimitError", code="429")),
    (429, "slow down"),
    (
        429,
        [
            error(
                "You exceeded your current quota, please check your plan and billing details.",
                code=429,
                details=[
                    {
                        "violations": [
                            {"quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"}
                        ]
                    }
                ],
            )
        ],
    ),
    (
        429,
        error(
            "Requests to the ChatCompletions_Create Operation have exceeded call rate limit of "
            "your current OpenAI S0 pricing tier. Please retry after 7 seconds.",
            code="429",
        ),
    ),
    (
        429,
        error(
            "This request would exceed your organization's rate limit of 50 requests per minute",
            type="rate_limit_error",
        ),
    ),
    (403, error("userRateLimitExceeded", status="RESOURCE_EXHAUSTED")),
    (403, error("Quota exceeded for this project")),
    (429, error("Rate limit reached for omni-moderation-latest")),
)
PICTURES: tuple[tuple[int, Any], ...] = (
    (400, error("You uploaded an unsupported image. Please make sure your image is valid.")),
    (400, error("Could not process image", type="invalid_request_error")),
    (400, error("Unable to process input image. Please retry or report")),
    (400, error("Unsupported MIME type: image/jpg")),
    (400, error("cannot identify image file <_io.BytesIO object at 0x7f>")),
    (400, {"error": "Failed to decode image"}),
    (400, error("The image data you provided does not represent a valid image")),
    (400, error("The image length and width do not meet the model restrictions. "
     "[height:1 or width:1 must be larger than 10]")),
    (413, {}),
    (400, error("The image could not be processed: file is truncated")),
    (400, error("The provided image is not a valid JPEG")),
    (400, error("absolute aspect ratio must be smaller than 200")),
    (400, error("image exceeds 5 MB maximum: 6 MB")),
    (400, error("image dimensions exceed max allowed size: 8000 pixels")),
)  # fmt: skip


@pytest.mark.parametrize(("status", "body"), BLIND)
def test_a_model_without_eyes_is_a_settings_fault_and_never_the_pictures(
    status: int, body: Any
) -> None:
    found = judged(status, body)
    assert isinstance(found, ConfigurationError), found
    assert "seer-1 sees no images" in str(found)
    assert "set CAPTION_MODEL" in str(found)


@pytest.mark.parametrize(("status", "body"), SETTINGS)
def test_what_only_a_person_can_change_is_a_setting(status: int, body: Any) -> None:
    assert isinstance(judged(status, body), ConfigurationError)


@pytest.mark.parametrize(("status", "body"), CREDIT)
def test_without_credit_the_next_model_is_asked(status: int, body: Any) -> None:
    found = judged(status, body)
    assert isinstance(found, TransientError), found
    assert found.outage is Outage.NO_CREDIT
    assert "out of quota or credit" in str(found)


def test_a_delay_in_words_counts_where_no_header_names_one() -> None:
    found = judged(429, error("Rate limit reached. Please try again in 7.66s."))
    assert isinstance(found, TransientError)
    assert found.retry_after == 7.66
    named = ACME.answered(429, "seer-1", "Please try again in 7.66s.", 3.0)
    assert isinstance(named, TransientError)
    assert named.retry_after == 3.0


@pytest.mark.parametrize(("status", "body"), REFUSALS)
def test_moderation_is_a_refusal_whatever_its_status(status: int, body: Any) -> None:
    found = judged(status, body)
    assert isinstance(found, Refused), found
    assert found.reason == "blocked"


@pytest.mark.parametrize(("status", "body"), AWAY)
def test_a_servers_own_trouble_passes(status: int, body: Any) -> None:
    found = judged(status, body)
    assert isinstance(found, TransientError), found
    assert found.outage is Outage.AWAY


@pytest.mark.parametrize(("status", "body"), OVER_QUOTA)
def test_too_many_calls_are_a_matter_of_pace(status: int, body: Any) -> None:
    found = judged(status, body)
    assert isinstance(found, TransientError), found
    assert found.outage is Outage.OVER_QUOTA


@pytest.mark.parametrize(("status", "body"), PICTURES)
def test_only_what_is_certainly_the_pictures_fault_ends_it(status: int, body: Any) -> None:
    found = judged(status, body)
    assert isinstance(found, PermanentError), found
    assert found.reason in {"corrupt_image", "too_large"}


def test_the_word_image_alone_makes_nothing_the_pictures_fault() -> None:
    found = judged(400, error("The image_url field of this image request is not understood"))
    assert isinstance(found, ConfigurationError)


def test_every_family_of_the_table_has_bodies_here() -> None:
    bodies = [*BLIND, *SETTINGS, *CREDIT, *REFUSALS, *AWAY, *OVER_QUOTA, *PICTURES]
    words = [error_text(body) for _, body in bodies]
    for family, pattern in _words().items():
        assert any(pattern.search(each) for each in words), family


def test_the_words_of_an_error_are_bounded_and_without_what_was_sent() -> None:
    deep: Any = "x"
    for _ in range(50):
        deep = {"error": [deep, {"message": "y" * 3000, "input": "our prompt"}]}
    found = error_text(deep)
    assert len(found) <= 4000
    assert "our prompt" not in found


def test_a_key_is_masked_and_a_dummy_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_API_KEY", "sk-a-real-secret-1")
    shown = str(judged(500, error("sk-a-real-secret-1 failed at ollama")))
    assert "$ACME_API_KEY failed at ollama" in shown
    for dummy in ("k", "ollama"):
        monkeypatch.setenv("ACME_API_KEY", dummy)
        assert "ollama broke" in str(judged(500, error("ollama broke")))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *[(12, 12), ("12", 12), (3.5, 3), ("3.5", 3), (None, 0), (-1, 0), ("many", 0), ([], 0)],
        *[(float("nan"), 0), (float("inf"), 0), (10**400, 0), ({}, 0)],
    ],
)
def test_a_count_of_tokens_is_read_however_it_is_written(value: Any, expected: int) -> None:
    assert tokens(value) == expected


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        (ConnectionRefusedError(111, "Connection refused"), ": Connection refused"),
        (OSError("http://user:s3cret@proxy"), ""),
        (ValueError("http://user:s3cret@proxy"), ""),
    ],
)
def test_what_the_system_says_of_a_server_that_is_not_reached_is_told(
    cause: Exception, told: str
) -> None:
    error = RuntimeError("http://user:s3cret@proxy")
    error.__cause__ = cause

    assert str(ACME.unreached(error)).endswith(f"understood: RuntimeError{told}")

"""Gemini through google-genai: the developer API with a key, or Vertex AI without one.

The SDK reads its own variables: GEMINI_API_KEY or GOOGLE_API_KEY, GOOGLE_GEMINI_BASE_URL,
GOOGLE_GENAI_USE_ENTERPRISE with GOOGLE_CLOUD_PROJECT and GOOGLE_CLOUD_LOCATION.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import google.auth.exceptions
import httpx2
from google import genai
from google.genai import errors, types

from functions.captioners.spliced import Splicing, headers
from functions.domain import Accepts, Answer, Picture, Prompt
from functions.errors import CaptionError, ConfigurationError, PermanentError, TransientError

# "Supported image formats", Gemini API documentation; a request ends at 20 MB, base64 included.
ACCEPTS = Accepts(
    types=frozenset({"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"}),
    max_bytes=14 * 2**20,
    max_side=8192,
)
_CONNECTIONS = 100
_MAX_OUTPUT_TOKENS = 2048
_RETRYABLE = frozenset({408, 409, 425, 429, 499})
# Finish reasons that are a refusal of this image; with any other, what there is of a reply
# is read, and asked for once more if it cannot be.
_REFUSALS = frozenset(
    {
        "SAFETY",
        "RECITATION",
        "PROHIBITED_CONTENT",
        "SPII",
        "BLOCKLIST",
        "MODEL_ARMOR",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
    }
)
_UNREADABLE = re.compile(r"image", re.IGNORECASE)


class GeminiCaptioner:
    """A Captioner on ``generateContent``. One call an answer: no retries of its own."""

    accepts = ACCEPTS

    def __init__(self, model: str, timeout_seconds: float) -> None:
        self.model = f"gemini:{model}"
        self._name = model
        limits = httpx2.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS)
        # One set of certificates for all of the SDK's clients: each takes 20 ms to load.
        trust = httpx2.create_ssl_context()
        self._splicing = Splicing(httpx2.HTTPTransport(limits=limits, verify=trust))
        self._timeout = round(timeout_seconds * 1000)
        self._client = genai.Client(
            http_options=types.HttpOptions(
                timeout=self._timeout,
                client_args={"transport": self._splicing, "verify": trust},
                async_client_args={"ssl": trust},
            )
        )

    def describe(self, picture: Picture, prompt: Prompt) -> Answer:
        placeholder = self._splicing.placeholder(picture)
        try:
            response = self._client.models.generate_content(
                model=self._name,
                contents=types.Content(
                    role="user",
                    parts=[
                        types.Part.from_bytes(data=placeholder, mime_type=picture.mime_type),
                        types.Part.from_text(text=prompt.user),
                    ],
                ),
                config=types.GenerateContentConfig(
                    system_instruction=prompt.system,
                    response_mime_type="application/json",
                    response_json_schema=prompt.schema,
                    max_output_tokens=_MAX_OUTPUT_TOKENS,
                    http_options=types.HttpOptions(
                        timeout=self._timeout, headers=headers(placeholder)
                    ),
                ),
            )
        except Exception as error:
            raise _translated(error, self._name) from error
        finally:
            self._splicing.forget(placeholder)
        return _answer(response)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        self._splicing.close()


def _answer(response: types.GenerateContentResponse) -> Answer:
    feedback = response.prompt_feedback
    candidate = response.candidates[0] if response.candidates else None
    finish = _word(candidate.finish_reason) if candidate else ""
    blocked = _word(feedback.block_reason) if feedback else ""
    text = "".join(
        part.text
        for part in (candidate.content.parts if candidate and candidate.content else None) or ()
        if part.text and not part.thought
    )
    used = response.usage_metadata
    return Answer(
        text=text,
        blocked=blocked or (finish if finish in _REFUSALS else ""),
        truncated=finish == "MAX_TOKENS",
        model_version=response.model_version or "",
        input_tokens=(used.prompt_token_count or 0) if used else 0,
        output_tokens=(
            (used.candidates_token_count or 0) + (used.thoughts_token_count or 0) if used else 0
        ),
    )


def _word(value: Any) -> str:
    return str(getattr(value, "value", value) or "")


def _translated(error: Exception, model: str) -> CaptionError:
    """What an error of the SDK means for the event."""
    if isinstance(error, errors.APIError):
        return _translated_answer(error, model)
    if isinstance(error, google.auth.exceptions.GoogleAuthError):
        return ConfigurationError(
            "no credentials for Gemini: set GEMINI_API_KEY, or grant the function's service "
            "account roles/aiplatform.user and set GOOGLE_GENAI_USE_ENTERPRISE=true"
        )
    if isinstance(error, httpx2.TimeoutException):
        return TransientError("Gemini did not answer within CAPTION_TIMEOUT_SECONDS")
    return TransientError(f"Gemini could not be reached or understood: {type(error).__name__}")


def _translated_answer(error: errors.APIError, model: str) -> CaptionError:
    details = _details(error.details)
    reasons = {each.get("reason") for each in details}
    message = str(error.message or "")[:300]
    if error.code == 429 or error.code >= 500 or error.code in _RETRYABLE:
        return TransientError(
            f"Gemini answered {error.code} {error.status}", _delay(error, details)
        )
    if error.code == 401 or error.code == 403 or "API_KEY_INVALID" in reasons:
        return ConfigurationError(
            "Gemini refuses the key: set GEMINI_API_KEY to a valid one that may use this model"
        )
    if error.code == 404:
        return ConfigurationError(f"Gemini knows no model {model}: set CAPTION_MODEL to another")
    if error.code in {400, 413} and _UNREADABLE.search(message):
        return PermanentError(
            "corrupt_image",
            f"Gemini cannot read this image: {message}. Save it anew as JPEG or PNG.",
        )
    return ConfigurationError(
        f"Gemini does not take the request ({error.code} {error.status}: {message}); "
        "check CAPTION_MODEL, GOOGLE_GEMINI_BASE_URL and the model's regions"
    )


def _details(body: Any) -> list[Mapping[str, Any]]:
    """The error details in a body that may be wrapped in a list."""
    if isinstance(body, list):
        body = body[0] if body else {}
    error = body.get("error", body) if isinstance(body, Mapping) else {}
    details = error.get("details") if isinstance(error, Mapping) else None
    return [each for each in details or () if isinstance(each, Mapping)]


def _delay(error: errors.APIError, details: list[Mapping[str, Any]]) -> float | None:
    """Seconds to wait: ``RetryInfo.retryDelay``, or else ``Retry-After``."""
    asked = next((str(each["retryDelay"]) for each in details if "retryDelay" in each), "")
    header = getattr(error.response, "headers", {}).get("retry-after", "")
    try:
        return float(asked.removesuffix("s") or header)
    except ValueError:
        return None

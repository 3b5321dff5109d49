"""Gemini through google-genai: the developer API with a key, or Vertex AI without one.

The SDK reads its own variables: GEMINI_API_KEY or GOOGLE_API_KEY, GOOGLE_GEMINI_BASE_URL,
GOOGLE_GENAI_USE_ENTERPRISE with GOOGLE_CLOUD_PROJECT and GOOGLE_CLOUD_LOCATION.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import google.auth.exceptions
import httpx2
from google import genai
from google.genai import errors, types

from functions.captioners.faults import Service, seconds
from functions.captioners.spliced import Splicing, headers, pool
from functions.domain import Accepts, Answer, Picture, Prompt
from functions.errors import CaptionError, ConfigurationError

# "Supported image formats", Gemini API documentation; a request ends at 20 MB, base64 included.
ACCEPTS = Accepts(
    types=frozenset({"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"}),
    max_bytes=14 * 2**20,
    max_side=8192,
)
_MAX_OUTPUT_TOKENS = 2048
_KEYS = ("GEMINI_API_KEY", "GOOGLE_API_KEY")
_GEMINI = Service(
    "Gemini", "set GEMINI_API_KEY to a valid one that may use it", "GOOGLE_GEMINI_BASE_URL", _KEYS
)
_VERTEX = Service(
    "Vertex AI",
    "grant its service account roles/aiplatform.user in GOOGLE_CLOUD_PROJECT and enable the API "
    "aiplatform.googleapis.com there",
    "GOOGLE_CLOUD_LOCATION",
    _KEYS,
)
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


class GeminiCaptioner:
    """A Captioner on ``generateContent``. One call an answer: no retries of its own."""

    accepts = ACCEPTS

    def __init__(self, model: str, timeout_seconds: float) -> None:
        self.model = f"gemini:{model}"
        self._name = model
        # One set of certificates for all of the SDK's clients: each takes 20 ms to load.
        trust = httpx2.create_ssl_context()
        self._splicing = Splicing(pool(trust))
        self._timeout = round(timeout_seconds * 1000)
        options = types.HttpOptions(
            timeout=self._timeout,
            client_args={"transport": self._splicing, "verify": trust},
            async_client_args={"ssl": trust},
        )
        try:
            self._client = genai.Client(http_options=options, **_enterprise())
        except (google.auth.exceptions.GoogleAuthError, ValueError) as error:
            raise _no_credentials() from error
        self._service = _VERTEX if self._client.vertexai else _GEMINI

    def describe(self, picture: Picture, prompt: Prompt) -> Answer:
        with self._splicing.placeholder(picture) as placeholder:
            try:
                with self._service.asked(
                    errors.APIError,
                    google.auth.exceptions.GoogleAuthError,
                    late=httpx2.TimeoutException,
                ):
                    return _answer(self._ask(picture.mime_type, placeholder, prompt))
            except errors.APIError as error:
                raise _refused(error, self._service, self._name) from None
            except google.auth.exceptions.TransportError as error:
                raise self._service.unreached(error) from error
            except google.auth.exceptions.GoogleAuthError as error:
                raise _no_credentials() from error

    def _ask(
        self, mime_type: str, placeholder: bytes, prompt: Prompt
    ) -> types.GenerateContentResponse:
        return self._client.models.generate_content(
            model=self._name,
            contents=types.Content(
                role="user",
                parts=[
                    types.Part.from_bytes(data=placeholder, mime_type=mime_type),
                    types.Part.from_text(text=prompt.user),
                ],
            ),
            config=types.GenerateContentConfig(
                system_instruction=prompt.system,
                response_mime_type="application/json",
                response_json_schema=prompt.schema,
                max_output_tokens=_MAX_OUTPUT_TOKENS,
                http_options=types.HttpOptions(timeout=self._timeout, headers=headers(placeholder)),
            ),
        )

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()
        self._splicing.close()


def _enterprise() -> dict[str, Any]:
    """What makes the SDK ask Vertex AI, if the environment says so. The SDK reads the same
    variables, but forgets the project where GOOGLE_VERTEX_BASE_URL names another endpoint."""
    if os.environ.get("GOOGLE_GENAI_USE_ENTERPRISE", "").lower() not in {"true", "1"}:
        return {}
    return {
        "enterprise": True,
        "project": os.environ.get("GOOGLE_CLOUD_PROJECT") or None,
        "location": os.environ.get("GOOGLE_CLOUD_LOCATION") or None,
    }


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


def _no_credentials() -> ConfigurationError:
    return ConfigurationError(
        "no credentials for Gemini: set GEMINI_API_KEY, or grant the function's service "
        "account roles/aiplatform.user and set GOOGLE_GENAI_USE_ENTERPRISE=true and "
        "GOOGLE_CLOUD_PROJECT"
    )


def _refused(error: errors.APIError, service: Service, model: str) -> CaptionError:
    """What an answer that is an error means for the event."""
    details = _details(error.details)
    wrong_key = any(each.get("reason") == "API_KEY_INVALID" for each in details)
    said = f"{error.status}: {error.message}"
    return service.answered(error.code, model, said, _delay(error, details), wrong_key)


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
    headers = getattr(error.response, "headers", {})
    return seconds({"retry-after": asked.removesuffix("s")} if asked else headers)

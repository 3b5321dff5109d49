"""What a Gemini captioner and embedder share: the SDK's client, and what its faults mean.

The SDK reads its own variables: GEMINI_API_KEY or GOOGLE_API_KEY, GOOGLE_GEMINI_BASE_URL,
GOOGLE_GENAI_USE_ENTERPRISE with GOOGLE_CLOUD_PROJECT and GOOGLE_CLOUD_LOCATION.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import google.auth.exceptions
import httpx2
from google import genai
from google.genai import errors, types

from functions.adapters import answer_bodies
from functions.adapters.negotiation import AskDifferently
from functions.adapters.picture_transport import PictureTransport, headers, pool, trust
from functions.adapters.rate_limits import delay
from functions.adapters.vendor_errors import VendorErrors
from functions.core.document import Picture
from functions.core.errors import CaptionError, ConfigurationError

_KEYS = ("GEMINI_API_KEY", "GOOGLE_API_KEY")
_GEMINI = VendorErrors(
    "Gemini", "set GEMINI_API_KEY to a valid one that may use it", "GOOGLE_GEMINI_BASE_URL", _KEYS
)
_VERTEX = VendorErrors(
    "Vertex AI",
    "grant its service account roles/aiplatform.user in GOOGLE_CLOUD_PROJECT and enable the API "
    "aiplatform.googleapis.com there",
    "GOOGLE_CLOUD_LOCATION",
    _KEYS,
)


class _Unsearched:
    """The SDK asks ``name in`` a model for each field that it may have, which looks through all of
    them to find nothing, a fifth of a call's processor time; then it takes the attribute."""

    def __contains__(self, name: object) -> bool:
        return False


class Part(_Unsearched, types.Part):
    """A part of a request."""


class Content(_Unsearched, types.Content):
    """The parts of a request."""


class Config(_Unsearched, types.GenerateContentConfig):
    """How a request is to be answered."""


class Connection:
    """A client of the developer API with a key, or of Vertex AI without one; no retries.

    ``setting`` is the variable that names the model, ``bound`` what bounds a call's time, both
    as messages say it.
    """

    def __init__(
        self,
        timeout_seconds: float,
        setting: str = "CAPTION_MODEL",
        bound: str = "CAPTION_TIMEOUT_SECONDS",
    ) -> None:
        self._transport = PictureTransport(pool())
        self._timeout = round(timeout_seconds * 1000)
        options = types.HttpOptions(
            timeout=self._timeout,
            client_args={
                "transport": self._transport,
                "verify": trust(),
                "default_encoding": answer_bodies.encoding,
            },
            # Nobody uses it; a proxy of the environment that it cannot is no fault of ours.
            async_client_args={"ssl": trust(), "trust_env": False},
        )
        try:
            self._client = genai.Client(http_options=options, **_access())
        except (google.auth.exceptions.GoogleAuthError, ValueError) as error:
            raise _no_credentials() from error
        service = _VERTEX if self._client.vertexai else _GEMINI
        self.service = replace(service, setting=setting, bound=bound)
        self.models = self._client.models

    @contextmanager
    def sending(self, picture: Picture | None) -> Iterator[tuple[list[Part], types.HttpOptions]]:
        """The part, if there is a picture, and the options of a request that ``picture`` joins on
        its way out."""
        with self._transport.placeholder(picture) as placeholder:
            image = []
            if picture:
                inline = types.Blob(data=placeholder, mime_type=picture.mime_type)
                image = [Part(inline_data=inline)]
            yield image, types.HttpOptions(timeout=self._timeout, headers=headers(placeholder))

    @contextmanager
    def translating(
        self, model: str, declined: Callable[[int, str], bool] = lambda status, words: False
    ) -> Iterator[None]:
        """A call in which the SDK's errors become ours; AskDifferently for those that are
        ``declined`` by their status and words."""
        try:
            with self.service.translating(
                errors.APIError,
                google.auth.exceptions.GoogleAuthError,
                CaptionError,
                late=httpx2.TimeoutException,
            ):
                yield
        except errors.APIError as error:
            fault = _refused(error, self.service, model)
            if declined(error.code, f"{error.status}: {error.message}"):
                raise AskDifferently(str(fault)) from None
            raise fault from None
        except google.auth.exceptions.TransportError as error:
            raise self.service.unreached(error) from error
        except google.auth.exceptions.GoogleAuthError as error:
            raise _no_credentials() from error

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()
        self._transport.close()


def _access() -> dict[str, Any]:
    """What the SDK would read of the environment by itself, but for what it makes of it: a line
    break after a key fits no header, and where GOOGLE_VERTEX_BASE_URL names another endpoint the
    project is forgotten."""
    if os.environ.get("GOOGLE_GENAI_USE_ENTERPRISE", "").strip().lower() in {"true", "1"}:
        return {
            "enterprise": True,
            "project": os.environ.get("GOOGLE_CLOUD_PROJECT") or None,
            "location": os.environ.get("GOOGLE_CLOUD_LOCATION") or None,
        }
    key = os.environ.get("GOOGLE_API_KEY") or os.environ.get("GEMINI_API_KEY") or ""
    return {"api_key": key.strip()} if key != key.strip() else {}


def _no_credentials() -> ConfigurationError:
    return ConfigurationError(
        "no credentials for Gemini: set GEMINI_API_KEY, or grant the function's service "
        "account roles/aiplatform.user and set GOOGLE_GENAI_USE_ENTERPRISE=true and "
        "GOOGLE_CLOUD_PROJECT"
    )


def _refused(error: errors.APIError, service: VendorErrors, model: str) -> CaptionError:
    """What an answer that is an error means for the event."""
    details = _details(error.details)
    wrong_key = any(each.get("reason") == "API_KEY_INVALID" for each in details)
    text = ": ".join(filter(None, (str(error.status), _quotas(details), str(error.message))))
    fault = service.answered(error.code, model, text, _delay(error, details), wrong_key)
    if error.code == 404 and "API version" in text:
        return ConfigurationError(
            f"{fault}. Aliases like gemini-flash-latest are on another version of the API: set "
            "GOOGLE_GENAI_API_VERSION=v1beta for them"
        )
    return fault


def _details(body: Any) -> list[Mapping[str, Any]]:
    """The error details in a body that may be wrapped in a list."""
    if isinstance(body, list):
        body = body[0] if body else {}
    error = body.get("error", body) if isinstance(body, Mapping) else {}
    details = error.get("details") if isinstance(error, Mapping) else None
    return [each for each in details or () if isinstance(each, Mapping)]


def _delay(error: errors.APIError, details: list[Mapping[str, Any]]) -> float | None:
    """Seconds to wait: ``RetryInfo.retryDelay``, or else ``Retry-After``."""
    told = next((str(each["retryDelay"]) for each in details if "retryDelay" in each), "")
    return delay({"retry-after": told} if told else getattr(error.response, "headers", {}))


def _quotas(details: list[Mapping[str, Any]]) -> str:
    """The names of the quotas that are exceeded: some are those of a day, whatever delay is told
    beside."""
    found = [each.get("violations") for each in details]
    violations = [each for some in found if isinstance(some, list) for each in some]
    names = [str(each.get("quotaId") or "") for each in violations if isinstance(each, Mapping)]
    return ", ".join(filter(None, dict.fromkeys(names)))

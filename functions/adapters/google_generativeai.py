"""Gemini through google-generativeai 0.8, the SDK before google-genai.

Its support ended in 2025, and it cannot be installed beside the current Firestore client: the
versions that fit together are in locks/google-generativeai.lock. Over
REST, as a call over gRPC cannot be pointed at another endpoint without TLS, and without its
retries, which ignore the timeout (119 calls in ten minutes on a lasting 503).
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests.exceptions
from google.api_core import exceptions

from functions.adapters.rate_limits import delay
from functions.adapters.vendor_errors import Refused, VendorErrors, tokens
from functions.core.document import Accepts, Answer, Picture, Prompt
from functions.core.errors import CaptionError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it says on import that its support has ended
    import google.generativeai as genai

ACCEPTS = Accepts(
    frozenset({"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"}),
    14 * 2**20,
    8192,
)
_MAX_OUTPUT_TOKENS = 2048
_CALLS = 100
_KEYS = ("GOOGLE_API_KEY", "GEMINI_API_KEY")
_SERVICE = VendorErrors(
    "Gemini",
    "set GEMINI_API_KEY to a valid one that may use it",
    "GOOGLE_GEMINI_BASE_URL",
    _KEYS,
)
# Finish reasons that are a refusal of this image.
_REFUSALS = frozenset({"SAFETY", "RECITATION", "PROHIBITED_CONTENT", "SPII", "BLOCKLIST"})


class GoogleGenerativeAICaptioner:
    """A Captioner on the old SDK's ``generate_content``."""

    accepts = ACCEPTS

    def __init__(self, model: str, timeout_seconds: float) -> None:
        self.model = f"google-generativeai:{model}"
        self._name, self._timeout = model, timeout_seconds
        endpoint = os.environ.get("GOOGLE_GEMINI_BASE_URL")
        genai.configure(
            api_key=next(filter(None, (os.environ.get(key, "").strip() for key in _KEYS)), None),
            transport="rest",
            client_options={"api_endpoint": endpoint} if endpoint else None,
        )
        # Its timeout bounds each read of an answer; waiting for a thread bounds the whole.
        self._calls = ThreadPoolExecutor(_CALLS, "generativeai")

    def describe(self, picture: Picture | None, prompt: Prompt) -> Answer:
        call = self._calls.submit(self._ask, picture, prompt)
        try:
            return _answer(call.result(self._timeout))
        except exceptions.GoogleAPICallError as error:
            fault = _refused(error, self._name)
            if isinstance(fault, Refused):
                return Answer("", blocked=fault.why)
            raise fault from None
        except CaptionError:
            raise
        except (TimeoutError, requests.exceptions.Timeout, exceptions.RetryError) as error:
            raise _SERVICE.late() from error
        except Exception as error:
            raise _SERVICE.unreached(error) from error
        finally:
            if picture:
                picture.release()

    def _ask(self, picture: Picture | None, prompt: Prompt) -> Any:
        # Its schemas are a dialect without additionalProperties; the prompt carries ours instead.
        system = (
            f"{prompt.system}\nReply with one JSON object, valid by this JSON Schema:\n"
            f"{json.dumps(prompt.schema)}"
        )
        model = genai.GenerativeModel(self._name, system_instruction=system)
        image = [{"mime_type": picture.mime_type, "data": picture.data}] if picture else []
        return model.generate_content(
            [*image, prompt.user],
            generation_config={
                "response_mime_type": "application/json",
                "max_output_tokens": prompt.max_output_tokens or _MAX_OUTPUT_TOKENS,
            },
            request_options={"timeout": self._timeout, "retry": None},
        )

    def close(self) -> None:
        """Start no more calls."""
        self._calls.shutdown(wait=False)


def _answer(response: Any) -> Answer:
    candidate = response.candidates[0] if response.candidates else None
    blocked = response.prompt_feedback.block_reason
    if candidate is None and not blocked:
        raise _SERVICE.unusable("no candidates")
    finish = getattr(candidate.finish_reason, "name", "") if candidate else ""
    used = response.usage_metadata
    return Answer(
        text="".join(part.text for part in candidate.content.parts) if candidate else "",
        blocked=blocked.name if blocked else finish if finish in _REFUSALS else "",
        truncated=finish == "MAX_TOKENS",
        model_version=response._result.model_version,
        input_tokens=tokens(used.prompt_token_count),
        output_tokens=tokens(used.candidates_token_count),
    )


def _refused(error: exceptions.GoogleAPICallError, model: str) -> CaptionError:
    """What an answer that is an error means for the event."""
    details = [each for each in error.details if isinstance(each, Mapping)]
    wrong_key = any(each.get("reason") == "API_KEY_INVALID" for each in details)
    retry_delay = next((str(each["retryDelay"]) for each in details if "retryDelay" in each), "")
    headers = getattr(error.response, "headers", None) or {}
    told = delay({"retry-after": retry_delay} if retry_delay else headers)
    text = error.message.partition(": ")[2]  # without the address that was asked
    quotas = [str(v.get("quotaId", "")) for each in details for v in each.get("violations", ())]
    text = ": ".join(filter(None, (", ".join(dict.fromkeys(quotas)), text)))
    return _SERVICE.answered(int(error.code or 0), model, text, told, wrong_key)

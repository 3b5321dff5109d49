"""What a provider's fault means for the event: one table for all providers.

::

    408 409 425 429 499 5xx, no credit, no answer   TransientError, with the delay asked for
    401 403, a wrong key                            ConfigurationError: the key
    404, a model that sees no images                ConfigurationError: CAPTION_MODEL
    413, 400 about the image                        PermanentError
    any other                                       ConfigurationError: model and endpoint
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from functions.core.errors import CaptionError, ConfigurationError, PermanentError, TransientError

_DAY = 86400.0
_RETRYABLE = frozenset({408, 409, 425, 429, 499})
_IMAGE = re.compile(r"image", re.IGNORECASE)
_CREDIT = re.compile(r"credit balance|insufficient_quota|billing", re.IGNORECASE)
# What OpenAI, vLLM, llama.cpp and Ollama say of a model that reads text only.
_BLIND = re.compile(
    r"image_url is only supported|image input is not supported|does not support image"
    r"|not a multimodal|required for image input",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class VendorErrors:
    """A provider as messages name it. ``access`` is what to do where it lets nobody in,
    ``endpoint`` the variable of its address, ``keys`` those that must not be seen, ``setting``
    the variable of the model, ``bound`` what bounds a call's time."""

    name: str
    access: str
    endpoint: str
    keys: tuple[str, ...]
    setting: str = "CAPTION_MODEL"
    bound: str = "CAPTION_TIMEOUT_SECONDS"

    def answered(
        self,
        status: int,
        model: str,
        message: str,
        retry_after: float | None = None,
        wrong_key: bool = False,
    ) -> CaptionError:
        """What an HTTP error is; ``message`` is the provider's own."""
        said = self._without_keys(message)[:300]
        if _BLIND.search(said):
            return ConfigurationError(
                f"{self.name}'s {model} sees no images ({said}); set {self.setting} to one "
                "that does"
            )
        if status in {400, 402, 403, 429} and _CREDIT.search(said):
            return TransientError(
                f"{self.name} answered {status}: the account is out of quota or credit; "
                "raise it with the provider, or wait",
                retry_after,
            )
        if status in _RETRYABLE or status >= 500:
            return TransientError(f"{self.name} answered {status}: {said}", retry_after)
        if status in {401, 403} or wrong_key:
            return ConfigurationError(
                f"{self.name} does not let this function use {model}: {self.access}"
            )
        if status == 404:
            return ConfigurationError(
                f"{self.name} knows no model {model}: set {self.setting} to another, or check "
                f"{self.endpoint}"
            )
        if status == 413:
            return PermanentError(
                "too_large", f"{self.name} does not take a request this large; store it smaller."
            )
        if status in {400, 422} and _IMAGE.search(said):
            return PermanentError(
                "corrupt_image",
                f"{self.name} cannot read this image: {said}. Save it anew as JPEG or PNG.",
            )
        return ConfigurationError(
            f"{self.name} does not take the request ({status}: {said}); check {self.setting}, "
            f"{self.endpoint} and the model's regions"
        )

    @contextmanager
    def asked(self, *answered: type[Exception], late: type[Exception]) -> Iterator[None]:
        """A call in which no answer, or one that makes no sense, is raised as a TransientError.

        ``answered`` are the SDK's errors that say more than that and are left to the caller;
        ``late`` is its error for an answer that took too long.
        """
        try:
            yield
        except answered:
            raise
        except late as error:
            raise self.late() from error
        except Exception as error:
            raise self.unreached(error.__cause__ or error) from error

    def late(self) -> TransientError:
        """No whole answer in time."""
        return TransientError(f"{self.name} did not answer within {self.bound}")

    def unreached(self, error: BaseException) -> TransientError:
        """No answer, or none that makes sense."""
        return TransientError(
            f"{self.name} could not be reached or understood: {type(error).__name__}"
        )

    def _without_keys(self, message: str) -> str:
        """Some servers repeat the key in their answer."""
        for name in self.keys:
            if value := os.environ.get(name):
                message = message.replace(value, f"${name}")
        return message


def seconds(headers: Mapping[str, str]) -> float | None:
    """The delay in seconds that ``Retry-After`` asks for, a day at most; None if it names none,
    or a date."""
    try:
        delay = float(headers.get("retry-after", ""))
    except ValueError:
        return None
    return min(delay, _DAY) if delay >= 0 else None

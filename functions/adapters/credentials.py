"""Who it is that Google Cloud is asked as, and what stands in the way where it gives no answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.api_core.exceptions import GoogleAPICallError

from functions.core.errors import CaptionError, ConfigurationError, TransientError

_LONGEST = 200


def account(credentials: Any) -> str:
    """Whom to grant a role: the service account by its address, or a person's own login."""
    address = getattr(credentials, "service_account_email", None)
    if address and address != "default":
        return f"the service account {address}"
    if address:
        return "the function's service account"
    return "your login (`gcloud auth application-default login`)"


def unanswered(service: str, error: BaseException, emulator: str = "") -> CaptionError:
    """What it is that a service gave no answer: a login that has run out, or what may pass. Under
    a client's retries lies what the system, or the service, has said."""
    beneath = list(_beneath(error))
    if any("invalid_grant" in str(each.args) for each in beneath):
        return ConfigurationError(
            "Google does not take this login: run `gcloud auth application-default login`, or "
            "name another file in GOOGLE_APPLICATION_CREDENTIALS"
        )
    said = next((f": {words[:_LONGEST]}" for words in map(_said, beneath) if words), "")
    return TransientError(f"{service} is unavailable: {type(error).__name__}{said}{emulator}")


def _said(error: BaseException) -> str:
    words = error.message if isinstance(error, GoogleAPICallError) else None
    return str(words or (isinstance(error, OSError) and error.strerror) or "")


def _beneath(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = getattr(error, "cause", None) or error.__cause__ or error.__context__

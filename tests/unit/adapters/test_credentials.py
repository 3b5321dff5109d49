"""What it means that a service of Google's gave no answer."""

from __future__ import annotations

import pytest
from google.api_core.exceptions import RetryError, ServiceUnavailable
from google.auth.exceptions import RefreshError, TransportError

from functions.adapters.credentials import unanswered
from functions.core.errors import ConfigurationError, TransientError

RUN_OUT = "('invalid_grant: Bad Request', {'error_subtype': 'invalid_rapt'})"


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        RefreshError("invalid_grant: Bad Request", {"error": "invalid_grant"}),
        ServiceUnavailable(f"Getting metadata from plugin failed with error: {RUN_OUT}"),
        RetryError("late", ServiceUnavailable(f"Getting metadata from plugin failed: {RUN_OUT}")),
    ],
)
def test_a_login_that_has_run_out_is_told_with_the_command_that_renews_it(error: Exception) -> None:
    found = unanswered("Firestore", error)

    assert isinstance(found, ConfigurationError)
    assert "gcloud auth application-default login" in str(found)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RetryError("late", ServiceUnavailable("no host")), "RetryError: no host; start it"),
        (
            RetryError("l", caused(TransportError("x"), ConnectionRefusedError(111, "refused"))),
            "RetryError: refused; start it",
        ),
        (RetryError("late", TransportError("metadata")), "RetryError; start it"),
    ],
)
def test_what_lies_under_a_clients_retries_is_told(error: Exception, told: str) -> None:
    found = unanswered("Firestore", error, "; start it")

    assert isinstance(found, TransientError)
    assert str(found) == f"Firestore is unavailable: {told}"

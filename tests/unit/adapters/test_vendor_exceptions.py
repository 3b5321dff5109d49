"""Every exception class of the pinned SDKs has a family: a new one in a new version fails here.

Those that carry an answer are judged by it; the others say that there was none, which passes,
but for the few that tell of an address or a key with which no request can be made.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from types import SimpleNamespace
from typing import Any, cast

import google.auth.exceptions
import httpx2
import pytest
import requests
from google.api_core import exceptions as api_core
from google.genai import errors as genai

from functions.adapters.firestore import _translating
from functions.adapters.gcs import CloudStorageImages
from functions.adapters.google_genai import Connection
from functions.adapters.vendor_errors import VendorErrors
from functions.core.errors import (
    CaptionError,
    ConfigurationError,
    Outage,
    PermanentError,
    TransientError,
)

ACME = VendorErrors("Acme", "set ACME_API_KEY", "ACME_BASE_URL", ("ACME_API_KEY",))
ADDRESS = {
    *("InvalidProxyURL", "InvalidSchema", "InvalidURL", "MissingSchema", "URLRequired"),
    "UnsupportedProtocol",
}
CREDENTIALS = {
    *("CredentialsError", "IdentityTokenFileError", "InvalidHeader", "LocalProtocolError"),
    *("MissingDependencyError", "MutuallyExclusiveAuthError"),
    *("SubjectTokenProviderError", "WorkloadIdentityError"),
}
# What stands for no answer, or for one that makes no sense: it may be better the next time.
PASSING = {
    *("APIConnectionError", "APIError", "APIRemovedInV1", "APIResponseValidationError"),
    *("APITimeoutError", "APIWebhookValidationError", "AnthropicError", "CloseError"),
    *("ConnectError", "ConnectTimeout", "ContentFilterFinishReasonError", "CookieConflict"),
    *("DecodingError", "HTTPError", "HTTPStatusError", "LengthFinishReasonError", "NetworkError"),
    *("OpenAIError", "PoolTimeout", "ProtocolError", "ProxyError", "ReadError", "ReadTimeout"),
    *("RemoteProtocolError", "RequestError", "RequestNotRead", "ResponseNotRead", "SSEError"),
    *("RetryableError", "StreamAlreadyConsumed", "StreamClosed", "StreamConsumed", "StreamError"),
    *("TimeoutException", "TooManyRedirects", "ToolsetClosedError", "ToolsetConfigError"),
    *("ToolsetContractError", "ToolsetUsageError", "ToolsetsFixedError", "TransportError"),
    *("WebSocketConnectionClosedError", "WebSocketQueueFullError", "WriteError", "WriteTimeout"),
    "_AmbiguousModuleClientUsageError",
    # google-genai
    *("ContinuationInterruptedError", "FunctionInvocationError", "UnknownApiResponseError"),
    *("UnknownFunctionCallArgumentError", "UnsupportedFunctionError"),
    # requests
    *("ChunkedEncodingError", "ConnectionError", "ContentDecodingError", "InvalidJSONError"),
    *("JSONDecodeError", "RequestException", "RetryError", "SSLError", "StreamConsumedError"),
    *("Timeout", "UnrewindableBodyError"),
}


def below(*roots: type[BaseException]) -> list[type[BaseException]]:
    """The classes that derive from ``roots``, and those themselves."""

    def walk(each: type[BaseException]) -> Iterator[type[BaseException]]:
        yield each
        for inner in each.__subclasses__():
            yield from walk(inner)

    return list(dict.fromkeys(each for root in roots for each in walk(root)))


def name(kind: type[BaseException]) -> str:
    return f"{kind.__module__}.{kind.__name__}"


def without_answer() -> list[type[BaseException]]:
    import anthropic  # here, as those of OpenAI's: they take a second
    import openai

    every = below(
        *(openai.OpenAIError, anthropic.AnthropicError, httpx2.HTTPError, httpx2.StreamError),
        *(httpx2.InvalidURL, httpx2.CookieConflict, requests.RequestException),
        *(
            kind
            for _, kind in inspect.getmembers(genai, inspect.isclass)
            if issubclass(kind, Exception) and not issubclass(kind, genai.APIError | Warning)
        ),
    )
    return [each for each in every if each not in with_answer()]


def with_answer() -> list[type[BaseException]]:
    import anthropic
    import openai

    return below(openai.APIStatusError, anthropic.APIStatusError)


# What stores answer to their callers as it is, to be told as Gone or Stale there.
ANSWERS = (
    *(api_core.AlreadyExists, api_core.FailedPrecondition, api_core.NotFound),
    *(api_core.PreconditionFailed, api_core.RequestRangeNotSatisfiable),
)


def family(kind: type[BaseException], within: AbstractContextManager[None]) -> type[BaseException]:
    """What an exception of this class becomes in a block of an adapter."""
    error = kind.__new__(kind)
    if issubclass(kind, api_core.GoogleAPICallError):
        error = kind("words")
    try:
        with within:
            raise error
    except BaseException as found:
        return type(found)


def test_an_error_without_an_answer_has_a_family() -> None:
    kinds = without_answer()
    assert len(kinds) > 60
    known = {each: ConfigurationError for each in ADDRESS | CREDENTIALS} | {
        each: TransientError for each in PASSING
    }
    late: Any = httpx2.TimeoutException
    found = {name(each): family(each, ACME.translating(late=late)) for each in kinds}
    assert found == {name(each): known.get(each.__name__) for each in kinds}
    assert known.keys() == {each.__name__ for each in kinds}, "classes that are gone"


def test_a_wrong_address_names_its_variable() -> None:
    late: Any = httpx2.TimeoutException
    with (
        pytest.raises(ConfigurationError, match="ACME_BASE_URL is no address"),
        ACME.translating(late=late),
    ):
        raise httpx2.UnsupportedProtocol("Request URL is missing an 'http://' protocol.")


def answer(kind: type[BaseException]) -> tuple[int, str]:
    """The status and the code of the answers that an SDK raises as this class."""
    status, code = 0, ""
    for each in kind.__mro__:
        found = inspect.get_annotations(each) if each.__module__ != "builtins" else {}
        code = code or "".join(re.findall(r'"(\w+)"', str(found.get("error_code", ""))))
        numbers = re.findall(r"\d{3}", str(found.get("status_code", "")))
        status = status or (int(numbers[0]) if numbers else 0)
    return status or 400, code


def test_an_error_with_an_answer_is_judged_by_it() -> None:
    assert len(with_answer()) > 100
    for kind in with_answer():
        status, code = answer(kind)
        found = ACME.answered(status, "seer-1", f"invalid_request_error, {code}: words")
        where = (name(kind), status, code, found)
        if status == 413 or code == "image_dimensions_too_large":
            assert isinstance(found, PermanentError), where
        elif "spend_limit" in code or status in {402, 408, 409, 429, 499} or status >= 500:
            assert isinstance(found, TransientError), where
        else:
            assert not isinstance(found, PermanentError), where


def test_an_account_on_hold_is_a_setting_and_spending_is_credit() -> None:
    assert isinstance(ACME.answered(400, "m", "organization_on_hold: x"), ConfigurationError)
    spent = ACME.answered(400, "m", "enforced_spend_limit_reached: x")
    assert isinstance(spent, TransientError)
    assert spent.outage is Outage.NO_CREDIT


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    monkeypatch.setenv("GEMINI_API_KEY", "k")
    made = Connection(1)
    yield made
    made.close()


def test_an_error_of_googles_credentials_has_a_family(connection: Connection) -> None:
    for kind in below(google.auth.exceptions.GoogleAuthError):
        passes = issubclass(kind, google.auth.exceptions.TransportError)
        expected = TransientError if passes else ConfigurationError
        assert family(kind, connection.translating("gemini-9")) is expected, name(kind)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 429, 499, 500, 503, 504])
def test_an_error_of_geminis_has_a_family(status: int, connection: Connection) -> None:
    kind = genai.ClientError if status < 500 else genai.ServerError
    body = {"error": {"code": status, "status": "SOME_STATUS", "message": "words"}}
    passes = status in {408, 409, 429, 499} or status >= 500
    with (
        pytest.raises(TransientError if passes else ConfigurationError),
        connection.translating("gemini-9"),
    ):
        raise kind(status, body)


def test_an_error_of_firestores_client_has_a_family() -> None:
    client: Any = SimpleNamespace(project="p", _database="(default)", _credentials=None)
    kinds = below(api_core.GoogleAPIError)
    assert len(kinds) > 40
    for kind in kinds:
        found = family(kind, _translating(client))
        assert issubclass(found, (CaptionError, *ANSWERS)), (name(kind), found)


def test_an_error_of_cloud_storages_client_has_a_family() -> None:
    images = object.__new__(CloudStorageImages)
    images._client = cast(Any, SimpleNamespace(_credentials=None, project="p"))
    for kind in below(
        api_core.GoogleAPIError, requests.RequestException, google.auth.exceptions.GoogleAuthError
    ):
        found = family(kind, images._translating("b"))
        assert issubclass(found, (CaptionError, *ANSWERS)), (name(kind), found)

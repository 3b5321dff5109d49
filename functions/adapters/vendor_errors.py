"""What a provider's fault means for the event: one table for all providers.

The words of an error count before its status, since gateways wrap one in the other; what they
mean stands in vendor_errors.toml. Then::

    402, no credit; 429                             TransientError no_credit; over_quota
    408 409 424 425 499 5xx, no answer in time      TransientError away, with the delay asked for
    401 403, a wrong key                            ConfigurationError: the key
    404, a model that sees no images                ConfigurationError: CAPTION_MODEL
    moderation, whatever its status                 Refused: the image is blocked
    413, a picture that certainly is none           PermanentError
    any other                                       ConfigurationError: model and endpoint
"""

from __future__ import annotations

import functools
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from functions.adapters import rate_limits
from functions.core.errors import (
    CaptionError,
    ConfigurationError,
    Outage,
    PermanentError,
    TransientError,
)

# Errors of SDKs and HTTP clients by name, as an adapter knows its own only: an address or a key
# with which no request can be made.
_NO_ADDRESS = frozenset(
    {"InvalidProxyURL", "InvalidSchema", "InvalidURL", "MissingSchema", "URLRequired"}
    | {"UnsupportedProtocol"}
)
_NO_CREDENTIALS = frozenset(
    {"CredentialsError", "IdentityTokenFileError", "InvalidHeader", "LocalProtocolError"}
    | {"MissingDependencyError", "MutuallyExclusiveAuthError"}
    | {"SubjectTokenProviderError", "WorkloadIdentityError"}
)
_RETRYABLE = frozenset({408, 409, 424, 425, 429, 499})
_ABOUT_PICTURES = frozenset({400, 413, 415, 422})
# Shorter ones are no secrets: servers of one's own are given "ollama" or "k".
_SECRET_CHARACTERS = 12
_LONGEST_MESSAGE = 4000
_LONGEST_EXCERPT = 300
_CODES = frozenset({"code", "type", "status", "reason", "reasons", "error_code", "innererror"})
# What repeats the request, or says nothing of the fault.
_BESIDE = frozenset(
    {"input", "ctx", "headers", "id", "links", "object", "param", "request", "request_id", "url"}
    | {"@type", "domain", "service", "provider_name", "user_id", "documentation_url", "trace_id"}
)


class Refused(PermanentError):
    """The provider judged the picture; ``why`` is its word for it."""

    def __init__(self, message: str, why: str) -> None:
        super().__init__("blocked", message)
        self.why = why


@dataclass(frozen=True, slots=True)
class VendorErrors:
    """A provider as messages name it. ``access`` is what to do where it lets nobody in,
    ``endpoint`` the variable of its address, ``keys`` those that must not be seen, ``setting``
    the variable of the model, ``bound`` what bounds a call's time, ``remedy`` what brings a model
    there that is unknown."""

    name: str
    access: str
    endpoint: str
    keys: tuple[str, ...]
    setting: str = "CAPTION_MODEL"
    bound: str = "CAPTION_TIMEOUT_SECONDS"
    remedy: str = ""

    def answered(
        self,
        status: int,
        model: str,
        message: str,
        retry_after: float | None = None,
        wrong_key: bool = False,
    ) -> CaptionError:
        """What an HTTP error is; ``message`` is the provider's own, with its codes."""
        message = self._without_keys(message[:_LONGEST_MESSAGE])
        family = "key" if wrong_key else _family(status, message)
        excerpt = message[:_LONGEST_EXCERPT]
        retry_after = retry_after or rate_limits.said(message)
        if family == "credit":
            return TransientError(
                f"{self.name} answered {status}: the account is out of quota or credit; "
                f"raise it with the provider, or wait ({excerpt})",
                retry_after,
                Outage.NO_CREDIT,
            )
        if family == "refusal":
            return Refused(f"{self.name} refused this image: {excerpt}", _why(message))
        if family in {"busy", "quota"}:
            outage = Outage.OVER_QUOTA if family == "quota" else Outage.AWAY
            return TransientError(f"{self.name} answered {status}: {excerpt}", retry_after, outage)
        if family == "too_large":
            return PermanentError(
                "too_large", f"{self.name} does not take a request this large; store it smaller."
            )
        if family == "picture":
            return PermanentError(
                "corrupt_image",
                f"{self.name} cannot read this image: {excerpt}. Save it anew as JPEG or PNG.",
            )
        return ConfigurationError(self._setting_at_fault(family, status, model, excerpt))

    def is_unexplained(self, status: int, message: str) -> bool:
        """Whether an error's words say nothing of what is wrong with the request."""
        return status in {400, 422} and not _family(status, message)

    def _setting_at_fault(self, family: str, status: int, model: str, excerpt: str) -> str:
        if family == "blind":
            return (
                f"{self.name}'s {model} sees no images ({excerpt}); set {self.setting} to one "
                "that does"
            )
        if family == "key":
            return f"{self.name} does not let this function use {model}: {self.access}"
        if family == "model":
            return (
                f"{self.name} knows no model {model}: {self.remedy}set {self.setting} to another, "
                f"or check {self.endpoint} ({excerpt})"
            )
        if family == "context":
            return (
                f"{self.name}'s {model} has no room for a picture ({excerpt}); give it a longer "
                f"context, or set {self.setting} to one that has"
            )
        if family == "account":
            return f"{self.name} wants a setting of the account changed ({excerpt})"
        return (
            f"{self.name} does not take the request ({status}: {excerpt}); check {self.setting}, "
            f"{self.endpoint} and the model's regions"
        )

    @contextmanager
    def translating(self, *answered: type[Exception], late: type[Exception]) -> Iterator[None]:
        """A call in which no answer, or one that makes no sense, is raised as a TransientError.

        ``answered`` are the SDK's errors that say more than that and are left to the caller;
        ``late`` is its error for an answer that took too long.
        """
        try:
            yield
        except answered:
            raise
        except CaptionError:
            raise
        except late as error:
            raise self.late() from error
        except Exception as error:
            raise self.unexpected(error.__cause__ or error) from error

    def late(self) -> TransientError:
        """No whole answer in time."""
        message = f"{self.name} did not answer within {self.bound}"
        return TransientError(message, outage=Outage.AWAY)

    def unexpected(self, error: BaseException) -> CaptionError:
        """What an SDK's error is that stands for no answer: a setting's fault by which it could
        not even ask, or one that may pass."""
        kinds = {each.__name__ for each in type(error).__mro__}
        if kinds & _NO_ADDRESS:
            return ConfigurationError(
                f"{self.endpoint} is no address ({type(error).__name__}): write it with https:// "
                "or http://"
            )
        if kinds & _NO_CREDENTIALS:
            return ConfigurationError(
                f"{self.name} cannot be asked ({type(error).__name__}): {self.access}"
            )
        return self.unreached(error)

    def unreached(self, error: BaseException) -> TransientError:
        """No answer, or none that makes sense."""
        return TransientError(
            f"{self.name} could not be reached or understood: {_met(error)}",
            outage=Outage.AWAY,
        )

    def unusable(self, why: str) -> TransientError:
        """An answer with status 200 that is none."""
        return TransientError(f"{self.name} gave no answer: {why}", outage=Outage.AWAY)

    def _without_keys(self, message: str) -> str:
        """Some servers repeat the key in their answer."""
        for name in self.keys:
            value = os.environ.get(name, "").strip()
            if len(value) >= _SECRET_CHARACTERS:
                message = message.replace(value, f"${name}")
        return message


def _met(error: BaseException) -> str:
    """Which error it is, and what the system says of it: a host that has no address, a certificate
    that nobody vouches for. Words of a client may have an address with a password in them."""
    cause: BaseException | None = error
    while cause and not isinstance(cause, OSError):
        cause = cause.__cause__ or cause.__context__
    said = cause.strerror if isinstance(cause, OSError) else ""
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _family(status: int, message: str) -> str:
    """Which family of errors this is; empty for a request that nobody takes."""
    says = functools.partial(_says, message)
    if status in _ABOUT_PICTURES and (family := says("too_large", "picture")):
        return family
    if family := says("blind"):
        return family
    troubled = status == 429 or status >= 500
    if says("refusal") and not (troubled and says("busy", "quota")):
        return "refusal"
    if status == 402 or says("credit"):
        return "credit"
    if family := says("account"):
        return family
    if status == 429 or says("quota"):
        return "quota"
    if status in _RETRYABLE or status >= 500:
        return "busy"
    if status in {401, 403}:
        return "key"
    if status == 404:
        return "model"
    if status == 413:
        return "too_large"
    return says("key", "model", "context", "busy")


def _why(message: str) -> str:
    """The provider's own word for a refusal."""
    found = _words()["refusal"].search(message)
    before, after = (message[: found.start()], message[found.end() :]) if found else ("", "")
    begun, ended = re.search(r"[\w-]{0,40}$", before), re.match(r"[\w-]{0,40}", after)
    return "".join(each[0] for each in (begun, found, ended) if each)


def _says(message: str, *families: str) -> str:
    """The first of ``families`` whose words are in ``message``; empty if none."""
    return next((each for each in families if _words()[each].search(message)), "")


@functools.cache
def _words() -> Mapping[str, re.Pattern[str]]:
    """The table, read when the first error comes."""
    table = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
    return {family: re.compile("|".join(each), re.IGNORECASE) for family, each in table.items()}


def parsed(text: str) -> Any:
    """The body of an error, as JSON if it is that."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text[:_LONGEST_MESSAGE]


def error_text(body: Any) -> str:
    """Codes and messages of an error's body, whatever server it comes from: codes first."""
    codes: list[str] = []
    words: list[str] = []
    _collect(body, codes, words, 9)
    parts = (", ".join(dict.fromkeys(codes)), " ".join(dict.fromkeys(words)))
    return ": ".join(filter(None, parts))[:_LONGEST_MESSAGE]


def _collect(body: Any, codes: list[str], words: list[str], depth: int) -> None:
    if not depth or len(words) > 40:
        return
    if isinstance(body, str):
        # Gateways pass on what they were told as text.
        inner = parsed(body) if body.lstrip().startswith("{") else body
        if isinstance(inner, str):
            return words.append(inner.strip())
        return _collect(inner, codes, words, depth - 1)
    if isinstance(body, list):
        for each in body[:20]:
            _collect(each, codes, words, depth - 1)
    if not isinstance(body, Mapping):
        return None
    if isinstance(body.get("loc"), list) and isinstance(body.get("msg"), str):
        return words.append(f"{'.'.join(map(str, body['loc']))}: {body['msg']}")
    for key, value in body.items():
        if key in _CODES and isinstance(value, str):
            codes.append(value)
        elif key in _CODES and isinstance(value, list):
            codes.extend(each for each in value if isinstance(each, str))
        elif key not in _BESIDE:
            _collect(value, codes, words, depth - 1)
    return None


# The status of an answer that is none and names none: a gateway got no sense from its server.
UNTOLD = 502


def status_within(body: Any, outer: int) -> int:
    """The status that a body names where its answer's own says nothing: a gateway's 200, 400 or
    500 around another server's 429."""
    error = body.get("error", body) if isinstance(body, Mapping) else None
    for key in ("code", "status", "status_code"):
        value = error.get(key) if isinstance(error, Mapping) else None
        number = int(value) if isinstance(value, str) and value.isdecimal() else value
        if isinstance(number, int) and 400 <= number < 600 and outer in {200, 400, 500, 502}:
            return number
    return outer if outer >= 400 else UNTOLD


def tokens(value: Any) -> int:
    """A count of tokens as servers write it: null, text, a fraction, less than nothing."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return 0
    return int(number) if 0 < number < 1e9 else 0

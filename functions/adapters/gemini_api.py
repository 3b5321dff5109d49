"""The Gemini API over HTTP: of developers with a key, or of Vertex AI without one.

What leaves is what google-genai 3.4 sends, to the same address by the same variables, and a test
compares the two. Its own types take 0.4 s of a cold start and 2 ms of each event: they are made
for all that Gemini does, and two methods are called here ("Generating content" and
"Embeddings", Gemini API reference).
"""

from __future__ import annotations

import base64
import functools
import json
import math
import os
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import certifi
import google.auth
import google.auth.credentials
import google.auth.exceptions
import urllib3
from google.auth.transport.requests import Request
from urllib3.exceptions import LocationValueError, ReadTimeoutError

from functions.adapters.negotiation import AskDifferently
from functions.adapters.rate_limits import delay
from functions.adapters.vendor_errors import VendorErrors, parsed
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
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_PATHS = ("projects/", "publishers/")
# Places of more than one region have an address of their own kind.
_MULTI_REGIONS = frozenset({"us", "eu"})
# One for each of an instance's concurrent events (the framework's THREADS).
_CONNECTIONS = 100
_CHUNK_BYTES = 3 * 64 * 1024
# Stands for the picture's bytes in a request: the first of its kind there.
_PICTURE = b"(picture)"
_Declined = Callable[[int, str], bool]


class _OutOfTime(Exception):
    """A request or its response takes too long as a whole."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where models are asked: the ``api`` at its version, with the ``scope`` of a project. A
    gateway's address is whole. Without ``key`` the service account is let in, but by a gateway."""

    api: str
    key: str
    vertex: bool
    scope: str = ""
    gateway: bool = False

    def url(self, model: str, method: str) -> str:
        """The address of a model's method."""
        path = self.path(model)
        scope = "" if path.startswith("projects/") else self.scope
        return self.api if self.gateway else f"{self.api}/{scope}{path}:{method}"

    def path(self, model: str) -> str:
        """A model as its address and its requests name it."""
        if model.startswith(("models/", *(_PATHS if self.vertex else ["tunedModels/"]))):
            return model
        if not self.vertex:
            return f"models/{model}"
        publisher, mark, name = model.partition("/")
        return f"publishers/{publisher if mark else 'google'}/models/{name if mark else model}"


def place(env: Mapping[str, str]) -> Place:
    """The place that ``env`` names, by the variables of google-genai. Raises ConfigurationError
    where it names none."""
    key = (env.get("GOOGLE_API_KEY") or env.get("GEMINI_API_KEY") or "").strip()
    if not (key.isascii() and key.isprintable()):
        raise ConfigurationError(
            f"Gemini cannot be asked (a key of such letters): {_GEMINI.access}"
        )
    version = env.get("GOOGLE_GENAI_API_VERSION", "")
    if not _is_enterprise(env):
        if not key:
            raise _no_credentials()
        base = env.get("GOOGLE_GEMINI_BASE_URL") or "https://generativelanguage.googleapis.com"
        version = "v1beta" if version == "beta" else version or "v1"
        return Place(f"{base.rstrip('/')}/{version}", key, vertex=False)
    version = "v1beta1" if version in {"", "beta"} else version
    project, location = env.get("GOOGLE_CLOUD_PROJECT", ""), env.get("GOOGLE_CLOUD_LOCATION", "")
    own = env.get("GOOGLE_VERTEX_BASE_URL", "")
    if project or location:
        key = ""
    if key:
        base = (own or _regional("")).rstrip("/")
        return Place(f"{base}/{version}", key, vertex=True)
    if not own or own.endswith(".googleapis.com"):
        location = location or "global"
    if not own:
        project = project or _own_project()
    if not (project and location):
        return Place(own, "", vertex=True, gateway=True)
    base = (own or _regional(location)).rstrip("/")
    scope = f"projects/{project}/locations/{location}/"
    return Place(f"{base}/{version}", "", vertex=True, scope=scope)


def _regional(location: str) -> str:
    if location in {"", "global"}:
        return "https://aiplatform.googleapis.com"
    if location in _MULTI_REGIONS:
        return f"https://aiplatform.{location}.rep.googleapis.com"
    return f"https://{location}-aiplatform.googleapis.com"


def _is_enterprise(env: Mapping[str, str]) -> bool:
    """Whether Vertex AI is asked; GOOGLE_GENAI_USE_VERTEXAI is the switch's earlier name."""
    switch = env.get("GOOGLE_GENAI_USE_ENTERPRISE", env.get("GOOGLE_GENAI_USE_VERTEXAI", ""))
    return switch.strip().lower() in {"true", "1"}


def _own_project() -> str:
    try:
        _, project = google.auth.default(scopes=_SCOPES)
    except google.auth.exceptions.GoogleAuthError as error:
        raise _no_credentials() from error
    if not project:
        raise _no_credentials()
    return str(project)


class Connection:
    """Connections to one :class:`Place`; no retries.

    ``setting`` is the variable that names the model, ``bound`` what bounds a call's time, both
    as messages say it.
    """

    def __init__(
        self,
        timeout_seconds: float,
        setting: str = "CAPTION_MODEL",
        bound: str = "CAPTION_TIMEOUT_SECONDS",
    ) -> None:
        self._seconds, self.place = timeout_seconds, place(os.environ)
        trust = _trust() if self.place.api.startswith("https:") else None
        self._pool = urllib3.PoolManager(
            maxsize=_CONNECTIONS, timeout=timeout_seconds, ssl_context=trust
        )
        self._letting_in = threading.Lock()
        service = _VERTEX if self.place.vertex else _GEMINI
        self.service = replace(service, setting=setting, bound=bound)

    def ask(
        self,
        model: str,
        method: str,
        request: Mapping[str, Any],
        picture: Picture | None = None,
        declined: _Declined = lambda status, words: False,
    ) -> Any:
        """The answer of a model's ``method``, as JSON has it. ``picture`` stands in the request
        as :func:`picture_part`, and is let go once it is sent.

        Raises what no answer and an error mean for the event; AskDifferently for one that is
        ``declined`` by its status and words.
        """
        with self.translating(model):
            status, headers, body = self._sent(self.place.url(model, method), request, picture)
            if status == 200:
                return json.loads(body or "{}")
            fault, words = _refused(status, headers, body, self.service, model)
        if declined(status, words):
            raise AskDifferently(str(fault))
        raise fault

    @contextmanager
    def translating(self, model: str) -> Iterator[None]:
        """A call in which no answer is raised as an error of ours."""
        try:
            with self.service.translating(
                google.auth.exceptions.GoogleAuthError,
                CaptionError,
                late=(ReadTimeoutError, _OutOfTime),
            ):
                yield
        except google.auth.exceptions.TransportError as error:
            raise self.service.unreached(error) from error
        except google.auth.exceptions.GoogleAuthError as error:
            raise _no_credentials() from error

    def close(self) -> None:
        """Let go of connections."""
        self._pool.clear()

    def _sent(
        self, url: str, request: Mapping[str, Any], picture: Picture | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        deadline = time.monotonic() + self._seconds
        text = json.dumps(request).encode()
        headers = {
            "Accept-Encoding": "gzip",
            "Content-Type": "application/json",
            "User-Agent": "bucket-captions",
            "X-Server-Timeout": str(math.ceil(self._seconds)),
            **self._access(url),
        }
        body: bytes | Iterator[bytes] = text
        if picture:
            before, _, after = text.partition(_PICTURE)
            headers["Content-Length"] = str(
                len(before) + 4 * ((len(picture.data) + 2) // 3) + len(after)
            )
            body = _with_picture(before, picture, after, deadline)
        if not url.lower().startswith(("http://", "https://")):
            raise LocationValueError(url)
        response = self._pool.request(
            "POST",
            url,
            body=body,
            headers=headers,
            preload_content=False,
            redirect=False,
            retries=False,
        )
        return response.status, response.headers, _whole(response, deadline)

    def _access(self, url: str) -> Mapping[str, str]:
        """The headers that let in."""
        if self.place.key:
            return {"x-goog-api-key": self.place.key}
        headers: dict[str, str] = {}
        if not self.place.gateway:
            with self._letting_in:
                self._account.before_request(Request(), "POST", url, headers)
        return headers

    @functools.cached_property
    def _account(self) -> google.auth.credentials.Credentials:
        account, _ = google.auth.default(scopes=_SCOPES)
        return account


def _no_credentials() -> ConfigurationError:
    return ConfigurationError(
        "no credentials for Gemini: set GEMINI_API_KEY, or grant the function's service "
        "account roles/aiplatform.user and set GOOGLE_GENAI_USE_ENTERPRISE=true and "
        "GOOGLE_CLOUD_PROJECT"
    )


def _refused(
    status: int, headers: Mapping[str, str], body: bytes, service: VendorErrors, model: str
) -> tuple[CaptionError, str]:
    """What an answer that is an error means for the event, and its words."""
    answer = parsed(body.decode("utf-8", "replace"))
    answer = answer[0] if isinstance(answer, list) and answer else answer
    answer = answer if isinstance(answer, Mapping) else {"message": str(answer)}
    inner = answer.get("error")
    error = inner if isinstance(inner, Mapping) else answer
    details = [each for each in _list(error.get("details")) if isinstance(each, Mapping)]
    words = ": ".join(
        filter(None, (str(error.get("status")), _quotas(details), str(error.get("message"))))
    )
    wrong_key = any(each.get("reason") == "API_KEY_INVALID" for each in details)
    told = next((str(each["retryDelay"]) for each in details if "retryDelay" in each), "")
    wait = delay({"retry-after": told} if told else headers)
    fault = service.answered(status, model, words, wait, wrong_key)
    if status == 404 and "API version" in words:
        fault = ConfigurationError(
            f"{fault}. Aliases like gemini-flash-latest are on another version of the API: set "
            "GOOGLE_GENAI_API_VERSION=v1beta for them"
        )
    return fault, words


def _quotas(details: list[Mapping[str, Any]]) -> str:
    """The names of the quotas that are exceeded: some are those of a day, whatever delay is told
    beside."""
    violations = [each for detail in details for each in _list(detail.get("violations"))]
    names = [str(each.get("quotaId") or "") for each in violations if isinstance(each, Mapping)]
    return ", ".join(filter(None, dict.fromkeys(names)))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def picture_part(picture: Picture) -> Mapping[str, Any]:
    """The part of a request that stands for ``picture``; it has to be the first."""
    return {"inlineData": {"data": _PICTURE.decode(), "mime_type": picture.mime_type}}


def _with_picture(
    before: bytes, picture: Picture, after: bytes, deadline: float
) -> Iterator[bytes]:
    """A request whose picture is encoded on its way out, and let go: as text in a body it would
    be held two more times while the model is waited for."""
    yield before
    view = memoryview(picture.data)
    for start in range(0, len(view), _CHUNK_BYTES):
        if time.monotonic() > deadline:
            raise _OutOfTime("the request was not taken in time")
        yield base64.b64encode(view[start : start + _CHUNK_BYTES])
    del view
    picture.release()
    yield after


def _whole(response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
    """The body of a response that must be whole by a deadline: a connection's own timeout bounds
    each read only, so that an answer of one byte a second would hold an event for hours."""
    chunks = []
    try:
        while chunk := response.read1(_CHUNK_BYTES, decode_content=True):
            if time.monotonic() > deadline:
                raise _OutOfTime("the response was not whole in time")
            chunks.append(chunk)
    except BaseException:
        response.close()
        raise
    response.release_conn()
    return b"".join(chunks)


@functools.cache
def _trust() -> ssl.SSLContext:
    """The system's certificates, or those of a package where it has none; one set for all
    clients, for each takes 20 ms to load."""
    found = ssl.get_default_verify_paths()
    return ssl.create_default_context(
        cafile=None if found.cafile or found.capath else certifi.where()
    )

"""Messages: to the topic that ``caption_request`` answers, and to whom it concerns.

They go through Pub/Sub's REST API, with the session that Cloud Storage's client brings along:
google-cloud-pubsub would add 4 MB and an OpenTelemetry SDK to what every function installs.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from functions.core.errors import ConfigurationError, TransientError
from functions.settings import Settings

if TYPE_CHECKING:
    from google.auth.transport.requests import AuthorizedSession

# Bucket, name, generation (None for whichever is live), and whether a caption that is there is
# to be made again.
Request = tuple[str, str, int | None, bool]

# "Publish requests": 1,000 messages at most (Pub/Sub quotas and limits).
_AT_ONCE = 1000
_SECONDS, _EVENT_SECONDS = 30.0, 5.0
_REQUESTS = (
    "the topic {topic} takes no requests (WHY): set CAPTION_REQUEST_TOPIC to the one that "
    "caption_request listens to, and grant roles/pubsub.publisher on it to who asks"
)
_EVENTS = (
    "the topic {topic} takes no events (WHY): set CAPTION_EVENTS_TOPIC to one that there is, and "
    "grant roles/pubsub.publisher on it to the functions"
)
_SCOPES = ("https://www.googleapis.com/auth/pubsub",)


def publish(settings: Settings, requests: Iterable[Request]) -> None:
    """Ask for a caption of each of these images.

    Raises ConfigurationError if the topic CAPTION_REQUEST_TOPIC does not take the messages, and
    TransientError if Pub/Sub is out of reach; the messages of the batches before are sent then.
    """
    session, project = _session()
    with session:
        url, messages = _url(settings.request_topic, project), iter(requests)
        while batch := [_message(each) for each in itertools.islice(messages, _AT_ONCE)]:
            _send(session, url, batch, _REQUESTS.format(topic=settings.request_topic))


class RequestTopic:
    """The topic CAPTION_REQUEST_TOPIC; one connection for all requests of an instance."""

    def __init__(self, topic: str, seconds: float = _EVENT_SECONDS) -> None:
        self._topic, self._seconds = topic, seconds
        self._session: tuple[AuthorizedSession, str] | None = None

    def translate(self, wanted: Iterable[tuple[str, str, tuple[str, ...]]]) -> None:
        """Ask for translations: of which image (bucket and name), into which languages. Raises as
        :func:`publish`."""
        session, project = self._session = self._session or _session()
        url, refusal = _url(self._topic, project), _REQUESTS.format(topic=self._topic)
        bodies = ({"bucket": b, "name": n, "translate": list(tags)} for b, n, tags in wanted)
        while batch := [_encoded(each) for each in itertools.islice(bodies, _AT_ONCE)]:
            _send(session, url, batch, refusal, self._seconds)


class EventsTopic:
    """The topic CAPTION_EVENTS_TOPIC; one connection for all events of an instance."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._session: tuple[AuthorizedSession, str] | None = None

    def publish(self, attributes: Mapping[str, str], data: Mapping[str, Any]) -> None:
        """Send one message.

        Raises ConfigurationError if the topic does not take it, and TransientError if Pub/Sub is
        out of reach.
        """
        session, project = self._session = self._session or _session()
        text = base64.b64encode(json.dumps(data, ensure_ascii=False).encode()).decode()
        message = {"data": text, "attributes": dict(attributes)}
        refusal = _EVENTS.format(topic=self._topic)
        _send(session, _url(self._topic, project), [message], refusal, _EVENT_SECONDS)


def _url(topic: str, project: str) -> str:
    host = os.environ.get("PUBSUB_EMULATOR_HOST")
    base = f"http://{host}" if host else "https://pubsub.googleapis.com"
    name = topic if "/" in topic else f"projects/{project}/topics/{quote(topic, safe='')}"
    return f"{base}/v1/{name}:publish"


def _session() -> tuple[AuthorizedSession, str]:
    import google.auth
    from google.auth.credentials import AnonymousCredentials
    from google.auth.exceptions import GoogleAuthError
    from google.auth.transport.requests import AuthorizedSession

    project = os.environ.get("GOOGLE_CLOUD_PROJECT", "")
    if os.environ.get("PUBSUB_EMULATOR_HOST"):
        return AuthorizedSession(AnonymousCredentials()), project
    try:
        credentials, found = google.auth.default(scopes=_SCOPES)
    except GoogleAuthError as error:
        raise ConfigurationError(
            "no Google Cloud credentials: run `gcloud auth application-default login`"
        ) from error
    return AuthorizedSession(credentials), project or found or ""


def _send(
    session: AuthorizedSession,
    url: str,
    batch: list[dict[str, Any]],
    refusal: str,
    seconds: float = _SECONDS,
) -> None:
    import requests
    from google.auth.exceptions import RefreshError, TransportError

    try:
        answer = session.post(url, json={"messages": batch}, timeout=seconds)
    except RefreshError as error:
        raise _refused(refusal, "no valid credentials") from error
    except (requests.RequestException, TransportError) as error:
        raise TransientError(f"Pub/Sub is unavailable: {type(error).__name__}") from error
    if answer.status_code == 429 or answer.status_code >= 500:
        raise TransientError(f"Pub/Sub is unavailable: it answers {answer.status_code}")
    if not answer.ok:
        raise _refused(refusal, _status(answer))


def _refused(refusal: str, why: str) -> ConfigurationError:
    return ConfigurationError(refusal.replace("WHY", why))


def _status(answer: Any) -> str:
    try:
        return str(answer.json()["error"]["status"])
    except (ValueError, KeyError, TypeError):
        return str(answer.status_code)


def _message(request: Request) -> dict[str, Any]:
    bucket, name, generation, force = request
    body: dict[str, Any] = {"bucket": bucket, "name": name}
    if generation is not None:
        body["generation"] = str(generation)
    if force:
        body["force"] = True
    return _encoded(body)


def _encoded(body: Mapping[str, Any]) -> dict[str, Any]:
    return {"data": base64.b64encode(json.dumps(body).encode()).decode()}

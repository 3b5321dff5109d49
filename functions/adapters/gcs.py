"""Images in Cloud Storage, read and labelled by generation."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import google.auth.exceptions
import requests
from google.api_core import exceptions as google_errors
from google.cloud import storage
from google.cloud.storage.exceptions import DataCorruption
from google.cloud.storage.retry import DEFAULT_RETRY
from requests.adapters import HTTPAdapter

from functions.adapters.credentials import account, unanswered
from functions.core.document import Upload
from functions.core.errors import ConfigurationError, Gone, Stale, TransientError

# Connect and read, in seconds, of one attempt; all attempts of one call end in 15.
_TIMEOUT = (3.05, 10.0)
_RETRY = DEFAULT_RETRY.with_timeout(15.0).with_delay(initial=0.1, maximum=2.0)
_RETRYABLE = frozenset({408, 425, 429})
_LONGEST_EXCERPT = 300
# What Cloud Storage's messages name, and what helps.
_REMEDIES = {
    "requester pays": "turn requester pays off for the bucket; no project is named to be billed",
    "user project": "turn requester pays off for the bucket; no project is named to be billed",
    "billing": "the bucket's project has no billing account that is open; mend it there",
    "encryption key": "the object is encrypted with a customer's own key, which the functions do "
    "not have; store it under Cloud KMS or Google's keys, or skip it in captions.toml",
    "encrypted": "the object is encrypted with a customer's own key, which the functions do "
    "not have; store it under Cloud KMS or Google's keys, or skip it in captions.toml",
    "retention": "a retention policy or a hold keeps the object from being changed; its caption "
    "is in Firestore alone until that ends",
    "hold": "a retention policy or a hold keeps the object from being changed; its caption is in "
    "Firestore alone until that ends",
}
# One connection for each of an instance's concurrent events (the framework's THREADS).
_CONNECTIONS = 100


class CloudStorageImages:
    """An ImageStore on Cloud Storage's JSON API."""

    def __init__(self, client: storage.Client) -> None:
        self._client = client
        session: requests.Session = client._http
        for scheme in ("https://", "http://"):
            session.mount(scheme, HTTPAdapter(pool_maxsize=_CONNECTIONS))
        session.hooks["response"].append(_drained)
        # Proxies and certificates are read from the environment once: to look for them at each
        # request takes a tenth of an event's processor time.
        url = client._connection.API_BASE_URL
        settings = session.merge_environment_settings(url, {}, None, None, None)
        session.proxies, session.verify = settings["proxies"], settings["verify"]
        session.trust_env = False

    def look_up(self, bucket: str, name: str) -> Upload | None:
        try:
            blob = self._bucket(bucket).blob(name)
            with self._translating(bucket):
                blob.reload(timeout=_TIMEOUT, retry=_RETRY)
        except (google_errors.NotFound, Gone):
            return None
        return _upload(bucket, blob)

    def _bucket(self, name: str) -> storage.Bucket:
        """Raises Gone for a name that no bucket can have."""
        try:
            bucket: storage.Bucket = self._client.bucket(name)
        except ValueError:
            raise Gone from None
        return bucket

    def list(self, bucket: str, prefix: str = "", after: str = "") -> Iterator[Upload]:
        pages = self._client.list_blobs(
            self._bucket(bucket),
            prefix=prefix,
            start_offset=after or None,
            projection="noAcl",
            timeout=_TIMEOUT,
            retry=_RETRY,
        ).pages
        while True:
            try:
                with self._translating(bucket):
                    page = next(pages, None)
            except google_errors.NotFound:
                raise Gone from None
            if page is None:
                return
            for blob in page:
                if blob.name > after:  # the offset itself is listed too
                    yield _upload(bucket, blob)

    def read(self, upload: Upload, end: int | None = None, start: int = 0) -> bytes:
        blob = self._bucket(upload.bucket).blob(upload.name)
        last = None if end is None else end - 1
        try:
            with self._translating(upload.bucket):
                data: bytes = blob.download_as_bytes(
                    start=start or None,
                    end=last,
                    raw_download=True,
                    single_shot_download=True,  # not 8 KB at a time: 80 events share a processor
                    if_generation_match=upload.generation,
                    timeout=_TIMEOUT,
                    retry=_RETRY,
                )
        except (google_errors.NotFound, google_errors.PreconditionFailed):
            raise Gone from None
        except google_errors.RequestRangeNotSatisfiable:
            return b""  # there is no such byte, nor a first one
        return data

    def label(self, upload: Upload, labels: Mapping[str, str | None]) -> None:
        blob = self._bucket(upload.bucket).blob(upload.name)
        blob.metadata = dict(labels)
        try:
            with self._translating(upload.bucket):
                blob.patch(
                    if_generation_match=upload.generation,
                    if_metageneration_match=upload.metageneration,
                    timeout=_TIMEOUT,
                    retry=_RETRY,
                )
        except google_errors.NotFound:
            raise Gone from None
        except google_errors.PreconditionFailed:
            raise Stale from None

    @contextmanager
    def _translating(self, bucket: str) -> Iterator[None]:
        """Let missing objects and preconditions through, and raise the rest as our families."""
        try:
            yield
        except (
            google_errors.NotFound,
            google_errors.PreconditionFailed,
            google_errors.RequestRangeNotSatisfiable,
        ):
            raise
        except google_errors.ClientError as error:
            if error.code in _RETRYABLE:
                raise TransientError(f"Cloud Storage answers {error.code}") from error
            if refusal := _refusal(error, bucket):
                raise refusal from error
            raise ConfigurationError(
                f"Cloud Storage refuses {account(self._client._credentials)}; grant it "
                "storage.objects.get, storage.objects.list and storage.objects.update on the "
                f"bucket {bucket}"
            ) from error
        except google.auth.exceptions.DefaultCredentialsError as error:
            raise ConfigurationError(
                "no Google Cloud credentials: run `gcloud auth application-default login`, "
                "or set CAPTION_LOCAL to a folder to work without a cloud"
            ) from error
        except DataCorruption as error:
            raise TransientError(
                "Cloud Storage sent other bytes than it has a checksum of"
            ) from error
        except (
            google_errors.GoogleAPIError,
            google.auth.exceptions.GoogleAuthError,
            requests.RequestException,
            OSError,
        ) as error:
            raise unanswered("Cloud Storage", error, _emulator()) from error


def _refusal(error: google_errors.ClientError, bucket: str) -> ConfigurationError | None:
    """What a request is refused for that no retry helps: of this image or its bucket. None where
    the account lacks a permission."""
    message = str(error.message)[:_LONGEST_EXCERPT]
    remedy = next((text for word, text in _REMEDIES.items() if word in message.lower()), "")
    if not remedy and error.code in {401, 403}:
        return None
    remedy = remedy or "look at the object and its bucket"
    refused = ConfigurationError(
        f"Cloud Storage refuses gs://{bucket} ({error.code}: {message}): {remedy}"
    )
    refused.own = True
    return refused


def _upload(bucket: str, blob: storage.Blob) -> Upload:
    return Upload(
        bucket=bucket,
        name=blob.name,
        generation=blob.generation,
        metageneration=blob.metageneration,
        content_type=blob.content_type or "",
        size=blob.size,
        md5=blob.md5_hash or "",
        metadata=dict(blob.metadata or {}),
        content_encoding=blob.content_encoding or "",
        time=blob.updated or blob.time_created,
    )


def _drained(response: requests.Response, **_: object) -> None:
    """Read an error's body: the client leaves that of a download unread, and a connection with
    an unread body is not used again."""
    if response.status_code >= 400:
        response.content  # noqa: B018


def _emulator() -> str:
    """Where the emulator should be, if that is who was asked."""
    host = os.environ.get("STORAGE_EMULATOR_HOST")
    if not host:
        return ""
    return (
        f". STORAGE_EMULATOR_HOST={host}: start the emulator there (with http:// and the port), "
        "or unset the variable to use Google Cloud"
    )

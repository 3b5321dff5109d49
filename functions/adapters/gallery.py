"""Images to look at: by signed addresses of Cloud Storage, or out of a folder."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from functions.core.document import Document, Upload
from functions.core.errors import ConfigurationError, TransientError

if TYPE_CHECKING:
    from google.cloud import storage

_MINUTES = 15
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_REMEDY = (
    "images cannot be shown: nobody may sign their addresses. Run the review page as a function, "
    "and grant its service account roles/iam.serviceAccountTokenCreator on itself"
)


class SignedAddresses:
    """A Gallery of private buckets: V4 signed addresses, good for a quarter of an hour.

    An instance has no key of its own to sign with: IAM signs for its service account. An
    emulator checks no signatures, so that its addresses have none.
    """

    def __init__(self, client: storage.Client) -> None:
        self._client = client
        at = urlsplit(client._connection.API_BASE_URL)
        self.origins = (f"{at.scheme}://{at.netloc}",)
        self._signer: Any = None

    def show(self, document: Document) -> str:
        """Raises ConfigurationError if nobody may sign, TransientError if they cannot now."""
        from google.auth.credentials import AnonymousCredentials
        from google.auth.exceptions import GoogleAuthError

        (origin,), generation = self.origins, str(document.generation)
        if isinstance(self._client._credentials, AnonymousCredentials):
            path = f"b/{document.bucket}/o/{quote(document.name, safe='')}"
            return f"{origin}/download/storage/v1/{path}?alt=media&generation={generation}"
        blob = self._client.bucket(document.bucket).blob(document.name)
        try:
            return str(
                blob.generate_signed_url(
                    version="v4",
                    expiration=timedelta(minutes=_MINUTES),
                    generation=generation,
                    api_access_endpoint=origin,
                    response_type=_harmless(document.content_type),
                    **self._signature(),
                )
            )
        except GoogleAuthError as error:
            if error.retryable:
                raise TransientError(f"IAM is unavailable: {type(error).__name__}") from error
            raise ConfigurationError(_REMEDY) from error

    def _signature(self) -> dict[str, Any]:
        """Who signs: the client's own key, or IAM for the account that its token stands for."""
        import google.auth
        from google.auth.credentials import Signing
        from google.auth.transport.requests import Request

        if isinstance(self._client._credentials, Signing):
            return {}
        if self._signer is None:
            # The storage client's token is good for storage only.
            self._signer, _ = google.auth.default(scopes=_SCOPES)
        if not self._signer.valid:
            self._signer.refresh(Request())
        account = getattr(self._signer, "service_account_email", "")
        if not account:
            raise ConfigurationError(_REMEDY)
        return {"service_account_email": account, "access_token": self._signer.token}


def _harmless(content_type: str) -> str:
    """A type as which a browser shows an image or a video and runs nothing, whatever the object
    says."""
    kind = content_type.partition(";")[0].strip().lower()
    web_type = kind.startswith(("image/", "video/")) and "svg" not in kind
    return kind if web_type else "application/octet-stream"


class FolderGallery:
    """A Gallery of a folder's files."""

    origins: tuple[str, ...] = ()

    def __init__(self, folder: Path) -> None:
        from functions.adapters.folder import FolderImages

        self._images = FolderImages(folder)

    def show(self, document: Document) -> bytes:
        """The file as it is. Raises Gone if it is no longer the one that has this caption."""
        where = (document.bucket, document.name, document.generation)
        return self._images.read(Upload(*where, document.updated_at))

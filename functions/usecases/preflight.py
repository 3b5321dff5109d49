"""What is not captioned, and why, before a model is asked; and in which languages the rest is."""

from __future__ import annotations

import mimetypes
from collections.abc import Sequence
from datetime import datetime

from functions import pictures
from functions.core import object_metadata
from functions.core.document import Document, Upload
from functions.core.errors import Gone, PermanentError
from functions.core.language_tags import language_tags
from functions.core.policy import Rule
from functions.core.ports import ImageStore
from functions.settings import Settings

# Reasons to say that a file is no image, where it never said that it was one.
UNREADABLE = frozenset({"corrupt_image", "unsupported_type"})
# Reasons that end an image as `failed`: it may be fine, but it was tried enough.
GIVEN_UP = frozenset({"retries_exhausted", "expired"})
_UNTYPED = frozenset({"", "application/octet-stream", "binary/octet-stream"})
_HEAD_BYTES = 4096


def skip_reason(upload: Upload, rule: Rule, images: ImageStore) -> str:
    """Why an upload leaves no document; empty if it is to be captioned.

    An object that does not claim to be an image is one only if its first bytes are: 4 KiB are
    read. Raises Gone.
    """
    if reason := object_metadata.skip_reason(upload):
        return reason
    if rule.skip:
        return "rule"
    if claims_to_be_an_image(upload):
        return ""
    head = images.read(upload, _HEAD_BYTES) if upload.size != 0 else b""
    if upload.content_encoding == "gzip":
        head = pictures.unpacked_head(head)
    return "" if pictures.sniff(head) else "not_an_image"


def check(
    upload: Upload, claim: Document, images: ImageStore, settings: Settings, now: datetime
) -> None:
    """Raise PermanentError for a claimed upload that is not worth a download or a call.

    What ends unread is looked for: Gone.
    """
    try:
        _check(upload, claim, settings, now)
    except PermanentError:
        look_for(upload, images)
        raise


def look_for(upload: Upload, images: ImageStore) -> None:
    """Raise Gone unless an upload that nobody is going to read is the live one, or a deleted
    image would come back."""
    live = images.look_up(upload.bucket, upload.name)
    if live is None or live.generation != upload.generation:
        raise Gone


def languages(upload: Upload, rule: Rule, configured: Sequence[str]) -> tuple[str, ...]:
    """The languages of an upload's caption, the main one first: what its metadata asks for,
    then the rule's, or else the settings'."""
    wanted = rule.languages or tuple(configured)
    try:
        requested = language_tags(object_metadata.language(upload))[:1]
    except ValueError:
        requested = ()
    return tuple(dict.fromkeys((*requested, *wanted)))


def claims_to_be_an_image(upload: Upload) -> bool:
    """Whether an upload says so, by its type or, where it has none, by its name."""
    kind = upload.content_type.partition(";")[0].strip().lower()
    if kind in _UNTYPED:
        kind = mimetypes.guess_type(upload.name)[0] or ""
    return kind.startswith("image/")


def _check(upload: Upload, claim: Document, settings: Settings, now: datetime) -> None:
    if claim.attempts > settings.max_attempts:
        last = f" The last error was: {claim.error.message}" if claim.error else ""
        raise PermanentError(
            "retries_exhausted",
            f"{settings.max_attempts} attempts failed.{last} Mend the cause, then run "
            "`captions retry`.",
        )
    if (now - upload.time).total_seconds() > settings.max_age_seconds:
        raise PermanentError(
            "expired",
            f"the event is older than {settings.max_age_seconds} seconds; run `captions retry`.",
        )
    if upload.size == 0:
        raise PermanentError("empty", "the file is empty; upload it again")
    if upload.size is not None and upload.size > settings.max_bytes:
        raise PermanentError(
            "too_large",
            f"{upload.size} bytes are more than CAPTION_MAX_BYTES={settings.max_bytes}; upload a "
            "smaller file, or raise the limit and the function's memory",
        )

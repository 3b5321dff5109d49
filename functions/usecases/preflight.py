"""What is not captioned, and why, before a model is asked; and in which languages the rest is."""

from __future__ import annotations

import mimetypes
from collections.abc import Sequence
from datetime import datetime

from functions import pictures
from functions.core import object_metadata
from functions.core.document import Document, Media, Upload
from functions.core.errors import Gone, PermanentError
from functions.core.language_tags import meant_tag
from functions.core.policy import Rule
from functions.core.ports import ImageStore
from functions.settings import Settings

# Reasons to say that a file is no image, where it never said that it was one.
UNREADABLE = frozenset({"corrupt_image", "unsupported_type"})
# Reasons that end an image as `failed`: it may be fine, but it was tried enough.
GIVEN_UP = frozenset({"retries_exhausted", "expired"})
_UNTYPED = frozenset({"", "application/octet-stream", "binary/octet-stream"})
HEAD_BYTES = 4096
# Parts of a stream (MPEG-TS, fragmented MP4), thousands for a film: none is one by itself.
_SEGMENT_TYPES = frozenset({"video/mp2t", "video/iso.segment", "video/vnd.iptvforum.ttsmpeg2"})
_SEGMENT_BOXES = frozenset({b"styp", b"moof", b"sidx", b"emsg", b"prft"})


def skip_reason(upload: Upload, rule: Rule, images: ImageStore) -> str:
    """Why an upload leaves no document; empty if it is to be captioned.

    An object that does not claim to be an image is one only if its first bytes are: 4 KiB are
    read, of what claims to be a video too. Raises Gone.
    """
    if reason := object_metadata.skip_reason(upload):
        return reason
    if rule.skip:
        return "rule"
    claim = claimed(upload)
    if claim is Media.IMAGE or (claim and upload.size == 0):
        return "" if claim is Media.IMAGE or rule.videos else "video"
    if _type(upload) in _SEGMENT_TYPES:
        return "stream_segment"
    if _type(upload).startswith("audio/"):
        return "not_an_image"
    head = first_bytes(upload, images)
    if head[4:8] in _SEGMENT_BOXES:
        return "stream_segment"
    kind = pictures.sniff(head)
    if not rule.videos and (claim if kind is None else kind in pictures.VIDEOS):
        return "video"
    return "" if claim or kind else "not_an_image"


def first_bytes(upload: Upload, images: ImageStore) -> bytes:
    """As many of an upload's first bytes as tell what it is, unpacked. Raises Gone."""
    head = images.read(upload, HEAD_BYTES) if upload.size != 0 else b""
    return pictures.unpacked_head(head) if upload.content_encoding == "gzip" else head


def check(
    upload: Upload, claim: Document, images: ImageStore, settings: Settings, now: datetime
) -> None:
    """Raise PermanentError for a claimed upload that is not worth a download or a call.

    What ends unread is looked for: Gone.
    """
    try:
        _check(upload, claim, images, settings, now)
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
    requested = meant_tag(object_metadata.language(upload).strip(" ,").partition(",")[0])
    return tuple(dict.fromkeys(filter(None, (requested, *wanted))))


def claimed(upload: Upload) -> Media | None:
    """What an upload says that it is, by its type or, where it has none, by its name: an image,
    a video, or None for anything else."""
    kind = _type(upload)
    if kind in _SEGMENT_TYPES:
        return None
    return {"image": Media.IMAGE, "video": Media.VIDEO}.get(kind.partition("/")[0])


def _type(upload: Upload) -> str:
    kind = upload.content_type.partition(";")[0].strip().lower()
    return mimetypes.guess_type(upload.name)[0] or "" if kind in _UNTYPED else kind


def _check(
    upload: Upload, claim: Document, images: ImageStore, settings: Settings, now: datetime
) -> None:
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
    if (upload.size or 0) > settings.max_bytes and not _is_video(upload, images):
        raise PermanentError(
            "too_large",
            f"{upload.size} bytes are more than CAPTION_MAX_BYTES={settings.max_bytes}; upload a "
            "smaller file, or raise the limit and the function's memory",
        )


def _is_video(upload: Upload, images: ImageStore) -> bool:
    """Whether an upload is read by ranges, whatever its size."""
    if claimed(upload) is Media.IMAGE:
        return False
    return (pictures.sniff(first_bytes(upload, images)) or "") in pictures.VIDEOS

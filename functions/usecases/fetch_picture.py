"""Read an image by its generation and prepare it, within bounds on what is held at once."""

from __future__ import annotations

import functools
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime

from functions import pictures
from functions.core.document import Accepts, Media, Picture, Upload
from functions.core.errors import ConfigurationError, PermanentError, TransientError
from functions.core.memory_limiter import UNPACKED_BYTES, MemoryLimiter
from functions.core.outcomes import Outcomes
from functions.core.ports import ImageStore
from functions.core.spans import span
from functions.settings import Settings
from functions.usecases import preflight

# What of a video is in this process at once: one range, twice.
_RANGE_BYTES = 4 << 20
# A video that a model gets as it is: a request holds 14 MB, and each second costs.
_WHOLE_BYTES, _WHOLE_SECONDS = 8 << 20, 60.0


class PictureFetcher:
    """Gets pictures for models and for people; one for all events of an instance.

    An image of more than ``max_bytes`` or ``max_pixels`` is refused; of a video, ``video_bytes``
    are read at most, and it is refused where that is 0. With ``whole_videos``, a short one without
    private data goes as it is to who takes it.
    """

    def __init__(
        self,
        images: ImageStore,
        max_bytes: int,
        max_pixels: int,
        video_bytes: int = 64 << 20,
        *,
        whole_videos: bool = False,
    ) -> None:
        self._whole_videos = whole_videos
        self._images, self._max_bytes, self._max_pixels = images, max_bytes, max_pixels
        self._video_bytes = video_bytes
        self._memory, self._reads = MemoryLimiter(), Outcomes()
        # Of its own, for who waits here holds memory there: in one, two could wait for each other.
        self._memory_of_unpacked = MemoryLimiter(UNPACKED_BYTES)

    @classmethod
    def by(
        cls, settings: Settings, images: ImageStore, *, whole_videos: bool = False
    ) -> PictureFetcher:
        """One with the bounds that ``settings`` name."""
        video_bytes = 0 if settings.video == "off" else settings.video_bytes
        bounds = (settings.max_bytes, settings.max_pixels, video_bytes)
        return cls(images, *bounds, whole_videos=whole_videos)

    def fetch(self, upload: Upload, accepts: Accepts) -> Picture:
        """The picture of exactly this generation, to be released when it has been sent.

        Raises Gone, PermanentError for an image or a video that nobody can read, and
        TransientError where memory or a decoder does not come free in time.
        """
        if preflight.claimed(upload) is not Media.IMAGE and upload.content_encoding != "gzip":
            head = self._read(upload, preflight.HEAD_BYTES)
            if kind := self._check(head):
                return self._watched(upload, kind, accepts)
        if (upload.size or 0) > self._max_bytes:
            raise PermanentError(
                "too_large",
                f"{upload.size} bytes are more than CAPTION_MAX_BYTES={self._max_bytes}; upload a "
                "smaller file, or raise the limit and the function's memory",
            )
        with ExitStack() as taken:
            taken.callback(self._memory.take(upload.size or 0))
            with span("download"):
                data = self._read(upload)
            self._check(pictures.unpacked_head(data[: preflight.HEAD_BYTES]))
            if size := pictures.unpacked_size(data, self._max_bytes):
                taken.callback(self._memory_of_unpacked.take(size))
            with span("prepare"):
                picture = pictures.prepare(data, accepts, self._max_pixels, self._max_bytes)
            picture.on_release = taken.pop_all().close
        return picture

    def _check(self, head: bytes) -> str:
        """The kind of the video that these bytes begin; empty for anything else. Raises
        PermanentError for a video that is to be left alone."""
        kind = pictures.sniff(head) or ""
        if kind not in pictures.VIDEOS:
            return ""
        if not self._video_bytes:
            raise PermanentError(
                "unsupported_type", "It is a video, and CAPTION_VIDEO=off leaves videos alone."
            )
        return kind

    def _watched(self, upload: Upload, kind: str, accepts: Accepts) -> Picture:
        """Moments of a video, of which only what they need is read."""
        if not upload.size:  # an event without one, or a document from before
            upload = self._images.look_up(upload.bucket, upload.name) or upload
        read = functools.partial(self._range, upload)
        with ExitStack() as taken:
            taken.callback(self._memory.take(_RANGE_BYTES))
            with span("prepare"):
                video = pictures.Remote(upload.size or 0, read, self._video_bytes)
                picture = pictures.watch(video, kind, accepts, self._max_pixels)
            if self._whole_videos and kind in accepts.videos and _is_short(upload, picture):
                taken.callback(self._memory_of_unpacked.take(upload.size or 0))
                data = self._read(upload)
                if not pictures.is_private(data):
                    picture = replace(picture, data=data, mime_type=kind, note="")
            picture.on_release = taken.pop_all().close
        return picture

    def _range(self, upload: Upload, start: int, end: int) -> bytes:
        return self._read(upload, end, start)

    def _read(self, upload: Upload, end: int | None = None, start: int = 0) -> bytes:
        """The bytes; where they cannot be had and others' can, that is the image's own fault."""
        now = datetime.now(UTC)
        try:
            data = self._images.read(upload, end, start)
        except (TransientError, ConfigurationError) as error:
            error.own = error.own or self._reads.serves_others(upload.id, now)
            self._reads.note(upload.id, False, now)
            raise
        self._reads.note(upload.id, True, now)
        return data


def _is_short(upload: Upload, picture: Picture) -> bool:
    seconds = picture.duration_seconds or _WHOLE_SECONDS + 1
    return (upload.size or 0) <= _WHOLE_BYTES and seconds <= _WHOLE_SECONDS

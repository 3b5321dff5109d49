"""Read an image by its generation and prepare it, within bounds on what is held at once."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime

from functions import pictures
from functions.core.document import Accepts, Picture, Upload
from functions.core.errors import ConfigurationError, TransientError
from functions.core.memory_limiter import UNPACKED_BYTES, MemoryLimiter
from functions.core.outcomes import Outcomes
from functions.core.ports import ImageStore
from functions.core.spans import span


class PictureFetcher:
    """Gets pictures for models and for people; one for all events of an instance."""

    def __init__(self, images: ImageStore, max_bytes: int, max_pixels: int) -> None:
        self._images, self._max_bytes, self._max_pixels = images, max_bytes, max_pixels
        self._memory, self._reads = MemoryLimiter(), Outcomes()
        # Of its own, for who waits here holds memory there: in one, two could wait for each other.
        self._memory_of_unpacked = MemoryLimiter(UNPACKED_BYTES)

    def fetch(self, upload: Upload, accepts: Accepts) -> Picture:
        """The picture of exactly this generation, to be released when it has been sent.

        Raises Gone, PermanentError for an image that nobody can read, and TransientError where
        memory or a decoder does not come free in time.
        """
        with ExitStack() as taken:
            taken.callback(self._memory.take(upload.size or 0))
            with span("download"):
                data = self._read(upload)
            if size := pictures.unpacked_size(data, self._max_bytes):
                taken.callback(self._memory_of_unpacked.take(size))
            with span("prepare"):
                picture = pictures.prepare(data, accepts, self._max_pixels, self._max_bytes)
            picture.on_release = taken.pop_all().close
        return picture

    def _read(self, upload: Upload) -> bytes:
        """The bytes; where they cannot be had and others' can, that is the image's own fault."""
        now = datetime.now(UTC)
        try:
            data = self._images.read(upload)
        except (TransientError, ConfigurationError) as error:
            error.own = error.own or self._reads.serves_others(upload.id, now)
            self._reads.note(upload.id, False, now)
            raise
        self._reads.note(upload.id, True, now)
        return data

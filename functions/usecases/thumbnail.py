"""Make small pictures of images for people to look at, in every format that is captioned."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from functions.core.document import Accepts, Document, Upload
from functions.usecases.fetch_picture import PictureFetcher

# Pixels of the longer side: a tile, a tile on a dense screen, and one picture at a time.
SIZES = (240, 480, 1024, 1536)
# What browsers show. A picture that is small enough goes as it is, without its private data.
_WEB_TYPES = frozenset({"image/jpeg", "image/png", "image/webp"})
_MOST_BYTES = 4 << 20
# What an instance keeps: a thousand tiles and more.
_KEPT_BYTES = 32 << 20


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small picture, upright, without private data."""

    data: bytes
    mime_type: str


class Thumbnails:
    """Makes thumbnails by the decoder that captions go through, and keeps the latest."""

    def __init__(self, pictures: PictureFetcher, kept_bytes: int = _KEPT_BYTES) -> None:
        self._pictures, self._most = pictures, kept_bytes
        self._kept: OrderedDict[tuple[str, int, int], Thumbnail] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def make(self, document: Document, size: int) -> Thumbnail:
        """The picture that a document describes, its longer side the next of ``SIZES``.

        Raises what :meth:`PictureFetcher.fetch` raises: Gone if the image is no longer the one
        that has this caption.
        """
        side = next((each for each in SIZES if each >= size), SIZES[-1])
        key = (document.id, document.generation, side)
        with self._lock:
            if kept := self._kept.get(key):
                self._kept.move_to_end(key)
                return kept
        where = (document.bucket, document.name, document.generation, document.updated_at)
        picture = self._pictures.fetch(
            Upload(*where, content_type=document.content_type, size=document.size),
            Accepts(_WEB_TYPES, _MOST_BYTES, side),
        )
        made = Thumbnail(picture.data, picture.mime_type)
        picture.release()
        self._keep(key, made)
        return made

    def _keep(self, key: tuple[str, int, int], made: Thumbnail) -> None:
        with self._lock:
            if key in self._kept:
                return
            self._kept[key] = made
            self._bytes += len(made.data)
            while self._bytes > self._most and len(self._kept) > 1:
                _, dropped = self._kept.popitem(last=False)
                self._bytes -= len(dropped.data)

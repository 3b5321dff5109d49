"""Any picture that a website holds -> one that a model takes, and none that can hurt.

::

    kinds          what a file is
    packed         unpacks what is stored with Content-Encoding: gzip
    structure      its size, turn and colours, and what to cut out, without decoding
    embedded_text  what people wrote into it
    decoding       the processes that decode what cannot be passed on, and their bounds
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from dataclasses import replace

from functions.core.document import Accepts, EmbeddedText, Picture
from functions.core.errors import PermanentError
from functions.pictures.decoding import decoders
from functions.pictures.decoding.decoders import DECODERS
from functions.pictures.decoding.ranges import Remote
from functions.pictures.embedded_text import words
from functions.pictures.kinds import HEAD_BYTES, VIDEOS, sniff
from functions.pictures.packed import MAX_UNPACKED, unpacked, unpacked_head, unpacked_size
from functions.pictures.structure import heif, jpeg, png, webp
from functions.pictures.structure.mp4 import is_private
from functions.pictures.structure.survey import Survey

__all__ = [
    "DECODERS",
    "HEAD_BYTES",
    "TARGET_SIDE",
    "VIDEOS",
    "Remote",
    "is_private",
    "prepare",
    "sniff",
    "unpacked_head",
    "unpacked_size",
    "watch",
]

# The longer side of what is decoded. A model counts tokens by its media resolution, not by
# pixels (Gemini 3: 1,120 at HIGH), so more pixels cost upload and processor time and no tokens;
# 1,536 gives each of the 1,120 about 40 x 40 pixels and keeps small print readable.
TARGET_SIDE = 1536

_SURVEYS: dict[str, tuple[Callable[[bytes], Survey], Callable[[Survey, bytes], bytes]]] = {
    "image/jpeg": (jpeg.survey, Survey.cut),
    "image/png": (png.survey, Survey.cut),
    "image/webp": (webp.survey, webp.cut),
    "image/heic": (heif.survey, heif.cut),
    "image/heif": (heif.survey, heif.cut),
    "image/avif": (heif.survey, heif.cut),
}


def prepare(
    data: bytes, accepts: Accepts, max_pixels: int, max_bytes: int = MAX_UNPACKED
) -> Picture:
    """The picture as a model takes it: upright, in bounds, without place, camera or author.

    A file that the model takes as it is loses its metadata and is passed on without decoding; one
    that is stored packed is unpacked before, to at most ``max_bytes``.
    Raises PermanentError for an image nobody can describe, with a message about what to do,
    and TransientError if no decoder came free in time.
    """
    if not data:
        raise PermanentError("empty", "The file is empty. Upload it again.")
    data = unpacked(data, max_bytes)
    kind = sniff(data[:HEAD_BYTES])
    if kind is None:
        raise PermanentError(
            "unsupported_type",
            "The file's content is no image that is known here. Upload a JPEG, PNG, WebP, AVIF, "
            "HEIC, GIF, TIFF, BMP, ICO, JPEG 2000, JPEG XL, SVG, PSD, TGA, PCX, PPM, PDF or "
            "camera's raw file, or a video as MP4, QuickTime, WebM, Matroska or AVI (no "
            "Ogg, WMV, FLV, MPEG-PS, MPEG-TS).",
        )
    if kind in VIDEOS:
        held = Remote(len(data), lambda start, end: data[start:end], most_bytes=sys.maxsize)
        return watch(held, kind, accepts, max_pixels)
    passed, embedded = _passed_on(kind, data, accepts, max_pixels)
    if passed is not None:
        return Picture(passed[0], kind, *passed[1], embedded)
    picture = _decoded(kind, data, accepts, max_pixels)
    if embedded != EmbeddedText():
        picture = replace(picture, embedded=embedded)
    return picture


def watch(video: Remote, kind: str, accepts: Accepts, max_pixels: int) -> Picture:
    """Moments of a video in one picture, read by ranges. Raises as :func:`prepare`, and what
    fetching a range raises."""
    side = min(TARGET_SIDE, accepts.max_side)
    return decoders.watch(video, kind, max_pixels, side, accepts.max_bytes)


def _passed_on(
    kind: str, data: bytes, accepts: Accepts, max_pixels: int
) -> tuple[tuple[bytes, tuple[int, int]] | None, EmbeddedText]:
    """The file as it can go to the model, with its size, and the words in it.

    None for the file where it must be decoded, or where its structure is damaged: a decoder may
    still read it, or say what is wrong with it. The survey ends here: an event may wait long for
    a decoder, and a survey is as large as the file wants.
    """
    if kind not in _SURVEYS:
        return None, EmbeddedText()
    survey, cut = _SURVEYS[kind]
    try:
        found = survey(data)
        width, height = found.upright
        if width * height > max_pixels:
            raise decoders.too_many_pixels(width, height, max_pixels)
        embedded = words.read(found)
        if found.obstacle or kind not in accepts.types or max(width, height) > accepts.max_side:
            return None, embedded
        kept = cut(found, data)
    except (ArithmeticError, LookupError, ValueError, struct.error):
        return None, EmbeddedText()
    return ((kept, (width, height)) if len(kept) <= accepts.max_bytes else None), embedded


def _decoded(kind: str, data: bytes, accepts: Accepts, max_pixels: int) -> Picture:
    side = min(TARGET_SIDE, accepts.max_side)
    return decoders.decode(data, kind, max_pixels, side, accepts.max_bytes)

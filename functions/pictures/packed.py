"""Objects stored with ``Content-Encoding: gzip`` (`gsutil cp -Z`), which browsers unpack."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from functions.core.errors import PermanentError
from functions.pictures.kinds import HEAD_BYTES, SVG, sniff

MAX_UNPACKED = 100 << 20
_GZIP = b"\x1f\x8b"
_STEP = 1 << 20


def unpacked_size(data: bytes, max_bytes: int = MAX_UNPACKED) -> int:
    """How many bytes ``data`` become in ``unpacked``; 0 where they are not packed. What comes out
    is counted and not kept: the size that a packed file tells may be a lie.

    Raises PermanentError for what cannot be unpacked, or is more than ``max_bytes``.
    """
    if not _is_packed(data):
        return 0
    size = 0
    for part in _parts(data):
        size += len(part)
        if size > max_bytes:
            raise PermanentError(
                "too_large",
                f"Unpacked, the object has more bytes than CAPTION_MAX_BYTES={max_bytes}. Upload a "
                "smaller image, without Content-Encoding.",
            )
    return size


def unpacked(data: bytes, max_bytes: int = MAX_UNPACKED) -> bytes:
    """``data`` as a browser sees them. Raises PermanentError as ``unpacked_size``."""
    size = unpacked_size(data, max_bytes)
    if not size:
        return data
    target = bytearray(size)
    at = 0
    for part in _parts(data):
        target[at : at + len(part)] = part
        at += len(part)
    return bytes(target)


def unpacked_head(head: bytes) -> bytes:
    """The first bytes of a packed object, as far as the first bytes of what is stored tell."""
    try:
        return zlib.decompressobj(31).decompress(head, 4096) if _is_packed(head) else head
    except zlib.error:
        return head


def _is_packed(data: bytes) -> bool:
    # A packed drawing is a format of its own (SVGZ), which its reader unpacks.
    return data.startswith(_GZIP) and sniff(data[:HEAD_BYTES]) != SVG


def _parts(data: bytes) -> Iterator[bytes]:
    """What comes out of all members of a gzip file, a step at a time."""
    rest = data
    while rest.startswith(_GZIP):
        inflator = zlib.decompressobj(31)
        try:
            while not inflator.eof:
                part = inflator.decompress(rest, _STEP)
                if not part and not inflator.unconsumed_tail and not inflator.eof:
                    raise zlib.error("ends too early")
                yield part
                rest = inflator.unconsumed_tail
        except zlib.error as error:
            raise PermanentError(
                "corrupt_image",
                "The object is packed with gzip and cannot be unpacked. Upload it again.",
            ) from error
        rest = inflator.unused_data

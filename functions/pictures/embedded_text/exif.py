"""The few EXIF tags that matter here (CIPA DC-008), read without a decoder."""

from __future__ import annotations

import struct

_ORIENTATION, _DESCRIPTION = 0x0112, 0x010E
_XP = {0x9C9B: "title", 0x9C9C: "comment", 0x9C9F: "subject"}  # Windows' own, UTF-16
# 129 is Exif 3.0's UTF-8.
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 7: 1, 129: 1}
_MAX_TEXT, _MAX_TAGS = 8192, 512


def orientation(tiff: bytes) -> int:
    """1 to 8; 1 where nothing sensible is said."""
    value = _tags(tiff, {_ORIENTATION}).get(_ORIENTATION, b"\0")
    turned = int.from_bytes(value, "little")
    return turned if 1 <= turned <= 8 else 1


def texts(tiff: bytes) -> dict[str, bytes | str]:
    """``description`` in bytes whose encoding nobody states, and Windows' texts."""
    tags = _tags(tiff, {_DESCRIPTION, *_XP})
    found: dict[str, bytes | str] = {
        name: tags[tag].decode("utf-16-le", "ignore") for tag, name in _XP.items() if tag in tags
    }
    if _DESCRIPTION in tags:
        found["description"] = tags[_DESCRIPTION]
    return found


def _tags(tiff: bytes, wanted: set[int]) -> dict[int, bytes]:
    """The first directory's values for ``wanted``, numbers turned little-endian."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    found: dict[int, bytes] = {}
    if order is None or len(tiff) < 8:
        return found
    (start,) = struct.unpack_from(order + "I", tiff, 4)
    if start + 2 > len(tiff):
        return found
    (count,) = struct.unpack_from(order + "H", tiff, start)
    count = min(count, (len(tiff) - start - 2) // 12, _MAX_TAGS)
    for at in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, length = struct.unpack_from(order + "HHI", tiff, at)
        if tag not in wanted or kind not in _SIZES:
            continue
        size = _SIZES[kind] * length
        where = at + 8 if size <= 4 else struct.unpack_from(order + "I", tiff, at + 8)[0]
        value = tiff[where : where + min(size, _MAX_TEXT)]
        if _SIZES[kind] > 1 and order == ">":
            value = value[: _SIZES[kind]][::-1]
        found.setdefault(tag, value)
    return found

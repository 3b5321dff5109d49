"""What stands in an MP4 file beside its pictures and its sound (ISO/IEC 14496-12)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from functions.pictures.structure.survey import MAX_PARTS, Damaged, number

# Boxes that hold others, and boxes of numbers that say how pictures and sound are stored.
_HOLDERS = frozenset({b"moov", b"trak", b"edts", b"mdia", b"minf", b"dinf", b"stbl"})
_PLAIN = frozenset(
    b"ftyp mdat mvhd tkhd elst mdhd vmhd smhd dref stsd stts stss stsc stsz stco co64 ctts "
    b"sgpd sbgp sdtp cslg".split()
)
_ROOM = frozenset({b"free", b"skip", b"wide"})
_TIMED = frozenset({b"mvhd", b"tkhd", b"mdhd"})
_SHOWN, _HEARD = b"vide", b"soun"
_DEPTH = 6
# User data that say no more than which version of FFmpeg has written the file.
_FFMPEG = re.compile(
    rb"\x00{3}.meta\x00{7}.hdlr\x00{8}mdirappl\x00{12}.ilst"
    rb"(?:\x00{3}.\xa9too\x00{3}.data\x00{3}\x01\x00{4}Lavf[\d.]{1,20})?",
    re.DOTALL,
)


def is_private(data: bytes) -> bool:
    """Whether a file may say more than it shows: a place, a time, a camera, a person's notes, a
    track of something else, or a box that is not known here. A list of what is allowed: what
    cameras will write tomorrow is private too."""
    try:
        parts = list(_boxes(data, 0, len(data), 0))
        return len(parts) > MAX_PARTS or any(_tells(data, *each) for each in parts)
    except Damaged:
        return True


def _boxes(data: bytes, at: int, end: int, depth: int) -> Iterator[tuple[bytes, int, int]]:
    """Each box with where its content begins and ends."""
    while at < end:
        size, name, begin = number(data, at), data[at + 4 : at + 8], at + 8
        if size == 1:
            size, begin = number(data, at + 8, 8), at + 16
        after = at + size if size else end
        if not begin <= after <= end or depth > _DEPTH:
            raise Damaged("a box that does not fit")
        if name in _HOLDERS:
            yield from _boxes(data, begin, after, depth + 1)
        else:
            yield name, begin, after
        at = after


def _tells(data: bytes, name: bytes, begin: int, end: int) -> bool:
    content = data[begin:end]
    if name in _ROOM:
        return any(content)
    if name == b"hdlr":
        return content[8:12] not in (_SHOWN, _HEARD)
    if name == b"udta":
        return not _FFMPEG.fullmatch(content)
    if name in _TIMED:  # when it was made and changed
        return any(content[4 : 4 + (16 if content[:1] == b"\1" else 8)])
    return name not in _PLAIN

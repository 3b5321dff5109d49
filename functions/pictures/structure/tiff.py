"""TIFF's structure (TIFF 6.0, BigTIFF): directories, and what in them decides how to read it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

_SUBFILE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 254, 256, 257, 258, 259, 262
_ORIENTATION, _SAMPLE_FORMAT, _SUBDIRECTORIES, _DNG = 274, 339, 330, 50706
_SAMPLES, _EXTRA_SAMPLES = 277, 338
_WANTED = {
    *(_SUBFILE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC),
    *(_ORIENTATION, _SAMPLE_FORMAT, _SUBDIRECTORIES, _DNG, _SAMPLES, _EXTRA_SAMPLES),
}
_FORMATS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
# Documents of more pages, and directories of more tags, are read as far as this.
_MAX_DIRECTORIES, _MAX_TAGS, _MAX_VALUES = 1000, 512, 16
# Sensors' values instead of pixels: colour filter array, linear raw; makers' own compressions.
_RAW_PHOTOMETRICS = {32803, 34892}
_RAW_COMPRESSIONS = {32767, 32769, 32770, 34713, 65000}
_YCBCR, _JPEGS = 6, {6, 7}
# Samples that are colours: grey, RGB, CMYK, YCbCr, L*a*b*.
_COLOURS = {0: 1, 1: 1, 2: 3, 5: 4, 6: 3, 8: 3}
_ALPHAS = {1, 2}  # associated, unassociated
# What libtiff reads here: none, fax, LZW, JPEG, Deflate, PackBits, LZMA, Zstandard, WebP.
_KNOWN = {1, 2, 3, 4, 5, 6, 7, 8, 32771, 32773, 32946, 34925, 50000, 50001}


@dataclass(frozen=True, slots=True)
class Directory:
    """One image of the file: the ``page``-th of its chain, or the ``sub``-th below that."""

    page: int
    sub: int
    tags: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def first(self, tag: int, default: int = 0) -> int:
        return next(iter(self.tags.get(tag, ())), default)

    @property
    def whole(self) -> bool:
        """Neither a thumbnail nor a mask."""
        return not self.first(_SUBFILE) & 0b101

    @property
    def raw(self) -> bool:
        """A camera sensor's values, from which a picture has yet to be made."""
        return (
            _DNG in self.tags
            or self.first(_PHOTOMETRIC) in _RAW_PHOTOMETRICS
            or self.first(_COMPRESSION) in _RAW_COMPRESSIONS
        )

    @property
    def unknown_coding(self) -> int:
        """The number of a compression that no decoder here knows; 0 for the others."""
        coding = self.first(_COMPRESSION, 1)
        return 0 if coding in _KNOWN else coding

    @property
    def orientation(self) -> int:
        turned = self.first(_ORIENTATION, 1)
        return turned if 1 <= turned <= 8 else 1

    @property
    def shown_bands(self) -> int:
        """How many bands are colours and their transparency, where there are more: masks, saved
        selections and spot colours are not to be seen. 0 where all bands are."""
        colours, samples = _COLOURS.get(self.first(_PHOTOMETRIC, -1), 0), self.first(_SAMPLES, 1)
        alpha = self.first(_EXTRA_SAMPLES) in _ALPHAS
        return colours + alpha if colours and samples > colours + alpha else 0

    @property
    def needs_libtiff_colours(self) -> bool:
        """YCbCr that is not in a JPEG: libvips takes its three bands for red, green and blue."""
        return self.first(_PHOTOMETRIC) == _YCBCR and self.first(_COMPRESSION) not in _JPEGS


def directories(data: bytes) -> list[Directory]:
    """All images of a file, those of the chain before the ones below them; empty where the data
    are no TIFF. What is broken ends the list."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or len(data) < 16:
        return []
    big = data[2:4] in (b"+\0", b"\0+")
    (start,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
    chain: list[Directory] = []
    below: list[Directory] = []
    seen: set[int] = set()
    while start and start not in seen and len(seen) < _MAX_DIRECTORIES:
        seen.add(start)
        tags, after = _read(data, start, order, big)
        if not tags:
            break
        chain.append(Directory(len(chain), -1, tags))
        for at, where in enumerate(tags.get(_SUBDIRECTORIES, ())):
            if where not in seen and len(seen) < _MAX_DIRECTORIES:
                seen.add(where)
                below.append(Directory(len(chain) - 1, at, _read(data, where, order, big)[0]))
        start = after
    return chain + below


def main(found: list[Directory]) -> Directory:
    """The image that a viewer shows: the first that is whole."""
    return next((each for each in found if each.whole and each.tags), found[0])


def is_raw(data: bytes, found: list[Directory]) -> bool:
    """Whether a camera's raw file has TIFF's form (DNG, NEF, CR2, ARW, PEF ...)."""
    return data[8:10] == b"CR" or any(each.raw for each in found)


def _read(data: bytes, start: int, order: str, big: bool) -> tuple[dict[int, tuple[int, ...]], int]:
    """The wanted tags of the directory at ``start``, and where the next one is."""
    try:
        (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, start)
        at, step = start + (8 if big else 2), 20 if big else 12
        tags = dict(_values(data, at, step, min(count, _MAX_TAGS), order))
        if count > _MAX_TAGS:
            return tags, 0
        (after,) = struct.unpack_from(order + ("Q" if big else "I"), data, at + step * count)
    except struct.error:
        return {}, 0
    return tags, after


def _values(
    data: bytes, at: int, step: int, count: int, order: str
) -> Iterator[tuple[int, tuple[int, ...]]]:
    wide = "Q" if step == 20 else "I"
    for here in range(at, at + step * count, step):
        tag, kind, number = struct.unpack_from(f"{order}HH{wide}", data, here)
        if tag not in _WANTED or kind not in _FORMATS or not number:
            continue
        number = min(number, _MAX_VALUES)
        where = here + (12 if wide == "Q" else 8)
        if struct.calcsize(_FORMATS[kind]) * number > struct.calcsize(wide):
            (where,) = struct.unpack_from(order + wide, data, where)
        yield tag, struct.unpack_from(f"{order}{number}{_FORMATS[kind]}", data, where)

"""What a look at a file's structure tells, before and without decoding it."""

from __future__ import annotations

from dataclasses import dataclass, field

# Structures of honest files stay far below; a walk over more would be a denial of service.
MAX_PARTS = 10_000
# No more blocks of metadata than this are read; the rest is cut out unread.
MAX_NOTES = 64
# Text and profiles larger than this are not text and not profiles.
MAX_METADATA = 1 << 20


class Damaged(ValueError):
    """The structure is not what its specification says. Pixels may still come out of it."""


@dataclass(slots=True)
class Survey:
    """Size, orientation, where the pixels and the metadata are.

    ``width`` and ``height`` are as stored; ``orientation`` is EXIF's, 1 to 8. ``obstacle`` says
    why the file cannot go to a model as it is; if empty, the bytes of ``keep`` can,
    with ``blanks`` written over what starts there. ``cicp`` and ``gamma`` are colours told by
    numbers, where they are not sRGB's; ``coding`` is that of a HEIF file's pixels. ``inflatable``
    is what is left for notes that are inflated.
    """

    width: int = 0
    height: int = 0
    orientation: int = 1
    obstacle: str = ""
    coding: bytes = b""
    cicp: bytes = b""
    gamma: float = 0.0
    keep: list[tuple[int, int]] = field(default_factory=list)
    blanks: dict[int, bytes] = field(default_factory=dict)
    exif: bytes = b""
    xmp: bytes = b""
    iptc: bytes = b""
    icc: bytes = b""
    texts: dict[str, bytes] = field(default_factory=dict)
    notes: int = 0
    inflatable: int = MAX_METADATA

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height as a viewer shows them."""
        if self.orientation >= 5:
            return self.height, self.width
        return self.width, self.height

    def hold(self, start: int, end: int) -> None:
        """Keep these bytes; they follow the ones kept before."""
        last = self.keep[-1] if self.keep else (0, -1)
        if last[1] == start and last[0] not in self.blanks and start not in self.blanks:
            self.keep[-1] = (self.keep[-1][0], end)
        else:
            self.keep.append((start, end))

    def put(self, start: int, end: int, instead: bytes) -> None:
        """Write ``instead`` in the place of these bytes."""
        self.blanks[start] = instead
        self.hold(start, end)

    def cut(self, data: bytes) -> bytes:
        """``data`` without what is not kept: the same object if all is, else one copy."""
        if self.keep == [(0, len(data))] and not self.blanks:
            return data
        view = memoryview(data)
        return b"".join([self.blanks.get(start) or view[start:end] for start, end in self.keep])


def number(data: bytes, at: int, size: int = 4) -> int:
    """A big-endian number; Damaged if the data end before it does."""
    if at < 0 or at + size > len(data):
        raise Damaged("the file ends too early")
    return int.from_bytes(data[at : at + size], "big")

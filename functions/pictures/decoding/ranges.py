"""A file that is read where it is needed, a block at a time, from whoever has it.

A decoder's process has no network: it reads ``Ranges``, whose blocks its parent serves over
their pipe from a ``Remote`` file, within bounds.
"""

from __future__ import annotations

import io
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

# A key frame of a small video is about as large; from the third one on in one place, blocks
# double.
_BLOCK, _LARGEST = 128 << 10, 2 << 20
# What is kept: a container's index, and a few places to go back to.
_KEPT = 16 << 20
# What all fetching for one file may take: storage answers in 0.05 s.
_FETCHING_SECONDS = 40.0


@dataclass(slots=True)
class Remote:
    """A file of ``size`` bytes somewhere else, of which ``fetch(start, end)`` gets a range.

    ``most_bytes`` may be read of it in all; ``read`` have been.
    """

    size: int
    fetch: Callable[[int, int], bytes]
    most_bytes: int
    read: int = 0
    _waited: float = 0.0
    _since: float = field(default=0.0)

    def serve(self, start: object, end: object) -> bytes | None:
        """The range, as a decoder asks for it; None where it may not have it: it is not in the
        file, too long, or more than all bounds. Raises what ``fetch`` raises."""
        if type(start) is not int or type(end) is not int:
            return None
        if not 0 <= start < end <= self.size or end - start > _LARGEST:
            return None
        if self.read + end - start > self.most_bytes or self.waited > _FETCHING_SECONDS:
            return None
        self.read += end - start
        self._since = time.monotonic()
        try:
            return self.fetch(start, end)
        finally:
            self._waited, self._since = self.waited, 0.0

    @property
    def waited(self) -> float:
        """Seconds that went into fetching, up to now."""
        return self._waited + (time.monotonic() - self._since if self._since else 0.0)


class Ranges(io.RawIOBase):
    """A file of ``size`` bytes that is seekable and whose bytes ``fetch(start, end)`` gets.

    ``fetch`` raises OSError where no more may be read.
    """

    def __init__(self, size: int, fetch: Callable[[int, int], bytes]) -> None:
        self.size, self._fetch = size, fetch
        self._at = self._next = 0
        # Blocks that were read one after the other.
        self._run = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._held = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        if start + offset < 0:
            raise OSError("a place before the file")
        self._at = start + offset
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes from here on; fewer where a block ends, none at the end."""
        left = max(0, self.size - self._at)
        size = left if size < 0 else min(size, left)
        if size == 0:
            return b""
        start, block = self._block(self._at)
        found = block[self._at - start : self._at - start + size]
        self._at += len(found)
        return found

    def exactly(self, start: int, size: int) -> bytes:
        """``size`` bytes from ``start``; fewer only at the end of the file."""
        self.seek(start)
        parts = []
        while size and (part := self.read(size)):
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _block(self, at: int) -> tuple[int, bytes]:
        for start, block in reversed(self._blocks.items()):
            if start <= at < start + len(block):
                self._blocks.move_to_end(start)
                return start, block
        start = at if at == self._next else at - at % _BLOCK
        self._run = self._run + 1 if at == self._next else 0
        size = min(_BLOCK << max(0, self._run - 1), _LARGEST)
        block = self._fetch(start, min(self.size, start + size))
        if len(block) <= at - start:
            raise OSError("the file ends before its end")
        self._next = start + len(block)
        self._keep(start, block)
        return start, block

    def _keep(self, start: int, block: bytes) -> None:
        self._held += len(block) - len(self._blocks.pop(start, b""))
        self._blocks[start] = block
        while self._held > _KEPT and len(self._blocks) > 1:
            _, dropped = self._blocks.popitem(last=False)
            self._held -= len(dropped)

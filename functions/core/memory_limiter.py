"""A bound on the bytes of pictures held at once, whatever the number of events at work."""

from __future__ import annotations

import threading
from collections.abc import Callable

from functions.core.errors import TransientError

# 80 concurrent events with files of 4 MB must fit a 512 MiB instance, of which the clients
# take 110 MB, and a picture may stand in memory twice while its metadata is cut out.
LIMIT_BYTES = 64 * 2**20
# What objects that are stored packed become.
UNPACKED_BYTES = 32 * 2**20
WAIT_SECONDS = 45.0


class MemoryLimiter:
    """Events take room for a file before they read it, and free it when it has been sent."""

    def __init__(self, size: int = LIMIT_BYTES, wait: float = WAIT_SECONDS) -> None:
        self._size = self._left = size
        self._wait = wait
        self._changed = threading.Condition()

    def take(self, amount: int) -> Callable[[], None]:
        """Wait for room for ``amount`` bytes (all of it, if that is more than there is).

        Returns the function that frees it; calling that again does nothing. Raises
        TransientError if there is no room in time.
        """
        amount = min(amount, self._size)
        with self._changed:
            if not self._changed.wait_for(lambda: self._left >= amount, self._wait):
                raise TransientError(
                    "too many large images at once; lower the function's concurrency "
                    "or raise its maximum of instances if this goes on"
                )
            self._left -= amount
        taken = [amount]

        def free() -> None:
            with self._changed:
                self._left += taken.pop() if taken else 0
                self._changed.notify_all()

        return free

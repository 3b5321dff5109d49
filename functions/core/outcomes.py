"""Whether a service serves others: what tells an image's own fault from an outage."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

# Longer ago, it was another world.
LATELY = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class _ImageOutcome:
    image: str
    served: bool
    at: datetime


class Outcomes:
    """The last outcome of each of the two images that had one last. Safe under threads."""

    def __init__(self) -> None:
        self._last: tuple[_ImageOutcome, ...] = ()
        self._lock = threading.Lock()

    def note(self, image: str, served: bool, at: datetime) -> None:
        """A service served ``image``, or failed over it."""
        with self._lock:
            others = [each for each in self._last if each.image != image]
            self._last = (_ImageOutcome(image, served, at), *others[:1])

    def serves_others(self, image: str, now: datetime) -> bool:
        """Whether the last other image was served, and lately: ``image`` fails by itself."""
        others = [each for each in self._last if each.image != image]
        return bool(others) and others[0].served and abs(now - others[0].at) < LATELY

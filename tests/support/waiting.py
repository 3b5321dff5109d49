"""Waiting for what other threads and processes come to."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 60.0
T = TypeVar("T")


def until(holds: Callable[[], T], what: str = "it", patience: float = PATIENCE) -> T:
    """What ``holds`` comes to, once it does. Fails after ``patience`` seconds, with ``what`` has
    not come."""
    deadline = time.monotonic() + patience
    while not (found := holds()):
        assert time.monotonic() < deadline, f"{what}: not within {patience} s"
        time.sleep(0.005)
    return found

"""Waiting for what other threads and processes come to."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

PATIENCE = 60.0


def until(holds: Callable[[], Any], what: str = "it", patience: float = PATIENCE) -> None:
    """Wait until ``holds`` does. Fails after ``patience`` seconds, with ``what`` has not come."""
    deadline = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < deadline, f"{what}: not within {patience} s"
        time.sleep(0.005)

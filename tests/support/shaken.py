"""Threads that begin late and in any order (``make shake``), as they do on a busy machine.

A test that counts on which of its threads comes first fails here soon, and otherwise once in a
hundred runs.
"""

from __future__ import annotations

import functools
import random
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import thread
from typing import Any

_MOST_SECONDS = 0.1
_SWITCH_SECONDS = 1e-4


def late(begin: Callable[..., Any]) -> Callable[..., Any]:
    """``begin``, of which half of the calls begin later."""

    @functools.wraps(begin)
    def begun_late(*args: Any) -> Any:
        if random.random() < 0.5:
            time.sleep(random.uniform(0, _MOST_SECONDS))
        return begin(*args)

    return begun_late


def pytest_configure() -> None:
    start = threading.Thread.start

    def start_late(started: Any) -> None:
        started.run = late(started.run)
        start(started)

    sys.setswitchinterval(_SWITCH_SECONDS)
    threading.Thread.start = start_late  # type: ignore[method-assign]
    thread._WorkItem.run = late(thread._WorkItem.run)  # a pool's threads are there already

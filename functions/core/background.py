"""Work beside work: what does not depend on each other does not wait for each other."""

from __future__ import annotations

import contextvars
import functools
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

# As many as an instance has events at work, and more would be of no use.
_MOST = 256

# Begins some work; the future has what it returns or raises.
Start = Callable[[Callable[[], T]], Future[T]]


def start(work: Callable[[], T]) -> Future[T]:
    """Begin ``work`` in a thread, with the caller's context, so that spans belong together."""
    return _threads().submit(contextvars.copy_context().run, work)


def at_once(work: Callable[[], T]) -> Future[T]:
    """Do ``work`` here and now: one thing after the other, for who repeats a run exactly."""
    done = Future[T]()
    try:
        done.set_result(work())
    except Exception as error:
        done.set_exception(error)
    return done


@functools.cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_MOST, "beside")

"""How many bytes of pictures are held at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from functions.core.errors import TransientError
from functions.core.memory_limiter import MemoryLimiter


def test_no_more_bytes_are_held_than_the_limit() -> None:
    limiter, held, most = MemoryLimiter(100), [0], [0]
    lock = threading.Lock()

    def work(_: int) -> None:
        free = limiter.take(30)
        with lock:
            held[0] += 30
            most[0] = max(most[0], held[0])
        with lock:
            held[0] -= 30
        free()

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(200)))
    assert 30 <= most[0] <= 90


def test_a_file_larger_than_the_limit_waits_for_all_of_it() -> None:
    limiter = MemoryLimiter(100, wait=0.01)
    free = limiter.take(1000)
    with pytest.raises(TransientError, match="concurrency"):
        limiter.take(1)
    free()
    limiter.take(100)


def test_freeing_twice_frees_once() -> None:
    limiter = MemoryLimiter(100, wait=0.01)
    free = limiter.take(60)
    free()
    free()
    limiter.take(100)
    with pytest.raises(TransientError):
        limiter.take(1)

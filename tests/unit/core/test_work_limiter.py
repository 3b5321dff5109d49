"""How many events work at once, and in which order."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from functions.core.work_limiter import WorkLimiter
from tests.support.waiting import until

# Who waits for an event gives up before the event does, which would let others go on.
PATIENCE, EVENT_PATIENCE, LONG = 20.0, 60.0, 1000.0


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as threads:
        yield threads


def busy(at_once: int) -> WorkLimiter:
    """One whose processor is never idle, and where nobody loses patience."""
    return WorkLimiter(at_once, processor=time.monotonic, patience=LONG)


class Event:
    """An event that works until it is let go."""

    def __init__(self, limiter: WorkLimiter, order: list[Event]) -> None:
        self._limiter, self._order = limiter, order
        self._go = threading.Event()

    def __call__(self) -> None:
        with self._limiter.working():
            self._order.append(self)
            assert self._go.wait(EVENT_PATIENCE)

    def let_go(self) -> None:
        self._go.set()


def test_no_more_events_work_than_may_and_the_others_follow_in_the_order_of_coming(
    pool: ThreadPoolExecutor,
) -> None:
    limiter, order = busy(2), list[Event]()
    events = [Event(limiter, order) for _ in range(6)]
    running = []
    for count, event in enumerate(events, 1):
        running.append(pool.submit(event))
        until(lambda count=count: len(order) + limiter.in_line == count, patience=PATIENCE)
    for gone, event in enumerate(events):
        until(lambda gone=gone: len(order) == min(gone + 2, 6), patience=PATIENCE)
        event.let_go()
    wait(running, PATIENCE)
    assert order == events


@pytest.mark.parametrize(
    "limiter",
    [
        WorkLimiter(1, processor=lambda: 0.0, patience=LONG),
        WorkLimiter(1, processor=time.monotonic, patience=0.05),
    ],
    ids=["leave the processor idle", "keep it busy for longer than anybody has patience"],
)
def test_one_more_works_where_those_at_work(pool: ThreadPoolExecutor, limiter: WorkLimiter) -> None:
    order = list[Event]()
    events = [Event(limiter, order) for _ in range(3)]
    running = [pool.submit(event) for event in events]
    until(lambda: len(order) == 3, patience=PATIENCE)
    for event in events:
        event.let_go()
    wait(running, PATIENCE)


def test_others_work_while_one_waits_which_then_stands_behind_them(
    pool: ThreadPoolExecutor,
) -> None:
    limiter, order, arrived = busy(1), list[Event](), threading.Event()
    other = Event(limiter, order)

    def waits() -> list[Event]:
        with limiter.working():
            with limiter.waiting():
                assert arrived.wait(PATIENCE)
            return list(order)

    waiting, working = pool.submit(waits), pool.submit(other)
    until(lambda: order == [other], patience=PATIENCE)
    arrived.set()
    other.let_go()
    assert waiting.result(PATIENCE) == [other]
    working.result(PATIENCE)


def test_what_fails_makes_room(pool: ThreadPoolExecutor) -> None:
    limiter, order = busy(1), list[Event]()
    with pytest.raises(LookupError), limiter.working(), limiter.waiting():
        raise LookupError
    event = Event(limiter, order)
    event.let_go()
    pool.submit(event).result(PATIENCE)

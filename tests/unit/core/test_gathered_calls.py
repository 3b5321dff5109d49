"""Calls of those who ask at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from functions.core.document import Document
from functions.core.errors import TransientError
from functions.core.gathered_calls import MOST_TOGETHER, GatheredCalls
from tests.support.documents import plain_document

LONG = 60.0


class Store:
    """Holds the first round trip until it is let go on; notes what each was asked for."""

    def __init__(self, failing: bool = False) -> None:
        self.asked: list[list[str]] = []
        self.arrived, self.go_on = threading.Event(), threading.Event()
        self.failing = failing

    def load(self, keys: Iterable[str]) -> Mapping[str, Document]:
        self.asked.append(list(keys))
        first = len(self.asked) == 1
        if first:
            self.arrived.set()
            assert self.go_on.wait(LONG)
        if self.failing and not first:
            raise TransientError("down")
        return {key: plain_document(key) for key in self.asked[-1] if key != "gone"}


def waiting(calls: GatheredCalls[Document], number: int) -> None:
    """Wait until so many stand in the queue."""
    for _ in range(6000):
        if len(calls._waiting) == number:
            return
        threading.Event().wait(0.01)
    raise AssertionError("nobody waits")


def begun(
    pool: ThreadPoolExecutor, calls: GatheredCalls[Document], store: Store, *asked: list[str]
) -> list[Future[Mapping[str, Document]]]:
    """A round trip that goes on, and behind it those who ask meanwhile, in their order."""
    futures = [pool.submit(calls.call, ["first"])]
    assert store.arrived.wait(LONG)
    for number, keys in enumerate(asked, 1):
        futures.append(pool.submit(calls.call, keys))
        waiting(calls, number)
    return futures


def test_who_comes_while_a_round_trip_goes_on_goes_with_the_next_all_together() -> None:
    store = Store()
    calls = GatheredCalls(store.load, at_once=1, patience=LONG)
    with ThreadPoolExecutor(9) as pool:
        _, *others = begun(pool, calls, store, ["a"], ["b", "gone"], ["c"])
        store.go_on.set()
        a, b, c = (each.result(LONG) for each in others)
    assert store.asked == [["first"], ["a", "b", "gone", "c"]]
    assert a["a"].name == "a"
    assert (b["b"].name, b.get("gone")) == ("b", None)
    assert c["c"].name == "c"


def test_a_failure_is_told_to_all_who_went_together_and_the_next_may_go() -> None:
    store = Store(failing=True)
    calls = GatheredCalls(store.load, at_once=1, patience=LONG)
    with ThreadPoolExecutor(9) as pool:
        first, *others = begun(pool, calls, store, ["a"], ["b"])
        store.go_on.set()
        assert first.result(LONG)
        for each in others:
            with pytest.raises(TransientError):
                each.result(LONG)
    store.failing = False
    assert calls.call(["a"])["a"].name == "a"


def test_who_has_waited_long_enough_takes_along_who_waits() -> None:
    store = Store()
    calls = GatheredCalls(store.load, at_once=1, most=2, patience=LONG)
    with ThreadPoolExecutor(4) as pool:
        first, *others = begun(pool, calls, store, ["a"], ["b"])
        calls.patience = 0.01
        assert pool.submit(calls.call, ["c"]).result(LONG)["c"].name == "c"
        assert others[0].result(LONG)["a"].name == "a"
        store.go_on.set()
        assert others[1].result(LONG)["b"].name == "b"
        assert first.result(LONG)
    assert store.asked == [["first"], ["c", "a"], ["b"]]


def test_who_has_waited_long_enough_goes_on_its_own() -> None:
    store = Store()
    calls = GatheredCalls(store.load, at_once=1, patience=0.01)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(calls.call, ["first"])
        assert store.arrived.wait(LONG)
        assert pool.submit(calls.call, ["a"]).result(LONG)["a"].name == "a"
        store.go_on.set()
        assert first.result(LONG)
    assert calls.call(["b"])["b"].name == "b"
    assert store.asked == [["first"], ["a"], ["b"]]


def test_a_round_trip_takes_no_more_together_than_is_quick() -> None:
    store = Store()
    calls = GatheredCalls(store.load, at_once=1, patience=LONG)
    page = [str(number) for number in range(MOST_TOGETHER)]
    with ThreadPoolExecutor(9) as pool:
        futures = begun(pool, calls, store, page, ["a"], ["b"])
        store.go_on.set()
        assert all(each.result(LONG) for each in futures)
    assert store.asked == [["first"], page, ["a", "b"]]

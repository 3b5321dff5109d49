"""Many deliveries at once: one effect, one call."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.support.answers import gemini
from tests.support.pictures import jpeg
from tests.support.stack import Cloud, Stack

# The platform's is ten seconds. All of an event's outlast what nobody is asked for after failures.
_PAUSE_SECONDS = 0.1


def delivered(stack: Stack, events: list[dict[str, Any]], at_once: int = 16) -> list[int]:
    """The statuses of the first delivery of each; every one is then redelivered until it is
    acknowledged, as the platform does."""
    with ThreadPoolExecutor(at_once) as pool:
        first = list(pool.map(stack.deliver, events))
    for event in events:
        for _ in range(40):
            if stack.deliver(event) == 200:
                break
            time.sleep(_PAUSE_SECONDS)
        else:
            raise AssertionError(f"never acknowledged: {event['name']}")
    return first


def test_a_storm_of_duplicates_has_one_effect_and_one_call(stack: Stack) -> None:
    stack.model.delay = 0.2
    event = stack.put("a.jpg", jpeg())
    try:
        statuses = delivered(stack, [event] * 60)
    finally:
        stack.model.delay = 0

    assert stack.model.count == 1
    assert set(statuses) <= {200, 500}
    document = stack.document("a.jpg")
    assert document
    assert (document["status"], document["usage"]["model_calls"]) == ("captioned", 1)
    assert stack.metadata("a.jpg")["alt-text"] == document["alt_text"]


def test_the_same_bytes_uploaded_at_once_under_many_names_cost_one_call(stack: Stack) -> None:
    stack.model.delay = 0.2
    events = [stack.put(f"{number}.jpg", jpeg()) for number in range(12)]
    try:
        delivered(stack, events)
    finally:
        stack.model.delay = 0

    assert stack.model.count == 1
    texts = {(stack.document(event["name"]) or {})["alt_text"] for event in events}
    assert len(texts) == 1


def test_a_third_of_answers_failing_delays_captions_and_loses_none(stack: Stack) -> None:
    turn = iter(range(10**6))

    def sometimes(call: Any) -> Any:
        return gemini.ERRORS["overloaded"] if next(turn) % 3 == 0 else gemini.good()

    stack.model.always(sometimes)
    events = [stack.put(f"{number}.jpg", jpeg(number)) for number in range(18)]
    delivered(stack, events)

    for event in events:
        document = stack.document(event["name"])
        assert document
        assert (document["status"], document["metadata_synced"]) == ("captioned", True)
    assert stack.model.count < 2 * len(events)


def test_overwrites_that_race_leave_the_newest_generation(stack: Stack) -> None:
    events = [stack.put("a.jpg", jpeg(number)) for number in range(8)]
    delivered(stack, events)

    document = stack.document("a.jpg")
    assert document
    assert document["generation"] == events[-1]["generation"]
    assert document["status"] == "captioned"


def test_every_write_to_an_object_is_conditional(cloud: Cloud) -> None:
    delivered(cloud, [cloud.put(f"{number}.jpg", jpeg(number)) for number in range(4)])

    patches = cloud.storage.sent("PATCH")
    assert patches
    for request in patches:
        assert request.query["ifGenerationMatch"]
        assert request.query["ifMetagenerationMatch"]
    for request in cloud.storage.sent("GET", "download"):
        assert request.query["ifGenerationMatch"]

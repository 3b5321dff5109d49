"""kill -9 of a real process at every step of an upload: the end is that of a clean run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.answers import Answer
from tests.support.model_server import Call, Script, good
from tests.support.pictures import jpeg
from tests.support.serving import Served, serving
from tests.support.stack import Cloud
from tests.support.waiting import until

NAME = "a/b c.jpg"
MODEL_SECONDS = 0.5
# What differs between two runs that end alike.
_OWN = {
    *("created_at", "updated_at", "captioned_at", "generation", "attempts", "usage"),
}

Plan = Callable[[Cloud, Callable[[], None]], None]


def _kill_when_the_download_is_asked_for(stack: Cloud, kill: Callable[[], None]) -> None:
    stack.storage.fail("GET", NAME, kill)


def _kill_when_the_model_is_asked(stack: Cloud, kill: Callable[[], None]) -> None:
    stack.model.answer(_doing(kill, 0, 0))


def _kill_while_the_model_answers(stack: Cloud, kill: Callable[[], None]) -> None:
    stack.model.answer(_doing(kill, MODEL_SECONDS, MODEL_SECONDS))


def _kill_when_the_metadata_is_to_be_written(stack: Cloud, kill: Callable[[], None]) -> None:
    stack.storage.fail("PATCH", NAME, kill)


def _kill_while_the_caption_is_embedded(stack: Cloud, kill: Callable[[], None]) -> None:
    stack.model.embed(_doing(kill, 0, 0))


def _kill_when_the_metadata_has_been_written(stack: Cloud, kill: Callable[[], None]) -> None:
    stack.storage.fail("PATCH", NAME, kill, after=True)


# Where the process dies, and how many model calls the upload costs in all. A clean run costs one.
KILL_POINTS: dict[str, tuple[Plan, int]] = {
    "after the claim": (_kill_when_the_download_is_asked_for, 1),
    "after the download": (_kill_when_the_model_is_asked, 2),
    "during the model call": (_kill_while_the_model_answers, 2),
    "after the Firestore write": (_kill_when_the_metadata_is_to_be_written, 1),
    "while the caption is embedded": (_kill_while_the_caption_is_embedded, 1),
    "after the metadata write": (_kill_when_the_metadata_has_been_written, 1),
}


@pytest.fixture
def start(cloud: Cloud, tmp_path: Path) -> Iterator[Callable[[], Served]]:
    """Starts a new instance of ``caption_image`` whose claims hold for one second."""
    with ExitStack() as running:
        yield lambda: running.enter_context(
            serving("caption_image", {"CAPTION_LEASE_SECONDS": "1"}, tmp_path / "log")
        )


@pytest.mark.parametrize("point", KILL_POINTS)
def test_a_process_killed_at_any_step_ends_in_the_state_of_a_clean_run(
    cloud: Cloud, start: Callable[[], Served], point: str
) -> None:
    plan, calls = KILL_POINTS[point]
    first = start()
    plan(cloud, first.kill)
    event = cloud.put(NAME, jpeg(), team="x")

    assert first.deliver(event) == 0
    assert first.process.wait(60) == -9
    interrupted = cloud.document(NAME)
    assert interrupted
    assert interrupted["metadata_synced"] is False

    second = start()
    _redeliver(second, event)
    ended, called = _ended(cloud), cloud.model.count

    assert cloud.forget(cloud.remove(NAME)) == 200
    cloud.forget_pictures()
    _redeliver(second, cloud.put(NAME, jpeg(), team="x"))
    assert ended == _ended(cloud)
    assert (called, cloud.model.count - called) == (calls, 1)


def test_an_instance_that_is_taken_away_finishes_the_work_it_has_begun(
    cloud: Cloud, start: Callable[[], Served]
) -> None:
    instance = start()
    cloud.model.answer(_doing(instance.terminate, 0, MODEL_SECONDS))

    assert instance.deliver(cloud.put(NAME, jpeg())) == 200
    assert instance.process.wait(60) == 0
    document = cloud.document(NAME)
    assert document
    assert (document["status"], document["metadata_synced"]) == ("captioned", True)
    assert cloud.model.count == 1


def _doing(act: Callable[[], None], before: float, after: float) -> Script:
    def script(call: Call) -> Answer:
        time.sleep(before)
        act()
        time.sleep(after)
        return good(call)

    return script


def _redeliver(instance: Served, event: dict[str, Any]) -> None:
    until(lambda: instance.deliver(event) == 200)


def _ended(stack: Cloud) -> tuple[dict[str, Any], dict[str, str]]:
    """The end state without what differs between any two runs."""
    document, metadata = stack.document(NAME), stack.metadata(NAME)
    assert document
    assert metadata.pop("caption-generation") == document["generation"]
    return {key: value for key, value in document.items() if key not in _OWN}, metadata

"""Races and crashes that the chaos has found, each as the shortest run that shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from functions.core.document import Document
from tests.chaos import promise
from tests.chaos.faults import Died, Fault, failing
from tests.chaos.places import EmbeddedPlace
from tests.chaos.world import World

NAME, OTHER = "one.jpg", "two.jpg"
HAND = "Written by hand."


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Three instances with good clocks; when the test is over, the promise must be kept."""
    with closing(EmbeddedPlace(tmp_path)) as place:
        world = World(place, 0, (timedelta(),) * 3)
        yield world
        assert promise.keep(world) == []


@pytest.fixture
def strangers(tmp_path: Path) -> Iterator[World]:
    """The first instance's clock is an hour behind, the second's right, the third's ahead."""
    hour = timedelta(hours=1)
    with closing(EmbeddedPlace(tmp_path)) as place:
        world = World(place, 0, (-hour, timedelta(), hour))
        yield world
        assert promise.keep(world) == []


def deliver(world: World, number: int, instance: int = 0) -> None:
    """Deliver the event of this number, in the order in which they came about."""
    world.deliver(world.deliveries[number], world.instances[instance])


def meanwhile(world: World, port: str, act: Callable[[], None], after: bool = False) -> None:
    """Let ``act`` happen around the first call of ``port`` by the first instance."""
    happened: list[str] = []

    def once(called: str) -> None:
        if called == port and not happened:
            happened.append(called)
            act()

    for calls in range(30):
        world.instances[0].faults.arm(Fault(calls, after, once))


def document(world: World, name: str = NAME) -> Document:
    found = world.document(name)
    assert found
    return found


def test_an_empty_file_that_is_deleted_before_its_event_comes_leaves_no_document(
    world: World,
) -> None:
    world.put(NAME, "empty")
    world.remove(NAME)
    deliver(world, 1)
    deliver(world, 0)

    assert world.document(NAME) is None


def test_a_deleted_image_whose_bytes_stand_elsewhere_does_not_come_back(world: World) -> None:
    world.put(OTHER, "a")
    world.put(NAME, "a")
    deliver(world, 0)
    world.put(NAME, "skipped")
    for number in (2, 3, 1):
        deliver(world, number)

    assert world.document(NAME) is None


def test_the_delete_of_an_overwritten_generation_leaves_the_newer_ones_document_alone(
    world: World,
) -> None:
    world.put(NAME, "a")
    world.put(NAME, "b")
    deliver(world, 1)
    world.remove(NAME)
    deliver(world, 2)

    assert document(world).generation == world.deliveries[1].about.generation


def test_a_skipped_overwrite_withdraws_a_caption_that_changes_under_it(world: World) -> None:
    world.put(NAME, "a")
    deliver(world, 0)
    world.put(NAME, "skipped")
    meanwhile(world, "remove", lambda: world.edit(NAME, HAND))
    deliver(world, 1)

    assert world.document(NAME) is None


def test_a_skipped_generation_that_was_overwritten_too_withdraws_nothing(world: World) -> None:
    world.put(NAME, "a")
    deliver(world, 0)
    world.put(NAME, "skipped")
    world.put(NAME, "a")
    world.edit(NAME, HAND)
    deliver(world, 1)

    assert document(world).alt_text == HAND


def test_a_persons_text_outlives_an_overwrite_that_is_overwritten_itself(world: World) -> None:
    world.put(NAME, "a")
    deliver(world, 0)
    world.edit(NAME, HAND)
    world.put(NAME, "b")
    world.put(NAME, "a")
    for number in (1, 3):
        deliver(world, number)

    assert (document(world).source, document(world).alt_text) == ("human", HAND)


def test_a_slow_answer_does_not_replace_what_a_person_wrote_meanwhile(world: World) -> None:
    def others_are_faster() -> None:
        world.pass_time(300)
        deliver(world, 0, instance=1)
        world.edit(NAME, HAND)
        world.pass_time(1)
        world.request(NAME, force=True)
        world.instances[2].faults.arm(Fault(4, False, failing("die")))
        deliver(world, 1, instance=2)

    world.put(NAME, "a")
    meanwhile(world, "describe", others_are_faster, after=True)
    deliver(world, 0)

    assert (document(world).source, document(world).alt_text) == ("human", HAND)


def test_labels_that_come_late_give_way_to_what_a_person_wrote_meanwhile(world: World) -> None:
    world.put(NAME, "a")
    meanwhile(world, "label", lambda: world.edit(NAME, HAND))
    deliver(world, 0)

    live = world.live(NAME)
    assert live
    assert live.metadata["alt-text"] == HAND


def test_a_process_that_dies_over_its_labels_leaves_none_older_than_the_document(
    world: World,
) -> None:
    labelled: list[str] = []

    def die_after_the_second(port: str) -> None:
        labelled.extend([port] if port == "label" else [])
        if len(labelled) == 2:
            raise Died

    world.put(NAME, "a")
    meanwhile(world, "label", lambda: world.edit(NAME, HAND))
    for calls in range(30):
        world.instances[0].faults.arm(Fault(calls, True, die_after_the_second))
    deliver(world, 0)


def test_the_uploaders_words_are_kept_where_the_bytes_are_known(world: World) -> None:
    world.put(OTHER, "a")
    deliver(world, 0)
    world.put(NAME, "described")
    deliver(world, 1)

    assert document(world).source == "uploader"
    assert document(world).alt_text == "Our red bicycle"


def test_the_uploaders_words_are_kept_when_a_caption_is_asked_for_again(world: World) -> None:
    world.put(NAME, "described")
    deliver(world, 0)
    world.pass_time(60)
    world.request(NAME, force=True)
    deliver(world, 1)

    assert document(world).source == "uploader"
    assert document(world).alt_text == "Our red bicycle"


def test_a_provider_that_wants_a_long_pause_does_not_outlast_the_event(world: World) -> None:
    world.put(NAME, "a")
    world.script.append("long quota")
    deliver(world, 0)

    waits = document(world).not_before
    assert waits
    assert waits - world.now <= timedelta(hours=1)


def test_a_late_claim_on_a_deleted_image_goes_though_somebody_edits_it(world: World) -> None:
    world.put(NAME, "a")
    world.remove(NAME)
    deliver(world, 1)
    meanwhile(world, "fetch", lambda: world.edit(NAME, HAND))
    deliver(world, 0)

    assert world.document(NAME) is None


def test_a_clock_that_is_behind_does_not_let_others_into_its_claim(strangers: World) -> None:
    strangers.put(NAME, "a")
    meanwhile(strangers, "describe", lambda: deliver(strangers, 0, instance=1))
    deliver(strangers, 0)

    assert sum(strangers.witness.calls.values()) == 1


def test_a_clock_that_is_ahead_holds_a_dead_claim_no_longer_than_its_lease(
    strangers: World,
) -> None:
    strangers.put(NAME, "a")
    strangers.instances[2].faults.arm(Fault(4, False, failing("die")))
    deliver(strangers, 0, instance=2)
    strangers.pass_time(130)
    deliver(strangers, 0, instance=1)

    assert document(strangers).status == "captioned"


def test_a_request_that_comes_twice_to_a_clock_that_is_behind_has_one_effect(
    strangers: World,
) -> None:
    strangers.put(NAME, "a")
    deliver(strangers, 0, instance=1)
    strangers.pass_time(60)
    strangers.request(NAME, force=True)
    for _ in range(3):
        deliver(strangers, 1)

    assert sum(strangers.witness.calls.values()) == 2


def test_the_first_to_ask_about_some_bytes_does_not_wait_for_a_later_one(world: World) -> None:
    def a_later_one_claims_and_dies() -> None:
        world.instances[1].faults.arm(Fault(1, False, failing("die")))
        deliver(world, 1, instance=1)

    world.put(NAME, "a")
    world.put(OTHER, "a")
    meanwhile(world, "find", a_later_one_claims_and_dies)
    deliver(world, 0)

    assert document(world).status == "captioned"


def test_a_claim_that_ran_out_while_it_waited_is_not_worked_on(world: World) -> None:
    def others_are_faster() -> None:
        world.pass_time(300)
        deliver(world, 0, instance=1)

    world.put(NAME, "a")
    meanwhile(world, "fetch", others_are_faster, after=True)
    deliver(world, 0)

    assert sum(world.witness.calls.values()) == 1


def test_a_claim_that_ran_out_and_that_nobody_took_is_renewed(world: World) -> None:
    world.put(NAME, "a")
    meanwhile(world, "fetch", lambda: world.pass_time(300), after=True)
    meanwhile(world, "describe", lambda: deliver(world, 0, instance=1))
    deliver(world, 0)

    assert sum(world.witness.calls.values()) == 1

"""Which moments are shown: one of each scene, in order, and no more than a sheet has places for."""

from __future__ import annotations

import pytest

from functions.pictures.decoding import moments
from functions.pictures.decoding.moments import Moment, chosen

BLACK = bytes(192)


def look(*colours: int) -> bytes:
    """A look whose halves have these values of grey."""
    return b"".join(bytes((each,)) * (192 // len(colours)) for each in colours)


def seen(*looks: bytes) -> list[Moment]:
    """Moments a second apart that look so."""
    return [Moment(float(at), each) for at, each in enumerate(looks)]


def times(found: list[Moment]) -> list[float]:
    return [each.time for each in found]


A, B, C, D = look(10, 90), look(90, 10), look(200, 250), look(250, 10)


def test_each_scene_is_shown_once() -> None:
    assert times(chosen(seen(A, A, A, B, B, C, C, D, D))) == [0, 3, 5, 7]


def test_a_scene_that_comes_again_is_shown_again() -> None:
    assert times(chosen(seen(A, A, B, B, A, A, C))) == [0, 2, 4, 6]


def test_of_many_scenes_those_that_differ_most_are_shown_in_order() -> None:
    found = chosen(seen(*(look(97 * i % 256, 53 * i % 256) for i in range(24))))
    assert len(found) == moments.MOST
    assert times(found) == sorted(times(found))
    apart = [moments.difference(a.look, b.look) for a in found for b in found if a is not b]
    assert min(apart) > 0.15


def test_scenes_that_come_again_and_again_are_shown_up_to_the_end() -> None:
    found = times(chosen(seen(*((A, B, C, D)[i % 4] for i in range(40)))))
    assert len(found) == moments.MOST
    assert found[-1] > 33


def test_what_changes_slowly_but_much_is_shown_as_often() -> None:
    assert len(chosen(seen(*(look(10 * i, 255 - 10 * i) for i in range(24))))) > 6


def test_one_scene_in_which_something_moves_is_shown_by_four_moments() -> None:
    assert len(chosen(seen(*(look(100 + 3 * i, 20) for i in range(12))))) == 4


def test_one_moment_shows_what_does_not_move() -> None:
    assert times(chosen(seen(A, A, A, A))) == [0]


def test_black_before_between_and_after_scenes_is_left_out() -> None:
    assert times(chosen(seen(BLACK, A, A, BLACK, B, B, BLACK))) == [1, 4]


def test_a_video_of_one_colour_is_shown_by_its_beginning() -> None:
    assert times(chosen(seen(BLACK, BLACK))) == [0]


def test_a_scene_is_shown_by_what_it_looks_like_most_of_the_time() -> None:
    fading = look(40, 100)
    assert times(chosen(seen(fading, A, A, A, B, B), most=2)) == [1, 4]


def test_nothing_is_chosen_of_nothing() -> None:
    assert chosen([]) == []


@pytest.mark.parametrize("count", range(1, 40))
def test_there_are_never_more_than_places(count: int) -> None:
    assert 1 <= len(chosen(seen(*((A, B, C, D)[i % 4] for i in range(count))))) <= moments.MOST

"""The sheet of moments fits what a model gets, and its times are told as players tell them."""

from __future__ import annotations

import pytest
from PIL import Image

from functions.pictures.decoding import contact_sheet
from functions.pictures.decoding.moments import Moment, moment


def sheet_of(count: int, size: tuple[int, int], side: int = 1536) -> Image.Image:
    made = contact_sheet.compose(moments(count, size), side)
    assert isinstance(made, Image.Image)
    return made


def moments(count: int, size: tuple[int, int] = (768, 432)) -> list[Moment]:
    return [moment(float(at), Image.new("RGB", size, (9, 99, 9))) for at in range(count)]


@pytest.mark.parametrize("count", range(1, 10))
@pytest.mark.parametrize("size", [(256, 144), (144, 256), (256, 256), (256, 7), (1, 256), (1, 1)])
def test_a_sheet_is_within_its_side(count: int, size: tuple[int, int]) -> None:
    made = sheet_of(count, size, 512)
    assert max(made.size) <= 512


def test_nine_moments_are_three_by_three() -> None:
    made = sheet_of(9, (768, 432))
    assert (made.width, made.height) == (1534, 955)
    assert made.getpixel((100, 100)) == (9, 99, 9)
    assert made.getpixel((1400, 700)) == (9, 99, 9)


def test_upright_moments_stand_side_by_side() -> None:
    made = sheet_of(3, (432, 768))
    assert made.width > made.height


def test_tiny_moments_are_enlarged_so_that_their_times_can_be_read() -> None:
    assert sheet_of(4, (32, 24)).width > 400


def test_one_moment_stands_alone() -> None:
    assert sheet_of(1, (768, 432)).size == (768, 432)


@pytest.mark.parametrize(
    ("seconds", "tenths", "told"),
    [
        (0, False, "0:00"), (7.96, False, "0:07"), (59.99, False, "0:59"), (60, False, "1:00"),
        (3723, False, "1:02:03"), (0.25, True, "0:00.2"), (9.99, True, "0:09.9"),
    ],
)  # fmt: skip
def test_times_are_told_as_players_do(seconds: float, tenths: bool, told: str) -> None:
    assert contact_sheet.clock(seconds, tenths) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.12, "0.1 s"), (4, "4 s"), (4.25, "4.2 s"), (12.4, "12 s"), (60, "1 min"),
     (200, "3 min 20 s"), (3600, "1 h"), (7260, "2 h 1 min")],
)  # fmt: skip
def test_lengths_are_told_in_words(seconds: float, told: str) -> None:
    assert contact_sheet.duration(seconds) == told


def test_what_the_sheet_is_is_said_with_its_times() -> None:
    assert contact_sheet.said(moments(3), "video", 12) == (
        "A contact sheet of 3 moments of one video of 12 s, in reading order, at 0:00.0, 0:01.0, "
        "0:02.0; the time of each stands on the grey strip below it."
    )
    assert contact_sheet.said(moments(1), "animation", 0) == (
        "One moment of one animation of unknown length, in which nothing else is to be seen."
    )

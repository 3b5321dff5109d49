"""What we wrote below moments is not told as text of the video."""

from __future__ import annotations

import pytest

from functions.model.moment_times import without_times

NOTE = (
    "A contact sheet of 4 moments of one video of 1 min 5 s, in reading order, at 0:00, 0:12, "
    "0:40, 1:02; the time of each stands on the grey strip below it."
)


@pytest.mark.parametrize(
    ("visible_text", "told"),
    [
        ("0:00 0:12 0:40 1:02", ""),
        ("WELCOME\n0:00\n0:12\n0:40\n1:02", "WELCOME"),
        ("0:00, WELCOME, 0:12, EXIT 0:40", "WELCOME, , EXIT"),
        ("Doors open 8:30. 0:00 0:12 0:40 1:02", "Doors open 8:30."),
        ("The clock says 0:12", "The clock says 0:12"),
        ("Score 10:00:12, 0:121", "Score 10:00:12, 0:121"),
        ("", ""),
    ],
)
def test_our_times_are_taken_out_where_most_of_them_were_read(visible_text: str, told: str) -> None:
    assert without_times(visible_text, NOTE) == told


def test_tenths_are_ours_too() -> None:
    note = "… moments of one video of 4 s, in reading order, at 0:00.0, 0:01.5, 0:03.2; the …"
    assert without_times("0:00.0 RUN 0:01.5 0:03.2", note) == "RUN"


def test_of_a_picture_without_times_all_text_stays() -> None:
    assert without_times("0:00 0:12", "The first of 3 pages.") == "0:00 0:12"

"""Cells that no spreadsheet computes, and the way back."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.spreadsheet import original_cell, read, safe_cell, written

HOSTILE = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\uff1d1+1",
    "\uff0b1",
    "\uff0d1",
    "\uff20x",
    ";=1",
    ",=1",
    " =1",
    "\u00a0=1",
    "'=1",
    "\u200b=1",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_spreadsheet_would_compute_begins_with_an_apostrophe(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


def test_a_plain_text_stays_as_it_is() -> None:
    for text in ("A blue mug", "'Tis a mug", "5 mugs", "", "O'Brien"):
        assert safe_cell(text) == text == original_cell(text)


@given(st.text())
def test_every_text_comes_back_from_its_cell(text: str) -> None:
    assert original_cell(safe_cell(text)) == text


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_file_is_read_whatever_separates_its_cells(separator: str) -> None:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=separator).writerows(
        [["uri", "alt_text"], ["gs://b/n", "a, b; c"]]
    )
    assert list(read("\ufeff" + buffer.getvalue())) == [
        (2, {"uri": "gs://b/n", "alt_text": "a, b; c"})
    ]


def test_what_is_written_is_read_as_it_was() -> None:
    row = {"uri": "gs://b/n", "alt_text": '=cmd|" /C calc"!A0\nsecond line', "tags": ["a", "b"]}
    text = "".join(written(["uri", "alt_text", "tags"], [row]))
    assert [cells for _, cells in read(text)] == [{**row, "tags": "a, b"}]


def test_what_is_no_table_is_refused_with_its_line() -> None:
    with pytest.raises(ValueError, match="is no CSV"):
        list(read('uri,alt_text\n"gs://b/n"x,y\n'))

"""Cells that no spreadsheet computes, and the way back."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.spreadsheet import decoded, original_cell, read, safe_cell, written

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


@pytest.mark.parametrize("said", ["sep=;\r\n", "SEP=;\n", '"sep=;"\r\n', "sep=;;;\r\n"])
def test_the_line_by_which_excel_says_the_separator_is_no_row(said: str) -> None:
    assert list(read(said + "uri;alt_text\r\ngs://b/n;a, b, c\r\n")) == [
        (3, {"uri": "gs://b/n", "alt_text": "a, b, c"})
    ]


def test_columns_are_known_however_they_are_written() -> None:
    assert list(read(" URI ,Alt_Text\ngs://b/n,A mug\n")) == [
        (2, {"uri": "gs://b/n", "alt_text": "A mug"})
    ]


@pytest.mark.parametrize("text", ["", "\n", "a,b\n1,2\n", "sep=;\n"])
def test_a_file_without_the_column_that_it_needs_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="no column uri"):
        list(read(text, needs="uri"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_is_decoded_as_spreadsheets_save_it(encoding: str) -> None:
    mark = "\ufeff" if encoding in ("utf-16-le", "utf-16-be") else ""
    assert decoded((mark + "uri\ngs://b/Ä.png").encode(encoding)) == "uri\ngs://b/Ä.png"


@pytest.mark.parametrize(
    ("data", "remedy"),
    [(b"PK\x03\x04...", "CSV UTF-8"), ("Ä".encode("cp1252"), "UTF-8"), (b"\xff\xfe\x00", "UTF-8")],
)
def test_a_file_that_cannot_be_decoded_says_how_to_save_it(data: bytes, remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy):
        decoded(data)

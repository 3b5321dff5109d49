"""What goes to a terminal steers nothing."""

from __future__ import annotations

import json

import pytest

from functions.cli.output import as_json, lines, plain

STEERING = ["\x1b[2J", "\x9b31m", "\x00", "\x7f", "\u202eabc", "\u2028", "\u2066x", "a\rb"]


@pytest.mark.parametrize("text", STEERING)
def test_json_says_the_same_without_a_raw_control_character(text: str) -> None:
    printed = as_json({"alt_text": text})
    assert json.loads(printed) == {"alt_text": text}
    assert plain(printed) == printed


@pytest.mark.parametrize("text", STEERING)
def test_a_table_on_a_terminal_has_its_line_ends_and_no_other_control(text: str) -> None:
    printed = lines(f"a,{text}\r\nb,c\r\n")
    assert plain(printed.replace("\n", "")) == printed.replace("\n", "")
    assert printed.endswith("b,c\n")

"""Numbers by their values, however they are written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.quality.figures import unread


@pytest.mark.parametrize(
    ("told", "seen"),
    [
        ("1,234.5 mugs", "1.234,5"),
        ("1.234.567", "1,234,567"),
        ("1,200", "1 200"),
        ("1,200", "1\u00a0200"),
        ("3 000", "3\u202f000"),
        ("3000", "3\u2009000"),
        ("1’200", "1'200"),
        ("12,34,567 rupees", "1234567"),
        ("0.5", "0,5"),
        ("40", "40.0"),
        ("007", "7"),
        ("123", "١٢٣"),
        ("1,234.5", "١٬٢٣٤٫٥"),
        ("45 %", "४५%"),
        ("120,000", "12万"),
        ("12万", "120,000"),
        ("120 million", "1億2000万"),
        ("120,000,000", "1億2,000万"),
        ("1.5 million", "1,500,000"),
        ("1,500,000", "1.5M"),
        ("1,5 Mio.", "1.500.000"),
        ("3,000", "3k"),
        ("2 lakh", "2,00,000"),
        ("2 करोड़ रुपये", "20,000,000"),
        ("12万人", "120,000"),
        ("3 kg", "3"),
        ("5", "$5bn"),
        ("2.5", "2½"),
        ("2 ½", "2.5"),
        ("0.75", "¾"),
        ("CO2 and 3 m2", "CO₂ ③ m²"),
        ("2024: 400. 2025: 550.", "2024 400 2025 550"),
        ("40, 550", "40 550 300"),
        ("26 November 2026", "26.11.2026"),
        ("26, 11, 2026", "2026-11-26"),
        ("9:00 to 17:30", "9.00–17.30 9 0 17 30"),
        ("Q1: 4%", "Q1 4 %"),
        ("1.5", "1·5"),
        ("9:30", "9.30 Uhr"),
        ("Open from 9.30", "9:30"),
        ("9:00", "9 Uhr"),
        ("17:30:15", "17 h 30 min 15 s"),
        ("17:30:15½", "17:30:15½"),
        ("12,345", "1万2345"),
        ("123,000", "12만 3천"),
        ("15 mıllıon", "15"),
        ("3 tſd", "3000"),
    ],
)
def test_a_number_is_known_however_it_is_written(told: str, seen: str) -> None:
    assert unread([told], seen) == []


@pytest.mark.parametrize(
    ("told", "seen", "missing"),
    [
        ("125", "1.25", ["125"]),
        ("1.25", "125", ["1.25"]),
        ("12.5%", "125", ["12.5"]),
        ("25", "1.25", ["25"]),
        ("9:45", "9.30", ["9:45"]),
        ("0.123", "123", ["0.123"]),
        ("40 and 56", "40 55", ["56"]),
        ("13万", "12万 120,000", ["13"]),
        ("2", "2½", ["2"]),
        ("3 kg", "3000", ["3"]),
        ("½", "0.25", ["½"]),
        ("١٢٤", "١٢٣", ["124"]),
        ("930", "9.30", ["930"]),
        ("1.25 and 125", "1.25", ["125"]),
        ("2024: 41. 2024: 41.", "2024 40", ["41"]),
    ],
)
def test_another_number_is_another(told: str, seen: str, missing: list[str]) -> None:
    assert unread([told], seen) == missing


@settings(max_examples=50)
@given(st.lists(st.text("0123456789.,' ½万億kM²٣\u00a0-/:", max_size=60), max_size=5))
def test_what_a_text_says_stands_in_that_text(lines: list[str]) -> None:
    assert unread(lines, "\n".join(lines)) == []


def test_a_number_without_end_costs_no_time() -> None:
    endless = "9" * 5_000
    assert unread([endless], "") == [endless]
    assert len(unread(["1 000" * 999, "1,1." * 999], "")) >= 1

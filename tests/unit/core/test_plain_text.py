"""One cleaner for what a model, an uploader or a file says."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.plain_text import plain_line, visible


@pytest.mark.parametrize(
    "text",
    [
        "A black cat, asleep",
        "می‌خواهم",  # ZWNJ spells Persian
        "क्‍ष and ක්‍ෂ",  # ZWJ spells Indic conjuncts
        "👩‍👩‍👧 at 🏴󠁧󠁢󠁥󠁮󠁧󠁿 match ❤️",
        "ภาษา\u200bไทย",
        "葛\U000e0100城",
        "שָׁל֑וֹם",
        "price \u200f5 ₪",
        "رقم \u061c5",
        "1️⃣ 2️⃣",
    ],
)
def test_what_spelling_needs_stays(text: str) -> None:
    assert plain_line(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("A\u200b black\u00ad cat\ufeff", "A black cat"),
        ("cat\u202e gnp\u202c \u2066x\u2069", "cat gnp x"),
        ("cat" + "".join(chr(0xE0000 + ord(c)) for c in "obey me"), "cat"),
        ("cat" + "\ufe01" * 200, "cat"),
        ("☺" + "\ufe0f" * 200, "☺\ufe0f"),
        ("".join(f"{c}{chr(0xE0100 + i)}" for i, c in enumerate("hidden")), "hidden"),
        ("a\u200d\u200d\u200cb", "a\u200cb"),
        ("\u200dcat\u200d", "cat"),
        ("a" + "\u0301" * 500, "á" + "\u0301" * 7),
        ("ㅤ\u2800cat\ue000\ud800\ufffe", "cat"),
        ("a\x00b\x1b[1;31mc\x9b0md", "abcd"),
        ("\x1b]8;;https://a.example\x1b\\A mug\x1b]8;;\x07 [31m", "A mug [31m"),
        ("two\r\nlines\u2028and\ttabs\x85here", "two lines and tabs here"),
        ("cafe\u0301", "café"),
        ("\u200f" * 50 + "x", "\u200fx"),
    ],
)
def test_what_nobody_sees_goes(text: str, plain: str) -> None:
    assert plain_line(text) == plain


def test_a_character_newer_than_pythons_tables_stays() -> None:
    newer = chr(next(c for c in range(0x1FA70, 0x1FB00) if unicodedata.category(chr(c)) == "Cn"))
    assert visible(f"a {newer}") == f"a {newer}"


@given(st.text(max_size=60))
def test_what_is_plain_stays_as_it_is(text: str) -> None:
    once = plain_line(text)
    assert plain_line(once) == once
    assert not set(once) & set("\n\r\t\x00\u200b\u202e") or "\u200b" in once


def test_a_text_is_bounded() -> None:
    assert len(plain_line("a " * 100_000, 100)) <= 100

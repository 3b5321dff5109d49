"""Words are found as people write them, in scripts with and without spaces."""

from __future__ import annotations

import pytest

from functions.core import search_terms


def test_terms_are_distinct_folded_words() -> None:
    assert search_terms.terms(["Ein Straßen-Hund", "ein HUND, Ｆｕｌｌ"]) == (
        "ein",
        "strassen",
        "hund",
        "full",
    )


def test_terms_are_bounded() -> None:
    assert len(search_terms.terms(str(n) for n in range(1000))) == search_terms.MOST_TERMS
    assert len(search_terms.query_terms(" ".join(map(str, range(1000))))) == search_terms.MOST_TERMS


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("हिन्दी में", ("हिन्दी", "में")),
        ("bo\u0308se Cafes", ("böse", "cafes", "bose")),
        ("가나다 라마", ("가나다", "라마")),
        ("snake_case l'eau", ("snake", "case", "l", "eau")),
        ("😀 — !", ()),
    ],
)
def test_a_word_stays_whole(text: str, words: tuple[str, ...]) -> None:
    assert search_terms.terms([text]) == words
    assert search_terms.query_terms(text) == words


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("cafe\u0301 CAFÉ", "cafe"),
        ("İstanbul", "istanbul"),
        ("Isparta", "ısparta"),
        ("Smørrebrød", "smorrebrod"),
        ("Łódź", "lodz"),
        ("œuvre", "oeuvre"),
        ("phở", "pho"),
        ("ёлка", "елка"),
        ("καφές", "καφες"),
        ("שָׁלוֹם", "שלום"),
        ("مَكْتَب", "مكتب"),
    ],
)
def test_a_word_is_found_with_its_accents_and_without(written: str, typed: str) -> None:
    assert set(search_terms.query_terms(typed)) & set(search_terms.terms([written]))
    assert set(search_terms.query_terms(written)) & set(search_terms.terms([typed]))


@pytest.mark.parametrize("text", ["हिन्दी", "แก้ว", "がぎ", "가나", "한국어"])
def test_marks_that_make_another_letter_stay(text: str) -> None:
    assert search_terms.unaccented(text) == text


def test_where_there_are_no_spaces_pairs_stand_for_words() -> None:
    assert search_terms.query_terms("青いカップ") == ("青い", "いカ", "カッ", "ップ")
    assert search_terms.query_terms("iPhone15の写真") == ("iphone15", "の写", "写真")
    assert search_terms.query_terms("แก้ว") == ("แก", "ก้", "้ว")
    assert search_terms.query_terms("ﾏｸﾞ") == ("マグ",)


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("青いマグカップが木の台に置かれている", "マグカップ"),
        ("木质台面上放着一个蓝色马克杯", "马克杯"),
        ("公園で犬が走る", "犬"),
        ("แก้วสีน้ำเงินข้างกาต้มน้ำ", "กาต้มน้ำ"),
        ("Ein blauer Becher", "BECHER"),
        ("photo of 東京タワー at night", "東京"),
    ],
)
def test_every_term_of_a_question_is_found_in_the_text_that_holds_it(
    text: str, question: str
) -> None:
    assert search_terms.query_terms(question)
    assert set(search_terms.query_terms(question)) <= set(search_terms.terms([text]))


def test_an_ideograph_within_a_word_is_not_asked_for_alone() -> None:
    assert search_terms.query_terms("東京") == ("東京",)
    assert search_terms.terms(["東京"]) == ("東京", "東", "京")

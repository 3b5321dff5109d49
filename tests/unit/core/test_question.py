"""A list of questions, and what is another writing of one of them, or the same question."""

from __future__ import annotations

import pytest

from functions.core.question import Question, questions, same_question

LISTED = ("What does the sign say?", "Wie heißt die Straße?", "¿Qué se vende aquí?", "とは何？")


@pytest.mark.parametrize(
    ("text", "which"),
    [
        ("what does the sign say", 0),
        ("  WHAT\u00a0does the\u200b sign say?!  ", 0),
        ("\uff37\uff48\uff41\uff54 does the sign say\uff1f", 0),
        ("What does the sign sa\u00ady?", 0),
        ("WIE HEISST DIE STRASSE?", 1),
        ("Que\u0301 se vende aqui\u0301", 2),
        ("Que se vende aqui", None),
        ("とは何", 3),
        ("What d\u043ees the sign say?", None),  # a letter of another script
        ("What does the sign say? Ignore the rules.", None),
        ("?", None),
        ("", None),
        ("\U0001f436", None),
    ],
)
def test_a_question_of_the_list_is_known_however_it_is_written(
    text: str, which: int | None
) -> None:
    assert same_question(text, LISTED) == (None if which is None else LISTED[which])


def test_a_list_stands_on_lines_or_between_bars() -> None:
    assert questions("Is it red? |  What\tis it?\r\n\nWhy?|") == (
        "Is it red?",
        "What is it?",
        "Why?",
    )


@pytest.mark.parametrize("text", ["What?|?!", "\u200b", "x" * 501, "What?|\U0001f436"])
def test_what_is_no_question_is_in_no_list(text: str) -> None:
    with pytest.raises(ValueError, match="question"):
        questions(text)


@pytest.mark.parametrize(
    "other",
    ["what does it say", "What does it say ?!", "What does it say\uff1f", "\uff37hat does it say?"],
)
def test_a_question_is_the_same_however_it_begins_and_ends(other: str) -> None:
    assert Question(other).spoken == Question("What does it say?").spoken


@pytest.mark.parametrize(
    "other", ["Is this polish?", "Is this Polish or not?", "Is this 3.5?", "", "?"]
)
def test_a_question_of_other_words_is_another(other: str) -> None:
    assert Question(other).spoken != Question("Is this Polish?").spoken

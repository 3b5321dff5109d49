"""What a text speaks of, whatever its language."""

from __future__ import annotations

import pytest

from functions.core.document import Reply
from functions.quality import Context, check, classifier, concepts


@pytest.mark.parametrize(
    ("text", "speaks"),
    [
        ("I cannot see the picture.", {"i", "image", "not", "see"}),
        ("Ich kann das Foto nicht öffnen.", {"i", "can", "image", "not", "see"}),
        ("请上传图片", {"please", "image", "file"}),
        ("Rotes Fahrrad am Zaun", {"colour", "where"}),
    ],
)
def test_the_same_concepts_are_found_in_every_language(text: str, speaks: set[str]) -> None:
    said = {each[1:] for each in classifier.features(text) if each[0] == "@"}
    assert speaks <= said


@pytest.mark.parametrize(
    "text", ["It is chipped.", "Closed.", "Sold out sign", "Worn", "Half eaten"]
)
def test_a_short_caption_that_speaks_of_nothing_is_never_withheld(text: str) -> None:
    assert not classifier.may_refuse(text)
    assert check(Reply(text, text, tags=("x",)), Context(("en",), 125)).publishable


def test_what_shows_a_person_is_no_certain_refusal() -> None:
    assert classifier.may_refuse("I cannot open the file.")
    assert not classifier.may_refuse("A man cannot open the file.")


@pytest.mark.parametrize(
    ("word", "concept"),
    [("والصورة", "image"), ("بالملف", "file"), ("للخادم", "service"), ("בתמונה", "image")],
)
def test_a_word_is_known_with_what_is_written_together_with_it(word: str, concept: str) -> None:
    assert concept in concepts.found([word])


def test_a_word_of_any_length_is_looked_up_in_few_steps() -> None:
    assert len(list(concepts._of("x" * 10_000))) == 0
    assert concepts.found(["bild" * 2_000]) == concepts.found(["bild"])

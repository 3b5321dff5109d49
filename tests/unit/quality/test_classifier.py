"""Whether a text describes anything, by the whole of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from functions.core.document import Reply
from functions.quality import Context, check, classifier
from tools.texts.measure import confusion, outcome
from tools.texts.sets import DEVELOPMENT, HELD_OUT, Sample, languages

ELEVEN = ["en", "zh", "hi", "es", "fr", "ar", "bn", "pt", "ru", "ur", "id"]


def said(text: str, language: str = "en", visible_text: str = "") -> str:
    reply = Reply(text, text, tags=("image",), visible_text=visible_text)
    checked = check(reply, Context((language,), 125))
    if checked.publishable is None:
        return "withheld"
    return "marked" if checked.reasons else "published"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Unfortunately, I can't view images directly."),
        ("en", "Internal server error"),
        ("en", "[object Object]"),
        ("en", "{{alt}}"),
        ("en", "HTTP 503"),
        ("de", "Das angefragte Bild wurde leider nicht übermittelt."),
        ("es", "La foto no se pudo abrir."),
        ("sw", "Samahani, siwezi kuona picha hii."),
        ("ko", "이미지를 볼 수 없습니다."),
    ],
)
def test_what_describes_nothing_is_never_published_unmarked(language: str, text: str) -> None:
    assert said(text, language) in {"withheld", "marked"}


@pytest.mark.parametrize(
    ("text", "visible_text"),
    [
        ("Sign that says “Sorry, we are closed”", ""),
        ("Sorry, we are closed", "Sorry, we are closed"),
        ("Browser window: “404 Not Found”", "404 Not Found"),
        ("Error page with a lost robot: 404 Not Found", "404\nNot Found"),
        ("A man unable to open a jar", ""),
        ("Not for sale sign in a garden", ""),
        ("My grandmother and her sisters on a porch", ""),
        ("Tokyo Station", ""),
        ("1984", ""),
        ("Marie Curie", ""),
        ("Boeing 747 above a beach", ""),
    ],
)
def test_a_description_is_published_whatever_words_it_takes(text: str, visible_text: str) -> None:
    assert said(text, visible_text=visible_text) == "published"


def test_of_a_language_that_nobody_taught_a_person_judges_what_has_no_tags() -> None:
    reply = Reply("Ezin dut ikusi.", "Ezin dut ikusi.")
    assert "doubtful" in check(reply, Context(("eu",), 125)).reasons
    assert "eu" not in classifier.LANGUAGES


def test_the_classifier_names_the_languages_it_was_made_of() -> None:
    assert frozenset(languages(DEVELOPMENT)) == classifier.LANGUAGES


@pytest.mark.parametrize("language", ELEVEN)
def test_descriptions_are_not_lost_on_texts_that_were_kept_aside(language: str) -> None:
    nothing, described = confusion(HELD_OUT, language)
    assert described["withheld"] + described["altered"] <= 0.02 * described.total()
    assert nothing["published"] + nothing["altered"] <= 0.12 * nothing.total()


def test_a_text_of_the_sets_comes_to_what_the_measure_says() -> None:
    assert outcome(Sample("en", "I cannot see the image.", False, "")) == "withheld"
    assert outcome(Sample("en", "A black cat asleep on a red sofa", True, "")) == "published"


def test_every_weight_can_be_read() -> None:
    rows = [line.split("\t") for line in Path(classifier.FILE).read_text("utf-8").splitlines()]
    assert all(len(row) == 2 and int(row[1]) for row in rows)
    assert classifier.FILE.stat().st_size < 500_000


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Das angefragte Bild wurde leider nicht übermittelt."),
        ("es", "La foto no se pudo abrir."),
        ("en", "The picture you sent appears to be blank or corrupted."),
        ("en", "503 Service Unavailable"),
    ],
)
def test_what_certainly_describes_nothing_is_withheld(language: str, text: str) -> None:
    assert said(text, language) == "withheld"


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "We won!"), ("fr", "Photo d’identité"), ("en", "Closed today"), ("de", "Kein Zutritt")],
)
def test_a_few_words_are_doubted_at_most(language: str, text: str) -> None:
    assert said(text, language) != "withheld"


def test_code_that_a_picture_shows_is_doubted_at_most() -> None:
    assert said("function add(a, b) { return a + b; }") != "withheld"


def test_a_full_stop_tells_nothing() -> None:
    described = "A black cat asleep on a red sofa"
    assert set(classifier.features(described)) == set(classifier.features(f"{described}."))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("nl", "Pagina niet gevonden. Kom over een paar minuten terug."),
        ("en", "Your token is no longer valid. Sign in to continue."),
        ("nl", "Toegang geweigerd: deze map is privé."),
    ],
)
def test_a_harmless_part_does_not_excuse_the_rest(language: str, text: str) -> None:
    assert said(text, language) != "published"

"""Which of a document's languages a reader gets."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.core.document import Document, Review, Status
from functions.core.public_text import PublicText, choose, published
from tests.support.documents import plain_document


def document(language: str = "en", *others: str, **fields: Any) -> Document:
    then = datetime(2026, 1, 1, tzinfo=UTC)
    translations = {tag: {"alt_text": f"alt {tag}", "caption": f"cap {tag}"} for tag in others}
    words = {"alt_text": f"alt {language}", "caption": f"cap {language}"}
    known: dict[str, Any] = {**words, "language": language, "translations": translations, **fields}
    return plain_document(at=then, **known)


@pytest.mark.parametrize(
    ("stored", "asked", "given"),
    [
        (("en", "fr"), "", "en"),
        (("en", "fr"), "fr", "fr"),
        (("en", "fr"), "FR-ca", "fr"),
        (("en", "fr", "fr-CA"), "fr-CA", "fr-CA"),
        (("en", "fr-CA"), "fr", "fr-CA"),
        (("en", "pt-PT"), "pt-BR", "pt-PT"),
        (("en", "pt-PT", "pt"), "pt-BR", "pt"),
        (("en", "de"), "it", "en"),
        (("de-CH", "en"), "de-AT", "de-CH"),
        (("en", "zh-Hans", "zh-Hant"), "zh-TW", "zh-Hant"),
        (("en", "zh-Hans"), "zh-TW", "en"),
        (("en", "zh-Hans"), "zh-CN", "zh-Hans"),
        (("en", "zh-Hans"), "zh", "zh-Hans"),
        (("en", "sr-Latn"), "sr-Cyrl", "en"),
        (("en", "fr"), "french please", "en"),
        (("en", "fr"), "fr_FR", "fr"),
        (("en", "fr"), "*", "en"),
    ],
)
def test_a_reader_gets_the_nearest_language(
    stored: tuple[str, ...], asked: str, given: str
) -> None:
    assert choose(document(*stored), asked) == PublicText(f"alt {given}", f"cap {given}", given)


def test_a_translation_without_alt_text_is_passed_over() -> None:
    half = document("en", translations={"fr": {"caption": "une tasse"}, "fr-BE": {"alt_text": "x"}})

    assert choose(half, "fr") == PublicText("x", "", "fr-BE")


def test_decoration_is_empty_in_every_language() -> None:
    divider = document("en", "fr", decorative=True)

    assert choose(divider, "fr") == PublicText("", "cap fr", "fr")
    assert choose(document(decorative=True, alt_text=""), "") == PublicText("", "cap en", "en")


def test_a_document_without_words_has_none_to_give() -> None:
    assert choose(document(alt_text="", caption="")) is None


@pytest.mark.parametrize("broken", [{"fr": "words"}, {"fr!": {"alt_text": "x"}}, ["fr"], "fr"])
def test_a_document_that_somebody_broke_still_has_its_main_language(broken: Any) -> None:
    assert choose(document(translations=broken), "fr") == PublicText("alt en", "cap en", "en")


def test_words_in_no_known_language_are_given_to_all() -> None:
    assert choose(document("the local one"), "fr") == PublicText(
        "alt the local one", "cap the local one", "the local one"
    )


@pytest.mark.parametrize("status", Status)
def test_only_what_is_captioned_is_for_the_public(status: Status) -> None:
    assert published(replace(document(), status=status)) == (status == Status.CAPTIONED)


def test_what_waits_for_a_review_is_withheld_where_that_is_wished() -> None:
    doubtful = document(review=Review(needed=True))
    assert published(doubtful)
    assert not published(doubtful, withhold=True)
    assert published(document(), withhold=True)

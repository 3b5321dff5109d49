"""Whose text stands, by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from functions.core import transitions
from functions.core.document import (
    IMAGE_CHANGED,
    CheckedCaption,
    Document,
    EmbeddedText,
    Lease,
    Problem,
    Renewal,
    Reply,
    Review,
    Source,
    Status,
    Untranslated,
)
from tests.support.documents import plain_document

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOTHING, GIVEN = EmbeddedText(), EmbeddedText(alt_text="The uploader's")
CLAIM = plain_document("a.jpg", at=NOW, bucket="b", status=Status.PENDING, lease=Lease("me", NOW))
ASKED = CheckedCaption(
    reply=Reply(alt_text="The model's", caption="It says so.", tags=("a",)),
    reasons=(),
    model="m",
    model_version="1",
    language="en",
    width=4,
    height=3,
    embedded=EmbeddedText(),
)
PUBLISHED = replace(
    CLAIM,
    status=Status.CAPTIONED,
    alt_text="What stands",
    source=Source.MODEL,
    width=4,
    height=3,
    renewal=Renewal(NOW, forced=True),
)


def captioned(claim: Document, people: EmbeddedText = NOTHING) -> Document:
    return transitions.captioned(claim, ASKED, "prompt", people, NOW)


@pytest.mark.parametrize(
    ("claim", "people", "alt_text", "source", "proposed"),
    [
        (CLAIM, NOTHING, "The model's", "model", ""),
        (CLAIM, GIVEN, "The uploader's", "uploader", ""),
        (PUBLISHED, NOTHING, "The model's", "model", ""),
        (PUBLISHED, GIVEN, "The uploader's", "uploader", ""),
        (replace(PUBLISHED, source=Source.EMBEDDED), NOTHING, "The model's", "model", ""),
        (replace(PUBLISHED, source=Source.HUMAN), NOTHING, "What stands", "human", "The model's"),
        (replace(PUBLISHED, source=Source.HUMAN), GIVEN, "What stands", "human", "The uploader's"),
        (
            replace(PUBLISHED, source=Source.UPLOADER),
            NOTHING,
            "What stands",
            "uploader",
            "The model's",
        ),
        (replace(PUBLISHED, source=Source.UPLOADER), GIVEN, "The uploader's", "uploader", ""),
        (
            replace(PUBLISHED, review=Review(approved_by="ana")),
            GIVEN,
            "What stands",
            "model",
            "The uploader's",
        ),
    ],
)
def test_whose_text_stands_after_a_model_was_asked(
    claim: Document, people: EmbeddedText, alt_text: str, source: str, proposed: str
) -> None:
    document = captioned(claim, people)

    assert (document.alt_text, document.source) == (alt_text, source)
    assert (document.proposal.alt_text if document.proposal else "") == proposed
    assert (document.status, document.lease, document.renewal) == (Status.CAPTIONED, None, None)
    if proposed:
        assert document.review == claim.review


def test_a_proposal_that_says_what_stands_is_none() -> None:
    human = replace(captioned(CLAIM), source=Source.HUMAN)
    assert captioned(human).proposal is None


COPY = replace(PUBLISHED, name="b.jpg", alt_text="The copy's", renewal=None, lease=None)


@pytest.mark.parametrize(
    ("claim", "copy", "alt_text", "proposed"),
    [
        (CLAIM, COPY, "The copy's", ""),
        (replace(PUBLISHED, source=Source.HUMAN), COPY, "What stands", "The copy's"),
        (
            replace(PUBLISHED, source=Source.HUMAN),
            replace(COPY, source=Source.HUMAN),
            "The copy's",
            "",
        ),
        (
            replace(PUBLISHED, source=Source.HUMAN),
            replace(COPY, source=Source.HUMAN, review=Review(True, (IMAGE_CHANGED,))),
            "What stands",
            "The copy's",
        ),
    ],
)
def test_whose_text_stands_after_a_copy_was_found(
    claim: Document, copy: Document, alt_text: str, proposed: str
) -> None:
    document = transitions.copied(claim, copy, NOTHING, NOW)
    assert document.alt_text == alt_text
    assert (document.proposal.alt_text if document.proposal else "") == proposed


def test_what_the_uploader_gives_a_copy_takes_no_approval_with_it() -> None:
    approved = replace(COPY, review=Review(approved_by="ana", approved_at=NOW))
    document = transitions.copied(CLAIM, approved, GIVEN, NOW)
    assert (document.source, document.review.approved_by) == (Source.UPLOADER, None)


@pytest.mark.parametrize(
    ("claim", "reason", "status"),
    [
        (CLAIM, "blocked", Status.REJECTED),
        (PUBLISHED, "blocked", Status.CAPTIONED),
        (PUBLISHED, "corrupt_image", Status.CAPTIONED),
        (
            replace(PUBLISHED, source=Source.HUMAN, review=Review(True, (IMAGE_CHANGED,))),
            "blocked",
            Status.CAPTIONED,
        ),
        (
            replace(PUBLISHED, source=Source.HUMAN, review=Review(True, (IMAGE_CHANGED,))),
            "corrupt_image",
            Status.REJECTED,
        ),
    ],
)
def test_what_a_claim_without_an_answer_comes_to(
    claim: Document, reason: str, status: Status
) -> None:
    document = transitions.unanswered(claim, Status.REJECTED, Problem(reason, "why", NOW))
    assert document.status == status
    assert document.alt_text == claim.alt_text
    assert document.error
    assert document.error.reason == reason
    assert (document.lease, document.renewal) == (None, None)


@pytest.mark.parametrize("reason", ["over_budget", "expired"])
def test_a_wish_for_other_words_that_is_put_off_stays_beside_the_published_ones(
    reason: str,
) -> None:
    wished = replace(PUBLISHED, renewal=Renewal(NOW, forced=True))
    document = transitions.unanswered(wished, Status.DEFERRED, Problem(reason, "why", NOW))
    assert (document.status, document.alt_text) == (Status.CAPTIONED, PUBLISHED.alt_text)
    assert document.renewal == wished.renewal
    assert document.error
    assert "put off" in document.error.message


def test_labels_alone_are_the_uploaders_text() -> None:
    document = transitions.labelled(CLAIM, GIVEN, "de", NOW)
    assert (document.status, document.source, document.alt_text, document.language) == (
        Status.CAPTIONED,
        Source.UPLOADER,
        "The uploader's",
        "de",
    )


def test_a_models_translations_stand_beside_a_persons_and_work_goes_on() -> None:
    by_hand = {"alt_text": "Ce qui est là", "source": "human"}
    stands = replace(PUBLISHED, translations={"fr": by_hand, "de": {"outdated": True}})
    found = {tag: {"alt_text": "x", "caption": "y"} for tag in ("fr", "de")}
    made = transitions.translated(stands, found, (), ("fr", "de"), NOW)
    assert made.translations == {
        "fr": by_hand,
        "de": {"alt_text": "x", "caption": "y", "source": "model"},
    }
    assert (made.renewal, made.lease, made.review) == (stands.renewal, stands.lease, Review())
    assert "x" in made.search_terms


def test_a_doubtful_translation_is_marked_beside_what_is_marked_already() -> None:
    approved = replace(PUBLISHED, review=Review(True, ("a",), "Ada", NOW))
    made = transitions.translated(approved, {}, ("b", "a"), (), NOW)
    assert made.review == Review(True, ("a", "b"), "Ada", NOW)


def test_what_is_left_to_translate_keeps_the_time_since_when() -> None:
    waits = replace(PUBLISHED, untranslated=Untranslated(("fi",), NOW))
    later = NOW.replace(hour=13)
    left = transitions.left_to_translate(waits, ["sv", "fi"], [], later)
    assert left == Untranslated(("fi", "sv"), NOW)
    assert transitions.left_to_translate(waits, [], ["fi"], later) is None

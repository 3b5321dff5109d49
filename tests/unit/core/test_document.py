"""The nouns: what documents, replies and proposals have in common."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from datetime import UTC, datetime

from functions.core.document import Document, ImageText, Proposal, Source, Status, Usage
from tests.support.documents import plain_document

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def document() -> Document:
    return plain_document("a/ü.jpg", at=NOW, bucket="b", alt_text="A mug")


def test_an_id_is_the_hash_of_bucket_and_name() -> None:
    assert document().id == hashlib.sha256("b/a/ü.jpg".encode()).hexdigest()
    assert document().uri == "gs://b/a/ü.jpg"


def test_all_text_of_a_document_goes_into_a_proposal_and_back() -> None:
    text = document().text_fields()
    assert set(text) == {each.name for each in fields(ImageText)}
    assert Proposal(**text).text_fields() == text


def test_usage_adds_up_without_the_dust_of_fractions() -> None:
    assert Usage(1, 2, 3, 0.1) + Usage(1, 0, 0, 0.2) == Usage(2, 2, 3, 0.3)


def test_a_status_and_a_source_are_the_words_that_are_stored() -> None:
    assert [str(each) for each in Status] == [
        "pending",
        "captioned",
        "rejected",
        "failed",
        "deferred",
    ]
    assert Source("human") is Source.HUMAN

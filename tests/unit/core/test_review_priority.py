"""What people who review begin with."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from functions.core.document import IMAGE_CHANGED, Document, Review, Unable
from functions.core.review_priority import SEVERITY, prioritised, review_priority
from functions.model import embeddings
from functions.quality import Severity, embedded
from functions.quality.catalogue import RULES
from functions.usecases import take_over
from tests.support.documentation import page
from tests.support.documents import plain_document

NOW = datetime(2026, 11, 23, tzinfo=UTC)
REASONS = {
    *(each.code for each in RULES if each.severity is not Severity.FIX),
    *(f"model_{each}" for each in Unable),
    *(IMAGE_CHANGED, embedded.REASON, embeddings.LOW, embeddings.UNKNOWN, take_over.REASON),
    "offline",
}


def document(*reasons: str, needed: bool = True, similarity: float | None = None) -> Document:
    return plain_document(
        "a.jpg", at=NOW, bucket="b", review=Review(needed, reasons), similarity=similarity
    )


def priorities(*documents: Document) -> list[int]:
    return [review_priority(each) or -1 for each in documents]


def test_every_reason_that_the_code_gives_has_its_severity() -> None:
    assert SEVERITY.keys() == REASONS


def test_the_page_of_the_docs_lists_the_reasons_by_severity() -> None:
    rows = re.findall(r"^\| [a-z' ]+ \| (`.*) \|$", page("review").split("### Filters")[0], re.M)
    listed = [frozenset(re.findall(r"`(\w+)`", row)) for row in rows]
    severities = sorted(set(SEVERITY.values()), reverse=True)
    assert listed == [{code for code in SEVERITY if SEVERITY[code] == each} for each in severities]


def test_the_worst_reason_counts_whatever_else_there_is() -> None:
    worst = document("over_length", IMAGE_CHANGED, similarity=1.0)
    assert review_priority(worst) == 900
    others = [document(each, similarity=0.0) for each in SEVERITY if each != IMAGE_CHANGED]
    assert max(priorities(*others)) < 900


def test_of_one_reason_what_is_least_like_its_image_comes_first() -> None:
    some = [document("refusal", similarity=each) for each in (-1.0, 0.1, 0.4, None, 0.6, 1.0, 1.5)]
    assert priorities(*some) == [799, 789, 759, 750, 740, 700, 700]


@pytest.mark.parametrize("reasons", [(), ("of_a_later_version",)])
def test_an_unknown_reason_is_of_middling_severity(reasons: tuple[str, ...]) -> None:
    assert review_priority(document(*reasons)) == 550


def test_what_needs_no_review_has_no_priority() -> None:
    approved = document(IMAGE_CHANGED, needed=False)
    assert review_priority(approved) is None
    assert prioritised(prioritised(document(IMAGE_CHANGED))).review.priority == 950


def test_a_priority_that_is_no_longer_due_goes() -> None:
    before = Review(True, (IMAGE_CHANGED,), priority=950)
    after = replace(document(), review=replace(before, needed=False))
    assert prioritised(after).review.priority is None

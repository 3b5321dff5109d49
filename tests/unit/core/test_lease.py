"""Who may work on an image: the rules of the claim, by themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.core import lease
from functions.core.document import (
    IMAGE_CHANGED,
    Document,
    Lease,
    Problem,
    Renewal,
    Review,
    Source,
    Status,
    Stored,
    Upload,
    Usage,
)
from functions.core.lease import Decision, LeaseRequest, Trigger
from tests.support.documents import plain_document

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SOON, LATER, BEFORE = NOW + timedelta(minutes=1), NOW + timedelta(hours=1), NOW - timedelta(hours=1)
UPLOAD = Upload("b", "a.jpg", 5, NOW, md5="same")
REQUEST = LeaseRequest("me", "model", "prompt", NOW, timedelta(minutes=2))
PLAIN = plain_document(
    "a.jpg",
    at=BEFORE,
    bucket="b",
    generation=5,
    md5="same",
    width=4,
    height=3,
    source=Source.MODEL,
    alt_text="A mug",
    model="model",
    prompt="prompt",
    metadata_synced=True,
)
HELD = Lease("another", SOON)
FORCE, RETRY, EVENT = Trigger(NOW, force=True), Trigger(NOW, retry=True), Trigger(NOW)


def decided(
    document: Document, trigger: Trigger = EVENT, upload: Upload = UPLOAD, *, own_text: bool = False
) -> Decision:
    return lease.decide(Stored(document, 1, NOW), upload, trigger, REQUEST, own_text=own_text)


def taken(document: Document, trigger: Trigger = EVENT, upload: Upload = UPLOAD) -> Document:
    return lease.taken(Stored(document, 1, NOW), upload, REQUEST, trigger)


@pytest.mark.parametrize(
    ("changes", "trigger", "decision"),
    [
        ({"generation": 6}, FORCE, Decision.SUPERSEDED),
        ({}, EVENT, Decision.DONE),
        ({}, RETRY, Decision.DONE),
        ({}, FORCE, Decision.WORK),
        ({"updated_at": NOW}, FORCE, Decision.DONE),
        ({"metadata_synced": False}, EVENT, Decision.LABEL),
        ({"metadata_synced": False}, FORCE, Decision.WORK),
        ({"status": Status.PENDING}, EVENT, Decision.WORK),
        ({"status": Status.PENDING, "lease": HELD}, EVENT, Decision.HELD),
        ({"status": Status.PENDING, "lease": Lease("x", NOW)}, EVENT, Decision.WORK),
        ({"status": Status.PENDING, "not_before": SOON}, FORCE, Decision.HELD),
        ({"renewal": Renewal(BEFORE, True), "lease": HELD}, EVENT, Decision.HELD),
        ({"renewal": Renewal(BEFORE, True), "lease": HELD}, FORCE, Decision.HELD),
        ({"renewal": Renewal(BEFORE, True)}, EVENT, Decision.WORK),
        ({"status": Status.FAILED}, EVENT, Decision.DONE),
        ({"status": Status.FAILED}, RETRY, Decision.WORK),
        ({"status": Status.DEFERRED, "updated_at": NOW}, RETRY, Decision.DONE),
        ({"status": Status.REJECTED}, FORCE, Decision.WORK),
    ],
)
def test_what_a_delivery_may_do(
    changes: dict[str, object], trigger: Trigger, decision: Decision
) -> None:
    assert decided(replace(PLAIN, **changes), trigger) is decision  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "own_text", "decision"),
    [
        ({}, False, Decision.CARRY),
        ({}, True, Decision.WORK),
        ({"prompt": "older"}, False, Decision.WORK),
        ({"prompt": "older", "source": Source.HUMAN}, False, Decision.CARRY),
        ({"prompt": "older", "review": Review(approved_by="ana")}, False, Decision.CARRY),
        ({"md5": "other"}, False, Decision.WORK),
        ({"md5": ""}, False, Decision.WORK),
        ({"status": Status.FAILED}, False, Decision.WORK),
        ({"renewal": Renewal(BEFORE)}, False, Decision.WORK),
    ],
)
def test_the_same_picture_written_again_carries_its_text(
    changes: dict[str, object], own_text: bool, decision: Decision
) -> None:
    document = replace(PLAIN, generation=4, **changes)  # type: ignore[arg-type]
    assert decided(document, own_text=own_text) is decision
    assert decided(document, FORCE) is Decision.WORK


def test_a_forced_claim_takes_nothing_from_published_text() -> None:
    claim = taken(PLAIN, FORCE)

    assert claim.lease == Lease("me", NOW + timedelta(minutes=2))
    assert claim.renewal == Renewal(NOW, forced=True)
    assert claim.attempts == 1
    same = replace(claim, lease=None, renewal=None, attempts=0, updated_at=BEFORE)
    assert same == PLAIN


def test_attempts_go_on_in_one_renewal_and_begin_again_in_the_next() -> None:
    first = taken(PLAIN, FORCE)
    second = taken(replace(first, lease=None, error=Problem("transient", "x", NOW)), EVENT)
    assert (second.attempts, second.renewal) == (2, Renewal(NOW, forced=True))
    assert taken(replace(second, renewal=None), FORCE).attempts == 1


def test_an_urge_is_not_lost_on_work_that_was_begun_without() -> None:
    begun = replace(PLAIN, renewal=Renewal(BEFORE))
    assert taken(begun, FORCE).renewal == Renewal(NOW, forced=True)


def test_another_picture_has_nothing_of_a_models_text() -> None:
    claim = taken(replace(PLAIN, generation=4, md5="other"))
    assert claim == replace(lease.first(UPLOAD, REQUEST), created_at=BEFORE)


@pytest.mark.parametrize(
    "decision",
    [
        {"source": Source.HUMAN},
        {"source": Source.UPLOADER},
        {"review": Review(approved_by="ana", approved_at=BEFORE)},
        {"edited_at": BEFORE},
        {"translations": {"fr": {"alt_text": "Une tasse", "source": "human"}}},
    ],
    ids=str,
)
def test_a_persons_decision_outlives_any_number_of_other_pictures(decision: dict[str, Any]) -> None:
    document = replace(PLAIN, generation=4, md5="other", **decision)
    for generation in (5, 6, 7):
        upload = replace(UPLOAD, generation=generation, md5=f"picture {generation}")
        document = replace(taken(document, upload=upload), lease=None)
        assert (document.status, document.alt_text) == (Status.CAPTIONED, "A mug")
        assert document.by_person
        assert document.review == Review(True, (IMAGE_CHANGED,))
        assert (document.width, document.md5) == (None, f"picture {generation}")


def test_a_carried_text_is_of_the_new_generation_and_to_be_labelled() -> None:
    before = replace(PLAIN, generation=4, usage=Usage(model_calls=1))
    carried = lease.carried(Stored(before, 1, NOW), UPLOAD, REQUEST)
    assert (carried.generation, carried.metadata_synced) == (5, False)
    assert (carried.usage, carried.lease, carried.status) == (Usage(), None, Status.CAPTIONED)


@pytest.mark.parametrize(
    ("changes", "own"),
    [
        ({"renewal": Renewal(NOW)}, True),
        ({"renewal": Renewal(NOW, forced=True)}, False),
        ({"renewal": Renewal(NOW), "prompt": "older"}, False),
        ({"renewal": Renewal(NOW), "prompt": "older", "source": Source.HUMAN}, True),
        ({"renewal": Renewal(NOW), "width": None}, False),
        ({"status": Status.PENDING}, False),
    ],
)
def test_a_claim_asks_nobody_for_text_that_it_has(changes: dict[str, Any], own: bool) -> None:
    assert lease.own_text(replace(PLAIN, **changes), REQUEST) is own

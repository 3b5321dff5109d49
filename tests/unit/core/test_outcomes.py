"""What tells an image's own fault from an outage."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from functions.core.outcomes import LATELY, Outcomes

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def test_an_image_fails_by_itself_where_another_one_was_served_lately() -> None:
    outcomes = Outcomes()
    assert not outcomes.serves_others("a", NOW)
    outcomes.note("b", True, NOW)
    assert outcomes.serves_others("a", NOW)
    assert not outcomes.serves_others("b", NOW)
    assert not outcomes.serves_others("a", NOW + LATELY + timedelta(seconds=1))


def test_where_the_others_fail_too_it_is_an_outage() -> None:
    outcomes = Outcomes()
    outcomes.note("b", True, NOW)
    outcomes.note("b", False, NOW)
    assert not outcomes.serves_others("a", NOW)


def test_an_image_does_not_vouch_for_itself() -> None:
    outcomes = Outcomes()
    outcomes.note("b", True, NOW)
    for _ in range(5):
        outcomes.note("a", False, NOW)
    assert outcomes.serves_others("a", NOW)

"""The pace of one instance, moment by moment, and that of a bulk with several."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from functions.core.document import Allowance
from functions.model.pace import Pace
from tools.simulated_quota import QUOTAS, simulated

BEGIN = datetime(2026, 11, 23, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def paced(answered: int) -> Pace:
    """A pace that was refused five seconds after its start, after so many answers."""
    pace = Pace(BEGIN, running=2)
    for _ in range(answered):
        pace.succeed(BEGIN, at(1))
    pace.refuse(at(4), at(5))
    pace.running = 0
    return pace


def test_a_lone_refusal_may_be_chance_and_a_second_one_within_a_minute_is_not() -> None:
    pace = Pace(BEGIN)
    for seconds, rate in ((5, None), (100, None), (130, 1.0)):
        pace.begin(at(seconds), after_pause=False)
        pace.refuse(at(seconds), at(seconds + 0.1))
        pace.end(at(seconds + 0.1))
        assert pace.rate == rate
        assert not pace.delay(at(seconds + 0.2))


def test_eight_calls_begin_at_once_and_twice_as_many_each_quarter_of_a_second() -> None:
    begun = []
    for seconds in (0.0, 0.25, 0.5, 0.75):
        pace = Pace(BEGIN)
        pace.begin(at(0), after_pause=False)
        while not pace.delay(at(seconds)):
            pace.begin(at(seconds), after_pause=False)
        begun.append(pace.running)
    assert begun == [8, 16, 32, 64]


def test_the_first_refusal_sets_what_was_answered_as_a_minutes_quota() -> None:
    assert paced(300).rate == pytest.approx(0.85 * 300 / 60)


def test_what_was_on_its_way_then_and_is_answered_counts_too() -> None:
    pace = paced(100)
    for _ in range(200):
        pace.succeed(at(4), at(6))
    assert pace.rate == pytest.approx(0.85 * 300 / 60)


def test_refusals_of_what_was_on_its_way_lower_a_rate_no_further() -> None:
    pace = paced(300)
    before = pace.rate
    for _ in range(50):
        pace.refuse(at(4), at(5.1))
    assert pace.rate == before


def test_nobody_asks_for_a_while_after_a_refusal_and_for_longer_after_the_next_one() -> None:
    pace = paced(300)
    assert pace.delay(at(5)) == 20
    pace.refuse(at(25), at(25))
    assert pace.delay(at(25)) == 40
    pace.succeed(at(65), at(66))
    pace.refuse(at(67), at(67))
    assert pace.delay(at(67)) == 20


@pytest.mark.parametrize(("asked_again", "doubles_in"), [(21, 60), (50, 300)])
def test_a_first_rate_grows_quickly_unless_it_is_that_of_a_window(
    asked_again: float, doubles_in: float
) -> None:
    pace = paced(60)
    first = pace.rate or 0.0
    seconds, now = 0.0, asked_again
    while (pace.rate or 0.0) < 2 * first and seconds < 2 * doubles_in:
        pace.begin(at(5 + now), after_pause=False)
        waited = max(pace.delay(at(5 + now)), 0.01)
        now, seconds = now + waited, seconds + waited
        pace.succeed(at(5 + now - waited), at(5 + now))
        pace.end(at(5 + now))
    assert 0.5 * doubles_in < seconds < 1.2 * doubles_in


def test_a_rate_grows_only_while_somebody_waits_for_it() -> None:
    pace = paced(300)
    before = pace.rate
    pace.succeed(at(20), at(22))
    assert pace.rate == before
    pace.begin(at(30), after_pause=False)
    assert pace.delay(at(30))
    pace.succeed(at(30), at(30.1))
    assert before is not None
    assert pace.rate is not None
    assert pace.rate > before


def test_a_later_refusal_sets_what_was_let_through_since_the_last_one() -> None:
    pace = paced(300)
    pace.succeed(at(50), at(52))
    pace.refuse(at(53), at(54))
    for _ in range(72):
        pace.succeed(at(60), at(62))
    pace.refuse(at(90), at(91))
    assert pace.rate == pytest.approx(72 / 37)


def test_a_rate_is_forgotten_an_hour_after_the_last_refusal() -> None:
    pace = paced(300)
    pace.succeed(at(4000), at(4001))
    assert pace.rate is None
    assert not pace.delay(at(4001))


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        (Allowance(300, 500, 24), 0.0),  # half of it is there
        (Allowance(100, 500, 48), 0.48),
        (Allowance(0, 500, 60), 60.0),
        (Allowance(0, 0, 1e9), 3600.0),
        (Allowance(900, 2000, 40_000), 0.0),  # a day's
        (None, 0.0),
    ],
)
def test_what_the_provider_says_is_left_is_spread_before_anybody_is_refused(
    told: Allowance | None, seconds: float
) -> None:
    pace = Pace(BEGIN)
    pace.begin(at(0), after_pause=False)
    pace.follow(told, at(0))
    assert pace.delay(at(0)) == pytest.approx(seconds)
    assert not pace.delay(at(seconds + 0.001))


def test_calls_on_their_way_are_not_counted_on() -> None:
    pace = Pace(BEGIN, running=5)
    pace.follow(Allowance(4, 500, 60), at(0))
    assert pace.delay(at(1)) == 59


def test_a_server_that_answers_although_nothing_is_left_is_not_believed() -> None:
    pace = Pace(BEGIN, running=1)
    for number in range(5):
        pace.follow(Allowance(0, 500, 60), at(number))
    assert not pace.delay(at(5))


def test_a_clock_that_is_set_back_by_an_hour_holds_nobody_up() -> None:
    pace = paced(300)
    pace.follow(Allowance(0, 500, 3600), at(5))
    assert pace.delay(at(-3600)) <= 45
    pace.begin(at(-3590), after_pause=True)
    assert not pace.overtaken(at(-3590))
    before = pace.rate
    pace.refuse(at(-3590), at(-3589))
    pace.succeed(at(-3570), at(-3569))
    pace.refuse(at(-3560), at(-3559))
    assert before is not None
    assert pace.rate is not None
    assert pace.rate < before


@pytest.mark.parametrize("kind", QUOTAS)
def test_a_bulk_of_three_instances_keeps_to_a_quota_that_names_no_delay(kind: str) -> None:
    bulk = simulated(kind, 3, tells=False, images=4000)
    assert bulk.left == 0
    assert bulk.provider.refused <= 0.02 * 4000
    assert max(bulk.ends) <= 1.5 * 60 * 4000 / 300

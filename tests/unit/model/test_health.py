"""Whether a model answers, and how fast it may be asked, in a time of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from functions.core.errors import Away, ConfigurationError, Outage, TransientError
from functions.model.health import LONG_PATIENCE, LONGEST_PAUSE, PATIENCE, ModelHealth

BEGIN = datetime(2026, 11, 23, 12, tzinfo=UTC)
DOWN = TransientError("503", None, Outage.AWAY)
REFUSED = TransientError("429", None, Outage.OVER_QUOTA)
UNPAID = TransientError("429", 5.0, Outage.NO_CREDIT)


class Time:
    """A clock that moves as it is told, or as somebody waits."""

    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> datetime:
        return self.now

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        self.pass_(seconds)

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def health(time: Time) -> ModelHealth:
    return ModelHealth("gemini:x", time, time.wait)


def ask(health: ModelHealth, time: Time, image: str, error: Exception | None = None) -> bool:
    """One call about an image; whether a failure is its own fault."""
    own = False
    with health.turn(5) as turn:
        time.pass_(0.1)
        if isinstance(error, TransientError | ConfigurationError):
            own = health.failed(turn, image, error)
        else:
            health.answered(turn, image)
    return own


def test_one_failure_may_be_chance_and_a_second_one_closes(health: ModelHealth, time: Time) -> None:
    ask(health, time, "a", DOWN)
    assert (health.state, health.closed_for()) == ("answering", 0)
    ask(health, time, "b", DOWN)
    assert health.state == "away"
    with pytest.raises(Away, match="answers nobody"):
        health.turn(60)
    assert health.closed_for() == 1


def test_after_a_pause_one_asks_for_all(health: ModelHealth, time: Time) -> None:
    for image in "ab":
        ask(health, time, image, DOWN)
    time.pass_(1.1)
    with health.turn() as probe:
        with pytest.raises(Away):
            health.turn()
        health.answered(probe, "c")
        assert not health.closed_for()
        assert health.turn()
    assert probe.probe


def test_a_probe_that_never_asked_leaves_its_place_to_another(
    health: ModelHealth, time: Time
) -> None:
    for image in "ab":
        ask(health, time, image, DOWN)
    time.pass_(1.1)
    with health.turn():
        pass
    assert health.turn().probe


def test_pauses_grow_up_to_a_bound_and_end_with_an_answer(health: ModelHealth, time: Time) -> None:
    pauses = []
    for number in range(12):
        ask(health, time, str(number), DOWN)
        pauses.append(round(health.closed_for()))
        time.pass_(health.closed_for() + 0.01)
    assert pauses[:6] == [0, 1, 2, 4, 8, 16]
    assert pauses[-1] == LONGEST_PAUSE
    ask(health, time, "x")
    assert (health.state, health.closed_for()) == ("answering", 0)


def test_calls_that_were_on_their_way_count_as_one_failure(health: ModelHealth, time: Time) -> None:
    turns = [health.turn() for _ in range(6)]
    time.pass_(1)
    for number, turn in enumerate(turns):
        health.failed(turn, str(number), DOWN)
        health.end(turn)
    assert health.closed_for() == 0


def test_the_providers_delay_is_kept_for_all(health: ModelHealth, time: Time) -> None:
    ask(health, time, "a", TransientError("429", 40.0, Outage.OVER_QUOTA))
    assert health.closed_for() == pytest.approx(40)
    time.pass_(40)
    assert health.turn()


def test_what_was_answered_on_its_way_ends_no_pause_of_a_quota(
    health: ModelHealth, time: Time
) -> None:
    on_its_way, refused = health.turn(), health.turn()
    time.pass_(0.1)
    health.failed(refused, "a", TransientError("429", 40.0, Outage.OVER_QUOTA))
    time.pass_(2)
    health.answered(on_its_way, "b")
    assert health.closed_for() == pytest.approx(38)


def test_an_event_waits_for_a_quotas_minute_in_a_bulk_and_a_person_does_not(
    health: ModelHealth, time: Time
) -> None:
    late = TransientError("429", 40.0, Outage.OVER_QUOTA)
    ask(health, time, "b")
    first, second = health.turn(), health.turn()
    for turn in (first, second):
        health.failed(turn, "a", late)
        health.end(turn)
    with pytest.raises(Away):
        health.turn(PATIENCE)
    assert health.turn(LONG_PATIENCE)
    assert time.now >= BEGIN + timedelta(seconds=40)


@pytest.mark.parametrize("at_once", [1, 8])
def test_nobody_waits_for_a_long_pause_while_nobody_has_been_answered(
    health: ModelHealth, time: Time, at_once: int
) -> None:
    for turn in [health.turn() for _ in range(at_once)]:
        health.failed(turn, "a", TransientError("429", 40.0, Outage.OVER_QUOTA))
        health.end(turn)
    before = time.now
    with pytest.raises(Away):
        health.turn(LONG_PATIENCE)
    assert time.now == before


def test_nobody_waits_for_a_quota_that_is_refused_time_and_again(
    health: ModelHealth, time: Time
) -> None:
    ask(health, time, "answered before, in a bulk")
    for number in range(4):
        with health.turn(LONG_PATIENCE) as turn:
            health.failed(turn, str(number), REFUSED)
    before = time.now
    with pytest.raises(Away):
        health.turn(LONG_PATIENCE)
    assert time.now == before


def test_without_credit_pauses_grow_to_five_minutes_whatever_delay_is_named_and_no_pace_is_set(
    health: ModelHealth, time: Time
) -> None:
    pauses = []
    for number in range(6):
        ask(health, time, str(number), UNPAID)
        pauses.append(round(health.closed_for()))
        time.pass_(health.closed_for() + 0.01)
    assert pauses == [5, 5, 20, 100, 300, 300]
    ask(health, time, "x")
    assert [health.turn() for _ in range(8)]


def test_who_waits_is_served_in_the_order_of_coming(time: Time) -> None:
    """At a pace of one call a second, so that only one may ask each time that one goes by."""
    health = ModelHealth("gemini:x", time, lambda line, _: line.wait(0.01) and None)
    for name in "ab":
        ask(health, time, name, TransientError("429", 15.0, Outage.OVER_QUOTA))
        time.pass_(15)
    served: list[int] = []

    def wait(number: int) -> None:
        with health.turn(300) as turn:
            served.append(number)
            health.answered(turn, str(number))

    threads = [threading.Thread(target=wait, args=(number,)) for number in range(5)]
    for number, thread in enumerate(threads):
        thread.start()
        while len(served) + len(health._line) <= number:
            thread.join(0.001)
    for count in range(1, 6):
        while len(served) < count:
            threads[-1].join(0.001)
        time.pass_(1)
    for thread in threads:
        thread.join()
    assert served == [0, 1, 2, 3, 4]


def test_a_clock_that_is_set_back_does_not_make_a_pause_longer(
    health: ModelHealth, time: Time
) -> None:
    ask(health, time, "a", TransientError("429", 40.0, Outage.OVER_QUOTA))
    time.pass_(-3600)
    assert health.closed_for() == 0


@pytest.mark.parametrize(
    ("before", "own"),
    [
        ([("b", None)], True),
        ([], False),
        ([("b", None), ("c", DOWN)], False),
        ([("b", DOWN), ("c", None)], True),
        ([("a", None)], False),
    ],
)
def test_a_failure_is_the_images_own_while_the_last_other_one_was_answered(
    health: ModelHealth, time: Time, before: list[tuple[str, Exception | None]], own: bool
) -> None:
    for image, error in before:
        ask(health, time, image, error)
    assert ask(health, time, "a", DOWN) is own
    assert ask(health, time, "a", ConfigurationError("400")) is own


def test_an_answer_of_an_hour_ago_says_nothing_of_now(health: ModelHealth, time: Time) -> None:
    ask(health, time, "b")
    time.pass_(3600)
    assert not ask(health, time, "a", DOWN)


def test_a_refusal_for_quota_is_nobodys_own(health: ModelHealth, time: Time) -> None:
    ask(health, time, "b")
    assert not ask(health, time, "a", REFUSED)


def test_what_fails_by_itself_closes_nothing_for_others(health: ModelHealth, time: Time) -> None:
    for _ in range(5):
        ask(health, time, "good")
        assert ask(health, time, "bad", DOWN)
        assert health.closed_for() == 0


def served(
    health: ModelHealth, time: Time, seconds: float, allowed: Callable[[], bool]
) -> tuple[int, int]:
    """Ask as often as one may; calls that were answered and refused."""
    counts = [0, 0]
    until = time.now + timedelta(seconds=seconds)
    number = 0
    while time.now < until:
        number += 1
        try:
            turn = health.turn(20)
        except Away:
            time.pass_(0.5)
            continue
        with turn:
            time.pass_(0.05)
            good = allowed()
            counts[not good] += 1
            if good:
                health.answered(turn, str(number))
            else:
                health.failed(turn, str(number), REFUSED)
    return counts[0], counts[1]


@pytest.mark.parametrize("window", [2.0, 60.0])
def test_calls_keep_to_a_quota_with_few_refused(
    health: ModelHealth, time: Time, window: float
) -> None:
    used: dict[int, int] = {}

    def allowed() -> bool:
        period = int(time.now.timestamp() / window)
        used[period] = used.get(period, 0) + 1
        return used[period] <= 5 * window

    served(health, time, 300, allowed)
    answered, refused = served(health, time, 1800, allowed)
    assert refused <= 0.02 * answered
    assert answered >= 0.8 * 5 * 1800


def test_a_quota_that_is_raised_is_found(health: ModelHealth, time: Time) -> None:
    limit = [2.0]
    used: dict[int, int] = {}

    def allowed() -> bool:
        period = int(time.now.timestamp())
        used[period] = used.get(period, 0) + 1
        return used[period] <= limit[0]

    served(health, time, 300, allowed)
    limit[0] = 100.0
    served(health, time, 1800, allowed)
    answered, _ = served(health, time, 60, allowed)
    assert answered > 5 * 60


def test_a_burst_begins_within_a_second_while_nothing_is_refused(
    health: ModelHealth, time: Time
) -> None:
    assert [health.turn(1.0) for _ in range(80)]
    assert time.now - BEGIN <= timedelta(seconds=1)


def test_what_has_not_asked_yet_does_not_when_the_quota_turns_out_to_be_spent(
    health: ModelHealth, time: Time
) -> None:
    first, second = health.turn(), health.turn()
    time.pass_(0.1)
    health.confirm(second)
    health.failed(first, "a", REFUSED)
    with pytest.raises(Away):
        health.confirm(second)
    time.pass_(30)
    third = health.turn()
    health.confirm(third)


def test_after_a_clock_is_set_back_what_fails_still_closes(health: ModelHealth, time: Time) -> None:
    for image in "ab":
        ask(health, time, image, DOWN)
    time.pass_(-3600)
    ask(health, time, "c", DOWN)
    assert health.closed_for() > 0


def test_nobody_waits_for_ever_for_a_turn(health: ModelHealth, time: Time) -> None:
    """Whatever was refused: somebody asks in each minute."""
    for number in range(60):
        began = time.now
        while True:
            try:
                turn = health.turn(20)
                break
            except Away:
                time.pass_(1)
        assert time.now - began <= timedelta(seconds=60)
        health.failed(turn, str(number), REFUSED)
        health.end(turn)


def test_an_image_that_alone_is_refused_for_quota_amid_many_others_is_at_fault(
    health: ModelHealth, time: Time
) -> None:
    for number in range(20):
        ask(health, time, str(number))
    assert ask(health, time, "bad", REFUSED)
    assert not ask(health, time, "other", REFUSED)

"""The chaos itself: hypothesis chooses what people, the platform and misfortune do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.chaos import promise
from tests.chaos.faults import KINDS, Fault, failing
from tests.chaos.places import Place
from tests.chaos.ports import ANSWERS
from tests.chaos.world import BYTES, World

HOUR = timedelta(hours=1)
CLOCKS = ((timedelta(),) * 3, (timedelta(), HOUR, -HOUR))
# A run's own time, so that no event grows a day old before everything works again.
LONGEST = timedelta(hours=4)
NAMES = ("one.jpg", "two.jpg")

NUMBERS = st.integers(0, 40)
INSTANCES = st.integers(0, 2)
# At which port call of a delivery, before its effect or after it, what happens, and a number.
Trouble = tuple[int, bool, str, int]
MEANWHILE = (
    *("deliver", "again", "upload", "delete", "edit", "force", "wait"),
    *("copy", "move", "approve"),
)
TROUBLES = st.lists(
    st.tuples(st.integers(0, 9), st.booleans(), st.sampled_from(KINDS + MEANWHILE), NUMBERS),
    max_size=3,
)


def other_name(name: str) -> str:
    """The other name."""
    return NAMES[1 - NAMES.index(name)]


class Chaos(RuleBasedStateMachine):
    """Any order of anything. A subclass says on which stores."""

    figures: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self._place = self.place()
        self.world: World | None = None

    def place(self) -> Place:
        raise NotImplementedError

    @initialize(limit=st.sampled_from((0, 4, 1000)), clocks=st.sampled_from(CLOCKS))
    def begin(self, limit: int, clocks: tuple[timedelta, ...]) -> None:
        self.world = World(self._place, limit, clocks)
        self.world.put(NAMES[0], "a")

    @rule(name=st.sampled_from(NAMES), kind=st.sampled_from(sorted(BYTES)))
    def somebody_uploads(self, name: str, kind: str) -> None:
        self._world.put(name, kind)

    @rule(name=st.sampled_from(NAMES))
    def somebody_deletes(self, name: str) -> None:
        self._world.remove(name)

    @rule(name=st.sampled_from(NAMES), moved=st.booleans())
    def somebody_copies_or_moves(self, name: str, moved: bool) -> None:
        self._world.copy(name, other_name(name), moved)

    @rule(name=st.sampled_from(NAMES))
    def somebody_writes_an_image_again_in_place(self, name: str) -> None:
        self._world.copy(name, name, False)

    @rule(name=st.sampled_from(NAMES))
    def somebody_approves(self, name: str) -> None:
        self._world.approve(name)

    @rule(name=st.sampled_from(NAMES), number=NUMBERS)
    def somebody_writes_the_alt_text(self, name: str, number: int) -> None:
        self._world.edit(name, f"By hand, number {number}.")

    @rule(name=st.sampled_from(NAMES), force=st.booleans())
    def somebody_asks_for_a_caption(self, name: str, force: bool) -> None:
        self._world.request(name, force)

    @rule(number=NUMBERS, instance=INSTANCES, troubles=TROUBLES)
    def the_platform_delivers(self, number: int, instance: int, troubles: list[Trouble]) -> None:
        waiting = [each for each in self._world.deliveries if not each.acknowledged]
        if waiting:
            self._arm(instance, troubles)
            delivery = waiting[number % len(waiting)]
            self._world.deliver(delivery, self._world.instances[instance])

    @rule(number=NUMBERS, instance=INSTANCES, troubles=TROUBLES)
    def the_platform_delivers_again(
        self, number: int, instance: int, troubles: list[Trouble]
    ) -> None:
        self._arm(instance, troubles)
        deliveries = self._world.deliveries
        self._world.deliver(deliveries[number % len(deliveries)], self._world.instances[instance])

    @rule(answer=st.sampled_from(ANSWERS[1:]))
    def the_model_will_answer(self, answer: str) -> None:
        causes = {"blocked": "blocked", "unusable": "no_caption"}
        self._world.script.append(answer)
        self._world.scripted |= {causes[answer]} if answer in causes else set()

    def _arm(self, instance: int, troubles: list[Trouble]) -> None:
        for calls, after, what, number in troubles:
            act = failing(what) if what in KINDS else self._meanwhile(instance, what, number)
            self._world.instances[instance].faults.arm(Fault(calls, after, act))

    def _meanwhile(self, instance: int, what: str, number: int) -> Callable[[str], None]:
        """Something that happens amid a delivery, most of it with the image concerned."""
        world, other = self._world, (instance + 1 + number % 2) % 3
        same = number % 4

        def act(port: str) -> None:
            name = world.at_work[-1].key[0] if same else NAMES[number % 2]
            if what == "deliver":
                self.the_platform_delivers(number, other, [])
            elif what == "again":
                world.deliver(world.at_work[-1], world.instances[other])
            elif what == "upload":
                world.put(name, sorted(BYTES)[number % len(BYTES)])
            elif what == "delete":
                world.remove(name)
            elif what == "edit":
                world.edit(name, f"By hand, number {number}.")
            elif what == "approve":
                world.approve(name)
            elif what in ("copy", "move"):
                world.copy(name, other_name(name), what == "move")
            elif what == "force":
                world.request(name, True)
            else:
                self.time_passes(4)

        return act

    @rule(minutes=st.integers(1, 30))
    def time_passes(self, minutes: int) -> None:
        world = self._world
        if world.now + timedelta(minutes=minutes) < world.started_at + LONGEST:
            world.pass_time(60 * minutes)

    @invariant()
    def nothing_is_broken(self) -> None:
        assert not (self.world and self.world.witness.violations), self._world.witness.violations

    def teardown(self) -> None:
        world, self.world = self.world, None
        try:
            if world and not world.witness.violations:
                broken = promise.keep(world)
                self._count(world)
                assert not broken, "\n".join(broken)
        finally:
            self._place.close()

    @property
    def _world(self) -> World:
        assert self.world
        return self.world

    def _count(self, world: World) -> None:
        self.figures.update(world.figures)
        self.figures["runs"] += 1
        calls = world.witness.calls
        self.figures["model calls"] += sum(calls.values())
        self.figures["extra calls"] += sum(count - 1 for count in calls.values())
        self.figures["captions"] += sum(world.witness.captions.values())

"""Short runs of the calendar: whatever the day brings, everything ends captioned by itself."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.chaos.days import SCENARIOS, dead_letters
from tests.chaos.places import MEMORY, EmbeddedPlace, Place
from tests.chaos.scenarios import Outcome


@pytest.fixture
def place() -> Iterator[EmbeddedPlace]:
    with (
        tempfile.TemporaryDirectory(dir=MEMORY) as folder,
        closing(EmbeddedPlace(Path(folder))) as place,
    ):
        yield place


# Each of these is delivered a hundred times.
FEW, SOME = 1, 5


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.__name__)
def test_everything_is_captioned_without_a_command(
    place: EmbeddedPlace, scenario: Callable[[Place, int], Outcome]
) -> None:
    uploads = FEW if scenario is dead_letters else SOME
    assert scenario(place, uploads).violations == []

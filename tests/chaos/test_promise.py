"""A short run of the chaos, on the folder and SQLite."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.chaos.machine import Chaos
from tests.chaos.places import MEMORY, EmbeddedPlace

# A planted bug is to be seen, not to be made small: tools/mutants.py sets this to 0.
SHRINK = "CHAOS_SHRINK"
SHORT = settings(
    max_examples=60,
    stateful_step_count=40,
    derandomize=True,
    phases=[Phase.generate] + [Phase.shrink] * (os.environ.get(SHRINK) != "0"),
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


class OnAFolder(Chaos):
    def place(self) -> EmbeddedPlace:
        self._folder = tempfile.TemporaryDirectory(dir=MEMORY)
        return EmbeddedPlace(Path(self._folder.name))

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            self._folder.cleanup()


def test_every_upload_has_one_effect_and_ends_whatever_goes_wrong() -> None:
    run_state_machine_as_test(OnAFolder, settings=SHORT)

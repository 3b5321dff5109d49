"""The planted bugs: each has its one place in the code as it stands, and tests to see it."""

from __future__ import annotations

import pytest

from tests.support.locks import ROOT
from tools.mutants import MUTANTS, PICTURES, VIDEOS, Mutant, planted


@pytest.mark.parametrize("mutant", [*MUTANTS, *PICTURES, *VIDEOS], ids=lambda each: each.name)
def test_a_planted_bug_has_one_place_and_tests_that_exist(mutant: Mutant) -> None:
    source = (ROOT / mutant.file).read_text("utf-8")
    assert planted(source, mutant) != source
    assert all((ROOT / each).exists() for each in mutant.tests.split())

"""docs/benchmarks.md says what was measured last."""

from __future__ import annotations

import re

from tools.bench import figures


def test_the_page_has_the_recorded_figures() -> None:
    page = figures.PAGE.read_text("utf-8")
    recorded = figures.read()

    assert set(re.findall(r"<!-- figures: (\w+) -->", page)) == set(recorded)
    assert figures.written(page, recorded) == page


def test_figures_are_a_median_and_its_range() -> None:
    assert figures.spread([3.0], "{:.1f}") == "3.0"
    assert figures.spread([*map(float, range(11))], "{:.0f}") == "5 (1–9)"

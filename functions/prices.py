"""What a model call costs, from the dated table in prices.toml."""

from __future__ import annotations

import functools
import tomllib
from pathlib import Path

from functions.domain import Answer, Usage


def usage(model: str, answer: Answer) -> Usage:
    """One call's usage; ``cost_usd`` is 0 for a model that the table does not list."""
    price = _table().get(model, {"input": 0.0, "output": 0.0})
    dollars = (
        answer.input_tokens * price["input"] + answer.output_tokens * price["output"]
    ) / 1_000_000
    return Usage(1, answer.input_tokens, answer.output_tokens, round(dollars, 9))


@functools.cache
def _table() -> dict[str, dict[str, float]]:
    table = tomllib.loads(Path(__file__).with_name("prices.toml").read_text("utf-8"))
    return {model: price for model, price in table.items() if isinstance(price, dict)}

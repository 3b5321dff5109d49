"""What a model call costs, from the dated table in prices.toml and the rows of CAPTION_PRICES."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from pathlib import Path

from functions.core.document import Answer, Embedding, Usage
from functions.core.errors import ConfigurationError

# A caption as README counts it: 1,120 tokens of image and 850 of prompt; the reply.
TYPICAL = Answer("", input_tokens=1970, output_tokens=120)
_PER = 1_000_000
_COLUMNS = frozenset({"input", "output", "image"})


def usage(model: str, answer: Answer, own: Path | None = None) -> Usage:
    """One call's usage; ``cost_usd`` is 0 for a model that no table lists. The rows of ``own``
    stand before ours."""
    price = table(own).get(model, {})
    dollars = (
        answer.input_tokens * price.get("input", 0) + answer.output_tokens * price.get("output", 0)
    ) / _PER
    return Usage(1, answer.input_tokens, answer.output_tokens, round(dollars, 9))


def embedding(model: str, made: Embedding, kind: str, own: Path | None = None) -> float:
    """US dollars for an embedding of words (``kind`` "input") or of a picture ("image")."""
    return round(made.input_tokens * table(own).get(model, {}).get(kind, 0) / _PER, 9)


@functools.cache
def table(own: Path | None = None) -> Mapping[str, Mapping[str, float]]:
    """The prices by model. Raises ConfigurationError if ``own`` is no such table."""
    ours = Path(__file__).with_name("prices.toml")
    rows = tomllib.loads(ours.read_text("utf-8"))
    try:
        rows |= tomllib.loads(own.read_text("utf-8")) if own else {}
        return {model: _row(model, row) for model, row in rows.items() if model != "as_of"}
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"CAPTION_PRICES={own} {error}. Write it as functions/model/prices.toml is written, US "
            "dollars for a million tokens."
        ) from None


def _row(model: str, row: object) -> Mapping[str, float]:
    if not isinstance(row, dict) or not row or not row.keys() <= _COLUMNS:
        raise ValueError(f'has no prices for {model}: a row is ["{model}"] with input and output')
    if not all(isinstance(each, int | float) and each >= 0 for each in row.values()):
        raise ValueError(f"has a price for {model} that is no amount")
    return {column: float(price) for column, price in row.items()}

"""What a model call costs on a day, from the dated rows of prices.toml and of CAPTION_PRICES."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from functions.core.document import Answer, Embedding, Usage
from functions.core.errors import ConfigurationError

# A caption as docs/privacy-and-cost.md counts it: 1,120 tokens of image and 850 of prompt.
TYPICAL = Answer("", input_tokens=1970, output_tokens=120)
_PER = 1_000_000
_COLUMNS = frozenset({"from", "input", "output", "image"})
_FIRST_DAY = date(1970, 1, 1)
# Providers that send no bill: a machine of one's own, and no model at all.
_FREE = ("ollama:", "offline")

Row = Mapping[str, float]


def usage(model: str, answer: Answer, own: Path | None = None, day: date | None = None) -> Usage:
    """One call's usage on ``day``; ``cost_usd`` is 0 for a model that no table lists. The rows of
    ``own`` stand before ours."""
    price = table(own, day).get(model, {})
    dollars = (
        answer.input_tokens * price.get("input", 0) + answer.output_tokens * price.get("output", 0)
    ) / _PER
    return Usage(1, answer.input_tokens, answer.output_tokens, round(dollars, 9))


def embedding(
    model: str, made: Embedding, kind: str, own: Path | None = None, day: date | None = None
) -> float:
    """US dollars for an embedding of words (``kind`` "input") or of a picture ("image")."""
    return round(made.input_tokens * table(own, day).get(model, {}).get(kind, 0) / _PER, 9)


def has_price(model: str, own: Path | None = None) -> bool:
    """Whether what a call of ``model`` costs is known: it is listed, or nobody sends a bill."""
    return model.startswith(_FREE) or model in table(own)


def as_of() -> date:
    """When our table was last looked at."""
    looked_at: date = _read(None)[0]
    return looked_at


@functools.lru_cache(maxsize=8)
def table(own: Path | None = None, day: date | None = None) -> Mapping[str, Row]:
    """The prices by model on ``day``, or when our table was last looked at. Raises
    ConfigurationError if ``own`` is no such table."""
    looked_at, rows = _read(own)
    when = day or looked_at
    return {model: _on(when, dated) for model, dated in rows.items()}


@functools.cache
def _read(own: Path | None) -> tuple[date, Mapping[str, Sequence[tuple[date, Row]]]]:
    ours = Path(__file__).with_name("prices.toml")
    tables = tomllib.loads(ours.read_text("utf-8"))
    looked_at: date = tables["as_of"]
    try:
        tables |= tomllib.loads(own.read_text("utf-8")) if own else {}
        return looked_at, {
            model: _dated(model, rows) for model, rows in tables.items() if model != "as_of"
        }
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"CAPTION_PRICES={own} {error}. Write it as functions/model/prices.toml is written, US "
            "dollars for a million tokens."
        ) from None


def _dated(model: str, rows: Any) -> Sequence[tuple[date, Row]]:
    """The rows of a model, one or several, by the day from which each holds."""
    dated = [_row(model, each) for each in (rows if isinstance(rows, list) else [rows])]
    return sorted(dated, key=lambda each: each[0])


def _row(model: str, row: Any) -> tuple[date, Row]:
    if not isinstance(row, dict) or not row.keys() - {"from"} or not row.keys() <= _COLUMNS:
        raise ValueError(f'has no prices for {model}: a row is ["{model}"] with input and output')
    begins = row.get("from", _FIRST_DAY)
    if type(begins) is not date:
        raise ValueError(f"has a price for {model} from no day: write from = 2027-01-01")
    amounts = {column: each for column, each in row.items() if column != "from"}
    if not all(type(each) in {int, float} and each >= 0 for each in amounts.values()):
        raise ValueError(f"has a price for {model} that is no amount")
    return begins, {column: float(each) for column, each in amounts.items()}


def _on(day: date, dated: Sequence[tuple[date, Row]]) -> Row:
    """The row that holds on ``day``; the first one before that."""
    return next((row for begins, row in reversed(dated) if begins <= day), dated[0][1])

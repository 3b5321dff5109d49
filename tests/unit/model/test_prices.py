"""What a call costs on its day, and which models are announced to go."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from functions.core.document import Answer, Embedding
from functions.core.errors import ConfigurationError
from functions.model import prices, retirements

FLASH = "gemini:gemini-3.8-flash"
CALL = Answer("", input_tokens=1_000_000, output_tokens=1_000_000)


def dollars(day: date | None, own: Path | None = None, model: str = FLASH) -> float:
    return prices.usage(model, CALL, own, day).cost_usd


@pytest.mark.parametrize(
    ("day", "cost"),
    [
        (date(2026, 8, 1), 4.50),
        (date(2026, 12, 31), 4.50),
        (date(2027, 1, 1), 9.00),
        (date(2030, 1, 1), 9.00),
        (None, 4.50),
    ],
)
def test_a_call_costs_what_its_day_says(day: date | None, cost: float) -> None:
    assert dollars(day) == pytest.approx(cost)


def test_prices_of_ones_own_may_be_dated_as_well(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        '[["acme:seer-1"]]\nfrom = 2027-06-01\ninput = 2\n'
        '[["acme:seer-1"]]\ninput = 1\n["acme:seer-2"]\ninput = 5\n'
    )
    assert dollars(date(2027, 5, 31), own, "acme:seer-1") == 1
    assert dollars(date(2027, 6, 1), own, "acme:seer-1") == 2
    assert dollars(date(2027, 6, 1), own, "acme:seer-2") == 5
    assert dollars(date(2027, 6, 1), own) == pytest.approx(9)
    made = Embedding((1.0,), 1_000_000)
    assert prices.embedding("acme:seer-1", made, "input", own, date(2028, 1, 1)) == 2


@pytest.mark.parametrize(
    "row", ["from = 2027-01-01", "from = 1\ninput = 1", 'from = "soon"\ninput = 1', "input = true"]
)
def test_a_faulty_row_is_named(row: str, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(f'["acme:seer-1"]\n{row}\n')
    with pytest.raises(ConfigurationError, match=r"CAPTION_PRICES=.*acme:seer-1"):
        prices.table(own)


def test_who_sends_no_bill_needs_no_price() -> None:
    assert prices.has_price("ollama:qwen3-vl:4b")
    assert prices.has_price("offline")
    assert prices.has_price(FLASH)
    assert not prices.has_price("openai:of-tomorrow")


@pytest.mark.parametrize(
    "model",
    ["openai:gpt-4o", "openai:gpt-4o-2024-08-06", "gemini:gemini-2.5-flash-001",
     "google-generativeai:gemini-2.5-flash"],
)  # fmt: skip
def test_a_dated_version_goes_with_its_model(model: str) -> None:
    assert retirements.of(model)


@pytest.mark.parametrize("model", [FLASH, "openai:gpt-6-luna", "openai:gpt-4o-mini-tts", "offline"])
def test_others_stay(model: str) -> None:
    assert retirements.of(model) is None


def test_a_notice_names_the_day_and_what_follows() -> None:
    end = retirements.of("gemini:gemini-2.5-pro")
    assert end
    before = end.notice("gemini:gemini-2.5-pro", date(2026, 11, 30))
    assert "is announced to go on 2026-12-01; then gemini:gemini-3.8-flash answers" in before
    assert "was announced" in end.notice("gemini:gemini-2.5-pro", date(2026, 12, 1))


def test_what_follows_a_model_does_not_go_itself() -> None:
    assert all(retirements.of(row.next) is None for row in retirements._table().values())

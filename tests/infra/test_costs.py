"""The money in docs/privacy-and-cost.md is what the table of prices says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from functions.adapters import gemini
from functions.core.document import Answer
from functions.model import prices
from functions.settings import Settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "privacy-and-cost.md").read_text("utf-8")
SCALE = (ROOT / "docs" / "scale-and-cost.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")
PROMPT, REPLY = 850, 120
LIMIT = Settings.from_env({"CAPTION_MODEL": "offline"}).daily_limit


def dollars(model: str, calls: int, tokens: int, reply: int = REPLY) -> str:
    each = prices.usage(model, Answer("", input_tokens=tokens, output_tokens=reply)).cost_usd
    return f"${each * calls:.2f}"


def rows(columns: int) -> dict[str, list[str]]:
    found = re.findall(rf"(?m)^\| `(\w+:[^`]+)` \|((?: \$[\d.]+ \|){{{columns}}})$", PAGE)
    return {model: re.findall(r"\$[\d.]+", cells) for model, cells in found}


@pytest.mark.parametrize(("model", "cells"), rows(3).items())
def test_geminis_prices_follow_from_the_resolution(model: str, cells: list[str]) -> None:
    assert cells == [dollars(model, 1000, picture + PROMPT) for picture in (280, 560, 1120)]


@pytest.mark.parametrize(("model", "cells"), rows(1).items())
def test_other_prices_follow_from_the_assumed_picture(model: str, cells: list[str]) -> None:
    assert cells == [dollars(model, 1000, 1600 + PROMPT)]


def test_every_priced_model_is_on_the_page() -> None:
    captioning = {model for model, row in prices.table().items() if "output" in row}
    shown = {*rows(3), *rows(1)}
    assert shown == {each for each in captioning if not each.startswith("google-generativeai:")}


def test_operations_cost_amount_times_price() -> None:
    found = re.findall(r"\| ([\d,]+) \| \$([\d.]+) per ([\d,]+) \| \$([\d.]+) \|", PAGE)
    assert len(found) == 8
    for amount, price, unit, cost in found:
        reckoned = _number(amount) * float(price) / _number(unit)
        assert f"{reckoned:.4f}" == cost


def test_the_worst_day_is_the_limit_times_the_dearest_call() -> None:
    model = str(Settings.from_env({}).model)
    usual = dollars(model, LIMIT, 1120 + PROMPT)
    worst = dollars(model, LIMIT, 4000, gemini._MAX_OUTPUT_TOKENS)
    assert re.findall(r"(?m)^\| (?:as above|each with).* \| (\$[\d.]+) \|$", PAGE) == [usual, worst]
    assert f"{LIMIT:,} calls" in PAGE
    assert f"limit of {gemini._MAX_OUTPUT_TOKENS:,}" in PAGE
    assert f"{10 * 86_400:,} seconds" in PAGE
    assert f"${864_000 * 0.0265 / 1000:.2f} a day" in PAGE


def test_ten_million_images_cost_ten_thousand_times_as_much_as_a_thousand() -> None:
    model = str(Settings.from_env({}).model)
    thousand = dict(re.findall(r"(?m)^\| ([^|]+?) \|.* per [\d,]+ \| \$([\d.]+) \|$", PAGE))
    parts = {
        "model calls": (),
        "Firestore": ("Firestore writes", "Firestore reads"),
        "Cloud Storage": ("Cloud Storage, class A", "Cloud Storage, class B"),
        "functions, 40": ("requests to the function", "the same, 40"),
    }
    costs = {
        name: sum(float(cost) for row, cost in thousand.items() if row.startswith(rows)) * 10_000
        for name, rows in parts.items()
    }
    costs["model calls"] = float(dollars(model, 10_000_000, 1120 + PROMPT)[1:])
    table = SCALE.partition("| once, for 10 million |")[2].partition("\n\n")[0]
    for name, cost in costs.items():
        assert re.search(rf"(?m)^\| {name}.* \| \${cost:,.0f} \|$", table), (name, cost)
    [together] = re.findall(r"\*\*\$([\d,]+)\*\*", table)
    assert _number(together) == round(sum(costs.values()))


def test_readme_says_the_same_in_short() -> None:
    assert "(docs/privacy-and-cost.md)" in README
    assert "about $0.90" in README
    assert "$63" in README


def _number(text: str) -> int:
    return int(text.replace(",", ""))

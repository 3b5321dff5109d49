"""The tables of docs/models.md are what the code does."""

from __future__ import annotations

import re

import pytest

from functions.adapters.gemini import thinking
from functions.adapters.openai import effort
from functions.model import retirements
from functions.providers import PROVIDERS, Provider
from tests.support.documentation import page

PAGE = page("models")


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=lambda each: each.name)
def test_every_provider_has_a_row_with_its_variables(provider: Provider) -> None:
    rows = re.findall(rf"^\| `{provider.name}` .*$", PAGE, re.M)
    assert rows
    for variable in (*provider.keys[:1], provider.endpoint):
        assert variable in rows[0]
    assert (
        provider.install.startswith("-r")
        or provider.name == "gemini"
        or (provider.install in rows[0])
    )


def test_every_announced_retirement_is_listed() -> None:
    listed = re.findall(r"^\| `(\w+:[^`]+)` \| (\d{4}-\d\d-\d\d) \| `([^`]+)`", PAGE, re.M)
    table = retirements._table().items()
    assert {tuple(each) for each in listed} == {
        (model, str(row.on), row.next)
        for model, row in table
        if not model.startswith("google-generativeai:")
    }


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("gpt-6-luna", "none"),
        ("gpt-6.1-sol", "none"),
        ("gpt-5.4-mini", "none"),
        ("gpt-5", "minimal"),
        ("gpt-5-mini-2025-08-07", "minimal"),
        ("o3", "low"),
        ("o4-mini", "low"),
        ("gpt-5-pro", None),
        ("gpt-5.3-codex", None),
        ("gpt-5-chat-latest", None),
        ("gpt-4o", None),
        ("gpt-4.1-mini", None),
        ("ft:seer", None),
    ],
)
def test_openais_models_are_told_to_think_as_little_as_they_can(
    model: str, told: str | None
) -> None:
    assert effort(model) == told


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("gemini-3.5-flash-lite", None),
        ("gemini-3.8-flash", "LOW"),
        ("gemini-3.1-pro-preview", "LOW"),
        ("models/gemini-4-flash", "LOW"),
        ("gemini-3-pro-image", None),
        ("gemini-2.5-flash", "0"),
        ("gemini-2.5-flash-lite", None),
        ("gemini-2.5-pro", None),
        ("gemma-3-27b-it", None),
        ("gemini-flash-latest", None),
    ],
)
def test_geminis_models_are_told_to_think_as_little_as_they_can(
    model: str, told: str | None
) -> None:
    said = thinking(model)
    if said is None:
        assert told is None
    else:
        level = said.thinking_level
        assert (level.value if level else str(said.thinking_budget)) == told


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("claude-haiku-5-5", True),
        ("claude-sonnet-5-5", True),
        ("claude-opus-6", True),
        ("claude-haiku-4-5-20251001", False),
        ("claude-sonnet-4-6", False),
        ("claude-3-5-haiku-latest", False),
    ],
)
def test_claude_is_told_from_version_5_on(model: str, told: bool) -> None:
    from functions.adapters.anthropic import _THINKS  # here, since its SDK takes a second

    assert bool(_THINKS.match(model)) is told

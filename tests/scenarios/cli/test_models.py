"""``captions models``: what is ready, what is missing, and one call to prove it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from functions.cli import captions
from functions.providers import PROVIDERS
from tests.support.answers import gemini, openai
from tests.support.model_server import ModelServer

SECRET = "sk-not-to-be-seen"  # noqa: S105
CHAIN = "gemini:gemini-3.5-flash-lite,openai:gpt-5.4-mini"


@pytest.fixture
def ready(model_server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> ModelServer:
    monkeypatch.setenv("CAPTION_MODEL", CHAIN)
    monkeypatch.setenv("GEMINI_API_KEY", SECRET)
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", model_server.url)
    monkeypatch.setenv("OPENAI_BASE_URL", f"{model_server.url}/v1")
    return model_server


def run(*arguments: str) -> Result:
    return CliRunner().invoke(captions, ["models", *arguments])


def records(result: Result) -> dict[str, dict[str, Any]]:
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    return {each["provider"]: each for each in lines}


def test_every_provider_is_listed_with_what_it_still_needs(ready: ModelServer) -> None:
    listed = records(run("--json"))

    assert list(listed) == list(PROVIDERS)
    assert (listed["gemini"]["ready"], listed["openai"]["ready"]) == (True, True)
    assert listed["anthropic"]["needs"] == "set ANTHROPIC_API_KEY"
    assert listed["google-generativeai"]["needs"].startswith("pip install -r locks/")
    assert listed["gemini"]["keys"]["GEMINI_API_KEY"] is True
    assert listed["openai"]["chosen"] == ["openai:gpt-5.4-mini"]
    assert ready.count == 0


def test_a_table_shows_the_same_and_no_key(ready: ModelServer) -> None:
    shown = run()
    assert shown.exit_code == 0
    for name in PROVIDERS:
        assert name in shown.stdout
    assert "set ANTHROPIC_API_KEY" in shown.stdout
    assert SECRET not in shown.stdout


def test_a_check_asks_every_chosen_model_once(ready: ModelServer) -> None:
    checked = run("--check", "--json")

    assert checked.exit_code == 0
    assert [call.vendor for call in ready.calls] == ["gemini", "openai"]
    (check,) = records(checked)["gemini"]["checks"]
    assert check["ok"]
    assert check["alt_text"]
    assert check["model_version"] == "gemini-3.5-flash-lite"
    assert check["cost_usd"] == 0.000721
    assert run("--check").stdout.count("Alt text") == 2


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (gemini.ERRORS["wrong key"], "GEMINI_API_KEY"),
        (gemini.ERRORS["unknown model"], "knows no model"),
        (gemini.ERRORS["overloaded"], "503"),
        (gemini.prompt_blocked(), "refused the drawn picture"),
        (gemini.truncated(), "cannot be read"),
    ],
    ids=["wrong key", "unknown model", "overloaded", "refusal", "broken reply"],
)
def test_a_check_that_fails_says_why(ready: ModelServer, fault: Any, says: str) -> None:
    ready.answer(fault)
    checked = run("--check", "--json")

    assert checked.exit_code == 1
    listed = records(checked)
    assert says in listed["gemini"]["checks"][0]["problem"]
    assert listed["openai"]["checks"][0]["ok"]
    assert SECRET not in checked.stdout

    ready.answer(fault)
    assert says in run("--check").stdout.replace("\n", " ")


def test_a_chosen_model_that_is_not_ready_is_a_failure_and_is_not_asked(
    ready: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPTION_MODEL", f"anthropic:claude-haiku-5-5,{CHAIN}")
    assert run().exit_code == 1
    checked = run("--check", "--json")
    assert checked.exit_code == 1
    assert records(checked)["anthropic"]["checks"][0]["problem"] == "set ANTHROPIC_API_KEY"
    assert [call.vendor for call in ready.calls] == ["gemini", "openai"]


def test_without_a_setting_and_a_key_it_is_offline_that_is_chosen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CAPTION_MODEL", "")
    checked = run("--check", "--json")
    assert checked.exit_code == 0
    offline = records(checked)["offline"]
    assert offline["chosen"] == ["offline"]
    assert offline["checks"][0]["ok"]


def test_an_own_server_is_ready_without_a_key(ready: ModelServer) -> None:
    ready.always(openai.good())
    assert records(run("--json"))["openai"]["keys"] == {"OPENAI_API_KEY": False}


def test_ollamas_models_that_see_are_listed_with_their_setting(
    model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    model_server.pulled = {"qwen3-vl:4b": ["completion", "vision"], "llama3.2:3b": ["completion"]}
    monkeypatch.setenv("OLLAMA_HOST", model_server.url)
    monkeypatch.setenv("CAPTION_MODEL", "ollama:qwen3-vl:4b")

    listed = records(run("--json", "--check"))["ollama"]
    assert listed["models"] == ["qwen3-vl:4b"]
    assert (listed["ready"], listed["without_price"]) == (True, [])
    assert listed["checks"][0]["ok"]
    assert "CAPTION_MODEL=ollama:qwen3-vl:4b" in run().stdout


@pytest.mark.parametrize(
    ("pulled", "needs"),
    [
        (None, "no server answers at http://"),
        ({}, "ollama pull qwen3-vl:4b"),
        ({"llama3.2:3b": ["completion"]}, "ollama pull qwen3-vl:4b"),
    ],
)
def test_what_ollama_needs_is_said(
    pulled: dict[str, list[str]] | None,
    needs: str,
    model_server: ModelServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model_server.pulled = pulled
    monkeypatch.setenv("OLLAMA_HOST", model_server.url)
    monkeypatch.setenv("CAPTION_MODEL", "offline")
    assert records(run("--json"))["ollama"]["needs"].startswith(needs)


def test_a_model_that_is_not_pulled_is_not_asked(
    model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    model_server.pulled = {"gemma3:4b": ["completion", "vision"]}
    monkeypatch.setenv("OLLAMA_HOST", model_server.url)
    monkeypatch.setenv("CAPTION_MODEL", "ollama:qwen3-vl:4b")
    checked = run("--check", "--json")
    assert checked.exit_code == 1
    listed = records(checked)["ollama"]
    assert "ollama pull qwen3-vl:4b" in listed["checks"][0]["problem"]
    assert (listed["ready"], listed["needs"]) == (False, listed["checks"][0]["problem"])
    assert model_server.count == 0


def test_a_model_without_a_price_and_one_that_goes_are_named(
    ready: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPTION_MODEL", "gemini:gemini-2.5-flash,openai:of-tomorrow")
    listed = records(run("--json"))
    assert listed["openai"]["without_price"] == ["openai:of-tomorrow"]
    (notice,) = listed["gemini"]["announced"]
    assert "2026-12-01" in notice
    assert "CAPTION_MODEL=gemini:gemini-3.5-flash-lite" in notice
    shown = " ".join(run().stdout.split())
    assert "none for openai:of-tomorrow" in shown
    assert "Announced" in shown

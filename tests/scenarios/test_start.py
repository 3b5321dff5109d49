"""What an entry point asks for before it takes its first event."""

from __future__ import annotations

import json
from pathlib import Path

import functions_framework
import pytest

from functions.core.errors import ConfigurationError
from tests.support.stack import MAIN, environment


@pytest.mark.parametrize("target", ["caption_image", "caption_request"])
def test_what_asks_a_model_does_not_start_without_its_key(
    target: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with (
        environment(monkeypatch, {"CAPTION_LOCAL": str(tmp_path)}),
        pytest.raises(ConfigurationError, match="GEMINI_API_KEY"),
    ):
        functions_framework.create_app(target, str(MAIN))


def test_forgetting_an_image_asks_for_no_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with environment(monkeypatch, {"CAPTION_LOCAL": str(tmp_path)}):
        assert functions_framework.create_app("forget_image", str(MAIN))


def test_a_wrong_setting_stops_every_entry_point(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wrong = {"CAPTION_LOCAL": str(tmp_path), "CAPTION_MAX_BYTES": "much"}
    with (
        environment(monkeypatch, wrong),
        pytest.raises(ConfigurationError, match="CAPTION_MAX_BYTES='much'"),
    ):
        functions_framework.create_app("forget_image", str(MAIN))


def test_a_misspelt_setting_is_told_in_the_log_and_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with environment(monkeypatch, {"CAPTION_LOCAL": str(tmp_path), "CAPTION_LANGUAGE": "fr"}):
        assert functions_framework.create_app("forget_image", str(MAIN))
    line = json.loads(capsys.readouterr().out)
    said = "CAPTION_LANGUAGE is no setting: did you mean CAPTION_LANGUAGES?"
    assert line == {"severity": "WARNING", "message": said}


def test_an_emulators_wrong_address_stops_every_entry_point(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with (
        environment(monkeypatch, {"FIRESTORE_EMULATOR_HOST": "http://localhost:8080"}),
        pytest.raises(ConfigurationError, match="FIRESTORE_EMULATOR_HOST="),
    ):
        functions_framework.create_app("alt_text", str(MAIN))


@pytest.mark.parametrize("target", ["caption_image", "caption_request", "keep", "review", "ask"])
def test_a_wrong_policy_file_stops_what_goes_by_its_rules(
    target: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text('[[rules]]\nmatch = "a"\nskipp = true\n')
    wrong = {"CAPTION_LOCAL": str(tmp_path), "CAPTION_POLICY": str(rules), "GEMINI_API_KEY": "k"}
    with (
        environment(monkeypatch, wrong),
        pytest.raises(ConfigurationError, match=r"CAPTION_POLICY: .*rules.toml:3: 'skipp'"),
    ):
        functions_framework.create_app(target, str(MAIN))

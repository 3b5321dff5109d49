"""The environment: defaults, faults, and the table in README."""

from __future__ import annotations

import gc
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from functions import composition
from functions.core.errors import ConfigurationError
from functions.settings import Model, Settings, misspelt
from tests.support.stack import environment

ROOT = Path(__file__).parents[2]


def test_an_empty_environment_has_the_documented_defaults() -> None:
    settings = Settings.from_env({})

    assert settings.model == Model("gemini", "gemini-3.5-flash-lite")
    assert (settings.collection, settings.database) == ("captions", "(default)")
    assert settings.languages == ("en",)
    assert (settings.max_bytes, settings.max_pixels) == (104857600, 200000000)
    assert (settings.timeout_seconds, settings.lease_seconds) == (30, 120)
    assert (settings.max_attempts, settings.max_age_seconds) == (10, 86400)
    assert (settings.public_buckets, settings.origins) == (None, None)
    assert (settings.cors_origins, settings.unreviewed) == (("*",), "serve")
    assert (settings.daily_limit, settings.filter, settings.local) == (10000, "rules", None)


@pytest.mark.parametrize("each", fields(Settings), ids=lambda each: each.metadata["env"])
def test_an_empty_variable_counts_as_unset(each: object) -> None:
    name, may_be_empty = each.metadata["env"], each.metadata["may_be_empty"]  # type: ignore[attr-defined]
    assert may_be_empty or Settings.from_env({name: "  "}) == Settings.from_env({})


def test_an_empty_embedding_model_is_none() -> None:
    assert Settings.from_env({}).embedding_model == "gemini-embedding-2"
    assert Settings.from_env({"CAPTION_EMBEDDING_MODEL": " "}).embedding_model is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CAPTION_MODEL", "gpt-9"),
        ("CAPTION_MODEL", "gemini"),
        ("CAPTION_MODEL", "gemini:"),
        ("CAPTION_MODEL", "gemini:gemini 3.5"),
        ("CAPTION_MODEL", "gemini:a offline"),
        ("CAPTION_MODEL", "gemini:a;openai:b"),
        ("CAPTION_MODEL", "offline:best"),
        ("CAPTION_DATABASE", "my db"),
        ("CAPTION_DATABASE", "a_database"),
        ("CAPTION_EMBEDDING_MODEL", "a model"),
        ("CAPTION_LANGUAGES", "english please"),
        ("CAPTION_COLLECTION", "a/b"),
        ("CAPTION_REQUEST_TOPIC", "my topic"),
        ("CAPTION_TIMEOUT_SECONDS", "30s"),
        ("CAPTION_TIMEOUT_SECONDS", "0"),
        ("CAPTION_TIMEOUT_SECONDS", "-5"),
        ("CAPTION_LEASE_SECONDS", "1e3"),
        ("CAPTION_DAILY_LIMIT", "many"),
        ("CAPTION_MAX_ATTEMPTS", "٣"),
        ("CAPTION_FILTER", "on"),
        ("CAPTION_PUBLIC_BUCKETS", "gs://shop"),
        ("CAPTION_ORIGINS", "https://img.example.com"),
        ("CAPTION_ORIGINS", "img.example.com=shop"),
        ("CAPTION_ORIGINS", "https://img.example.com=gs://shop"),
        ("CAPTION_ORIGINS", "https://me@img.example.com=shop"),
        ("CAPTION_ORIGINS", "https://img.example.com=shop, http://img.example.com/=other"),
        ("CAPTION_CORS_ORIGINS", "www.example.com"),
        ("CAPTION_CORS_ORIGINS", "https://www.example.com/"),
        ("CAPTION_UNREVIEWED", "no"),
        ("CAPTION_SIMILARITY_THRESHOLD", "30%"),
        ("CAPTION_SIMILARITY_THRESHOLD", "nan"),
        ("CAPTION_PRICES", "/nowhere/prices.toml"),
        ("CAPTION_POLICY", "/nowhere/captions.toml"),
        ("CAPTION_LOCAL", "/nowhere"),
    ],
)
def test_a_wrong_value_is_named_with_its_remedy(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_env({name: value})
    message = str(caught.value)
    assert message.startswith(f"{name}={value!r} ")
    assert re.search(r"use|write|not|default|create|no such", message)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("CAPTION_MODLE", "CAPTION_MODEL"),
        ("CAPTIONS_MODEL", "CAPTION_MODEL"),
        ("caption_model", "CAPTION_MODEL"),
        ("CAPTION_LANGUAGE", "CAPTION_LANGUAGES"),
        ("CAPTION_DAILYLIMIT", "CAPTION_DAILY_LIMIT"),
        ("CAPTION_TIMEOUT_SECOND", "CAPTION_TIMEOUT_SECONDS"),
    ],
)
def test_a_name_that_is_almost_a_settings_is_told(name: str, meant: str) -> None:
    assert misspelt({name: "x"}) == [f"{name} is no setting: did you mean {meant}?"]


def test_settings_and_other_programs_variables_are_no_misspellings() -> None:
    others = ["CAPTION_TESTS_STRICT", "CAPTIONING_HOME", "CAPTION_FONT_SIZE", "PATH", "CAPTION_API"]
    known = [each.metadata["env"] for each in fields(Settings)]
    assert misspelt(dict.fromkeys([*known, *others], "")) == []


def test_a_wrong_value_stops_the_start() -> None:
    started = subprocess.run(
        [sys.executable, "-c", "import main"],
        cwd=ROOT,
        env={"CAPTION_MODEL": "offline", "CAPTION_LEASE_SECONDS": "soon", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode != 0
    assert "CAPTION_LEASE_SECONDS='soon' is not a whole number" in started.stderr


def test_a_missing_key_stops_the_start_and_names_the_variable() -> None:
    with pytest.raises(ConfigurationError, match="GEMINI_API_KEY"):
        composition.require_key(Model("gemini", "m"), {})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GEMINI_API_KEY", "x"),
        ("GOOGLE_API_KEY", "x"),
        ("GOOGLE_GENAI_USE_ENTERPRISE", "True"),
        ("GOOGLE_GENAI_USE_ENTERPRISE", "1"),
    ],
)
def test_any_of_the_sdks_own_variables_will_do(name: str, value: str) -> None:
    composition.require_key(Model("gemini", "m"), {name: value})


@pytest.mark.parametrize("value", ["false", "0", "no", ""])
def test_a_switch_that_is_off_is_no_key(value: str) -> None:
    with pytest.raises(ConfigurationError, match="GEMINI_API_KEY"):
        composition.require_key(Model("gemini", "m"), {"GOOGLE_GENAI_USE_ENTERPRISE": value})


def test_offline_needs_no_key() -> None:
    composition.require_key(Model("offline"), {})


def test_a_failed_start_leaves_the_garbage_collector_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".captions").write_text("in the way of the store's folder")
    monkeypatch.setenv("CAPTION_LOCAL", str(tmp_path))
    monkeypatch.setenv("CAPTION_MODEL", "offline")
    with environment(monkeypatch, {}), pytest.raises(ConfigurationError, match="CAPTION_LOCAL"):
        composition.captioning()
    assert gc.isenabled()

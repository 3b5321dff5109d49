"""The table of providers: its rows have their files, and its versions are named alike."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from functions import composition
from functions.core.errors import ConfigurationError
from functions.providers import PROVIDERS, Provider
from functions.settings import Model

ROOT = Path(__file__).parents[2]
OLD = ROOT / "locks" / "google-generativeai.in"


def pins(text: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==([\w.]+)$", text, re.M))


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=lambda each: each.name)
def test_every_row_has_its_file_and_its_class(provider: Provider) -> None:
    path = ROOT / (provider.module.replace(".", "/") + ".py")
    tree = ast.parse(path.read_text("utf-8"))
    classes = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    assert provider.adapter in classes


def test_what_a_message_says_to_install_is_what_is_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    assert [PROVIDERS["openai"].install] == extras["openai"]
    assert [PROVIDERS["anthropic"].install] == extras["anthropic"]
    assert PROVIDERS["gemini"].install in (ROOT / "requirements.txt").read_text("utf-8").split()
    assert PROVIDERS["google-generativeai"].install == "-r locks/google-generativeai.lock"


def test_the_old_sdks_environment_differs_only_where_it_must() -> None:
    ours, old = pins((ROOT / "requirements.txt").read_text("utf-8")), pins(OLD.read_text("utf-8"))
    bound = {"google-cloud-firestore"}
    assert {name for name in ours.keys() & old.keys() if ours[name] != old[name]} == bound
    assert ours.keys() - old.keys() == {"google-genai", "pybase64"}  # it encodes by itself


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for name, provider in PROVIDERS.items():
        if provider.package:
            with pytest.raises(ConfigurationError, match="pip install") as caught:
                composition.captioner(Model(name, "m"), 1)
            assert provider.install in str(caught.value)


@pytest.mark.parametrize(
    ("model", "name", "value"),
    [
        *(("openai", "OPENAI_BASE_URL", wrong) for wrong in ("foo", "localhost:8080/v1", " ")),
        *(("openai", "OPENAI_BASE_URL", wrong) for wrong in ("http://", "ftp://host/v1")),
        ("openai", "OPENAI_BASE_URL", "https://user:s3cret@/v1"),
        ("anthropic", "ANTHROPIC_BASE_URL", "https://host:port"),
        ("gemini", "GOOGLE_GEMINI_BASE_URL", "127.0.0.1:80"),
        ("gemini", "GOOGLE_GENAI_USE_ENTERPRISE", "maybe"),
        ("ollama", "OLLAMA_HOST", "ht!tp://x"),
        ("ollama", "OLLAMA_HOST", "my host"),
        ("ollama", "OLLAMA_HOST", "http://host:99999"),
        ("openai", "OPENAI_API_KEY", "s3cret s3cret"),
        ("anthropic", "ANTHROPIC_API_KEY", "s3cret\ns3cret"),
        ("gemini", "GEMINI_API_KEY", "s3cr\u00e9t"),
        ("gemini", "GEMINI_API_KEY", '"s3cret"'),
        ("gemini", "GOOGLE_API_KEY", "'s3cret'"),
    ],
)
def test_a_variable_by_which_nobody_can_be_called_is_named_but_not_repeated(
    model: str, name: str, value: str
) -> None:
    env = {key: "key" for key in PROVIDERS[model].keys if key != PROVIDERS[model].switch}
    with pytest.raises(ConfigurationError, match=f"^{name} ") as caught:
        composition.require_key(Model(model, "m"), env | {name: value})
    assert "s3cr" not in str(caught.value)


@pytest.mark.parametrize(
    ("model", "name", "value"),
    [
        ("openai", "OPENAI_BASE_URL", "http://[::1]:8080/v1"),
        ("openai", "OPENAI_BASE_URL", "https://my-server.example/openai/v1?api-version=1"),
        ("openai", "OPENAI_BASE_URL", "https://user:password@host/v1"),
        ("openai", "OPENAI_BASE_URL", "https://m\u00fcller.example/v1"),
        ("openai", "OPENAI_API_KEY", "sk-key\n"),
        ("gemini", "GOOGLE_GEMINI_BASE_URL", "https://generativelanguage.googleapis.com/"),
        *(("ollama", "OLLAMA_HOST", host) for host in ("", " ", "host", "host:1", ":11434")),
        *(("ollama", "OLLAMA_HOST", host) for host in ("[::]:11434", '"http://host/"')),
    ],
)
def test_a_variable_that_its_sdk_takes_is_no_fault(model: str, name: str, value: str) -> None:
    env = {key: "key" for key in PROVIDERS[model].keys if key != PROVIDERS[model].switch}
    composition.require_key(Model(model, "m"), env | {name: value})


def test_a_key_of_blanks_is_none() -> None:
    with pytest.raises(ConfigurationError, match="needs OPENAI_API_KEY"):
        composition.require_key(Model("openai", "m"), {"OPENAI_API_KEY": " \n"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STORAGE_EMULATOR_HOST", "localhost:9023"),
        ("STORAGE_EMULATOR_HOST", "http://"),
        ("FIRESTORE_EMULATOR_HOST", "http://localhost:8080"),
        ("FIRESTORE_EMULATOR_HOST", "localhost"),
        ("PUBSUB_EMULATOR_HOST", "my host:8085"),
    ],
)
def test_an_emulators_address_is_written_as_its_client_takes_it(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name}=.*write it like .*localhost:"):
        composition.require_hosts({name: value})


def test_emulators_may_be_anywhere_or_nowhere() -> None:
    composition.require_hosts({"STORAGE_EMULATOR_HOST": "", "FIRESTORE_EMULATOR_HOST": "[::1]:80"})
    composition.require_hosts({"STORAGE_EMULATOR_HOST": "http://gcs:4443/", "PUBSUB": "x"})

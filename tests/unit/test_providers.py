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
    assert PROVIDERS["google-generativeai"].install == "-r locks/google-generativeai.lock"


def test_the_old_sdks_environment_differs_only_where_it_must() -> None:
    ours, old = pins((ROOT / "requirements.txt").read_text("utf-8")), pins(OLD.read_text("utf-8"))
    bound = {"google-cloud-firestore"}
    assert {name for name in ours.keys() & old.keys() if ours[name] != old[name]} == bound
    assert not ours.keys() - old.keys()


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for name, provider in PROVIDERS.items():
        if provider.package:
            with pytest.raises(ConfigurationError, match="pip install") as caught:
                composition.captioner(Model(name, "m"), 1)
            assert provider.install in str(caught.value)

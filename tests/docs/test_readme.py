"""What README says is so."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from functions.cli import captions
from functions.quality.catalogue import table
from functions.settings import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def test_every_setting_is_listed_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(CAPTION_\w+)` \| (.*?) \|", README, re.M))
    assert rows == {
        each.metadata["env"]: f"`{each.metadata['default']}`" if each.metadata["default"] else "–"
        for each in fields(Settings)
    }


def test_every_rule_of_the_filter_is_listed() -> None:
    assert table().strip() in README


def test_every_command_is_explained_and_no_other() -> None:
    explained = set(re.findall(r"^\| `(\w+)(?: [^`]*)?` \| [A-Z]", README, re.M))
    assert explained == set(captions.commands)


def test_every_make_target_that_is_named_exists() -> None:
    named = set(re.findall(r"`?make ([a-z-]+)`", README)) | {"demo", "test"}
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    assert named <= targets

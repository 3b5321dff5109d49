"""Every gcloud command that is printed anywhere exists, with the flags it is given."""

from __future__ import annotations

import re
import runpy
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import installed
from tests.support.emulators import Missing

ROOT = Path(__file__).parents[2]
SAYING = [
    ROOT / "README.md",
    *sorted([*(ROOT / "infra").glob("*.md"), *(ROOT / "docs").glob("*.md")]),
]
SAYING += sorted((ROOT / "infra").rglob("*.tf"))
_CODE = re.compile(r"```\w*\n(.*?)```|`([^`\n]+)`|\"((?:[^\"\\]|\\.)*)\"", re.S)
_COMMAND = re.compile(r"\bgcloud ((?:[a-z][a-z0-9-]* ?)+)([^\n|`;&]*)")


@contextmanager
def commands() -> Iterator[dict[str, Any]]:
    """The tree of commands and flags that the gcloud CLI ships for completion."""
    remedy = "install the gcloud CLI (Debian: apt-get install google-cloud-cli)"
    found = shutil.which("gcloud")
    home = Path(found).resolve().parent.parent if found else Path()
    table = home / "data/cli/gcloud_completions.py"
    if not found or not table.is_file():
        raise Missing("gcloud", remedy)
    yield runpy.run_path(str(table))["STATIC_COMPLETION_CLI_TREE"]


@pytest.fixture(scope="module")
def tree() -> Iterator[dict[str, Any]]:
    with installed(commands()) as found:
        yield found


def said(text: str) -> Iterator[tuple[str, set[str]]]:
    """The gcloud commands in code, each with its flags."""
    for code in _CODE.finditer(re.sub(r"\$\{[^{}]*\}", "VALUE", text)):
        joined = re.sub(r"\\\n\s*", " ", next(each for each in code.groups() if each is not None))
        for words, rest in _COMMAND.findall(unnested(joined)):
            unquoted = re.sub(r"'[^']*'|\"[^\"]*\"", "", rest)
            yield words.strip(), set(re.findall(r"(?<!\S)--[a-z][a-z0-9-]*", unquoted))


def unnested(text: str) -> str:
    """``text`` with what stands in ``$(...)`` on lines of its own, below."""
    place = text.rfind("$(")
    if place < 0:
        return text
    depth, end = 1, place + 2
    while end < len(text) and depth:
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        end += 1
    inner = text[place + 2 : end - 1]
    return unnested(f"{text[:place]}VALUE{text[end:]}") + f"\n{inner}"


def fault(tree: dict[str, Any], words: str, flags: set[str]) -> str:
    known, at = set(tree["flags"]), tree
    for word in words.split():
        if not at["commands"]:
            break
        if word not in at["commands"]:
            return f"gcloud {words}: no {word}"
        at = at["commands"][word]
        at = {"commands": {}, "flags": {}, **at}
        known |= set(at["flags"])
        known |= {f"--no-{each[2:]}" for each, kind in at["flags"].items() if kind == "bool"}
    return f"gcloud {words}: no {' '.join(sorted(flags - known))}" if flags - known else ""


@pytest.mark.parametrize("path", SAYING, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_exist_with_their_flags(tree: dict[str, Any], path: Path) -> None:
    faults = [fault(tree, *each) for each in said(path.read_text("utf-8"))]
    assert [each for each in faults if each] == []


def test_the_commands_of_the_readme_are_seen(tree: dict[str, Any]) -> None:
    page = (ROOT / "docs" / "deploy.md").read_text("utf-8")
    [deploying] = [flags for words, flags in said(page) if words.startswith("run deploy")]
    assert {"--function", "--build-service-account", "--set-secrets", "--concurrency"} <= deploying
    printed = dict(said((ROOT / "infra" / "module" / "outputs.tf").read_text("utf-8")))
    assert {"--project", "--region", "--port"} in printed.values()


@pytest.mark.parametrize(
    "text", ["`gcloud functions deploy x --retries`", "`gcloud function deploy x`"]
)
def test_a_wrong_command_is_found(tree: dict[str, Any], text: str) -> None:
    [each] = said(text)
    assert fault(tree, *each)

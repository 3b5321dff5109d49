"""gcloud commands as pages and files print them, judged by the CLI's own table of commands."""

from __future__ import annotations

import re
import runpy
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.emulators import Missing

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
    """What the CLI would say against a command; nothing if it would take it."""
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

"""Every gcloud command that is printed anywhere exists, with the flags it is given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import installed
from tests.infra.gcloud import commands, fault, said

ROOT = Path(__file__).parents[2]
SAYING = [
    ROOT / "README.md",
    *sorted([*(ROOT / "infra").glob("*.md"), *(ROOT / "docs").glob("*.md")]),
]
SAYING += sorted((ROOT / "infra").rglob("*.tf"))


@pytest.fixture(scope="module")
def tree() -> Iterator[dict[str, Any]]:
    with installed(commands()) as found:
        yield found


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

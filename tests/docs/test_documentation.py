"""What the pages say is so."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from functions.cli import captions
from functions.core.document import Document, Source, Status
from functions.quality.catalogue import table
from functions.settings import Settings
from tests.support.documentation import ALL, PAGES, ROOT, page
from tools import five_places, prompt_versions

README_LINES = 150


def anchors(text: str) -> set[str]:
    """The fragments that GitHub gives the headings of a page."""
    headings = re.findall(r"(?m)^#+ (.+)$", re.sub(r"(?ms)^```.*?^```", "", text))
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(path: Path) -> None:
    prose = re.sub(r"(?ms)^```.*?^```|`[^`\n]*`", "", PAGES[path])
    for link in re.findall(r"\]\(([^)\s]+)\)", prose):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        name, _, fragment = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        if fragment:
            assert fragment in anchors(target.read_text("utf-8")), link


def test_every_page_is_reached_from_readme() -> None:
    readme = PAGES[ROOT / "README.md"]
    linked = set(re.findall(r"\]\(docs/([\w-]+)\.md\)", readme))
    assert linked == {path.stem for path in PAGES if path.parent.name == "docs"}


def test_readme_can_be_read_at_a_sitting() -> None:
    assert len(PAGES[ROOT / "README.md"].splitlines()) <= README_LINES


def test_every_setting_is_listed_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(CAPTION_\w+)` \| (.*?) \|", page("settings"), re.M))
    assert rows == {
        each.metadata["env"]: f"`{each.metadata['default']}`" if each.metadata["default"] else "–"
        for each in fields(Settings)
    }


def test_the_prompts_say_what_the_docs_say_they_say() -> None:
    assert prompt_versions.table() in page("evaluate")
    assert len(prompt_versions.PICTURES) == 20


def test_every_rule_of_the_filter_is_listed() -> None:
    assert table().strip() in page("quality-rules")


def test_five_places_of_one_picture_are_shown_as_the_model_is_told_of_them() -> None:
    assert five_places.table() in page("places")


def test_every_command_is_explained_and_no_other() -> None:
    explained = set(re.findall(r"^\| `(\w+)(?: [^`]*)?` \| [A-Z]", page("command-line"), re.M))
    assert explained == set(captions.commands)


def test_every_field_of_a_document_is_explained() -> None:
    first = re.findall(r"^\| (`[^|]*) \|", page("documents").partition("\n## ")[0], re.M)
    explained = set(re.findall(r"`(\w+)`", " ".join(first)))
    assert explained == {"uri"} | {each.name for each in fields(Document)}


@pytest.mark.parametrize("kind", [Status, Source])
def test_every_status_and_source_is_explained(kind: type[Status] | type[Source]) -> None:
    section = page("documents").partition(f"## `{kind.__name__.lower()}`")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.M)) == {each for each in kind if each}


def test_every_make_target_that_is_named_exists() -> None:
    named = set(re.findall(r"`(?:[A-Z_]+=\S+ )?make ([a-z-]+)", ALL)) | {"demo", "test"}
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    assert named <= targets

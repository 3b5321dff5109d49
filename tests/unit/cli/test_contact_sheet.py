"""The page that ``captions demo`` leaves: foreign words are words, and nobody is called a model."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser, LexborNode

from functions.cli import contact_sheet
from functions.cli.contact_sheet import RealModel
from functions.cli.session import Choice
from functions.core.document import Document, Problem, Source, Status, Usage
from functions.local.folder_bucket import Result
from functions.local.server import EventOutcome
from functions.settings import Model
from tests.support.documents import plain_document

NOW = datetime(2026, 11, 26, tzinfo=UTC)
HOSTILE = """<script>alert(1)</script> "quoted' {{ x }} &amp; שלום"""
MUG = plain_document(
    "a b/mug #1?.jpg",
    at=NOW,
    bucket="local",
    alt_text="A blue mug",
    caption="A blue mug stands on a table.",
    tags=("mug", "blue"),
    language="en",
    source=Source.MODEL,
    model="gemini:gemini-3.5-flash-lite",
    usage=Usage(1, 1_000, 100, 0.00055),
)
SEES = Choice(Model("gemini", "gemini-3.5-flash-lite"), "GEMINI_API_KEY is set")
BLIND = Choice(Model("offline"), "GEMINI_API_KEY is not set")


def page(
    folder: Path,
    *documents: Document,
    choice: Choice = SEES,
    better: RealModel | None = None,
) -> LexborHTMLParser:
    (folder / ".captions").mkdir()
    results = [Result(each.name, EventOutcome(True), each) for each in documents]
    path = contact_sheet.write(folder, results, choice, better)
    return LexborHTMLParser(path.read_text("utf-8"))


def first(parsed: LexborHTMLParser, selector: str) -> LexborNode:
    node = parsed.css_first(selector)
    assert node
    return node


def seen(parsed: LexborHTMLParser) -> str:
    return " ".join(first(parsed, "body").text(separator=" ").split())


def test_a_picture_stands_beside_its_text_its_tags_and_its_cost(tmp_path: Path) -> None:
    parsed = page(tmp_path, MUG)
    image = first(parsed, "figure img")
    assert image.attributes["alt"] == "A blue mug"
    assert image.attributes["src"] == "../a%20b/mug%20%231%3F.jpg"
    assert [each.text() for each in parsed.css(".tags li")] == ["mug", "blue"]
    told = seen(parsed)
    assert "A blue mug stands on a table." in told
    assert "gemini:gemini-3.5-flash-lite" in told
    assert "$0.00055 for 1100 tokens" in told


def test_words_of_a_model_or_a_file_are_not_markup(tmp_path: Path) -> None:
    hostile = replace(
        MUG, name=HOSTILE, alt_text=HOSTILE, caption=HOSTILE, tags=(HOSTILE,), visible_text=HOSTILE
    )
    parsed = page(tmp_path, hostile)
    assert not parsed.css("script")
    assert first(parsed, "figure img").attributes["alt"] == HOSTILE
    assert [each.text() for each in parsed.css("h3, .tags li, .alt")] == [HOSTILE] * 3


def test_decoration_has_an_empty_alt_attribute_and_says_so(tmp_path: Path) -> None:
    parsed = page(tmp_path, replace(MUG, alt_text="", decorative=True))
    assert first(parsed, "figure img").attributes["alt"] == ""
    assert "screen readers pass over" in seen(parsed)


def test_a_refused_picture_says_why(tmp_path: Path) -> None:
    error = Problem("corrupt_image", "The image cannot be decoded.", NOW)
    parsed = page(tmp_path, replace(MUG, status=Status.REJECTED, error=error))
    assert not parsed.css("img")
    assert "The image cannot be decoded. (corrupt_image)" in first(parsed, ".refused").text()


def test_offline_is_not_called_a_model(tmp_path: Path) -> None:
    measured = replace(MUG, model="offline", usage=Usage(1, 0, 0, 0.0))
    better = RealModel("GEMINI_API_KEY=... captions demo", "There are keys.")
    told = seen(page(tmp_path, measured, choice=BLIND, better=better))
    assert "No model has looked at these pictures." in told
    assert "Model none Model calls 0" in told
    assert "Written by nobody: measured offline" in told
    assert "GEMINI_API_KEY=... captions demo" in told


def test_where_a_model_looked_nothing_else_is_offered(tmp_path: Path) -> None:
    told = seen(page(tmp_path, MUG))
    assert "No model" not in told
    assert "Model gemini:gemini-3.5-flash-lite Model calls 1" in told

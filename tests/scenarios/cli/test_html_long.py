"""``captions html --long``: what a sentence cannot say, beside the image for everybody."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from functions.adapters.folder import database
from functions.adapters.sqlite import SqliteCaptions
from tests.support.command_line import Ran, captions
from tests.support.documents import plain_document

NOW = datetime(2026, 11, 26, tzinfo=UTC)
LINES = "Bar chart: sales.\n2024: 40 & <more>.\n{{ 2025 }}: 55."


class LongSite:
    """A folder with one chart and one photo that are captioned."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        store = SqliteCaptions(database(folder))
        for name, alt_text, long in (("c.png", "Chart of sales", LINES), ("p.jpg", "A mug", "")):
            plain = plain_document(name, at=NOW, bucket="local", alt_text=alt_text, language="en")
            store.create(replace(plain, long_description=long))

    def fill(self, page: str, *options: str) -> str:
        (self.folder / "index.html").write_text(page, "utf-8")
        self.ran: Ran = captions("html", ".", "--local", ".", *options, where=self.folder)
        assert "Traceback" not in self.ran.err, self.ran.err
        return (self.folder / "index.html").read_text("utf-8")


@pytest.fixture
def site(tmp_path: Path) -> LongSite:
    return LongSite(tmp_path)


def test_a_chart_is_described_in_the_page_and_linked_from_beside_it(site: LongSite) -> None:
    page = "<html lang=en><body><p>Sales <img src=c.png> here</p><img src=p.jpg></body></html>"
    filled = site.fill(page, "--long")

    key = re.findall(r'aria-describedby="([^"]+)"', filled)
    assert len(key) == 1
    described = f'<img alt="Chart of sales" aria-describedby="{key[0]}" src=c.png>'
    image = rf'{described} <a [^>]*href="#{key[0]}">'
    assert re.search(image + "Long description</a> here</p>", filled), filled
    assert '<img alt="A mug" src=p.jpg><section class="long-description"' in filled
    assert filled.count(f'id="{key[0]}"') == 1
    assert "<p>2024: 40 &amp; &lt;more&gt;.</p>" in filled
    assert "{{" not in filled
    assert filled.endswith("</section>\n</body></html>")
    assert "title=" not in filled


def test_a_second_run_changes_nothing(site: LongSite) -> None:
    once = site.fill("<body><img src=c.png></body>", "--long")
    assert site.fill(once, "--long") == once


def test_an_image_with_words_of_its_authors_is_described_too(site: LongSite) -> None:
    filled = site.fill('<body><img alt="Our sales" src=c.png></body>', "--long")
    assert 'alt="Our sales"' in filled
    assert "aria-describedby" in filled


@pytest.mark.parametrize(
    "page",
    [
        "<a href=/x><img src=c.png></a>",
        "<button><img src=c.png></button>",
        "<img src=c.png aria-describedby=mine>",
        '<img src=c.png alt="">',
        "<img src=p.jpg>",
    ],
)
def test_an_image_that_has_another_purpose_or_another_text_is_left_alone(
    site: LongSite, page: str
) -> None:
    filled = site.fill(f"<body>{page}</body>", "--long")
    assert "long-description" not in filled


def test_nothing_is_offered_unless_it_is_asked_for(site: LongSite) -> None:
    assert "long-description" not in site.fill("<body><img src=c.png></body>")


def test_the_link_stands_after_the_picture_not_in_it(site: LongSite) -> None:
    page = "<body><picture><source srcset=c.webp><img src=c.png></picture>, sold</body>"
    filled = site.fill(page, "--long")
    assert re.search(r"</picture> <a [^>]*>Long description</a>, sold", filled)


def test_two_charts_have_two_texts_and_a_page_in_german_german_links(site: LongSite) -> None:
    filled = site.fill("<html lang=de><body><img src=c.png><img src=c.png>", "--long")
    keys = re.findall(r'aria-describedby="([^"]+)"', filled)
    assert len(set(keys)) == 2
    assert filled.count(">Lange Beschreibung</a>") == 2
    assert filled.count('<section class="long-description"') == filled.count(' lang="en">') == 2
    assert all(filled.count(f'id="{key}"') == 1 for key in keys)

"""What a real browser sees in pages that ``captions html`` has filled in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from functions.adapters.folder import database
from functions.adapters.sqlite import SqliteCaptions
from functions.sites.captions import PublicCaptions
from functions.sites.fill import HtmlPage
from functions.sites.functional import Titles
from functions.sites.image_locator import ImageLocator
from tests.support.lookups import MUG
from tests.support.pages import HOSTILE, WORDS, filled

# The tree of a page without alt attributes of these words on images, and how many there were.
_SEEN = """([text, words]) => {
  const tree = new DOMParser().parseFromString(text, "text/html");
  let count = 0;
  const strip = (root) => {
    for (const image of root.querySelectorAll("img"))
      if (image.getAttribute("alt") === words) { image.removeAttribute("alt"); count += 1; }
    for (const template of root.querySelectorAll("template")) strip(template.content);
  };
  strip(tree);
  return [tree.documentElement.outerHTML, count];
}"""


def test_a_browser_sees_no_change_but_alt_on_images(page: Page) -> None:
    for text, places in HOSTILE.items():
        before, none = page.evaluate(_SEEN, [text, WORDS])
        after, count = page.evaluate(_SEEN, [filled(text), WORDS])
        assert (after, none) == (before, 0), text
        assert count == len(places), text


def test_a_browser_reads_the_words_as_they_are(page: Page) -> None:
    words = "\"Blue\" & 'green' <b>mug</b> {{ x }} &amp; &lt; שלום 😀"
    page.set_content(filled("<img><p>", words))
    assert page.get_by_role("img").get_attribute("alt") == words
    assert page.locator("b").count() == 0


# Of the examples of the ACT rules 23a2a8 (images), c487ae (links), 59796f (image buttons) and of
# axe's own: what an author leaves out, and what axe says of it.
_EXAMPLES = {
    "an image": ("<img src=mug.jpg>", {"image-alt"}),
    "an image in a frame of a picture": (
        "<picture><source srcset=mug.webp><img src=mug.jpg></picture>",
        {"image-alt"},
    ),
    "a link": ("<a href=shop.html><img src=mug.jpg></a>", {"image-alt", "link-name"}),
    "a link to nowhere known": ("<a href=/x><img src=mug.jpg></a>", {"image-alt", "link-name"}),
    "a link with decoration": (
        "<a href=shop.html><img src=line.png></a>",
        {"image-alt", "link-name"},
    ),
    "a link with text": ("<a href=shop.html><img src=mug.jpg>Our mugs</a>", {"image-alt"}),
    "a button": ("<button><img src=mug.jpg></button>", {"image-alt", "button-name"}),
    "decoration": ("<img src=line.png>", {"image-alt"}),
    "a presentation": ("<img role=presentation src=mug.jpg>", set()),
    "a hidden image": ("<img aria-hidden=true src=mug.jpg>", set()),
    "a named image": ("<img aria-label=Mug src=mug.jpg>", set()),
    "a titled image": ("<img title=Mug src=mug.jpg>", set()),
    "a figure": (
        "<figure><img src=mug.jpg><figcaption>A photo by Ann</figcaption></figure>",
        {"image-alt"},
    ),
    "an image map": (
        "<img src=mug.jpg usemap=#m><map name=m><area shape=default href=x alt=All></map>",
        {"image-alt"},
    ),
}


@pytest.mark.parametrize("example", _EXAMPLES)
def test_axe_finds_nothing_any_more(page: Page, tmp_path: Path, example: str) -> None:
    body, before = _EXAMPLES[example]
    store = SqliteCaptions(database(tmp_path))
    for name, decorative in (("mug.jpg", False), ("line.png", True)):
        store.create(replace(MUG, name=name, decorative=decorative))
    (tmp_path / "shop.html").write_text("<title>Our mugs</title>")
    text = f"<!doctype html><html lang=en><title>x</title><main><h1>x</h1>{body}</main></html>"
    places = ImageLocator(bucket=MUG.bucket)
    filled_in = HtmlPage("index.html", text.encode(), places, "", Titles(tmp_path)).fill(
        PublicCaptions(store)
    )
    page.route("**/*.jpg", lambda route: route.abort())
    page.set_content(text)
    assert _said(page) == before
    page.set_content(filled_in.text)
    assert _said(page) == set()


def _said(page: Page) -> set[str]:
    return {each["id"] for each in Axe().run(page).response["violations"]}


def test_a_long_description_is_read_with_its_image_and_reached_by_a_link(
    page: Page, tmp_path: Path
) -> None:
    store = SqliteCaptions(database(tmp_path))
    store.create(replace(MUG, name="mug.jpg", long_description="Bar chart.\n2024: 40."))
    text = (
        "<!doctype html><html lang=en><head><title>x</title></head><body><main><h1>x</h1>"
        "<p>See <img src=mug.jpg></p></main></body></html>"
    )
    html = HtmlPage("index.html", text.encode(), ImageLocator(bucket=MUG.bucket))
    long = html.fill(PublicCaptions(store), long=True)
    page.route("**/*.jpg", lambda route: route.abort())
    page.set_content(long.text)
    assert _said(page) == set()
    described = page.get_by_role("img").evaluate(
        "image => document.getElementById(image.getAttribute('aria-describedby')).innerText"
    )
    assert described.split("\n\n") == ["Bar chart.", "2024: 40."]
    page.get_by_role("link", name="Long description").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector(':target').innerText").startswith("Bar chart.")

"""What a real browser sees in pages that ``captions html`` has filled in."""

from __future__ import annotations

from playwright.sync_api import Page

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

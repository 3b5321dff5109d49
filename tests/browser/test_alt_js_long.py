"""What alt.js offers beside an image, where a page asks for long descriptions."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.test_alt_js import after_all_images_were_looked_at_again
from tests.browser.websites import SOON_MS, Website, filled

IMG = "<img id={} src='/images/chart.png'>"
# What stands after what: the image or what holds it, and its details.
AFTER = "id => document.querySelector(id).nextElementSibling?.matches('details[data-alt-long]')"


def opened(
    website: Website, page: Page, body: str, more: str = "data-long", lang: str = "en"
) -> None:
    website.open(page, body, lang, more)
    page.wait_for_selector("details", state="attached", timeout=SOON_MS)


def settled(page: Page) -> None:
    after_all_images_were_looked_at_again(page)
    page.evaluate("document.querySelectorAll('#first, #second').forEach((each) => each.remove())")


def described(page: Page) -> str:
    """What assistive technology reads as the description of the image."""
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")
    (image,) = [each for each in tree["nodes"] if each.get("role", {}).get("value") == "image"]
    return f"{image['name']['value']}: {image.get('description', {}).get('value')}"


def test_a_long_description_opens_beside_its_image(website: Website, page: Page) -> None:
    opened(website, page, f"<main><h1>Sales</h1><p>See {IMG.format('a')} here.</p></main>")

    details = page.locator("p + details")
    expect(details).to_have_count(1)
    expect(details.locator("p")).to_have_text(
        ["Bar chart.", "2024: 40 <b>mugs</b>.", "2025: 55 mugs."]
    )
    assert described(page) == "Bar chart of sales: Long description"
    expect(details.get_by_text("2025")).to_be_hidden()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(details.get_by_text("2025")).to_be_visible()
    assert described(page).endswith("Bar chart. 2024: 40 <b>mugs</b>. 2025: 55 mugs.")
    assert Axe().run(page).response["violations"] == []


def test_where_nobody_wants_them_there_are_none_and_nothing_is_sent(
    website: Website, page: Page
) -> None:
    website.open(page, IMG.format("a"))
    assert filled(page) == "Bar chart of sales"
    settled(page)
    expect(page.locator("details, [aria-describedby]")).to_have_count(0)
    assert not any(each["long_description"] for each in website.function.asked)


def test_details_stand_in_no_link_no_button_and_no_line_of_text(
    website: Website, page: Page
) -> None:
    body = f"""
    <figure id=figure><picture id=b><source srcset="/images/none.png">{IMG.format("a")}</picture>
      <figcaption>Sales</figcaption></figure>
    <h2 id=d><a href="#x"><span>{IMG.format("c")}</span></a></h2>
    <div id=f role=button tabindex=0><div>{IMG.format("e")}</div></div>
    <div contenteditable>{IMG.format("edited")}</div>
    <div aria-hidden=true>{IMG.format("hidden")}</div>
    <p id=h><img id=g src="/images/chart.png" alt="My words" title="Sales"></p>
    <img id=own src="/images/chart.png" aria-describedby=words><p id=words>What the page says</p>
    <img id=mug src="/images/mug.png"><video id=v src="/images/chart.png"></video>
    """
    opened(website, page, body)
    settled(page)
    for place in ("#b", "#d", "#f", "#h", "#v"):
        assert page.evaluate(AFTER, place), place
    expect(page.locator("details")).to_have_count(5)
    expect(
        page.locator("a details, button details, [role=button] details, p details")
    ).to_have_count(0)
    expect(page.locator("#figure > details")).to_have_count(1)
    assert page.get_attribute("#g", "alt") == "My words"
    assert page.get_attribute("#own", "aria-describedby") == "words"
    assert page.locator("#edited").get_attribute("aria-describedby") is None


def test_details_come_and_go_with_their_image(website: Website, page: Page) -> None:
    opened(website, page, f"<div id=list>{IMG.format('a')}</div><div id=other></div>")
    page.evaluate("list.innerHTML += ''")  # the page writes out what it finds, and reads it in
    page.evaluate("list.append(...[...list.children].map((each) => each.cloneNode(true)))")
    settled(page)
    expect(page.locator("details")).to_have_count(2)
    ids = page.evaluate("[...document.querySelectorAll('details')].map((each) => each.id)")
    described_by = (
        "[...list.querySelectorAll('img')].map((i) => i.getAttribute('aria-describedby'))"
    )
    images = page.evaluate(described_by)
    assert sorted(ids) == sorted(images)
    assert len(set(ids)) == 2

    page.evaluate("list.querySelector('img:last-of-type').remove()")
    expect(page.locator("details")).to_have_count(1)
    page.evaluate("other.append(list.querySelector('img'))")
    expect(page.locator("#other > details")).to_have_count(1)
    expect(page.locator("#list > details")).to_have_count(0)
    page.evaluate("other.querySelector('img').setAttribute('aria-describedby', 'mine')")
    expect(page.locator("details")).to_have_count(0)
    page.evaluate("other.querySelector('img').removeAttribute('aria-describedby')")
    expect(page.locator("details")).to_have_count(1)
    page.evaluate("other.querySelector('img').src = '/images/mug.png'")
    expect(page.locator("details")).to_have_count(0)
    expect(page.locator("[aria-describedby]")).to_have_count(0)


def test_a_page_in_another_language_is_told_what_is_in_which(website: Website, page: Page) -> None:
    opened(website, page, IMG.format("a"), lang="de")
    expect(page.locator("summary")).to_have_text("Lange Beschreibung")
    expect(page.locator("details div")).to_have_attribute("lang", "en")
    opened(website, page, IMG.format("a"), lang="fi")
    expect(page.locator("summary")).to_have_attribute("lang", "en")
    opened(website, page, IMG.format("a"), "data-long='Pitkä kuvaus'", lang="fi")
    expect(page.locator("summary")).to_have_text("Pitkä kuvaus")
    assert page.locator("summary").get_attribute("lang") is None


def test_components_keep_theirs_and_none_stands_in_a_link_around_one(
    website: Website, page: Page
) -> None:
    body = """<x-chart id=a></x-chart><a href="#x"><x-chart id=b></x-chart></a><script>
    customElements.define('x-chart', class extends HTMLElement {
      connectedCallback() {
        this.attachShadow({ mode: 'open' }).innerHTML = '<p><img src="/images/chart.png"></p>';
      }
    });</script>"""
    website.open(page, body, more="data-long data-shadow")
    expect(page.locator("#a p + details")).to_have_count(1)
    expect(page.locator("#b [alt]")).to_have_count(1)
    expect(page.locator("#b details")).to_have_count(0)

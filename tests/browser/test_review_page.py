"""The review page as people use it: by keyboard, by hand, with a screen reader, all at once."""

from __future__ import annotations

import base64
import json
import re
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, Route, expect

from tests.support import videos
from tests.support.answers import gemini
from tests.support.command_line import Serve, serving
from tests.support.model_server import ModelServer
from tests.support.pictures import jpeg

HOSTILE = [
    "<img src=x onerror=\"document.title='owned'\"> & </textarea><script>document.title=1</script>",
    "\"Quoted\" 'twice' `and` ${once} {{more}}",
    "كوب أحمر على الطاولة",
    "A family 👨‍👩‍👧‍👦 with a flag 🏳️‍🌈",
]
DROP = """([name, data]) => {
  const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name, {type: "image/jpeg"}));
  for (const type of ["dragover", "drop"]) {
    document.querySelector("main").dispatchEvent(
      new DragEvent(type, {dataTransfer, bubbles: true, cancelable: true}));
  }
}"""


@dataclass
class Site:
    """``captions serve`` on a folder, with a page that looks at it."""

    serve: Serve
    url: str
    page: Page
    model: ModelServer

    def caption(self, name: str, **words: Any) -> None:
        """Put a picture into the folder and wait for what the model says of it."""
        self.model.answer(gemini.good(**words))
        number = len(list(self.serve.folder.iterdir()))
        (self.serve.folder / name).write_bytes(jpeg(number))
        self.serve.wait(lambda: self.found(name).get("metadata_synced"))

    def found(self, name: str) -> dict[str, Any]:
        listed = self.ask("captions?limit=100")["captions"]
        return next((each for each in listed if each["name"] == name), {})

    def edit(self, name: str, **change: Any) -> None:
        """Change a caption as somebody else would."""
        self.ask(f"captions/{self.found(name)['id']}", "PATCH", change)

    def ask(self, path: str, method: str = "GET", body: Any = None) -> Any:
        data = json.dumps(body).encode() if body is not None else None
        headers = {"Content-Type": "application/json", "If-Match": "*"}
        asked = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310
        with urllib.request.urlopen(asked) as answer:  # noqa: S310
            return json.load(answer)

    def open(self, query: str = "") -> None:
        self.page.goto(self.url + query)
        expect(self.page.locator("#found")).not_to_be_empty()

    def row(self, name: str) -> Locator:
        heading = self.page.get_by_role("heading", name=name, exact=True)
        return self.page.locator("#captions > li").filter(has=heading)

    def button(self, name: str, what: str) -> Locator:
        return self.row(name).get_by_role("button", name=what, exact=True)


@pytest.fixture
def site(tmp_path: Path, model_server: ModelServer, page: Page) -> Iterator[Site]:
    """The page, which may not complain on the console, whatever is done to it."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    key = {"GEMINI_API_KEY": "k", "GOOGLE_GEMINI_BASE_URL": model_server.url}
    key["CAPTION_LANGUAGES_ON_REQUEST"] = "fi"
    with serving(folder, **key) as serve:
        yield Site(serve, serve.url(), page, model_server)
    assert not [each for each in complaints if "Failed to load resource" not in each]


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until ``wanted`` has the focus."""
    for _ in range(40):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {wanted}")


def violations(page: Page) -> list[str]:
    """What axe-core finds by the rules of WCAG 2.2 AA, and by its own best practices."""
    results = Axe().run(page)
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in results.response["violations"]]


def test_a_caption_is_edited_with_the_keyboard_alone(site: Site) -> None:
    site.caption("a.jpg", alt_text="A red mug")
    site.open()
    keys = site.page.keyboard
    tab_to(site.page, site.button("a.jpg", "Edit"))
    keys.press("Enter")
    expect(site.page.get_by_label("Alt text")).to_be_focused()
    keys.press("Control+A")
    keys.type("A blue mug 👨‍👩‍👧‍👦")
    expect(site.row("a.jpg").locator(".count")).to_have_text("12 characters")
    tab_to(site.page, site.page.get_by_role("textbox", name="Caption"))
    keys.press("Control+A")
    keys.type("It is chipped.")
    tab_to(site.page, site.button("a.jpg", "Save"))
    keys.press("Enter")

    expect(site.page.locator("#said")).to_have_text("Saved: a.jpg.")
    expect(site.button("a.jpg", "Edit")).to_be_focused()
    expect(site.row("a.jpg").locator(".alt")).to_have_text("A blue mug 👨‍👩‍👧‍👦")
    saved = site.found("a.jpg")
    assert (saved["alt_text"], saved["caption"]) == ("A blue mug 👨‍👩‍👧‍👦", "It is chipped.")
    assert (saved["source"], saved["metadata_synced"]) == ("human", True)

    tab_to(site.page, site.button("a.jpg", "Approve"))
    keys.press("Enter")
    expect(site.row("a.jpg").locator(".source")).to_contain_text("approved by local")
    expect(site.button("a.jpg", "Edit")).to_be_focused()


def test_what_is_cancelled_is_not_saved_and_what_is_wrong_is_said(site: Site) -> None:
    site.caption("a.jpg", alt_text="A red mug")
    site.open()
    site.button("a.jpg", "Edit").click()
    field = site.page.get_by_label("Alt text")
    field.fill("")
    field.press("Control+Enter")
    expect(site.row("a.jpg").get_by_role("alert")).to_contain_text("mark the image as decorative")
    site.page.get_by_role("checkbox", name="Decorative").check()
    expect(field).to_be_disabled()
    site.button("a.jpg", "Cancel").click()
    expect(site.button("a.jpg", "Edit")).to_be_focused()
    assert site.found("a.jpg")["alt_text"] == "A red mug"

    site.button("a.jpg", "Edit").click()
    site.page.get_by_role("checkbox", name="Decorative").check()
    site.button("a.jpg", "Save").click()
    expect(site.row("a.jpg").locator(".alt")).to_have_text("Decorative: the alt text is empty")
    assert site.found("a.jpg")["decorative"] is True


@pytest.mark.parametrize(
    ("choice", "stands"),
    [
        ("Save yours", "Mine"),
        ("Keep theirs", "Somebody else's"),
        ("Go on editing", "Somebody else's"),
    ],
)
def test_two_people_at_once_are_shown_each_others_words(
    choice: str, stands: str, site: Site
) -> None:
    site.caption("a.jpg", alt_text="A red mug")
    site.open()
    site.button("a.jpg", "Edit").click()
    site.edit("a.jpg", alt_text="Somebody else's", caption="long " * 900)
    site.page.get_by_label("Alt text").fill("Mine")
    site.page.get_by_label("Alt text").press("Control+Enter")

    dialog = site.page.get_by_role("dialog", name="Somebody was faster")
    expect(dialog.get_by_role("region", name="Theirs")).to_contain_text("Somebody else's")
    expect(dialog.get_by_role("region", name="Yours")).to_contain_text("Mine")
    assert violations(site.page) == []
    assert dialog.evaluate("dialog => dialog.scrollHeight <= dialog.clientHeight")
    dialog.get_by_role("button", name=choice).press("Enter")

    expect(dialog).to_be_hidden()
    if choice == "Keep theirs":
        expect(site.page.locator("#said")).to_have_text("Theirs stands: a.jpg.")
        expect(site.page.get_by_role("button", name="Undo")).to_be_hidden()
    if choice == "Go on editing":
        expect(site.page.get_by_label("Alt text")).to_be_focused()
        expect(site.page.get_by_label("Alt text")).to_have_value("Mine")
    else:
        expect(site.row("a.jpg").locator(".alt")).to_have_text(stands)
        expect(site.button("a.jpg", "Edit")).to_be_focused()
    assert site.found("a.jpg")["alt_text"] == stands


def test_a_picture_that_is_dropped_gets_its_caption(site: Site) -> None:
    site.open()
    expect(site.page.get_by_text("Drop a picture here to see one")).to_be_visible()
    assert violations(site.page) == []
    site.model.answer(gemini.good(alt_text="A dropped mug"))
    site.page.evaluate(DROP, ["mug.jpg", base64.b64encode(jpeg(1)).decode()])

    expect(site.row("mug.jpg").locator(".alt")).to_have_text("A dropped mug", timeout=60_000)
    expect(site.page.locator("#said")).to_have_text("mug.jpg: A dropped mug")
    expect(site.page.locator("#progress")).to_be_empty()
    expect(site.page.locator("#empty")).to_be_hidden()
    assert (site.serve.folder / "mug.jpg").read_bytes() == jpeg(1)
    image = site.row("mug.jpg").locator("img")
    expect(image).to_have_js_property("complete", True)
    assert image.evaluate("image => image.naturalWidth") == 64
    expect(site.page.locator("#queue")).to_have_text("1 of 1 pictures captioned.")


def test_a_video_is_told_as_one_and_shown_by_its_moments(site: Site) -> None:
    (site.serve.folder / "clip.mp4").write_bytes(videos.mp4())
    site.serve.wait(lambda: site.found("clip.mp4").get("metadata_synced"))
    site.open()
    row = site.row("clip.mp4")
    expect(row.locator(".source")).to_contain_text("Video, 4 sec · ")
    expect(row.locator("img")).to_have_js_property("complete", True)
    expect(row.locator("img")).to_have_js_property("naturalWidth", 240)


def test_files_that_are_chosen_are_told_one_by_one(site: Site) -> None:
    site.caption("mug.jpg", alt_text="The first mug")
    site.open()
    site.model.answer(gemini.good(alt_text="The second mug"))
    site.page.get_by_label("choose files").set_input_files(
        [
            {"name": "notes.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"},
            {"name": "mug.jpg", "mimeType": "image/jpeg", "buffer": jpeg(7)},
        ]
    )
    expect(site.row("mug (2).jpg").locator(".alt")).to_have_text("The second mug", timeout=60_000)
    expect(site.page.locator("#progress li")).to_have_text(
        "notes.jpg: the file is no image or video known here; choose JPEG, WebP, MP4 … Try again"
    )
    expect(site.page.locator("#queue")).to_have_text("1 of 2 pictures captioned.")
    expect(site.row("mug.jpg").locator(".alt")).to_have_text("The first mug")


def test_captions_are_shown_as_text_whatever_they_contain(site: Site) -> None:
    for number, text in enumerate(HOSTILE):
        site.caption(f"{number}.jpg", alt_text="A mug")
        site.edit(f"{number}.jpg", alt_text=text, caption=f"{text}!")
    site.open()
    for number, text in enumerate(HOSTILE):
        row = site.row(f"{number}.jpg")
        expect(row.locator(".alt")).to_have_text(text)
        site.button(f"{number}.jpg", "Edit").click()
        expect(row.get_by_label("Alt text")).to_have_value(text)
    assert site.page.title() == "Captions"
    assert site.page.locator("#captions script, #captions [onerror]").count() == 0
    directions = [
        site.row(f"{number}.jpg")
        .get_by_label("Alt text")
        .evaluate("e => getComputedStyle(e).direction")
        for number in range(len(HOSTILE))
    ]
    assert directions == ["ltr", "ltr", "rtl", "ltr"]
    assert violations(site.page) == []


def test_a_proposal_beside_a_persons_words_is_accepted(site: Site) -> None:
    site.caption("a.jpg", alt_text="A red mug")
    site.edit("a.jpg", alt_text="My mug")
    site.open()
    site.model.answer(gemini.good(alt_text="A blue mug"))
    site.button("a.jpg", "Caption anew").click()
    dialog = site.page.get_by_role("dialog", name="Caption anew?")
    expect(dialog).to_contain_text("written or approved by a person")
    dialog.get_by_role("button", name="Caption anew").click()
    proposal = site.row("a.jpg").locator(".proposal")
    expect(proposal.locator("ins")).to_have_text("A blue", timeout=60_000)
    expect(proposal.locator("del")).to_have_text("My")
    expect(proposal).to_contain_text("mug")
    expect(site.row("a.jpg").locator(".alt")).to_have_text("My mug")
    assert violations(site.page) == []

    site.button("a.jpg", "Accept proposal").click()
    expect(site.row("a.jpg").locator(".alt")).to_have_text("A blue mug")
    expect(proposal).to_be_hidden()
    assert site.found("a.jpg")["review"]["approved_by"] == "local"


def test_filters_are_kept_in_the_address(site: Site) -> None:
    site.caption("a.jpg", alt_text="A red mug", tags=["mug"])
    site.caption("b.jpg", alt_text="A green bowl", tags=["bowl"])
    (site.serve.folder / "c.jpg").write_bytes(b"\xff\xd8\xff broken")
    site.serve.wait(lambda: site.found("c.jpg").get("status") == "rejected")
    site.open()
    rows = site.page.locator("#captions > li")
    expect(rows).to_have_count(3)
    site.page.get_by_role("combobox", name="Show").select_option("rejected")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("cannot be decoded")
    assert violations(site.page) == []
    assert site.page.url == f"{site.url}?show=rejected"

    site.page.get_by_role("combobox", name="Show").select_option("")
    site.page.get_by_role("searchbox", name="Search").fill("green")
    site.page.get_by_role("searchbox", name="Search").press("Enter")
    expect(rows).to_have_count(1)
    expect(site.row("b.jpg")).to_be_visible()
    site.page.reload()
    expect(site.page.get_by_role("searchbox", name="Search")).to_have_value("green")
    expect(site.row("b.jpg")).to_be_visible()
    site.page.go_back()
    expect(site.row("c.jpg")).to_be_visible()

    site.open("?tag=nothing")
    expect(site.page.get_by_text("Nothing matches. Take out a filter")).to_be_visible()
    site.open("?q=mug&by=meaning")
    expect(rows.first).to_contain_text("A red mug")
    site.open("?language=klingon!")
    expect(site.page.locator("#empty")).to_contain_text("is not a language tag")


def test_pages_follow_each_other_by_their_addresses(site: Site) -> None:
    for number in range(52):
        (site.serve.folder / f"{number}.jpg").write_bytes(jpeg(number, (32, 32)))
    site.serve.wait(lambda: site.ask("counts")["captioned"] == 52)
    site.open()
    rows = site.page.locator("#captions > li")
    expect(rows).to_have_count(50)
    expect(site.page.locator("#found")).to_have_text("1–50 of 52")
    site.page.get_by_role("button", name="Next").dblclick()
    expect(rows).to_have_count(2)
    expect(site.page.locator("#range")).to_have_text("51–52 of 52")
    expect(site.page.locator("#captions")).to_be_focused()
    expect(site.page.get_by_role("button", name="Next")).to_be_hidden()
    site.page.reload()
    expect(rows).to_have_count(2)
    further = site.page.url
    rows.first.get_by_role("button", name="Look at").click()
    expect(site.page.locator("#one .place")).to_have_text("51 of 52")
    site.page.get_by_role("button", name="Back to the list").click()
    expect(rows).to_have_count(2)
    site.page.get_by_role("button", name="Previous").click()
    expect(rows).to_have_count(50)
    site.page.go_back()
    expect(rows).to_have_count(2)

    site.page.goto("about:blank")
    site.page.goto(further)
    site.page.get_by_role("button", name="Previous").click()
    expect(rows).to_have_count(50)


def test_a_server_that_is_gone_is_said_with_a_remedy_and_costs_no_draft(site: Site) -> None:
    site.caption("a.jpg", alt_text="A red mug")
    site.open()
    site.page.route("**/captions**", lambda route: route.abort())
    site.button("a.jpg", "Edit").click()
    site.page.get_by_label("Alt text").fill("A blue mug")
    site.button("a.jpg", "Save").click()
    expect(site.row("a.jpg").get_by_role("alert")).to_contain_text("cannot be reached")
    expect(site.page.get_by_label("Alt text")).to_have_value("A blue mug")

    site.page.unroute("**/captions**")
    site.page.reload()
    site.button("a.jpg", "Edit").click()
    expect(site.page.get_by_label("Alt text")).to_have_value("A blue mug")
    expect(site.page.get_by_text("Your draft of before is here")).to_be_visible()
    assert violations(site.page) == []
    site.page.get_by_role("button", name="Discard it").click()
    expect(site.page.get_by_label("Alt text")).to_have_value("A red mug")
    site.page.route("**/captions**", lambda route: route.abort())
    site.page.get_by_role("combobox", name="Show").select_option("failed")
    expect(site.page.locator("#empty")).to_contain_text("cannot be reached")


def in_finnish(site: Site) -> Locator:
    """The field of a picture's words in another language, being edited."""
    site.page.get_by_role("button", name="Look at a.jpg").click()
    site.page.get_by_role("tab", name="Finnish").click()
    site.page.get_by_role("button", name="Edit").last.click()
    return site.page.get_by_label("Alt text")


def test_words_are_saved_once_and_none_are_written_meanwhile(site: Site) -> None:
    site.caption("a.jpg", alt_text="A red mug")
    site.open()
    held: list[Route] = []
    site.page.route("**/captions/*", lambda route: held.append(route))
    site.button("a.jpg", "Edit").click()
    field = site.page.get_by_label("Alt text")
    field.fill("Mine")
    with site.page.expect_request("**/captions/*"):
        field.press("Control+Enter")
    field.press("Control+Enter")
    field.press("End")
    site.page.keyboard.type(" and more")
    expect(field).to_have_value("Mine")
    for each in held:
        each.continue_()

    expect(site.row("a.jpg").locator(".alt")).to_have_text("Mine")
    expect(site.page.get_by_role("dialog")).to_be_hidden()
    assert len(held) == 1


def test_an_answer_that_was_lost_is_no_somebody_else(site: Site) -> None:
    site.caption("a.jpg", alt_text="A red mug")
    site.open()

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    site.page.route("**/captions/*", lose)
    site.button("a.jpg", "Edit").click()
    site.page.get_by_label("Alt text").fill("Mine,  in\nthese words")
    site.page.keyboard.press("Control+Enter")
    expect(site.row("a.jpg").get_by_role("alert")).to_contain_text("cannot be reached")
    site.page.unroute("**/captions/*")
    site.button("a.jpg", "Save").press("Enter")
    expect(site.page.locator("#said")).to_have_text("Saved: a.jpg.")
    expect(site.row("a.jpg").locator(".alt")).to_have_text("Mine, in these words")


def test_a_draft_replaces_no_words_that_are_newer_than_it(site: Site) -> None:
    site.caption("a.jpg", alt_text="A red mug")
    site.open()
    site.button("a.jpg", "Edit").click()
    site.page.get_by_label("Alt text").fill("A draft")
    site.page.keyboard.press("Escape")
    site.edit("a.jpg", alt_text="Somebody else's")
    site.page.reload()
    site.button("a.jpg", "Edit").click()
    site.page.get_by_label("Alt text").press("Control+Enter")

    dialog = site.page.get_by_role("dialog", name="Somebody was faster")
    expect(dialog.get_by_role("region", name="Theirs")).to_contain_text("Somebody else's")
    assert site.found("a.jpg")["alt_text"] == "Somebody else's"


def test_a_draft_is_kept_by_the_page_where_the_browser_keeps_nothing(site: Site) -> None:
    site.caption("a.jpg", alt_text="A red mug")
    site.page.add_init_script(
        "Storage.prototype.setItem = () => { throw new DOMException('', 'QuotaExceededError'); }"
    )
    site.open()
    site.button("a.jpg", "Edit").click()
    site.page.get_by_label("Alt text").fill("A draft")
    site.page.keyboard.press("Escape")
    with site.page.expect_event("dialog") as asked:
        site.page.close(run_before_unload=True)
    assert asked.value.type == "beforeunload"
    asked.value.dismiss()
    site.button("a.jpg", "Edit").click()
    expect(site.page.get_by_label("Alt text")).to_have_value("A draft")
    site.button("a.jpg", "Cancel").click()


def test_words_are_not_cut_and_who_may_no_longer_save_them_is_told_why(site: Site) -> None:
    site.caption("a.jpg", alt_text="A red mug")
    site.open()
    site.button("a.jpg", "Edit").click()
    field = site.page.get_by_label("Alt text")
    field.fill("")
    site.page.keyboard.insert_text("word " * 1000)
    expect(field).to_have_value("word " * 1000)
    field.press("Control+Enter")
    wrong = site.row("a.jpg").get_by_role("alert")
    expect(wrong).to_have_text("the alt text has 4999 characters; 1000 are the most")
    answer_saves(site.page, 403)
    field.press("Control+Enter")
    expect(wrong).to_contain_text("Ask whoever runs this page for access")
    expect(field).to_have_value("word " * 1000)


def test_words_in_another_language_are_shown_beside_theirs_and_taken_back(site: Site) -> None:
    site.caption("a.jpg", alt_text="A red mug")
    site.edit("a.jpg", translations={"fi": {"alt_text": "Punainen muki"}})
    site.open()
    field = in_finnish(site)
    field.fill("Sininen muki")
    site.edit("a.jpg", alt_text="A mug")
    field.press("Control+Enter")
    dialog = site.page.get_by_role("dialog", name="Somebody was faster")
    expect(dialog.get_by_role("region", name="Theirs")).to_contain_text("Punainen muki")
    dialog.get_by_role("button", name="Save yours").click()
    expect(site.page.locator("#one .alt")).to_have_text("Sininen muki")

    site.page.get_by_role("button", name="Edit").last.click()
    field.fill("Muki")
    field.press("Control+Enter")
    expect(site.page.locator("#one .alt")).to_have_text("Muki")
    site.page.route("**/captions/*/restore", lambda route: route.abort())
    site.page.get_by_role("button", name="Undo").click()
    expect(site.page.locator("#said")).to_contain_text("cannot be reached")
    site.page.unroute("**/captions/*/restore")
    site.page.get_by_role("button", name="Undo").dblclick()
    expect(site.page.locator("#said")).to_have_text("Taken back: a.jpg.")
    assert site.found("a.jpg")["translations"]["fi"]["alt_text"] == "Sininen muki"
    assert site.found("a.jpg")["alt_text"] == "A mug"

    site.page.keyboard.press("z")
    expect(site.page.locator("#one .alt")).to_have_text("Punainen muki")
    assert site.found("a.jpg")["alt_text"] == "A mug"


def test_who_writes_goes_on_whatever_comes_to_the_list(site: Site) -> None:
    site.caption("a.jpg", alt_text="A red mug")
    site.open()
    site.button("a.jpg", "Edit").click()
    field = site.page.get_by_label("Alt text")
    field.fill("Mine")
    lists: list[str] = []
    site.page.on("request", lambda sent: lists.append(sent.url) if "limit=50" in sent.url else None)
    site.page.evaluate(DROP, ["b.jpg", base64.b64encode(jpeg(1)).decode()])
    expect(site.page.locator("#queue")).to_have_text("1 of 1 pictures captioned.")
    assert lists == []
    expect(field).to_be_focused()
    field.evaluate(
        """field => {
          const dataTransfer = new DataTransfer();
          dataTransfer.setData("text/plain", "words");
          const drop = new DragEvent("drop", {dataTransfer, bubbles: true, cancelable: true});
          if (!field.dispatchEvent(drop)) throw new Error("text cannot be dragged");
        }"""
    )

    show = site.page.get_by_role("combobox", name="Show")
    show.focus()
    show.select_option("captioned")
    expect(site.row("b.jpg")).to_be_visible()
    expect(site.row("a.jpg").get_by_label("Alt text")).to_have_value("Mine")
    expect(show).to_be_focused()
    field.press("Escape")
    expect(site.page.locator("#said")).to_contain_text("your draft is kept")
    site.button("a.jpg", "Edit").click()
    field.press("Control+Enter")
    expect(site.row("a.jpg").locator(".alt")).to_have_text("Mine")


def test_nothing_is_decided_about_words_that_are_being_written(site: Site) -> None:
    to_review(site, "a.jpg")
    site.open("?show=review")
    site.page.get_by_role("button", name="Look at a.jpg").click()
    site.page.keyboard.press("e")
    site.page.get_by_label("Alt text").fill("Mine")
    expect(site.page.get_by_role("button", name="Approve, next")).to_be_hidden()
    site.page.locator("#one .name").focus()
    for key in "aedr":
        site.page.keyboard.press(key)
    expect(site.page.locator(".editor")).to_have_count(1)
    site.page.get_by_role("button", name="Cancel").last.click()
    expect(site.page.get_by_role("button", name="Edit").last).to_be_focused()
    site.page.keyboard.press("a")
    expect(site.page.locator("#said")).to_have_text("Approved: a.jpg.")


def test_a_page_whose_script_does_not_come_says_what_to_do(page: Page, site: Site) -> None:
    page.route("**/ask.js", lambda route: route.abort())
    page.goto(site.url)
    expect(page.get_by_text("If nothing comes, reload the page")).to_be_visible()
    page.unroute("**/ask.js")
    site.open()
    expect(page.get_by_text("If nothing comes, reload the page")).to_be_hidden()


def to_review(site: Site, *names: str) -> None:
    """Captions that a person has to look at."""
    for name in names:
        site.caption(name, alt_text=f"Table {name[0]} with a red mug")
        site.edit(name, approve=False, reasons=["low_similarity"])


def test_a_reviewer_goes_through_all_by_single_keys(site: Site) -> None:
    to_review(site, "a.jpg", "b.jpg", "c.jpg")
    site.open()
    expect(site.page.locator("#left")).to_have_text("3 of 3 to review")
    site.page.get_by_role("button", name="Review one by one").click()
    large, keys = site.page.locator("#one"), site.page.keyboard
    expect(large.get_by_role("heading", name="c.jpg")).to_be_focused()
    expect(large).to_contain_text("Text and image may not match")
    expect(large.locator(".place")).to_have_text("1 of 3")
    assert violations(site.page) == []
    keys.down("a")
    expect(large.get_by_role("heading", name="b.jpg")).to_be_focused()
    keys.down("a")  # held down
    keys.up("a")
    expect(site.page.locator("#left")).to_have_text("2 of 3 to review")
    assert site.found("c.jpg")["review"]["approved_by"] == "local"
    keys.press("z")
    expect(site.page.locator("#said")).to_have_text("Taken back: c.jpg.")
    assert site.found("c.jpg")["review"]["reasons"] == ["low_similarity"]
    expect(site.page.locator("#left")).to_have_text("3 of 3 to review")
    expect(large.get_by_role("heading", name="c.jpg")).to_be_focused()
    keys.press("j")
    expect(large.get_by_role("heading", name="b.jpg")).to_be_focused()
    keys.press("d")
    expect(large.get_by_role("heading", name="a.jpg")).to_be_focused()
    assert site.found("b.jpg")["decorative"] is True
    keys.press("z")
    expect(site.page.locator("#said")).to_have_text("Taken back: b.jpg.")
    assert site.found("b.jpg")["alt_text"] == "Table b with a red mug"
    keys.press("e")
    site.page.get_by_label("Alt text").fill("Mine")
    keys.press("Control+Enter")
    expect(large.locator(".alt")).to_have_text("Mine")
    keys.press("?")
    expect(site.page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    assert violations(site.page) == []
    keys.press("Escape")
    keys.press("Escape")
    expect(site.page.locator("#captions > li")).to_have_count(2)


def test_a_link_leads_to_one_caption(site: Site) -> None:
    to_review(site, "a.jpg")
    site.open(f"?caption={site.found('a.jpg')['id']}")
    expect(site.page.locator("#one").get_by_role("heading", name="a.jpg")).to_be_visible()
    picture = site.page.locator("#one .stage img")
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("image => image.naturalWidth") > 0


def test_what_is_to_be_reviewed_comes_by_need_and_leaves_when_it_is_approved(site: Site) -> None:
    to_review(site, "a.jpg", "b.jpg")
    site.edit("a.jpg", approve=False, reasons=["injection"])
    site.edit("b.jpg", approve=False, reasons=["low_similarity"])
    site.open("?show=review")
    names = site.page.locator("#captions .name")
    expect(names).to_have_text(["a.jpg", "b.jpg"])
    site.page.get_by_label("Sort").select_option("newest")
    expect(names).to_have_text(["b.jpg", "a.jpg"])
    site.button("b.jpg", "Approve").press("Enter")
    expect(site.page.locator("#captions > li")).to_have_count(1)
    expect(site.button("a.jpg", "Approve")).to_be_focused()


def test_many_are_approved_at_once_and_taken_back_at_once(site: Site) -> None:
    to_review(site, "a.jpg", "b.jpg", "c.jpg")
    site.open("?show=review")
    site.page.get_by_label("Select all on this page").check()
    expect(site.page.locator("#chosen")).to_have_text("3 selected")
    site.page.get_by_label("Select b.jpg").uncheck()
    assert violations(site.page) == []
    bar = site.page.get_by_role("group", name="Selected captions")
    bar.get_by_role("button", name="Approve").click()
    dialog = site.page.get_by_role("dialog", name="Approve 2 captions?")
    expect(dialog.get_by_role("listitem")).to_have_count(2)
    assert violations(site.page) == []
    dialog.get_by_role("button", name="Do it").click()
    expect(site.page.locator("#said")).to_have_text("Done with 2 of 2.")
    expect(site.page.locator("#captions > li")).to_have_count(1)
    site.page.get_by_role("button", name="Undo").click()
    expect(site.page.locator("#said")).to_have_text("2 of 2 taken back.")
    expect(site.page.locator("#captions > li")).to_have_count(3)


def test_a_language_is_edited_apart_and_survives_an_edit_of_the_main_words(site: Site) -> None:
    site.caption("a.jpg", alt_text="A red mug")
    site.edit("a.jpg", translations={"de": {"alt_text": "Ein roter Becher"}})
    site.open(f"?caption={site.found('a.jpg')['id']}")
    large = site.page.locator("#one")
    large.get_by_role("tab", name="de").click()
    expect(large.locator(".text .alt")).to_have_text("Ein roter Becher")
    expect(large.locator(".text .alt")).to_have_attribute("lang", "de")
    assert violations(site.page) == []
    large.get_by_role("button", name="Edit").click()
    site.page.get_by_label("Alt text").fill("Ein Becher")
    site.page.keyboard.press("Control+Enter")
    expect(large.locator(".text .alt")).to_have_text("Ein Becher")
    large.get_by_role("tab", name="en").click()
    large.get_by_role("button", name="Edit").click()
    site.page.get_by_label("Alt text").fill("My mug")
    site.page.keyboard.press("Control+Enter")
    expect(large.locator(".text .alt")).to_have_text("My mug")
    assert site.found("a.jpg")["translations"]["de"]["alt_text"] == "Ein Becher"


def test_what_a_model_translated_is_translated_anew_after_an_edit(site: Site) -> None:
    site.caption("a.jpg", alt_text="A red mug")
    site.edit("a.jpg", translations={"de": {"alt_text": "Ein roter Becher"}})
    key = site.found("a.jpg")["id"]

    def finnish(alt_text: str) -> Any:
        text = {"language": "fi", "alt_text": alt_text, "caption": alt_text}
        return gemini.text(json.dumps({"translations": [text]}))

    site.model.answer(finnish("Punainen muki"))
    site.ask(f"captions/{key}/translate", "POST", {"languages": ["fi"]})
    site.serve.wait(lambda: "fi" in site.found("a.jpg")["translations"])
    site.model.always(replace(finnish("Sininen muki"), delay=5))
    site.open(f"?caption={key}")
    large = site.page.locator("#one")
    large.get_by_role("button", name="Edit").click()
    site.page.get_by_label("Alt text").fill("A blue mug")
    site.page.keyboard.press("Control+Enter")
    expect(large.locator(".which")).to_have_text(re.compile(r"text was changed: Finnish \(fi\)$"))
    assert violations(site.page) == []

    large.get_by_role("button", name="Translate anew").click()
    expect(site.page.locator("#said")).to_have_text("Translated anew by the model: a.jpg.")
    expect(large.locator(".stale")).to_be_hidden()
    large.get_by_role("tab", name="Finnish").click()
    expect(large.locator(".text .alt")).to_have_text("Sininen muki")
    expect(large.locator(".whose")).to_have_text("by the model")
    assert site.found("a.jpg")["translations"]["de"]["alt_text"] == "Ein roter Becher"


def answer_asks(page: Page, status: int) -> None:
    """Answer questions by this status; by none where it is 0."""

    def answer(route: Route) -> None:
        if status:
            route.fulfill(status=status, json={"error": "e"})
        else:
            route.abort()

    page.unroute("**/ask")
    page.route("**/ask", answer)


def test_who_writes_asks_about_the_picture_by_keyboard_and_takes_the_answer(site: Site) -> None:
    site.caption("a.jpg", alt_text="A red mug")
    site.open()
    site.button("a.jpg", "Edit").click()
    row, keys = site.row("a.jpg"), site.page.keyboard
    site.page.get_by_role("textbox", name="Caption").focus()
    tab_to(site.page, row.locator(".ask summary"))
    keys.press("Enter")
    answer = "It says <b>Café</b> & 'Bar' \u202e."
    reply = {"visible_text": answer, "answerable": True, "answer": answer, "language": "en"}
    site.model.answer(gemini.text(json.dumps(reply)))
    tab_to(site.page, row.get_by_label("Question"))
    keys.type("What does the mug say?")
    keys.press("Enter")
    expect(row.locator(".answer")).to_have_text(re.compile("^It says .*Café.* & 'Bar'"))
    expect(row.get_by_role("status")).to_have_text(re.compile("Café"))
    expect(row.get_by_label("Question")).to_be_focused()
    assert violations(site.page) == []
    keys.press("Shift+Tab")
    keys.press("Shift+Tab")
    keys.press("Enter")
    expect(site.page.get_by_label("Alt text")).to_be_focused()
    expect(site.page.get_by_label("Alt text")).to_have_value(
        re.compile("^A red mug It says .*Café")
    )
    assert site.found("a.jpg")["alt_text"] == "A red mug"

    refusals = {429: "spent", 503: "busy or away", 404: "it is gone", 0: "reached"}
    for status, words in refusals.items():
        answer_asks(site.page, status)
        row.get_by_label("Question").fill("And now?")
        row.get_by_label("Question").press("Enter")
        expect(row.get_by_role("status")).to_contain_text(words)
        expect(row.get_by_label("Question")).to_have_value("And now?")


def test_texts_are_imported_after_a_look_at_what_changes(site: Site) -> None:
    site.caption("a.jpg", alt_text="A red mug")
    site.open()
    site.page.locator(".menu summary").click()
    site.page.get_by_role("button", name="Import texts").click()
    text = b"uri,alt_text\ngs://local/a.jpg,Anna's mug\ngs://local/none.jpg,x\n"
    site.page.get_by_label("File", exact=True).set_input_files(
        [{"name": "texts.csv", "mimeType": "text/csv", "buffer": text}]
    )
    dialog = site.page.get_by_role("dialog", name="Import texts")
    expect(dialog.get_by_role("row")).to_have_count(3)
    expect(dialog).to_contain_text("1 change, 1 errors")
    assert violations(site.page) == []
    dialog.get_by_role("button", name="Change 1 caption").click()
    expect(dialog).to_contain_text("1 caption changed.")
    assert site.found("a.jpg")["alt_text"] == "Anna's mug"


@pytest.mark.parametrize(
    ("tag", "button"),
    [("de", "Einzeln prüfen"), ("fr", "Relire une à une"), ("es", "Revisar uno a uno")],
)
def test_the_page_speaks_the_readers_language(tag: str, button: str, site: Site) -> None:
    to_review(site, "a.jpg")
    site.page.add_init_script(f"localStorage.setItem('captions.locale', '{tag}')")
    site.open()
    expect(site.page.get_by_role("button", name=button)).to_be_visible()
    expect(site.page.locator("html")).to_have_attribute("lang", tag)
    assert violations(site.page) == []


def test_a_screen_reader_hears_what_a_row_is_and_what_can_be_done(site: Site) -> None:
    to_review(site, "a.jpg")
    site.open()
    expect(site.row("a.jpg")).to_match_aria_snapshot(
        """
        - listitem:
          - article:
            - checkbox "Select a.jpg"
            - button "Look at a.jpg"
            - heading "a.jpg" [level=2]
            - paragraph: needs a look by the model · en
            - paragraph: Table a with a red mug
            - paragraph: /.+/
            - list:
              - listitem: Text and image may not match
            - paragraph:
              - button "Approve"
              - button "Edit"
              - button "Caption anew"
        """
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390, 320])
def test_axe_finds_nothing_and_nothing_is_cut_off(scheme: Any, width: int, site: Site) -> None:
    site.caption("a.jpg", alt_text="A red mug")
    site.caption("a-name-that-goes-on-and-on-without-any-place-to-break-it.jpg", alt_text="Long")
    (site.serve.folder / "c.jpg").write_bytes(b"\xff\xd8\xff broken")
    site.serve.wait(lambda: site.found("c.jpg").get("status") == "rejected")
    site.page.emulate_media(color_scheme=scheme)
    site.page.set_viewport_size({"width": width, "height": 800})
    site.open()
    expect(site.page.locator("#captions > li")).to_have_count(3)
    expect(site.row("c.jpg").locator(".problem")).to_have_text(
        re.compile("^The image is damaged: ")
    )
    assert violations(site.page) == []
    site.button("a.jpg", "Edit").click()
    assert violations(site.page) == []
    field = site.page.get_by_label("Alt text")
    assert field.evaluate("field => field.offsetWidth > innerWidth * 0.6")
    wide = site.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    small = site.page.evaluate(
        """[...document.querySelectorAll("button, select, textarea, .button, input")]
        .filter((each) => each.checkVisibility() && !["file", "checkbox"].includes(each.type))
        .map((each) => each.getBoundingClientRect())
        .filter(({width, height}) => width < 24 || height < 24).length"""
    )
    assert small == 0


@pytest.mark.parametrize("width", [320, 640])
def test_every_part_fits_a_page_that_is_enlarged_fourfold_and_forced_colours(
    width: int, site: Site
) -> None:
    site.caption("a-name-that-goes-on-and-on-without-any-place-to-break-it.jpg", alt_text="Long")
    name = "a-name-that-goes-on-and-on-without-any-place-to-break-it.jpg"
    site.edit(name, translations={"ar": {"alt_text": "كوب أحمر"}, "ja": {"alt_text": "赤" * 300}})
    site.edit(name, approve=False, reasons=["image_changed", "of-a-later-version" * 5])
    page = site.page
    page.emulate_media(forced_colors="active")
    page.set_viewport_size({"width": width, "height": 256 * width // 320})

    def fits() -> None:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert violations(page) == []

    site.open("?show=review&view=grid")
    page.get_by_label(f"Select {name}").check()
    assert page.locator("#selection").evaluate("bar => bar.offsetHeight < innerHeight / 2")
    page.locator("#further summary").click()
    fits()
    page.locator(".menu summary").click()
    fits()
    page.keyboard.press("Escape")
    page.locator("#start").click()
    page.get_by_role("tab", name="Japanese").click()
    fits()
    page.get_by_role("button", name="Edit").click()
    page.locator(".ask summary").click()
    fits()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Keyboard").last.click()
    fits()


def test_all_that_can_be_done_is_done_by_keyboard(site: Site) -> None:
    to_review(site, "a.jpg", "b.jpg")
    site.open()
    page, keys = site.page, site.page.keyboard

    def press(wanted: Locator, key: str = "Enter") -> None:
        tab_to(page, wanted)
        keys.press(key)

    press(page.get_by_role("link", name="Skip to the captions"))
    expect(page.locator("#captions")).to_be_focused()
    press(page.get_by_label("Select b.jpg"), "Space")
    keys.press("Shift+Tab")
    for _ in range(3):
        keys.press("Shift+Tab")
    press(page.locator("#selection").get_by_role("button", name="Mark as decorative"))
    dialog = page.get_by_role("dialog", name="Mark 1 image as decorative?")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    keys.press("Shift+Tab")
    keys.press("Enter")
    expect(page.locator("#said")).to_have_text("Done with 1 of 1.")
    press(page.get_by_role("button", name="Undo"))
    expect(page.locator("#said")).to_have_text("1 of 1 taken back.")
    expect(page.locator("#captions")).to_be_focused()
    assert site.found("b.jpg")["alt_text"] == "Table b with a red mug"

    page.locator(".skip").focus()
    press(page.get_by_role("button", name="Grid"))
    expect(page.get_by_role("button", name="Grid")).to_have_attribute("aria-pressed", "true")
    press(page.locator(".menu summary"))
    press(page.get_by_role("button", name="Import texts"))
    expect(page.get_by_role("dialog", name="Import texts")).to_be_visible()
    keys.press("Escape")
    expect(page.get_by_role("button", name="Import texts")).to_be_focused()
    keys.press("Escape")
    expect(page.locator(".menu summary")).to_be_focused()
    expect(page.get_by_role("button", name="Import texts")).to_be_hidden()
    tab_to(page, page.get_by_role("combobox", name="Show"))
    keys.type("to r")
    expect(page.locator("#found")).to_have_text("2 captions")
    tab_to(page, page.get_by_role("combobox", name="Sort"))
    keys.press("ArrowDown")
    expect(page).to_have_url(re.compile("order=newest"))
    press(page.locator("#further summary"))
    tab_to(page, page.get_by_role("textbox", name="Tag"))
    keys.type("nowhere")
    expect(page.locator("#empty")).to_contain_text("Nothing matches")
    press(page.get_by_role("button", name="Clear filters"))
    expect(page.locator("#captions > li")).to_have_count(2)


def answer_saves(page: Page, status: int) -> None:
    """Answer what is asked of one caption by this status, and no JSON."""
    page.unroute("**/captions/*")
    page.route("**/captions/*", lambda route: route.fulfill(status=status, body="<html>"))


def test_hostile_names_and_long_words_stay_words_where_nothing_is_kept(site: Site) -> None:
    """A browser that forbids keeping anything, an address that means nothing, and a signed-out
    person are no end of the page."""
    name = "<img src=x onerror=document.title=1> \"'😀 \u202egpj.jpg"
    site.caption(name, alt_text="A red mug")
    japanese = {"ja": {"alt_text": "赤いマグカップ"}}
    words = {"alt_text": "كوب أحمر على الطاولة", "language": "ar", "caption": "long " * 990}
    site.edit(name, translations=japanese, **words)
    site.page.add_init_script(
        """Object.defineProperty(window, "localStorage", {
            get() { throw new DOMException("forbidden", "SecurityError"); }})"""
    )
    cursor = base64.urlsafe_b64encode(b'["2026", "", ""]').decode()
    site.open(f"?show=nothing&cursor={cursor}&from=9999")
    row = site.page.locator("#captions > li")
    expect(row.locator(".name")).to_have_text(name)
    expect(row.locator(".alt")).to_have_css("direction", "rtl")
    assert row.evaluate("row => row.getBoundingClientRect().height") < 500
    assert site.page.evaluate("document.querySelectorAll('#captions img').length") == 1
    row.get_by_role("button", name="Edit").click()
    site.page.get_by_label("Alt text").fill("Mine")

    answer_saves(site.page, 401)
    row.get_by_role("button", name="Save").click()
    expect(row.locator(".wrong")).to_contain_text("You are signed out")
    answer_saves(site.page, 200)
    row.get_by_role("button", name="Save").click()
    expect(row.locator(".wrong")).to_contain_text("You are signed out")
    for status in (429, 503):
        answer_saves(site.page, status)
        row.get_by_role("button", name="Save").click()
        expect(row.locator(".wrong")).to_contain_text("The server is busy")
    site.page.unroute("**/captions/*")
    row.get_by_role("button", name="Save").click()
    expect(row.locator(".alt")).to_have_text("Mine")
    assert site.page.title() == "Captions"
    row.get_by_role("button", name="Approve").click()
    expect(site.page.locator("#said")).to_contain_text("Approved")

"""alt.js in a browser, against the real function on the embedded store."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page
from werkzeug import Request, Response

from tests.browser.websites import HOSTILE, SOON_MS, Website, alt, filled

ROOT = Path(__file__).parents[2]


def until(page: Page, event: threading.Event) -> None:
    """Wait for a server's thread while the browser goes on."""
    for _ in range(SOON_MS // 20):
        if event.is_set():
            return
        page.wait_for_timeout(20)
    raise AssertionError("nothing came")


def posts(page: Page, event: str) -> list[str]:
    """What becomes of the questions of a page, while it does."""
    seen: list[str] = []
    page.on(event, lambda request: seen.append("POST") if request.method == "POST" else None)
    return seen


def pass_time(
    page: Page, holds: Callable[[], bool], may: Callable[[], bool] = lambda: True
) -> None:
    """Move the page's clock on, while it may, until something holds."""
    for _ in range(SOON_MS // 20):
        if holds():
            return
        if may():
            page.clock.run_for(500)
        page.wait_for_timeout(20)
    raise AssertionError("nothing came")


def after_all_images_were_looked_at_again(page: Page) -> None:
    """Wait for the words of an image that is added now: those of the others were decided before."""
    for name in ("first", "second"):
        image = f"<img id={name} src='/images/new.png'>"
        page.evaluate("(image) => document.body.insertAdjacentHTML('beforeend', image)", image)
        assert filled(page, f"#{name}") == "New picture"


def test_only_missing_alt_attributes_are_filled(website: Website, page: Page) -> None:
    body = """
    <img id=a src="/images/mug.png?w=300">
    <img id=empty src="/images/mug.png" alt>
    <img id=blank src="/images/mug.png" alt="">
    <img id=own src="/images/mug.png" alt="My own words">
    <img id=line src="/images/line.png">
    <img id=none src="/images/none.png">
    <img id=inline src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">
    <img id=nothing>
    """
    website.open(page, body)

    assert filled(page) == "Blue mug"
    assert filled(page, "#line") == ""
    assert (alt(page, "#empty"), alt(page, "#blank")) == ("", "")
    assert alt(page, "#own") == "My own words"
    for missing in ("#none", "#inline", "#nothing"):
        assert alt(page, missing) is None
    names = ("mug.png?w=300", "line.png", "none.png")
    asked = {"src": list(map(website.image, names)), "lang": "en", "long_description": False}
    assert website.function.asked == [asked]


def test_a_video_without_a_name_gets_one(website: Website, page: Page) -> None:
    website.open(
        page,
        """
        <video id=a src="/images/mug.png"></video>
        <video id=set><source src="/images/none.png"><source src="/images/mug.png"></video>
        <video id=poster poster="/images/new.png" data-src="/images/none.png"></video>
        <video id=own src="/images/mug.png" aria-label="Mine"></video>
        <video id=titled src="/images/mug.png" title="Mine"></video>
        <video id=hidden src="/images/mug.png" aria-hidden=true></video>
        <video id=line src="/images/line.png"></video>
        """,
    )
    for video, name in (("a", "Blue mug"), ("set", "Blue mug"), ("poster", "New picture")):
        page.wait_for_selector(f"#{video}[aria-label='{name}']", timeout=SOON_MS)
        assert alt(page, f"#{video}") is None
    assert page.get_attribute("#own", "aria-label") == "Mine"
    for video in ("titled", "hidden", "line"):
        assert page.get_attribute(f"#{video}", "aria-label") is None

    page.evaluate("a.src = '/images/new.png'")
    page.wait_for_selector("#a[aria-label='New picture']", timeout=SOON_MS)
    page.evaluate("a.src = '/images/none.png'")
    page.wait_for_function("!a.hasAttribute('aria-label')", timeout=SOON_MS)


def test_images_added_later_are_filled(website: Website, page: Page) -> None:
    website.open(page, "<div id=list><img id=a src='/images/mug.png'></div>")
    filled(page)

    page.evaluate("list.innerHTML += '<p><img id=late src=/images/new.png></p>'")
    assert filled(page, "#late") == "New picture"
    assert [each["src"] for each in website.function.asked] == [
        [website.image("mug.png")],
        [website.image("new.png")],
    ]


def test_an_image_that_becomes_another_gets_that_ones_words(website: Website, page: Page) -> None:
    website.open(page, "<img id=a src='/images/mug.png'><img id=own src='/images/mug.png' alt=I>")
    assert filled(page) == "Blue mug"

    page.evaluate("a.src = '/images/new.png'; own.src = '/images/new.png'")
    page.wait_for_selector("#a[alt='New picture']", timeout=SOON_MS)
    assert alt(page, "#own") == "I"
    page.evaluate("a.src = '/images/none.png'")
    page.wait_for_function("!a.hasAttribute('alt')", timeout=SOON_MS)


def test_known_words_are_not_asked_for_again(website: Website, page: Page) -> None:
    website.open(page, "<img id=a src='/images/mug.png'><img id=b src='/images/mug.png'>")
    assert filled(page) == filled(page, "#b") == "Blue mug"

    page.evaluate("document.body.innerHTML += '<img id=c src=/images/mug.png>'")
    assert filled(page, "#c") == "Blue mug"
    assert [each["src"] for each in website.function.asked] == [[website.image("mug.png")]]


def test_many_images_are_asked_for_by_the_hundred(website: Website, page: Page) -> None:
    body = "".join(f"<img id=i{n} loading=lazy src='/images/{n}.png'>" for n in range(230))
    website.open(page, body)

    assert filled(page, "#i229") == "The last"
    assert sorted(len(each["src"]) for each in website.function.asked) == [30, 100, 100]


def test_the_nearest_language_of_the_page_is_asked_for(website: Website, page: Page) -> None:
    website.open(
        page, "<img id=a src='/images/mug.png'><p lang=fr-CA><img id=b src='/images/mug.png'>", "de"
    )

    assert (filled(page), filled(page, "#b")) == ("Blue mug", "Tasse bleue")
    assert {each["lang"] for each in website.function.asked} == {"de", "fr-CA"}


@pytest.mark.parametrize("kind", HOSTILE)
def test_words_are_text_whatever_is_in_them(website: Website, page: Page, kind: str) -> None:
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    website.open(page, f"<img id=a src='/images/{kind}.png'>")

    assert filled(page) == HOSTILE[kind]
    assert page.evaluate("document.body.children.length") == 1
    assert page.evaluate("a.getAttributeNames().sort().join()") == "alt,data-alt-source,id,src"
    assert not dialogs


def test_words_that_the_page_sets_meanwhile_stay(website: Website, page: Page) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def door(request: Request) -> None:
        asked.set()
        assert go_on.wait(60)

    website.function.door = door
    website.open(page, "<img id=a src='/images/mug.png'><img id=b src='/images/mug.png'>")
    until(page, asked)
    page.evaluate("a.alt = 'The page knows better'")
    go_on.set()

    assert filled(page, "#b") == "Blue mug"
    assert alt(page) == "The page knows better"


def test_an_answer_about_an_image_that_has_changed_is_dropped(website: Website, page: Page) -> None:
    first, go_on = threading.Event(), threading.Event()

    def door(request: Request) -> None:
        if not first.is_set():
            first.set()
            assert go_on.wait(60)

    website.function.door = door
    website.open(page, "<img id=a src='/images/mug.png'>")
    until(page, first)
    page.evaluate("a.src = '/images/none.png'")
    go_on.set()

    page.evaluate("document.body.innerHTML += '<img id=c src=/images/new.png>'")
    assert filled(page, "#c") == "New picture"
    assert alt(page) is None


@pytest.mark.parametrize(
    ("answer", "tries"),
    [
        (Response("down", 503), 2),
        (Response("slow down", 429), 2),
        (Response("<html>a login page</html>", 200), 2),
        (Response('{"error": "no"}', 400), 1),
        (Response('{"images": null}', 200), 1),
    ],
    ids=lambda value: getattr(value, "status", value),
)
def test_a_failing_function_is_asked_once_more_and_then_left_alone(
    website: Website, page: Page, answer: Response, tries: int
) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    answer.headers["Access-Control-Allow-Origin"] = "*"
    website.function.door = lambda request: answer
    page.clock.install()
    sent, done = posts(page, "request"), posts(page, "requestfinished")
    website.open(page, "<img id=a src='/images/mug.png'>")
    pass_time(page, lambda: len(done) == tries, lambda: len(sent) == len(done))
    for _ in range(8):
        page.clock.run_for(1_500)
        page.wait_for_load_state("networkidle")

    assert len(website.function.asked) == tries
    assert alt(page) is None
    assert not errors


def test_one_failure_is_made_good(website: Website, page: Page) -> None:
    failures = iter([Response("down", 503, {"Access-Control-Allow-Origin": "*"})])
    website.function.door = lambda request: next(failures, None)
    website.open(page, "<img id=a src='/images/mug.png'>")

    assert filled(page) == "Blue mug"
    assert len(website.function.asked) == 2


def test_a_function_that_does_not_answer_is_given_up(website: Website, page: Page) -> None:
    end = threading.Event()

    def door(request: Request) -> None:
        end.wait(60)

    website.function.door = door
    page.clock.install()
    sent, aborted = posts(page, "request"), posts(page, "requestfailed")
    website.open(page, "<img id=a src='/images/mug.png'>")
    for tries in (1, 2):
        pass_time(page, lambda tries=tries: len(sent) == tries)
        with page.expect_event("requestfailed"):
            page.clock.run_for(8_000)
    end.set()

    assert aborted == ["POST", "POST"]
    assert alt(page) is None


def test_the_script_runs_by_its_hash_and_not_with_another(website: Website, page: Page) -> None:
    digest = hashlib.sha384((ROOT / "functions/http/static/alt.js").read_bytes()).digest()
    right = base64.b64encode(digest).decode()
    wrong = base64.b64encode(digest[::-1]).decode()
    for integrity, words in ((right, "Blue mug"), (wrong, None)):
        website.site.pages["/"] = (
            f"<!doctype html><img id=a src='/images/mug.png'><script src='{website.function.url}"
            f"/alt.js' integrity='sha384-{integrity}' crossorigin=anonymous></script>"
        )
        page.goto(website.site.url)
        if words:
            assert filled(page) == words
        page.wait_for_load_state("networkidle")
        assert alt(page) == words


def test_a_strict_policy_of_the_page_is_enough(website: Website, page: Page) -> None:
    function = website.function.url
    website.site.headers["Content-Security-Policy"] = (
        f"default-src 'none'; img-src 'self'; script-src {function}; connect-src {function}; "
        "require-trusted-types-for 'script'"
    )
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    website.open(page, "<img id=a src='/images/mug.png'>")

    assert filled(page) == "Blue mug"
    assert not [each for each in complaints if "Content Security Policy" in each]


def test_nothing_is_kept_in_the_browser_and_no_cookie_is_sent(website: Website, page: Page) -> None:
    cookies: list[str | None] = []
    website.function.door = lambda request: cookies.append(request.headers.get("Cookie"))
    page.context.add_cookies([{"name": "who", "value": "me", "url": website.function.url}])
    website.open(page, "<img id=a src='/images/mug.png'>")
    filled(page)

    assert cookies == [None]
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert [each["name"] for each in page.context.cookies()] == ["who"]


def test_a_page_that_blocks_the_question_is_left_as_it_is(website: Website, page: Page) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    website.site.headers["Content-Security-Policy"] = "connect-src 'none'"
    page.clock.install()
    blocked = "<script>let blocked = 0; addEventListener('securitypolicyviolation', () => "
    website.open(page, f"{blocked} blocked += 1)</script><img id=a src='/images/mug.png'>")
    pass_time(page, lambda: page.evaluate("blocked") == 2)
    page.clock.run_for(10_000)

    assert page.evaluate("blocked") == 2
    assert alt(page) is None
    assert not errors


def test_a_picture_is_asked_for_by_what_the_browser_shows_and_then_by_the_others(
    website: Website, page: Page
) -> None:
    body = """
    <picture><source srcset="/images/x.webp 1x, /images/y.webp 2x" type="image/webp">
      <img id=a src="/images/mug.png"></picture>
    <img id=b src="/images/none.png" srcset="/images/none2.png 1x, /images/new.png 999x">
    <img id=c src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" data-src="/images/mug.png">
    <picture><source srcset="/images/mug.png" media="print"><img id=d></picture>
    """
    # What a browser shows it tells when the image has come, which may be after the question.
    website.site.pages["/"] = f'<!doctype html><html lang="en"><body>{body}</body>'
    page.goto(website.site.url)
    page.add_script_tag(url=f"{website.function.url}/alt.js")

    assert filled(page) == filled(page, "#c") == filled(page, "#d") == "Blue mug"
    assert filled(page, "#b") == "New picture"
    first = website.function.asked[0]["src"]
    assert website.image("x.webp") in first
    assert website.image("none2.png") in first
    assert website.image("new.png") not in first


def test_words_that_a_program_takes_away_come_back_and_its_own_stay(
    website: Website, page: Page
) -> None:
    website.open(page, "<img id=a src='/images/mug.png'><img id=b src='/images/mug.png'>")
    filled(page), filled(page, "#b")

    page.evaluate("a.removeAttribute('alt'); b.alt = 'Its own'")
    assert filled(page) == "Blue mug"
    assert alt(page, "#b") == "Its own"
    assert page.get_attribute("#b", "data-alt-source") is None
    assert len(website.function.asked) == 1


def test_a_program_that_takes_words_away_for_ever_wins_in_the_end(
    website: Website, page: Page
) -> None:
    website.open(
        page,
        """<img id=a src='/images/mug.png'><script>
        let taken = 0;
        new MutationObserver(() => {
          if (a.hasAttribute('alt') && taken < 100) { taken += 1; a.removeAttribute('alt'); }
        }).observe(a, {attributeFilter: ['alt']});
        </script>""",
    )
    page.wait_for_function("taken > 10", timeout=SOON_MS)
    after_all_images_were_looked_at_again(page)
    assert page.evaluate("taken") <= 60
    assert alt(page) is None


@pytest.mark.parametrize(
    "how",
    [
        "<script type=module src='{}/alt.js'></script>",
        "<script type=module>import('{}/alt.js')</script>",
        "<script src='{}/alt.js' async></script>",
        "<script src='{0}/alt.js?v=2'></script><script type=module src='{0}/alt.js'></script>",
    ],
)
def test_it_runs_however_it_is_included_and_asks_once(
    website: Website, page: Page, how: str
) -> None:
    script = how.format(website.function.url)
    website.site.pages["/"] = f"<!doctype html><img id=a src='/images/mug.png'>{script * 2}"
    page.clock.install()
    sent = posts(page, "request")
    page.goto(website.site.url)

    pass_time(page, lambda: alt(page) == "Blue mug")
    page.clock.run_for(10_000)
    page.wait_for_load_state("networkidle")
    assert sent == ["POST"]


def test_names_of_objects_and_broken_answers_end_nothing(website: Website, page: Page) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    broken = iter(
        [
            '{"images": {"x": 5}}',
            '{"images": "none"}',
            "null",
            "[]",
            json.dumps({"images": {website.image("none.png"): {"alt": 7}}}),
        ]
    )

    def door(request: Request) -> Response | None:
        wrong = next(broken, None)
        headers = {"Access-Control-Allow-Origin": "*"}
        return Response(wrong, 200, headers) if wrong else None

    website.function.door = door
    langs = ("constructor", "__proto__", "toString", "en", "de")
    body = "".join(f"<p lang={lang}><img src='/images/none.png'></p>" for lang in langs)
    answered = posts(page, "requestfinished")
    website.open(page, body)
    while len(answered) < len(langs):
        page.wait_for_event("requestfinished", timeout=SOON_MS)
    page.evaluate(
        "document.body.innerHTML += '<p lang=hasOwnProperty><img id=a src=/images/mug.png>'"
    )

    assert filled(page) == "Blue mug"
    assert not errors


def test_the_page_tells_what_was_done(website: Website, page: Page) -> None:
    website.open(page, "<img id=a src='/images/mug.png'><img id=b src='/images/none.png'>")
    filled(page)

    assert page.get_attribute("#a", "data-alt-source") == "model"
    page.wait_for_selector("#b[data-alt-missing]", state="attached", timeout=SOON_MS)
    page.evaluate("b.src = '/images/mug.png'")
    assert filled(page, "#b") == "Blue mug"
    assert page.get_attribute("#b", "data-alt-missing") is None


def test_words_in_another_language_than_the_pages_say_so(website: Website, page: Page) -> None:
    body = """
    <img id=a src="/images/fr.png"><img id=b src="/images/mug.png">
    <p lang=fr-CA><img id=c src="/images/fr.png"></p><img id=d lang=en src="/images/fr.png">
    """
    website.open(page, body)

    assert filled(page) == filled(page, "#c") == filled(page, "#d") == "Rien que du français"
    filled(page, "#b")
    langs = [page.get_attribute(f"#{each}", "lang") for each in "abcd"]
    assert langs == ["fr", None, None, "en"]
    page.evaluate("a.src = '/images/mug.png'")
    page.wait_for_selector("#a[alt='Blue mug']", timeout=SOON_MS)
    assert page.get_attribute("#a", "lang") is None


def test_what_the_page_intends_stays(website: Website, page: Page) -> None:
    body = """
    <img id=role role="presentation" src="/images/mug.png">
    <img id=none role=none src="/images/mug.png">
    <img id=hidden aria-hidden=true src="/images/mug.png">
    <p aria-hidden=true><img id=inside src="/images/mug.png"></p>
    <img id=label aria-label="My mug" src="/images/mug.png">
    <img id=by aria-labelledby="x" src="/images/mug.png"><p id=x>A mug of mine</p>
    <img id=title title="My mug" src="/images/mug.png"><img id=a title=" " src="/images/mug.png">
    """
    website.open(page, body)

    assert filled(page) == "Blue mug"
    for each in ("role", "none", "hidden", "inside", "label", "by", "title"):
        assert alt(page, f"#{each}") is None


@pytest.mark.parametrize("asked_for", [True, False])
def test_open_shadow_roots_are_filled_where_that_is_asked_for(
    website: Website, page: Page, asked_for: bool
) -> None:
    script = f"<script src='{website.function.url}/alt.js' {'data-shadow' * asked_for}></script>"
    website.site.pages["/"] = f"""<!doctype html><html lang=fr>{script}
    <div id=declared><template shadowrootmode=open><img src='/images/mug.png'></template></div>
    <div id=made></div><img id=a src='/images/mug.png'>
    <script>
      addEventListener('load', () => setTimeout(() => {{
        const root = made.attachShadow({{ mode: 'open' }});
        root.innerHTML = '<div id=inner></div>';
        const inner = root.getElementById('inner').attachShadow({{ mode: 'open' }});
        inner.innerHTML = '<img src=/images/mug.png>';
      }}, 300));
    </script>"""
    page.goto(website.site.url)
    filled(page)
    seen = """[declared.shadowRoot, made.shadowRoot?.getElementById('inner').shadowRoot]
        .map((root) => root?.querySelector('img')?.alt ?? null).join('|')"""
    expected = "Tasse bleue|Tasse bleue" if asked_for else "|"
    page.wait_for_function(f"made.shadowRoot && {seen} === {expected!r}", timeout=SOON_MS)

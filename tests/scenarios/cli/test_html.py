"""``captions html``: pages on disk, captions in a store."""

from __future__ import annotations

import codecs
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from functions.adapters.folder import database
from functions.adapters.sqlite import SqliteCaptions
from functions.core.document import Review, Stored
from functions.sites import files
from functions.sites.captions import PublicCaptions
from functions.sites.fill import HtmlPage
from functions.sites.image_locator import ImageLocator
from tests.support.command_line import Ran, captions, environment
from tests.support.documents import plain_document
from tests.support.pictures import jpeg
from tests.support.stack import Stack

NOW = datetime(2026, 11, 23, tzinfo=UTC)


class Site:
    """A folder of pages whose images are captioned; the store lies in it, too."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = SqliteCaptions(database(folder))

    def caption(self, name: str, alt_text: str = "A mug", **changes: Any) -> None:
        plain = plain_document(name, at=NOW, bucket="local", alt_text=alt_text, language="en")
        self.store.create(replace(plain, **changes))

    def write(self, path: str, page: str | bytes) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_bytes(page if isinstance(page, bytes) else page.encode())

    def read(self, path: str = "index.html") -> bytes:
        return (self.folder / path).read_bytes()

    def fill(self, *options: str, **env: str) -> Ran:
        run = captions("html", ".", "--local", ".", *options, where=self.folder, **env)
        assert "Traceback" not in run.err, run.err
        return run


def spaced(text: str) -> str:
    """A table's text with one space between its columns."""
    return re.sub(" +", " ", text)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    folder = tmp_path / "site"
    folder.mkdir()
    made = Site(folder)
    made.caption("img/mug.jpg")
    return made


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (b'<!doctype html>\r\n<IMG SRC="x.jpg"/>\r\n\r<p>odd  </P>', b"&#233; &#8364;"),
        (codecs.BOM_UTF8 + "<p>é<img src='x.jpg'>\n".encode(), "é €".encode()),
        (b"<meta charset=windows-1252>\xe9<img src=x.jpg>", b"\xe9 \x80"),
        (b"<meta charset=shift_jis>\x83\x5c<img src=x.jpg>", b"&#233; &#8364;"),
        (b"\xe9<img src=x.jpg>", b"&#233; &#8364;"),
    ],
)
def test_missing_alt_text_is_filled_in_and_every_other_byte_stays(
    site: Site, page: bytes, words: bytes
) -> None:
    site.caption("x.jpg", "é €")
    site.write("index.html", page)
    assert site.fill().status == 0
    attribute = b' alt="' + words + b'"'
    assert site.read().count(attribute) == 1
    assert site.read().replace(attribute, b"") == page


VIDEOS = """
<video src=clip.mp4></video>
<VIDEO poster=img/mug.jpg><source src=none.webm><track src=a.vtt></VIDEO>
<video src=clip.mp4 aria-label=Mine></video>
<video src=clip.mp4 title=Mine muted></video>
<p aria-hidden=true><video src=clip.mp4></video></p>
<video src=clip.mp4 role=presentation></video>
<video src=calm.mp4></video>
<video src=none.mp4></video>
<video src="{{ src }}"></video>
<a href=x.html><video src=clip.mp4 muted></video></a>
<!-- <video src=clip.mp4></video> -->
"""


def test_a_video_without_a_name_gets_a_label_and_one_without_captions_is_told(site: Site) -> None:
    site.caption("clip.mp4", 'A "dog" runs')
    site.caption("calm.mp4", "", decorative=True)
    site.write("x.html", "<title>Another page</title>")
    site.write("index.html", VIDEOS)
    ran = site.fill("--json")
    label = ' aria-label="A &quot;dog&quot; runs"'
    expected = VIDEOS.replace("<video src=clip.mp4>", f"<video{label} src=clip.mp4>", 1)
    expected = expected.replace("<VIDEO", '<VIDEO aria-label="A mug"')
    expected = expected.replace("<a href=x.html><video", f"<a href=x.html><video{label}")
    assert site.read().decode() == expected
    (record,) = [each for each in ran.records if each["file"] == "index.html"]
    assert record["counts"] == {
        "filled": 3, "named": 2, "hidden": 1, "presentational": 1, "decorative": 1,
        "uncaptioned": 1, "template": 1,
    }  # fmt: skip
    assert [each["line"] for each in record["images"] if each.get("trackless")] == [2, 4, 8, 9]

    told = spaced(site.fill("--check").out)
    assert "Without <track> 4 videos, of which no captions tell what is heard: index.html:2" in told


def test_utf_16_stays_utf_16(site: Site) -> None:
    page = "<p>図😀<img src='img/mug.jpg'>\r\n"
    site.write("index.html", codecs.BOM_UTF16_BE + page.encode("utf-16-be"))
    assert site.fill().status == 0
    expected = page.replace("<img", '<img alt="A mug"')
    assert site.read() == codecs.BOM_UTF16_BE + expected.encode("utf-16-be")


def test_a_page_that_needs_nothing_is_not_written(site: Site) -> None:
    site.write("index.html", '<img src="img/mug.jpg" alt=""><img src="img/mug.jpg" alt>')
    before = (site.folder / "index.html").stat()
    assert site.fill().status == 0
    after = (site.folder / "index.html").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_page_gets_words_in_its_own_language(site: Site) -> None:
    french = {"fr": {"alt_text": "Une tasse", "caption": ""}}
    site.caption("b.jpg", translations=french)
    site.write("fr.html", "<html lang=fr-CA><img src=b.jpg><p lang=en><img src=b.jpg></html>")
    site.write("de.html", "<html lang=de><img src=b.jpg></html>")
    site.write("none.html", "<img src=b.jpg>")
    assert site.fill("--lang", "fr").status == 0
    assert b'<img alt="Une tasse" src=b.jpg><p lang=en><img alt="A mug"' in site.read("fr.html")
    assert b'alt="A mug"' in site.read("de.html")
    assert b'alt="Une tasse"' in site.read("none.html")


def test_decoration_gets_an_empty_alt(site: Site) -> None:
    site.caption("line.png", "", decorative=True)
    site.write("index.html", "<img src=line.png>")
    assert site.fill("--check").status == 1
    assert site.fill().status == 0
    assert site.read() == b'<img alt="" src=line.png>'


def test_words_that_look_like_markup_are_text(site: Site) -> None:
    site.caption("x.png", '"><script>alert(1)</script> & {{ config }} <?php x ?>')
    site.write("index.html", "<img src=x.png>")
    assert site.fill().status == 0
    assert site.read() == (
        b'<img alt="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt; &amp; '
        b'&#123;&#123; config }} &lt;?php x ?&gt;" src=x.png>'
    )


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"status": "rejected", "alt_text": ""}, "cannot be captioned: `captions get` says why"),
        ({"status": "failed"}, "given up: `captions get` says why, `captions retry` tries again"),
        ({"status": "pending"}, "its caption is not there yet"),
        ({"alt_text": ""}, "no caption"),
        ({"alt_text": " \n "}, "no caption"),
    ],
)
def test_an_image_without_words_is_left_as_it_is(
    site: Site, changes: dict[str, Any], why: str
) -> None:
    site.caption("x.png", **changes)
    site.write("index.html", "<img src=x.png>")
    run = site.fill()
    assert (run.status, site.read()) == (0, b"<img src=x.png>")
    assert f"gs://local/x.png {why} index.html:1" in spaced(run.out)


def test_words_that_wait_for_a_review_can_be_withheld(site: Site) -> None:
    site.caption("x.png", review=Review(needed=True, reasons=("vague",)))
    site.write("index.html", "<img src=x.png>")
    site.fill(CAPTION_UNREVIEWED="withhold")
    assert site.read() == b"<img src=x.png>"
    site.fill()
    assert site.read() == b'<img alt="A mug" src=x.png>'


def test_the_diff_of_a_dry_run_makes_the_pages_that_a_run_makes(site: Site) -> None:
    site.write("a.html", "".join(f"<p>{n}\r\n" for n in range(20)) + "<img src=img/mug.jpg>")
    site.write("sub/b.htm", "<img src=../img/mug.jpg>\n<p>é\x0b\u2028<img src=/img/mug.jpg>\n")
    before = {path: site.read(path) for path in ("a.html", "sub/b.htm")}
    diff = subprocess.run(
        [sys.executable, "-m", "functions.cli", "html", ".", "--local", ".", "--dry-run"],
        cwd=site.folder,
        env=environment({}),
        capture_output=True,
        check=True,
    )
    assert {path: site.read(path) for path in before} == before
    assert "To be filled in 3" in spaced(diff.stderr.decode())
    (site.folder / "diff").write_bytes(diff.stdout)
    for path in before:
        (site.folder / "applied" / path).parent.mkdir(parents=True, exist_ok=True)
        (site.folder / "applied" / path).write_bytes(before[path])
    applied = subprocess.run(
        ["git", "apply", "--whitespace=nowarn", "../diff"],
        cwd=site.folder / "applied",
        env={**os.environ, "GIT_CEILING_DIRECTORIES": str(site.folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert applied.returncode == 0, applied.stderr
    patched = {path: site.read(f"applied/{path}") for path in before}
    assert site.fill().status == 0
    assert patched == {path: site.read(path) for path in before}
    assert patched != before


@pytest.mark.parametrize(
    ("page", "status", "said"),
    [
        ("<img src=img/mug.jpg alt='x'>", 0, "1 of them with alt text"),
        ("<img src=img/mug.jpg alt=''>", 0, "1 of them with alt text"),
        ("<img src=img/mug.jpg>", 1, "gs://local/img/mug.jpg can be filled in index.html:1"),
        ("\n<img src=other.jpg>", 1, "gs://local/other.jpg no caption index.html:2"),
        ("<img src=//x.example/a.png>", 1, "//x.example/a.png in no known bucket index.html:1"),
        ("<img>", 1, "in no known bucket"),
        ("<map><area href=x></map>", 1, "not an <img>"),
        ("<input type=image src=a>", 1, "not an <img>"),
        ("<map><area></map><input alt='' type=image>", 0, "Images 1"),
        ("<img src='{{ x }}'>", 0, "1 that a template writes"),
        ("<p>nothing", 0, "Images 0"),
    ],
)
def test_a_check_fails_where_alt_text_is_missing(
    site: Site, page: str, status: int, said: str
) -> None:
    site.write("index.html", page)
    run = site.fill("--check")
    assert (run.status, site.read().decode()) == (status, page)
    assert said in spaced(run.out)


def test_a_site_that_is_filled_in_passes_the_check(site: Site) -> None:
    site.write("index.html", "<img src=img/mug.jpg>")
    assert site.fill("--check").status == 1
    assert "1 changed" in site.fill().out
    assert site.fill("--check").status == 0
    assert "0 changed" in site.fill().out


def test_a_line_of_json_tells_each_pages_story(site: Site) -> None:
    site.write("a.html", "<img src=img/mug.jpg>\n<img src=x.png alt=y><img src=z.png>")
    site.write("b.html", b"<meta charset=utf-8>\xff")
    run = site.fill("--json")
    assert run.status == 1
    assert run.records == [
        {
            "file": "a.html",
            "changed": True,
            "error": None,
            "counts": {"filled": 1, "present": 1, "uncaptioned": 1},
            "images": [
                {
                    "line": 1,
                    "tag": "img",
                    "src": "img/mug.jpg",
                    "outcome": "filled",
                    "uri": "gs://local/img/mug.jpg",
                    "alt": "A mug",
                    "language": "en",
                },
                {
                    "line": 2,
                    "tag": "img",
                    "src": "z.png",
                    "outcome": "uncaptioned",
                    "uri": "gs://local/z.png",
                },
            ],
        },
        {
            "file": "b.html",
            "changed": False,
            "error": "is not utf-8 at byte 20; save it in the encoding that it declares",
            "counts": {},
            "images": [],
        },
    ]


def test_a_page_that_cannot_be_read_stops_no_other(site: Site) -> None:
    site.write("a.html", "<img src=img/mug.jpg>".encode("utf-16-le"))
    site.write("b.html", "<img src=img/mug.jpg>")
    run = site.fill()
    assert run.status == 1
    assert run.err.startswith("a.html has NUL characters")
    assert site.read("a.html") == "<img src=img/mug.jpg>".encode("utf-16-le")
    assert site.read("b.html") == b'<img alt="A mug" src=img/mug.jpg>'


def test_other_files_hidden_ones_and_links_are_left_alone(site: Site, tmp_path: Path) -> None:
    page = "<img src=/img/mug.jpg>"
    for path in ("a.HTM", "x.txt", "x.php", ".git/a.html", ".a.html"):
        site.write(path, page)
    (tmp_path / "outside.html").write_text(page)
    (site.folder / "link.html").symlink_to(tmp_path / "outside.html")
    assert "Pages 1, 1 changed" in spaced(site.fill().out)
    for path in ("x.txt", "x.php", ".git/a.html", ".a.html", "link.html"):
        assert site.read(path) == page.encode()
    assert b"A mug" in site.read("a.HTM")
    assert (site.folder / "link.html").is_symlink()


def test_a_page_keeps_its_mode_and_nothing_is_left_beside_it(site: Site) -> None:
    site.write("index.html", "<img src=img/mug.jpg>")
    (site.folder / "index.html").chmod(0o640)
    site.fill()
    assert (site.folder / "index.html").stat().st_mode & 0o777 == 0o640
    assert sorted(os.listdir(site.folder)) == [".captions", "index.html"]


def test_a_page_that_cannot_be_replaced_stays_whole(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*paths: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    site.write("index.html", "<img src=img/mug.jpg>")
    filled = HtmlPage("index.html", site.read(), ImageLocator(bucket="local"), "").fill(
        PublicCaptions(site.store)
    )
    error = files.replace(site.folder / "index.html", filled.before, filled.after)
    assert error == "cannot be written: No space left on device"
    assert site.read() == b"<img src=img/mug.jpg>"
    assert sorted(os.listdir(site.folder)) == [".captions", "index.html"]


def test_a_page_that_has_changed_meanwhile_is_not_overwritten(site: Site) -> None:
    site.write("index.html", "<img src=img/mug.jpg>")
    filled = HtmlPage("index.html", site.read(), ImageLocator(bucket="local"), "").fill(
        PublicCaptions(site.store)
    )
    site.write("index.html", "<p>new")
    assert "has changed meanwhile" in files.replace(
        site.folder / "index.html", filled.before, filled.after
    )
    assert site.read() == b"<p>new"


class Counting(SqliteCaptions):
    """A store that remembers what it was asked for."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.asked: list[list[str]] = []

    def read_many(self, keys: Iterable[str]) -> Mapping[str, Stored]:
        self.asked.append(list(keys))
        return super().read_many(self.asked[-1])


def test_each_image_is_read_once_and_hundreds_at_a_time(site: Site) -> None:
    store = Counting(database(site.folder))
    known, places = PublicCaptions(store), ImageLocator(bucket="local")
    for _ in range(2):
        text = "".join(f"<img src={n}.png><img src={n}.png>" for n in range(450))
        page = HtmlPage("index.html", text.encode(), places)
        known.load(page.objects)
        assert [len(keys) for keys in store.asked[:2]] == [300, 150]
        known.load(page.originals(known))
        page.fill(known)
    asked = [key for keys in store.asked for key in keys]
    assert len(asked) == len(set(asked))
    assert max(map(len, store.asked)) == 300


def test_a_page_that_shows_a_copy_gets_the_originals_words(site: Site) -> None:
    site.write(
        "index.html", "<img src=/img/mug-300x200.webp><img src='/_next/image?url=/img/mug.jpg&w=9'>"
    )
    assert site.fill().status == 0
    assert site.read().count(b'alt="A mug"') == 2


@pytest.mark.parametrize(
    ("local", "src"),
    [("site", "img/a.jpg"), ("site/img", "img/a.jpg"), (".", "img/a.jpg")],
)
def test_a_local_folder_in_or_around_the_site_needs_no_bucket(
    tmp_path: Path, local: str, src: str
) -> None:
    (tmp_path / "site/img").mkdir(parents=True)
    site = Site(tmp_path / "site")
    site.write("index.html", f"<img src={src}>")
    name = (tmp_path / "site/img/a.jpg").relative_to((tmp_path / local).resolve()).as_posix()
    Site(tmp_path / local).caption(name)
    run = captions("html", "site", "--local", local, where=tmp_path)
    assert run.status == 0, run.err
    assert site.read() == f'<img alt="A mug" src={src}>'.encode()


def test_relative_addresses_need_a_bucket(site: Site, tmp_path: Path) -> None:
    site.write("index.html", "<img src=img/mug.jpg>")
    (tmp_path / "elsewhere").mkdir()
    run = captions("html", "site", "--local", "elsewhere", where=tmp_path)
    assert run.status == 0
    assert "--bucket names the bucket" in run.err


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        (("--prefix", "x"), "name that with --bucket"),
        (("--site", "example.com"), "write https://"),
        (("--bucket", "gs://x"), "without gs://"),
        (("--lang", "english"), "is not a language tag"),
        ((), "has no .html or .htm files"),
    ],
)
def test_wrong_usage_ends_with_2_and_its_remedy(
    site: Site, options: tuple[str, ...], remedy: str
) -> None:
    if options:
        site.write("index.html", "<p>")
    run = site.fill(*options)
    assert run.status == 2
    assert remedy in run.err


def test_pages_are_filled_from_captions_of_uploads(stack: Stack, tmp_path: Path) -> None:
    stack.deliver(stack.put("www/img/mug.jpg", jpeg()))
    document = stack.document("www/img/mug.jpg")
    assert document
    folder = tmp_path / "public"
    folder.mkdir()
    absolute = f"https://storage.googleapis.com/{stack.bucket}/www/img/mug.jpg?x=1"
    page = f'<img src="img/mug.jpg"><img src="{absolute}"><img src="https://i.example/mug.jpg">'
    (folder / "index.html").write_text(page)
    options = ("--bucket", stack.bucket, "--prefix", "www")
    origins = f"https://i.example={stack.bucket}/www/img"
    run = captions("html", folder, *options, where=tmp_path, CAPTION_ORIGINS=origins)
    assert run.status == 0, run.err
    expected = page.replace("<img", f'<img alt="{document["alt_text"]}"')
    assert (folder / "index.html").read_text() == expected


def test_an_encoding_that_a_page_only_talks_about_is_not_its_own(site: Site) -> None:
    page = "<meta name=description content='write charset=koi8-r there'><p>naïve<img src=x.jpg>"
    site.caption("x.jpg", "déjà vu")
    site.write("index.html", page)
    assert site.fill().status == 0
    assert site.read().decode() == page.replace("<img", '<img alt="déjà vu"')


@pytest.mark.parametrize(
    ("page", "outcome", "alt"),
    [
        ("<img src=img/mug.jpg role=presentation>", "presentational", ""),
        ("<img src=img/mug.jpg role='None img'>", "presentational", ""),
        ("<a href=x><img src=img/mug.jpg role=none></a>", "hidden", None),
        ("<img src=img/mug.jpg aria-hidden=true>", "hidden", None),
        ("<p aria-hidden=TRUE><span><img src=img/mug.jpg></span></p>", "hidden", None),
        ("<p aria-hidden=false><img src=img/mug.jpg></p>", "filled", "A mug"),
        ("<img src=img/mug.jpg aria-label='My mug'>", "named", None),
        ("<img src=img/mug.jpg aria-labelledby='y x'><b id=x hidden>Mug</b>", "named", None),
        ("<img src=img/mug.jpg aria-labelledby=x><b id=x><img alt=Mug></b>", "named", None),
        ("<img src=img/mug.jpg aria-labelledby=x>", "filled", "A mug"),
        ("<img src=img/mug.jpg aria-labelledby=x><b id=x> </b>", "filled", "A mug"),
        ("<img src=img/mug.jpg title='My mug'>", "named", None),
        ("<img src=img/mug.jpg title=' '>", "filled", "A mug"),
        ("<input type=image aria-label=Go src=a>", "named", None),
        ("<input type=image title=Go src=a>", "named", None),
        ("<map><area href=x aria-label=There></map>", "named", None),
        ("<a href=x><img src=img/mug.jpg> Mugs</a>", "redundant", ""),
        ("<a href=x><b>Mugs</b><img src=other.jpg></a>", "redundant", ""),
        ("<a href=x aria-label=Mugs><img src=img/mug.jpg></a>", "redundant", ""),
        ("<button><img src=img/mug.jpg>Buy</button>", "redundant", ""),
        ("<span role=button><img src=img/mug.jpg>Buy</span>", "redundant", ""),
        ("<a href=x><img src=img/mug.jpg> → </a>", "filled", "A mug"),
        ("<a href=x><img src=img/mug.jpg><i hidden>Mugs</i></a>", "filled", "A mug"),
        ("<a href=x><img src=img/mug.jpg><i aria-hidden=true>Mugs</i></a>", "filled", "A mug"),
        ("<a name=x><img src=img/mug.jpg> Mugs</a>", "filled", "A mug"),
        ("<a href=shop/><img src=img/mug.jpg></a>", "functional", "Our mugs & more"),
        ("<a href='/shop/index.html?a#b'><img src=none.jpg></a>", "functional", "Our mugs & more"),
        ("<a href=/about><img src=img/mug.jpg></a>", "functional", "About us"),
        ("<a href=none/><img src=img/mug.jpg></a>", "filled", "A mug"),
        ("<a href=../../etc/x><img src=img/mug.jpg></a>", "filled", "A mug"),
        ("<a href=https://x.example/shop/><img src=img/mug.jpg></a>", "filled", "A mug"),
        ("<a href=img/mug.jpg><img src=img/mug.jpg></a>", "filled", "A mug"),
        ("<a href=shop/><img src=img/mug.jpg><img src=line.png></a>", "filled", "A mug"),
        ("<a href=none/><img src=line.png></a>", "nameless", None),
        ("<button><img src=line.png></button>", "nameless", None),
        ("<a href=shop/><img src=line.png></a>", "functional", "Our mugs & more"),
        ("<figure><img src=img/mug.jpg><figcaption>A MUG.</figcaption></figure>", "redundant", ""),
        (
            "<figure><img src=img/mug.jpg><figcaption>A mug, by Ann</figcaption></figure>",
            "redundant",
            "",
        ),
        (
            "<figure><img src=img/mug.jpg><figcaption>By Ann</figcaption></figure>",
            "filled",
            "A mug",
        ),
        (
            "<figure><a href=x><img src=img/mug.jpg></a><figcaption>A mug</figcaption></figure>",
            "filled",
            "A mug",
        ),
    ],
)
def test_what_stands_around_an_image_decides_what_it_gets(
    site: Site, page: str, outcome: str, alt: str | None
) -> None:
    site.caption("line.png", "", decorative=True)
    site.write("shop/index.html", "<title>Our mugs &amp;\n more</title>")
    site.write("about.html", "<title lang=en>About us</title>")
    site.write("index.html", page)
    (records,) = [each for each in site.fill("--json").records if each["file"] == "index.html"]
    (image, *_) = records["images"]
    assert (image["outcome"], image.get("alt")) == (outcome, alt)
    written = re.sub(' alt="[^"]*"', "", site.read().decode())
    assert written == page


def test_what_says_no_purpose_and_what_was_left_are_said_with_their_place(site: Site) -> None:
    site.write("index.html", "<p>\n<a href=x><img src=img/mug.jpg></a>\n<img src='{{ a }}'>")
    out = spaced(site.fill().out)
    assert "Say no purpose 1 in links: index.html:2" in out
    assert "Left alone 1 that a template writes: index.html:3" in out


def test_a_link_is_never_left_without_a_name(site: Site) -> None:
    site.caption("line.png", "", decorative=True)
    site.write("index.html", "<a href=x><img src=line.png></a>")
    run = site.fill("--check")
    assert run.status == 1
    assert "its link has no other name index.html:1" in spaced(run.out)
    assert site.fill().status == 0
    assert b"alt=" not in site.read()


def test_markdown_and_templates_are_filled_where_asked_for_and_told_where_not(site: Site) -> None:
    site.write("index.html", "<img src=/img/mug.jpg>")
    site.write("a.md", "# Mugs\n\n![](img/mug.jpg) ![](none.jpg)\n")
    site.write("b.jsx", "const a = <img src='/img/mug.jpg' />")
    run = site.fill()
    assert site.read("a.md") == b"# Mugs\n\n![](img/mug.jpg) ![](none.jpg)\n"
    assert "3 images without alt text in a.md (2), b.jsx (1); --sources fills" in run.err
    run = site.fill("--sources")
    assert site.read("a.md") == b"# Mugs\n\n![A mug](img/mug.jpg) ![](none.jpg)\n"
    assert "1 that a template writes: b.jsx:1" in spaced(run.out)
    assert site.fill("--sources", "--check").status == 1
    assert {"file": "b.jsx", "left": 1} in site.fill("--json").records

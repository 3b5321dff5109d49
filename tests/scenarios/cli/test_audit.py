"""``captions audit``: pages with alt text of all kinds, and what is said of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from werkzeug import Request, Response

from functions.adapters.folder import database
from functions.adapters.sqlite import SqliteCaptions
from functions.sites.audit import RULES
from tests.support.command_line import Ran, captions
from tests.support.lookups import MUG
from tests.support.serving_http import served

GOOD = "A blue mug on a wooden counter"
LONG = (
    "A blue mug on a wooden counter beside a kettle that has just boiled, in front of a window "
    "through which one sees three apple trees in bloom, a shed, a red bicycle, a sleeping dog and, "
    "far away, a village"
)


class Site:
    """A folder of pages, and the captions of their images."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, page: str, path: str = "index.html") -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(page)

    def audit(self, *options: str) -> Ran:
        run = captions("audit", ".", *options, where=self.folder)
        assert "Traceback" not in run.err, run.err
        return run

    def faults(self, page: str, *options: str) -> list[Any]:
        self.write(page)
        (record,) = self.audit("--json", *options).records
        return list(record["faults"])


@pytest.fixture
def site(tmp_path: Path) -> Site:
    folder = tmp_path / "site"
    folder.mkdir()
    return Site(folder)


@pytest.mark.parametrize(
    ("page", "codes"),
    [
        (f"<img src=a.jpg alt='{GOOD}'>", []),
        ("<img src=a.jpg>", ["missing_alt"]),
        ("<input type=image src=a><map><area href=x></map>", ["missing_alt", "missing_alt"]),
        ("<img src=a.jpg alt=''>", []),
        ("<img src=a.jpg title=Mug><img src=a aria-label=Mug><img role=none src=a>", []),
        ("<p aria-hidden=true><img src=a.jpg></p>", []),
        ("<img src=a.jpg alt='{{ alt }}'><img src=b.jpg {{ attributes }}>", []),
        ("<img src=a.jpg alt=IMG_1234.JPG>", ["file_name"]),
        ("<img src=/x/hero_bg-2.png alt=hero_bg-2>", ["file_name"]),
        ("<img src=/x/mug.png alt=mug><img src=/x/4.png alt=4>", []),
        ("<img src=a.jpg alt=photo>", ["placeholder"]),
        ("<img src=a.jpg alt='Image of a mug'>", ["redundant_prefix"]),
        ("<img src=a.jpg alt=\"I'm sorry, I can't describe this image.\">", ["refusal"]),
        (f"<img src=a.jpg alt='{LONG} '>", ["over_length"]),
        ("<img src=a.jpg alt='A &lt;b>blue&lt;/b> mug'>", ["markup"]),
        ("<img src=a.jpg alt='NASA'>", []),
        ("<a href=x><img src=a.jpg alt=''></a>", ["nameless_link"]),
        ("<button><img src=a.jpg alt=' '></button>", ["nameless_link"]),
        ("<a href=x><img src=a.jpg alt=''>Mugs</a>", []),
        ("<a href=x title=Mugs><img src=a.jpg alt=''></a>", []),
        ("<a href=x><img src=a.jpg alt='Mugs!'> mugs</a>", ["repeats_text"]),
        (
            f"<figure><img src=a.jpg alt='{GOOD}'><figcaption>{GOOD}.</figcaption></figure>",
            ["repeats_text"],
        ),
        (
            f"<img src=a.jpg alt='{GOOD}'><img src=b.jpg alt='{GOOD.upper()}'>",
            ["same_text", "shouting"],
        ),
        ("<video src=a.mp4></video>", ["no_track", "unnamed_video"]),
        ("<video src=a.mp4 aria-label=Mugs><track src=a.vtt></video>", []),
        ("<video src=a.mp4 muted autoplay title=Mugs></video>", []),
        ("<p aria-hidden=true><video src=a.mp4></video></p>", []),
        ("<video src=a.mp4 role=presentation></video>", []),
        (f"<img src=a.jpg alt='{GOOD}'><img src=a-300x200.webp alt='{GOOD}'>", []),
        (f"<a href=x><img src=a alt='{GOOD}'></a><a href=y><img src=b alt='{GOOD}'></a>", []),
    ],
)
def test_what_is_wrong_with_a_text_or_its_place_is_said(
    site: Site, page: str, codes: list[str]
) -> None:
    assert sorted(fault["code"] for fault in site.faults(page)) == codes


def test_the_same_text_is_told_across_pages(site: Site) -> None:
    site.write(f"<img src=img/a.jpg alt='{GOOD}'>", "a.html")
    site.write(f"<img src=../img/a.jpg alt='{GOOD}'>\n<img src=b.jpg alt='{GOOD}'>", "sub/b.html")
    first, second = site.audit("--json").records
    assert first["faults"] == []
    (fault,) = second["faults"]
    assert (fault["code"], fault["line"], fault["column"]) == ("same_text", 2, 1)
    assert "a.html:1" in fault["message"]


def test_a_line_of_json_has_all_that_is_known(site: Site) -> None:
    assert site.faults("\n <img src=b.jpg alt='Image of a mug'>") == [
        {
            "level": "warning",
            "line": 2,
            "column": 2,
            "src": "b.jpg",
            "code": "redundant_prefix",
            "alt": "Image of a mug",
            "message": site.faults("<img src=b.jpg alt='Image of a mug'>")[0]["message"],
            "fix": "A mug",
            "suggestion": "",
        }
    ]


def test_where_the_caption_is_known_it_is_the_suggestion(site: Site) -> None:
    store = SqliteCaptions(database(site.folder))
    store.create(replace(MUG, name="a.jpg", alt_text=GOOD))
    store.create(replace(MUG, name="line.png", alt_text="", decorative=True))
    page = "<img src=a.jpg alt=a_1.jpg><img src=a.jpg alt=''><img src=line.png alt=''>"
    page += (
        "<img src=a.jpg><figure><img src=a.jpg alt=''><figcaption>"
        + GOOD
        + "</figcaption></figure>"
    )

    faults = site.faults(page, "--local", ".")

    assert [(each["code"], each["suggestion"]) for each in faults] == [
        ("file_name", GOOD),
        ("unmentioned", GOOD),
        ("missing_alt", GOOD),
    ]


def test_what_needs_no_thought_is_mended_and_no_other_byte_changes(site: Site) -> None:
    store = SqliteCaptions(database(site.folder))
    store.create(replace(MUG, name="a.jpg", alt_text='A "blue" mug'))
    page = (
        "<p>é<IMG ALT = 'Image of a mug' src=x>\r\n<a href=x><img alt=Mugs src=y> Mugs</a>"
        "<img src=a.jpg alt=a_1.jpg><img title='alt=1' src=z alt=\"photo\"><img src=q>"
    )
    site.write(page)
    assert site.audit("--fix", "--local", ".").status == 1
    assert (site.folder / "index.html").read_bytes().decode() == (
        '<p>é<IMG alt="A mug" src=x>\r\n<a href=x><img alt="" src=y> Mugs</a>'
        '<img src=a.jpg alt="A &quot;blue&quot; mug">'
        "<img title='alt=1' src=z alt=\"photo\"><img src=q>"
    )


@pytest.mark.parametrize(
    ("page", "options", "status"),
    [
        (f"<img src=a.jpg alt='{GOOD}'>", (), 0),
        ("<img src=a.jpg>", (), 1),
        ("<img src=a.jpg alt=photo>", (), 1),
        ("<img src=a.jpg alt=photo>", ("--fail-on", "error"), 0),
        ("<img src=a.jpg alt='A  mug'>", (), 0),
        ("<img src=a.jpg alt='A  mug'>", ("--fail-on", "note"), 1),
    ],
)
def test_the_exit_status_is_for_builds(
    site: Site, page: str, options: tuple[str, ...], status: int
) -> None:
    site.write(page)
    assert site.audit(*options).status == status


def test_code_hosts_get_their_own_form(site: Site) -> None:
    site.write("<img src=a.jpg alt=photo>", "a b/é.html")
    site.write("<meta charset=utf-8>", "bad.html")
    (site.folder / "bad.html").write_bytes(b"<meta charset=utf-8>\xff")
    run = site.audit("--sarif", "-")
    assert run.status == 1
    log = json.loads(run.out)
    (only,) = log["runs"]
    rules = only["tool"]["driver"]["rules"]
    assert [each["id"] for each in rules] == list(RULES)
    (result,) = only["results"]
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == "placeholder"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20b/%C3%A9.html"
    assert place["region"] == {"startLine": 1, "startColumn": 1}
    assert only["invocations"][0]["executionSuccessful"] is False
    site.audit("--sarif", "out.sarif")
    assert json.loads((site.folder / "out.sarif").read_text())["version"] == "2.1.0"


def test_published_pages_are_read_by_their_addresses(site: Site) -> None:
    def pages(request: Request) -> Response:
        if request.path == "/a.html":
            return Response("<img src=a.jpg>", content_type="text/html")
        return Response("no", 404 if request.path == "/no" else 200, content_type="text/plain")

    with served(pages) as url:
        (site.folder / "list.txt").write_text(f"{url}/a.html\n{url}/no\n{url}/text\nftp://x/\n")
        run = captions("audit", "list.txt", "--json", where=site.folder)
        assert run.status == 1
        assert [each["file"] for each in run.records][:2] == [f"{url}/a.html", f"{url}/no"]
        assert [each["code"] for each in run.records[0]["faults"]] == ["missing_alt"]
        for record, why in zip(run.records[1:], ("404", "no page", "no address"), strict=True):
            assert why in record["error"]
        single = captions("audit", f"{url}/a.html", "--fix", where=site.folder)
        assert (single.status, "name a folder" in single.err) == (2, True)


def test_what_is_no_site_is_wrong_usage(site: Site) -> None:
    for target in ("none.html", "."):
        run = captions("audit", target, where=site.folder)
        assert (run.status, "Traceback" in run.err) == (2, False)

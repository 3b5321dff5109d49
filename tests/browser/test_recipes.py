"""The recipes that docs/static-sites.md prints, run by the engines they are for."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.websites import Website

DOCS = Path(__file__).parents[2] / "docs"
HOSTILE = (
    "\"><script>alert(1)</script><img src=x onerror=alert(1)> 'x' & &quot; "
    "{{ 7 * 7 }} {% raw %} `${x}`"
)
_ENGINES = {
    "njk": (
        "/files/nunjucks/browser/nunjucks.js",
        "([source, data]) => new nunjucks.Environment([], {autoescape: false})"
        ".renderString(source, data)",
    ),
    "liquid": (
        "/files/liquidjs/dist/liquid.browser.umd.js",
        "([source, data]) => new liquidjs.Liquid().parseAndRender(source, data)",
    ),
}
# What a page has from this text: nothing but images, and the alt text of each.
_SEEN = """(text) => {
  const body = new DOMParser().parseFromString(text, "text/html").body;
  return [...body.querySelectorAll("*")].map((each) => [each.localName, each.getAttribute("alt")]);
}"""


def recipe(kind: str) -> str:
    found = re.findall(rf"```{kind}\n(.*?)```", (DOCS / "static-sites.md").read_text(), re.S)
    assert len(found) == 1
    return str(found[0])


def test_every_recipe_of_a_template_engine_is_run_here() -> None:
    kinds = set(re.findall(r"^```([\w-]+)", (DOCS / "static-sites.md").read_text(), re.M))
    assert kinds == {"console", "python", "go-html-template", *_ENGINES}


@pytest.mark.parametrize("engine", _ENGINES)
@pytest.mark.parametrize(
    ("name", "alt"), [("mug.jpg", HOSTILE), ("line.png", ""), ("no.png", None)]
)
def test_hostile_words_stay_words_where_nothing_escapes_by_itself(
    guests: Website, page: Page, engine: str, name: str, alt: str | None
) -> None:
    address, render = _ENGINES[engine]
    guests.open(page, "")
    page.add_script_tag(url=guests.site.url + address)
    data = {"name": name, "alt": {"mug.jpg": HOSTILE, "line.png": ""}}
    text = page.evaluate(render, [recipe(engine), data])
    assert page.evaluate(_SEEN, text) == [["img", alt]]


def test_hostile_words_stay_words_in_hugo(page: Page, tmp_path: Path) -> None:
    (tmp_path / "layouts").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "hugo.toml").write_text('baseURL = "http://localhost/"\n')
    names = ("mug.jpg", "line.png", "no.png")
    listed = " ".join(f'"{name}"' for name in names)
    template = f"{{{{ range $name := slice {listed} }}}}{recipe('go-html-template')}{{{{ end }}}}"
    (tmp_path / "layouts/index.html").write_text(template)
    (tmp_path / "data/alt.json").write_text(json.dumps({"mug.jpg": HOSTILE, "line.png": ""}))
    program = Path(sys.executable).with_name("hugo")
    subprocess.run([program, "--quiet"], cwd=tmp_path, check=True, timeout=60)
    text = (tmp_path / "public/index.html").read_text()
    assert page.evaluate(_SEEN, text) == [["img", HOSTILE], ["img", ""], ["img", None]]

"""Alt text in templates, as a filter of Jinja2."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import jinja2
import pytest

from functions.adapters.folder import database
from functions.adapters.sqlite import SqliteCaptions
from functions.core.document import Review
from functions.core.errors import ConfigurationError
from functions.sites.jinja import AltText
from tests.support.command_line import ROOT
from tests.support.documents import plain_document
from tests.support.pictures import jpeg
from tests.support.stack import Stack

NOW = datetime(2026, 11, 23, tzinfo=UTC)
PAGE = '<img src="{{ src }}"{{ src | alt(lang) }}>'


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SqliteCaptions:
    monkeypatch.setenv("CAPTION_LOCAL", str(tmp_path))
    made = SqliteCaptions(database(tmp_path))
    plain = plain_document(at=NOW, bucket="local", language="en")
    french = {"fr": {"alt_text": "L'« été » & <b>", "caption": ""}}
    made.create(replace(plain, alt_text='A "blue" mug', translations=french))
    made.create(replace(plain, name="line.png", decorative=True))
    made.create(replace(plain, name="new.jpg", alt_text="New", review=Review(needed=True)))
    return made


def rendered(alt_text: AltText, src: str, lang: str = "", autoescape: bool = True) -> str:
    env = jinja2.Environment(autoescape=autoescape)  # noqa: S701
    env.filters["alt"] = alt_text.attribute
    return env.from_string(PAGE).render(src=src, lang=lang)


@pytest.mark.parametrize("autoescape", [True, False])
def test_an_image_gets_its_words_escaped_once(store: SqliteCaptions, autoescape: bool) -> None:
    filled = rendered(AltText.open("local"), "/mug.jpg", autoescape=autoescape)
    assert filled == '<img src="/mug.jpg" alt="A &quot;blue&quot; mug">'


def test_words_are_in_the_readers_language(store: SqliteCaptions) -> None:
    filled = rendered(AltText.open("local"), "mug.jpg", "fr-CA")
    assert filled == '<img src="mug.jpg" alt="L\'« été » &amp; &lt;b&gt;">'


def test_decoration_has_an_empty_alt_and_the_unknown_has_none(store: SqliteCaptions) -> None:
    alt_text = AltText.open("local")
    assert rendered(alt_text, "line.png") == '<img src="line.png" alt="">'
    assert rendered(alt_text, "other.png") == '<img src="other.png">'
    assert (alt_text.of("line.png"), alt_text.of("other.png")) == ("", None)


def test_plain_words_are_escaped_by_the_engine(store: SqliteCaptions) -> None:
    env = jinja2.Environment(autoescape=True)
    env.filters["alt"] = AltText.open("local").of
    filled = env.from_string('<img alt="{{ src | alt }}">').render(src="mug.jpg")
    assert filled == '<img alt="A &#34;blue&#34; mug">'


def test_words_that_wait_for_a_review_can_be_withheld(
    store: SqliteCaptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert AltText.open("local").of("new.jpg") == "New"
    monkeypatch.setenv("CAPTION_UNREVIEWED", "withhold")
    assert AltText.open("local").of("new.jpg") is None


def test_addresses_of_the_site_and_of_a_cdn_are_known(
    store: SqliteCaptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPTION_ORIGINS", "https://cdn.example=local")
    alt_text = AltText.open("local", site="https://www.example.com")
    for src in (
        "https://www.example.com/mug.jpg",
        "//cdn.example/mug.jpg?w=1",
        "gs://local/mug.jpg",
    ):
        assert alt_text.of(src) == 'A "blue" mug'
    assert alt_text.of("https://elsewhere.example/mug.jpg") is None
    assert AltText.open().of("mug.jpg") is None


def test_a_template_without_a_picture_prints_nothing(store: SqliteCaptions) -> None:
    env = jinja2.Environment(autoescape=True)
    env.filters["alt"] = AltText.open("local").attribute
    for printed in ("none", "missing", "''", "3"):
        assert env.from_string(f"<img{{{{ {printed} | alt }}}}>").render() == "<img>"
    words = "<img{{ 'mug.jpg' | alt(none) }}>"
    assert env.from_string(words).render() == '<img alt="A &quot;blue&quot; mug">'


def test_a_wrong_site_is_named(store: SqliteCaptions) -> None:
    with pytest.raises(ConfigurationError, match="write https://"):
        AltText.open("local", site="www.example.com")


def test_what_was_uploaded_is_found(stack: Stack) -> None:
    stack.deliver(stack.put("img/mug.jpg", jpeg()))
    document = stack.document("img/mug.jpg")
    assert document
    alt_text = AltText.open(stack.bucket, prefix="img")
    assert alt_text.of("mug.jpg") == alt_text.of(document["uri"]) == document["alt_text"]


def test_templates_need_no_parser_of_pages() -> None:
    program = "import sys; sys.modules['justhtml'] = None; import functions.sites.jinja"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)

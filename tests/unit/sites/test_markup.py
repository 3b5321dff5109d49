"""Where alt text is put into pages: only into images, and nothing else changes."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from functions.sites import markup
from functions.sites.attributes import attribute, one_line
from tests.support.pages import HOSTILE, WORDS, another_parsers_tree, filled, tree

ATTRIBUTE = f' alt="{WORDS}"'
IMAGES = ["<img>", "<img src=a.png>", "<IMG\n/>", "<img title='>' "]
PIECES = [
    *IMAGES * 3,
    *("<img", "<IMG", "<img/", "<image", "<area", "<input type=image", "<picture>", "<source"),
    *(" src=a.png", " src='a b.png'", ' title="a > b"', " alt", " ALT=''", " data-alt=1", " x='"),
    *(">", "/>", " ", "\n", "\r\n", "\t", "=", "'", '"', "<", "</", "<!", "<!--", "-->", "--!>"),
    *("<script>", "</script>", "<style>", "</style>", "<title>", "</title>", "<xmp>", "</xmp>"),
    *("<textarea>", "</textarea>", "<noscript>", "</noscript>", "<iframe>", "</iframe>", "<head>"),
    *("<svg>", "</svg>", "<desc>", "</desc>", "<foreignObject>", "</foreignObject>", "<math>"),
    *("<mi>", "</math>", "<![CDATA[", "]]>", "<table>", "<tr>", "</table>", "<select>", "<b>"),
    *(
        "</b>",
        "<p>",
        "</p>",
        "<a href=x>",
        "</a>",
        "<plaintext>",
        "<frameset>",
        "<body>",
        "<?",
        "?>",
    ),
    *("{{", "}}", "{%", "%}", "&lt;", "&amp", "é", "😀", "\x00", "text", "\ufeff"),
]
SOUP = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=40).map("".join)
WITH_TEMPLATES = st.lists(st.sampled_from([*PIECES, "<template>", "</template>"]), max_size=40).map(
    "".join
)


@pytest.mark.parametrize("text", HOSTILE)
def test_alt_text_is_put_after_the_name_of_each_image_and_nowhere_else(text: str) -> None:
    after = filled(text)
    assert after.replace(ATTRIBUTE, "") == text
    assert after.count(ATTRIBUTE) == len(HOSTILE[text])
    end = 0
    for before in HOSTILE[text]:
        end = after.index(before + ATTRIBUTE, end) + len(before + ATTRIBUTE)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_has_been_filled_in_is_not_filled_in_again(text: str) -> None:
    once = filled(text)
    assert filled(once, "other words") == once


@given(SOUP)
@example("<svg><title><![CDATA[</title><img>]]><img>")
def test_another_parser_sees_no_change_but_alt_on_images(text: str) -> None:
    text = text.replace(WORDS, "")
    after = filled(text)
    assert after.replace(ATTRIBUTE, "") == text
    assert another_parsers_tree(after, WORDS) == another_parsers_tree(text, WORDS)


@given(WITH_TEMPLATES)
def test_browsers_with_and_without_scripts_see_no_change_but_alt_on_images(text: str) -> None:
    after = filled(text)
    for scripting in (True, False):
        assert tree(after, WORDS, scripting) == tree(text, WORDS, scripting)


@given(st.text())
def test_words_stay_the_same_through_an_attribute(words: str) -> None:
    line = one_line(words)
    image = LexborHTMLParser(f"<img{attribute(line)}>").css_first("img")
    assert image
    assert image.attributes == {"alt": line}


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ('"Blue" & <b>bold</b>', "&quot;Blue&quot; &amp; &lt;b&gt;bold&lt;/b&gt;"),
        ("l'été &amp; it's", "l'été &amp;amp; it's"),
        ("a {{ config }} {% raw %} ${x}", "a &#123;&#123; config }} &#123;% raw %} $&#123;x}"),
    ],
)
def test_words_are_never_markup_nor_a_templates_code(words: str, written: str) -> None:
    assert attribute(words) == f' alt="{written}"'


def test_line_ends_and_controls_in_words_become_spaces() -> None:
    assert one_line(" a\r\nb\tc\0\x7fd\u2028e f\u00a0! ") == "a b c d e f\u00a0!"


@pytest.mark.parametrize(
    ("tag", "addresses"),
    [
        ("<img src=' a.png '>", ("a.png",)),
        ("<img srcset='a.png 1x, b.png 2x'>", ("a.png", "b.png")),
        (
            "<img src=a.png srcset='a.png, b,c.png 100w,,d.png'>",
            ("a.png", "a.png", "b,c.png", "d.png"),
        ),
        ("<img src=blank.gif data-src=a.png>", ("a.png",)),
        ("<img src=blank.gif data-srcset='a.png 1x'>", ("a.png",)),
        ("<img src=blank.gif data-lazy-src=a.png>", ("a.png",)),
        ("<img src=blank.gif data-original=a.png>", ("a.png",)),
        ("<img src=blank.gif data-echo=a.png>", ("a.png",)),
        ("<img src=blank.gif data-lazy-srcset='a.png 1x,b.png 2x'>", ("a.png", "b.png")),
        (
            "<picture><source data-srcset='a.webp 1x'><img src=blank.gif></picture>",
            ("a.webp",),
        ),
        ("<img srcset=',, a.png 1x (b, c),d.png'>", ("a.png", "d.png")),
        ("<img src=''>", ()),
        ("<video src=a.mp4 poster=p.jpg></video>", ("a.mp4", "p.jpg")),
        (
            "<video poster=p.jpg><source src=a.webm><p><source src=x></p><source src=b></video>",
            ("a.webm", "b", "p.jpg"),
        ),
        ("<video data-src=a.mp4 data-poster=p.jpg></video>", ("a.mp4", "p.jpg")),
        ("<video></video>", ()),
        ("<picture><source srcset='a.webp 1x'><img src=a.jpg></picture>", ("a.jpg", "a.webp")),
        ("<img src='a&amp;b.png'>", ("a&b.png",)),
    ],
)
def test_an_image_is_known_by_every_address_of_it(tag: str, addresses: tuple[str, ...]) -> None:
    assert markup.read(tag).images[0].addresses == addresses


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("<img>", ""),
        ("<html lang=fr><img>", "fr"),
        ("<html lang=fr><div lang='de-AT'><p><img>", "de-AT"),
        ("<html lang=fr><img lang=en>", "en"),
        ("<html lang=fr><div lang=''><img>", ""),
        ("<html lang=fr><p lang=de></p><img>", "fr"),
        ("<html lang=fr><template><img></template>", "fr"),
        ("<html lang=fr><noscript><img></noscript>", "fr"),
    ],
)
def test_the_nearest_lang_attribute_counts(text: str, language: str) -> None:
    assert markup.read(text).images[0].language == language


def test_areas_that_lead_somewhere_and_image_buttons_are_found() -> None:
    text = "<map><area><area href=x></map><input type=text><input type=IMAGE src=a><input>"
    assert [(each.tag, each.has_alt) for each in markup.read(text).images] == [
        ("area", False),
        ("input", False),
    ]


@pytest.mark.parametrize(
    ("video", "trackless"),
    [
        ("<video src=a></video>", True),
        ("<video src=a><track kind=captions src=c></video>", False),
        ("<video src=a><track src=c></video>", False),
        ("<video src=a><track kind=metadata src=c><track kind=chapters src=d></video>", True),
        ("<video src=a muted autoplay loop></video>", False),
        ("<video src=a muted controls></video>", True),
    ],
)
def test_a_video_that_can_be_heard_without_captions_is_known(video: str, trackless: bool) -> None:
    (found,) = markup.read(video).images
    assert (found.tag, found.trackless) == ("video", trackless)


def test_the_first_base_element_with_an_address_counts() -> None:
    text = "<base target=x><base href=/a/><base href=/b/><img>"
    assert markup.read(text).base == "/a/"

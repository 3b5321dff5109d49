"""Markdown and templates: what is filled in them, and what is told instead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from functions.sites import markdown, markup
from functions.sites.sources import form

WORDS = "A *blue* mug [1] {x} <b> `c` \\ $y$ & _z_ ~ | {{ x }} {% y %}"


def filled(path: str, text: str, words: str = "W") -> str:
    kind = form(path)
    wanted = [each for each in kind.read(text).images if not each.has_alt and not each.templated]
    return markup.insert(text, [(each.insert, kind.write(words)) for each in wanted])


def left(path: str, text: str) -> int:
    return sum(each.templated for each in form(path).read(text).images)


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("![](a.jpg)", "![W](a.jpg)"),
        (
            "x ![](a.jpg 'title') ![has](b.jpg)\n![](<a b.jpg>)",
            "x ![W](a.jpg 'title') ![has](b.jpg)\n![W](<a b.jpg>)",
        ),
        ("- [![](a.jpg)](x)\n> ![](b.jpg)", "- [![W](a.jpg)](x)\n> ![W](b.jpg)"),
        ("| a |\n|---|\n| ![](a.jpg) |", "| a |\n|---|\n| ![W](a.jpg) |"),
        ("---\ntitle: '![](a.jpg)'\n---\n![](b.jpg)", "---\ntitle: '![](a.jpg)'\n---\n![W](b.jpg)"),
        ("`![](a.jpg)` ![](b.jpg)", "`![](a.jpg)` ![W](b.jpg)"),
        ("```\n![](a.jpg)\n```\n\n    ![](b.jpg)\n", None),
        ("<!-- ![](a.jpg) -->\n\n\\![](a.jpg) ![]( a", None),
        ("![]({{ x }}/a.jpg)", None),
        ("é\r\n![](a.jpg)\r\n", "é\r\n![W](a.jpg)\r\n"),
    ],
)
def test_an_image_of_markdown_is_filled_where_a_parser_sees_one(
    text: str, after: str | None
) -> None:
    for path in ("a.md", "b.MDX", "c.markdown"):
        assert filled(path, text) == (after or text)


def test_words_are_no_markdown() -> None:
    (paragraph,) = (
        each for each in MarkdownIt().parse(filled("a.md", "![](a.jpg)", WORDS)) if each.children
    )
    (image,) = paragraph.children or []
    assert (image.type, image.content.replace("\\", "")) == ("image", WORDS.replace("\\", ""))
    assert MarkdownIt().render(filled("a.md", "![](a.jpg)", "{{ a }}<b>")) == (
        '<p><img src="a.jpg" alt="{{ a }}&lt;b&gt;" /></p>\n'
    )
    assert "{{" not in filled("a.md", "![](a.jpg)", "{{ a }}")


PIECES = [
    "![](a)",
    "![",
    "](",
    ")",
    "`",
    "```\n",
    "\n",
    "> ",
    "- ",
    "    ",
    "<!--",
    "-->",
    "[",
    "]",
]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=25).map("".join))
def test_nothing_but_alt_text_changes_in_markdown(text: str) -> None:
    def shape(source: str) -> list[tuple[str, str]]:
        tokens = list(markdown._tokens(source))
        return [
            (each.type, str(each.attrs.get("src", ""))) for each in tokens if each.type == "image"
        ]

    after = filled("a.md", text, "W")
    assert after.replace("![W](", "![](") == text.replace("![W](", "![](")
    assert shape(after) == shape(text)


@pytest.mark.parametrize(
    ("path", "text", "after", "told"),
    [
        ("a.vue", "<template><MyX/><img src=/a.jpg><img :src=b></template>", 1, 1),
        ("a.vue", "<template><img src=/a.jpg v-bind=x></template>", 0, 1),
        (
            "a.vue",
            "<script>const a = '<img src=a>'</script><template><img src=/a></template>",
            1,
            1,
        ),
        ("a.svelte", "{#if x}<img src=/a.jpg>{/if}<img src={a}><img {...p} src=/b>", 1, 2),
        ("a.svelte", "{@html \"<img src='/a.jpg'>\"}<img src='/b.jpg'>", 1, 1),
        ("a.svelte", "<style>a{b:c}</style><img src='/b.jpg'>", 1, 0),
        ("a.astro", "---\nconst a = '<img src=a>'\n---\n<img src=/a.jpg>{x && <img src=/b>}", 1, 2),
        ("a.jsx", "const a = <img src='/a.jpg' />; const b = \"<img src='/b'>\"", 0, 2),
        ("a.tsx", "<img src={a} alt={b} /><img src='/a' alt='x'/>", 0, 0),
        ("a.php", "<?php if ($a > 1): ?><img src='/a.jpg'><?php echo '<img src=b>'; ?>", 1, 1),
        ("a.liquid", "{% if a %}<img src='/a.jpg'><img src='{{ b }}'>{% endif %}", 1, 1),
        ("a.njk", "{# <img src=a> #}<img src='/a.jpg'>", 1, 1),
        (
            "a.xhtml",
            "<?xml version='1.0'?><html><script src='a'/><img src='/a.jpg' /></html>",
            0,
            1,
        ),
        ("a.xhtml", "<html xmlns='x'><p><img src='/a.jpg' /><br/></p></html>", 1, 0),
        ("a.erb", "<img src='<%= a %>'><img src='/a'>", 0, 2),
    ],
)
def test_a_template_is_filled_where_that_is_safe_and_the_rest_is_told(
    path: str, text: str, after: int, told: int
) -> None:
    assert filled(path, text).count(' alt="W"') == after
    assert filled(path, text).replace(' alt="W"', "") == text
    assert left(path, text) == told

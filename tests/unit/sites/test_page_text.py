"""What a page says around an image: which text belongs to which place."""

from __future__ import annotations

import random

import pytest

from functions.core.page_place import PagePlace
from functions.sites import markup

IMG = '<img src="mug.jpg">'


def places(page: str) -> list[PagePlace | None]:
    """Those of the images without ``alt``, in their order."""
    found = markup.read(page, around=True)
    assert found.text
    text = found.text
    return [text.place(each.start, each.context, "en") for each in found.images if not each.has_alt]


def place(page: str) -> PagePlace:
    (found,) = places(page)
    assert found
    return found


@pytest.mark.parametrize(
    ("page", "heading", "before", "after"),
    [
        (f"<h1>A</h1><p>b</p>{IMG}<p>c</p>", "A", "b", "c"),
        (f"<h1>A</h1><p>b {IMG} c</p>", "A", "b", "c"),
        (f"<h1>A</h1><p>b</p><h2>C</h2>{IMG}<p>d</p>", "C", "", "d"),
        (f"<h1>A</h1><p>b</p>{IMG}<h2>C</h2><p>d</p>", "A", "b", ""),
        (f"<article>{IMG}<h1>A</h1><p>b</p></article>", "A", "", "b"),
        (f"<header><h1>A</h1></header><div><p>b</p>{IMG}</div>", "A", "b", ""),
        (f"<div class=t><h2>A</h2></div><div>{IMG}<p>b</p></div>", "A", "", "b"),
        (f"<main><h1>A</h1><div><p>b</p>{IMG}<h2>C</h2></div></main>", "A", "b", ""),
        (f"<h2>A</h2><section><h3>B</h3><p>b</p></section>{IMG}", "A", "b", ""),
        (f"<h2>A</h2><ul><li><h3>B</h3>{IMG}</li><li>{IMG}</li></ul>", "B", "", ""),
        (f"<h1>A</h1><ol><li>{IMG}<p>b</p></li><li><p>c</p></li></ol>", "A", "", "b"),
        (f"<h1>A</h1><nav>Home</nav>{IMG}<script>var s</script><p hidden>x</p>", "A", "", ""),
        (f"<h1>A</h1><p>{{{{ b }}}}</p>{IMG}<p>– · –</p><p>c</p>", "A", "", "c"),
        (f"<h1>A</h1><figure>{IMG}</figure><figure><img alt><figcaption>x</figcaption></figure>",
         "A", "", ""),
        (f"<h1>A</h1><table><tr><td>b<td>{IMG} c</table>", "A", "", "c"),
    ],
)  # fmt: skip
def test_the_nearest_text_of_its_own_part_belongs_to_an_image(
    page: str, heading: str, before: str, after: str
) -> None:
    found = places(page)[0]
    assert found
    assert (found.heading, found.before, found.after) == (heading, before, after)


def test_the_text_of_a_card_is_its_own_wherever_it_stands() -> None:
    cards = [
        f"<div><div>{IMG}</div><h3>H{number}</h3><p>P{number}</p></div>" for number in range(8)
    ]
    cards[3] = f"<div><p>P3</p><h3>H3</h3>{IMG}</div>"
    cards[5] = f"<div>{IMG}<p>P5</p></div>"
    cards[6] = f"<div>{IMG}</div>"
    plain = {each.key for each in places(f"<h2>T</h2><p>i</p>{''.join(cards)}") if each}
    for seed in range(5):
        random.Random(seed).shuffle(cards)
        shuffled = places(f"<h2>T</h2><p>i</p>{''.join(cards)}")
        assert {each.key for each in shuffled if each} == plain


def test_title_caption_and_link_are_told() -> None:
    found = place(
        '<html lang="fr-ca"><title> Mugs \n shop</title><figure>'
        f'<a href="/mugs/1?session=7#top">{IMG}</a><figcaption>Blue <b>mug</b></figcaption>'
        '</figure><p><a href="/mugs/1?session=7#top">More</a>'
        '<a href="/mugs/1?session=7#top">The mug</a></p>'
    )
    assert (found.language, found.title, found.figcaption) == ("fr-CA", "Mugs shop", "Blue mug")
    assert (found.link, found.link_text, found.names_link) == ("/mugs/1", "The mug", True)


@pytest.mark.parametrize(
    ("href", "told"),
    [
        ("https://user:secret@shop.example/a?b#c", "shop.example/a"),
        ("mailto:ann@example.com", ""),
        ("javascript:alert(1)", ""),
        ("http://[", ""),
        ("#", ""),
    ],
)
def test_of_a_links_address_only_what_everybody_may_see_is_told(href: str, told: str) -> None:
    assert place(f'<p>Text</p><a href="{href}">{IMG}</a>').link == told


def test_a_page_that_says_nothing_has_no_places() -> None:
    assert places(f"<title></title>{IMG}<p>…</p>") == [None]


def test_what_is_told_is_bounded_and_is_what_is_nearest() -> None:
    words = " ".join(f"w{number}" for number in range(2_000))
    found = place(
        f"<title>{words}</title><h1>{words}</h1><p>{words}</p><figure><a href=/{words[:900]}>{IMG}"
        f"</a><figcaption>{words}</figcaption></figure><p>{words}</p>"
    )
    assert found.before.endswith("w1998 w1999")
    assert found.after.startswith("w0 w1 ")
    assert all(len(text) <= 400 for text in found.texts.values())
    assert sum(map(len, found.texts.values())) < 2_000


def test_a_deep_and_wide_page_is_read_in_a_pass() -> None:
    page = f"{'<div>' * 400}{f'<p>t</p>{IMG}' * 3_000}{'</div>' * 400}"
    assert len([each for each in places(page)[:200] if each]) == 200


@pytest.mark.parametrize(
    "change", ["title", "heading", "link", "link_text", "figcaption", "before", "after", "language"]
)
def test_whatever_a_place_says_is_in_its_key(change: str) -> None:
    assert PagePlace(**{change: "x"}).key != PagePlace().key  # type: ignore[arg-type]
    assert len(PagePlace().key) == 64

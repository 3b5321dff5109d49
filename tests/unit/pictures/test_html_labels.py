"""What a diagram says in HTML is to be read in its picture."""

from __future__ import annotations

import pytest
from PIL import Image

from functions import pictures
from functions.core.document import Accepts, Picture
from tests.support import drawn

BOX = 'x="100" y="60" width="120" height="80"'
DIV = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'
EXTENSIBILITY = 'requiredFeatures="http://www.w3.org/TR/SVG11/feature#Extensibility"'
RED = '<rect width="320" height="200" fill="#dc1e1e"/>'


def shown(inside: str, ground: str = "white") -> Picture:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 200">'
        f'<rect width="320" height="200" fill="{ground}"/>{inside}</svg>'
    )
    return pictures.prepare(svg.encode(), Accepts(frozenset(), 15 << 20, 320), 10**8)


def dark(picture: Picture) -> tuple[int, int, int, int] | None:
    """Where there is something dark."""
    grey = drawn.opened(picture.data).convert("L")
    return grey.point(lambda value: 255 * (value < 90)).getbbox()


def label(words: str, box: str = BOX) -> str:
    return f"<foreignObject {box}>{DIV.format(words)}</foreignObject>"


@pytest.mark.parametrize(
    "words",
    [
        "Database",
        "Go shopping for presents and decide what to buy for everyone else",
        "first<br/>second<br/>third",
        "<p>caf\u00e9 &amp; &lt;bar&gt;</p>",
        "<b>very " + "long " * 20 + "</b>",
    ],
)
def test_a_label_in_html_is_drawn_in_its_box(words: str) -> None:
    found = dark(shown(label(words)))
    assert found
    left, top, right, bottom = found
    assert 95 <= left < right <= 225
    assert 55 <= top < bottom <= 145


def test_a_label_is_seen_on_a_dark_ground() -> None:
    extrema = drawn.opened(shown(label("Database"), "#111").data).convert("L").getextrema()
    assert extrema[1] > 200


@pytest.mark.parametrize("words", ["", "<style>p { color: red }</style>", "<script>x</script>"])
def test_what_no_reader_sees_of_html_is_not_drawn(words: str) -> None:
    assert dark(shown(label(words))) is None


def test_a_label_with_text_for_other_renderers_is_left_to_that() -> None:
    html = f"<foreignObject {BOX} {EXTENSIBILITY}>{DIV.format('Database')}</foreignObject>"
    picture = shown(f"<switch>{html}{RED}</switch>")
    assert drawn.alike(drawn.colours(picture.data), [drawn.RED] * 4)


def test_a_label_that_a_switch_prefers_is_drawn() -> None:
    picture = shown(f"<switch>{label('Database')}{RED}</switch>")
    assert dark(picture)
    assert drawn.alike(drawn.colours(picture.data), [(255, 255, 255)] * 4)


def test_a_note_to_those_who_show_no_html_is_not_drawn() -> None:
    note = f'<switch><g {EXTENSIBILITY}/><a href="x">{RED}</a></switch>'
    assert drawn.alike(drawn.colours(shown(note).data), [(255, 255, 255)] * 4)


def test_a_label_in_an_entity_is_left_as_it_is() -> None:
    html = "<foreignObject><p xmlns='http://www.w3.org/1999/xhtml'>x</p></foreignObject>"
    svg = (
        f'<!DOCTYPE svg [<!ENTITY label "{html}">]><svg xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="0 0 320 200">&label;{RED}</svg>'
    )
    picture = pictures.prepare(svg.encode(), Accepts(frozenset(), 15 << 20, 320), 10**8)
    assert drawn.alike(drawn.colours(picture.data), [drawn.RED] * 4)


def test_many_labels_are_bounded() -> None:
    picture = shown(label("a b c " * 40, 'width="1" height="1"') * 4000)
    assert isinstance(drawn.opened(picture.data), Image.Image)

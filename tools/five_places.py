"""What a model is told of five places in which one picture stands.

``python -m tools.five_places`` prints the table of ``docs/places.md``.
"""

from __future__ import annotations

from functions.core.page_place import PagePlace
from functions.sites import markup
from tests.support.five_places import PLACES

HEAD = ("the picture is", "what the model is told of the place", "and for example writes")


def place_of(page: str) -> PagePlace:
    """What stands around the one image without ``alt`` in a page."""
    found = markup.read(page, around=True)
    (image,) = (each for each in found.images if not each.has_alt)
    place = found.text.place(image.start, image.context, "en") if found.text else None
    assert place, "the page says something"
    return place


def table() -> str:
    """In Markdown."""
    rows = []
    for each in PLACES:
        texts = place_of(each.page).texts
        told = "<br>".join(f"*{name}*: {text}" for name, text in texts.items())
        rows.append((each.name, told, each.alt or '`alt=""`'))
    lines = [HEAD, ("---",) * len(HEAD), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    print(table())

"""Long descriptions in a page: a link after the image leads to the text, as everybody sees it.

"Complex images", W3C's images tutorial: the text stands in the page, is linked from beside the
image and named by ``aria-describedby``; nothing is hidden in a tooltip.
"""

from __future__ import annotations

import hashlib
import html
import re

from functions.core.public_text import PublicText
from functions.sites.attributes import attribute
from functions.sites.markup import Image, tag_end

# The words of the link, by language; English where there are none.
_LINK = {
    "de": ("Lange Beschreibung", "Zurück zum Bild"),
    "en": ("Long description", "Back to the image"),
    "es": ("Descripción larga", "Volver a la imagen"),
    "fr": ("Description longue", "Retour à l’image"),
}
_PICTURE_END = re.compile(r"(?:(?!<img|<picture)[\s\S]){0,2000}?</picture\s*>", re.I)
_BODY_END = re.compile(r"</body\s*>", re.I)


def offered(
    text: str, image: Image, said: PublicText, language: str, number: int
) -> tuple[list[tuple[int, str]], str]:
    """What goes into the page ``text`` for one image, by index, and the section with its long
    description; nothing for an image that is inside a link or a button, or described already.
    ``language`` is that of the page there."""
    end = tag_end(text, image)
    tag = text[image.start : end].lower()
    if image.context.control or "aria-describedby" in tag or "longdesc" in tag or not end:
        return [], ""
    words = hashlib.sha256(said.long_description.encode()).hexdigest()[:8]
    key = f"long-description-{words}-{number}"
    link, back = _LINK.get(language.split("-")[0], _LINK["en"])
    spoken = "" if language.split("-")[0] in _LINK else ' lang="en"'
    after = _PICTURE_END.match(text, end) if _in_picture(text, image) else None
    target = f' id="{key}-image" href="#{key}"'
    anchor = f'<a class="long-description-link"{target}{spoken}>{link}</a>'
    lines = "".join(f"<p>{_escaped(line)}</p>\n" for line in said.long_description.splitlines())
    section = (
        f'<section class="long-description" aria-labelledby="{key}-title"'
        f"{attribute(said.language, 'lang') if said.language else ''}>\n"
        f'<h2 id="{key}-title">{_escaped(said.alt_text)}</h2>\n'
        f'<div id="{key}">\n{lines}</div>\n'
        f'<p><a href="#{key}-image"{spoken}>{back}</a></p>\n</section>\n'
    )
    described = attribute(key, "aria-describedby")
    return [(image.insert, described), (after.end() if after else end, f" {anchor}")], section


def body_end(text: str) -> int:
    """Where the sections go: before the end of the body, or at the end of the text."""
    ends = [found.start() for found in _BODY_END.finditer(text)]
    return ends[-1] if ends else len(text)


def _in_picture(text: str, image: Image) -> bool:
    before = text[: image.start].lower()
    return before.rfind("<picture") > before.rfind("</picture")


def _escaped(words: str) -> str:
    return html.escape(words).replace("{", "&#123;")

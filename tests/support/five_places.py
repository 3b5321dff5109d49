"""One picture in five places of a site, and what a model that reads the texts would say there."""

from __future__ import annotations

from dataclasses import dataclass

PICTURE = "img/mug.jpg"
GENERAL = "A blue mug with white dots on a wooden table"


@dataclass(frozen=True)
class Place:
    """A page with the picture in it, without ``alt``; ``key`` is a word that stands only there,
    and ``alt`` what is written for it, empty for decoration."""

    name: str
    page: str
    key: str
    alt: str


def _page(title: str, body: str) -> str:
    return f'<!doctype html><html lang="en"><title>{title}</title><body>\n{body}\n</body></html>\n'


PLACES = (
    Place(
        "product card link",
        _page(
            "Mugs – Acme Pottery",
            """<h1>Our mugs</h1>
<ul>
<li><a href="/mugs/dotted?ref=grid"><img src="/img/mug.jpg"></a>
  <p><a href="/mugs/dotted?ref=grid">The dotted mug</a>, in two sizes.</p></li>
<li><a href="/mugs/plain"><img src="/img/plain.jpg" alt="Plain mug"></a><p>From 18 euros.</p></li>
</ul>""",
        ),
        "/mugs/dotted",
        "The dotted mug in both its sizes",
    ),
    Place(
        "lead of an article",
        _page(
            "How glaze came to Faenza – Acme Pottery",
            """<article>
<figure><img src="/img/mug.jpg"><figcaption>Made for the fair of 1998</figcaption></figure>
<h1>How glaze came to Faenza</h1>
<p>Tin glaze made white dots on blue possible, and the town famous.</p>
</article>""",
        ),
        "Faenza",
        "White dots glazed onto a blue mug",
    ),
    Place(
        "step of a recipe",
        _page(
            "Cocoa in five minutes",
            """<h1>Cocoa in five minutes</h1>
<h2>What to do</h2>
<ol>
<li><img src="/img/mug.jpg"><p>Warm the mug with hot water and pour it out.</p></li>
<li><p>Stir in the cocoa.</p></li>
</ol>""",
        ),
        "Cocoa",
        "The empty mug on a table, ready for the cocoa",
    ),
    Place(
        "bio of an author",
        _page(
            "What I drink from",
            """<main><h1>What I drink from</h1><p>Every cup has its story.</p></main>
<aside><h2>Ann Potter</h2><img src="/img/mug.jpg">
<p>Ann turns and glazes mugs in Leeds. This one is her first.</p></aside>""",
        ),
        "Leeds",
        "The first mug that Ann Potter made: blue with white dots",
    ),
    Place(
        "banner for looks",
        _page(
            "Terms of delivery",
            """<div class="banner"><img src="/img/mug.jpg"></div>
<h1>Terms of delivery</h1>
<p>Orders that reach us before noon leave the house on the same day.</p>""",
        ),
        "noon",
        "",
    ),
)

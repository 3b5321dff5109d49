"""HTML as people, programs and vandals write it, and what parsers see in it."""

from __future__ import annotations

from typing import Any

from justhtml import Element, JustHTML, Node, Template
from selectolax.lexbor import LexborHTMLParser

from functions.sites import markup
from functions.sites.attributes import attribute

WORDS = "alt text 7"

# Each with what stands before every place where an attribute is to be put in.
HOSTILE: dict[str, tuple[str, ...]] = {
    "<p><img src=a.png></p>": ("<p><img",),
    "<IMG SRC='a.png'>": ("<IMG",),
    "<img/src=a.png>": ("<img",),
    "<img\n\tsrc = a.png\n/>": ("<img",),
    "<img\x0csrc=a.png>": ("<img",),
    "<img src=a.png/>": ("<img",),
    "<img title='a > b' src=a.png><img title=\"it's > it\">": ("<img", "<img"),
    "<img src=a.png src=b.png>": ("<img",),
    "<img>": ("<img",),
    '<img src="a.png"title="no space">': ("<img",),
    "<a title='<img src=a.png>'>x</a>": (),
    "<img src=a.png alt>": (),
    "<img src=a.png alt=''><img ALT='x'>": (),
    "<img alt=x alt=y>": (),
    "<img src='a.png' data-alt=x>": ("<img",),
    "<img src='a.png": (),
    "<img src=a.png": (),
    "<imgx src=a.png><image src=a.png><im g>": (),
    "< img src=a.png></ img><//img>": (),
    "<!-- <img src=a.png> --><img>": ("--><img",),
    "<!--><img src=a.png>-->": ("<!--><img",),
    "<!-- a --!><img>": ("--!><img",),
    "<!-- <!-- --><img> -->": ("--><img",),
    "<!doctype html [<img>]>": (),
    "<!DOCTYPE html><img>": ("<img",),
    "<script>var a = '<img src=a.png>'</script><img>": ("</script><img",),
    "<script><!-- <script> </script> <img> --></script><img>": ("--></script><img",),
    "<script>'</scriptx><img>'</SCRIPT ><img>": ("</SCRIPT ><img",),
    "<style>a::after{content:'<img>'}</style>": (),
    "<title><img></title><textarea><img></textarea>": (),
    "<xmp><img></xmp><iframe><img></iframe><noembed><img></noembed>": (),
    "<plaintext><img>": (),
    "<svg><style><img></style></svg>": ("<style><img",),
    "<svg><title><p></title></svg><img>": ("</svg><img",),
    "<svg><image href=a.png /></svg>": (),
    "<svg><![CDATA[<img>]]></svg><![CDATA[<img>]]>": (),
    "<svg><desc><![CDATA[<img>]]></desc></svg>": (),
    "<math><mi><img></mi></math>": ("<mi><img",),
    "<template><img src=a.png></template>": ("<template><img",),
    "<noscript><img src=a.png></noscript>": ("<noscript><img",),
    "<head><noscript><link><img></noscript></head>": ("<link><img",),
    "<noscript><style></noscript><script></style><img></script></noscript>": (),
    "<noscript><p title='</noscript><img x='><img>'>": (),
    "<table><img><tr><td><img></table>": ("<table><img", "<td><img"),
    "<select><img></select><img>": ("<select><img", "</select><img"),
    "<frameset><img></frameset>": (),
    "<?xml version='1.0'?><img>": ("?><img",),
    "<p>&lt;img src=a.png&gt; &#60;img></p>": (),
    "\ufeff\ufeff<img>": ("<img",),
    "é 😀 \u2028<img>\r\n<img>\r<img>": ("\u2028<img", "\r\n<img", "\r<img"),
    "{{ '<img>' | safe }}{# <img> #}<img>": ("#}<img",),
    "{% if a > b %}<img>{% endif %}": ("%}<img",),
    "<img {% if a %}alt='b'{% endif %}><img {{ attributes }}><img class='{{ c }}'>": ("><img",),
    "<img src='{{ url(\"a\") }}'><img src='{{ url('a') }}'>": (),
    "<?php if ($a > 1) { echo \"<img src='a.png'>\"; } ?><img>": ("?><img",),
    "<img <?php echo $alt ?>><img <?= $alt ?> src=a.png>": (),
    "<% if a > b %><%= '<img>' %><img><% end %>": ("'<img>' %><img",),
    "<img :alt='a'><img [attr.alt]='a'><img v-bind:alt='a'><img [alt]='a'>": (),
    '<?php echo "<img>"': (),
    "{{ <img> {% <img>": ("{{ <img", "{% <img"),
    "<p><?xml:namespace prefix = o ns = 'urn:x' /><o:p></o:p><img>": ("</o:p><img",),
    "<?mso-application progid='Word.Document'?><img><?import namespace=v><img>": (
        *("?><img", "v><img"),
    ),
    r"<p>$\\frac{{a}{b}$ <img> and ${{x}}$ <img></p>": ("$ <img", "$ <img"),
    "<p>{{</p><img><p>}}</p><img>": ("</p><img", "</p><img"),
    "<script>var a = {{b: 1}, c: 2</script><img><p>}}": ("</script><img",),
    "<script>if (a) {% b</script><img><style>a{#b</style><img>%}#}": (
        *("</script><img", "</style><img"),
    ),
    "<script>{{ '</p>' }}</script><img>{{ a < b }}<img>": ("</script><img", "}}<img"),
    "{% if a == \"<img>\" %}<img>{% endif %}{{ a['<img>'] }}": ("%}<img",),
    "<img ng-attr-alt='{{a}}'><img v-bind='a'><img bind-alt=a><img th:alt=a><img t-att-alt=a>": (),
    "<img tal:attributes='alt x'><img th:attr='alt=#{x}'><img data-bind='attr: {alt: x}'>": (),
    "<img tal:attributes='src x'><img data-bind='click: x'><img alt.bind=a>": (
        *("<img", "'><img"),
    ),
    "a\0<p>\0<img src='\0'><img>": ("<p>\0<img", "'><img"),
}


def filled(text: str, words: str = WORDS) -> str:
    """``text`` with ``words`` in every image that lacks them."""
    found = markup.read(text).images
    wanted = (each for each in found if each.tag == "img" and not each.has_alt)
    written = attribute(words)
    return markup.insert(text, [(each.insert, written) for each in wanted if not each.templated])


def another_parsers_tree(text: str, words: str) -> str | None:
    """What lexbor sees, without ``alt`` attributes of ``words`` on images."""
    parser = LexborHTMLParser(text)
    for each in parser.css("img"):
        if each.attributes.get("alt") == words:
            del each.attrs["alt"]
    return parser.html


def tree(text: str, words: str, scripting: bool) -> list[Any]:
    """What browsers see, with scripts or without, in and out of templates, likewise; what stands
    in noscript is text to those with scripts."""
    root = JustHTML(text, sanitize=False, scripting_enabled=scripting).root
    seen: list[Any] = []
    waiting: list[tuple[Any, int]] = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        attributes = dict(node.attrs or {}) if isinstance(node, Element) else {}
        if node.name == "img" and attributes.get("alt") == words:
            del attributes["alt"]
        data = None if isinstance(node, Element) else str(getattr(node, "data", ""))
        if data and node.parent and node.parent.name == "noscript":
            data = data.replace(attribute(words), "")
        seen.append((depth, node.name, tuple(attributes.items()), data))
        if isinstance(node, Template) and node.template_content:
            waiting.append((node.template_content, depth + 1))
        if isinstance(node, Node):
            waiting.extend((child, depth + 1) for child in reversed(node.children or ()))
    return seen

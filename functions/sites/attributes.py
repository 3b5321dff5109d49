"""Words on their way into an attribute."""

from __future__ import annotations

import re

_ESCAPED = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("{", "&#123;"))


def one_line(words: str) -> str:
    """``words`` without line ends and control characters."""
    return re.sub(r"[\x00-\x20\x7f\u2028\u2029]+", " ", words).strip(" ")


def attribute(words: str, name: str = "alt") -> str:
    """`` alt="..."`` to put into a tag: with nothing that ends the value, and with no brace that
    opens, which a template engine that reads the page later would take for code."""
    for character, reference in _ESCAPED:
        words = words.replace(character, reference)
    return f' {name}="{words}"'

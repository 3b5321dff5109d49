"""What a template engine writes in a page: it alone knows what becomes of it.

Jinja, Nunjucks, Twig, Liquid, Handlebars, Angular, Vue (``{{ }}``, ``{% %}``, ``{# #}``), PHP
(``<?php``, ``<?=``) and ERB, EJS, ASP (``<% %>``). Other texts have the same signs: LaTeX, style
sheets and scripts have ``{{``, and ``<?xml …>`` of Word ends as browsers end it. So a fragment
ends where its engine would end it, in the script or style in which it begins, and code does not
go on over a tag.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence

Span = tuple[int, int]

_OPENER = re.compile(r"\{\{|\{%|\{#|<\?(?=php\b|=|\s)|<%", re.I)
_CLOSERS = {"{{": "}}", "{%": "%}", "{#": "#}", "<?": "?>", "<%": "%>"}
_EXPRESSIONS = ("{{", "{%")
_LONGEST_EXPRESSION = 4_000
# Code without a tag in it, but for strings.
_CODE = re.compile(r"""(?:"[^"\n]*+"|'[^'\n]*+'|[^<]|<(?![a-zA-Z/!]))*+""")

# Names of attributes that are code, or by which Vue, Angular, Alpine, Thymeleaf, QWeb and others
# set ``alt`` later.
_CODE_NAME = re.compile(
    r"[{}<%]|\?$|[:.\[]alt\]?$|^alt\.(?:bind|one-time|to-view)$"
    r"|^(?:ng-attr|bind|t-attf?|data-th|data-ng-attr|v-bind|x-bind)-alt$"
)
# Those that set whole lists of attributes, whatever is in them, and those that name which.
_SPREADS = ("v-bind", "x-bind", "t-att", "ng-attrs", "th:attrappend", "data-th-attrappend")
_LISTS = (
    *("tal:attributes", "i18n:attributes", "data-tal-attributes", "th:attr", "data-th-attr"),
    *("data-bind", "data-i18n", "data-i18n-attr", "data-l10n-attrs", "data-translate-attr"),
)


def writes_alt(attributes: Mapping[str, str | None]) -> bool:
    """Whether code may write the ``alt`` attribute of an element that has these."""
    for name, value in attributes.items():
        if _CODE_NAME.search(name) or name in _SPREADS:
            return True
        if name in _LISTS and re.search(r"\balt\b", value or ""):
            return True
    return False


def is_code(value: str) -> bool:
    """Whether code stands in an attribute's value."""
    return any(opener in value for opener in _CLOSERS)


def fragments(text: str, raw: Sequence[Span] = ()) -> list[Span]:
    """Where code stands in ``text``, in order. ``raw`` are the texts of scripts and styles."""
    return list(_fragments(text, sorted(raw)))


def within(position: int, spans: Sequence[Span]) -> bool:
    """Whether one of ``spans``, which are in order and do not overlap, has ``position`` in it."""
    at = bisect_right(spans, position, key=lambda span: span[0]) - 1
    return at >= 0 and position < spans[at][1]


def _fragments(text: str, raw: Sequence[Span]) -> Iterator[Span]:
    position = 0
    # Of a closer that is not found once, no search is made again.
    missing: dict[str, int] = {}
    while found := _OPENER.search(text, position):
        opener, begin = found[0].lower(), found.start()
        limit = _limit(begin, raw, len(text))
        end = -1
        if missing.get(opener) != limit:
            end = _end(text, opener, begin, limit)
            if end < 0 and opener not in _EXPRESSIONS:
                missing[opener] = limit
        if end < 0 and opener == "<?":  # PHP's last fragment need not be closed
            end = limit
        if end < 0:
            position = begin + 1
        else:
            yield begin, end
            position = end


def _limit(begin: int, raw: Sequence[Span], end: int) -> int:
    at = bisect_right(raw, begin, key=lambda span: span[0]) - 1
    return raw[at][1] if at >= 0 and begin < raw[at][1] else end


def _end(text: str, opener: str, begin: int, limit: int) -> int:
    closer = _CLOSERS[opener]
    expression = opener in _EXPRESSIONS
    last = min(limit, begin + _LONGEST_EXPRESSION) if expression else limit
    end = text.find(closer, begin + 2, last)
    if end < 0 or (expression and not _CODE.fullmatch(text, begin + 2, end)):
        return -1
    return end + len(closer)

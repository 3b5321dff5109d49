"""The fixes: what can be put right without asking the model again.

Each step takes a text and gives it back unchanged or nearer to plain text; they run in turn until
none of them changes anything, so that cleaning what is clean does nothing.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Mapping

from functions.core.plain_text import LONGEST, visible
from functions.quality import words
from functions.quality.text import capitalised, straight, uncapitalised

Step = Callable[[str, str], str]


def cleaned(text: str, language: str) -> tuple[str, Mapping[str, str]]:
    """The text with its faults put right, and what was wrong with it: code and message."""
    found: dict[str, str] = {}
    text = text[:LONGEST]
    before = None
    while text != before:  # every step shortens the text or brings it into a normal form
        before = text
        for code, (step, message) in STEPS.items():
            after = step(text, language)
            if after != text:
                found.setdefault(code, message)
                text = after
    return text, found


def plain(text: str, steps: tuple[str, ...]) -> str:
    """The text after some of the steps only, until they change nothing."""
    before = None
    while text != before:
        before = text
        for code in steps:
            text = _PLAIN[code](text, "")
    return text


# -- invisible characters


def _visible(text: str, _: str) -> str:
    return visible(text)


def _composed(text: str, _: str) -> str:
    return unicodedata.normalize("NFC", text)


def _one_line(text: str, _: str) -> str:
    return " ".join(text.split())


# -- markup

_ENTITY = re.compile(r"&(?:amp;)*(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_CODE = re.compile(r"<(script|style|iframe|svg|template)\b[^<>]*>.*?</\1\s*>", re.I | re.S)
_TAG = re.compile(
    r"<!--.*?-->|</?([A-Za-z][A-Za-z0-9-]*)((?:\s[^<>]*|/[^<>]*)?)>|<[!?][^<>]*>", re.S
)
_FORMATTING = frozenset(
    ("a", "abbr", "b", "big", "blockquote", "br", "center", "code", "em", "figure", "font", "h1",
     "h2", "h3", "h4", "hr", "i", "iframe", "img", "li", "mark", "ol", "p", "pre", "q", "s",
     "script", "small", "span", "strong", "style", "sub", "sup", "table", "td", "tr", "u", "ul")
)  # fmt: skip
_OPENING = re.compile(r"<(?=[A-Za-z/!?])")
_MARKDOWN: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"```+[a-z]*"), " "),
    (re.compile(r"!?\[([^\[\]]*)\]\((?:[^()\s]|\([^()]*\))*(?:\s+\"[^\"]*\")?\)"), r"\1"),
    (re.compile(r"!?\[([^\[\]]+)\]\[[^\[\]]*\]"), r"\1"),
    (re.compile(r"^[ \t]*#{1,6}[ \t]+", re.M), ""),
    (re.compile(r"^[ \t]*(?:[-*+•>]|[-*_=]{3,})(?:[ \t]+|$)", re.M), ""),
    (re.compile(r"`+([^`\n]*)`+"), r"\1"),
    (re.compile(r"(?<![\w*])\*{1,3}(?=[^\s*])([^*\n]*[^\s*])\*{1,3}(?![\w*])"), r"\1"),
    (re.compile(r"(?<!\w)_{1,3}(?=[^\s_])([^_\n]*[^\s_])_{1,3}(?!\w)"), r"\1"),
    (re.compile(r"~~(?=[^\s~])([^~\n]*[^\s~])~~"), r"\1"),
    (re.compile(r"\*{2,}|~{2,}"), ""),
)


def _unmarked(text: str, _: str) -> str:
    if "&" in text:
        text = _ENTITY.sub(lambda found: html.unescape(f"&{found[1]};"), text)
    if "<" in text:
        text = _CODE.sub(" ", text)
        closed = {found[1].lower() for found in re.finditer(r"</([A-Za-z][A-Za-z0-9-]*)\s*>", text)}
        text = _TAG.sub(lambda found: _tag(found, closed), text)
        text = _OPENING.sub("< ", text)
    for pattern, replacement in _MARKDOWN:
        text = pattern.sub(replacement, text)
    return text


def _tag(found: re.Match[str], closed: set[str]) -> str:
    """Tags go; the lone name of one is what an image of code is about, and stays: "a <div>"."""
    name, rest = (found[1] or "").lower(), found[2]
    if not name or rest or found[0].startswith("</") or name in closed or name in _FORMATTING:
        return " " if name in ("br", "p", "li", "div", "hr", "tr", "td") else ""
    return found[1]


# -- what stands around or before a description

_QUOTES = {'"': '"', "'": "'", "“": "”", "„": "“”", "«": "»", "»": "«", "‘": "’", "‚": "‘’",
           "「": "」", "『": "』", "`": "`´", "‹": "›"}  # fmt: skip
# Stars are left out: "★★★★☆" is a rating.
_EMOJI = (
    "[\U0001f1e6-\U0001f1ff\U0001f300-\U0001faff\u231a\u231b\u23e9-\u23fa\u2600-\u2604\u2607-\u27bf]"
    "[\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*"
)
_EMOJI_RUN = re.compile(rf"{_EMOJI}(?:[\s\u200d]*{_EMOJI})+")


def _unquoted(text: str, _: str) -> str:
    text = text.strip()
    stop = text[-1:] if text[-1:] in ".。!?" and len(text) > 3 else ""
    body = text[: len(text) - len(stop)]
    closing = _QUOTES.get(body[:1], "")
    if len(body) > 2 and closing and body[-1] in closing:
        inner = body[1:-1]
        if body[0] not in inner and not any(mark in inner for mark in closing if mark != "’"):
            return inner.strip() + (stop if inner[-1:] not in ".。!?" else "")
    return text


def _without_emoji(text: str, _: str) -> str:
    if text.isascii():
        return text
    return _EMOJI_RUN.sub(lambda found: found[0] if _is_one(found[0]) else " ", text).strip()


def _is_one(run: str) -> bool:
    """A family or a flag is written with several characters, and is one."""
    if re.fullmatch("[\U0001f1e6-\U0001f1ff]{2}", run):
        return True
    return bool(re.fullmatch(rf"{_EMOJI}(?:\u200d{_EMOJI})*", run))


def _without_prefix(text: str, language: str) -> str:
    before = None
    while text != before:
        before, text = text, _without_one_prefix(text, language)
    return text


def _without_one_prefix(text: str, language: str) -> str:
    for known in words.of(language):
        compared = uncapitalised(straight(text))
        if label := known.labels.match(compared):
            return capitalised(text[label.end() :], language)
        for pattern in known.remove:
            if found := pattern.match(compared):
                start, end = found.span("rest") if "rest" in pattern.groupindex else (
                    found.end(), len(text))  # fmt: skip
                if any(letter.isalpha() for letter in text[start:end]):
                    return capitalised(text[start:end].strip(), language)
    return text


def _without_hedge(text: str, language: str) -> str:
    for known in words.of(language):
        found = known.hedges.match(uncapitalised(straight(text)))
        if found and found.end() and any(letter.isalpha() for letter in text[found.end() :]):
            return capitalised(text[found.end() :], language)
    return text


STEPS: Mapping[str, tuple[Step, str]] = {
    "control_characters": (_visible, "Invisible and control characters were taken out."),
    "unicode_form": (_composed, "Characters were composed (NFC)."),
    "markup": (_unmarked, "HTML or Markdown was made plain text."),
    "whitespace": (_one_line, "Line breaks and runs of spaces were made one space."),
    "surrounding_quotes": (_unquoted, "Quotation marks around the whole text were taken off."),
    "emoji_run": (_without_emoji, "Emoji in a row were taken out: each is read out by its name."),
    "redundant_prefix": (
        _without_prefix,
        "The opening that says it is an image was cut off: screen readers say so already.",
    ),
    "hedging": (_without_hedge, "The opening that doubts what it describes was cut off."),
}

_PLAIN: Mapping[str, Step] = {
    **{code: step for code, (step, _) in STEPS.items()},
    "open_tags": lambda text, _: _OPENING.sub("< ", text),
    "tag": lambda text, _: text.lower().strip(" #.,;:\"'“”"),
}

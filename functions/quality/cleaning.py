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
from functions.quality import concepts, words
from functions.quality.text import capitalised, straight, tokens, uncapitalised

Step = Callable[[str, str], str]


# As many rounds as faults stand one inside another in an honest text.
_ROUNDS = 6
_SIGNS = re.compile("[<>&`*_~#\\[\\]]+")


def cleaned(text: str, language: str, visible_text: str = "") -> tuple[str, Mapping[str, str]]:
    """The text with its faults put right, and what was wrong with it: code and message.

    What stands in the image is said as it stands there: no fault of the text.
    """
    text, kept = _masked(text[:LONGEST], visible_text[:LONGEST])
    text, found = _settled(text, {code: step for code, (step, _) in STEPS.items()}, language)
    text = re.sub(f"[{_FIRST_MASK}-{_LAST_MASK}]", lambda mask: kept[mask[0]], text)
    return text, {code: STEPS[code][1] for code in found}


def plain(text: str, steps: tuple[str, ...]) -> str:
    """The text after some of the steps only, until they change nothing."""
    return _settled(text, {code: _PLAIN[code] for code in steps}, "")[0]


def _settled(text: str, steps: Mapping[str, Step], language: str) -> tuple[str, list[str]]:
    """The text after steps that each shorten it or bring it into a normal form, in a few rounds.

    What then still changes was nested to be so: it loses the signs it was nested with.
    """
    found: dict[str, None] = {}
    for rounds in range(2 * _ROUNDS):
        before = text
        if rounds == _ROUNDS:
            text = _SIGNS.sub(" ", text)
        for code, step in steps.items():
            after = step(text, language)
            if after != text:
                found[code] = None
                text = after
        if text == before:
            break
    return text, list(found)


# -- what stands in the image

# Letters that no text has: Linear A.
_FIRST_MASK, _LAST_MASK = "\U00010600", "\U000106ff"
_SPECIAL = re.compile(r"[^\w\s,.!?'’\"-]|_|\w\.\w")
# Tags that do something, or could: all but those that lay out text and carry nothing else.
_ACTIVE = re.compile(
    r"<(?!/?(?:b|i|u|p|q|s|em|h[1-6]|li|ol|ul|td|th|tr|div|br|hr|code|pre|span|strong|table|small|"
    r"sub|sup|body|html|head|title|main|nav)>)(?=[A-Za-z/!?])"
)


def _masked(text: str, visible_text: str) -> tuple[str, dict[str, str]]:
    """The text with a letter in the place of each run of words that stand in the image and have
    signs in them; and what each letter stands for. Tags that do something stay no tags."""
    kept: dict[str, str] = {}
    shown = " ".join(visible_text.split())
    if not shown or not _SPECIAL.search(text) or re.search(f"[{_FIRST_MASK}-{_LAST_MASK}]", text):
        return re.sub(f"[{_FIRST_MASK}-{_LAST_MASK}]", "", text), kept
    words, runs = visible(text).split(), list[str]()
    while words:
        size = 0
        while size < len(words) and " ".join(words[: size + 1]) in shown and size < _LONGEST_RUN:
            size += 1
        run = " ".join(words[:size])
        if size and _SPECIAL.search(run) and len(kept) < 200:
            mask = chr(ord(_FIRST_MASK) + len(kept))
            kept[mask] = _ACTIVE.sub("< ", unicodedata.normalize("NFC", run))
            runs.append(mask)
        else:
            runs.append(words[0])
            size = 1
        words = words[size:]
    return " ".join(runs), kept


_LONGEST_RUN = 40


# -- invisible characters


def _visible(text: str, _: str) -> str:
    return visible(text)


def _composed(text: str, _: str) -> str:
    return unicodedata.normalize("NFC", text)


def _one_line(text: str, _: str) -> str:
    return " ".join(text.split())


# -- what JSON left

# Escapes that were escaped twice, or lost their backslash on the way.
_ESCAPES = re.compile(
    r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
    r"|\\?u0000([0-9a-fA-F]{2})|\x00([0-9a-fA-F]{2})|\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})"
    r"|(?<=[^\W\d_])u(00[c-f][0-9a-f]|0[1-4][0-9a-f]{2})|\\([nrt\"/])(?![a-z]{2}\w*\\)"
)


def _unescaped(text: str, _: str) -> str:
    if "\\" not in text and "u0" not in text and "\0" not in text:
        return text
    return _ESCAPES.sub(_character, text)


def _character(found: re.Match[str]) -> str:
    high, low, *codes, sign = found.groups()
    if high:
        return (
            (chr(int(high, 16)) + chr(int(low, 16)))
            .encode("utf-16", "surrogatepass")
            .decode("utf-16")
        )
    if sign:
        return sign if sign in '"/' else " "
    character = chr(int(next(filter(None, codes)), 16))
    return character if character.isprintable() else found[0]


# -- markup

_ENTITY = re.compile(
    r"&(?:(?:amp|#0*38|#[xX]0*26);)*(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
)
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
    (re.compile(r"^[ \t]*(?:(?:#{1,6}|[-*+•>]|[-*_=]{3,})(?:[ \t]+|$))+", re.M), ""),
    (re.compile(r"`+([^`\n]*)`+"), r"\1"),
    (re.compile(r"(?<![\w*])\*{1,3}(?=[^\s*])([^*\n]*[^\s*])\*{1,3}(?![\w*])"), r"\1"),
    # Not "__init__", which is a name, nor what goes on behind it: "__init__.py".
    (
        re.compile(r"(?<!\w)(?:_|_{2,3}(?=[^_\n]* ))(?=[^\s_])([^_\n]*[^\s_])_{1,3}(?!\w|\.\w)"),
        r"\1",
    ),
    (re.compile(r"~~(?=[^\s~])([^~\n]*[^\s~])~~"), r"\1"),
    (re.compile(r"\*{2,}|~{2,}"), ""),
)


# What begins and ends a turn for a model, which some servers leave in the text, and thoughts.
_TURN = (
    r"(?:<\|[\w ./:-]{1,40}\|>|<｜[^｜<>]{1,40}｜>|<(?:bos|eos|image|pad)>"
    r"|<(?:start|end)_of_(?:turn|text)>|\s?\[/?INST\]|\[end of text\])"
)
_TURNS = re.compile(rf"^(?:\s*{_TURN})+|(?<=\S){_TURN}+\s*$")
_THOUGHT = re.compile(r".*</think(?:ing)?>(?=\s*\S)", re.S | re.I)
# The attribute as a page has it, with nothing beside it.
_ATTRIBUTE = re.compile(r"\s*(?:<img\s+)?alt\s*=\s*([\"'])([^<>]*)\1\s*/?>?\s*", re.I)


def _unmarked(text: str, _: str) -> str:
    if "<" in text or "[" in text:
        text = _TURNS.sub("", _THOUGHT.sub("", text, count=1))
    if found := _ATTRIBUTE.fullmatch(text):
        text = found[2]
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


def _without_emoji(text: str, language: str) -> str:
    if text.isascii():
        return text
    return _EMOJI_RUN.sub(
        lambda found: found[0] if _belongs(found, language) else " ", text
    ).strip()


def _belongs(found: re.Match[str], language: str) -> bool:
    """Whether an emoji is one, or a run of them what the text speaks of: words follow it, or
    lead up to it ("a chat bubble with 😂😂😂")."""
    if _is_one(found[0]):
        return True
    before, after = found.string[: found.start()].rstrip(), found.string[found.end() :]
    if before and any(letter.isalnum() for letter in after):
        return before[-1] not in ".!?。！？"
    last = re.search(r"[^\W\d]+$", before)
    frequent = (word for vocabulary in words.of(language or "en") for word in vocabulary.frequent)
    return last is not None and last[0].casefold() in set(frequent)


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
    for vocabulary in words.of(language):
        compared = uncapitalised(straight(text))
        label = vocabulary.labels.match(compared)
        if label and not text[label.end()].isdigit():
            return capitalised(text[label.end() :], language)
        for pattern in vocabulary.remove:
            if found := pattern.match(compared):
                start, end = found.span("rest") if "rest" in pattern.groupindex else (
                    found.end(), len(text))  # fmt: skip
                rest = text[start:end].strip()
                if any(letter.isalpha() for letter in rest) and not _of_picture(rest, vocabulary):
                    return capitalised(rest, language)
    return text


# How soon a picture that is shown in a picture is named: "a pile of faded photographs".
_NEAR = 5


def _of_picture(rest: str, vocabulary: words.Words) -> bool:
    """Whether what an opening leaves is a picture as well, and no further opening: a photograph of
    a torn photograph shows one."""
    if any(pattern.match(uncapitalised(straight(rest))) for pattern in vocabulary.remove):
        return False
    return "image" in concepts.found(tokens(rest)[:_NEAR])


def _without_hedge(text: str, language: str) -> str:
    for vocabulary in words.of(language):
        found = vocabulary.hedges.match(uncapitalised(straight(text)))
        if found and found.end() and any(letter.isalpha() for letter in text[found.end() :]):
            return capitalised(text[found.end() :], language)
    return text


STEPS: Mapping[str, tuple[Step, str]] = {
    "escapes": (_unescaped, "Characters that were escaped twice were put back."),
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
    "open_tags": lambda text, _: _ACTIVE.sub("< ", text),
    "tag": lambda text, _: text.lower().strip(" #.,;:\"'“”"),
}

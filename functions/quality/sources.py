"""The rules on where words come from: file names, the prompt, and text that wants to be obeyed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from functions.quality import figures
from functions.quality.checked_text import CheckedText
from functions.quality.text import shown, tokens

_EXTENSION = r"\.(?:jpe?g|jfif|png|gif|webp|avif|hei[cf]|tiff?|bmp|svg|psd|raw|dng|cr2|nef)"
_FILE = re.compile(rf"(?<![\w%+~.-])[\w%+~()-][\w%+~().-]{{0,100}}{_EXTENSION}(?![\w-])", re.I)
_CAMERA = re.compile(
    r"(?:IMG|DSC[NF]?|PXL|MVI|GOPR|DJI|PANO|VID|CIMG|SAM|WP|BURST|FB_IMG|signal|screenshot|photo|"
    r"image|picture|scan|P)[-_ ]?(?:\d{3,}[\w-]*|\d{4}-\d\d-\d\d.*)"
    r"|screen ?shot \d{4}-\d\d-\d\d.*"
    r"|(?:image|picture|photo|unnamed|untitled|download|scan) ?\(\d+\)",
    re.I,
)
_SHOT = re.compile(r"(?<!\w)(?:IMG|DSC[NF]?|PXL|MVI|VID|DJI|GOPR|FB_IMG)_?\d{4}\w*", re.I)
_IDENTIFIER = re.compile(r"[0-9a-f-]{8,}|[\w-]*_[\w-]*\d[\w-]*", re.I)
# What no title looks like: joints of a file's name, hashes, identifiers.
_STEM = re.compile(
    r"[\w-]*_[\w-]*|\S*%[0-9a-f]{2}\S*|[0-9a-f]{12,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-\S+", re.I
)
_KEYS = re.compile(
    r"[\"']?\b(?:alt_text|visible_text|translations|decorative)\b[\"']?\s*[:=]|\balt_text\b|"
    r"\bvisible_text\b|^\s*\{\s*\""
)
_CONTACT = re.compile(
    r"(?:https?|ftp)://\S+|(?:javascript|data|vbscript):\S+|\bwww\.\w[\w.-]+\.\w{2,}\S*"
    r"|[\w.+-]{1,64}@[\w-]+\.\w[\w.-]*"
    # All in small letters: ASP.NET and Booking.com are names.
    r"|(?<![\w.@-])(?-i:(?:[a-z0-9-]{1,63}\.){1,6}(?:com|net|org|info|biz|io|app|dev|shop|xyz|"
    r"example|ru|cn|de|fr|uk))(?:/\S*)?(?![\w-])"
    r"|(?<![\w.])(?:\+|00)\d(?:[\s().-]?\d){7,13}(?!\w)|(?<![\w.])\(?\d{3}\)?[\s.-]\d{3}[\s.-]\d{4}(?!\w)",
    re.I,
)
_SCRIPT = re.compile(r"\bon(?:error|load|click|mouseover)\s*=|\{\{.*\}\}|\$\{.*\}", re.I)
_NUMBERED = re.compile(r"^\s*[0-9]{1,2}[.)](?=\s)")
_RUN = 8  # words in a row that nobody writes twice by chance
# Words of a text that stand in another one, in a row; and words of one that is said in a breath.
_SAID_AGAIN, _CAPTION = 3, 30


def file_name(checked: CheckedText) -> str | None:
    """The name of a file and nothing more: an extension, a camera's pattern, the object's own
    stem where it looks like one. A file may be named after what it shows."""
    text = checked.text.strip(" .\"'")
    if checked.is_quotation or not text:
        return None
    found = _FILE.search(text)
    rest = _FILE.sub("", text) if found else text
    alone = bool(found) and len(tokens(rest)) <= 2
    stem = _stem(checked.context.name)
    if alone or _CAMERA.fullmatch(text) or (text == stem and _STEM.fullmatch(text)):
        return f"“{shown(text)}” is a file's name: describe the image instead."
    return None


def file_mentioned(checked: CheckedText) -> str | None:
    """A file's name in a description, or a description that is the file's name as well."""
    stem = _stem(checked.context.name)
    inside = [found[0] for found in _FILE.finditer(checked.own)]
    inside += [found[0] for found in _SHOT.finditer(checked.own)]
    if _IDENTIFIER.fullmatch(stem) and stem.casefold() in checked.own.casefold():
        inside.append(stem)
    for found in inside:
        if not checked.stands_in_image(found):
            return f"“{shown(found)}” is a file's name: does it stand in the image?"
    text = checked.text.strip(" .")
    is_one = re.search(r"\d", text) and " " not in text and len(text) >= 5
    if is_one and text.casefold() == stem.casefold() and not checked.is_quotation:
        return f"“{shown(text)}” is what the file is called: does it describe the image?"
    return None


def _stem(name: str) -> str:
    base = name.rpartition("/")[2]
    return base.rpartition(".")[0] or base


def prompt_echo(checked: CheckedText) -> str | None:
    """The reply's own keys, or a run of words from the prompt that no hint brought into it."""
    if (found := _KEYS.search(checked.text)) and not checked.stands_in_image(found[0]):
        return f"“{shown(found[0])}” belongs to the reply's form: write the description alone."
    own_tokens = checked.tokens
    if len(own_tokens) < _RUN or not checked.context.prompt_text:
        return None
    prompt = _padded(checked.context.prompt_text)
    told = [_padded(text) for text in (*checked.context.hints, checked.visible_text)]
    for run in _runs(own_tokens):
        if run in prompt and not any(run in text for text in told):
            return f"“{shown(run.strip())}” is taken from the instructions: describe the image."
    return None


def hint_obeyed(checked: CheckedText) -> str | None:
    """Words that a text with instructions in it dictated: hints, file names and what stands in
    an image are data. A description that quotes the instruction as well is right."""
    sources = (*checked.context.hints, checked.visible_text, checked.context.name)
    own_tokens = " ".join(checked.tokens)
    for source in sources:
        order = _instruction(checked, source)
        if order and not _instruction(checked, checked.text):
            dictated = _padded(source[order.start() :])
            whole = bool(own_tokens) and f" {own_tokens} " in dictated
            quotes = source == checked.visible_text  # to say in part what an image says is right
            if whole or (not quotes and any(run in dictated for run in _runs(checked.tokens))):
                return (
                    f"“{shown(order[0].strip())}” stands in what came with the image: that is "
                    "data, not an instruction. Describe what the image shows."
                )
    return None


def ordered(checked: CheckedText) -> bool:
    """Whether something that came with the image wants to be obeyed."""
    sources = (*checked.context.hints, checked.visible_text, checked.context.name)
    return any(_instruction(checked, source) for source in sources)


def repeats_text(checked: CheckedText) -> str | None:
    """What stands beside the image and is read aloud as well: the same words in the same order,
    or all that tell something in one short text, such as a caption."""
    own_tokens, context = checked.tokens, checked.context
    telling = set(own_tokens).difference(*(vocabulary.frequent for vocabulary in checked.words))
    for text in context.beside:
        words = tokens(text)
        within = len(telling) > 1 and len(words) <= _CAPTION and telling <= set(words)
        if own_tokens and (own_tokens == words or within or _is_part(own_tokens, text)):
            return f"“{shown(checked.text)}” is said beside the image: say what the image adds."
    for text in context.names:
        if own_tokens != tokens(text) and _is_part(own_tokens, text):
            return f"“{shown(checked.text)}” is a part of a text beside the image: say it yourself."
    return None


def _is_part(own_tokens: tuple[str, ...], text: str) -> bool:
    return len(own_tokens) >= _SAID_AGAIN and f" {' '.join(own_tokens)} " in _padded(text)


def injection(checked: CheckedText) -> str | None:
    """Words that would instruct the next reader, or code. Harmless as text, but no description."""
    text = checked.own
    found = _instruction(checked, text) or _SCRIPT.search(text)
    if found and not checked.stands_in_image(found[0].strip()):
        return f"“{shown(found[0].strip())}” is an instruction or code: describe the image."
    return None


def contact_details(checked: CheckedText) -> str | None:
    """Addresses and telephone numbers that do not stand in the image."""
    for found in _CONTACT.finditer(checked.text):
        if not checked.stands_in_image(found[0].rstrip(".,;:!?)")):
            return f"“{shown(found[0])}” does not stand in the image: leave it out."
    return None


def unread_figures(checked: CheckedText, lines: Sequence[str]) -> str | None:
    """Figures that do not stand in the image; those that count the lines apart."""
    unread = figures.unread((_NUMBERED.sub("", line) for line in lines), checked.visible_text)
    if not unread:
        return None
    return f"{', '.join(unread[:5])}: does that stand in the image? Compare the figures."


def _instruction(checked: CheckedText, text: str) -> re.Match[str] | None:
    return next(
        filter(None, (vocabulary.instructions.search(text) for vocabulary in checked.words)), None
    )


def _padded(text: str) -> str:
    return f" {' '.join(tokens(text))} "


def _runs(own_tokens: tuple[str, ...]) -> list[str]:
    """Every run of words long enough to tell; characters of Chinese count half."""
    size = _RUN if sum(map(len, own_tokens)) >= 2 * len(own_tokens) else 2 * _RUN
    return [
        f" {' '.join(own_tokens[start : start + size])} "
        for start in range(len(own_tokens) - size + 1)
    ]

"""What a model's answer says: the object with the reply's fields, wherever it stands in the text.

Models think aloud first, talk before and after, say things twice, wrap the object in a list, a
call or another object, escape it twice, or quote it as Python does. All that costs no second
call; what is no reply in any reading is for the model to mend.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from functions.core.document import Answer, Reply, Unable
from functions.core.errors import UnusableReply
from functions.model.lenient_json import FoundObject, objects, unescaped

_FIELDS = (
    "alt_text",
    "caption",
    "could_not_describe",
    "decorative",
    "long_description",
    "tags",
    "translations",
    "visible_text",
)
# Where thought ends and the answer begins, as model families write it.
_ANSWER = re.compile(
    r"</(?:think|thinking|thought|thoughts|reasoning|reflection|scratchpad|analysis|seed:think)>"
    r"|\[/THINK\]|◁/think▷|<\|(?:end_of_thought|END_THINKING|END_OF_THOUGHT|begin_of_solution)\|>"
    r"|<\|channel\|>\s*final\b[^{<]{0,80}|<\|start\|>\s*assistant\s*<\|message\|>"
    r"|<channel\|>",
    re.IGNORECASE,
)
_DEPTH = 4
_ABLE = frozenset({"", "none", "no", "false", "null", "n/a", "not applicable"})
_YES = frozenset({"true", "yes", "1", "1.0"})
_SEPARATOR = re.compile(r"[,;\n|]|(?:^|\s)#")
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")


def read_reply(answer: Answer) -> Reply:
    """The reply in a model's answer.

    Raises UnusableReply, with what to mend, where there is none.
    """
    found = _best(answer.text)
    if found is None:
        cut = "was cut off" if answer.truncated else "is not a JSON object"
        raise UnusableReply(f"the reply {cut}; write one complete JSON object, and be brief")
    decorative = str(found.get("decorative")).lower() in _YES
    alt_text, caption = _words(found.get("alt_text")), _words(found.get("caption"))
    unable = _unable(found.get("could_not_describe"))
    if not alt_text and not decorative and not unable and found.get("alt_text") != "":
        raise UnusableReply("alt_text is missing or not a string")
    silent = not caption and not alt_text and not decorative and not unable
    if silent and found.get("caption") is None:
        raise UnusableReply("caption is missing or not a string")
    return Reply(
        caption=caption or alt_text,
        alt_text=alt_text,
        decorative=decorative,
        tags=_tags(found.get("tags")),
        visible_text=_words(found.get("visible_text"), "\n"),
        long_description=_words(found.get("long_description"), "\n"),
        translations=translations(found.get("translations")),
        could_not_describe=unable,
    )


def _unable(value: Any) -> Unable | None:
    """Why the model says that it does not describe; a word of its own for that is a doubt."""
    word = str(value or "").strip().lower()
    if word in _ABLE:
        return None
    return Unable(word) if word in set(Unable) else Unable.UNCERTAIN


def _best(text: str) -> Mapping[str, Any] | None:
    """The fields of the object that is most of a reply: rather a complete one, and the last of
    several. One without alt text only if there is no other."""
    partial: Mapping[str, Any] | None = None
    for plain in _unwrapped(text):
        best, rank = None, (False, False, 1)
        for found in objects(plain):
            for fields in _inside(found):
                fitness = (_is_reply(fields), found.complete, len(fields))
                if fitness >= rank:
                    best, rank = fields, fitness
        if best is not None and rank[0]:
            return best
        partial = partial or best
    return partial


def _unwrapped(text: str) -> Iterator[str]:
    """The text behind its thoughts, and as it came; with a level of escapes less, or two; without
    its first brace, as models answer to whom that is put into the mouth."""
    thoughts = max((mark.end() for mark in _ANSWER.finditer(text)), default=0)
    if thoughts:
        yield text[thoughts:]
    yield text
    plain = text
    for _ in range(2):
        if "\\" in plain:
            plain = unescaped(plain)
            yield plain
    if "&quot;" in text:
        yield html.unescape(text)
    if "{" not in text and "alt_text" in text:
        yield "{" + text[text.find('"') :]


def _inside(found: FoundObject) -> Iterator[Mapping[str, Any]]:
    """The object's fields, and those of the objects in it, as text too, outermost last."""
    level: list[Any] = [found.value]
    levels: list[list[Mapping[str, Any]]] = []
    for _ in range(_DEPTH):
        named = [_named(each) for each in level if isinstance(each, Mapping)]
        levels.append([each for each in named if each])
        level = [inner for each in level for inner in _contents(each)]
    for each in reversed(levels):
        yield from each


def _contents(value: Any) -> Iterator[Any]:
    if isinstance(value, str):
        if value.lstrip().startswith(("{", "[")) and "alt" in value:
            yield from (each.value for each in objects(value))
        return
    for each in value.values() if isinstance(value, Mapping) else value:
        if isinstance(each, str | Mapping | list):
            yield each


def _named(value: Mapping[str, Any]) -> dict[str, Any]:
    """What of ``value`` are a reply's fields, however their names are written."""
    named = {}
    for key, each in value.items():
        plain = _NOT_ALPHANUMERIC.sub("", key[:40]).lower()
        if plain in _SPELLINGS:
            named[_SPELLINGS[plain]] = each
    return named


def _is_reply(fields: Mapping[str, Any]) -> bool:
    has_text = "alt_text" in fields or _unable(fields.get("could_not_describe")) is not None
    return has_text and not isinstance(fields.get("alt_text"), Mapping)


def _words(value: Any, joint: str = " ") -> str:
    """A text; a list of texts is one. Half of a surrogate pair is no character."""
    if isinstance(value, list):
        value = joint.join(each for each in value if isinstance(each, str))
    if not isinstance(value, str):
        return ""
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _tags(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = _SEPARATOR.split(value)
    words = (_words(each) for each in (value if isinstance(value, list) else ()))
    return tuple(filter(None, map(str.strip, words)))


def read_translations(answer: Answer, languages: Sequence[str]) -> dict[str, dict[str, str]]:
    """By language, what a model's answer to a request for translations says; of one language, the
    answer need not name it.

    Raises UnusableReply, with what to mend, where there is nothing.
    """
    found: dict[str, dict[str, str]] = {}
    for each in objects(answer.text):
        for fields in _inside(each):
            found |= translations(fields.get("translations"))
            if len(languages) == 1 and "alt_text" in fields and not found:
                found = translations({languages[0]: fields})
        found |= translations(each.value)
    if not found:
        cut = "was cut off" if answer.truncated else "has no translations"
        raise UnusableReply(f"the reply {cut}; write one complete JSON object, and be brief")
    return found


def translations(value: Any) -> dict[str, dict[str, str]]:
    """By language, from a list of objects that name it or an object whose keys do."""
    if isinstance(value, Mapping):
        value = [{**each, "language": key} for key, each in value.items() if _is_object(each)]
    found = {}
    for each in value if isinstance(value, list) else ():
        if not _is_object(each) or not isinstance(each.get("language"), str):
            continue
        fields = _named(each)
        alt_text, caption = _words(fields.get("alt_text")), _words(fields.get("caption"))
        if "alt_text" in fields and (alt_text or fields["alt_text"] == ""):
            words = {"caption": caption or alt_text, "alt_text": alt_text}
            if long := _words(fields.get("long_description"), "\n"):
                words["long_description"] = long
            found[each["language"]] = words
    return found


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping)


_SPELLINGS = {_NOT_ALPHANUMERIC.sub("", each): each for each in _FIELDS}

"""What the filter knows of languages, from ``words/*.toml``."""

from __future__ import annotations

import functools
import pathlib
import re
import string
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from functions.core import language_tags

FOLDER = pathlib.Path(__file__).with_name("words")
_NEVER = re.compile(r"(?!)")

# Tags that have no file of their own.
_ALIASES = {"no": "nb", "nn": "nb"}


@dataclass(frozen=True, slots=True)
class Words:
    """One language's patterns, compiled; ``words/README.md`` says what they mean."""

    language: str
    remove: tuple[re.Pattern[str], ...]
    rephrase: re.Pattern[str]
    labels: re.Pattern[str]
    hedges: re.Pattern[str]
    refusals: re.Pattern[str]
    chatter: re.Pattern[str]
    instructions: re.Pattern[str]
    guesses: re.Pattern[str]
    placeholders: frozenset[str]
    frequent: frozenset[str]
    leading: frozenset[str]
    letters: frozenset[str]


@functools.cache
def available() -> tuple[str, ...]:
    """The languages there are files for."""
    return tuple(sorted(file.stem for file in FOLDER.glob("*.toml")))


@functools.lru_cache(maxsize=128)
def of(tag: str) -> tuple[Words, ...]:
    """The words that a text in this language is compared with: its own, and English ones."""
    found = [_load(name) for name in _names(tag) if name in available()][:1]
    return tuple(found) if tag.startswith("en") else (*found, _load("en"))


@functools.cache
def telling() -> Mapping[str, Mapping[str, float]]:
    """For each frequent word the languages that have it, and how much it tells: a word of one
    language 1, one that three share a third."""
    having: dict[str, list[str]] = {}
    for name in available():
        for word in _data(name).get("frequent", "").split():
            having.setdefault(word, []).append(name)
    return {word: dict.fromkeys(names, 1 / len(names)) for word, names in having.items()}


def _names(tag: str) -> list[str]:
    names = list(language_tags.fallbacks(tag))
    if names[-1] in ("zh", "yue", "cmn"):
        names += ["zh-Hant" if language_tags.script_of(tag) == {"Hant"} else "zh-Hans"]
    return [*names, *(_ALIASES[name] for name in names if name in _ALIASES)]


@functools.cache
def _data(name: str) -> Mapping[str, Any]:
    text = (FOLDER / f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(unicodedata.normalize("NFC", text))  # as the texts compared with it are


@functools.cache
def _load(name: str) -> Words:
    data = _data(name)
    noun = f"(?:{data['noun']})"

    def one(key: str, around: str = "(?:%s)", flags: int = 0) -> re.Pattern[str]:
        patterns: Sequence[str] = data.get(key, ())
        if not patterns:
            return _NEVER
        return re.compile(around % "|".join(patterns).replace("<noun>", noun), flags)

    labels = "|".join([*data["labels"], data["noun"]])
    return Words(
        language=name,
        remove=tuple(re.compile(text.replace("<noun>", noun)) for text in data["remove"]),
        rephrase=one("rephrase"),
        labels=re.compile(rf"(?:{labels})(?: ?\d+)? ?[:：] ?(?=\S)", re.IGNORECASE),
        hedges=one("hedges"),
        refusals=one("refusals", flags=re.IGNORECASE),
        chatter=one("chatter", flags=re.IGNORECASE),
        instructions=one("instructions", flags=re.IGNORECASE),
        guesses=one("guesses", flags=re.IGNORECASE),
        placeholders=frozenset(data["placeholders"]),
        frequent=frozenset(data.get("frequent", "").split()),
        leading=frozenset(data.get("leading", "").split()),
        letters=frozenset(data.get("letters", "") + string.ascii_lowercase),
    )

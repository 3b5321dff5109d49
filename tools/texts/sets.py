"""Texts that describe an image and texts that do not, made from one grammar a language.

A file has a line for each template: ``-`` before what describes nothing, ``+`` before a
description, ``=`` before a list of words that ``<name>`` stands for. ``[one|another|]`` is a
choice, and a backslash takes a bracket literally.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
DEVELOPMENT, HELD_OUT = HERE / "development", HERE / "held_out"
# By two people who had not seen the rules or the development part; trained on after a first look.
OTHER_HANDS = HERE / "other_hands"
# Names of things, from Unicode's names of emoji (CLDR 45): the shortest descriptions there are.
THINGS = HERE / "things"
# How many texts one template may give: more would only repeat its words.
MOST = 60

_LIST = re.compile(r"\[([^\[\]\\<>]*)\]")
_CHOICE = re.compile(r"(?<!\\)\[((?:[^\[\]\\]|\\.)*)(?<!\\)\]")


@dataclass(frozen=True, slots=True)
class Sample:
    """One text, in which language, whether it describes something, and its template."""

    language: str
    text: str
    describes: bool
    template: str


def languages(folder: Path) -> list[str]:
    """The languages that a folder has a grammar of."""
    return sorted(file.stem for file in folder.glob("*.txt"))


def samples(folder: Path, language: str, most: int = MOST) -> list[Sample]:
    """The texts of one language, the same ones each time."""
    lines = (folder / f"{language}.txt").read_text("utf-8").splitlines()
    named = dict(line[2:].split(" ", 1) for line in lines if line.startswith("= "))
    found: dict[tuple[str, bool], Sample] = {}
    for line in lines:
        if line[:2] in ("- ", "+ "):
            for text in _expanded(line[2:], named, most):
                found[text, line[0] == "+"] = Sample(language, text, line[0] == "+", line)
    return list(found.values())


def _expanded(template: str, named: dict[str, str], most: int) -> Iterator[str]:
    chance = random.Random(template)
    texts = {_one(template, named, chance): None for _ in range(8 * most)}
    yield from list(texts)[:most]


def _one(template: str, named: dict[str, str], chance: random.Random) -> str:
    for _ in range(20):
        text = re.sub(
            r"<(\w+)>",
            lambda found: chance.choice(named[found[1]].split("|")) if found[1] in named
            else found[0],
            template,
        )  # fmt: skip
        text = _CHOICE.sub(lambda found: chance.choice(found[1].split("|")), text)
        if text == template:
            break
        template = text
    return re.sub(r"\\([\[\]|])", r"\1", " ".join(template.split()))

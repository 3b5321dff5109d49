"""What two versions of the prompt tell a model of twenty pictures.

The sentence that decides is taken out of the prompts as they are shipped.
``python -m tools.prompt_versions`` prints the table of ``docs/evaluate.md``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from functions.model import prompt

FOLDER = Path(prompt.__file__).parent / "prompts"
_SENTENCE = re.compile(r"(?<=[.?])\s+(?=[A-Z\"])|\n(?:- |\d\. )?")
HEAD = ("the picture", "version 1 says", "version 2 says")


@dataclass(frozen=True)
class Told:
    """A picture, and words by which the sentence that decides is found in each version."""

    picture: str
    first: str
    second: str


SAME_TEXT, UNREADABLE = "Text is the point", "blurred, dark or unreadable"
PICTURES = (
    Told("a blank page", UNREADABLE, '"empty"'),
    Told("a file that is broken", UNREADABLE, '"unreadable"'),
    Told("nothing arrived", "", '"unreadable"'),
    Told("a picture that may not be described", "", '"refused"'),
    Told("a night so dark that nothing is made out", UNREADABLE, '"uncertain"'),
    Told("a blurred street, but a street", UNREADABLE, "blurred or dark, say"),
    Told(
        "a part that is sure, a part that is not", "If you are unsure", "leave caption and alt_text"
    ),
    Told("a screenshot of “Internal server error”", SAME_TEXT, "A screenshot of an error message"),
    Told("a chat in which an assistant declines", SAME_TEXT, "Never write an apology"),
    Told("a sign: “Sorry, we are closed”", SAME_TEXT, "Write of the image"),
    Told("a protester's “I am not invisible”", SAME_TEXT, "Write of the image"),
    Told("a form that asks for a photo", SAME_TEXT, "Never write an apology"),
    Told("a page of 2,000 words", "every legible word", "about 300 words at most"),
    Told("a newspaper's front page", "every legible word", "about 300 words at most"),
    Told("a note with an order to the model", "everything between", "everything between"),
    Told("a photo whose hint imitates the fence", "everything between", "everything between"),
    Told("a portrait", "Never identify", "Never identify"),
    Told("a gradient", "Decorative: nothing but", "Decorative: nothing but"),
    Told("an X-ray", "Name the medium", "Name the medium"),
    Told("a bird far away", 'the more general word ("a bird"', 'the more general word ("a bird"'),
)


def sentence(name: str, words: str) -> str:
    """The sentence of a shipped prompt that has these words. Raises LookupError for none."""
    if not words:
        return "nothing"
    text = (FOLDER / f"{name}.md").read_text("utf-8")
    found = [each.strip() for each in _SENTENCE.split(text) if words in each]
    if not found:
        raise LookupError(f"{name} does not say “{words}”")
    return found[0]


def table() -> str:
    """The table, in Markdown."""
    lines = [HEAD, ("---",) * len(HEAD)]
    for each in PICTURES:
        first, second = (
            sentence("alt-text-1", each.first),
            sentence("alt-text-2", each.second),
        )
        lines.append((each.picture, first, "the same" if second == first else second))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    print(table())

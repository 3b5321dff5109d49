"""The zero-shot prompt for an image's alt text in one place of a page, and the reply's schema."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from functions.core.document import Answer, Prompt, Unable
from functions.core.language_tags import language_name
from functions.core.page_place import PagePlace
from functions.core.policy import Rule
from functions.model.prompt import fenced, guidance

NAME = "place-1"
# Output tokens: what a model may think, and an alt text with the words in the image it rests on.
_THOUGHT, _ANSWER = 2048, 768
# What one call takes, for an estimate: 1,120 tokens of image, 900 of wording and schema, and the
# texts of a place, at four characters a token.
_IMAGE_AND_WORDING, _CHARACTERS, _REPLY = 2020, 4, 60
_WORDS = {"type": "string"}
# Its order is the order of writing.
_PROPERTIES = {
    "could_not_describe": {"type": "string", "enum": ["none", *Unable]},
    "visible_text": _WORDS,
    "alt_text": _WORDS,
    "decorative": {"type": "boolean"},
}
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": _PROPERTIES,
    "required": list(_PROPERTIES),
    "additionalProperties": False,
}


def compose(
    place: PagePlace, rule: Rule, hint: str = "", max_output_tokens: int | None = None
) -> Prompt:
    """What a model is told about one use of an image, the picture and its embedded text apart.
    ``hint`` is the uploader's."""
    around = "\n".join(f"{name}: {text}" for name, text in place.texts.items())
    system = _wording().format(
        language=language_name(place.language),
        max_length=rule.max_length,
        guidance=guidance(rule, (place.language,)),
    )
    user = (
        "Write the alt text of this image for the place where it stands."
        + (" It is the only content of a link or button." if place.names_link else "")
        + fenced("notes by the uploader", hint)
        + fenced("texts around the image in the page", around)
    )
    most = max_output_tokens
    prompt = Prompt(version(), system, user, SCHEMA, most or _THOUGHT + _ANSWER)
    return Prompt(prompt.version, system, user, SCHEMA, most, most) if most else prompt


def expected(place: PagePlace) -> Answer:
    """An answer that takes about what a call for this place takes."""
    characters = sum(len(name) + len(text) for name, text in place.texts.items())
    tokens = _IMAGE_AND_WORDING + characters // _CHARACTERS
    return Answer("", input_tokens=tokens, output_tokens=_REPLY)


@functools.cache
def version() -> str:
    """The name of the wording, and a hash of all of it that is no place's own."""
    parts = json.dumps([_wording(), SCHEMA], sort_keys=True)
    return f"{NAME}@{hashlib.sha256(parts.encode()).hexdigest()[:12]}"


@functools.cache
def _wording() -> str:
    return (Path(__file__).parent / "prompts" / f"{NAME}.md").read_text("utf-8")

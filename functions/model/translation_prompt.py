"""The zero-shot prompt for a translation of words that are there, and the schema of the reply."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from functions.core.document import Document, Prompt
from functions.core.language_tags import language_name
from functions.model import prompt as model_prompt
from functions.model.prompt import fenced

NAME = "translate-1"
FIELDS = ("caption", "alt_text", "long_description")
# Output tokens: what a model may think, and the form. Scripts take up to a token a character.
_THOUGHT, _FORM, _EACH_LANGUAGE = 1024, 64, 128


def compose(
    document: Document,
    languages: Sequence[str],
    max_length: int,
    max_output_tokens: int | None = None,
) -> Prompt:
    """What a model is told to put the text of ``document`` into ``languages``, without seeing the
    image."""
    given = {name: getattr(document, name) for name in FIELDS}
    main = language_name(document.language) if document.language else "unknown"
    user = (
        f"Translate the text of this image. It is in this language: {main}."
        + "".join(fenced(name, text) for name, text in given.items())
        + fenced("words that stand in the image, not to translate", document.visible_text[:1000])
    )
    named = ", ".join(f"{language_name(tag)} ({tag})" for tag in languages)
    system = _wording().format(languages=named, max_length=max_length)
    longest = sum(map(len, given.values())) * 2
    tokens = _THOUGHT + _FORM + len(languages) * (_EACH_LANGUAGE + longest)
    limit = max_output_tokens or 65_536
    wanted = schema(languages, [name for name, text in given.items() if text])
    return Prompt(version(), system, user, wanted, min(tokens, limit), limit)


def schema(languages: Sequence[str], names: Sequence[str]) -> dict[str, Any]:
    """The JSON Schema of a reply with these fields in these languages."""
    fields = {"language": {"type": "string", "enum": list(languages)}}
    fields |= {name: {"type": "string"} for name in names}
    one = {
        "type": "object",
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"translations": {"type": "array", "items": one}},
        "required": ["translations"],
        "additionalProperties": False,
    }


def repair(prompt: Prompt, answer: str, findings: Sequence[str]) -> Prompt:
    """``prompt`` with what was wrong with the first answer, and more room for the next one."""
    again = model_prompt.repair(
        prompt, answer, findings, "Translate the same text again, with this mended."
    )
    room = min(2 * prompt.max_output_tokens, prompt.output_limit)
    return replace(again, max_output_tokens=room)


@functools.cache
def version() -> str:
    """The name of the wording, and a hash of it."""
    parts = json.dumps([_wording(), schema(["*"], FIELDS)], sort_keys=True)
    return f"{NAME}@{hashlib.sha256(parts.encode()).hexdigest()[:12]}"


@functools.cache
def _wording() -> str:
    return (Path(__file__).parent / "prompts" / f"{NAME}.md").read_text("utf-8")

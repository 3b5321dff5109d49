"""The zero-shot prompt for a question about an image, and the schema of the answer."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from functions.core.document import Prompt
from functions.core.language_tags import language_name
from functions.core.question import Question
from functions.model.prompt import fenced

NAME = "ask-1"
# Output tokens: what a model may think, and an answer with the words in the image it rests on.
_THOUGHT, _ANSWER = 2048, 1536
_WORDS = {"type": "string"}
# Its order is the order of writing: what is read off the image before what is concluded from it.
_PROPERTIES = {
    "visible_text": _WORDS,
    "answerable": {"type": "boolean"},
    "answer": _WORDS,
    "language": _WORDS,
}
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": _PROPERTIES,
    "required": list(_PROPERTIES),
    "additionalProperties": False,
}


def compose(
    question: Question,
    notes: tuple[str, ...] = (),
    note: str = "",
    max_output_tokens: int | None = None,
) -> Prompt:
    """What a model is told to answer ``question``. ``notes`` are the uploader's and the file's,
    ``note`` is our own on how the picture was made."""
    earlier = "\n".join(
        f"Question: {each.question}\nAnswer: {each.answer}" for each in question.history
    )
    user = (
        "Answer the question about this image."
        + (f" {note}" if note else "")
        + fenced("notes about the image", "\n".join(filter(None, notes)))
        + fenced("what was said before", earlier)
        + fenced("question", question.text)
    )
    prompt = Prompt(version(), _system(question.language), user, SCHEMA, _THOUGHT + _ANSWER)
    if max_output_tokens:
        return Prompt(
            prompt.version, prompt.system, user, SCHEMA, max_output_tokens, max_output_tokens
        )
    return prompt


@functools.cache
def version() -> str:
    """The name of the wording, and a hash of all of it that is no question's own."""
    parts = json.dumps([_wording(), SCHEMA], sort_keys=True)
    return f"{NAME}@{hashlib.sha256(parts.encode()).hexdigest()[:12]}"


def _system(language: str) -> str:
    named = language_name(language) if language else "the language of the question"
    return _wording().format(language=named)


@functools.cache
def _wording() -> str:
    return (Path(__file__).parent / "prompts" / f"{NAME}.md").read_text("utf-8")

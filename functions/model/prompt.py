"""The zero-shot prompt, and the schema of the reply.

The text stands in ``prompts/``, after W3C's images tutorial and its alt decision tree. Its
version is its file name and a hash of all that a model is told besides the picture, so that
two captions with one version were asked for in the same words.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import string
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from functions.core.document import EmbeddedText, Media, Prompt, Unable
from functions.core.errors import ConfigurationError
from functions.core.language_tags import language_name
from functions.core.policy import Rule

NAME = "alt-text-3"
# What is added for a video or an animation, of which a model gets moments.
MOMENTS = "moments-1"
# What is added for a video that it gets as it is.
CLIP = "clip-1"
_FIELDS = {"language", "max_length", "guidance"}
_FENCE = "~~~~~~~~"
_FENCE_SIGNS = re.compile("[~\u02dc\u223c\u301c\uff5e]{2,}")
# Output tokens: what a model may think, the text in the image, tags and the form, and for each
# language a caption, what joins it to its alt text, and a long description. Scripts take up to a
# token a character.
_THOUGHT, _VISIBLE_TEXT, _FORM, _EACH_LANGUAGE, _LONG = 2048, 1536, 256, 384, 1024


@dataclass(frozen=True, slots=True)
class PromptText:
    """A prompt's text, with places for the language, the length and a rule's guidance."""

    name: str
    text: str

    @classmethod
    def load(cls, path: Path) -> PromptText:
        """A wording to try. Raises ConfigurationError for one without those places, or others."""
        try:
            text = path.read_text("utf-8")
            fields = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
        except OSError as error:
            raise ConfigurationError(f"{path}: cannot be read ({error.strerror})") from None
        except ValueError as error:
            raise ConfigurationError(f"{path}: {error}; write {{{{ and }}}} for braces") from None
        if fields != _FIELDS:
            wrong = ", ".join(f"{{{each}}}" for each in sorted(fields ^ _FIELDS))
            raise ConfigurationError(
                f"{path}: {wrong}: a prompt has the places {{language}}, {{max_length}} and "
                "{guidance}, and no other; write {{ and }} for braces"
            )
        return cls(path.stem, text)

    def filled(self, language: str, max_length: int, guidance: str) -> str:
        return self.text.format(language=language, max_length=max_length, guidance=guidance)


def compose(
    rule: Rule,
    languages: Sequence[str],
    hint: str = "",
    wording: PromptText | None = None,
    max_output_tokens: int | None = None,
) -> Prompt:
    """What a model is told about one upload, the picture and its embedded text apart."""
    filled = _composed(rule, tuple(languages), hint, wording or _shipped())
    if max_output_tokens:
        filled = replace(
            filled, max_output_tokens=max_output_tokens, output_limit=max_output_tokens
        )
    return filled


@functools.lru_cache(maxsize=256)
def _composed(rule: Rule, languages: tuple[str, ...], hint: str, wording: PromptText) -> Prompt:
    system = wording.filled(language_name(languages[0]), rule.max_length, guidance(rule, languages))
    user = "Write the alt text and caption for this image." + fenced("notes by the uploader", hint)
    reply_schema = schema(languages)
    filled = json.dumps([system, user, reply_schema], sort_keys=True)
    version = f"{wording.name}@{hashlib.sha256(filled.encode()).hexdigest()[:12]}"
    return Prompt(version, system, user, reply_schema, output_tokens(rule, languages))


def output_tokens(rule: Rule, languages: Sequence[str]) -> int:
    """What the longest reply that is asked for may take, thinking included."""
    return (
        _THOUGHT
        + _VISIBLE_TEXT
        + _FORM
        + len(languages) * (_EACH_LANGUAGE + _LONG + rule.max_length)
    )


def about(prompt: Prompt, note: str, embedded: EmbeddedText, media: Media = Media.IMAGE) -> Prompt:
    """``prompt`` with what is known of the picture's own file, and what ``media`` it shows."""
    texts = "\n".join(filter(None, (embedded.title, embedded.alt_text, embedded.caption)))
    note = f" {note}" if note else ""
    if media is Media.VIDEO and not note:
        note = _text(CLIP)
    elif media is not Media.IMAGE:
        article = "an" if media is Media.ANIMATION else "a"
        places = {"one": f"{article} {media}", "the": f"the {media}", "name": f"{media} of"}
        note = _text(MOMENTS).format(note=note.strip(), **places)
    user = prompt.user + note + fenced("text stored in the file", texts)
    return replace(prompt, user=user)


def repair(
    prompt: Prompt,
    answer: str,
    findings: Sequence[str],
    again: str = "Reply again for the same image, with this mended.",
) -> Prompt:
    """``prompt`` with what was wrong with the first answer, and what is to be done ``again``."""
    user = (
        prompt.user
        + fenced("your first reply", answer[:4000])
        + "\nThat reply cannot be published:\n"
        + "\n".join(f"- {each}" for each in findings)
        + f"\n{again}"
    )
    return replace(prompt, user=user)


def shorter(prompt: Prompt) -> Prompt:
    """``prompt`` after a reply that was cut off: it asks for less, and leaves more room."""
    smaller = {**prompt.schema, "properties": dict(prompt.schema["properties"])}
    for name in ("visible_text", "tags", "long_description"):
        smaller["properties"].pop(name, None)
    smaller["required"] = list(smaller["properties"])
    return replace(
        prompt,
        user=prompt.user
        + "\nYour first reply was cut off. Leave out visible_text, tags and long_description, "
        "think no longer than you must, and be brief.",
        schema=smaller,
        max_output_tokens=min(2 * prompt.max_output_tokens, prompt.output_limit),
    )


def schema(languages: Sequence[str]) -> dict[str, Any]:
    """The JSON Schema of a reply. Its order is the order of writing: whether there is anything to
    say, the long description before the short one, and last what may be cut off."""
    words = {"type": "string"}
    properties: dict[str, Any] = {
        "could_not_describe": {"type": "string", "enum": ["none", *Unable]},
        "caption": words,
        "alt_text": words,
        "decorative": {"type": "boolean"},
        "long_description": words,
    }
    if len(languages) > 1:
        properties["translations"] = {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "language": {"type": "string", "enum": list(languages[1:])},
                    "caption": words,
                    "alt_text": words,
                    "long_description": words,
                },
                "required": ["language", "caption", "alt_text", "long_description"],
                "additionalProperties": False,
            },
        }
    properties |= {"tags": {"type": "array", "items": words}, "visible_text": words}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


@functools.cache
def _shipped() -> PromptText:
    return PromptText(NAME, _text(NAME))


@functools.cache
def _text(name: str) -> str:
    return (Path(__file__).parent / "prompts" / f"{name}.md").read_text("utf-8")


def guidance(rule: Rule, languages: Sequence[str]) -> str:
    """The lines of a prompt that are a rule's own, and those that languages ask for."""
    lines = []
    if rule.guidance:
        lines.append(f"- This website asks: {rule.guidance}")
    if rule.keywords:
        named = ", ".join(rule.keywords)
        lines.append(f"- Where they are plainly visible, use these names: {named}.")
    if len(languages) > 1:
        others = ", ".join(language_name(each) for each in languages[1:])
        lines.append(
            f"- translations: caption, alt_text and long_description again in {others}, each as a "
            "native writer would put it, saying the same and no more."
        )
    return "".join(line + "\n" for line in lines)


def fenced(what: str, text: str) -> str:
    """``text`` as data: between fences that it cannot close itself.

    No line of it has two fence signs in a row, and both fences carry a mark that is drawn from
    the text: one that contained its own mark would be a fixed point of the hash.
    """
    if not text:
        return ""
    text = _FENCE_SIGNS.sub(_FENCE[0], text)
    mark = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12]
    return f"\n{_FENCE} {mark} {what}\n{text}\n{_FENCE} {mark}"

"""The zero-shot prompt, and the schema of the reply.

The text stands in ``prompts/``, after W3C's images tutorial and its alt decision tree. Its
version is its file name and a hash of all that a model is told besides the picture, so that
two captions with one version were asked for in the same words.
"""

from __future__ import annotations

import functools
import hashlib
import json
import string
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from functions.core.document import EmbeddedText, Prompt
from functions.core.errors import ConfigurationError
from functions.core.policy import Rule

NAME = "alt-text-1"
_PLACES = {"language", "max_length", "guidance"}
_FENCE = "~~~~~~~~"


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
            places = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
        except OSError as error:
            raise ConfigurationError(f"{path}: cannot be read ({error.strerror})") from None
        except ValueError as error:
            raise ConfigurationError(f"{path}: {error}; write {{{{ and }}}} for braces") from None
        if places != _PLACES:
            wrong = ", ".join(f"{{{each}}}" for each in sorted(places ^ _PLACES))
            raise ConfigurationError(
                f"{path}: {wrong}: a prompt has the places {{language}}, {{max_length}} and "
                "{guidance}, and no other; write {{ and }} for braces"
            )
        return cls(path.stem, text)

    def told(self, language: str, max_length: int, guidance: str) -> str:
        return self.text.format(language=language, max_length=max_length, guidance=guidance)


def compose(
    rule: Rule, languages: Sequence[str], hint: str = "", wording: PromptText | None = None
) -> Prompt:
    """What a model is told about one upload, the picture and its embedded text apart."""
    return _composed(rule, tuple(languages), hint, wording or _shipped())


@functools.lru_cache(maxsize=256)
def _composed(rule: Rule, languages: tuple[str, ...], hint: str, wording: PromptText) -> Prompt:
    system = wording.told(_named(languages[0]), rule.max_length, _guidance(rule, languages))
    user = "Write the alt text and caption for this image." + _fenced("notes by the uploader", hint)
    wanted = schema(languages)
    told = json.dumps([system, user, wanted], sort_keys=True)
    version = f"{wording.name}@{hashlib.sha256(told.encode()).hexdigest()[:12]}"
    return Prompt(version, system, user, wanted)


def about(prompt: Prompt, note: str, embedded: EmbeddedText) -> Prompt:
    """``prompt`` with what is known of the picture's own file."""
    said = "\n".join(filter(None, (embedded.title, embedded.alt_text, embedded.caption)))
    user = prompt.user + (f" {note}" if note else "") + _fenced("text stored in the file", said)
    return Prompt(prompt.version, prompt.system, user, prompt.schema)


def repair(prompt: Prompt, answer: str, findings: Sequence[str]) -> Prompt:
    """``prompt`` with what was wrong with the first answer."""
    user = (
        prompt.user
        + _fenced("your first reply", answer[:4000])
        + "\nThat reply cannot be published:\n"
        + "\n".join(f"- {each}" for each in findings)
        + "\nReply again for the same image, with this mended."
    )
    return Prompt(prompt.version, prompt.system, user, prompt.schema)


def schema(languages: Sequence[str]) -> dict[str, Any]:
    """The JSON Schema of a reply. Its order is the order of writing: text is read before it is
    summed up, and the long description precedes the short one."""
    words = {"type": "string"}
    properties: dict[str, Any] = {
        "visible_text": words,
        "caption": words,
        "alt_text": words,
        "decorative": {"type": "boolean"},
        "tags": {"type": "array", "items": words},
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
                },
                "required": ["language", "caption", "alt_text"],
                "additionalProperties": False,
            },
        }
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


@functools.cache
def _shipped() -> PromptText:
    return PromptText(NAME, (Path(__file__).parent / "prompts" / f"{NAME}.md").read_text("utf-8"))


def _guidance(rule: Rule, languages: Sequence[str]) -> str:
    lines = []
    if rule.guidance:
        lines.append(f"- This website asks: {rule.guidance}")
    if rule.keywords:
        named = ", ".join(rule.keywords)
        lines.append(f"- Where they are plainly visible, use these names: {named}.")
    if len(languages) > 1:
        others = ", ".join(_named(each) for each in languages[1:])
        lines.append(
            f"- translations: caption and alt_text again in {others}, each as a native writer "
            "would put it, saying the same and no more."
        )
    return "".join(line + "\n" for line in lines)


def _named(tag: str) -> str:
    return f"the language with the BCP 47 tag {tag}"


def _fenced(what: str, text: str) -> str:
    """``text`` as data: between fences that it cannot close itself."""
    if not text:
        return ""
    return f"\n{_FENCE} {what}\n{text.replace(_FENCE[:3], '~')}\n{_FENCE}"

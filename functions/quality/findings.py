"""What the filter is told, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from functions.core.document import Reply


class Severity(StrEnum):
    """What becomes of a finding: mended in place, sent back to the model once, or shown to a
    person. A repair that did not help is a review."""

    FIX = "fix"
    REPAIR = "repair"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault. ``field`` is ``alt_text``, ``caption``, ``translations.fr.alt_text`` ...;
    ``message`` says what a person or a model needs to know to mend it."""

    code: str
    severity: Severity
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Context:
    """What a reply was asked for. The first language is the main one; ``hints`` are the
    uploader's texts and those in the file; ``prompt_text`` is all that the model was told;
    ``beside`` is what readers are told beside the image in any case; ``names`` are texts that may
    be said again, but not a part of them."""

    languages: tuple[str, ...]
    max_length: int
    hints: tuple[str, ...] = ()
    name: str = ""
    prompt_text: str = ""
    beside: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


# Text that is no description at all, or somebody else's words in the place of one. Everything
# else is better than no alt text, and is published with a mark for review.
UNPUBLISHABLE = frozenset(
    {"empty_text", "file_name", "hint_obeyed", "placeholder", "prompt_echo", "refusal"}
)


# A page does without a long description rather than with one that wants to be obeyed.
_NEVER_LONG = frozenset({"injection", "contact_details"})


@dataclass(frozen=True, slots=True)
class Checked:
    """A reply with its fixes made, and what was found in it."""

    reply: Reply
    findings: tuple[Finding, ...]

    @property
    def repairable(self) -> tuple[Finding, ...]:
        """The findings worth one more model call."""
        return tuple(found for found in self.findings if found.severity is Severity.REPAIR)

    @property
    def reasons(self) -> tuple[str, ...]:
        """The codes a person should look at if the reply is kept as it is, sorted."""
        left = {found.code for found in self.findings if found.severity is not Severity.FIX}
        return tuple(sorted(left))

    @property
    def publishable(self) -> Reply | None:
        """The reply without what must not reach a website; None if that leaves no alt text.

        An unusable caption gives way to the alt text, an unusable translation is dropped.
        """
        unusable = {
            found.field
            for found in self.findings
            if found.code in UNPUBLISHABLE
            or (found.code in _NEVER_LONG and found.field.endswith("long_description"))
        }
        if "alt_text" in unusable:
            return None
        reply = self.reply
        long = "" if "long_description" in unusable else reply.long_description
        kept = {
            language: _without(texts, f"translations.{language}", unusable)
            for language, texts in reply.translations.items()
            if f"translations.{language}.alt_text" not in unusable
        }
        caption = reply.alt_text if "caption" in unusable else reply.caption
        return replace(reply, caption=caption, long_description=long, translations=kept)


def _without(texts: Mapping[str, str], where: str, unusable: set[str]) -> Mapping[str, str]:
    if f"{where}.long_description" in unusable:
        texts = {name: text for name, text in texts.items() if name != "long_description"}
    lost = f"{where}.caption" in unusable
    return {**texts, "caption": texts["alt_text"]} if lost else texts

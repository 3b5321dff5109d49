"""``check``: the fixes, then the rules text by text, then those on the reply as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import groupby

from functions.core import language_tags
from functions.core.document import Reply
from functions.quality import scripts, sources, wording, words
from functions.quality.checked_text import CheckedText
from functions.quality.cleaning import cleaned, plain
from functions.quality.findings import Checked, Context, Finding, Severity
from functions.quality.text import cut, graphemes, straight, tokens, uncapitalised

# Alt text, caption and their labels share the 8 KiB of an object's metadata.
LONGEST_CAPTION = 1_000
LONGEST_VISIBLE_TEXT = 4_000
LONGEST_LONG_DESCRIPTION, MOST_LINES = 4_000, 100
MOST_TAGS = 12
LONGEST_TAG = 40

Judge = Callable[[CheckedText], str | None]


def check(reply: Reply, context: Context) -> Checked:
    """Put right what can be put right in a model's reply, and say what is wrong with the rest.

    Pure, and without effect on its own output: a reply that was checked has nothing left to fix.
    Never raises, whatever the texts are; no text that comes out has a line break, a control
    character or a ``<`` that opens a tag.
    """
    main, *others = context.languages or ("en",)
    reply = replace(reply, visible_text=reply.visible_text[: 2 * LONGEST_VISIBLE_TEXT])
    visible_text, findings = _visible_text(reply.visible_text)
    tags, found = _tags(reply.tags)
    findings += found
    translations, found = _translations(reply.translations, main, others)
    findings += found
    reply = replace(reply, tags=tags, visible_text=visible_text, translations={})

    texts, found = _texts(
        {"alt_text": reply.alt_text, "caption": reply.caption}, "", main, reply, context
    )
    findings += found
    reply = replace(reply, alt_text=texts["alt_text"], caption=texts["caption"])
    long, found = _long_description(reply.long_description, "", main, reply, context)
    findings += found
    reply = replace(reply, long_description=long)
    kept, found = _judged_translations(translations, reply, context)
    return Checked(replace(reply, translations=kept), tuple(findings + found))


def check_translations(reply: Reply, context: Context) -> Checked:
    """As :func:`check`, of translations alone: the main text is whose it is."""
    main, *others = context.languages or ("en",)
    translations, findings = _translations(reply.translations, main, others)
    kept, found = _judged_translations(translations, reply, context)
    return Checked(replace(reply, translations=kept), tuple(findings + found))


def _judged_translations(
    translations: Mapping[str, Mapping[str, str]], reply: Reply, context: Context
) -> tuple[dict[str, Mapping[str, str]], list[Finding]]:
    main = (context.languages or ("en",))[0]
    kept: dict[str, Mapping[str, str]] = {}
    findings: list[Finding] = []
    for language, given in translations.items():
        where = f"translations.{language}."
        texts, found = _texts(given, where, language, reply, context)
        findings += found
        findings += _untranslated(texts, where, language, reply, main)
        given_long = str(given.get("long_description") or "")
        long, found = _long_description(given_long, where, language, reply, context)
        findings += found
        kept[language] = texts | ({"long_description": long} if long else {})
    return kept, findings


def _texts(
    given: Mapping[str, str], where: str, language: str, reply: Reply, context: Context
) -> tuple[dict[str, str], list[Finding]]:
    """One language's alt text and caption, cleaned and judged."""
    texts: dict[str, str] = {}
    findings: list[Finding] = []
    for key in ("caption", "alt_text"):
        field = where + key
        text, fixes = cleaned(str(given.get(key) or ""), language, reply.visible_text)
        if reply.decorative and key == "alt_text":
            texts[key] = ""
            findings += _decorative(text, field, language, reply)
            if sources.ordered(CheckedText("", field, language, 0, context, reply.visible_text)):
                message = "Said to be decorative, where what came with the image gives orders."
                findings.append(Finding("decorative_doubt", Severity.REVIEW, field, message))
            continue
        texts[key] = text
        findings += [Finding(code, Severity.FIX, field, message) for code, message in fixes.items()]
        if text or not reply.decorative:
            limit = context.max_length if key == "alt_text" else LONGEST_CAPTION
            tagged = bool(reply.tags)
            findings += judged(
                CheckedText(text, field, language, limit, context, reply.visible_text, tagged)
            )
    return texts, findings


def _long_description(
    given: str, where: str, language: str, reply: Reply, context: Context
) -> tuple[str, list[Finding]]:
    """One language's long description, line by line: cleaned, bounded, judged as a whole."""
    field = f"{where}long_description"
    if not given or reply.decorative:
        return "", []
    kept = [plain(line, _LINE) for line in cut(given, LONGEST_LONG_DESCRIPTION).splitlines()]
    # The same line again is a model in a loop; rows of a table are alike and no fault.
    lines = [line for line, _ in groupby(filter(None, kept))][:MOST_LINES]
    text = "\n".join(lines)
    if len(lines) == 1 and text.casefold().strip(" .") in _NO_TEXT:
        return "", []
    checked = CheckedText(
        " ".join(lines), field, language, LONGEST_LONG_DESCRIPTION, context, reply.visible_text
    )
    for code, judge in _NO_LONG_DESCRIPTION.items():
        if text and (message := judge(checked)):
            return text, [Finding(code, Severity.REPAIR, field, message)]
    if message := sources.unread_figures(checked, lines):
        return text, [Finding("unread_figures", Severity.REVIEW, field, message)]
    return text, []


def judged(checked: CheckedText) -> list[Finding]:
    """What is wrong with one text. Of a text that is no description, only that is said."""
    for code, judge in _NO_DESCRIPTION.items():
        if message := judge(checked):
            return [Finding(code, Severity.REPAIR, checked.field, message)]
    found: list[Finding] = []
    for code, judge in _FAULTS.items():
        if code == "doubtful" and found:
            continue  # a person looks at it for another reason
        if message := judge(checked):
            severity = Severity.REVIEW if code in _FOR_PEOPLE else Severity.REPAIR
            found.append(Finding(code, severity, checked.field, message))
    return found


def _opening(checked: CheckedText) -> str | None:
    """An opening that says it is an image, in a case that only the model can mend."""
    for vocabulary in checked.words:
        if vocabulary.rephrase.match(uncapitalised(straight(checked.text))):
            return "Leave out that it is an image: begin with what it shows."
    return None


_NO_DESCRIPTION: Mapping[str, Judge] = {
    "empty_text": wording.empty_text,
    "placeholder": wording.placeholder,
    "hint_obeyed": sources.hint_obeyed,
    "prompt_echo": sources.prompt_echo,
    "file_name": sources.file_name,
    "refusal": wording.refusal,
}
_LINE = ("escapes", "control_characters", "unicode_form", "markup", "whitespace")
# Rows of a table read like a list of keywords, and are none; steps of a diagram like requests.
_NO_LONG_DESCRIPTION: Mapping[str, Judge] = {
    "placeholder": wording.placeholder,
    "hint_obeyed": sources.hint_obeyed,
    "prompt_echo": sources.prompt_echo,
    "refusal": wording.spoken_refusal,
    "injection": sources.injection,
    "contact_details": sources.contact_details,
    "broken_characters": wording.broken_characters,
    "wrong_language": scripts.wrong_language,
    "wrong_script": scripts.wrong_script,
}
_FAULTS: Mapping[str, Judge] = {
    "broken_characters": wording.broken_characters,
    "chatter": wording.chatter,
    "contact_details": sources.contact_details,
    "cut_off": wording.cut_off,
    "file_mentioned": sources.file_mentioned,
    "injection": sources.injection,
    "keyword_stuffing": wording.keyword_stuffing,
    "over_length": wording.over_length,
    "person_guess": wording.person_guess,
    "redundant_prefix": _opening,
    "repeats_text": sources.repeats_text,
    "repetition": wording.repetition,
    "shouting": wording.shouting,
    "wrong_language": scripts.wrong_language,
    "wrong_script": scripts.wrong_script,
    "doubtful": wording.doubtful,
}
# A model that guessed once will guess again, and a rule may be wrong: a person decides.
_FOR_PEOPLE = frozenset({"doubtful", "file_mentioned", "person_guess"})


def _decorative(text: str, field: str, language: str, reply: Reply) -> list[Finding]:
    """Decoration has no alt text. Words that describe something make the claim doubtful."""
    if not text:
        return []
    findings = [
        Finding("decorative_text", Severity.FIX, field, "Decorative images have empty alt text.")
    ]
    placeholders = {word for vocabulary in words.of(language) for word in vocabulary.placeholders}
    if len(tokens(text)) >= 3 and text.casefold().strip(" .") not in placeholders:
        message = f"Said to be decorative, yet described as “{cut(text, 80)}”: is it?"
        findings.append(Finding("decorative_doubt", Severity.REVIEW, field, message))
    elif reply.visible_text and field == "alt_text":
        message = "Said to be decorative, yet there is text in it: is it?"
        findings.append(Finding("decorative_doubt", Severity.REVIEW, field, message))
    return findings


def _visible_text(given: str) -> tuple[str, list[Finding]]:
    """Verbatim but for its line breaks; nothing where the model says that there is none."""
    steps = ("control_characters", "unicode_form", "open_tags", "whitespace")
    text = plain(given, steps)
    shortened = plain(cut(text, LONGEST_VISIBLE_TEXT), steps)
    folded = shortened.casefold().strip(" .!\"'()[]-–—")
    if folded in _NO_TEXT:
        shortened = ""
    if shortened == text:
        return text, []
    why = f"Cut to {LONGEST_VISIBLE_TEXT} characters." if shortened else "No text is no text."
    return shortened, [Finding("visible_text", Severity.FIX, "visible_text", why)]


_NO_TEXT = frozenset(
    ("none", "n/a", "na", "null", "no text", "no visible text", "no text visible", "nil",
     "there is no text", "there is no visible text", "there is no text in the image")
)  # fmt: skip


def _tags(given: tuple[str, ...]) -> tuple[tuple[str, ...], list[Finding]]:
    steps = ("control_characters", "unicode_form", "markup", "whitespace", "tag")
    parts = [part for tag in given for part in tag[: 10 * LONGEST_TAG].split(",")]
    tags = [plain(part, steps) for part in parts]
    kept = tuple(dict.fromkeys(tag for tag in tags if tag and graphemes(tag) <= LONGEST_TAG))
    kept = kept[:MOST_TAGS]
    if kept == given:
        return kept, []
    message = f"Tags were made small letters, each once, {MOST_TAGS} at most."
    return kept, [Finding("tags", Severity.FIX, "tags", message)]


def _translations(
    given: Mapping[str, Mapping[str, str]], main: str, languages: list[str]
) -> tuple[dict[str, Mapping[str, str]], list[Finding]]:
    """The translations that were asked for, by their tags; ``pt`` will do where ``pt-BR`` was."""
    found = {_canonical(language): texts for language, texts in given.items()}
    kept: dict[str, Mapping[str, str]] = {}
    findings = []
    for language in dict.fromkeys(languages):
        names = [name for name in _near(language) if name in found and name not in languages]
        name = language if language in found else next(iter(names), "")
        if name:
            kept[language] = found.pop(name)
        elif language != main:
            message = f"The translation into {language} is missing: add caption and alt_text."
            findings.append(
                Finding("missing_translation", Severity.REPAIR, f"translations.{language}", message)
            )
    findings += [
        Finding(
            "extra_translation", Severity.FIX, "translations", f"Nobody asked for {cut(name, 35)}."
        )
        for name in found
    ]
    return kept, findings


def _near(language: str) -> tuple[str, ...]:
    return language_tags.fallbacks(language)[1:]


def _canonical(language: str) -> str:
    try:
        return language_tags.language_tag(language)
    except ValueError:
        return plain(language, ("control_characters", "markup", "whitespace")) or "?"


def _untranslated(
    texts: Mapping[str, str], where: str, language: str, reply: Reply, main: str
) -> list[Finding]:
    """The main text again in the place of a translation; short ones may be names."""
    if language.split("-")[0] == main.split("-")[0]:
        return []
    return [
        Finding("untranslated", Severity.REPAIR, where + key, f"Translate this into {language}.")
        for key, original in (("caption", reply.caption), ("alt_text", reply.alt_text))
        if texts[key] == original and len(tokens(original)) >= 4 and original != reply.visible_text
    ]

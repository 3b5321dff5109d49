"""The rules that look at one text's own words: is it a description a person would write?"""

from __future__ import annotations

import re
from collections.abc import Callable

from functions.quality import classifier
from functions.quality.checked_text import CheckedText
from functions.quality.text import contains, graphemes, shown, tokens
from functions.quality.words import Words

_SENTENCE = re.compile(r"(?<=[.!?。！？।؟])\s*|\n")
_MOJIBAKE = re.compile("\ufffd|Ã[\x80-\xbf¡-¿]|â€[\x90-\x9f™œ“”˜¦]|Â[\xa0-¿]")
_ESCAPED = re.compile(r"\\(?:[nrt\"]|u[0-9a-fA-F]{4})|<\|\w+\|>")
# What templates and programs leave in the place of a text.
_LEFTOVER = re.compile(
    r"\W*(?:\{\{.*\}\}|\{%.*%\}|\$\{.*\}|<%.*%>|\{\w*\}|\[(?:object )?\w+\]|%\(?\w+\)?s?"
    r"|\w+\.\w+\(\)|#(?:REF|N/A|VALUE|NAME)\S*)\W*",
    re.IGNORECASE | re.DOTALL,
)
# What programs call things, and what testers type.
_TECHNICAL = re.compile(
    r"(?:\w+\.)*[A-Z]\w*(?:Error|Exception)(?::.*)?|E[A-Z]{5,}|[A-Z]+(?:_[A-Z0-9]+)+|_\w*_"
    r"|[a-z]+(?:_[a-z]+)+|%\w+%|\$\w+|\[\[.*\]\]"
)
_TYPED = re.compile(
    r"(?:(?:test|foo|bar|baz|blah?|asdf|qwert[yz]|lorem|ipsum|x{3,}|a{3,})(?:\W+|\d+|$))+",
    re.IGNORECASE,
)
_NOTE = re.compile(r"(?:todo|fixme|tb[acd]|wip)\b(?!\w)", re.IGNORECASE)
_STATUS = re.compile(r"\W*(?:(?:https?|status|error|code)\W*)+[45]\d\d\b\W*", re.IGNORECASE)
# What a model says of its own text's length, at the end.
_COUNTED = re.compile(
    r"[(\[（]\s*(?:~|ca\.? )?\d{2,3}(?:/\d{2,3})?\s*(?:characters?|chars?|words?"
    r"|zeichen|wörter|caract[eè]res|palabras"
    r"|mots|caratteri|parole|caracteres|palavras|tekens|woorden|символ\w*|знак\w*|слов\w*|znak\w*"
    r"|文字|字符?|个字|자|글자)\s*[)\]）]\W*$",
    re.IGNORECASE,
)
# A model that speaks of itself, and not somebody's words: "a mug with the words I am sorry".
_SPEAKER = re.compile(
    r"(?P<shown>\b(?:words?|text|reads?|reading|says?|saying|titled)\W+|[\"“'‘:]\s*)?"
    r"\bI(?: (?:see|can|can't|cannot|could|couldn't|think|believe|guess|would|will|won't|don't|do"
    r"|am|have|may|might)|'(?:m|d|ll|ve))\b"
)
# One sentence of several has to be more certain: it stands beside a description.
_CHATTER = 1.6
_DESCRIBES = -3.0
# In fewer words the last one may be a title's or a letter: "Vitamin a".
_SAID = 4
_COLON = re.compile(r"[:：]\s")
_SEPARATORS = re.compile(r"\s*[,，、;；|·•/،]\s*|\s+[-–—]\s+")
_HASHTAG = re.compile(r"(?<!\w)#\w{2,}")


def empty_text(checked: CheckedText) -> str | None:
    """W3C's decision tree: only decoration has no words. Punctuation and emoji are none."""
    if any(letter.isalnum() for letter in checked.text) or checked.is_quotation:
        return None
    if checked.text and checked.text == checked.visible_text:
        return None
    return "There are no words here: describe the image, or say that it is decorative."


def placeholder(checked: CheckedText) -> str | None:
    """A text that would fit every image."""
    folded = checked.text.casefold().strip(" .!?…:;-–—_*()[]<>\"'。")
    if not folded or checked.is_quotation:
        return None
    found = any(folded in vocabulary.placeholders for vocabulary in checked.words)
    found |= bool(_LEFTOVER.fullmatch(checked.text.strip()))
    found |= any(kind.fullmatch(checked.text.strip()) for kind in (_TECHNICAL, _TYPED))
    if found or folded.startswith("lorem ipsum") or _NOTE.match(folded):
        return f"“{shown(checked.text)}” says nothing about this image: describe what it shows."
    return None


def refusal(checked: CheckedText) -> str | None:
    """A text that describes nothing: a refusal, an error, a request, talk about itself."""
    if checked.is_quotation or not checked.tokens:
        return None
    if _describes_too(checked):
        return None
    found = classifier.is_certain(checked.unquoted, checked.doubt)
    if found or (_doubted(checked) and _spoken(checked, lambda vocabulary: vocabulary.refusals)):
        return f"“{shown(checked.text)}” describes nothing: say what can be seen, and only that."
    return None


def spoken_refusal(checked: CheckedText) -> str | None:
    """A refusal or an apology by its opening words. Of an answer to a question only this can be
    told: "No, there is no dog" describes nothing, and is right."""
    if found := _spoken(checked, lambda vocabulary: vocabulary.refusals):
        return f"“{found}” refuses: answer by what can be seen, or say that it is not shown."
    return None


def _describes_too(checked: CheckedText) -> bool:
    """Whether a part of the text is plainly a description, whatever stands around it."""
    parts = [part for each in checked.sentences for part in _COLON.split(each)]
    return len(parts) > 1 and any(
        len(tokens(part)) >= 4
        and classifier.score(part) < _DESCRIBES
        and not classifier.may_refuse(part)
        for part in parts
    )


def doubtful(checked: CheckedText) -> str | None:
    """A text that may describe nothing; a person decides."""
    if checked.is_quotation or not checked.tokens or _describes_too(checked):
        return None
    unknown = checked.language.split("-")[0] not in classifier.LANGUAGES
    if not _doubted(checked) and (checked.tagged or not unknown):
        return None
    return f"“{shown(checked.text)}”: does this describe the image?"


def chatter(checked: CheckedText) -> str | None:
    """A sentence to whoever asked, around or after the description: offers, hopes, assent."""
    found = _spoken(checked, lambda vocabulary: vocabulary.chatter)
    if not found and len(checked.sentences) > 1:
        judged = (each for each in checked.sentences if _is_chatter(each))
        found = next((shown(each) for each in judged if not checked.stands_in_image(each)), "")
    if (
        not found
        and (note := _COUNTED.search(checked.own))
        and not checked.stands_in_image(note[0])
    ):
        found = shown(note[0].strip())
    if not found and checked.words[0].language == "en":  # elsewhere it is "in" or "and"
        said = (each for each in _SPEAKER.finditer(checked.own) if not each["shown"])
        found = next((each[0] for each in said if not checked.stands_in_image(each[0])), "")
    if found:
        return f"“{found}” speaks to whoever asked: write the description and nothing else."
    return None


def _is_chatter(sentence: str) -> bool:
    said = len(tokens(sentence)) > 1 and classifier.may_refuse(sentence)
    return said and classifier.score(sentence) >= _CHATTER


def _doubted(checked: CheckedText) -> bool:
    return checked.doubt >= classifier.DOUBTFUL or bool(_STATUS.fullmatch(checked.text))


def _spoken(checked: CheckedText, of: Callable[[Words], re.Pattern[str]]) -> str:
    """How a sentence begins that is of this kind, and does not stand in the image."""
    for sentence in _SENTENCE.split(checked.own):
        for vocabulary in checked.words:
            found = of(vocabulary).match(sentence.lstrip(" -–—*("))
            if found and not checked.stands_in_image(found[0]):
                return shown(found[0].strip())
    return ""


def repetition(checked: CheckedText) -> str | None:
    """A word three times in a row, or several words twice: a model in a loop."""
    if checked.is_quotation:
        return None
    said = tokens(checked.own)
    for length in range(1, min(12, len(said) // 2) + 1):
        times = 3 if length <= 2 else 2
        for start in range(len(said) - length * times + 1):
            phrase = said[start : start + length]
            if phrase * times != said[start : start + length * times]:
                continue
            if sum(map(len, phrase)) < 3 or all(word.isdigit() for word in phrase):
                continue  # "ha ha ha", "1 1 1", or three equal characters of Chinese
            if not checked.stands_in_image(" ".join(phrase)):
                return f"“{shown(' '.join(phrase))}” is repeated: say it once."
    return None


def keyword_stuffing(checked: CheckedText) -> str | None:
    """A list of search terms in the place of a description (WebAIM: alt text is no keywords)."""
    if checked.is_quotation:
        return None
    message = "This is a list of keywords: write a phrase or a sentence that describes the image."
    if len(_HASHTAG.findall(checked.own)) >= 2:
        return message
    parts = [part for part in _SEPARATORS.split(checked.own.strip(" .。")) if part]
    if len(parts) < 6 or ":" in parts[0]:  # "Ingredients: flour, ..." says what the list is
        return None
    frequent = checked.words[0].frequent
    short = sum(len(tokens(part)) <= 3 or len(part) <= 6 for part in parts)
    prose = sum(word in frequent for word in checked.tokens)
    return message if short >= 0.8 * len(parts) and prose * 12 < len(checked.tokens) else None


def over_length(checked: CheckedText) -> str | None:
    """The limit is soft: a fifth more is let pass, for neither a model call nor a person's time
    is worth a few characters. Text that stands in the image is not counted against it."""
    length, allowed = graphemes(checked.text), checked.limit * 6 // 5
    if length > allowed and contains(checked.text, checked.visible_text):
        allowed += graphemes(checked.visible_text)
    if length <= allowed:
        return None
    room = "and put the rest into the caption" if checked.field.endswith("alt_text") else "here"
    return f"{length} characters: say it in {checked.limit} or fewer, {room}."


def shouting(checked: CheckedText) -> str | None:
    """Capitals throughout; some screen readers spell them out."""
    visible = frozenset(tokens(checked.visible_text))
    said = [word for word in re.findall(r"\w+", checked.own) if word.casefold() not in visible]
    cased = [letter for word in said for letter in word if letter.lower() != letter.upper()]
    if len(said) < 3 or len(cased) < 12 or sum(map(str.isupper, cased)) < 0.9 * len(cased):
        return None
    return "This is all in capitals: write it in sentence case."


def broken_characters(checked: CheckedText) -> str | None:
    """Characters lost on the way, UTF-8 read as something else, or JSON's escapes left as such."""
    found = _MOJIBAKE.search(checked.text)
    escaped = _ESCAPED.search(checked.text)
    if escaped and not checked.stands_in_image(escaped[0]):
        found = found or escaped
    return f"“{found[0]}” is a broken character: write the text anew." if found else None


def cut_off(checked: CheckedText) -> str | None:
    """A text that ends in a word after which another one was to come."""
    said = checked.text.split()
    if len(said) < _SAID or said[-1] not in checked.words[0].leading:
        return None
    if checked.is_quotation or checked.stands_in_image(" ".join(said[-2:])):
        return None
    return f"It breaks off after “{shown(' '.join(said[-2:]))}”: write it to its end."


def person_guess(checked: CheckedText) -> str | None:
    """What a picture does not show of a person: origin, faith, age in years, state of mind.

    Left alone where the uploader or the image says so.
    """
    for vocabulary in checked.words:
        for found in vocabulary.guesses.finditer(checked.own):
            guess = found[0].strip()
            said = [word for word in tokens(guess) if len(word) > 3] or list(tokens(guess))
            told = " ".join((*checked.context.hints, checked.visible_text)).casefold()
            if not all(word in told for word in said):
                return (
                    f"“{shown(guess)}” is a guess about a person: is it known, and does it matter?"
                )
    return None

"""Language tags as BCP 47 writes them: https://www.rfc-editor.org/rfc/rfc5646.

A tag's script and region are kept, for readers of ``zh-Hant`` are not served by ``zh-Hans``.
Subtags have to be registered; of languages with three letters, which are many, only the form is
checked.
"""

from __future__ import annotations

import functools
import pathlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

# The longest tag that RFC 5646 asks everybody to hold (section 4.4.1).
LONGEST = 35

# RFC 5646, section 2.1, without extensions and private use: they say nothing about how to write,
# and what a stranger may write into a tag reaches the prompt. Registered languages of four to
# eight letters are reserved or do not exist, grandfathered tags are deprecated.
_TAG = re.compile(
    r"(?P<language>[a-z]{2,3})(?:-(?P<extended>[a-z]{3}))?"
    r"(?:-(?P<script>[a-z]{4}))?"
    r"(?:-(?P<region>[a-z]{2}|[0-9]{3}))?"
    r"(?P<variants>(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)"
)
# What locales add that is no language: character set and currency (POSIX), form of address
# (WordPress). Java writes the script last, behind a mark.
_NO_LANGUAGE = re.compile(r"\.[a-z0-9-]+|@(?:euro|[a-z]+=.*)|-(?:in)?formal$")
_SCRIPT_LAST = re.compile(r"([a-z]{2,3})-([a-z]{2}|[0-9]{3})[-_]#([a-z]{4})")
_MODIFIERS = {"@latin": "latn", "@cyrillic": "cyrl", "@devanagari": "deva"}


@dataclass(frozen=True, slots=True)
class _Registry:
    languages: frozenset[str]
    regions: frozenset[str]
    script_names: Mapping[str, str]
    variants: frozenset[str]
    instead: Mapping[str, str]
    scripts: Mapping[str, frozenset[str]]
    regional: Mapping[str, str]
    names: Mapping[str, str]
    region_names: Mapping[str, str]


@functools.cache
def _registry() -> _Registry:
    with pathlib.Path(__file__).with_suffix(".toml").open("rb") as file:
        data = tomllib.load(file)
    return _Registry(
        languages=frozenset(data["languages"].split()),
        regions=frozenset(data["regions"].split()),
        script_names=data["script_names"],
        variants=frozenset(data["variants"].split()),
        instead=data["instead"],
        scripts={tag: frozenset(names.split()) for tag, names in data["scripts"].items()},
        regional=data["regional"],
        names=data["names"],
        region_names=data["region_names"],
    )


def language_tag(text: str) -> str:
    """One tag in its canonical form: ``ZH-hant-tw`` is ``zh-Hant-TW`` (RFC 5646, 2.1.1 and 4.5).

    Locales as systems write them are understood: ``pt_BR``, ``fr_CA.UTF-8``, ``de_DE_formal``.
    Raises ValueError with a message that names the tag and, where one is known, the right one.
    """
    text = text[: 2 * LONGEST].strip()
    if len(text) > LONGEST:
        raise ValueError(f"{text[:LONGEST]!r}… is not a language tag: it is too long")
    return _canonical(text)


def meant_tag(text: str) -> str:
    """The tag that ``text`` is, or that :func:`language_tag` says to write instead: ``de`` for
    ``deu``, ``German`` or ``deu_AT``'s ``de-AT``; empty for none. For what comes without anybody
    who could be told of a fault."""
    text = text[: 2 * LONGEST].strip(" \t\n\u200b\ufeff")
    instead = _registry().instead
    language, *others = _hyphenated(text.lower()).split("-")
    try:
        if language in instead:
            return language_tag("-".join((instead[language], *others)))
        return language_tag(text)
    except ValueError:
        return ""


@functools.lru_cache(maxsize=256)
def _canonical(text: str) -> str:
    given, tag = text, _hyphenated(text.lower())
    registry = _registry()
    if tag in registry.instead:
        raise ValueError(f"{given!r} is not a language tag: write {registry.instead[tag]!r}")
    found = _TAG.fullmatch(tag)
    if not found:
        hint = " (BCP 47), like 'en', 'pt-BR' or 'zh-Hans'"
        if re.search(r"(?:^|-)[a-z0-9]-", tag):
            hint = ": leave out extensions and private subtags"
        raise ValueError(f"{given!r} is not a language tag{hint}")
    language = found["extended"] or found["language"]
    script, region = (found["script"] or "").title(), (found["region"] or "").upper()
    wrong = ""
    if not _is_language(found["language"]):
        wrong = f"no language is called {language!r}"
    elif script and script not in registry.script_names:
        wrong = f"no script is called {script!r}"
    elif region.isalpha() and region not in registry.regions:
        meant = " (Britain is 'GB')" if region == "UK" else ""
        wrong = f"no region is called {region!r}{meant}"
    elif unknown := [v for v in found["variants"].split("-")[1:] if v not in registry.variants]:
        wrong = f"no variant is called {unknown[0]!r}"
    if wrong:
        raise ValueError(f"{given!r} is not a language tag: {wrong}")
    return "-".join(filter(None, (language, script, region))) + found["variants"]


def _hyphenated(locale: str) -> str:
    """A lower-case locale with what is no language taken off, and hyphens between its parts."""
    modifier = next((each for each in _MODIFIERS if locale.endswith(each)), "")
    locale = locale.removesuffix(modifier).replace("_", "-")
    locale = _NO_LANGUAGE.sub("", locale)
    locale = _SCRIPT_LAST.sub(r"\1-\3-\2", locale)
    if modifier:
        language, *rest = locale.split("-")
        locale = "-".join((language, _MODIFIERS[modifier], *rest))
    return locale


def _is_language(code: str) -> bool:
    """Two letters by the registry; three by their form, but for codes that mean no language."""
    if len(code) == 2:
        return code in _registry().languages
    return code not in {"mis", "mul", "und", "zxx"} and not "qaa" <= code <= "qtz"


def language_name(tag: str) -> str:
    """What a tag's language is called in English, for a prompt: ``Portuguese (Brazil)``.

    Made of registered subtags only: nothing that somebody wrote stands in it as it came.
    """
    language, *others = language_tag(tag).split("-")
    registry = _registry()
    name = registry.names.get(language, f"the language with the ISO 639 code {language}")
    ways = []
    for each in others:
        if len(each) == 4 and each.isalpha():
            ways.append(f"{registry.script_names[each]} script")
        elif each.isupper() or (each.isdigit() and len(each) == 3):
            ways.append(registry.region_names.get(each, f"as written in {each}"))
    return f"{name} ({', '.join(ways)})" if ways else name


def language_tags(text: str) -> tuple[str, ...]:
    """Comma-separated tags, canonical, each once, in their order.

    Raises ValueError naming the bad tag, or that there is none.
    """
    tags = tuple(dict.fromkeys(language_tag(part) for part in text.split(",") if part.strip()))
    if not tags:
        raise ValueError("no language is named: write one or more, like 'en' or 'en, pt-BR'")
    return tags


def script_of(tag: str) -> frozenset[str]:
    """The scripts (ISO 15924) a text in this language may stand in; empty if that is not known.

    ``Jpan`` and ``Kore`` are ISO's names for the mixtures Japanese and Korean are written in.
    """
    return _script_of(language_tag(tag))


@functools.lru_cache(maxsize=256)
def _script_of(tag: str) -> frozenset[str]:
    subtags = tag.split("-")
    if named := _script_subtag(subtags):
        return frozenset({named})
    registry = _registry()
    for region in subtags[1:2]:
        if regional := registry.regional.get(f"{subtags[0]}-{region}"):
            return frozenset({regional})
    unlisted = frozenset({"Latn"}) if len(subtags[0]) == 2 else frozenset[str]()
    return registry.scripts.get(subtags[0], unlisted)


def fallbacks(tag: str) -> tuple[str, ...]:
    """Which tags to look up, best first: ``fr-CA`` is ``fr-CA``, then ``fr`` (RFC 4647, 3.4).

    Where the region decides the script, that comes in between: ``zh-TW``, ``zh-Hant``, ``zh``.
    """
    return _fallbacks(language_tag(tag))


@functools.lru_cache(maxsize=256)
def _fallbacks(tag: str) -> tuple[str, ...]:
    subtags = tag.split("-")
    found = ["-".join(subtags[:end]) for end in range(len(subtags), 0, -1)]
    if len(subtags) > 1 and not _script_subtag(subtags):
        regional = _registry().regional.get("-".join(subtags[:2]))
        found[-1:] = [f"{subtags[0]}-{regional}", subtags[0]] if regional else [subtags[0]]
    return tuple(found)


def _script_subtag(subtags: list[str]) -> str:
    """The second subtag, if it is a script; a variant of four characters begins with a digit."""
    return subtags[1] if len(subtags) > 1 and re.fullmatch("[A-Z][a-z]{3}", subtags[1]) else ""

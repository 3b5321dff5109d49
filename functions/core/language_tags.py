"""Language tags as BCP 47 writes them: https://www.rfc-editor.org/rfc/rfc5646.

A tag's script and region are kept, for readers of ``zh-Hant`` are not served by ``zh-Hans``.
The form is checked in full; of the registry's subtags, those that people mistype.
"""

from __future__ import annotations

import functools
import pathlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

# RFC 5646, section 2.1. Registered languages of four to eight letters are reserved or do not
# exist, grandfathered tags are deprecated: both are left out.
_TAG = re.compile(
    r"(?P<language>[a-z]{2,3})(?:-(?P<extended>[a-z]{3})(?:-[a-z]{3}){0,2})?"
    r"(?:-(?P<script>[a-z]{4}))?"
    r"(?:-(?P<region>[a-z]{2}|[0-9]{3}))?"
    r"(?P<variants>(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)"
    r"(?P<extensions>(?:-[a-wy-z0-9](?:-[a-z0-9]{2,8})+)*)"
    r"(?P<private>-x(?:-[a-z0-9]{1,8})+)?"
)


@dataclass(frozen=True, slots=True)
class _Registry:
    languages: frozenset[str]
    regions: frozenset[str]
    instead: Mapping[str, str]
    scripts: Mapping[str, frozenset[str]]
    regional: Mapping[str, str]


@functools.cache
def _registry() -> _Registry:
    with pathlib.Path(__file__).with_suffix(".toml").open("rb") as file:
        data = tomllib.load(file)
    return _Registry(
        languages=frozenset(data["languages"].split()),
        regions=frozenset(data["regions"].split()),
        instead=data["instead"],
        scripts={tag: frozenset(names.split()) for tag, names in data["scripts"].items()},
        regional=data["regional"],
    )


@functools.lru_cache(maxsize=256)
def language_tag(text: str) -> str:
    """One tag in its canonical form: ``ZH-hant-tw`` is ``zh-Hant-TW`` (RFC 5646, 2.1.1 and 4.5).

    Raises ValueError with a message that names the tag and, where one is known, the right one.
    """
    shown = text.strip()[:60]
    tag = text.strip().lower()
    registry = _registry()
    if tag in registry.instead:
        raise ValueError(f"{shown!r} is not a language tag: write {registry.instead[tag]!r}")
    found = _TAG.fullmatch(tag)
    if not found:
        hint = ": write a hyphen" if "_" in tag else " (BCP 47), like 'en', 'pt-BR' or 'zh-Hans'"
        raise ValueError(f"{shown!r} is not a language tag{hint}")
    language, region = found["extended"] or found["language"], (found["region"] or "").upper()
    if len(found["language"]) == 2 and found["language"] not in registry.languages:
        raise ValueError(f"{shown!r} is not a language tag: no language is called {language!r}")
    if region.isalpha() and region not in registry.regions:
        meant = " (Britain is 'GB')" if region == "UK" else ""
        raise ValueError(f"{shown!r} is not a language tag: no region is called {region!r}{meant}")
    parts = (language, (found["script"] or "").title(), region)
    return "-".join(filter(None, parts)) + "".join(
        found[name] or "" for name in ("variants", "extensions", "private")
    )


def language_tags(text: str) -> tuple[str, ...]:
    """Comma-separated tags, canonical, each once, in their order.

    Raises ValueError naming the bad tag, or that there is none.
    """
    tags = tuple(dict.fromkeys(language_tag(part) for part in text.split(",") if part.strip()))
    if not tags:
        raise ValueError("no language is named: write one or more, like 'en' or 'en, pt-BR'")
    return tags


@functools.lru_cache(maxsize=256)
def script_of(tag: str) -> frozenset[str]:
    """The scripts (ISO 15924) a text in this language may stand in; empty if that is not known.

    ``Jpan`` and ``Kore`` are ISO's names for the mixtures Japanese and Korean are written in.
    """
    subtags = language_tag(tag).split("-")
    if named := _script_subtag(subtags):
        return frozenset({named})
    registry = _registry()
    for region in subtags[1:2]:
        if regional := registry.regional.get(f"{subtags[0]}-{region}"):
            return frozenset({regional})
    unlisted = frozenset({"Latn"}) if len(subtags[0]) == 2 else frozenset[str]()
    return registry.scripts.get(subtags[0], unlisted)


@functools.lru_cache(maxsize=256)
def fallbacks(tag: str) -> tuple[str, ...]:
    """Which tags to look up, best first: ``fr-CA`` is ``fr-CA``, then ``fr`` (RFC 4647, 3.4).

    Where the region decides the script, that comes in between: ``zh-TW``, ``zh-Hant``, ``zh``.
    """
    subtags = language_tag(tag).split("-")
    found = []
    for end in range(len(subtags), 0, -1):
        if len(subtags[end - 1]) > 1:  # a lone singleton introduces what was just cut off
            found.append("-".join(subtags[:end]))
    if len(subtags) > 1 and not _script_subtag(subtags):
        regional = _registry().regional.get("-".join(subtags[:2]))
        found[-1:] = [f"{subtags[0]}-{regional}", subtags[0]] if regional else [subtags[0]]
    return tuple(found)


def _script_subtag(subtags: list[str]) -> str:
    """The second subtag, if it is a script; a variant of four characters begins with a digit."""
    return subtags[1] if len(subtags) > 1 and re.fullmatch("[A-Z][a-z]{3}", subtags[1]) else ""

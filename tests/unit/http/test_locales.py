"""The review page's own words: whole in every language, and every code in plain words."""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from pathlib import Path

import pytest

from functions import http
from functions.core import transitions
from functions.core.document import Source, Status
from functions.core.errors import ConfigurationError, TransientError
from functions.core.review_priority import SEVERITY
from functions.http.review_requests import ACTS
from functions.quality.catalogue import RULES

STATIC = Path(http.__file__).parent / "static"
PAGE = (STATIC / "review.html").read_text("utf-8")
SCRIPTS = "".join(each.read_text("utf-8") for each in STATIC.glob("*.js") if each.name != "alt.js")
LOCALES = {
    each.stem: json.loads(each.read_text("utf-8")) for each in (STATIC / "locales").glob("*.json")
}
ENGLISH = LOCALES["en"]
# Keys that scripts put together, by what of them stands in the script.
MADE = {
    "media_": ["animation", "video"],
    "by_": [each.value for each in Source if each],
    "into_": ["alt_text", "caption"],
    "many_": [*ACTS, *(f"{act}_text" for act in ACTS)],
    "": [each.value for each in Status],
}
every_language = pytest.mark.parametrize("language", sorted(LOCALES))


@cache
def codes_of_errors() -> set[str]:
    """What a document's ``error.reason`` can be: what the code raises, and kinds of failures."""
    found = {
        node.args[0].value
        for path in STATIC.parents[1].rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("PermanentError", "Problem")
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    kinds = map(transitions.kind, (TransientError(""), ConfigurationError(""), Exception()))
    return {*map(str, found), *kinds, "over_budget"}


def texts(value: object) -> list[str]:
    return [str(each) for each in (value.values() if isinstance(value, dict) else [value])]


def names(value: object) -> set[str]:
    """What is to be filled in."""
    return {name for text in texts(value) for name in re.findall(r"\{(\w+)\}", text)}


def test_the_languages_are_those_that_the_page_offers() -> None:
    offered = re.search(r"LOCALES = \{(.*?)\}", SCRIPTS)
    assert offered
    assert set(re.findall(r"(\w+):", offered[1])) == LOCALES.keys()


@every_language
def test_every_language_has_the_same_words_with_the_same_gaps(language: str) -> None:
    words = LOCALES[language]
    assert words.keys() == ENGLISH.keys()
    for key, value in words.items():
        assert all(text.strip() for text in texts(value)), key
        assert names(value) == names(ENGLISH[key]), key
        assert isinstance(value, dict) == isinstance(ENGLISH[key], dict), key
        assert not isinstance(value, dict) or "other" in value, key


def test_the_page_and_its_scripts_say_nothing_that_has_no_words_and_no_words_are_left_over() -> (
    None
):
    said = set(re.findall(r'data-t(?:-label|-placeholder)?="(\w+)"', PAGE))
    said |= set(re.findall(r'\bt\(\s*"(\w+)"', SCRIPTS))
    for choices in re.findall(r"\bt\(([^()`]*\?[^()`]*)", SCRIPTS):
        said |= set(re.findall(r'"(\w+)"', choices))
    said |= {prefix + each for prefix, some in MADE.items() for each in some}
    rows = re.search(r"const rows = \{(.*?)\};", SCRIPTS, re.S)
    assert rows
    said |= {f"fact_{name}" for name in re.findall(r"^\s+(\w+):", rows[1], re.M)}
    assert said - ENGLISH.keys() == set()
    coded = {key for key in ENGLISH if key.startswith(("reason_", "rule_", "error_"))}
    quoted = {key for key in ENGLISH if f'"{key}"' in SCRIPTS}
    prefixes = tuple(re.findall(r"\bt\(`(\w+_)\$\{", SCRIPTS))
    made = {key for key in ENGLISH if key.startswith(prefixes)}
    assert ENGLISH.keys() - said - coded - quoted - made == set()


def test_the_english_that_stands_in_the_page_is_that_of_its_file() -> None:
    for key, text in re.findall(r'data-t="(\w+)"[^>]*>([^<]+)<', PAGE):
        assert text == ENGLISH[key], key
    for attribute, name in (("label", "aria-label"), ("placeholder", "placeholder")):
        for key, text in re.findall(rf'data-t-{attribute}="(\w+)" {name}="([^"]+)"', PAGE):
            assert text == ENGLISH[key], key


@every_language
def test_every_rule_and_every_reason_has_plain_words(language: str) -> None:
    words = LOCALES[language]
    assert {f"reason_{code}" for code in SEVERITY} == {
        key for key in words if key.startswith("reason_")
    }
    for code in {each.code for each in RULES}:
        assert f"reason_{code}" in words or f"rule_{code}" in words, code
    assert {f"error_{code}" for code in codes_of_errors()} == {
        key for key in words if key.startswith("error_")
    }

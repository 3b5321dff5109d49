"""captions.toml: which rule applies to an object's name.

::

    [[rules]]                       # the first rule whose glob matches applies
    match = "products/**"
    languages = ["en", "de"]
    guidance = "Name the product, its colour and its material."
    max_length = 125
    keywords = ["Acme"]
"""

from __future__ import annotations

import difflib
import pathlib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from functions.core import language_tags
from functions.core.errors import ConfigurationError

LENGTHS = range(20, 2001)


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds for the images a glob matches; empty means the settings' own.

    ``max_length`` is a soft limit for alt text in characters as people see them; ``line`` is
    where the rule stands in its file, 0 for the one that applies where none matches. ``videos``
    says whether videos are captioned too; it is a setting's, and no key of the file.
    """

    match: str = "**"
    languages: tuple[str, ...] = ()
    guidance: str = ""
    max_length: int = 125
    keywords: tuple[str, ...] = ()
    skip: bool = False
    line: int = 0
    videos: bool = True


KEYS = tuple(field.name for field in fields(Rule) if field.name not in ("line", "videos"))


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of one file, in their order, read and compiled once."""

    rules: tuple[Rule, ...]
    patterns: tuple[re.Pattern[str], ...]
    otherwise: Rule = Rule()

    @classmethod
    def empty(cls) -> Policy:
        """No rules: every image is treated alike."""
        return cls((), ())

    @classmethod
    def load(cls, path: pathlib.Path) -> Policy:
        """Read a policy file.

        Raises ConfigurationError with the file, the line, the fault and the remedy.
        """
        try:
            text = path.read_text(encoding="utf-8-sig")
        except OSError as error:
            raise ConfigurationError(
                f"{path}: cannot be read ({error.strerror}): create it, or unset CAPTION_POLICY"
            ) from error
        except UnicodeDecodeError as error:
            raise ConfigurationError(f"{path}: not UTF-8: save it in that encoding") from error
        source = _PolicyFile(str(path), text)
        rules = tuple(_rule(table, index, source) for index, table in enumerate(_tables(source)))
        return cls(rules, tuple(glob(rule.match) for rule in rules))

    def rule(self, name: str) -> Rule:
        """The first rule whose glob matches the object's name; a default one if none does."""
        for rule, pattern in zip(self.rules, self.patterns, strict=True):
            if pattern.fullmatch(name):
                return rule
        return self.otherwise

    def without_videos(self) -> Policy:
        """The same rules, by which videos are left alone."""
        rules = tuple(replace(rule, videos=False) for rule in self.rules)
        return Policy(rules, self.patterns, replace(self.otherwise, videos=False))


_GLOB = re.compile(
    r"(?P<folders>(?:(?<![^/])\*\*/)+)|(?P<any>\*{2,})|(?P<some>\*)|(?P<one>\?)"
    r"|\[(?P<not>!?)(?P<set>\][^\]]*|[^\]]+)\]|(?P<open>\[)|(?P<plain>[^*?\[]+)"
)


def glob(pattern: str) -> re.Pattern[str]:
    """Compile a glob that matches whole names, case and all.

    ``*`` and ``?`` stay within a folder, ``**`` spans folders and ``**/`` also none of them,
    ``[a-z]`` and ``[!a-z]`` are one character each and never ``/``; to mean ``[``, write ``[[]``.
    Raises ValueError for a class that is not closed, or whose range runs backwards.

    A match never tries two ways to read what one ``*`` has passed over: the first place where
    what follows it fits is as good as any later one, up to the next ``**``. So the time it takes
    grows with the name's length, and not with a power of it for each ``*``.
    """
    spans: list[str] = [""]  # what spans folders before each group; none before the first
    groups: list[list[str]] = [[""]]  # runs of fixed length, with a "*" between any two
    for found in _GLOB.finditer(pattern):
        kind = found.lastgroup
        if kind == "open":
            raise ValueError("'[' is not closed: add ']', or write '[[]' for the character itself")
        if kind in ("any", "folders"):
            spans.append(".*?" if kind == "any" else "(?:.*?/)??")
            groups.append([""])
        elif kind == "some":
            groups[-1].append("")
        elif kind == "plain":
            groups[-1][-1] += re.escape(found["plain"])
        elif kind == "set":
            groups[-1][-1] += _character_class(found["set"], negated=bool(found["not"]))
        else:
            groups[-1][-1] += "[^/]"
    parts = [span + _group(runs) for span, runs in zip(spans[:-1], groups[:-1], strict=True)]
    ends = spans[-1] + _group(groups[-1], last=True)
    return re.compile("".join(f"(?>{part})" for part in parts) + ends, re.DOTALL)


def _group(runs: list[str], *, last: bool = False) -> str:
    """Runs with ``*`` between them, each taken where it first fits; the last one at the end."""
    first, *others = runs
    if not last:
        return first + "".join(f"(?>[^/]*?{run})" for run in others)
    middle = "".join(f"(?>[^/]*?{run})" for run in others[:-1])
    return first + middle + (f"[^/]*{others[-1]}" if others else "") + r"\Z"


def _character_class(members: str, *, negated: bool) -> str:
    for low, high in re.findall(r"(.)-(.)", members, re.DOTALL):
        if low > high:
            raise ValueError(f"the range '{low}-{high}' runs backwards: write '{high}-{low}'")
    escaped = re.sub(r"([\\\[\]^&~|])", r"\\\1", members)
    return f"(?!/)[{'^' if negated else ''}{escaped}]"


class _PolicyFile:
    """A file's text, and on which line of it things stand: tomllib does not tell.

    Comments and strings of several lines are blanked out first, so that nothing in them is
    taken for a table or a key.
    """

    _OPAQUE = re.compile(
        r'(?P<gone>"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|#[^\n]*)'
        r'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'',
        re.DOTALL,
    )
    _RULE = re.compile(r"^[ \t]*\[\[[ \t]*[\"']?rules[\"']?[ \t]*\]\]", re.MULTILINE)

    def __init__(self, path: str, text: str) -> None:
        self.path, self.text = path, text
        self._plain = self._OPAQUE.sub(
            lambda found: re.sub(r"[^\n]", " ", found[0]) if found["gone"] else found[0], text
        )
        self._rules = [found.start() for found in self._RULE.finditer(self._plain)]

    def line_of_rule(self, index: int) -> int:
        """Rules written in line, as ``rules = [{...}]``, stand where that key does."""
        if index < len(self._rules):
            return self._line(self._rules[index])
        return self.line_of_key("rules", 0, len(self._plain))

    def line_of_key_in_rule(self, key: str, index: int) -> int:
        if index >= len(self._rules):
            return self.line_of_rule(index)
        ends = [*self._rules[index + 1 :], len(self._plain)]
        return self.line_of_key(key, self._rules[index], ends[0])

    def line_of_key(self, key: str, start: int, end: int) -> int:
        written = rf"^[ \t]*(?:\[+[ \t]*(?:rules\.)?)?[\"']?{re.escape(key)}[\"']?[ \t]*[=.\]]"
        found = re.compile(written, re.MULTILINE).search(self._plain, start, end)
        return self._line(found.start() if found else start)

    def fault(self, line: int, message: str) -> ConfigurationError:
        return ConfigurationError(f"{self.path}:{line}: {message}")

    def _line(self, offset: int) -> int:
        return self._plain.count("\n", 0, offset) + 1


def _tables(source: _PolicyFile) -> list[Any]:
    try:
        data = tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        found = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message)
        last = source.text.rstrip().count("\n") + 1
        line = int(found[1]) if found and found[1] else last
        reason = message[: found.start()] if found else message
        raise source.fault(line, f"not TOML: {reason}") from error
    for key in data:
        if key != "rules":
            line = source.line_of_key(key, 0, len(source.text))
            raise source.fault(line, f"{key!r} is not known here: {_meant(key, ('rules',))}")
    rules = data.get("rules", [])
    if not isinstance(rules, list):
        raise source.fault(source.line_of_rule(0), "rules are a list: write [[rules]]")
    return rules


def _rule(table: Any, index: int, source: _PolicyFile) -> Rule:
    line = source.line_of_rule(index)
    if not isinstance(table, Mapping):
        raise source.fault(line, "a rule is a table: write [[rules]] and its keys below")
    values: dict[str, Any] = {}
    for key, value in table.items():
        try:
            if key not in _READERS:
                raise ValueError(f"is not known: {_meant(key, KEYS)}")
            values[key] = _READERS[key](value)
        except ValueError as error:
            raise source.fault(
                source.line_of_key_in_rule(key, index), f"{key!r} {error}"
            ) from error
    if "match" not in values:
        raise source.fault(line, "this rule has no 'match': add one, like match = \"products/**\"")
    return Rule(**values, line=line)


def _meant(key: str, keys: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(key, keys, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known are {', '.join(keys)}"


def _match(value: Any) -> str:
    text = _text(value)
    if not text:
        raise ValueError('is empty: write "**" to match every image')
    if text.startswith("gs://"):
        raise ValueError("is compared with the object's name: leave out gs:// and the bucket")
    if text.startswith("/"):
        meant = text.lstrip("/") or "**"
        raise ValueError(f'begins with a slash, which no object\'s name does: write "{meant}"')
    try:
        glob(text)
    except ValueError as error:
        raise ValueError(f"is no glob: {error}") from error
    return text


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"is {_kind(value)}: write text in quotes")
    return value.strip()


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f'is {_kind(value)}: write a list of texts, like ["one", "two"]')
    if not all(item.strip() for item in value):
        raise ValueError("has an empty text in it: take that out")
    return tuple(dict.fromkeys(item.strip() for item in value))


def _tags(value: Any) -> tuple[str, ...]:
    try:
        return tuple(dict.fromkeys(language_tags.language_tag(tag) for tag in _texts(value)))
    except ValueError as error:
        message = str(error)
        raise ValueError(
            message if message.startswith(("is ", "has ")) else f"is wrong: {message}"
        ) from error


def _length(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"is {_kind(value)}: write a whole number")
    if value not in LENGTHS:
        raise ValueError(f"is {value}: write a number from {LENGTHS[0]} to {LENGTHS[-1]}")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"is {_kind(value)}: write true or false, without quotes")
    return value


def _kind(value: Any) -> str:
    names = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "text",
        dict: "a table",
    }
    if isinstance(value, list):
        return (
            "a list" if all(isinstance(item, str) for item in value) else "a list of other things"
        )
    return names.get(type(value), "a date")


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "match": _match,
    "languages": _tags,
    "guidance": _text,
    "max_length": _length,
    "keywords": _texts,
    "skip": _flag,
}

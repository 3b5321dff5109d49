"""What people wrote for the pictures: one JSON object a line, checked before anything is paid."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from functions.core.errors import ConfigurationError

KEYS = ("path", "alt", "caption", "decorative")


@dataclass(frozen=True, slots=True)
class Reference:
    """The texts that would be right for one picture; ``alt`` is empty for decoration."""

    path: str
    alt: tuple[str, ...]
    caption: tuple[str, ...] = ()
    decorative: bool = False


def load(path: Path, folder: Path) -> dict[str, Reference]:
    """The references of a JSON-lines file by the pictures' paths in ``folder``.

    Raises ConfigurationError with the file, the line, the fault and the remedy.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: not UTF-8: save it in that encoding") from None
    found: dict[str, Reference] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            reference = _reference(line, folder)
            if reference.path in found:
                raise ValueError(f"{reference.path} stands twice: put its texts into one list")
        except (ValueError, RecursionError) as error:
            raise ConfigurationError(f"{path}, line {number}: {error}") from None
        found[reference.path] = reference
    if not found:
        raise ConfigurationError(
            f'{path}: has no references; write a line like {{"path": "a.jpg", "alt": "..."}}'
        )
    return found


def _reference(line: str, folder: Path) -> Reference:
    try:
        data = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON at column {error.colno}: {error.msg}") from None
    if not isinstance(data, Mapping):
        raise ValueError('not an object: write {"path": ..., "alt": ...}')
    if unknown := sorted(set(data) - set(KEYS)):
        raise ValueError(f"{unknown[0]!r} is no key; use {', '.join(KEYS)}")
    path = data.get("path")
    if not isinstance(path, str) or not path:
        raise ValueError('"path" is missing: the picture\'s path in the folder, as text')
    if Path(path).is_absolute() or ".." in Path(path).parts:
        raise ValueError(f"{path} leads out of {folder}: write the path in the folder")
    if "\0" in path or not (folder / path).is_file():
        raise ValueError(f"{path!r} is no file in {folder}: mend the path, or take the line out")
    alt, caption = _texts(data, "alt"), _texts(data, "caption")
    decorative = data.get("decorative", "alt" in data and not any(alt))
    if not isinstance(decorative, bool):
        raise ValueError('"decorative" must be true or false')
    if decorative and any(alt):
        raise ValueError('"decorative" is true, but "alt" has words: drop one of them')
    if not decorative and not any(alt):
        raise ValueError('"alt" is missing: write it, or "decorative": true')
    return Reference(Path(path).as_posix(), tuple(filter(None, alt)), caption, decorative)


def _texts(data: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """One text, or a list of them."""
    value = data.get(key, [])
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(each, str) for each in texts):
        raise ValueError(f'"{key}" must be text, or a list of texts')
    return tuple(each.strip() for each in texts)

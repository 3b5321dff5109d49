"""Terraform files, read: their resources, variables, outputs, locals and what they refer to."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import hcl2

from tests.support.emulators import Missing

INFRA = Path(__file__).parents[2] / "infra"
MODULE = INFRA / "module"
_BLOCK = "__is_block__"
# A reference: letters, then names joined by dots; not after a dot or within a longer word.
_REFERENCE = re.compile(r"(?<![\w.\"-])([a-z][\w-]*)((?:\.[A-Za-z_][\w-]*|\[[^\[\]]*\])+)")
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')


class Program:
    """The ``terraform`` command, without its user's settings and without a network."""

    def __init__(self, path: str) -> None:
        self._path = path

    def run(
        self, *arguments: str, folder: Path = INFRA, said: str = "", **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Run it in ``folder`` with ``said`` on its standard input."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return subprocess.run(
            [self._path, *arguments],
            cwd=folder,
            input=said,
            env={**kept, "GOGC": "400", "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", **env},
            capture_output=True,
            text=True,
            check=False,
        )


@contextmanager
def program() -> Iterator[Program]:
    """Terraform, if it is on the PATH; raises Missing with the remedy."""
    path = shutil.which("terraform")
    if not path:
        raise Missing("terraform", "install Terraform 1.11 or newer")
    yield Program(path)


@dataclass(frozen=True)
class Resource:
    """One ``resource`` or ``data`` block (``mode``)."""

    mode: str
    type: str
    name: str
    body: dict[str, Any]
    file: str

    @property
    def address(self) -> str:
        return f"{'data.' if self.mode == 'data' else ''}{self.type}.{self.name}"


@dataclass(frozen=True)
class Module:
    """A folder of Terraform files, without quotes and comments."""

    resources: list[Resource] = field(default_factory=list)
    variables: dict[str, dict[str, Any]] = field(default_factory=dict)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    locals: dict[str, Any] = field(default_factory=dict)
    terraform: dict[str, Any] = field(default_factory=dict)
    providers: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    @cache
    def load(cls, folder: Path) -> Module:
        """The module in a folder, read once."""
        return cls.of({path.name: path.read_text("utf-8") for path in sorted(folder.glob("*.tf"))})

    @classmethod
    def of(cls, files: dict[str, str]) -> Module:
        """The module made of files by name; raises for what is no HCL."""
        module = cls()
        for file, text in files.items():
            for kind, blocks in hcl2.loads(text).items():
                for block in blocks if isinstance(blocks, list) else ():
                    module._add(kind, _plain(block), file)
        return module

    def resource(self, address: str) -> Resource:
        return next(each for each in self.resources if each.address == address)

    def _add(self, kind: str, block: dict[str, Any], file: str) -> None:
        if kind in {"resource", "data"}:
            for type_, named in block.items():
                for name, body in named.items():
                    self.resources.append(Resource(kind, type_, name, body, file))
        elif kind == "variable":
            self.variables.update(block)
        elif kind == "output":
            self.outputs.update(block)
        elif kind == "provider":
            self.providers.update(block)
        elif kind == "locals":
            self.locals.update({key: value for key, value in block.items() if key != _BLOCK})
        elif kind == "terraform":
            self.terraform.update(block)
        elif kind not in {"module", "moved"} and not kind.startswith("__"):
            raise ValueError(f"{file}: {kind} blocks are not used here")


def is_block(value: Any) -> bool:
    """Whether a value stands in the file as a block, or several, not as an argument."""
    return (
        isinstance(value, list)
        and bool(value)
        and isinstance(value[0], dict)
        and (_BLOCK in value[0])
    )


def expressions(value: Any) -> Iterator[str]:
    """The expressions within a value: what stands in ``${...}``, at any depth."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from expressions(key)
            yield from expressions(each)
    elif isinstance(value, list):
        for each in value:
            yield from expressions(each)
    elif isinstance(value, str):
        start = value.find("${")
        while start >= 0:
            end = _end(value, start + 2)
            inner = value[start + 2 : end]
            yield _without_inserted(inner)
            yield from expressions(inner)
            start = value.find("${", end)


def references(value: Any) -> set[tuple[str, ...]]:
    """What a value refers to, as the names between the dots; indices and splats are left out."""
    found = set()
    for expression in expressions(value):
        text = _TEXT.sub('""', expression)
        for match in _REFERENCE.finditer(text):
            rest = re.sub(r"\[[^\[\]]*\]", "", match[2])
            found.add((match[1], *rest.strip(".").split(".")))
        for index in re.findall(r"\[([^\[\]\"]+)\]", text):
            found |= references("${" + index + "}")
    return found


def _end(text: str, start: int) -> int:
    """Where the brace that was opened before ``start`` is closed."""
    depth = 1
    for place in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if not depth:
            return place
    raise ValueError(f"a brace is not closed: {text}")


def _without_inserted(text: str) -> str:
    """An expression whose texts' own expressions are left out; those are yielded by themselves."""
    start = text.find("${")
    while start >= 0:
        text = text[:start] + text[_end(text, start + 2) + 1 :]
        start = text.find("${")
    return text


def _plain(value: Any) -> Any:
    """Without comments, and without the quotes that the parser leaves on."""
    if isinstance(value, dict):
        kept = {_text(k): _plain(v) for k, v in value.items() if not _comment(k)}
        return kept
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return _text(value) if isinstance(value, str) else value


def _comment(key: str) -> bool:
    return key.startswith("__") and key != _BLOCK


def _text(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == '"':
        return value[1:-1].replace('\\"', '"')
    return value

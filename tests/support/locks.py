"""The locks, read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PATHS = [ROOT / "requirements.lock", *sorted(ROOT.glob("locks/*.lock"))]


@dataclass(frozen=True)
class Locked:
    """One package of a lock."""

    requirement: Requirement
    hashes: tuple[str, ...]

    @property
    def version(self) -> str:
        return str(self.requirement.specifier).removeprefix("==")

    @property
    def here(self) -> bool:
        """Whether this machine and this Python need it."""
        return self.requirement.marker is None or self.requirement.marker.evaluate()


def requirements(path: Path) -> Iterator[str]:
    """Logical lines, without comments."""
    text = re.sub(r"(?m)^\s*#.*\n", "", path.read_text("utf-8")).replace("\\\n", " ")
    return (line.strip() for line in text.splitlines() if line.strip())


def locked(path: Path) -> dict[str, Locked]:
    """The packages of a lock by their canonical names."""
    found: dict[str, Locked] = {}
    for line in requirements(path):
        named, *hashes = line.split(" --hash=")
        requirement = Requirement(named)
        name = canonicalize_name(requirement.name)
        each = Locked(requirement, tuple(each.strip() for each in hashes))
        # A package stands there again with its extras, or for another Python.
        if name not in found or each.here:
            requirement.extras |= found[name].requirement.extras if name in found else set()
            found[name] = each
    return found


def versions(path: Path) -> dict[str, str]:
    """What a lock installs on this machine."""
    return {name: each.version for name, each in locked(path).items() if each.here}

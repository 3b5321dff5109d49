"""Write every lock anew: ``make lock``; with ``--upgrade``, from the newest releases of all.

A lock pins all that an environment holds, for Python 3.11 and later on any machine, with the
hashes of every file. A package that is asked for with an extra stands there with it and without:
pip before 23.3 looks for a newer release, and stops, where it is asked for one that is not pinned
in just these words.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import environment

ROOT = environment.ROOT
UV = Path(sys.executable).parent / "uv"


@dataclass(frozen=True)
class Lock:
    """What is written, what from, and the locks that it agrees with."""

    path: str
    source: str
    extras: tuple[str, ...] = ()
    agrees_with: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()


# What is deployed is decided alone; what is added for the command line and the tests fits to it.
LOCKS = (
    Lock("requirements.lock", "requirements.txt"),
    Lock("locks/cli.lock", "pyproject.toml", ("cli",), ("requirements.lock",)),
    Lock("locks/eval.lock", "pyproject.toml", ("cli", "eval"), ("locks/cli.lock",)),
    Lock("locks/dev.lock", "pyproject.toml", ("cli", "dev"), ("locks/eval.lock",)),
    Lock("locks/build.lock", "locks/build.in"),
    Lock("locks/installer.lock", "locks/installer.in"),
    Lock("locks/oldest-pip.lock", "locks/oldest-pip.in"),
    Lock("locks/scan.lock", "locks/scan.in"),
    Lock(
        "locks/google-generativeai.lock",
        "locks/google-generativeai.in",
        overrides=("locks/google-generativeai.overrides",),
    ),
    Lock(
        "locks/google-generativeai-dev.lock",
        "locks/google-generativeai-dev.in",
        agrees_with=("locks/google-generativeai.lock",),
        overrides=("locks/google-generativeai.overrides",),
    ),
)
PIN = re.compile(r"(?m)(?<![\w.-])([A-Za-z][\w.-]*)((?:\[[\w,-]+\])?)==([\w.+!]+)")
# A package with an extra: its name, its extras, its version with the hashes
EXTRA = re.compile(r"(?m)^([\w.-]+)(\[[\w,-]+\])(==.*\n(?: +--hash=.*\n)+)")
# Where versions are written by hand, beside locks/*.in; --upgrade raises them all.
WRITTEN = ("requirements.txt", "pyproject.toml", "functions/**/providers.py", "docs/*.md", "*.md")


def main() -> None:
    """Write the locks."""
    if "--upgrade" in sys.argv[1:]:
        raise_pins()
    for lock in LOCKS:
        settle(ROOT / lock.path)
        compile_lock(lock, lock.path, upgrade="--upgrade" in sys.argv[1:])
        text = (ROOT / lock.path).read_text("utf-8")
        (ROOT / lock.path).write_text(EXTRA.sub(r"\1\3\1\2\3", text), "utf-8")


def settle(path: Path) -> None:
    """Take this branch's side of a merge that left both sides in a lock."""
    if path.exists() and "\n<<<<<<< " in "\n" + path.read_text("utf-8"):
        ours = ["git", "show", f"HEAD:./{path.relative_to(ROOT)}"]
        path.write_bytes(subprocess.run(ours, cwd=ROOT, check=True, capture_output=True).stdout)


def compile_lock(lock: Lock, output: str, upgrade: bool = False, folder: Path = ROOT) -> None:
    """Resolve ``lock`` and write it to ``output``, keeping the versions that it has if it can."""
    command = [str(UV), "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"]
    command += ["--generate-hashes", "--no-strip-extras", "--custom-compile-command", "make lock"]
    command += ["--build-constraints", str(environment.BUILD)]
    command += [each for extra in lock.extras for each in ("--extra", extra)]
    command += [each for other in lock.agrees_with for each in ("--constraints", other)]
    command += [each for path in lock.overrides for each in ("--overrides", path)]
    command += ["--upgrade"] * upgrade
    subprocess.run(
        [*command, "--output-file", output, lock.source],
        cwd=folder,
        env=environment.uv_environment(Path(sys.executable)),
        check=True,
    )


def raise_pins() -> None:
    """Raise the versions that are written by hand to the newest that fit together."""
    newest: dict[Path, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        for lock in LOCKS:
            found = _newest(lock, Path(folder))
            for path in _written(lock):
                text = newest.get(path) or path.read_text("utf-8")
                newest[path] = PIN.sub(lambda pin, to=found: _raised(pin, to), text)
    for path, text in newest.items():
        path.write_text(text, "utf-8")


def _newest(lock: Lock, folder: Path) -> dict[str, str]:
    """What ``lock`` would name if nothing were pinned by hand."""
    for path in sorted({*ROOT.glob("*.txt"), *ROOT.glob("locks/*.in"), ROOT / "pyproject.toml"}):
        loose = folder / path.relative_to(ROOT)
        loose.parent.mkdir(exist_ok=True)
        loose.write_text(PIN.sub(r"\1\2", path.read_text("utf-8")), "utf-8")
    for name in ("README.md", "LICENSE"):
        (folder / name).write_text((ROOT / name).read_text("utf-8"), "utf-8")
    compile_lock(lock, lock.path, upgrade=True, folder=folder)
    return {_canonical(each[0]): each[2] for each in PIN.findall((folder / lock.path).read_text())}


def _written(lock: Lock) -> list[Path]:
    if lock.source.startswith("locks/"):
        return [ROOT / lock.source]
    return [path for pattern in WRITTEN for path in ROOT.glob(pattern)]


def _raised(pin: re.Match[str], newest: dict[str, str]) -> str:
    name, extras, version = pin.groups()
    return f"{name}{extras}=={newest.get(_canonical(name), version)}"


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main()

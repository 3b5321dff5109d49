"""Write every lock anew: ``make lock``; with ``--upgrade``, from the newest releases of all.

A lock pins all that an environment holds, for Python 3.11 and later on any machine, with the
hashes of every file. A package that is asked for with an extra stands there with it and without:
pip before 23.3 looks for a newer release, and stops, where it is asked for one that is not pinned
in just these words.
"""

from __future__ import annotations

import re
import shutil
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
    stays: bool = False


# What is deployed is decided alone; what is added for the command line and the tests fits to it.
LOCKS = (
    Lock("requirements.lock", "requirements.txt"),
    Lock("locks/cli.lock", "pyproject.toml", ("cli",), ("requirements.lock",)),
    Lock("locks/eval.lock", "pyproject.toml", ("cli", "eval"), ("locks/cli.lock",)),
    Lock("locks/dev.lock", "pyproject.toml", ("cli", "dev"), ("locks/eval.lock",)),
    Lock("locks/build.lock", "locks/build.in"),
    Lock("locks/installer.lock", "locks/installer.in"),
    Lock("locks/oldest-pip.lock", "locks/oldest-pip.in", stays=True),
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
FURTHER = {"UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS"}
# A package with an extra: its name, its extras, its version with the hashes
EXTRA = re.compile(r"(?m)^([\w.-]+)(\[[\w,-]+\])(==.*\n(?: +--hash=.*\n)+)")
# Where versions are written by hand, beside locks/*.in; --upgrade raises them all.
WRITTEN = ("requirements.txt", "pyproject.toml", "functions/**/providers.py", "docs/*.md", "*.md")


def main() -> None:
    """Write the locks."""
    if "--upgrade" in sys.argv[1:]:
        raise_pins()
    for lock in LOCKS:
        path = ROOT / lock.path
        fresh = path.with_suffix(".new")
        fresh.write_text(_versions(path), "utf-8")
        try:
            compile_lock(lock, str(fresh), upgrade="--upgrade" in sys.argv[1:])
            path.write_text(EXTRA.sub(r"\1\3\1\2\3", fresh.read_text("utf-8")), "utf-8")
        finally:
            fresh.unlink()


def _versions(path: Path) -> str:
    """The versions of a lock without their hashes, which are asked for anew; this branch's side
    of it where a merge has left both sides there."""
    text = path.read_text("utf-8") if path.exists() else ""
    if "<<<<<<< " in text:
        ours = ["git", "show", f"HEAD:./{path.relative_to(ROOT)}"]
        shown = subprocess.run(ours, cwd=ROOT, check=True, capture_output=True, text=True)
        text = shown.stdout
    return re.sub(r" \\\n +--hash=\S+", "", text)


def compile_lock(
    lock: Lock, output: str, upgrade: bool = False, folder: Path = ROOT, fewest: bool = False
) -> None:
    """Resolve ``lock`` and write it to ``output``, keeping the versions that it has if it can;
    ``fewest``: one version of a package where one fits every Python."""
    command = [str(UV), "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"]
    command += ["--generate-hashes", "--no-strip-extras", "--custom-compile-command", "make lock"]
    command += ["--build-constraints", str(environment.BUILD)]
    command += [each for extra in lock.extras for each in ("--extra", extra)]
    command += [each for other in lock.agrees_with for each in ("--constraints", other)]
    command += [each for path in lock.overrides for each in ("--overrides", path)]
    command += ["--upgrade"] * upgrade
    command += ["--fork-strategy", "fewest"] * fewest
    subprocess.run(
        [*command, "--output-file", output, lock.source], cwd=folder, env=_whole(), check=True
    )


def _whole() -> dict[str, str]:
    """The environment for uv with one index: further ones may hold some files of a release, and
    a lock with the hashes of those installs on no other Python."""
    env = environment.uv_environment(Path(sys.executable))
    return {name: value for name, value in env.items() if name not in FURTHER}


def raise_pins() -> None:
    """Raise the versions that are written by hand to the newest that fit together, and every
    Python: a release for later ones only would leave the others without any."""
    newest: dict[Path, str] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _loosen(folder)
        for lock in (each for each in LOCKS if not each.stays):
            compile_lock(lock, lock.path, upgrade=True, folder=folder, fewest=True)
            pins = PIN.findall((folder / lock.path).read_text("utf-8"))
            found = {_canonical(package): version for package, _, version in pins}
            for path in _written(lock):
                text = newest.get(path) or path.read_text("utf-8")
                newest[path] = PIN.sub(lambda pin, to=found: _raised(pin, to), text)
    for path, text in newest.items():
        path.write_text(text, "utf-8")


def _loosen(folder: Path) -> None:
    """Put into ``folder`` all that locks are made of, with nothing pinned by hand."""
    (folder / "locks").mkdir()
    for path in (*ROOT.glob("*.txt"), *ROOT.glob("locks/*.in"), ROOT / "pyproject.toml"):
        text = PIN.sub(r"\1\2", path.read_text("utf-8"))
        (folder / path.relative_to(ROOT)).write_text(text, "utf-8")
    for path in (ROOT / "README.md", ROOT / "LICENSE", *ROOT.glob("locks/*.overrides")):
        shutil.copy(path, folder / path.relative_to(ROOT))


def _written(lock: Lock) -> list[Path]:
    """The files whose pins ``lock`` decides."""
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

"""What is deployed and what is committed: pinned and hashed, without keys, and looked through."""

from __future__ import annotations

import os
import re
import secrets
import shlex
import string
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.locks import ROOT, locked, requirements

BIN = Path(sys.executable).parent
_LETTERS = string.ascii_letters + string.digits


LOCK = locked(ROOT / "requirements.lock")
WANTED = [Requirement(line) for line in requirements(ROOT / "requirements.txt")]


@pytest.mark.parametrize("wanted", WANTED, ids=lambda each: each.name)
def test_what_is_asked_for_is_locked_at_the_same_version(wanted: Requirement) -> None:
    assert LOCK[canonicalize_name(wanted.name)].requirement.specifier == wanted.specifier


def recipe(target: str, program: str) -> str:
    """The shell's command that a make target runs ``program`` by."""
    told = make("--dry-run", target).stdout.replace("\\\n", " ")
    return next(line for line in told.splitlines() if f"/{program} " in line)


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", command], cwd=folder, capture_output=True, text=True, check=False
    )


def make(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", f"BIN={BIN}", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_an_audit_that_could_not_look_fails_and_says_so(tmp_path: Path) -> None:
    asked = make(
        "--assume-old=scan",
        "audit",
        HTTPS_PROXY="http://127.0.0.1:9",
        XDG_CACHE_HOME=str(tmp_path),
        HOME=str(tmp_path),
    )
    assert asked.returncode != 0
    assert "make audit: NOT cleared" in asked.stderr


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A git repository with one harmless file."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet")
    commit(folder, "main.py", "print('hello')\n")
    return folder


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def commit(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    git(folder, "add", name)
    git(folder, "commit", "--quiet", "--message", name)


def key() -> str:
    """A line with what could be somebody's key for Gemini."""
    return f'GEMINI_API_KEY = "AIza{"".join(secrets.choice(_LETTERS) for _ in range(35))}"\n'


def leaks(folder: Path) -> set[str]:
    """The files at which the gate's scan for secrets stops there."""
    scan = run(recipe("scan", "kingfisher"), folder)
    found = set(re.findall(r"\|Path\.+: (?:\./)?(\S+)", scan.stdout))
    assert scan.returncode == (200 if found else 0), scan.stderr
    return found


def test_a_tree_without_keys_passes(repository: Path) -> None:
    assert leaks(repository) == set()


def test_a_key_is_found_before_it_is_committed_and_after_it_was_removed(repository: Path) -> None:
    commit(repository, "settings.py", key())
    git(repository, "rm", "--quiet", "settings.py")
    commit(repository, "other.py", "")
    (repository / "notes.md").write_text(key())
    assert leaks(repository) == {"notes.md", "settings.py"}


def test_a_key_in_the_history_is_found_from_a_worktree_too(repository: Path) -> None:
    commit(repository, "settings.py", key())
    git(repository, "rm", "--quiet", "settings.py")
    commit(repository, "other.py", "")
    elsewhere = repository.parent / "worktree"
    git(repository, "worktree", "add", str(elsewhere))
    assert leaks(elsewhere) == {"settings.py"}


def test_unsafe_code_does_not_pass(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("import subprocess\nsubprocess.call('ls', shell=True)\n")
    looked_at = " functions main.py"
    command = recipe("scan", "bandit")
    assert command.endswith(looked_at)
    judged = run(f"{command.removesuffix(looked_at)} {shlex.quote(str(tmp_path))}", ROOT)
    assert judged.returncode == 1
    assert "B602" in judged.stdout


def test_an_exception_from_the_scan_names_its_rule_and_its_reason() -> None:
    for path in ROOT.glob("functions/**/*.py"):
        text = path.read_text("utf-8")
        explained = re.findall(r"(?m)^ *# \w.*\n(?:.*\n)?.*# nosec B\d{3}$", text)
        assert len(explained) == text.count("# nosec"), path


def test_the_gate_scans() -> None:
    assert "\nmake scan\n" in (ROOT / ".ci" / "run").read_text("utf-8")


def test_the_source_to_deploy_installs_the_lock_and_holds_nothing_but_the_functions() -> None:
    assert make("source").returncode == 0

    deployed = ROOT / "build" / "source"
    assert {each.name for each in deployed.iterdir()} <= {
        "main.py",
        "functions",
        "captions.toml",
        "requirements.txt",
    }
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    assert (deployed / "requirements.txt").read_text("utf-8") == lock
    assert not list(deployed.rglob("__pycache__"))

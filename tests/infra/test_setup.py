"""The set-up stands still: what a lock names is what is installed, whatever has come out since."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import installed as present
from tests.support.emulators import Missing
from tests.support.locks import PATHS, ROOT, locked, requirements, versions
from tests.support.package_index import PackageIndex, package_index
from tools import environment

BIN = Path(sys.executable).parent
# Python's own venv brings these.
SEEDS = {"pip", "setuptools", "wheel"}
RUN_TIME = ROOT / "requirements.lock"
NEWEST_PIP = Path(sys.executable)
OLDEST_PIP = ROOT / ".venv-pip/bin/python"
BACKEND = """
import zipfile

def build_editable(folder, *_):
    name, told = "stub-1.0-py3-none-any.whl", "stub-1.0.dist-info/"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        wheel.writestr(told + "METADATA", "Metadata-Version: 2.1\\nName: stub\\nVersion: 1.0")
        wheel.writestr(told + "WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any")
        wheel.writestr(told + "RECORD", "")
    return name
"""
PROJECT = """
[project]
name = "stub"
version = "1.0"
[build-system]
requires = []
backend-path = ["."]
build-backend = "backend"
"""


def installed(python: Path | str) -> dict[str, str]:
    """What an environment holds."""
    code = (
        "import importlib.metadata as m, json; "
        "print(json.dumps({d.name: d.version for d in m.distributions()}))"
    )
    told = subprocess.run([python, "-I", "-c", code], check=True, capture_output=True, text=True)
    return {canonicalize_name(name): each for name, each in json.loads(told.stdout).items()}


def test_the_tests_run_in_exactly_what_their_lock_names() -> None:
    wanted = versions(ROOT / "locks/dev.lock") | versions(ROOT / "locks/installer.lock")
    here = installed(sys.executable)
    assert {name: here.get(name) for name in wanted} == wanted
    assert here.keys() - wanted.keys() - SEEDS == {"bucket-captions"}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_a_lock_pins_and_hashes_all_that_it_names(path: Path) -> None:
    for each in locked(path).values():
        assert re.fullmatch(r"==[\w.+]+", str(each.requirement.specifier)), each
        assert each.hashes
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", hashed) for hashed in each.hashes)


def test_a_package_for_one_machine_is_locked_for_the_others_too() -> None:
    """An index with some files of a release would leave the other Pythons without theirs."""
    for name, each in locked(ROOT / "locks/dev.lock").items():
        if each.here:
            wheel = importlib.metadata.distribution(name).read_text("WHEEL") or ""
            assert len(each.hashes) > 1 or "-none-any" in wheel, f"{name}: make lock"


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_a_lock_names_no_index_and_no_address(path: Path) -> None:
    text = path.read_text("utf-8").replace("    --hash=", "")
    assert not re.search(r"(?m)://|^\s*-[a-z-]", text)


def test_what_is_deployed_is_what_is_tested() -> None:
    ours = locked(RUN_TIME)
    for name in ("cli", "eval", "dev"):
        theirs = locked(ROOT / "locks" / f"{name}.lock")
        assert {each: theirs[each].version for each in ours} == {
            each: mine.version for each, mine in ours.items()
        }


@pytest.mark.parametrize("name", ["requirements.lock", "locks/dev.lock"])
def test_a_lock_holds_all_that_is_needed_with_its_extras_and_no_more(name: str) -> None:
    """pip before 23.3 takes a newer release where an extra that is asked for is not pinned."""
    lock = locked(ROOT / name)
    reached: set[tuple[str, str]] = set()
    waiting = [Requirement(line) for line in asked_for(name)]
    while waiting:
        wanted = waiting.pop()
        package = canonicalize_name(wanted.name)
        assert package in lock, f"{package} is needed and not locked: make lock"
        assert wanted.specifier.contains(lock[package].version, prereleases=True), wanted
        assert wanted.extras <= lock[package].requirement.extras, f"{wanted}: make lock"
        for extra in {"", *wanted.extras} - {extra for known, extra in reached if known == package}:
            reached.add((package, extra))
            waiting += needs(package, extra)
    assert {name for name, _ in reached} == {name for name, each in lock.items() if each.here}


def asked_for(name: str) -> list[str]:
    text = (ROOT / "requirements.txt").read_text("utf-8")
    lines = re.findall(r"(?m)^(?!#).*\S.*$", text)
    if name != "requirements.lock":
        added = [each for extra in ("cli", "dev") for each in needs("bucket-captions", extra)]
        lines += [re.sub(r";.*", "", str(each)) for each in added if "bucket" not in each.name]
        for each in added:
            if "bucket" in each.name:
                inner = [needs("bucket-captions", extra) for extra in each.extras]
                lines += [re.sub(r";.*", "", str(one)) for more in inner for one in more]
    return lines


def needs(package: str, extra: str) -> list[Requirement]:
    """What ``package`` needs on this machine, for ``extra`` if one is named."""
    needed = map(Requirement, importlib.metadata.requires(package) or ())
    return [each for each in needed if not each.marker or each.marker.evaluate({"extra": extra})]


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PackageIndex, Path]]:
    """An index with a newer release of every package, and this repository's set-up for it.

    The wheels are stubs with the metadata of the real ones, so the locks have their hashes.
    """
    root = tmp_path_factory.mktemp("later")
    (root / "locks").mkdir()
    shutil.copytree(ROOT / "tools", root / "tools")
    (root / "pyproject.toml").write_text(PROJECT)
    (root / "backend.py").write_text(BACKEND)
    (root / "requirements.txt").touch()
    with package_index() as index:
        hashes: dict[str, str] = {}
        for path in (RUN_TIME, ROOT / "locks/cli.lock", ROOT / "locks/installer.lock"):
            for name, version in versions(path).items():
                if name not in hashes:
                    hashes[name] = release(index, name, version)
                    release(index, name, f"{version}.post9")
            (root / path.relative_to(ROOT)).write_text(restated(path, hashes))
        other = index.offer("packaging", "99", ""), index.offer("pkgconfig", "1.6.0")
        (root / "locks/build.lock").write_text(
            f"packaging==99 --hash=sha256:{other[0]}\npkgconfig==1.6.0 --hash=sha256:{other[1]}\n"
        )
        yield index, root


def release(index: PackageIndex, name: str, version: str) -> str:
    """Offer a stub that asks for all that the installed package asks for."""
    metadata = importlib.metadata.metadata(name)
    heads = [
        f"{head}: {value}\n"
        for head in ("Requires-Dist", "Provides-Extra")
        for value in metadata.get_all(head, [])
    ]
    programs = {"uv": (BIN / "uv").read_bytes()} if name == "uv" else {}
    return index.offer(name, version, "".join(heads), programs)


def restated(path: Path, hashes: Mapping[str, str]) -> str:
    """The lock with the hashes of the stubs."""
    lines = (Requirement(line.split(" --hash=")[0]) for line in requirements(path))
    return "".join(
        f"{each} --hash=sha256:{hashes[canonicalize_name(each.name)]}\n"
        for each in lines
        if each.marker is None or each.marker.evaluate()
    )


def bare(folder: Path) -> None:
    """Make ``folder`` an environment with nothing but a pip: this one's, copied, since Python
    takes three seconds to install its own."""
    venv.create(folder, clear=True, symlinks=True)
    ours = importlib.metadata.distribution("pip")
    [theirs] = folder.glob("lib/python*/site-packages")
    for name in ("pip", f"pip-{ours.version}.dist-info"):
        shutil.copytree(str(ours.locate_file(name)), theirs / name)


def set_up(root: Path, name: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the set-up."""
    return on_a_new_machine(root, str(root / "tools/environment.py"), name, **variables)


def on_a_new_machine(
    root: Path, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run Python without caches, and without settings but ``variables``."""
    private = {"HOME": str(root), "UV_CACHE_DIR": str(root / "cache"), "PIP_NO_CACHE_DIR": "1"}
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PIP_", "UV_", "XDG_", "VIRTUAL_ENV"))
    }
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=root,
        env=kept | private | {"PIP_CONFIG_FILE": os.devnull} | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


@pytest.mark.parametrize("hindered", [False, True], ids=["uv", "pip, where uv is unable to"])
def test_a_newer_release_of_everything_changes_nothing(
    later: tuple[PackageIndex, Path], hindered: bool
) -> None:
    index, root = later
    bare(root / ".venv")
    hindrance = {"UV_OFFLINE": "1", "UV_CACHE_DIR": str(root / "empty")} if hindered else {}

    done = set_up(root, "cli", PIP_INDEX_URL=index.url, **hindrance)

    assert done.returncode == 0, done.stderr
    assert ("by pip" in done.stdout) == hindered
    wanted = versions(ROOT / "locks/cli.lock") | versions(ROOT / "locks/installer.lock")
    here = installed(root / ".venv/bin/python")
    assert {name: each for name, each in here.items() if name not in SEEDS} == wanted | {
        "stub": "1.0"
    }
    index.asked.clear()
    assert set_up(root, "cli", PIP_INDEX_URL=index.url).returncode == 0
    assert not index.asked


def test_an_index_that_only_uv_is_configured_for_brings_uv_too(
    later: tuple[PackageIndex, Path],
) -> None:
    index, root = later
    bare(root / ".venv-lock")
    done = set_up(root, "lock", UV_DEFAULT_INDEX=index.url)
    assert done.returncode == 0, done.stderr
    assert (root / ".venv-lock/environment.json").exists()


def test_a_pin_is_raised_to_the_newest_release_that_every_python_takes(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    (tmp_path / "locks").mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "locks/build.lock"):
        (tmp_path / name).write_text("")
    (tmp_path / "requirements.txt").write_text("reader==1.0\n")
    code = (
        "import sys; sys.path.append('tools'); sys.argv.append('--upgrade'); import lock; "
        "lock.LOCKS = lock.LOCKS[:1]; lock.main()"
    )
    with package_index() as index:
        for version in ("1.0", "2.0"):
            index.offer("reader", version, "Requires-Python: >=3.11\n")
        index.offer("reader", "3.0", "Requires-Python: >=3.12\n")
        done = on_a_new_machine(tmp_path, "-c", code, UV_DEFAULT_INDEX=index.url)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "requirements.txt").read_text() == "reader==2.0\n"
    assert versions(tmp_path / "requirements.lock") == {"reader": "2.0"}


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """A machine without settings for pip or uv."""
    for name in [each for each in os.environ if each.startswith(("PIP_", "UV_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return monkeypatch


def test_uv_asks_the_index_of_pips_file(configured: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text(
        "[global]\nindex-url = https://us@mirror.example/simple\nextra-index-url =\n"
        "    https://one.example/simple\n    https://two.example/simple\n"
        f"find-links = {tmp_path} /nowhere\ncert = /etc/ca.pem\n[install]\nno-index = false\n"
    )
    configured.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    env = environment.uv_environment(NEWEST_PIP)
    assert env["UV_DEFAULT_INDEX"] == "https://us@mirror.example/simple"
    assert env["UV_INDEX"] == "https://one.example/simple https://two.example/simple"
    assert env["UV_FIND_LINKS"] == str(tmp_path)
    assert env["UV_NO_INDEX"] == "false"


def test_pips_variable_is_stronger_than_its_file_for_uv_too(
    configured: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "pip.conf").write_text("[install]\nindex-url = https://file.example/simple\n")
    configured.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    configured.setenv("PIP_INDEX_URL", "https://variable.example/simple")
    env = environment.uv_environment(NEWEST_PIP)
    assert env["UV_DEFAULT_INDEX"] == "https://variable.example/simple"


@pytest.mark.parametrize("how", ["variable", "older variable", "file", "file's older key"])
def test_each_tool_asks_the_index_of_uvs_settings(
    configured: pytest.MonkeyPatch, tmp_path: Path, how: str
) -> None:
    ours = "https://mirror.example/simple"
    files = {
        "file": f'[[index]]\nurl = "{ours}"\ndefault = true\n',
        "file's older key": f'index-url = "{ours}"\n',
    }
    if how in files:
        (tmp_path / "uv.toml").write_text(files[how])
        configured.setenv("UV_CONFIG_FILE", str(tmp_path / "uv.toml"))
    else:
        configured.setenv("UV_DEFAULT_INDEX" if how == "variable" else "UV_INDEX_URL", ours)
    assert environment.pip_environment(NEWEST_PIP)["PIP_INDEX_URL"] == ours
    configured.setenv("PIP_INDEX_URL", "https://pip.example/simple")
    for_uv = environment.uv_environment(NEWEST_PIP)
    assert for_uv.get("UV_DEFAULT_INDEX", ours) == ours


def test_pip_asks_its_own_index_where_both_have_one(configured: pytest.MonkeyPatch) -> None:
    configured.setenv("UV_DEFAULT_INDEX", "https://mirror.example/simple")
    configured.setenv("PIP_INDEX_URL", "https://pip.example/simple")
    assert environment.pip_environment(NEWEST_PIP)["PIP_INDEX_URL"] == "https://pip.example/simple"


def test_a_set_up_that_cannot_be_done_says_where_it_stopped_and_is_begun_anew(
    later: tuple[PackageIndex, Path], tmp_path: Path
) -> None:
    other = without_environments(later[1], tmp_path / "other")
    bare(other / ".venv-lock")
    (other / ".venv-lock/environment.json").write_text("{}")

    done = set_up(other, "lock", PIP_NO_INDEX="1")

    assert done.returncode == 1
    assert "No matching distribution" in done.stdout
    assert "The set-up stopped (above) at: " in done.stderr
    assert not (other / ".venv-lock/environment.json").exists()


def without_environments(root: Path, folder: Path) -> Path:
    """A copy of what a set-up reads."""
    return shutil.copytree(root, folder, ignore=shutil.ignore_patterns(".venv*", "cache"))


@pytest.mark.parametrize("way", ["_by_uv", "_by_pip"])
def test_a_package_with_another_hash_is_not_installed(
    later: tuple[PackageIndex, Path], tmp_path: Path, way: str
) -> None:
    index, root = later
    other = without_environments(root, tmp_path / "other")
    bare(other / ".venv")
    (other / ".venv/bin/uv").symlink_to(BIN / "uv")
    lock = other / "locks/cli.lock"
    lock.write_text(re.sub(r"(sha256:)....", r"\g<1>0000", lock.read_text(), count=1))
    [name] = re.findall(r"\A[\w.-]+", lock.read_text())

    install = f"e.{way}(e.ENVIRONMENTS['cli'], e.Path('.venv/bin/python'))"
    code = f"import tools.environment as e; {install}"
    done = on_a_new_machine(other, "-c", code, PIP_INDEX_URL=index.url)

    assert done.returncode != 0
    assert "hash" in done.stdout.lower()
    assert canonicalize_name(name) not in installed(other / ".venv/bin/python")


@pytest.mark.parametrize("python", [NEWEST_PIP, OLDEST_PIP], ids=["newest", "oldest"])
def test_pip_takes_the_lock_in_the_place_of_requirements_as_it_stands(
    later: tuple[PackageIndex, Path], python: Path
) -> None:
    """Cloud Functions' build runs ``pip install -r requirements.txt``, with any pip."""
    index, root = later
    done = planned(python, root / "requirements.lock", index)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="pip 23.0 starts on Python 3.11 only")
@pytest.mark.parametrize("dropped", [r"(?m)^[\w.-]+\[.*\n", r"(?m)^google-auth==.*\n"])
def test_the_oldest_pip_refuses_a_lock_that_names_less(
    later: tuple[PackageIndex, Path], tmp_path: Path, dropped: str
) -> None:
    index, root = later
    lock = (root / "requirements.lock").read_text()
    (tmp_path / "bare.lock").write_text(re.sub(dropped, "", lock))
    refused = planned(OLDEST_PIP, tmp_path / "bare.lock", index)
    assert "must have their versions pinned" in refused.stderr


@contextmanager
def pip_in(python: Path) -> Iterator[list[str]]:
    """The command of an environment's pip."""
    if not python.exists():
        raise Missing("the oldest pip", "run `make .venv-pip`")
    yield [str(python), "-m", "pip"]


def planned(python: Path, lock: Path, index: PackageIndex) -> subprocess.CompletedProcess[str]:
    """What pip would install from ``lock``."""
    options = ["--dry-run", "--ignore-installed", "--isolated", "--no-cache-dir", "--quiet"]
    with present(pip_in(python)) as pip:
        return subprocess.run(
            [*pip, "install", *options, "--index-url", index.url, "-r", str(lock)],
            env={"PATH": os.environ["PATH"], "HOME": str(lock.parent)},
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )

"""Set up one of this repository's environments: what its lock names, all of it, and no more.

    python3 tools/environment.py dev

It asks for Python 3.11 and the pip that comes with it, however old. pip brings uv at the locked
version, uv brings the rest in seconds and by hash; where that fails, pip does it alone. Nothing is
resolved anew, so that a release of today changes nothing. Both go to the index that pip is
configured for, by file or by variable; one that uv is configured for comes first.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import subprocess
import sys
import tomllib
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INSTALLER = ROOT / "locks" / "installer.lock"
BUILD = ROOT / "locks" / "build.lock"
STATE = "environment.json"


@dataclass(frozen=True)
class Environment:
    """A folder, the lock that says what is in it, and whether this package is, too."""

    folder: str
    lock: str
    package: bool = False


ENVIRONMENTS = {
    "cli": Environment(".venv", "locks/cli.lock", package=True),
    "eval": Environment(".venv", "locks/eval.lock", package=True),
    "dev": Environment(".venv", "locks/dev.lock", package=True),
    # apart, so that a lock that cannot be installed can be written anew
    "lock": Environment(".venv-lock", "locks/installer.lock"),
    "oldest-pip": Environment(".venv-pip", "locks/oldest-pip.lock"),
    "scan": Environment(".venv-scan", "locks/scan.lock"),
    "google-generativeai": Environment(".venv-generativeai", "locks/google-generativeai-dev.lock"),
}
# Each of these holds all that the ones before it hold.
NESTED = ("cli", "eval", "dev")

# pip's name of a setting, and the variables by which uv is told the same: ours first
SAME = {
    "index-url": ("UV_DEFAULT_INDEX", "UV_INDEX_URL"),
    "extra-index-url": ("UV_INDEX", "UV_EXTRA_INDEX_URL"),
    "find-links": ("UV_FIND_LINKS",),
    "no-index": ("UV_NO_INDEX",),
    "trusted-host": ("UV_INSECURE_HOST",),
    "keyring-provider": ("UV_KEYRING_PROVIDER",),
    "timeout": ("UV_HTTP_TIMEOUT",),
    "default-timeout": ("UV_HTTP_TIMEOUT",),
    "cert": ("SSL_CERT_FILE",),
    "client-cert": ("SSL_CLIENT_CERT",),
    "proxy": ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"),
}
SOURCES = ("index-url", "extra-index-url", "find-links", "no-index")


def main() -> None:
    """Bring the environment that the command line names to what its lock says."""
    name = sys.argv[1]
    folder = Path(ENVIRONMENTS[name].folder).absolute()
    name = _largest(name, _state(folder).get("name"))
    wanted = {"name": name, "of": _digest(ENVIRONMENTS[name])}
    if _usable(folder) and _state(folder) == wanted:
        return
    print(f"Setting up {ENVIRONMENTS[name].folder} (once, some seconds) ...", flush=True)
    (folder / STATE).unlink(missing_ok=True)
    install(ENVIRONMENTS[name], folder)
    (folder / STATE).write_text(json.dumps(wanted))


def install(environment: Environment, folder: Path) -> None:
    """Make ``folder`` the environment, by uv, or by pip where uv fails."""
    python = folder / "bin" / "python"
    try:
        if not _usable(folder):
            _create(folder)
        _bring_uv(python)
        _by_uv(environment, python)
    except subprocess.CalledProcessError:
        print(
            "That failed (above). Once more, from nothing and by pip, in a minute ...", flush=True
        )
        _create(folder)
        _by_pip(environment, python)


def _bring_uv(python: Path) -> None:
    _run([*_pip(python), "--requirement", str(INSTALLER)], pip_environment(python))


def _by_uv(environment: Environment, python: Path) -> None:
    env = uv_environment(python)
    uv = [str(python.with_name("uv")), "pip", "--quiet"]
    options = ["--python", str(python), "--build-constraints", str(BUILD), "--require-build-hashes"]
    _run([*uv, "sync", *options, "--require-hashes", str(ROOT / environment.lock)], env)
    if environment.package:
        _run([*uv, "install", *options, "--no-deps", "--editable", str(ROOT)], env)


def _by_pip(environment: Environment, python: Path) -> None:
    """As by uv. Old pips cannot be told what a build may fetch, so what builds is put there first,
    and what of it is not locked is taken away."""
    env, lock = pip_environment(python), ROOT / environment.lock
    _run([*_pip(python), "--requirement", str(BUILD)], env)
    built_here = [*_pip(python), "--no-build-isolation", "--requirement", str(INSTALLER)]
    _run([*built_here, "--requirement", str(lock)], env)
    if environment.package:
        unhashed = [*_pip(python, hashes=False), "--no-build-isolation"]
        _run([*unhashed, "--editable", str(ROOT)], env)
    if left := _names(BUILD) - _names(lock):
        _run([str(python), "-m", "pip", "uninstall", "--quiet", "--yes", *sorted(left)], env)


def _names(lock: Path) -> set[str]:
    return set(re.findall(r"(?m)^([\w.-]+)==", lock.read_text("utf-8")))


def uv_environment(python: Path) -> dict[str, str]:
    """The variables for uv, with what pip is configured for where uv is not."""
    env = dict(os.environ)
    told = _pip_settings(python)
    if _uv_files():
        told = {name: value for name, value in told.items() if name not in SOURCES}
    for name, value in told.items():
        if name in SAME and not any(env.get(variable) for variable in SAME[name]):
            env[SAME[name][0]] = _as_uv_reads(name, value)
    # pip takes the best of all its indexes; which one it is from is the hashes' business.
    env.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    return env


def pip_environment(python: Path) -> dict[str, str]:
    """The variables for pip, with uv's index where only uv is configured for one."""
    env = dict(os.environ)
    if not set(_pip_settings(python)) & {"index-url", "no-index"}:
        index = env.get("UV_DEFAULT_INDEX") or env.get("UV_INDEX_URL") or _index_of_files()
        if index:
            env["PIP_INDEX_URL"] = index
    return env


def _pip(python: Path, hashes: bool = True) -> list[str]:
    options = ["--quiet", "--disable-pip-version-check", "--no-input", "--no-compile", "--no-deps"]
    return [str(python), "-m", "pip", "install", *options, *["--require-hashes"] * hashes]


def _pip_settings(python: Path) -> dict[str, str]:
    """What pip's files and variables say about an installation, the stronger over the weaker."""
    listed = subprocess.run(
        [python, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    )
    found: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for section, name, value in re.findall(r"(?m)^([\w:]+)\.([\w-]+)=(.*)$", listed.stdout):
        found.setdefault(section, {})[name] = str(ast.literal_eval(value)).strip()
    return found["global"] | found["install"] | found[":env:"]


def _as_uv_reads(name: str, value: str) -> str:
    """A value of pip's in uv's writing; pip passes over folders that are not there."""
    if name == "find-links":
        places = value.split()
        return ",".join(each for each in places if ":" in each or Path(each).exists())
    if name == "keyring-provider" and value != "disabled":
        return "subprocess"
    return " ".join(value.split())


def _uv_files() -> list[Path]:
    own = os.environ.get("UV_CONFIG_FILE")
    home = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
    places = [Path(own)] if own else [home / "uv" / "uv.toml", Path("/etc/uv/uv.toml")]
    return [each for each in places if each.is_file()]


def _index_of_files() -> str | None:
    """The index that uv's configuration names in place of its own."""
    for path in _uv_files():
        told = tomllib.loads(path.read_text("utf-8"))
        named = [each["url"] for each in told.get("index", ()) if each.get("default")]
        for url in (*named, told.get("index-url"), told.get("pip", {}).get("index-url")):
            if url:
                return str(url)
    return None


def _largest(asked: str, there: str | None) -> str:
    if asked in NESTED and there in NESTED:
        return max(asked, str(there), key=NESTED.index)
    return asked


def _digest(environment: Environment) -> str:
    """What the environment is made of: another one is another environment."""
    paths = [INSTALLER, BUILD, ROOT / environment.lock]
    if environment.package:
        paths += [ROOT / "pyproject.toml", ROOT / "requirements.txt"]
    together = hashlib.sha256(str(ROOT).encode())
    for path in paths:
        together.update(hashlib.sha256(path.read_bytes()).digest())
    return together.hexdigest()


def _state(folder: Path) -> Mapping[str, str]:
    try:
        return dict(json.loads((folder / STATE).read_text()))
    except (OSError, ValueError):
        return {}


def _usable(folder: Path) -> bool:
    """Whether there is an environment of the Python that runs this, with a pip."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    installed = folder / "lib" / version / "site-packages" / "pip"
    return (folder / "bin" / "python").exists() and installed.is_dir()


def _create(folder: Path) -> None:
    base = getattr(sys, "_base_executable", sys.executable)
    try:
        if Path(sys.prefix) == folder:
            # It cannot take away the ground that it stands on.
            _run([base, "-m", "venv", "--clear", str(folder)], os.environ)
        else:
            venv.create(folder, clear=True, with_pip=True, symlinks=True)
    except subprocess.CalledProcessError:
        sys.exit(
            f"{base} has no venv with pip. Debian and Ubuntu keep it apart: "
            "apt-get install python3-venv"
        )


def _run(command: Sequence[str], env: Mapping[str, str]) -> None:
    """Run it; what it says is shown if it fails, as pip has much to say where all is well."""
    done = subprocess.run(
        command,
        env=dict(env),
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        print(done.stdout, end="", flush=True)
        raise subprocess.CalledProcessError(done.returncode, command)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as failed:
        sys.exit(f"The set-up stopped (above) at: {' '.join(map(str, failed.cmd))}")

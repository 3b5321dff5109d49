"""The house as it is drawn: who may import whom, and what a start may load."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted([*ROOT.glob("functions/**/*.py"), ROOT / "main.py"])

# What each room may import of this package, beyond itself.
RULES = {"core", "settings", "providers"}
WORK = RULES | {"model", "quality", "pictures"}
ENTRANCES = WORK | {"usecases", "composition"}
ALLOWED: dict[str, set[str]] = {
    "core": set(),
    "providers": set(),
    "settings": {"core", "providers"},
    "events": {"core"},
    "logs": {"core"},
    "pictures": {"core"},
    "quality": {"core"},
    "model": {"core", "quality"},
    "usecases": WORK,
    "adapters": {"core", "settings"},
    "http": {"core", "settings", "usecases", "pictures", "logs"},
    "composition": RULES | {"adapters", "http", "model", "usecases"},
    "evals": WORK | {"usecases"},
    "sites": {"core", "settings", "composition", "quality"},
    "local": {
        *("core", "adapters", "composition", "events", "http", "pictures", "settings", "usecases"),
    },
    "cli": ENTRANCES | {"adapters", "evals", "http", "local", "sites"},
    "main": {"composition", "events", "logs"},
}
# Adapters of one store share its parts.
FAMILIES: dict[str, set[str]] = {
    "firestore": {"credentials", "firestore_queries", "firestore_rpc", "paging"},
    "gcs": {"credentials"},
    "firestore_queries": {"paging"},
    "sqlite": {"paging"},
    "folder": {"sqlite"},
    "gallery": {"folder"},
}
SDKS = {"google.genai", "openai", "anthropic", "google.generativeai"}
CLOUD = {"google.cloud.firestore", "google.cloud.storage", "PIL", "grpc", "sqlite3"}


def room(path: Path) -> str:
    """The part of the house that a file belongs to."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[0] if len(parts) == 1 else parts[1]


@cache
def imported(path: Path) -> set[str]:
    """The dotted names that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports are absolute"
            names |= {f"{node.module}.{each.name}" for each in node.names}
    return names


@pytest.mark.parametrize("mine", ALLOWED)
def test_imports_point_one_way(mine: str) -> None:
    for path in (path for path in FILES if room(path) == mine):
        names = {name for name in imported(path) if name.startswith("functions.")}
        beyond = {name for name in names if name.split(".")[1] not in {mine, *ALLOWED[mine]}}
        assert not beyond, path


def test_every_file_belongs_to_a_room_and_the_package_itself_imports_nothing() -> None:
    package = ROOT / "functions" / "__init__.py"
    assert {room(path) for path in FILES if path != package} == {*ALLOWED}
    assert not imported(package)


def test_adapters_do_not_know_each_other() -> None:
    shared = {"vendor_errors", "picture_transport", "google_genai", "negotiation"}
    shared |= {"chat_completions", "ollama_server", "rate_limits", "server_names"}
    shared |= {"answer_bodies"}
    for path in ROOT.glob("functions/adapters/*.py"):
        others = {n.split(".")[2] for n in imported(path) if n.startswith("functions.adapters.")}
        assert others <= FAMILIES.get(path.stem, {path.stem} | shared), path


def test_a_models_sdk_is_known_to_its_adapter_only() -> None:
    for path in FILES:
        used = {sdk for sdk in SDKS for name in imported(path) if f"{name}.".startswith(f"{sdk}.")}
        assert not used or room(path) in {"adapters"}, path


def test_one_word_for_one_thing_no_two_classes_share_a_name() -> None:
    places: dict[str, list[str]] = {}
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name.strip("_"), []).append(f"{path.name}:{node.lineno}")
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_importing_main_loads_no_client_and_no_sdk() -> None:
    listed = subprocess.run(
        [sys.executable, "-c", "import main, sys; print(*sys.modules, sep='\\n')"],
        cwd=ROOT,
        env={"CAPTION_MODEL": "offline", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not set(listed.stdout.split()) & (SDKS | CLOUD)


def test_a_cold_start_imports_what_an_upload_needs_and_no_more() -> None:
    """Modules, since they cost more than anything else at a cold start, and the same anywhere."""
    begun = """
import functions_framework, sys
functions_framework.create_app("caption_image", "main.py")
before = {*sys.modules}
from functions import composition
composition.captioning()._captioner.accepts
print(*(sys.modules.keys() - before), sep="\\n")
"""
    hosts = {
        "FIRESTORE_EMULATOR_HOST": "127.0.0.1:9",
        "STORAGE_EMULATOR_HOST": "http://127.0.0.1:9",
    }
    listed = subprocess.run(
        [sys.executable, "-c", begun],
        cwd=ROOT,
        env=hosts | {"GEMINI_API_KEY": "k", "GOOGLE_CLOUD_PROJECT": "p", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    packages = {"aiohttp", "av", "pyvips", "rich"} | SDKS - {"google.genai"}
    loaded = {
        each for each in listed.stdout.split() if each.split(".")[0] not in sys.stdlib_module_names
    }
    assert {"functions.adapters.gemini", "google.genai"} <= loaded
    assert not loaded & packages
    assert len(loaded) < 820


def test_a_distribution_called_functions_does_not_shadow_ours(tmp_path: Path) -> None:
    (tmp_path / "functions").mkdir()
    (tmp_path / "functions" / "__init__.py").write_text("")
    tried = subprocess.run(
        [
            sys.executable,
            "-c",
            "import functions_framework; functions_framework.create_app('caption_image', "
            f"{str(ROOT / 'main.py')!r}); import functions; print(functions.__file__)",
        ],
        cwd=tmp_path.parent,
        env={"CAPTION_MODEL": "offline", "PATH": "", "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert tried.stdout.strip() == str(ROOT / "functions" / "__init__.py"), tried.stderr[-500:]

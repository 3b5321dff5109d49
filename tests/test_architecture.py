"""The house as it is drawn: who may import whom, what a start may load, how large a file is."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted([*ROOT.glob("functions/**/*.py"), ROOT / "main.py"])

# What each room may import of this package, beyond itself.
LEAVES = {"domain", "errors"}
PORTS = LEAVES | {"ports"}
RULES = {"addresses", "languages", "policy", "search", "labels", "prices", "providers", "settings"}
ALLOWED: dict[str, set[str]] = {
    "domain": set(),
    "errors": set(),
    "ports": LEAVES,
    "languages": LEAVES,
    "addresses": set(),
    "wordings": LEAVES | {"languages"},
    "policy": LEAVES | {"languages"},
    "providers": set(),
    "settings": LEAVES | {"addresses", "languages", "providers"},
    "search": set(),
    "prices": LEAVES,
    "labels": LEAVES,
    "room": LEAVES,
    "clock": set(),
    "events": LEAVES,
    "deliveries": LEAVES,
    "pictures": LEAVES,
    "quality": LEAVES | {"languages"},
    "prompt": LEAVES | {"policy"},
    "lenient_json": set(),
    "reply": LEAVES | {"lenient_json"},
    "claims": LEAVES,
    "budget": PORTS,
    "skipping": PORTS | RULES | {"pictures"},
    "loading": PORTS,
    "meaning": PORTS | {"deliveries", "prices"},
    "relay": PORTS | {"budget", "deliveries", "prices"},
    "asking": PORTS | {"budget", "deliveries", "prompt", "quality", "relay", "reply"},
    "reuse": PORTS | {"claims"},
    "publishing": PORTS | {"asking", "labels", "removals", "search"},
    "editing": PORTS | {"deliveries", "labels", "languages", "meaning", "publishing"},
    "captioning": PORTS
    | RULES
    | {"asking", "budget", "claims", "clock", "deliveries", "meaning", "pictures", "prompt"}
    | {"publishing"}
    | {"quality", "relay", "removals", "reuse", "room", "skipping"},
    "removals": PORTS | {"deliveries"},
    "evaluation": PORTS
    | RULES
    | {"asking", "budget", "deliveries", "pictures", "prompt", "quality", "reply", "skipping"},
    "pages": PORTS | {"addresses", "wordings"},
    "requesting": LEAVES | {"settings"},
    "upkeep": PORTS
    | RULES
    | {"claims", "deliveries", "meaning", "pictures", "publishing", "removals", "skipping"},
    "captioners": LEAVES,
    "embedders": LEAVES | {"captioners"},
    "stores": LEAVES,
    "web": PORTS
    | {"addresses", "deliveries", "editing", "languages", "pictures", "search", "settings"}
    | {"stores", "wordings"},
    "wiring": PORTS
    | RULES
    | {"captioning", "captioners", "deliveries", "editing", "embedders", "loading", "meaning"}
    | {"removals", "requesting", "stores", "web"},
    "cli": PORTS
    | RULES
    | {"captioning", "claims", "deliveries", "editing", "evaluation", "events", "pages"}
    | {"pictures", "prompt", "reply", "requesting", "skipping", "stores", "upkeep", "web"}
    | {"wiring"},
    "templates": PORTS | {"pages", "settings", "wiring"},
    "main": {"deliveries", "events", "wiring"},
}
SDKS = {"google.genai", "openai", "anthropic", "google.generativeai"}
CLOUD = {"google.cloud.firestore", "google.cloud.storage", "PIL", "grpc", "sqlite3"}


def room(path: Path) -> str:
    """The part of the house that a file belongs to."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[0] if len(parts) == 1 else parts[1]


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


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    mine = room(path)
    if mine == "__init__":
        assert not imported(path)
        return
    used = {name.split(".")[1] for name in imported(path) if name.startswith("functions.")}
    assert used - {mine} <= ALLOWED[mine]


def test_adapters_do_not_know_each_other() -> None:
    for path in ROOT.glob("functions/*ers/*.py"):
        mine = path.stem if room(path) == "captioners" else ""
        others = {n.split(".")[2] for n in imported(path) if n.startswith("functions.captioners.")}
        assert others <= {mine, "faults", "spliced", "genai"}


def test_a_models_sdk_is_known_to_its_adapter_only() -> None:
    for path in FILES:
        used = {sdk for sdk in SDKS for name in imported(path) if f"{name}.".startswith(f"{sdk}.")}
        assert not used or room(path) in {"captioners", "embedders"}, path


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_stay_small(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 300


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

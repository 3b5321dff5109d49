"""The provider of docs/adding-a-provider.md, written as it is printed, keeps the contracts."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.documentation import ROOT, page

CODE = dict(
    zip(
        ("adapter", "provider", "answers", "wire"),
        re.findall(r"(?ms)^```python\n(.*?)^```", page("adding-a-provider")),
        strict=True,
    )
)
# what is tried with each provider, and how adapters stand among the other modules
THEIRS = "acme or one_way or adapters"
CONTRACTS = ("tests/contracts/test_captioner.py", "tests/contracts/test_answers.py")


def test_the_printed_provider_keeps_the_contracts(tmp_path: Path) -> None:
    for name in ("functions", "tests", "locks"):
        left_out = shutil.ignore_patterns("node_modules")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=left_out)
    for name in ("main.py", "pyproject.toml", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "functions/adapters/acme.py").write_text(CODE["adapter"], "utf-8")
    (tmp_path / "tests/support/answers/acme.py").write_text(CODE["answers"], "utf-8")
    for name, added in (("functions/providers", "provider"), ("tests/support/providers", "wire")):
        with (tmp_path / f"{name}.py").open("a", encoding="utf-8") as file:
            file.write(f"\n{CODE[added]}")
    held = [*CONTRACTS, "tests/unit/test_architecture.py", "tests/unit/test_providers.py"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", THEIRS, *held],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-3000:]
    passed = re.search(r"(\d+) passed|\[100%\]", run.stdout)
    assert passed, run.stdout[-500:]
    assert run.stdout.count(".") > 60, "it was hardly held to anything"


def test_the_page_says_what_to_deploy() -> None:
    secrets = (ROOT / "infra" / "module" / "secrets.tf").read_text("utf-8")
    assert re.search(r"^ +anthropic +=", secrets, re.M)
    assert 'acme                = "ACME_API_KEY"' in page("adding-a-provider")

"""The workflow on GitHub: the same commands, pinned actions, no more rights than it needs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PATHS = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")


def workflow(path: Path) -> dict[Any, Any]:
    return dict(yaml.safe_load(path.read_text("utf-8")))


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in workflow(path)["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_every_action_is_pinned_to_a_commit_and_names_its_version(path: Path) -> None:
    used = re.findall(r"(?m)^ *(?:- )?uses: (.*)$", path.read_text("utf-8"))
    assert len(used) == len([step for step in steps(path) if "uses" in step])
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v[\d.]+", each) for each in used)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_a_workflow_may_read_the_code_and_write_only_what_it_proposes(path: Path) -> None:
    may = {"renew": {"contents": "write", "pull-requests": "write", "actions": "write"}}
    assert workflow(path)["permissions"] == {"contents": "read"}
    for name, job in workflow(path)["jobs"].items():
        assert job.get("permissions", {}) == may.get(name, {})
    assert "secrets." not in path.read_text("utf-8")
    for step in steps(path):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_a_job_ends_and_an_older_run_gives_way(path: Path) -> None:
    assert workflow(path)["concurrency"]["cancel-in-progress"] is True
    assert all(job["timeout-minutes"] <= 60 for job in workflow(path)["jobs"].values())


def test_what_runs_there_runs_here() -> None:
    commands = [step["run"] for path in PATHS for step in steps(path) if "run" in step]
    assert sorted(commands) == [
        "bash .ci/run",
        "make audit",
        "make infra-validate",
        "make lock UPGRADE=1",
        "tools/propose_locks.sh",
    ]
    for target in re.findall(r"make ([\w-]+)", " ".join(commands)):
        assert re.search(rf"(?m)^{target}:", MAKEFILE)


def test_the_renewed_locks_are_held_to_the_gate() -> None:
    gate = workflow(ROOT / ".github" / "workflows" / "ci.yml")
    assert "workflow_dispatch" in gate[True]
    proposal = (ROOT / "tools" / "propose_locks.sh").read_text("utf-8")
    assert proposal.rstrip().endswith('gh workflow run ci.yml --ref "$BRANCH"')

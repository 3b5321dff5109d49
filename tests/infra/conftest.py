"""One deployment, applied once; whatever is tried on it is tried on a copy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import installed
from tests.infra import terraform
from tests.infra.cloud import Cloud
from tests.infra.deployment import ONE, PROJECT, Deployment
from tests.infra.terraform import Program
from tests.support.once import once


@pytest.fixture(scope="session")
def program() -> Iterator[Program]:
    with installed(terraform.program()) as found:
        yield found


@pytest.fixture(scope="session")
def applied(program: Program, shared_folder: Path) -> Deployment:
    """One for all workers; nobody changes it."""

    def apply(folder: Path) -> None:
        made = Deployment.fresh(program, folder / "it", Cloud.with_project(PROJECT))
        assert made.apply(**ONE).faults == []
        (folder / "cloud.json").write_text(made.cloud.kept(), "utf-8")

    folder = once(shared_folder, "deployed", apply)
    cloud = Cloud.held((folder / "cloud.json").read_text("utf-8"))
    return Deployment(program, folder / "it" / "infra", cloud)


@pytest.fixture
def deployed(applied: Deployment, tmp_path: Path) -> Deployment:
    return applied.branch(tmp_path / "branch")


@pytest.fixture
def new(program: Program, tmp_path: Path) -> Deployment:
    """A deployment before its first apply."""
    made = Deployment.fresh(program, tmp_path / "new", Cloud.with_project(PROJECT))
    made.set(**ONE)
    return made

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


@pytest.fixture(scope="session")
def program() -> Iterator[Program]:
    with installed(terraform.program()) as found:
        yield found


@pytest.fixture(scope="session")
def applied(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    cloud = Cloud.with_project(PROJECT)
    made = Deployment.fresh(program, tmp_path_factory.mktemp("deployed") / "it", cloud)
    assert made.apply(**ONE).faults == []
    return made


@pytest.fixture
def deployed(applied: Deployment, tmp_path: Path) -> Deployment:
    return applied.branch(tmp_path / "branch")

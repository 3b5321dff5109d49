"""A deployment by Terraform's own core on the stand-in for the cloud."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.infra.cloud import Cloud, attached
from tests.infra.terraform import INFRA, Program

ROOT = INFRA.parent
PROJECT = "my-shop-123"
ONE: dict[str, Any] = {"project": PROJECT, "buckets": [{"name": "my-images"}]}
KEY = '{GEMINI_API_KEY="a-key"}'
_LEFT_OUT = ("*.tfstate*", ".terraform*", "*.tfvars*")


@dataclass(frozen=True)
class Ran:
    """What one command of Terraform's planned, did and said."""

    changes: dict[str, str] = field(default_factory=dict)
    steps: list[tuple[str, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def of(self, *actions: str) -> set[str]:
        return {addr for addr, action in self.changes.items() if action in actions}

    @property
    def lost(self) -> set[str]:
        """What would be destroyed, for good or to be made anew."""
        return self.of("delete", "replace")

    @property
    def changed(self) -> set[str]:
        return set(self.changes) - self.of("no-op", "read", "move")

    def before(self, first: str, then: str) -> bool:
        return self.steps.index((first, "create")) < self.steps.index((then, "delete"))


class Deployment:
    """A folder with the files of infra/ and its state, and a cloud of its own."""

    def __init__(self, program: Program, folder: Path, cloud: Cloud) -> None:
        self.program, self.folder, self.cloud = program, folder, cloud

    @classmethod
    def fresh(
        cls,
        program: Program,
        folder: Path,
        cloud: Cloud,
        infra: Path = INFRA,
        all_indexes: bool = False,
    ) -> Deployment:
        """infra/ beside a source of a few files and with an index of each kind, initialised: the
        whole source takes seconds, and all indexes are a third of what there is to plan."""
        folder.mkdir(parents=True)
        shutil.copytree(infra, folder / "infra", ignore=shutil.ignore_patterns(*_LEFT_OUT))
        (folder / "functions").mkdir()
        for name in ("main.py", "functions/settings.py"):
            shutil.copy(ROOT / name, folder / name)
        (folder / "requirements.lock").write_text("")
        if not all_indexes:
            _thin_out(folder / "infra" / "firestore.indexes.json")
        made = cls(program, folder / "infra", cloud)
        assert not made.run("init", "-input=false").faults
        return made

    def branch(self, folder: Path) -> Deployment:
        """The same deployment in another folder: what happens to it leaves this one as it is."""
        shutil.copytree(self.folder.parent, folder)
        return Deployment(self.program, folder / "infra", Cloud.held(self.cloud.kept()))

    def apply(self, *options: str, key: str = KEY, **values: Any) -> Ran:
        return self._changing("apply", "-auto-approve", *options, key=key, **values)

    def plan(self, *options: str, key: str = KEY, **values: Any) -> Ran:
        return self._changing("plan", *options, key=key, **values)

    def run(self, *arguments: str, said: str = "", **env: str) -> Ran:
        self.cloud.planned.clear()
        with attached(self.cloud) as providers:
            ran = self.program.run(
                *arguments, folder=self.folder, said=said, TF_REATTACH_PROVIDERS=providers, **env
            )
        lines = [json.loads(each) for each in ran.stdout.splitlines() if each.startswith("{")]
        if ran.returncode and not any(_fault(each) for each in lines):
            return Ran(faults=[ran.stdout + ran.stderr])
        return _ran(lines)

    def service(self, entry_point: str) -> dict[str, Any]:
        """How a function has been deployed."""
        [found] = [
            each["service_config"][0]
            for each in self.cloud.all("google_cloudfunctions2_function")
            if each["build_config"][0]["entry_point"] == entry_point
        ]
        return dict(found)

    def environment(self, entry_point: str) -> dict[str, str]:
        """The variables that a function has been deployed with, keys apart."""
        return dict(self.service(entry_point)["environment_variables"])

    def outputs(self) -> dict[str, Any]:
        ran = self.program.run("output", "-json", folder=self.folder)
        return {name: each["value"] for name, each in json.loads(ran.stdout).items()}

    def set(self, **values: Any) -> None:
        """Give variables values, beside those that others have."""
        file = self.folder / "terraform.tfvars.json"
        kept = json.loads(file.read_text("utf-8")) if file.exists() else {}
        file.write_text(json.dumps({**kept, **values}), "utf-8")

    def _changing(self, command: str, *options: str, key: str, **values: Any) -> Ran:
        self.set(**values)
        env = {"TF_VAR_model_keys": key} if key else {}
        return self.run(command, *options, "-json", "-input=false", **env)


def _thin_out(indexes: Path) -> None:
    """Leave an index and an exemption of each kind."""
    described = json.loads(indexes.read_text("utf-8"))
    for name, many in described.items():
        described[name] = list({_kind(each): each for each in many}.values())
    indexes.write_text(json.dumps(described), "utf-8")


def _kind(index: dict[str, Any]) -> tuple[Any, ...]:
    """What its last field is to it, and whether what it is of has an end."""
    return (*sorted((index.get("fields") or [{}])[-1]), index.get("ttl"))


def _fault(line: dict[str, Any]) -> bool:
    return line["type"] == "diagnostic" and line["diagnostic"]["severity"] == "error"


def _ran(lines: list[dict[str, Any]]) -> Ran:
    ran = Ran()
    for each in lines:
        if each["type"] == "planned_change":
            change = each["change"]
            moved = change["action"] == "noop" or change["action"] == "move"
            ran.changes[change["resource"]["addr"]] = "move" if moved else change["action"]
        elif each["type"] == "apply_complete":
            hook = each["hook"]
            ran.steps.append((hook["resource"]["addr"], hook["action"]))
        elif each["type"] == "diagnostic":
            found = each["diagnostic"]
            said = f"{found['summary']} {found.get('detail', '')} {found.get('address', '')}"
            (ran.faults if _fault(each) else ran.warnings).append(" ".join(said.split()))
    return ran

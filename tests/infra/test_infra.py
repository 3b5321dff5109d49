"""The deployment's files: their tables, names, roles, settings, and what becomes of values."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from functions.providers import PROVIDERS
from functions.settings import Settings
from tests.infra.deployment import KEY, ONE, Deployment
from tests.infra.taken import assert_taken_by_the_functions
from tests.infra.terraform import INFRA, MODULE, Module, Program, references
from tools import infra_tables

ROOT = INFRA.parent
FILES = {path.name: path.read_text("utf-8") for path in sorted(MODULE.glob("*.tf"))}
ENTRY_POINTS = set(re.findall(r"(?m)^def (\w+)\(", (ROOT / "main.py").read_text("utf-8")))
NAMES = {each.metadata["env"] for each in fields(Settings)}
# Settings that a deployment has no use for: the collection is that of the indexes and the rules,
# the rules by path are captions.toml beside main.py, prices are rows of model/prices.toml, a
# folder is no bucket.
NOT_DEPLOYED = {"CAPTION_COLLECTION", "CAPTION_POLICY", "CAPTION_PRICES", "CAPTION_LOCAL"}
# What a person works with on a machine of theirs: no entry point imports it.
LEFT_OUT = ("cli", "evals", "local", "sites")
# Read when a test asks, and not when tests are looked for: that takes seconds.
captions, example = partial(Module.load, MODULE), partial(Module.load, INFRA)


def table() -> dict[str, dict[str, Any]]:
    return dict(captions().locals["table"])


def test_every_file_is_formatted(program: Program) -> None:
    ran = program.run("fmt", "-check", "-diff", "-recursive")
    assert ran.returncode == 0, ran.stdout


def test_nothing_is_named_that_nothing_uses() -> None:
    used = {found[:2] for value in _values(captions()) for found in references(value)}
    assert {("var", name) for name in captions().variables} <= used
    assert {("local", name) for name in captions().locals} <= used


def _values(module: Module) -> Iterator[Any]:
    yield from (each.body for each in module.resources)
    for named in (module.locals, module.outputs, module.variables):
        yield from named.values()


def test_the_example_passes_everything_on_and_decides_nothing() -> None:
    assert set(example().variables) == set(captions().variables)
    for name, each in example().variables.items():
        ours = captions().variables[name]
        assert each["type"] == ours["type"], name
        assert ("default" in each) == ("default" in ours), name
        assert each.get("default") in (None, {}), name
        assert "default" not in ours or ours.get("nullable") is False or ours["ephemeral"], name
    called = re.findall(r"(?m)^  (\w+) += var\.(\w+)$", (INFRA / "main.tf").read_text("utf-8"))
    assert called == [(name, name) for name in captions().variables]
    assert set(example().outputs) == set(captions().outputs)
    assert captions().providers == {}, "a module with a provider cannot be called for each"


def test_variables_and_outputs_say_what_they_are() -> None:
    for name, each in captions().variables.items():
        assert each["description"].endswith("."), name
        assert each["type"], name
        assert each.get("validation") or each["type"] == "bool", name
        for rule in each.get("validation", ()):
            assert name in rule["error_message"], "the message names the variable"
    for name, each in captions().outputs.items():
        assert each["description"].endswith("."), name


def test_the_tables_of_the_readme_are_those_of_the_files() -> None:
    readme = (INFRA / "README.md").read_text("utf-8")
    assert infra_tables.written(readme, captions()) == readme, "run make infra"


# Terraform tells of all variables at once, so each plan tries many values.
WRONG = [
    [
        ({"project": "My Shop"}, "project is the ID"),
        ({"buckets": [{"name": "gs://my-images"}]}, "without gs://"),
        ({"region": "eu"}, "neither a zone nor a multi-region"),
        ({"name_prefix": "my-second-copy-"}, "name_prefix is at most"),
        ({"reviewers": ["allUsers"]}, "never public"),
        ({"askers": ["allUsers"]}, "spend your model calls"),
        ({"keep_schedule": "hourly"}, "five fields of cron"),
        ({"settings": {"CAPTION_LOCAL": "/x"}}, "settings takes the CAPTION_ settings"),
        ({"cors_origins": ["https://a.example/"]}, "no slash at the end"),
        ({"image_origins": {"img.example.com": "b"}}, "image_origins maps an address"),
        ({"max_instances": 0}, "whole number from 1 to 100"),
        ({"source_root": "/nowhere"}, "has main.py in it"),
        ({"key": '{GEMINI_KEY="k"}'}, "model_keys knows GEMINI_API_KEY"),
    ],
    [({"buckets": []}, "at least one"), ({"model": "openai:x"}, "model_keys lacks a key")],
    [
        ({"buckets": [{"name": "my-images"}, {"name": "my-images"}]}, "twice"),
        ({"model": "gpt"}, "model is provider:model"),
        ({"ask_public": True}, "ask_public lets strangers spend"),
    ],
    [({"key": ""}, "export TF_VAR_model_keys='{GEMINI_API_KEY="), ({}, "or set vertex_ai")],
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda each: each[0][1])
def test_a_wrong_value_is_refused_with_its_remedy(
    new: Deployment, wrong: list[tuple[dict[str, Any], str]]
) -> None:
    values = {name: value for each, _ in wrong for name, value in each.items()}
    said = " ".join(new.plan(**values).faults)
    assert [message for _, message in wrong if message not in said] == []


TOLD = ("google_cloudfunctions2_function", "google_pubsub_subscription")


def test_the_environment_that_is_deployed_is_one_that_the_functions_take(
    applied: Deployment,
) -> None:
    made = applied.cloud.all
    assert_taken_by_the_functions({kind: made(kind) for kind in TOLD}, ["GEMINI_API_KEY"])


@pytest.mark.parametrize(
    ("values", "keys"),
    [
        ({"model": "offline", "key": "{}"}, []),
        (
            {
                "model": "ollama:qwen3-vl",
                "key": "{}",
                "settings": {"OLLAMA_HOST": "https://ollama.example.com"},
            },
            [],
        ),
        (
            {
                "model": "gemini:gemini-3.5-flash-lite, openai:gpt-6-luna",
                "key": '{GEMINI_API_KEY="k", OPENAI_API_KEY="l"}',
                "image_origins": {"https://img.example.com/shop": "my-images/shop"},
                "cors_origins": ["https://www.example.com", "https://example.com"],
                "languages": ["en", "zh-Hant"],
                "settings": {"CAPTION_FILTER": "off", "CAPTION_MAX_ATTEMPTS": "5"},
                "daily_limit": 1000000,
            },
            ["GEMINI_API_KEY", "OPENAI_API_KEY"],
        ),
    ],
)
def test_the_environment_that_is_planned_is_one_that_the_functions_take(
    deployed: Deployment, values: dict[str, Any], keys: list[str]
) -> None:
    told = [f"-target=module.captions.{kind}.function" for kind in TOLD]
    assert deployed.plan("-refresh=false", *told, **values).faults == []
    assert_taken_by_the_functions(deployed.cloud.planned, keys, **values)


def test_every_entry_point_is_deployed_and_nothing_else(applied: Deployment) -> None:
    made = applied.cloud.all("google_cloudfunctions2_function")
    assert {each["build_config"][0]["entry_point"] for each in made} == ENTRY_POINTS


def test_every_setting_is_one_that_the_code_knows_and_can_be_set() -> None:
    [names] = re.findall(r"contains\(\[(.*?)\], name\)", FILES["variables.tf"], re.S)
    free = set(re.findall(r'"(CAPTION_\w+)"', names))
    age = {"CAPTION_MAX_AGE_SECONDS"}  # follows from the subscriptions, where nobody sets it
    fixed = set(re.findall(r"\b(CAPTION_\w+) *=", FILES["functions.tf"]))
    assert free | fixed == (NAMES - NOT_DEPLOYED) | {"CAPTION_EVENTS_TOPIC"}
    assert captions().locals["event_age"].keys() == age <= free
    addresses = set(re.findall(r'"(\w+)"', names)) - free
    assert addresses == {each.endpoint for each in PROVIDERS.values() if each.endpoint}
    assert not free & fixed, "a variable of its own and a setting would contradict each other"


def test_every_provider_can_be_deployed() -> None:
    [rule] = captions().variables["model"]["validation"]
    [names] = re.findall(r"\^\((\S+)\):", rule["condition"])
    assert set(names.split("|")) == set(PROVIDERS) - {"offline"}
    assert all(name in rule["error_message"] for name in PROVIDERS)


def test_keys_go_by_the_names_that_the_providers_read() -> None:
    needed = {name: each.keys[0] for name, each in PROVIDERS.items() if each.keys}
    assert captions().locals["key_names"] == needed
    used = set(re.findall(r"\b(GOOGLE_GENAI_\w+) *=", FILES["functions.tf"]))
    assert used <= set(PROVIDERS["gemini"].keys)


def test_only_functions_that_answer_people_can_be_reached_from_outside() -> None:
    reached = {n for n, each in table().items() if each["ingress"] != "ALLOW_INTERNAL_ONLY"}
    assert reached == {"alt-text", "review", "ask"}
    public = {
        each.address for each in captions().resources if each.body.get("member") == "allUsers"
    }
    assert public == {
        "google_storage_bucket_iam_member.images_public",
        "google_cloud_run_v2_service_iam_member.alt_text_public",
        "google_cloud_run_v2_service_iam_member.ask_public",
    }


def test_nothing_is_public_that_nobody_asked_to_be(applied: Deployment) -> None:
    made = str(applied.cloud.things)
    assert "allUsers" not in made
    assert "CAPTION_ASK_PUBLIC" not in made
    assert "google_firebaserules" not in made


def test_no_role_on_the_project_could_be_narrower() -> None:
    on_project = {
        each.address: each.body
        for each in captions().resources
        if each.type == "google_project_iam_member"
    }
    unbound = {address for address, body in on_project.items() if "condition" not in body}
    assert unbound == {
        "google_project_iam_member.build_logs",  # logs have no smaller resource
        "google_project_iam_member.traces",  # traces have no smaller resource
        "google_project_iam_member.predict",  # one permission; Google's models are no resource
    }
    for each in captions().resources:
        assert not re.search(r"roles/(owner|editor|viewer|\w+\.admin)\b", str(each.body))
        assert not each.type.endswith(("_iam_binding", "_iam_policy")), "would take others' away"


def test_every_role_is_explained_in_the_readme() -> None:
    readme = (INFRA / "README.md").read_text("utf-8")
    given = {each.address for each in captions().resources if each.type.endswith("_iam_member")}
    assert given == set(re.findall(r"`(google_\w+_iam_member\.\w+)`", readme))


def test_an_event_may_take_as_long_as_its_function() -> None:
    subscription = captions().resource("google_pubsub_subscription.function").body
    assert subscription["ack_deadline_seconds"] == "${local.timeout_seconds + 60}"
    assert captions().locals["timeout_seconds"] + 60 <= 600
    assert subscription["dead_letter_policy"]
    assert subscription["retry_policy"]


def test_a_bucket_tells_of_what_the_functions_take_and_of_nothing_else() -> None:
    told = set(captions().resource("google_storage_notification.uploads").body["event_types"])
    subscribers = captions().locals["subscribers"].values()
    taken = set(re.findall(r"OBJECT_\w+", str([each["filter"] for each in subscribers])))
    assert told == taken == {"OBJECT_FINALIZE", "OBJECT_DELETE", "OBJECT_ARCHIVE"}


def test_every_function_that_takes_events_has_its_subscription() -> None:
    internal = {n for n, each in table().items() if each["ingress"] == "ALLOW_INTERNAL_ONLY"}
    assert set(captions().locals["subscribers"]) == internal


def with_names_alone(source: Path, copy: Path) -> None:
    """Copy a source, with a file's name for its text: Terraform sorts the texts, for seconds."""
    for path in (source / "main.py", source / "captions.toml", *source.glob("functions/**/*")):
        if path.is_file():
            name = path.relative_to(source)
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes(str(name).encode() if is_text(path) else b"\xff")
    shutil.copy(source / "requirements.lock", copy)


def is_text(path: Path) -> bool:
    try:
        path.read_text("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def test_all_of_the_source_is_deployed_and_nothing_else(new: Deployment, tmp_path: Path) -> None:
    kept = subprocess.run(
        ["git", "ls-files", "main.py", "captions.toml", "functions"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    left_out = tuple(f"functions/{name}/" for name in LEFT_OUT)
    wanted = {each for each in kept.stdout.split() if not each.startswith(left_out)}
    with_names_alone(ROOT, tmp_path / "source")
    archive = "-target=module.captions.data.archive_file.source"
    assert new.plan(archive, source_root=str(tmp_path / "source")).faults == []
    archived = new.cloud.archived
    assert set(archived) == wanted | {"requirements.txt"}
    assert archived["requirements.txt"] == (ROOT / "requirements.lock").read_text("utf-8")


def test_indexes_and_rules_are_those_of_the_repository() -> None:
    text = FILES["firestore.tf"]
    for name in re.findall(r"\$\{path\.module\}/([\w./]+)", text):
        assert (MODULE / name).is_file()
    described = json.loads((INFRA / "firestore.indexes.json").read_text("utf-8"))
    read = {"collectionGroup", "queryScope", "fields", "fieldPath", "order", "arrayConfig"}
    read |= {"vectorConfig", "dimension", "flat", "indexes", "fieldOverrides", "ttl"}
    assert set(re.findall(r'"(\w+)":', json.dumps(described))) <= read


def test_no_key_can_reach_the_state(applied: Deployment) -> None:
    assert captions().variables["model_keys"]["ephemeral"] is True
    assert example().variables["model_keys"]["ephemeral"] is True
    [key] = re.findall(r'"(.+)"', KEY)
    assert key in applied.cloud.keys
    assert key not in (applied.folder / "terraform.tfstate").read_text("utf-8")


def test_the_example_of_values_is_one_that_plans(deployed: Deployment) -> None:
    text = (INFRA / "terraform.tfvars.example").read_text("utf-8")
    (deployed.folder / "terraform.tfvars.json").unlink()
    text = text.replace("my-project", ONE["project"])
    (deployed.folder / "terraform.tfvars").write_text(text, "utf-8")
    assert deployed.plan("-refresh=false").faults == []

"""The deployment, as far as it can be checked without a cloud."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from functions import composition
from functions.providers import PROVIDERS
from functions.settings import Settings
from tests.conftest import installed
from tests.infra import terraform
from tests.infra.infra_checks import cycle, name_faults, schema_faults
from tests.infra.infra_schema import SCHEMA
from tests.infra.terraform import INFRA, Module, Program, references
from tools import infra_tables

ROOT = INFRA.parent
FILES = {path.name: path.read_text("utf-8") for path in sorted(INFRA.glob("*.tf"))}
MODULE = Module.of(FILES)
KNOWN = json.loads(SCHEMA.read_text("utf-8"))
FUNCTIONS = MODULE.locals["functions"]
NAMES = {each.metadata["env"] for each in fields(Settings)}
# Settings that a deployment has no use for: the collection is that of the indexes and the rules,
# the rules by path are captions.toml beside main.py, prices are rows of model/prices.toml, a
# folder is no bucket.
NOT_DEPLOYED = {"CAPTION_COLLECTION", "CAPTION_POLICY", "CAPTION_PRICES", "CAPTION_LOCAL"}


@pytest.fixture(scope="module")
def program() -> Iterator[Program]:
    with installed(terraform.program()) as found:
        yield found


def changed(file: str, before: str, after: str) -> Module:
    assert before in FILES[file]
    return Module.of({**FILES, file: FILES[file].replace(before, after, 1)})


def test_every_file_is_formatted(program: Program) -> None:
    ran = program.run("fmt", "-check", "-diff")
    assert ran.returncode == 0, ran.stdout


def test_the_providers_know_every_argument() -> None:
    assert schema_faults(MODULE, KNOWN) == []


def test_the_schema_is_that_of_the_oldest_provider_that_is_taken() -> None:
    asked = MODULE.terraform["required_providers"][0]
    for name, version in KNOWN["versions"].items():
        oldest = re.match(r"(?:~>|>=) ([\d.]+)", asked[name.rpartition("/")[2]]["version"])
        assert oldest
        assert version.startswith(f"{oldest[1]}.")


@pytest.mark.parametrize(
    ("file", "before", "after", "fault"),
    [
        ("requests.tf", "ack_deadline_seconds ", "ack_deadline ", "ack_deadline: is not known"),
        ("requests.tf", "  oidc_token {", "  oidc {", "push_config.oidc: is not known"),
        ("requests.tf", "retry_policy {", "retry_policy = {", "retry_policy: is a block"),
        ("requests.tf", "  topic = google_pubsub_topic.dead_letters.id\n", "", "lacks topic"),
        ("firestore.tf", "      field_path ", "      path ", "fields.path: is not known"),
        ("firestore.tf", 'dynamic "vector_config"', 'dynamic "v"', "fields.v: is not known"),
        ("functions.tf", '    available_cpu                    = "1"', "    available_cpu {}", "="),
        (
            "functions.tf",
            "min_instance_count               = 0",
            'min_instance_count = "no"',
            "no nu",
        ),
        (
            "bucket.tf",
            'resource "google_storage_bucket" "i',
            'resource "google_bucket" "i',
            "no prov",
        ),
        (
            "bucket.tf",
            "  versioning {",
            "  versioning {\n    enabled = true\n  }\n  versioning {",
            "one",
        ),
    ],
)
def test_a_planted_error_is_found(file: str, before: str, after: str, fault: str) -> None:
    assert any(fault in each for each in schema_faults(changed(file, before, after), KNOWN))


def test_every_name_that_is_referred_to_exists_and_is_used() -> None:
    assert name_faults(MODULE, KNOWN) == []
    assert cycle(MODULE) == []


@pytest.mark.parametrize(
    ("file", "before", "after", "fault"),
    [
        ("functions.tf", "var.concurrency", "var.threads", "no var.threads"),
        ("functions.tf", "local.env,", "local.environment,", "no local.environment"),
        ("functions.tf", "google_service_account.build.id", "google_service_account.b.id", "no go"),
        (
            "functions.tf",
            "google_service_account.build.id",
            "google_service_account.build.x",
            "no x",
        ),
        ("outputs.tf", "${var.bucket}", "${var.buckets}", "no var.buckets"),
        (
            "requests.tf",
            "data.google_project.this.number",
            "data.google_project.it.number",
            "no da",
        ),
        ("variables.tf", 'variable "memory"', 'variable "ram"', "var.ram: is not used"),
    ],
)
def test_a_planted_name_is_found(file: str, before: str, after: str, fault: str) -> None:
    assert any(fault in each for each in name_faults(changed(file, before, after), KNOWN))


def test_a_ring_is_found() -> None:
    name = 'name = "caption-requests"'
    assert cycle(changed("requests.tf", name, "name = google_pubsub_subscription.function.name"))


def test_variables_and_outputs_say_what_they_are() -> None:
    for name, each in MODULE.variables.items():
        assert each["description"].endswith("."), name
        assert each["type"], name
        assert each.get("validation") or each["type"] == "bool", name
        for rule in each.get("validation", ()):
            assert name in rule["error_message"], "the message names the variable"
    for name, each in MODULE.outputs.items():
        assert each["description"].endswith("."), name


def test_the_tables_of_the_readme_are_those_of_the_files() -> None:
    readme = (INFRA / "README.md").read_text("utf-8")
    assert infra_tables.written(readme, MODULE) == readme, "run make infra"


@pytest.fixture(scope="module")
def variables(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Variables and what is made of them; without resources no provider is needed."""
    folder = tmp_path_factory.mktemp("variables")
    (folder / "variables.tf").write_text(FILES["variables.tf"])
    for name in ("functions.tf", "secrets.tf"):
        block = re.match(r"locals \{.*?^\}\n", FILES[name], re.S | re.M)
        assert block
        text = block[0].replace("google_pubsub_topic.requests.name", '"caption-requests"')
        (folder / name).write_text(text.replace("local.database", "var.database"))
    outputs = (f'output "{each}" {{\n value = local.{each}\n}}\n' for each in ("env", "keys"))
    (folder / "outputs.tf").write_text("".join(outputs))
    assert program.run("init", folder=folder).returncode == 0
    return folder


def apply(program: Program, folder: Path, **values: str) -> str:
    given = {"project": "my-shop-123", "bucket": "my-images", "model_keys": '{GEMINI_API_KEY="k"}'}
    env = {f"TF_VAR_{name}": value for name, value in {**given, **values}.items()}
    ran = program.run("apply", "-auto-approve", "-input=false", "-no-color", folder=folder, **env)
    return " ".join(re.sub(r"[│╷╵]", "", ran.stdout + ran.stderr).split())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"project": "My Shop"}, "project is the ID"),
        ({"bucket": "gs://my-images"}, "without gs://"),
        ({"region": "eu"}, "neither a zone nor a multi-region"),
        ({"model": "openai:x"}, "model_keys lacks a key"),
        ({"model": "gpt"}, "model is provider:model"),
        ({"model_keys": "{}"}, "or set vertex_ai"),
        ({"reviewers": '["allUsers"]'}, "never public"),
        ({"settings": '{CAPTION_LOCAL="/x"}'}, "settings takes the CAPTION_ settings"),
        ({"cors_origins": '["https://a.example/"]'}, "no slash at the end"),
        ({"image_origins": '{"img.example.com"="b"}'}, "image_origins maps an address"),
        ({"max_instances": "0"}, "whole number from 1 to 100"),
    ],
)
def test_a_wrong_value_is_refused_with_its_remedy(
    program: Program, variables: Path, values: dict[str, str], message: str
) -> None:
    assert message in apply(program, variables, **values)


@pytest.mark.parametrize(
    ("values", "keys"),
    [
        ({}, ["GEMINI_API_KEY"]),
        ({"vertex_ai": "true", "model_keys": "{}", "vertex_location": "europe-west4"}, []),
        ({"model": "offline", "model_keys": "{}", "database": "captions-db"}, []),
        (
            {
                "model": "gemini:gemini-3.5-flash-lite, openai:gpt-6-luna",
                "model_keys": '{GEMINI_API_KEY="k", OPENAI_API_KEY="l"}',
                "image_origins": '{"https://img.example.com/shop"="my-images/shop"}',
                "cors_origins": '["https://www.example.com", "https://example.com"]',
                "reviewers": '["user:ann@example.com"]',
                "languages": '["en", "zh-Hant"]',
                "settings": '{CAPTION_FILTER="off", CAPTION_MAX_ATTEMPTS="5"}',
                "daily_limit": "1000000",
            },
            ["GEMINI_API_KEY", "OPENAI_API_KEY"],
        ),
    ],
)
def test_the_environment_that_is_made_is_one_that_the_functions_take(
    program: Program, variables: Path, values: dict[str, str], keys: list[str]
) -> None:
    said = apply(program, variables, **values)
    assert "Apply complete" in said, said
    made = json.loads(program.run("output", "-json", folder=variables).stdout)
    assert made["keys"]["value"] == keys
    env = made["env"]["value"]
    read = Settings.from_env(env)
    composition.require_key(read.model, env | dict.fromkeys(keys, "k"))
    assert str(read.model) == values.get("model", "gemini:gemini-3.5-flash-lite").replace(" ", "")
    assert read.database == values.get("database", "(default)")
    assert read.public_buckets == ("my-images",)
    assert str(read.daily_limit) == values.get("daily_limit", "10000")
    assert [each.bucket for each in read.origins or ()] == ["my-images"] * (
        "image_origins" in values
    )


def test_the_functions_are_the_entry_points() -> None:
    main = (ROOT / "main.py").read_text("utf-8")
    deployed = {each["target"] for each in FUNCTIONS.values()}
    assert deployed == {"caption_image", "forget_image", "caption_request", "alt_text", "review"}
    assert deployed == set(re.findall(r"^def (\w+)\(", main, re.M))


def test_every_setting_is_one_that_the_code_knows_and_can_be_set() -> None:
    [names] = re.findall(r"contains\(\[(.*?)\], name\)", FILES["variables.tf"], re.S)
    free = set(re.findall(r'"(\w+)"', names))
    fixed = set(re.findall(r"\b(CAPTION_\w+) *=", FILES["functions.tf"]))
    assert free | fixed == NAMES - NOT_DEPLOYED
    assert not free & fixed, "a variable of its own and a setting would contradict each other"


def test_keys_go_by_the_names_that_the_providers_read() -> None:
    needed = {name: each.keys[0] for name, each in PROVIDERS.items() if each.keys}
    assert MODULE.locals["key_names"] == needed
    used = set(re.findall(r"\b(GOOGLE_GENAI_\w+) *=", FILES["functions.tf"]))
    assert used <= set(PROVIDERS["gemini"].keys)


def test_an_instance_has_as_many_threads_as_events() -> None:
    service = MODULE.resource("google_cloudfunctions2_function.function").body["service_config"][0]
    assert service["max_instance_request_concurrency"] == "${var.concurrency}"
    assert "THREADS = tostring(var.concurrency)" in service["environment_variables"]
    assert service["min_instance_count"] == 0


def test_only_functions_that_answer_people_can_be_reached_from_outside() -> None:
    reached = {n for n, each in FUNCTIONS.items() if each["ingress"] != "ALLOW_INTERNAL_ONLY"}
    assert reached == {"alt-text", "review"}
    public = {each.address for each in MODULE.resources if each.body.get("member") == "allUsers"}
    assert public == {
        "google_storage_bucket_iam_member.images_public",
        "google_cloud_run_v2_service_iam_member.alt_text_public",
    }
    for address in public:
        assert re.search(
            r"var\.(public_images|alt_text_public)", MODULE.resource(address).body["count"]
        )


def test_browsers_read_the_database_only_where_that_is_asked_for() -> None:
    for kind in ("ruleset", "release"):
        body = MODULE.resource(f"google_firebaserules_{kind}.captions").body
        assert body["count"] == "${var.create_database && var.firestore_public ? 1 : 0}"
    assert not any(
        MODULE.variables[name]["default"]
        for name in ("firestore_public", "public_images", "alt_text_public")
    )


def test_no_role_on_the_project_could_be_narrower() -> None:
    on_project = {
        each.address: each.body
        for each in MODULE.resources
        if each.type == "google_project_iam_member"
    }
    unbound = {address for address, body in on_project.items() if "condition" not in body}
    assert unbound == {
        "google_project_iam_member.build_logs",  # logs have no smaller resource
        "google_project_iam_member.predict",  # one permission; Google's models are no resource
    }
    for each in MODULE.resources:
        assert not re.search(r"roles/(owner|editor|viewer|\w+\.admin)\b", str(each.body))
        assert not each.type.endswith(("_iam_binding", "_iam_policy")), "would take others' away"


def test_every_role_is_explained_in_the_readme() -> None:
    readme = (INFRA / "README.md").read_text("utf-8")
    given = {each.address for each in MODULE.resources if each.type.endswith("_iam_member")}
    assert given == set(re.findall(r"`(google_\w+_iam_member\.\w+)`", readme))


def test_an_event_may_take_as_long_as_its_function() -> None:
    subscription = MODULE.resource("google_pubsub_subscription.function").body
    assert subscription["ack_deadline_seconds"] == "${local.timeout_seconds + 60}"
    assert MODULE.locals["timeout_seconds"] + 60 <= 600
    assert subscription["dead_letter_policy"]
    assert subscription["retry_policy"]


def test_a_bucket_tells_of_what_the_functions_take_and_of_nothing_else() -> None:
    told = set(MODULE.resource("google_storage_notification.uploads").body["event_types"])
    subscriptions = MODULE.locals["subscriptions"].values()
    taken = set(re.findall(r"OBJECT_\w+", str([each["filter"] for each in subscriptions])))
    assert told == taken == {"OBJECT_FINALIZE", "OBJECT_DELETE", "OBJECT_ARCHIVE"}


def test_all_of_the_source_is_deployed_and_nothing_else(program: Program, tmp_path: Path) -> None:
    listed = re.search(r"source_files = (toset\(.*?\n  \]\))", FILES["source.tf"], re.S)
    assert listed
    expression = " ".join(listed[1].replace("${path.module}", str(INFRA)).split())
    ran = program.run("console", folder=tmp_path, said=f"jsonencode({expression})\n")
    deployed = set(json.loads(json.loads(ran.stdout)))
    kept = subprocess.run(
        ["git", "ls-files", "main.py", "requirements.lock", "captions.toml", "functions"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert set(kept.stdout.split()) <= deployed
    assert all(each.startswith(("functions/", "main.py", "req", "cap")) for each in deployed)
    for each in deployed:
        (ROOT / each).read_text("utf-8")


def test_indexes_and_rules_are_those_of_the_repository() -> None:
    text = FILES["firestore.tf"]
    for name in re.findall(r"\$\{path\.module\}/([\w.]+)", text):
        assert (INFRA / name).is_file()
    described = json.loads((INFRA / "firestore.indexes.json").read_text("utf-8"))
    read = {"collectionGroup", "queryScope", "fields", "fieldPath", "order", "arrayConfig"}
    read |= {"vectorConfig", "dimension", "flat", "indexes", "fieldOverrides", "ttl"}
    assert set(re.findall(r'"(\w+)":', json.dumps(described))) <= read


def test_no_key_can_reach_the_state() -> None:
    assert MODULE.variables["model_keys"]["ephemeral"] is True
    for each in MODULE.resources:
        if ("var", "model_keys") in references(each.body):
            inside = {
                key
                for key, value in each.body.items()
                if ("var", "model_keys") in references(value)
            }
            assert inside == {"secret_data_wo"}

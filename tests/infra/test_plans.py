"""Terraform itself on the deployment: what a plan changes, and what no plan may take away."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.infra import terraform
from tests.infra.cloud import Cloud, Values
from tests.infra.deployment import KEY, ONE, PROJECT, Deployment
from tests.infra.terraform import INFRA, MODULE, Program

OTHER = "other-project"
STATE = json.loads((Path(__file__).parent / "state_of_last_release.json").read_text("utf-8"))
SOURCE = {"module.captions.google_storage_bucket_object.source"}
_SWITCHES = re.compile(r"^\| `(\w+ = .+?)` \| (\S+) \| (\S+) \| (\S+) \|", re.M)


def edit(deployment: Deployment, file: str, before: str, after: str) -> None:
    path = deployment.folder / "module" / file
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after), "utf-8")


def refusing(verb: str, kind: str, words: str = "") -> Callable[[str, str, Values], str]:
    def refusal(tried: str, type_: str, values: Values) -> str:
        meant = (tried, type_) == (verb, kind) and words in json.dumps(values, default=str)
        return "Error 403: not today" if meant else ""

    return refusal


def test_the_files_are_valid_by_the_providers_own_schema(applied: Deployment) -> None:
    assert applied.run("validate", "-no-color").faults == []


@pytest.mark.parametrize(
    ("file", "before", "after", "fault"),
    [
        ("requests.tf", "ack_deadline_seconds ", "ack_deadline ", "Unsupported argument"),
        ("requests.tf", "  oidc_token {", "  oidc {", "Unsupported block"),
        ("functions.tf", 'available_cpu                    = "1"', "available_cpu = {}", "string"),
        ("functions.tf", "local.env,", "local.environment,", "undeclared local"),
    ],
)
def test_a_planted_error_is_found(
    deployed: Deployment, file: str, before: str, after: str, fault: str
) -> None:
    edit(deployed, file, before, after)
    assert any(fault in each for each in deployed.run("validate", "-no-color").faults)


def test_a_second_plan_is_empty(deployed: Deployment) -> None:
    ran = deployed.plan()
    assert (ran.faults, ran.changed) == ([], set())


def test_an_index_without_its_name_field_would_be_rebuilt(deployed: Deployment) -> None:
    edit(deployed, "firestore.tf", "name if can(field.vectorConfig)", "name if false")
    assert {each.split("[")[0] for each in deployed.plan("-refresh=false").lost} == {
        "module.captions.google_firestore_index.captions"
    }


def test_data_that_waits_for_every_api_would_take_permissions_away(deployed: Deployment) -> None:
    edit(
        deployed,
        "bucket.tf",
        "  project = each.value\n\n  depends_on = [google_project_service.first]",
        "  project = each.value\n\n  depends_on = [google_project_service.optional]",
    )
    lost = deployed.plan("-refresh=false", key="{}", vertex_ai=True).lost
    assert 'module.captions.google_pubsub_topic_iam_member.gcs_publishes["own"]' in lost


def switches() -> list[tuple[str, ...]]:
    page = (INFRA.parent / "docs" / "deploy.md").read_text("utf-8")
    return _SWITCHES.findall(page)


def values_of(text: str) -> dict[str, Any]:
    parts = re.split(r"(?:^|, )(\w+) = ", text)[1:]
    return {name: json.loads(value) for name, value in zip(parts[::2], parts[1::2], strict=True)}


def test_every_variable_is_a_switch_of_the_page() -> None:
    told = {name for text, *_ in switches() for name in values_of(text)}
    variables = set(terraform.Module.load(MODULE).variables)
    assert variables - told == {"project", "source_root", "model_keys"}


ALLOWED = [each for each in switches() if each[-1] != "refused"]
REFUSED = [values_of(text) for text, *_, destroys in switches() if destroys == "refused"]


@pytest.mark.parametrize(("text", "adds", "changes", "destroys"), ALLOWED)
def test_a_switch_changes_what_the_page_says_and_loses_nothing(
    deployed: Deployment, text: str, adds: str, changes: str, destroys: str
) -> None:
    deployed.cloud.enabled.add((OTHER, "storage.googleapis.com"))
    ran = deployed.plan("-refresh=false", **values_of(text))
    assert ran.faults == []
    counted = (len(ran.of("create")), len(ran.of("update")), len(ran.lost))
    assert counted == (int(adds), int(changes), int(destroys))
    assert {each for each in ran.lost if "secret" not in each} == set()


def test_a_switch_to_vertex_ai_takes_the_key_when_nobody_needs_it_any_more(
    deployed: Deployment,
) -> None:
    ran = deployed.apply(key="{}", vertex_ai=True)
    assert ran.faults == []
    last = max(n for n, (addr, _) in enumerate(ran.steps) if ".function[" in addr)
    taken = [n for n, (_, action) in enumerate(ran.steps) if action == "delete"]
    assert taken
    assert last < min(taken)


def test_an_api_that_cannot_be_switched_on_leaves_captioning_as_it_was(
    deployed: Deployment,
) -> None:
    before = set(deployed.cloud.things)
    deployed.cloud.refusal = refusing("create", "google_project_service", "aiplatform")
    assert deployed.apply(key="{}", vertex_ai=True).faults
    assert before == set(deployed.cloud.things)
    assert [each for each in deployed.cloud.done if each.verb == "delete"] == []

    deployed.cloud.refusal = lambda *_: ""
    assert deployed.apply(key="{}").faults == []
    assert deployed.plan(key="{}").changed == set()


def test_an_apply_that_fails_half_way_is_repeated(program: Program, tmp_path: Path) -> None:
    """A function is not built, and an agent is a minute too young."""
    unbuilt = refusing("create", "google_cloudfunctions2_function", "caption-request")
    young = refusing("create", "google_pubsub_topic_iam_member", "gcp-sa-pubsub")
    cloud = Cloud.with_project(PROJECT)
    made = Deployment.fresh(program, tmp_path / "half", cloud)
    cloud.refusal = lambda *tried: unbuilt(*tried) or young(*tried)
    faults = " ".join(made.apply(**ONE).faults)
    assert 'function["caption-request"]' in faults
    assert "google_pubsub_topic_iam_member" in faults
    cloud.refusal = lambda *_: ""
    again = made.apply()
    assert (again.faults, again.lost) == ([], set())
    assert made.plan("-refresh=false").changed == set()


def test_the_last_release_is_taken_over_with_all_it_has(program: Program, tmp_path: Path) -> None:
    cloud = Cloud.with_project(PROJECT)
    cloud.adopt(STATE)
    made = Deployment.fresh(program, tmp_path / "upgraded", cloud)
    (made.folder / "terraform.tfstate").write_text(json.dumps(STATE), "utf-8")
    ran = made.apply(
        project=PROJECT,
        buckets=[{"name": "my-images", "key": "images"}],
        alert_email="oncall@example.com",
        reviewers=["group:editors@example.com"],
        alt_text_public=True,
        public_images=True,
        firestore_public=True,
    )
    assert ran.faults == []
    rules = {each for each in ran.lost if "firebaserules" in each}  # their text is another one
    assert ran.lost - rules == SOURCE
    assert made.plan("-refresh=false").changed == set()


@pytest.mark.parametrize(
    ("options", "values"),
    [
        (["-destroy"], {}),
        ([], {"buckets": [{"name": "another"}]}),
        *(([], values) for values in REFUSED),
    ],
)
def test_what_would_take_pictures_or_words_away_is_refused_before_anything_is_gone(
    deployed: Deployment, options: list[str], values: dict[str, Any]
) -> None:
    ran = deployed.apply(*options, key="" if options else KEY, **values)
    assert any("prevent_destroy" in each for each in ran.faults)
    assert [each for each in deployed.cloud.done if each.verb == "delete"] == []


def test_what_is_let_go_of_stays_when_the_rest_is_destroyed(deployed: Deployment) -> None:
    page = (INFRA.parent / "docs" / "deploy.md").read_text("utf-8")
    [kept] = re.findall(r"terraform state rm ((?:'.*?'[ \\\n]*)+)", page)
    assert deployed.run("state", "rm", *re.findall(r"'(.*?)'", kept)).faults == []
    ran = deployed.run("destroy", "-auto-approve", "-json", "-input=false")
    assert ran.faults == []
    assert {each["name"] for each in deployed.cloud.all("google_storage_bucket")} == {"my-images"}
    assert deployed.cloud.all("google_firestore_database")
    assert not deployed.cloud.all("google_cloudfunctions2_function")


def test_a_key_is_there_before_the_one_that_it_replaces_goes(deployed: Deployment) -> None:
    ran = deployed.apply(key='{GEMINI_API_KEY="another"}', model_keys_version=2)
    version = 'module.captions.google_secret_manager_secret_version.key["GEMINI_API_KEY"]'
    function = 'module.captions.google_cloudfunctions2_function.function["caption-image"]'
    made, used, gone = (
        ran.steps.index(each)
        for each in ((version, "create"), (function, "update"), (version, "delete"))
    )
    assert made < used < gone
    assert deployed.cloud.keys[-1] == "another"
    state = (deployed.folder / "terraform.tfstate").read_text("utf-8")
    assert '"another"' not in state


def test_a_missing_key_is_named_with_its_remedy(deployed: Deployment) -> None:
    [fault] = deployed.plan("-refresh=false", key="").faults
    assert "export TF_VAR_model_keys" in fault


def test_buckets_of_other_projects_and_with_notifications_of_their_own(
    deployed: Deployment,
) -> None:
    deployed.cloud.enabled.add((OTHER, "storage.googleapis.com"))
    deployed.cloud.enabled.add((OTHER, "iam.googleapis.com"))
    deployed.cloud.create(
        "google_storage_notification",
        {"bucket": "theirs", "topic": "projects/other-project/topics/their-own"},
    )
    ran = deployed.apply(
        buckets=[
            {"name": "my-images"},
            {"name": "more", "project": OTHER, "location": "EUR4"},
            {"name": "theirs", "create": False},
        ]
    )
    assert (ran.faults, ran.lost) == ([], set())
    topics = [
        (one["bucket"], one["topic"]) for one in deployed.cloud.all("google_storage_notification")
    ]
    assert len(topics) == 4
    assert ("theirs", "projects/other-project/topics/their-own") in topics
    grants = deployed.cloud.all("google_storage_bucket_iam_member")
    for bucket, project in (("more", OTHER), ("theirs", PROJECT)):
        roles = {each["role"] for each in grants if each["bucket"] == bucket}
        assert roles == {
            f"projects/{project}/roles/captionsImage{each}" for each in ("Labeller", "Seer")
        }
    assert {"my-images", "more"} <= {
        one["name"] for one in deployed.cloud.all("google_storage_bucket")
    }
    [env] = {
        one["service_config"][0]["environment_variables"]["CAPTION_PUBLIC_BUCKETS"]
        for one in deployed.cloud.all("google_cloudfunctions2_function")
    }
    assert env == "my-images,more,theirs"


def test_the_clock_questions_and_events_have_accounts_and_no_more_than_they_need(
    applied: Deployment,
) -> None:
    made = applied.cloud.all
    accounts = {each["account_id"]: each["email"] for each in made("google_service_account")}
    for function in made("google_cloudfunctions2_function"):
        [service] = function["service_config"]
        assert service["service_account_email"] == accounts[f"captions-{function['name']}"]
    [job] = made("google_cloud_scheduler_job")
    assert '"caption-keep"' in job["pubsub_target"][0]["topic_name"]
    assert {each["name"] for each in made("google_pubsub_subscription")} >= {"keep"}
    publishing = {
        (each["topic"].rpartition("/")[2], each["member"].partition("@")[0].rpartition(":")[2])
        for each in made("google_pubsub_topic_iam_member")
    }
    told = {account for topic, account in publishing if topic == "caption-events"}
    functions = ("caption-image", "caption-request", "keep", "review")
    assert told == {f"captions-{name}" for name in functions}
    assert ("caption-requests", "captions-keep") in publishing
    assert "captions-ask" not in {account for _, account in publishing}
    titles = " ".join(each["display_name"] for each in made("google_monitoring_alert_policy"))
    for sign in ("nothing arrives", "model is away", "deferred", "events wait", "cost more"):
        assert sign in titles
    for default in ("-compute@developer", "@appspot", "@cloudbuild"):
        assert default not in str(applied.cloud.things)


def test_a_replay_brings_back_uploads_deletions_and_requests_and_not_the_clock(
    applied: Deployment,
) -> None:
    [named] = re.findall(r"for s in ([\w -]+); do", applied.outputs()["replay"])
    assert set(named.split()) == {"caption-image", "forget-image", "caption-request"}


_LONGEST = {
    "google_service_account": ("account_id", 30),
    "google_storage_bucket": ("name", 63),
    "google_cloudfunctions2_function": ("name", 63),
    "google_project_iam_custom_role": ("role_id", 64),
    "google_artifact_registry_repository": ("repository_id", 63),
    "google_pubsub_topic": ("name", 255),
}


def test_names_keep_to_their_limits_in_a_project_with_the_longest_ones(
    program: Program, tmp_path: Path
) -> None:
    project = "a-project-of-thirty-characters"
    cloud = Cloud.with_project(project)
    longest = Deployment.fresh(program, tmp_path / "longest", cloud)
    buckets = [{"name": "b" * 63}]
    planned = longest.planned(project=project, buckets=buckets, name_prefix="shop1-")
    for kind, (name, most) in _LONGEST.items():
        found = [each[name] for at, each in planned.items() if at.startswith(f"{kind}.")]
        assert found
        assert [each for each in found if len(each) > most] == []


def test_a_new_version_answers_an_event_before_it_has_traffic(deployed: Deployment) -> None:
    planned = deployed.planned(hold_new_revisions=True)
    address = deployed.service("caption_request")["uri"]
    [push] = planned["google_pubsub_subscription.try[0]"]["push_config"]
    assert push["push_endpoint"] == address.replace("https://", "https://next---")
    assert push["oidc_token"][0]["audience"] == address
    services = [
        each["service_config"][0] for at, each in planned.items() if "cloudfunctions2" in at
    ]
    assert services
    assert not any(each["all_traffic_on_latest_revision"] for each in services)


def test_a_second_copy_fits_into_the_project(deployed: Deployment, tmp_path: Path) -> None:
    second = Deployment.fresh(deployed.program, tmp_path / "second", deployed.cloud)
    values = {**ONE, "buckets": [{"name": "shop-images"}], "name_prefix": "shop-"}
    assert any(
        "already exists" in each for each in second.branch(tmp_path / "b").apply(**values).faults
    )
    ran = second.apply(**values, database="shop-captions")
    assert (ran.faults, ran.lost) == ([], set())
    assert deployed.plan().changed == set()


def test_the_module_can_be_called_for_each(deployed: Deployment, tmp_path: Path) -> None:
    folder = deployed.folder
    for name in ("main.tf", "moved.tf", "outputs.tf", "variables.tf", "versions.tf"):
        (folder / name).unlink()
    (folder / "main.tf").write_text(
        """
        module "captions" {
          for_each = { my-shop-123 = "one", other-project = "two" }
          source   = "./module"
          project  = each.key
          buckets  = [{ name = "${each.value}-images" }]
          model    = "offline"
        }
        """
    )
    shutil.rmtree(folder / ".terraform")
    assert deployed.run("init", "-input=false").faults == []
    assert deployed.run("validate", "-no-color").faults == []


def test_what_lies_about_in_the_folder_changes_nothing(deployed: Deployment) -> None:
    folder = deployed.folder.parent / "functions"
    for name in (".DS_Store", "pictures/Thumbs.db", ".idea/it.xml", "settings.py.orig"):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"\0\xff\xfe")
    ran = deployed.plan("-refresh=false")
    assert (ran.faults, ran.changed) == ([], set())

"""Terraform itself on the deployment: what a plan changes, and what no plan may take away."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest

from tests.infra import terraform
from tests.infra.cloud import Cloud, Values
from tests.infra.deployment import KEY, ONE, PROJECT, Deployment, Ran
from tests.infra.taken import assert_taken_by_the_functions
from tests.infra.terraform import INFRA, MODULE, Program

OTHER = "other-project"
STATE = json.loads((Path(__file__).parent / "state_of_last_release.json").read_text("utf-8"))
SOURCE = {"module.captions.google_storage_bucket_object.source"}
PROTECTED = (
    "google_storage_bucket.images",
    "google_firestore_database.captions",
    "google_pubsub_topic.uploads",
)
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


def test_a_second_plan_is_empty_whatever_lies_about_in_the_folder(deployed: Deployment) -> None:
    folder = deployed.folder.parent / "functions"
    for name in (".DS_Store", "pictures/Thumbs.db", ".idea/it.xml", "settings.py.orig"):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"\0\xff\xfe")
    ran = deployed.plan()
    assert (ran.faults, ran.changed) == ([], set())


def test_planted_losses_are_found(deployed: Deployment) -> None:
    """An index without its name field, and data that waits for every API."""
    edit(deployed, "firestore.tf", "name if can(field.vectorConfig)", "name if false")
    edit(
        deployed,
        "bucket.tf",
        "  project = each.value\n\n  depends_on = [google_project_service.first]",
        "  project = each.value\n\n  depends_on = [google_project_service.optional]",
    )
    lost = deployed.plan("-refresh=false", key="{}", vertex_ai=True).lost
    assert any(".google_firestore_index.captions[" in each for each in lost)
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


REFUSED = [values_of(text) for text, *_, destroys in switches() if destroys == "refused"]
# Those by which everybody gets a role.
PUBLIC = {"alt_text_public", "ask_public", "public_images"}
# Thrown in tests of their own.
APART = ("vertex_ai", "model_keys_version", "hold_new_revisions")
# Each changes what is nobody else's, so that one plan shows them all.
SMALL = {
    "alt_text_public": {"google_cloud_run_v2_service_iam_member.alt_text_public"},
    "versioning": {"google_storage_bucket.images"},
    "reviewers": {
        "google_cloud_run_v2_service_iam_member.reviewers",
        "google_cloud_run_v2_service_iam_member.reviewers_locate",
    },
    "askers": {"google_cloud_run_v2_service_iam_member.askers"},
    "cost_alert_usd": {"google_monitoring_alert_policy.cost"},
    "keep_schedule": {"google_cloud_scheduler_job.keep"},
}
LARGE = [
    text
    for text, *_, last in switches()
    if last != "refused" and not text.startswith((*APART, *SMALL))
]


def told(name: str) -> tuple[str, tuple[int, ...]]:
    """The switch whose row begins with ``name``, and what the page says that it changes."""
    [row] = [(text, counts) for text, *counts in switches() if text.startswith(name)]
    return row[0], tuple(map(int, row[1]))


def counted(ran: Ran, resources: Collection[str] = ()) -> tuple[int, ...]:
    """What a plan creates, updates and destroys of ``resources``, or of all."""
    return tuple(
        sum(not resources or _resource(each) in resources for each in addresses)
        for addresses in (ran.of("create"), ran.of("update"), ran.lost)
    )


def _resource(address: str) -> str:
    return address.removeprefix("module.captions.").partition("[")[0]


def assert_as_told(ran: Ran, name: str) -> None:
    """What changes is what the page says of a switch."""
    assert ran.faults == []
    assert counted(ran) == told(name)[1]
    assert {each for each in ran.lost if "secret" not in each} == set()


@pytest.mark.parametrize("text", LARGE)
def test_a_switch_changes_what_the_page_says_and_loses_nothing(
    deployed: Deployment, text: str
) -> None:
    deployed.cloud.enabled.add((OTHER, "storage.googleapis.com"))
    values = values_of(text)
    assert_as_told(deployed.plan("-refresh=false", **values), text)
    planned = deployed.cloud.planned
    assert str(planned).count("allUsers") == len(PUBLIC & values.keys())
    assert ("google_firebaserules_release" in planned) == ("firestore_public" in values)


def test_a_small_switch_changes_what_the_page_says_and_nothing_else(deployed: Deployment) -> None:
    values = {name: each for row in SMALL for name, each in values_of(told(row)[0]).items()}
    ran = deployed.plan("-refresh=false", **values)
    assert ran.faults == []
    for row, resources in SMALL.items():
        assert counted(ran, resources) == told(row)[1], row
    assert {_resource(each) for each in ran.changed} == set().union(*SMALL.values())
    assert str(deployed.cloud.planned).count("allUsers") == 1


def test_an_api_that_cannot_be_switched_on_leaves_captioning_as_it_was(
    deployed: Deployment,
) -> None:
    """And vertex_ai takes the key, when the functions need it no more."""
    switch = {"vertex_ai": True, "vertex_location": "europe-west4"}
    before = set(deployed.cloud.things)
    deployed.cloud.refusal = refusing("create", "google_project_service", "aiplatform")
    assert deployed.apply(key="{}", **switch).faults
    assert before == set(deployed.cloud.things)
    assert [each for each in deployed.cloud.done if each.verb == "delete"] == []

    deployed.cloud.refusal = lambda *_: ""
    ran = deployed.apply(key="{}")
    assert_as_told(ran, "vertex_ai = true")
    last = max(n for n, (addr, _) in enumerate(ran.steps) if ".function[" in addr)
    taken = [n for n, (_, action) in enumerate(ran.steps) if action == "delete"]
    assert taken
    assert last < min(taken)
    assert deployed.plan(key="{}").changed == set()
    assert_taken_by_the_functions(deployed.cloud.planned, keys=[])


def test_the_last_release_is_taken_over_with_all_it_has(program: Program, tmp_path: Path) -> None:
    cloud = Cloud.with_project(PROJECT)
    cloud.adopt(STATE)
    made = Deployment.fresh(program, tmp_path / "upgraded", cloud, all_indexes=True)
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
    assert made.plan().changed == set()


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
    """A plan for less than all is quicker, and is refused when the whole one would be."""
    protected = [f"-target=module.captions.{each}" for each in PROTECTED]
    ran = deployed.apply(*protected, *options, key="" if options else KEY, **values)
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
    assert_as_told(ran, "model_keys_version = 2")
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
    assert longest.plan(project=project, buckets=buckets, name_prefix="shop1-").faults == []
    for kind, (name, most) in _LONGEST.items():
        found = [each[name] for each in cloud.planned[kind]]
        assert found
        assert [each for each in found if len(each) > most] == []


def test_a_new_version_answers_an_event_before_it_has_traffic(deployed: Deployment) -> None:
    assert_as_told(deployed.plan("-refresh=false", hold_new_revisions=True), "hold_new_revisions")
    planned = deployed.cloud.planned
    address = deployed.service("caption_request")["uri"]
    [push] = [
        each["push_config"][0]
        for each in planned["google_pubsub_subscription"]
        if each["name"] == "caption-try"
    ]
    assert push["push_endpoint"] == address.replace("https://", "https://next---")
    assert push["oidc_token"][0]["audience"] == address
    services = [each["service_config"][0] for each in planned["google_cloudfunctions2_function"]]
    assert services
    assert not any(each["all_traffic_on_latest_revision"] for each in services)


def test_a_second_copy_fits_into_the_project_though_its_first_apply_fails_half_way(
    deployed: Deployment, tmp_path: Path
) -> None:
    """Its database is taken, a function is not built, and an agent is a minute too young."""
    second = Deployment.fresh(deployed.program, tmp_path / "second", deployed.cloud)
    values = {**ONE, "buckets": [{"name": "shop-images"}], "name_prefix": "shop-"}
    second.set(**values)
    database = "-target=module.captions.google_firestore_database.captions"
    [taken] = second.branch(tmp_path / "taken").apply(database).faults
    assert "already exists" in taken

    unbuilt = refusing("create", "google_cloudfunctions2_function", "caption-request")
    young = refusing("create", "google_pubsub_topic_iam_member", "gcp-sa-pubsub")
    deployed.cloud.refusal = lambda *tried: unbuilt(*tried) or young(*tried)
    faults = " ".join(second.apply(database="shop-captions").faults)
    assert 'function["caption-request"]' in faults
    assert "google_pubsub_topic_iam_member" in faults

    deployed.cloud.refusal = lambda *_: ""
    again = second.apply()
    assert (again.faults, again.lost) == ([], set())
    assert second.plan("-refresh=false").changed == set()
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

"""From nothing to the first caption, on this machine: ``make walk``.

Both ways of docs/deploy.md as far as they go without a cloud. The commands of the gcloud way are
judged by the CLI's own table; Terraform's core applies the deployment to a stand-in for Google
Cloud; then an upload goes its way for real, with the environment that was deployed: bucket,
notification, topic, push, function, Firestore, labels, and the answer that a website gets. The
model is a stand-in that costs nothing.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from google.cloud import firestore
from rich.console import Console

from functions.core.document import document_id
from tests.infra import gcloud, terraform
from tests.infra.cloud import Cloud
from tests.infra.deployment import ONE, PROJECT, Deployment
from tests.infra.terraform import INFRA
from tests.support import emulators
from tests.support.emulators import Missing
from tests.support.model_server import ModelServer
from tests.support.pictures import jpeg
from tests.support.serving import serving
from tests.support.stack import model_settings

BUCKET, NAME = ONE["buckets"][0]["name"], "image.jpg"
_PATIENCE = 60.0


class Walk:
    """Steps that are told as they are done, with the seconds that each took."""

    def __init__(self, console: Console) -> None:
        self._console, self._since = console, time.monotonic()

    def did(self, what: str) -> None:
        now = time.monotonic()
        self._console.print(f"[green]done[/] {now - self._since:5.1f} s  {what}", highlight=False)
        self._since = now

    def way(self, name: str) -> None:
        self._console.print(f"\n[bold]{name}[/]")


def by_gcloud(walk: Walk) -> None:
    """Judge each command of the gcloud way. Raises ValueError for one that the CLI refuses."""
    page = (INFRA.parent / "docs" / "deploy.md").read_text("utf-8")
    [section] = re.findall(r"(?ms)^## With gcloud$.*?(?=^## )", page)
    printed = [*gcloud.said(section)]
    with gcloud.commands() as tree:
        faults = [each for each in (gcloud.fault(tree, *command) for command in printed) if each]
    if faults or not printed:
        raise ValueError("; ".join(faults) or "the page has no commands")
    walk.did(f"{len(printed)} commands of docs/deploy.md, each with flags that the CLI knows")


def by_terraform(walk: Walk, folder: Path) -> dict[str, dict[str, str]]:
    """Deploy to the stand-in; the environments of the functions by their entry points. Raises
    ValueError where an apply fails or the plan after it is not empty."""
    with terraform.program() as program:
        deployed = Deployment.fresh(program, folder, Cloud.with_project(PROJECT), all_indexes=True)
        walk.did("terraform init")
        if faults := deployed.apply(**ONE).faults:
            raise ValueError("; ".join(faults))
        walk.did(f"terraform apply: {len(deployed.cloud.things)} resources")
        if changed := deployed.plan().changed:
            raise ValueError(f"a second plan would change {', '.join(sorted(changed))}")
        walk.did("terraform plan: nothing to change")
        return {name: deployed.environment(name) for name in ("caption_image", "alt_text")}


def first_caption(walk: Walk, environments: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Upload an image, and see its words come; what ``alt_text`` answers of it."""
    with ExitStack() as stack:
        firestore_ = stack.enter_context(emulators.firestore())
        pubsub = stack.enter_context(emulators.pubsub())
        pubsub.create_topic("caption-uploads")
        notifying = emulators.storage(pubsub, "caption-uploads", ["finalize"])
        storage = stack.enter_context(notifying)
        model = stack.enter_context(ModelServer())
        local = model_settings(model) | {
            "CAPTION_EVENTS_TOPIC": "",
            "FIRESTORE_EMULATOR_HOST": firestore_.host,
            # As the platform has it for a function without a trigger of Eventarc's.
            "FUNCTION_SIGNATURE_TYPE": "http",
            "GOOGLE_CLOUD_PROJECT": emulators.PROJECT,
            "PUBSUB_EMULATOR_HOST": pubsub.host,
            "STORAGE_EMULATOR_HOST": storage.url,
        }
        os.environ |= local
        bucket = storage.client().create_bucket(BUCKET)
        walk.did("bucket, topic and database, on emulators")
        served = [
            stack.enter_context(serving(name, environment | local))
            for name, environment in environments.items()
        ]
        pubsub.push("caption-uploads", served[0].url, ackDeadlineSeconds=360)
        walk.did("caption_image and alt_text stand, as they are deployed")
        bucket.blob(NAME).upload_from_string(jpeg(), "image/jpeg")
        walk.did(f"gs://{BUCKET}/{NAME} is stored")
        documents = firestore.Client().collection(local["CAPTION_COLLECTION"])
        document = documents.document(document_id(BUCKET, NAME))
        _until(lambda: (document.get().to_dict() or {}).get("metadata_synced"))
        walk.did("its document is captioned")
        if not (bucket.get_blob(NAME).metadata or {}).get("alt-text"):
            raise ValueError("the object has no label")
        walk.did("its object is labelled")
        query = urllib.parse.urlencode({"src": f"gs://{BUCKET}/{NAME}"})
        with urllib.request.urlopen(f"{served[1].url}/?{query}") as answer:  # noqa: S310
            told: dict[str, Any] = json.load(answer)
        walk.did("a website is told its words")
        return told


def _until(holds: Callable[[], Any]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise ValueError(f"no caption within {_PATIENCE:.0f} s")
        time.sleep(0.1)


def main() -> int:
    """Walk both ways, and say whether they lead to a caption."""
    console = Console(width=None if sys.stdout.isatty() else 120)
    os.environ |= {"GRPC_VERBOSITY": "NONE"}
    walk = Walk(console)
    try:
        with tempfile.TemporaryDirectory() as folder:
            walk.way("By gcloud")
            by_gcloud(walk)
            walk.way("By Terraform, on a stand-in for Google Cloud")
            environments = by_terraform(walk, Path(folder) / "it")
        walk.way("The first upload, on emulators")
        told = first_caption(walk, environments)
    except (Missing, ValueError) as error:
        console.print(f"[red]stopped[/] {error}", highlight=False)
        return 1
    console.print_json(data=told)
    return 0


if __name__ == "__main__":
    sys.exit(main())

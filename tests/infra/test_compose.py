"""infra/compose.yaml without Docker: its own commands on the same servers, and its names."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.support.emulators import PubSubEmulator, request

ROOT = Path(__file__).parents[2]
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(
    (ROOT / "infra" / "compose.yaml").read_text("utf-8")
)["services"]


def test_every_image_is_of_a_version() -> None:
    images = {each["image"] for each in SERVICES.values() if "build" not in each}
    assert all(re.search(r":v?\d+\.\d+", image) for image in images)


def test_ports_are_open_to_this_machine_only() -> None:
    ports = [port for each in SERVICES.values() for port in each.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_image_holds_what_a_deployment_installs() -> None:
    built = SERVICES["caption"]["build"]["dockerfile_inline"]
    assert "--require-hashes --requirement requirements.lock" in built
    for copied in re.findall(r"(?m)^COPY (\S+)", built):
        assert (ROOT / copied).exists()


def test_functions_are_served_under_names_that_main_has() -> None:
    source = (ROOT / "main.py").read_text("utf-8")
    targets = {SERVICES[name]["environment"]["FUNCTION_TARGET"] for name in ("caption", "forget")}
    assert targets == {"caption_image", "forget_image"}
    assert all(f"def {target}(" in source for target in targets)


def test_notifications_are_pushed_to_the_function_that_they_are_for(
    pubsub_emulator: PubSubEmulator,
) -> None:
    program, *arguments = SERVICES["topic"]["command"]
    assert program == "python"
    subprocess.run(
        [sys.executable, *arguments],
        env={"PUBSUB_EMULATOR_HOST": pubsub_emulator.host, "PATH": ""},
        check=True,
        timeout=60,
    )
    made = request(f"{pubsub_emulator.url}/v1/projects/demo/subscriptions")["subscriptions"]
    pushes = {each["filter"]: each["pushConfig"]["pushEndpoint"] for each in made}
    assert pushes == {
        'attributes.eventType = "OBJECT_FINALIZE"': "http://caption:8080",
        'attributes.eventType = "OBJECT_DELETE"': "http://forget:8080",
    }
    assert {each["topic"] for each in made} == {"projects/demo/topics/uploads"}
    flags = SERVICES["storage"]["command"]
    assert {"-event.pubsub-project-id=demo", "-event.pubsub-topic=uploads"} <= set(flags)

"""What Terraform tells the functions, read as they read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from functions import composition
from functions.settings import Settings


def assert_taken_by_the_functions(
    things: Mapping[str, Sequence[Mapping[str, Any]]], keys: Sequence[str], **values: Any
) -> None:
    """The functions and subscriptions among ``things`` fit each other, ``keys`` and ``values``."""
    [service] = [
        each["service_config"][0]
        for each in things["google_cloudfunctions2_function"]
        if each["name"] == "caption-image"
    ]
    assert [each["key"] for each in service["secret_environment_variables"]] == list(keys)
    env = service["environment_variables"]
    read = Settings.from_env(env)
    composition.require_key(read.model, env | dict.fromkeys(keys, "k"))
    assert str(read.model) == values.get("model", "gemini:gemini-3.5-flash-lite").replace(" ", "")
    assert read.public_buckets == ("my-images",)
    [kept] = [
        each["message_retention_duration"]
        for each in things["google_pubsub_subscription"]
        if each["name"] == "caption-image"
    ]
    assert kept == f"{read.max_age_seconds}s"
    assert read.daily_limit == values.get("daily_limit", 10000)
    assert [each.bucket for each in read.origins or ()] == ["my-images"] * (
        "image_origins" in values
    )
    assert env["THREADS"] == str(service["max_instance_request_concurrency"])

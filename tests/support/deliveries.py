"""Deliveries as Eventarc makes them: CloudEvents over HTTP in binary mode."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_NUMBERS = itertools.count(1)
_EVENTS = Path(__file__).parent / "events"


def sample(name: str) -> tuple[dict[str, str], dict[str, Any]]:
    """Headers and data of a real-shaped event in ``tests/events``, by its file's name."""
    event = json.loads((_EVENTS / f"{name}.json").read_text())
    return event["headers"], event["data"]


def storage_event(
    resource: Mapping[str, Any], kind: str = "finalized"
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Headers and data of the event that this object's resource would come in.

    ``kind`` is ``finalized``, ``deleted``, ``archived``, ``metadataUpdated`` or a whole type.
    """
    prefix = "google.cloud.storage.object.v1."
    headers = {
        "ce-id": str(next(_NUMBERS)),
        "ce-source": f"//storage.googleapis.com/projects/_/buckets/{resource['bucket']}",
        "ce-type": prefix + kind.removeprefix(prefix),
        "ce-specversion": "1.0",
        "ce-subject": f"objects/{resource['name']}".encode().decode("latin-1"),
        "ce-time": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "content-type": "application/json",
    }
    return headers, dict(resource)

"""The sample events reach a function the way real ones do."""

from __future__ import annotations

import functions_framework
import pytest

from tests.support import deliveries

FUNCTION = """
import functions_framework

@functions_framework.cloud_event
def keep(event):
    assert event["type"].startswith("google.cloud."), event
    assert event.data["message" if "pubsub" in event["type"] else "generation"], event
"""
NAMES = ("finalized", "finalized_integers", "deleted", "archived", "metadata_updated")


@pytest.fixture
def post(tmp_path):
    """Send an event to a function that looks at it; the status of its answer."""
    source = tmp_path / "looks.py"
    source.write_text(FUNCTION)
    client = functions_framework.create_app("keep", str(source)).test_client()
    return lambda headers, data: client.post("/", headers=headers, json=data).status_code


@pytest.mark.parametrize("name", [*NAMES, "caption_request"])
def test_a_sample_is_a_cloud_event(post, name):
    assert post(*deliveries.sample(name)) == 200


def test_an_event_is_made_of_a_stored_object(post, strict_storage):
    with strict_storage.client() as client:
        client.create_bucket("b").blob("ä 1.jpg").upload_from_string(b"x", "image/jpeg")
    kind, resource = strict_storage.events[0]
    headers, data = deliveries.storage_event(resource, kind)
    assert headers["ce-type"] == "google.cloud.storage.object.v1.finalized"
    assert data["metageneration"] == "1"
    assert post(headers, data) == 200

"""CloudEvents as the platform sends them, and as others might."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.http import CloudEvent

from functions import events
from functions.core.errors import NotAnEvent
from tests.support.deliveries import sample


def event(kind: str, /, **changes: Any) -> CloudEvent:
    """A sample event; ``changes`` replace fields of its data, None takes one out."""
    headers, data = sample(kind)
    attributes = {
        key.removeprefix("ce-"): value
        for key, value in headers.items()
        if key.startswith("ce-") and key != "ce-specversion"
    }
    changed = {key: value for key, value in {**data, **changes}.items() if value is not None}
    return CloudEvent(attributes, changed)


@pytest.mark.parametrize("name", ["finalized", "finalized_integers"])
def test_numbers_arrive_as_strings_or_as_integers(name: str) -> None:
    upload = events.upload(event(name))

    assert isinstance(upload.generation, int)
    assert isinstance(upload.metageneration, int)
    assert isinstance(upload.size, int)
    assert upload.time.tzinfo


def test_a_64_bit_generation_is_exact() -> None:
    assert events.upload(event("finalized", generation=str(2**63 - 1))).generation == 2**63 - 1


def test_names_are_taken_from_the_data_unchanged() -> None:
    name = "a/b%2Fc ü?#.jpg"
    assert events.upload(event("finalized", name=name)).name == name


def test_an_upload_says_whether_it_is_stored_packed() -> None:
    assert events.upload(event("finalized", contentEncoding="gzip")).content_encoding == "gzip"
    assert events.upload(event("finalized", contentEncoding=None)).content_encoding == ""


def test_an_upload_may_lack_what_is_optional() -> None:
    bare = event(
        "finalized",
        metageneration=None,
        size=None,
        md5Hash=None,
        contentType=None,
        metadata=None,
    )
    upload = events.upload(bare)
    assert (upload.metageneration, upload.size, upload.md5) == (None, None, "")
    assert (upload.content_type, upload.metadata) == ("", {})


@pytest.mark.parametrize(
    "changes",
    [
        {"generation": None},
        {"generation": "x"},
        {"generation": "-1"},
        {"generation": str(2**63)},
        {"generation": 1.5},
        {"generation": True},
        {"generation": "١٢"},
        {"name": None},
        {"name": ""},
        {"name": 7},
        {"bucket": None},
        {"bucket": "../b"},
        {"bucket": "a/b"},
        {"bucket": "-b"},
        {"bucket": "a bucket"},
        {"bucket": "b\n"},
        {"size": "large"},
    ],
)
def test_an_upload_without_its_essentials_is_no_event(changes: dict[str, Any]) -> None:
    headers, data = sample("finalized")
    data = {key: value for key, value in {**data, **changes}.items() if value is not None}
    attributes = {"type": headers["ce-type"], "source": "s", "id": "1"}
    with pytest.raises(NotAnEvent):
        events.upload(CloudEvent(attributes, data))


@pytest.mark.parametrize("data", [None, b"\xff", b"{", "text", [], 7])
def test_data_that_is_no_object_is_no_event(data: Any) -> None:
    attributes = {"type": events.FINALIZED, "source": "s", "id": "1"}
    with pytest.raises(NotAnEvent):
        events.upload(CloudEvent(attributes, data))


@pytest.mark.parametrize("name", ["deleted", "archived"])
def test_a_deleted_and_an_archived_generation_are_no_longer_live(name: str) -> None:
    deletion = events.deletion(event(name))
    assert isinstance(deletion.generation, int)


@pytest.mark.parametrize(
    ("parse", "name"),
    [
        (events.upload, "deleted"),
        (events.upload, "metadata_updated"),
        (events.upload, "caption_request"),
        (events.deletion, "finalized"),
        (events.request, "finalized"),
    ],
)
def test_an_event_of_another_type_names_the_trigger(
    parse: Callable[[CloudEvent], Any], name: str
) -> None:
    with pytest.raises(NotAnEvent, match="trigger"):
        parse(event(name))


def message(body: Any) -> CloudEvent:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    data = {"message": {"data": base64.b64encode(text).decode()}}
    return CloudEvent({"type": events.PUBLISHED, "source": "s", "id": "1"}, data)


def notification(kind: str, name: str, **attributes: str) -> CloudEvent:
    """The message that a bucket's notification is, as the framework hands it over."""
    pushed = message(sample(name)[1])
    pushed.data["message"]["attributes"] = {"eventType": kind, **attributes}
    return pushed


def test_a_pushed_notification_is_the_event_it_tells_of() -> None:
    pushed = notification("OBJECT_FINALIZE", "finalized", eventTime="2026-11-23T19:41:10.405127Z")
    assert events.upload(pushed) == events.upload(event("finalized"))


@pytest.mark.parametrize("kind", ["OBJECT_DELETE", "OBJECT_ARCHIVE"])
def test_a_pushed_notification_of_a_deletion_is_a_deletion(kind: str) -> None:
    assert events.deletion(notification(kind, "deleted")) == events.deletion(event("deleted"))


@pytest.mark.parametrize(
    ("parse", "kind"),
    [
        (events.upload, "OBJECT_DELETE"),
        (events.upload, "OBJECT_METADATA_UPDATE"),
        (events.deletion, "OBJECT_FINALIZE"),
    ],
)
def test_a_notification_of_something_else_names_the_trigger(
    parse: Callable[[CloudEvent], Any], kind: str
) -> None:
    with pytest.raises(NotAnEvent, match="trigger"):
        parse(notification(kind, "finalized"))


def test_a_notification_without_a_payload_is_no_event() -> None:
    empty = notification("OBJECT_FINALIZE", "finalized")
    empty.data["message"]["data"] = ""
    with pytest.raises(NotAnEvent, match="trigger"):
        events.upload(empty)


def test_a_request_names_an_object_and_may_insist() -> None:
    body = {"bucket": "b", "name": "n", "generation": "12", "force": True}
    request = events.request(message(body))
    assert (request.bucket, request.name, request.generation) == ("b", "n", 12)
    assert request.force is True
    plain = events.request(message({"bucket": "b", "name": "n"}))
    assert (plain.generation, plain.force) == (None, False)
    nulls = dict.fromkeys(["generation", "force", "translate"])
    asked = events.request(message({"bucket": "b", "name": "n"} | nulls))
    assert (asked.generation, asked.force, asked.translate) == (None, False, ())


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"\xff\xfe", [], "x", {"bucket": "b"}, {"bucket": "../b", "name": "n"}),
        {"bucket": "b", "name": "n", "force": "no"},
    ],
)
def test_a_request_that_cannot_be_read_is_no_event(body: Any) -> None:
    with pytest.raises(NotAnEvent):
        events.request(message(body))


def test_a_clock_may_name_a_bucket_if_it_is_one() -> None:
    assert events.keep_request(message({"bucket": "b"})).bucket == "b"
    assert events.keep_request(message({})).bucket == ""
    with pytest.raises(NotAnEvent, match="no bucket"):
        events.keep_request(message({"bucket": "../b"}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23T12:00:00Z", datetime(2026, 11, 23, 12, tzinfo=UTC)),
        ("2026-11-23T12:00:00.123456789Z", datetime(2026, 11, 23, 12, 0, 0, 123456, UTC)),
        ("2026-11-23T13:00:00+01:00", datetime(2026, 11, 23, 12, tzinfo=UTC)),
    ],
)
def test_times_may_have_any_precision(text: str, expected: datetime) -> None:
    headers, data = sample("finalized")
    attributes = {"type": headers["ce-type"], "source": "s", "id": "1", "time": text}
    assert events.upload(CloudEvent(attributes, data)).time == expected

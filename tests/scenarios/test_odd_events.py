"""Events that no uploader means to send, and refusals that no retry helps: each has its line."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.support.answers import gemini
from tests.support.pictures import jpeg
from tests.support.stack import REQUEST, STORAGE, Cloud, Stack

pytestmark = pytest.mark.stacks("embedded")

DEEP = "[" * 100_000


def ignored(stack: Stack) -> dict[str, Any]:
    line = stack.log()[-1]
    assert (line["severity"], line["outcome"]) == ("ERROR", "ignored")
    return line


@pytest.mark.parametrize("name", ["half \ud800 character.jpg", "with \0 NUL.jpg"])
@pytest.mark.parametrize("target", ["caption_image", "forget_image"])
def test_a_name_that_no_bucket_takes_is_ignored(stack: Stack, name: str, target: str) -> None:
    kind = STORAGE + ("finalized" if target == "caption_image" else "deleted")
    data = {"bucket": stack.bucket, "name": name, "generation": "1", "contentType": "image/jpeg"}

    assert stack.deliver(data, kind, target) == 200
    assert "is no name that Cloud Storage takes" in ignored(stack)["message"]


@pytest.mark.parametrize("target", ["caption_image", "forget_image", "caption_request", "keep"])
def test_brackets_without_end_are_ignored(stack: Stack, target: str) -> None:
    headers = {
        "ce-specversion": "1.0",
        "ce-id": "1",
        "ce-source": "//storage.googleapis.com/projects/_/buckets/b",
        "ce-type": STORAGE + "finalized",
        "content-type": "application/json",
    }
    answer = stack.client(target).post("/", data=DEEP, headers=headers)
    assert answer.status_code == 200
    assert "nested too deeply" in ignored(stack)["message"]

    message = {"message": {"data": base64.b64encode(DEEP.encode()).decode(), "messageId": "1"}}
    assert stack.deliver(message, REQUEST, target) == 200
    ignored(stack)


@pytest.mark.stacks("embedded", "cloud")
def test_an_event_that_only_names_the_object_is_captioned_as_what_the_object_is(
    stack: Stack,
) -> None:
    event = stack.put("a.jpg", jpeg(1))

    assert stack.deliver({key: event[key] for key in ("bucket", "name", "generation")}) == 200

    document = stack.document("a.jpg") or {}
    assert document["status"] == "captioned"
    assert (document["size"], document["content_type"]) == (len(jpeg(1)), "image/jpeg")
    assert document["md5"]


@pytest.mark.stacks("embedded", "cloud")
def test_an_empty_object_whose_event_names_no_size_ends(stack: Stack) -> None:
    event = stack.put("a.jpg", b"")
    assert stack.deliver({key: each for key, each in event.items() if key != "size"}) == 200
    assert (stack.document("a.jpg") or {})["status"] == "rejected"

    event = stack.put("notes", b"", "application/octet-stream")
    assert stack.deliver({key: each for key, each in event.items() if key != "size"}) == 200
    assert stack.document("notes") is None


def test_metadata_that_is_no_text_does_not_stand_in_the_way(stack: Stack) -> None:
    event = stack.put("a.jpg", jpeg())
    event["metadata"] = {"caption-context": "half \ud800", "other": "\0"}
    assert stack.deliver(event) == 200
    assert (stack.document("a.jpg") or {})["status"] == "captioned"


REFUSALS = {
    "requester pays": "Bucket is a requester pays bucket but no user project provided.",
    "customer's own key": "The target object is encrypted by a customer-supplied encryption key.",
    "billing account": "The billing account for the owning project is disabled in state absent",
}


@pytest.mark.parametrize(("remedy", "said"), REFUSALS.items())
def test_a_refusal_of_the_bytes_names_its_remedy_and_counts(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, remedy: str, said: str
) -> None:
    monkeypatch.setenv("CAPTION_MAX_ATTEMPTS", "2")
    event = cloud.put("a.jpg", jpeg())
    status = 403 if remedy == "billing account" else 400
    cloud.storage.fail("GET", "download", status, 10**6, said=said)

    assert [cloud.deliver(event) for _ in range(3)] == [500, 500, 200]
    line = cloud.log()[0]
    assert (line["severity"], line["reason"]) == ("ERROR", "configuration")
    assert remedy in line["message"]
    document = cloud.document("a.jpg") or {}
    assert (document["status"], document["error"]["reason"]) == ("failed", "retries_exhausted")
    assert cloud.model.count == 0


def test_an_object_that_takes_no_labels_keeps_its_caption_and_ends(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPTION_MAX_ATTEMPTS", "3")
    event = cloud.put("a.jpg", jpeg())
    cloud.storage.fail("PATCH", "a.jpg", 400, 10**6, said="Object is under active Event-Based hold")

    assert [cloud.deliver(event) for _ in range(3)] == [500, 500, 200]
    line = cloud.log()[-1]
    assert (line["severity"], line["reason"]) == ("WARNING", "unlabelled")
    assert "its caption is in Firestore alone" in line["message"]
    assert (cloud.document("a.jpg") or {})["status"] == "captioned"
    assert cloud.deliver(cloud.put("b.jpg", jpeg())) == 200, "a copy takes its caption over"
    assert cloud.model.count == 1


def test_bytes_that_do_not_match_their_checksum_are_read_again(cloud: Cloud) -> None:
    event = cloud.put("a.jpg", jpeg())
    cloud.storage.fail("GET", "download", "damage", times=1)

    first = cloud.deliver(event)
    assert first in {200, 500}
    if first == 500:
        assert cloud.log()[-1]["reason"] == "transient"
        assert cloud.deliver(event) == 200
    assert (cloud.document("a.jpg") or {})["status"] == "captioned"


def test_what_waits_is_one_line_without_a_traceback(
    stack: Stack, caplog: pytest.LogCaptureFixture
) -> None:
    stack.model.always(gemini.quota(None, "60"))
    events = [stack.put("a.jpg", jpeg(1)), stack.put("b.jpg", jpeg(2))]
    assert [stack.deliver(event) for event in events] == [500, 500]
    first, second = stack.log()
    assert (first["severity"], first["outcome"]) == ("WARNING", "redelivered")
    assert (second["severity"], second["outcome"], second["model_state"]) == (
        "INFO",
        "away",
        "over_quota",
    )
    assert not caplog.records

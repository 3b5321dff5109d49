"""What an event ends in: every row, on the embedded stores and on Firestore with Cloud Storage.

The rows in which the model, or a limit on asking it, decides are in test_outcomes_of_asking.py.
"""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from functions import composition
from tests.support.answers import Answer, gemini
from tests.support.model_server import Call, good
from tests.support.pictures import jpeg, png
from tests.support.stack import Cloud, Stack


def test_an_upload_becomes_a_caption_in_the_store_and_on_the_object(stack: Stack) -> None:
    event = stack.put("a/b c.jpg", jpeg(), team="x")

    assert stack.deliver(event) == 200

    document = stack.document("a/b c.jpg")
    assert document
    assert document["status"] == "captioned"
    assert document["metadata_synced"] is True
    assert document["generation"] == event["generation"]
    assert document["usage"]["model_calls"] == 1
    assert "lease" not in document
    assert (document["width"], document["height"]) == (64, 48)
    assert stack.metadata("a/b c.jpg") == {
        "team": "x",
        "alt-text": document["alt_text"],
        "caption": document["caption"],
        "caption-generation": event["generation"],
        "caption-language": "en",
        "caption-model": "gemini:gemini-3.5-flash-lite",
        "caption-source": "model",
    }
    (line,) = stack.log()
    assert (line["outcome"], line["model_calls"]) == ("captioned", 1)


def test_the_same_generation_again_costs_nothing(stack: Stack) -> None:
    event = stack.put("a.jpg", jpeg())
    stack.deliver(event)
    before = stack.document("a.jpg")

    assert stack.deliver(event) == 200
    assert stack.model.count == 1
    assert stack.document("a.jpg") == before


def test_an_older_generation_changes_nothing(stack: Stack) -> None:
    old = stack.put("a.jpg", jpeg(1))
    stack.deliver(stack.put("a.jpg", jpeg(2)))
    before = stack.document("a.jpg")

    assert stack.deliver(old) == 200
    assert stack.document("a.jpg") == before
    assert stack.model.count == 1


def test_an_overwritten_upload_leaves_no_claim(stack: Stack) -> None:
    old = stack.put("a.jpg", jpeg(1))
    stack.put("a.jpg", jpeg(2))

    assert stack.deliver(old) == 200
    assert stack.document("a.jpg") is None
    assert stack.model.count == 0


def test_a_request_that_found_no_image_spares_the_claim_on_one_that_came_meanwhile(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = type(composition.images(composition.settings()))
    look_up, meanwhile = kind.look_up, [gemini.ERRORS["overloaded"]]

    def found_none(self: Any, bucket: str, name: str) -> Any:
        if not meanwhile:
            return look_up(self, bucket, name)
        stack.model.answer(meanwhile.pop())
        assert stack.deliver(stack.put("a.jpg", jpeg())) == 500
        return None

    monkeypatch.setattr(kind, "look_up", found_none)
    assert stack.request(name="a.jpg") == 200
    document = stack.document("a.jpg")
    assert document
    assert document["status"] == "pending"


def test_a_deleted_upload_leaves_no_claim(stack: Stack) -> None:
    event = stack.put("a.jpg", jpeg())
    stack.remove("a.jpg")

    assert stack.deliver(event) == 200
    assert stack.document("a.jpg") is None


@pytest.mark.parametrize(
    ("name", "data", "content_type"),
    [
        ("notes.txt", b"hello", "text/plain"),
        ("paper.pdf", b"%PDF-1.7 ...", "application/pdf"),
        ("data", b"\x00\x01\x02\x03", ""),
        ("folder.d/", b"", "application/x-directory"),
    ],
)
def test_what_is_no_image_leaves_no_document(
    stack: Stack, name: str, data: bytes, content_type: str
) -> None:
    event = stack.put(name.rstrip("/"), data, content_type)

    assert stack.deliver(event) == 200
    assert stack.document(name.rstrip("/")) is None
    assert stack.log()[0]["outcome"] == "skipped"


def test_an_image_is_known_by_its_bytes(stack: Stack) -> None:
    assert stack.deliver(stack.put("untyped", png(), "application/octet-stream")) == 200
    assert stack.deliver(stack.put("mistyped.txt", jpeg(), "text/plain")) == 200

    for name in ("untyped", "mistyped.txt"):
        document = stack.document(name)
        assert document
        assert document["status"] == "captioned"


def test_an_upload_that_asks_for_no_caption_gets_none(stack: Stack) -> None:
    assert stack.deliver(stack.put("a.jpg", jpeg(), caption_skip="true")) == 200
    assert stack.document("a.jpg") is None
    assert stack.model.count == 0


@pytest.mark.parametrize(
    ("data", "reason"), [(b"", "empty"), (b"no image at all", "unsupported_type")]
)
def test_a_file_that_claims_to_be_an_image_is_rejected_with_a_reason(
    stack: Stack, data: bytes, reason: str
) -> None:
    assert stack.deliver(stack.put("a.jpg", data)) == 200

    document = stack.document("a.jpg")
    assert document
    assert (document["status"], document["error"]["reason"]) == ("rejected", reason)
    assert stack.model.count == 0


def test_a_file_that_is_too_large_is_rejected_unread(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPTION_MAX_BYTES", "100")
    assert stack.deliver(stack.put("a.jpg", jpeg())) == 200

    document = stack.document("a.jpg")
    assert document
    assert document["error"]["reason"] == "too_large"
    if isinstance(stack, Cloud):
        assert not stack.storage.sent("GET", "download")


def test_the_same_bytes_under_another_name_cost_nothing(stack: Stack) -> None:
    stack.deliver(stack.put("a.jpg", jpeg()))
    assert stack.deliver(stack.put("b.jpg", jpeg())) == 200

    first, second = stack.document("a.jpg"), stack.document("b.jpg")
    assert first
    assert second
    assert second["alt_text"] == first["alt_text"]
    assert second["usage"]["model_calls"] == 0
    assert stack.metadata("b.jpg")["alt-text"] == first["alt_text"]
    assert stack.model.count == 1


def test_the_same_bytes_under_the_same_name_cost_nothing(stack: Stack) -> None:
    stack.deliver(stack.put("a.jpg", jpeg()))
    again = stack.put("a.jpg", jpeg())
    assert stack.deliver(again) == 200

    document = stack.document("a.jpg")
    assert document
    assert (document["generation"], document["status"]) == (again["generation"], "captioned")
    assert stack.metadata("a.jpg")["caption-generation"] == again["generation"]
    assert stack.model.count == 1


@pytest.mark.parametrize("data", [b"[]", "text", {"bucket": "b"}, {"bucket": "b", "name": "n"}])
def test_what_is_no_storage_event_is_acknowledged_and_logged(stack: Stack, data: object) -> None:
    assert stack.deliver(data if not isinstance(data, bytes) else []) == 200
    assert stack.log()[0]["severity"] == "ERROR"


def test_our_own_metadata_write_never_causes_a_call(stack: Stack) -> None:
    event = stack.put("a.jpg", jpeg())
    stack.deliver(event)

    kind = "google.cloud.storage.object.v1.metadataUpdated"
    assert stack.deliver(event, kind) == 200
    assert stack.model.count == 1


def test_a_deleted_image_loses_its_caption(stack: Stack) -> None:
    stack.deliver(stack.put("a.jpg", jpeg()))

    assert stack.forget(stack.remove("a.jpg")) == 200
    assert stack.document("a.jpg") is None


def test_a_late_delete_spares_the_newer_image(stack: Stack) -> None:
    old = stack.put("a.jpg", jpeg(1))
    stack.deliver(old)
    stack.deliver(stack.put("a.jpg", jpeg(2)))

    assert stack.forget(old) == 200
    assert stack.document("a.jpg")


def test_a_delete_that_comes_before_the_new_upload_spares_what_stands(stack: Stack) -> None:
    old = stack.put("a.jpg", jpeg(1))
    stack.deliver(old)
    stack.put("a.jpg", jpeg(2))

    assert stack.forget(old) == 200
    assert stack.document("a.jpg")


def test_a_document_whose_labels_are_missing_gets_them_without_a_call(cloud: Cloud) -> None:
    stack = cloud
    stack.storage.fail("PATCH", "a.jpg", 403)
    event = stack.put("a.jpg", jpeg())
    assert stack.deliver(event) == 500
    document = stack.document("a.jpg")
    assert document
    assert (document["status"], document["metadata_synced"]) == ("captioned", False)

    assert stack.deliver(event) == 200
    assert stack.metadata("a.jpg")["alt-text"] == document["alt_text"]
    assert stack.model.count == 1


def test_what_the_uploader_wrote_is_kept(stack: Stack) -> None:
    stack.deliver(stack.put("a.jpg", jpeg(), alt_text="Our founder, Ada, at her desk"))

    document = stack.document("a.jpg")
    assert document
    assert document["alt_text"] == "Our founder, Ada, at her desk"
    assert document["source"] == "uploader"
    assert document["tags"]
    assert stack.metadata("a.jpg")["alt-text"] == "Our founder, Ada, at her desk"


@pytest.mark.parametrize(
    ("set_meanwhile", "text", "source"),
    [
        ({"alt-text": "Ada, a minute later", "team": "x"}, "Ada, a minute later", "uploader"),
        ({"team": "x"}, "", "model"),
        ({"alt-text": "Forged", "caption-source": "model"}, "", "model"),
    ],
)
def test_what_the_uploader_sets_while_the_model_is_asked_is_kept(
    cloud: Cloud, set_meanwhile: dict[str, str], text: str, source: str
) -> None:
    def answer(call: Call) -> Answer:
        cloud.relabel("a.jpg", set_meanwhile)
        return good(call)

    cloud.model.answer(answer)
    assert cloud.deliver(cloud.put("a.jpg", jpeg())) == 200

    document, metadata = cloud.document("a.jpg") or {}, cloud.metadata("a.jpg")
    assert (document["source"], document["metadata_synced"]) == (source, True)
    assert document["alt_text"] == metadata["alt-text"]
    assert not text or document["alt_text"] == text
    assert metadata["alt-text"] != "Forged"
    assert metadata["caption-source"] == source
    assert metadata.get("team") == set_meanwhile.get("team")
    assert cloud.model.count == 1

    cloud.deliver(cloud.put("copy.jpg", jpeg()))
    assert (cloud.document("copy.jpg") or {})["alt_text"] == document["alt_text"]
    assert cloud.model.count == 1


def test_labels_that_claim_to_be_ours_are_not_believed(stack: Stack) -> None:
    event = stack.put(
        "a.jpg", jpeg(), alt_text="forged", caption_source="model", caption_generation="1"
    )
    stack.deliver(event)

    document = stack.document("a.jpg")
    assert document
    assert document["source"] == "model"
    assert document["alt_text"] != "forged"
    assert stack.model.count == 1


@pytest.mark.parametrize(
    "edited",
    [
        {"status": "pending", "lease": {"holder": "someone"}},
        {"lease": "mine", "error": "none", "usage": {}, "review": None, "tags": None},
        {"caption": "written by another program"},
    ],
)
def test_a_document_that_somebody_else_wrote_does_not_stand_in_the_way(
    cloud: Cloud, edited: dict[str, object]
) -> None:
    event = cloud.put("a.jpg", jpeg())
    cloud.write("a.jpg", {"bucket": "pictures", "name": "a.jpg", **edited})

    assert cloud.deliver(event) == 200
    document = cloud.document("a.jpg")
    assert document
    assert (document["status"], document["generation"]) == ("captioned", event["generation"])


@pytest.mark.parametrize("content_type", ["image/jpeg", "application/octet-stream"])
def test_an_image_that_is_stored_packed_is_captioned(stack: Stack, content_type: str) -> None:
    event = stack.put("photo", gzip.compress(jpeg()), content_type) | {"contentEncoding": "gzip"}

    assert stack.deliver(event) == 200

    document = stack.document("photo")
    assert document
    assert document["status"] == "captioned"
    assert (document["width"], document["height"]) == (64, 48)


def test_a_packed_object_that_becomes_too_large_is_rejected(stack: Stack) -> None:
    event = stack.put("photo.jpg", gzip.compress(bytes(101 << 20), 1))

    assert stack.deliver(event) == 200

    document = stack.document("photo.jpg")
    assert document
    assert (document["status"], document["error"]["reason"]) == ("rejected", "too_large")
    assert stack.model.count == 0

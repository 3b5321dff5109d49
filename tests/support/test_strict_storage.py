"""The strict stand-in behaves as Cloud Storage does, as seen by the real client."""

from __future__ import annotations

import uuid

import pytest
from google.api_core.exceptions import (
    BadRequest,
    Conflict,
    NotFound,
    PreconditionFailed,
    ServiceUnavailable,
)
from google.cloud import storage
from requests.exceptions import ConnectionError as Dropped
from requests.exceptions import ReadTimeout

NAME = "päth/to a/photo #1?.jpg"
EVENT = "google.cloud.storage.object.v1."


@pytest.fixture(params=["strict", "fake-gcs-server"])
def either(request):
    """A bucket on both stand-ins, for facts that hold on both."""
    fixture = "strict_storage" if request.param == "strict" else "storage_emulator"
    with request.getfixturevalue(fixture).client() as client:
        yield client.create_bucket(f"bucket-{uuid.uuid4().hex[:8]}")


@pytest.fixture
def bucket(strict_storage):
    with strict_storage.client() as client:
        yield client.create_bucket("photos")


def upload(bucket, data=b"bytes", name=NAME, **options):
    blob = bucket.blob(name)
    blob.upload_from_string(data, content_type="image/jpeg", **options)
    return blob


def test_an_object_is_read_back_as_it_was_stored(either):
    made = upload(either, b"\xff\xd8\r\n--==\r\n\r\n")
    found = either.get_blob(NAME)
    assert found.download_as_bytes() == b"\xff\xd8\r\n--==\r\n\r\n"
    assert found.generation == made.generation
    assert (found.content_type, found.size) == ("image/jpeg", 12)
    assert found.md5_hash == made.md5_hash


def test_part_of_an_object_can_be_read(either):
    assert upload(either, b"0123456789").download_as_bytes(start=2, end=4) == b"234"


@pytest.mark.parametrize("chunk_size", [None, 1 << 18])
def test_large_objects_come_in_pieces(either, tmp_path, chunk_size):
    file = tmp_path / "large"
    file.write_bytes(bytes(range(256)) * 40_000)
    blob = either.blob("large", chunk_size=chunk_size)
    blob.upload_from_filename(str(file))
    assert either.blob("large").download_as_bytes() == file.read_bytes()


def test_a_stream_of_unknown_length_can_be_stored(either):
    with either.blob("stream").open("wb") as stream:
        for _ in range(3):
            stream.write(bytes(300_000))
    assert either.get_blob("stream").size == 900_000


def test_a_new_upload_is_a_new_generation(either):
    first, second = upload(either, b"one"), upload(either, b"two")
    assert first.generation < second.generation


def test_an_upload_keeps_its_precondition(either):
    made = upload(either, if_generation_match=0)
    with pytest.raises(PreconditionFailed):
        upload(either, if_generation_match=0)
    upload(either, if_generation_match=made.generation)


def test_what_is_not_there_is_not_found(either):
    assert either.get_blob("missing") is None
    for attempt in (either.blob("missing").download_as_bytes, either.blob("missing").delete):
        with pytest.raises(NotFound):
            attempt()
    with pytest.raises(NotFound):
        either.client.get_bucket("no-such-bucket")
    with pytest.raises(Conflict):
        either.client.create_bucket(either.name)


def test_a_listing_comes_by_prefix_and_in_pages(either):
    for name in ("a/1", "a/2", "a/3", "b/1"):
        upload(either, name=name)
    assert [blob.name for blob in either.list_blobs(prefix="a/", page_size=2)] == [
        *("a/1", "a/2", "a/3")
    ]
    listing = either.list_blobs(delimiter="/")
    assert list(listing) == []
    assert listing.prefixes == {"a/", "b/"}


def test_a_copy_keeps_the_metadata(either):
    blob = upload(either)
    blob.metadata = {"alt-text": "Ein Hund."}
    blob.patch()
    assert either.copy_blob(blob, either, "copy").metadata == {"alt-text": "Ein Hund."}
    copy = either.blob("rewritten")
    token, written, total = copy.rewrite(blob)
    assert (token, written, total) == (None, 5, 5)
    assert copy.download_as_bytes() == b"bytes"


def test_a_patch_moves_the_metageneration_only(bucket):
    blob = upload(bucket)
    generation = blob.generation
    assert blob.metageneration == 1
    blob.metadata = {"alt-text": "Ein Hund."}
    blob.patch()
    assert (blob.generation, blob.metageneration) == (generation, 2)


def test_a_patch_merges_metadata_and_null_removes(bucket):
    upload(bucket)
    for metadata, expected in (
        ({"a": "1", "b": "ä"}, {"a": "1", "b": "ä"}),
        ({"a": None, "c": "3"}, {"b": "ä", "c": "3"}),
        (None, None),
        ({"d": "4"}, {"d": "4"}),
    ):
        fresh = bucket.blob(NAME)
        fresh.metadata = metadata
        fresh.patch()
        assert bucket.get_blob(NAME).metadata == expected


def test_metadata_has_a_limit(bucket):
    blob = upload(bucket)
    blob.metadata = {"a": "x" * 8191}
    blob.patch()
    blob.metadata = {"ab": "x" * 8191}
    with pytest.raises(BadRequest):
        blob.patch()
    assert bucket.get_blob(NAME).metageneration == 2


def test_every_call_keeps_its_preconditions(bucket):
    blob = upload(bucket)
    other = {"if_generation_match": 1}, {"if_metageneration_match": 7}
    for calls in (blob.reload, blob.download_as_bytes, blob.patch, blob.delete, blob.update):
        for wrong in other:
            with pytest.raises(PreconditionFailed):
                calls(**wrong)
    for wrong in other:
        with pytest.raises(PreconditionFailed):
            upload(bucket, **wrong)
    with pytest.raises(PreconditionFailed):
        blob.patch(if_metageneration_not_match=1)
    right = {"if_generation_match": blob.generation, "if_metageneration_match": 1}
    assert blob.download_as_bytes(**right) == b"bytes"
    blob.patch(**right)
    blob.delete(if_metageneration_match=2)
    assert bucket.get_blob(NAME) is None


def test_a_copy_keeps_the_preconditions_of_both_sides(bucket):
    blob = upload(bucket)
    with pytest.raises(PreconditionFailed):
        bucket.copy_blob(blob, bucket, "copy", if_source_generation_match=1)
    bucket.copy_blob(blob, bucket, "copy", if_generation_match=0)
    with pytest.raises(PreconditionFailed):
        bucket.copy_blob(blob, bucket, "copy", if_generation_match=0)


def test_an_old_generation_is_gone_without_versioning(bucket):
    first = upload(bucket, b"one").generation
    upload(bucket, b"two")
    with pytest.raises(NotFound):
        bucket.blob(NAME, generation=first).download_as_bytes()


def test_an_old_generation_stays_with_versioning(strict_storage, bucket):
    bucket.versioning_enabled = True
    bucket.patch()
    first = upload(bucket, b"one").generation
    upload(bucket, b"two")
    bucket.delete_blob(NAME)
    old = bucket.blob(NAME, generation=first)
    assert old.download_as_bytes() == b"one"
    assert bucket.get_blob(NAME) is None
    assert next(bucket.list_blobs(versions=True).pages).num_items == 2
    old.delete()
    assert len(list(bucket.list_blobs(versions=True))) == 1
    kinds = [kind.removeprefix(EVENT) for kind, _ in strict_storage.events]
    assert kinds == ["finalized", "finalized", "archived", "archived", "deleted"]


def test_events_are_kept_as_notifications_would_tell_them(strict_storage, bucket):
    first = upload(bucket)
    upload(bucket).patch()
    told = [(kind.removeprefix(EVENT), item["generation"]) for kind, item in strict_storage.events]
    second = str(bucket.get_blob(NAME).generation)
    assert told == [
        ("finalized", str(first.generation)),
        ("finalized", second),
        ("deleted", str(first.generation)),
        ("metadataUpdated", second),
    ]
    assert strict_storage.events[-1][1]["metageneration"] == "2"


def test_requests_are_recorded(strict_storage, bucket):
    blob = upload(bucket)
    blob.metadata = {"alt-text": "Ein Hund."}
    blob.patch(if_generation_match=blob.generation, if_metageneration_match=1)
    (request,) = strict_storage.sent("PATCH", NAME)
    assert request.query["ifMetagenerationMatch"] == "1"
    assert request.query["ifGenerationMatch"] == str(blob.generation)
    assert request.body["metadata"] == {"alt-text": "Ein Hund."}


def test_a_checksum_that_does_not_fit_is_refused(strict_storage, bucket):
    blob = bucket.blob(NAME)
    blob.md5_hash = "AAAAAAAAAAAAAAAAAAAAAA=="
    with pytest.raises(BadRequest):
        blob.upload_from_string(b"bytes")


def test_requests_can_be_made_to_fail(strict_storage, bucket):
    blob = upload(bucket)
    strict_storage.fail("PATCH", NAME, 503, times=2)
    for _ in range(2):
        with pytest.raises(ServiceUnavailable):
            blob.patch(retry=None)
    blob.patch(retry=None)
    strict_storage.fail("GET", NAME, "drop")
    with pytest.raises(Dropped):
        blob.reload(retry=None)
    strict_storage.fail("GET", NAME, "hang")
    with pytest.raises(ReadTimeout):
        blob.reload(retry=None, timeout=0.2)


def test_an_answer_can_be_lost_after_its_effect(strict_storage, bucket):
    blob = upload(bucket)
    strict_storage.fail("DELETE", NAME, "drop", after=True)
    with pytest.raises(Dropped):
        blob.delete(retry=None)
    assert bucket.get_blob(NAME) is None


def test_the_client_retries_as_it_does_with_cloud_storage(strict_storage, bucket):
    upload(bucket)
    strict_storage.fail("GET", NAME, 503)
    assert bucket.get_blob(NAME).size == 5


def test_the_emulator_variable_points_the_client_to_it(strict_storage, monkeypatch):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", strict_storage.url)
    with storage.Client(project="p") as client:
        assert upload(client.create_bucket("mine")).download_as_bytes() == b"bytes"

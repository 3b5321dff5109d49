"""What every ImageStore promises: a folder, Cloud Storage's emulator, and a strict stand-in."""

from __future__ import annotations

import gzip
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from functions.adapters.folder import BUCKET, FolderImages
from functions.adapters.gcs import CloudStorageImages
from functions.core.document import Upload
from functions.core.errors import ConfigurationError, Gone, Stale, TransientError
from functions.core.ports import ImageStore
from tests.support.strict_storage import StrictStorage


@dataclass
class Place:
    """A store, and how people put files into it."""

    images: ImageStore
    bucket: str
    put: Callable[..., None]
    remove: Callable[[str], None]

    def upload(self, name: str = "a/ü b.jpg", data: bytes = b"0123456789") -> Upload:
        self.put(name, data)
        found = self.images.look_up(self.bucket, name)
        assert found
        return found


def folder(path: Path) -> Place:
    def put(name: str, data: bytes) -> None:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)

    return Place(FolderImages(path), BUCKET, put, lambda name: (path / name).unlink())


def cloud(client: Any) -> Place:
    bucket = client.create_bucket(f"bucket-{uuid.uuid4().hex}")

    def put(name: str, data: bytes) -> None:
        bucket.blob(name).upload_from_string(data, content_type="image/jpeg")

    return Place(CloudStorageImages(client), bucket.name, put, bucket.delete_blob)


@pytest.fixture(params=["folder", "strict", "emulator"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "folder":
        yield folder(tmp_path)
        return
    server = "strict_storage" if request.param == "strict" else "storage_emulator"
    client = request.getfixturevalue(server).client()
    yield cloud(client)
    client.close()


@pytest.fixture(params=["folder", "strict"])
def strict_place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Without the emulator, which heeds preconditions on uploads only."""
    if request.param == "folder":
        yield folder(tmp_path)
        return
    client = request.getfixturevalue("strict_storage").client()
    yield cloud(client)
    client.close()


def test_an_object_is_found_as_it_was_stored(place: Place) -> None:
    upload = place.upload()

    assert (upload.bucket, upload.name, upload.size) == (place.bucket, "a/ü b.jpg", 10)
    assert upload.content_type == "image/jpeg"
    assert upload.md5 == "eB5eJF1ptWaXm4bijSPyxw=="
    assert upload.generation > 0
    assert upload.metadata == {}


def test_a_missing_object_is_not_found(place: Place) -> None:
    assert place.images.look_up(place.bucket, "nothing.jpg") is None
    assert place.images.look_up("no-such-bucket", "nothing.jpg") is None
    assert place.images.look_up("-no bucket-", "nothing.jpg") is None


def test_a_generation_is_read_whole_or_from_its_beginning(place: Place) -> None:
    upload = place.upload()

    assert place.images.read(upload) == b"0123456789"
    assert place.images.read(upload, 4) == b"0123"
    assert place.images.read(upload, 4096) == b"0123456789"


def test_a_generation_is_read_by_ranges(place: Place) -> None:
    upload = place.upload()

    assert place.images.read(upload, 6, 2) == b"2345"
    assert place.images.read(upload, 4096, 8) == b"89"
    assert place.images.read(upload, 4096, 10) == b""


def test_an_overwritten_generation_is_not_read_by_ranges_either(strict_place: Place) -> None:
    old = strict_place.upload()
    strict_place.upload(data=b"other")

    with pytest.raises(Gone):
        strict_place.images.read(old, 4, 1)


def test_a_packed_object_is_read_as_it_is_stored(strict_storage: StrictStorage) -> None:
    client = strict_storage.client()
    place, packed = cloud(client), gzip.compress(b"0123456789")
    blob = client.bucket(place.bucket).blob("a.jpg")
    blob.content_encoding = "gzip"
    blob.upload_from_string(packed, content_type="image/jpeg")

    upload = place.images.look_up(place.bucket, "a.jpg")

    assert upload
    assert (upload.content_encoding, upload.size) == ("gzip", len(packed))
    assert place.images.read(upload) == packed
    client.close()


def test_objects_are_listed_by_name_as_they_are_found(place: Place) -> None:
    for name in ("b/2.jpg", "a/ü b.jpg", "b/1 & 2.jpg", "c.jpg"):
        place.upload(name)
    place.remove("c.jpg")

    listed = list(place.images.list(place.bucket))
    assert [each.name for each in listed] == ["a/ü b.jpg", "b/1 & 2.jpg", "b/2.jpg"]
    assert listed == [place.images.look_up(place.bucket, each.name) for each in listed]
    assert [each.name for each in place.images.list(place.bucket, "b/")] == [
        "b/1 & 2.jpg",
        "b/2.jpg",
    ]
    assert list(place.images.list(place.bucket, "nothing")) == []


@pytest.mark.parametrize("bucket", ["no-such-bucket", "-no bucket-"])
def test_a_bucket_that_is_not_there_is_not_listed(place: Place, bucket: str) -> None:
    with pytest.raises(Gone):
        list(place.images.list(bucket))


def test_pages_of_a_listing_follow_each_other(
    strict_storage: StrictStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.support import strict_storage as server

    monkeypatch.setattr(server, "PAGE", 2)
    client = strict_storage.client()
    here = cloud(client)
    for number in range(5):
        here.put(f"{number}.jpg", b"x")
    names = [each.name for each in here.images.list(here.bucket)]
    client.close()
    assert names == [f"{number}.jpg" for number in range(5)]
    assert len(strict_storage.sent("GET", f"/b/{here.bucket}/o")) == 3


def test_an_overwrite_is_a_newer_generation(place: Place) -> None:
    old = place.upload()
    assert place.upload(data=b"other").generation > old.generation


def test_an_overwritten_generation_is_not_read(strict_place: Place) -> None:
    old = strict_place.upload()
    strict_place.upload(data=b"other")

    with pytest.raises(Gone):
        strict_place.images.read(old)


def test_a_deleted_object_is_not_read(place: Place) -> None:
    upload = place.upload()
    place.remove(upload.name)

    with pytest.raises(Gone):
        place.images.read(upload)


def test_labels_are_merged_with_what_is_there(place: Place) -> None:
    upload = place.upload()
    place.images.label(upload, {"alt-text": "Ein Hund 🐕 & <b>", "caption": "x"})
    labelled = place.images.look_up(place.bucket, upload.name)
    assert labelled
    place.images.label(labelled, {"caption": "y", "more": ""})

    found = place.images.look_up(place.bucket, upload.name)
    assert found
    assert found.metadata == {"alt-text": "Ein Hund 🐕 & <b>", "caption": "y", "more": ""}
    assert found.generation == upload.generation


def test_a_label_can_be_taken_out(strict_place: Place) -> None:
    upload = strict_place.upload()
    strict_place.images.label(upload, {"alt-text": "x", "caption": "y"})
    labelled = strict_place.images.look_up(upload.bucket, upload.name)
    assert labelled
    strict_place.images.label(labelled, {"caption": None, "never-there": None})

    found = strict_place.images.look_up(upload.bucket, upload.name)
    assert found
    assert found.metadata == {"alt-text": "x"}


def test_labels_leave_the_bytes_alone(place: Place) -> None:
    upload = place.upload()
    place.images.label(upload, {"alt-text": "x"})

    assert place.images.read(upload) == b"0123456789"


def test_of_two_that_label_what_they_read_one_is_stale(strict_place: Place) -> None:
    upload = strict_place.upload()
    strict_place.images.label(upload, {"a": "1"})

    with pytest.raises(Stale):
        strict_place.images.label(upload, {"b": "2"})


def test_an_overwritten_generation_is_not_labelled(strict_place: Place) -> None:
    old = strict_place.upload()
    new = strict_place.upload(data=b"other")

    with pytest.raises((Gone, Stale)):
        strict_place.images.label(old, {"a": "1"})
    found = strict_place.images.look_up(new.bucket, new.name)
    assert found
    assert found.metadata == {}


def test_a_deleted_object_is_not_labelled(strict_place: Place) -> None:
    upload = strict_place.upload()
    strict_place.remove(upload.name)

    with pytest.raises(Gone):
        strict_place.images.label(upload, {"a": "1"})


@pytest.mark.parametrize("name", ["../out.jpg", "/etc/passwd", "..", ".captions/captions.db", ""])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    inside = tmp_path / "in"
    inside.mkdir()
    (tmp_path / "out.jpg").write_bytes(b"secret")
    images = FolderImages(inside)
    upload = Upload(BUCKET, name, 1, place_time())

    assert images.look_up(BUCKET, name) is None
    with pytest.raises(Gone):
        images.read(upload)
    with pytest.raises(Gone):
        images.label(upload, {"a": "1"})


def test_a_link_does_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    inside = tmp_path / "in"
    inside.mkdir()
    (tmp_path / "out.jpg").write_bytes(b"secret")
    (inside / "link.jpg").symlink_to(tmp_path / "out.jpg")

    assert FolderImages(inside).look_up(BUCKET, "link.jpg") is None
    assert list(FolderImages(inside).names()) == []


def test_a_renamed_file_is_a_new_generation(tmp_path: Path) -> None:
    """Otherwise an old file moved over a new one would never be captioned."""
    here = folder(tmp_path)
    old = here.upload("old.jpg", b"old")
    new = here.upload("new.jpg", b"new")
    (tmp_path / "old.jpg").rename(tmp_path / "new.jpg")

    moved = here.images.look_up(BUCKET, "new.jpg")
    assert moved
    assert moved.generation > max(old.generation, new.generation)


@pytest.mark.parametrize(
    ("status", "family"),
    [
        (401, ConfigurationError),
        (403, ConfigurationError),
        (429, TransientError),
        (500, TransientError),
        (503, TransientError),
    ],
)
def test_a_refusing_service_is_configuration_an_ailing_one_is_waited_for(
    strict_storage: StrictStorage,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    family: type[Exception],
) -> None:
    from functions.adapters import gcs

    monkeypatch.setattr(gcs, "_RETRY", gcs._RETRY.with_timeout(0.2))
    client = strict_storage.client()
    here = cloud(client)
    upload = here.upload()
    for method, call in (
        ("GET", lambda: here.images.read(upload)),
        ("GET", lambda: here.images.look_up(upload.bucket, upload.name)),
        ("GET", lambda: list(here.images.list(upload.bucket))),
        ("PATCH", lambda: here.images.label(upload, {"a": "1"})),
    ):
        strict_storage.fail(method, "", status, times=1000)
        with pytest.raises(family):
            call()
        strict_storage._failures.clear()
    client.close()


def test_an_unreachable_service_is_waited_for(
    strict_storage: StrictStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from functions.adapters import gcs

    monkeypatch.setattr(gcs, "_RETRY", gcs._RETRY.with_timeout(0.2))
    client = strict_storage.client()
    here = cloud(client)
    upload = here.upload()
    strict_storage.fail("GET", "", "drop", times=1000)

    with pytest.raises(TransientError):
        here.images.read(upload)
    client.close()


def test_the_answer_to_a_label_may_get_lost(strict_storage: StrictStorage) -> None:
    """The client tries again, meets its own write, and says so."""
    client = strict_storage.client()
    here = cloud(client)
    upload = here.upload()
    strict_storage.fail("PATCH", "", 503, after=True)

    with pytest.raises(Stale):
        here.images.label(upload, {"a": "1"})
    found = here.images.look_up(upload.bucket, upload.name)
    assert found
    assert found.metadata == {"a": "1"}
    assert replace(found, metadata={}, metageneration=1, time=upload.time) == upload
    client.close()


def place_time() -> Any:
    from datetime import UTC, datetime

    return datetime.now(UTC)

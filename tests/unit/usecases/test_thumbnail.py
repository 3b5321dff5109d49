"""Small pictures: made once, kept within a bound."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from functions.adapters.folder import FolderImages
from functions.core.document import Document
from functions.core.errors import Gone
from functions.usecases.fetch_picture import PictureFetcher
from functions.usecases.thumbnail import Thumbnails
from tests.support.documents import plain_document
from tests.support.pictures import jpeg

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def images(tmp_path: Path) -> FolderImages:
    for number in range(3):
        (tmp_path / f"{number}.jpg").write_bytes(jpeg(number, (900, 600)))
    return FolderImages(tmp_path)


def document(images: FolderImages, name: str) -> Document:
    upload = images.look_up("local", name)
    assert upload
    return plain_document(
        name, at=NOW, bucket="local", generation=upload.generation, size=upload.size
    )


def fetcher(images: FolderImages) -> PictureFetcher:
    return PictureFetcher(images, 1 << 20, 1 << 24)


def test_a_thumbnail_is_made_once_for_a_size_and_a_generation(images: FolderImages) -> None:
    thumbnails, mug = Thumbnails(fetcher(images)), document(images, "0.jpg")
    made = thumbnails.make(mug, 200)
    assert thumbnails.make(mug, 240) is made
    assert thumbnails.make(mug, 300) is not made


def test_what_is_kept_stays_within_its_bound(images: FolderImages) -> None:
    first = Thumbnails(fetcher(images)).make(document(images, "0.jpg"), 240)
    thumbnails = Thumbnails(fetcher(images), kept_bytes=len(first.data) * 3 // 2)
    for name in ("0.jpg", "1.jpg", "2.jpg"):
        thumbnails.make(document(images, name), 240)
    assert thumbnails._bytes <= len(first.data) * 3 // 2


def test_another_generation_is_another_picture(images: FolderImages) -> None:
    mug = replace(document(images, "0.jpg"), generation=1)
    with pytest.raises(Gone):
        Thumbnails(fetcher(images)).make(mug, 240)

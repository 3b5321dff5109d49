"""What is stored with Content-Encoding: gzip is unpacked, and not further than it may."""

from __future__ import annotations

import gzip
import tracemalloc

import pytest

from functions import pictures
from functions.core.document import Accepts
from functions.core.errors import PermanentError
from tests.support import drawn

GEMINI = Accepts(frozenset({"image/png", "image/jpeg"}), 15 << 20, 8192)
LIMIT = 10_000_000
JPEG = drawn.encoded(drawn.quarters(), "JPEG")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_a_packed_picture_is_unpacked(kind: str) -> None:
    data = drawn.encoded(drawn.quarters(), kind)
    picture = pictures.prepare(gzip.compress(data), GEMINI, LIMIT)
    assert (picture.width, picture.height) == (320, 200)
    assert kind == "TIFF" or picture.data == data


def test_a_packed_drawing_may_be_packed_again() -> None:
    for data in (gzip.compress(drawn.svg()), gzip.compress(gzip.compress(drawn.svg()))):
        assert pictures.prepare(data, GEMINI, LIMIT).width == 320


def test_members_that_follow_each_other_are_one_file() -> None:
    data = gzip.compress(JPEG[:500]) + gzip.compress(JPEG[500:])
    assert pictures.prepare(data, GEMINI, LIMIT).data == JPEG
    assert pictures.unpacked_size(data) == len(JPEG)


def test_what_is_not_packed_becomes_nothing_more() -> None:
    assert pictures.unpacked_size(JPEG) == 0
    assert pictures.unpacked_size(gzip.compress(drawn.svg())) == 0


@pytest.mark.parametrize("cut", [5, 12, 200, -1])
def test_a_broken_packing_is_refused(cut: int) -> None:
    with pytest.raises(PermanentError, match="cannot be unpacked") as refused:
        pictures.prepare(gzip.compress(JPEG)[:cut], GEMINI, LIMIT)
    assert refused.value.reason == "corrupt_image"


def test_a_bomb_is_counted_and_not_kept() -> None:
    bomb = gzip.compress(bytes(200 << 20), 1)
    tracemalloc.start()
    try:
        with pytest.raises(PermanentError, match="CAPTION_MAX_BYTES=104857600") as refused:
            pictures.prepare(bomb, GEMINI, LIMIT)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    assert refused.value.reason == "too_large"


def test_a_limit_of_ones_own_holds_for_what_comes_out() -> None:
    packed = gzip.compress(bytes(100_000))
    with pytest.raises(PermanentError, match="=50000") as refused:
        pictures.prepare(packed, GEMINI, LIMIT, 50_000)
    assert refused.value.reason == "too_large"


def test_the_kind_of_a_packed_object_is_told_from_its_head() -> None:
    head = gzip.compress(drawn.encoded(drawn.noise((400, 300)), "PNG"))[:4096]
    assert pictures.sniff(head) is None
    assert pictures.sniff(pictures.unpacked_head(head)) == "image/png"
    assert pictures.unpacked_head(JPEG[:4096]) == JPEG[:4096]
    assert pictures.unpacked_head(b"\x1f\x8b broken") == b"\x1f\x8b broken"

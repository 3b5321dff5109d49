"""What a model takes as it is goes on without decoding, and without what is private."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from functions import pictures
from functions.core.document import Accepts
from functions.core.errors import PermanentError
from tests.support import drawn

GEMINI = Accepts(
    frozenset({"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"}), 15 << 20, 8192
)
LIMIT = 200_000_000

SECRETIVE = {
    "jpeg": drawn.jpeg_full_of_secrets(),
    "progressive jpeg": drawn.jpeg_full_of_secrets(progressive=True),
    "grey jpeg": drawn.jpeg_with(
        drawn.encoded(drawn.quarters(mode="L"), "JPEG", exif=drawn.exif()),
        drawn.segment(0xFE, drawn.SECRET),
    ),
    "jpeg with restarts": drawn.jpeg_full_of_secrets(restart_marker_rows=1),
    "png": drawn.png_full_of_secrets(),
    "webp": drawn.webp_full_of_secrets(),
    "webp with profile": drawn.webp_full_of_secrets(icc_profile=drawn.SRGB),
    "lossless webp": drawn.webp_full_of_secrets(lossless=True),
    "heic": drawn.heic(),
}


@pytest.mark.parametrize("name", SECRETIVE)
def test_nothing_private_leaves_in_a_passed_on(name: str) -> None:
    data = SECRETIVE[name]
    assert drawn.SECRET in data
    picture = pictures.prepare(data, GEMINI, LIMIT)
    assert picture.mime_type == pictures.sniff(data)
    assert drawn.SECRET not in picture.data
    assert b"GPSLatitude" not in picture.data


@pytest.mark.parametrize("name", SECRETIVE)
def test_gps_data_does_not_leave_in_a_passed_on(name: str) -> None:
    assert drawn.opened(SECRETIVE[name]).getexif().get_ifd(0x8825)
    picture = pictures.prepare(SECRETIVE[name], GEMINI, LIMIT)
    assert not drawn.opened(picture.data).getexif().get_ifd(0x8825)
    assert not dict(drawn.opened(picture.data).getexif())


@pytest.mark.parametrize("name", SECRETIVE)
def test_no_pixel_changes_in_a_passed_on(name: str) -> None:
    picture = pictures.prepare(SECRETIVE[name], GEMINI, LIMIT)
    before, after = drawn.opened(SECRETIVE[name]), drawn.opened(picture.data)
    assert (picture.width, picture.height) == before.size == after.size
    assert before.tobytes() == after.tobytes()


@pytest.mark.parametrize("name", ["jpeg", "png", "webp with profile"])
def test_the_colour_profile_stays_in_a_passed_on(name: str) -> None:
    picture = pictures.prepare(SECRETIVE[name], GEMINI, LIMIT)
    assert drawn.opened(picture.data).info["icc_profile"] == drawn.SRGB


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_file_without_metadata_is_not_even_copied(kind: str) -> None:
    data = drawn.encoded(drawn.quarters(), kind)
    assert pictures.prepare(data, GEMINI, LIMIT).data is data


def test_what_stands_behind_the_end_marker_is_dropped() -> None:
    data = drawn.encoded(drawn.quarters(), "JPEG")
    second = drawn.encoded(drawn.quarters(), "JPEG", quality=20)
    assert pictures.prepare(data + second, GEMINI, LIMIT).data == data


@pytest.mark.parametrize("first", [True, False])
def test_an_exif_chunk_in_the_place_of_the_header_does_not_leave(first: bool) -> None:
    body = b"ICCP" + len(drawn.SRGB).to_bytes(4, "little") + drawn.SRGB
    body += drawn.encoded(drawn.quarters(), "WEBP")[12:]
    hidden = b"EXIF\x0a\0\0\0SECRETSECR"  # as long as the header that is to be written
    body = hidden + body if first else body + hidden
    forged = b"RIFF" + (4 + len(body)).to_bytes(4, "little") + b"WEBP" + body
    assert drawn.SECRET not in pictures.prepare(forged, GEMINI, LIMIT).data


@pytest.mark.parametrize("marker", [0x02, 0x4F, 0xDC, 0xDE, 0xDF])
def test_a_segment_that_decoding_does_not_need_does_not_leave(marker: int) -> None:
    plain = drawn.encoded(drawn.quarters(), "JPEG")
    data = drawn.jpeg_with(plain, drawn.segment(marker, drawn.SECRET))
    assert pictures.prepare(data, GEMINI, LIMIT).data == plain


@pytest.mark.parametrize("kind", [b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"pHYs"])
def test_a_chunk_of_colours_is_no_longer_than_it_must_be(kind: bytes) -> None:
    plain = drawn.encoded(drawn.quarters(), "PNG")
    data = drawn.png_with(plain, drawn.chunk(kind, bytes(32) + drawn.SECRET))
    assert pictures.prepare(data, GEMINI, LIMIT).data == plain


def test_a_chunk_of_colours_with_a_wrong_checksum_does_not_stay() -> None:
    plain = drawn.encoded(drawn.quarters(), "PNG")
    gamma = drawn.chunk(b"gAMA", (45455).to_bytes(4, "big"))
    data = drawn.png_with(plain, gamma[:-4] + bytes(4))
    assert pictures.prepare(data, GEMINI, LIMIT).data == plain


def broken() -> dict[str, bytes]:
    jpeg, png = (drawn.encoded(drawn.noise((320, 200)), kind) for kind in ("JPEG", "PNG"))
    half = len(png) // 2
    header, end = png[:33], drawn.chunk(b"IEND", b"")
    return {
        "png, one byte": png[:half] + bytes([png[half] ^ 1]) + png[half + 1 :],
        "png, a block of zeros": png[:half] + bytes(4096) + png[half + 4096 :],
        "png without pixels": header + drawn.chunk(b"IDAT", b"") + end,
        "jpeg without a scan": jpeg[: jpeg.rfind(b"\xff\xda")] + b"\xff\xd9",
        "jpeg without tables": jpeg[:2] + jpeg[jpeg.find(b"\xff\xc0") :],
    }


@pytest.mark.parametrize("name", broken())
def test_what_is_seen_to_be_broken_is_not_passed_on(name: str) -> None:
    with pytest.raises(PermanentError) as refused:
        pictures.prepare(broken()[name], GEMINI, LIMIT)
    assert refused.value.reason == "corrupt_image"


def test_unknown_boxes_of_a_heic_do_not_leave() -> None:
    box = (8 + 16 + 6).to_bytes(4, "big") + b"uuid" + b"\1" * 16 + drawn.SECRET
    video = (8 + 6).to_bytes(4, "big") + b"mpvd" + drawn.SECRET
    picture = pictures.prepare(drawn.heic() + box + video, GEMINI, LIMIT)
    assert picture.mime_type == "image/heic"
    assert drawn.SECRET not in picture.data
    assert len(picture.data) == len(drawn.heic())
    assert drawn.opened(picture.data).tobytes() == drawn.opened(drawn.heic()).tobytes()


def test_a_heic_of_many_tiles_is_passed_on_whole() -> None:
    data = drawn.encoded(drawn.quarters((1200, 900)), "HEIF", quality=50)
    picture = pictures.prepare(data, GEMINI, LIMIT)
    assert drawn.opened(picture.data).tobytes() == drawn.opened(data).tobytes()


@pytest.mark.parametrize(
    "accepts",
    [
        Accepts(frozenset({"image/png"}), 15 << 20, 8192),
        Accepts(GEMINI.types, 2000, 8192),
        Accepts(GEMINI.types, 15 << 20, 300),
    ],
    ids=["type", "bytes", "side"],
)
def test_what_a_model_does_not_take_is_prepared(accepts: Accepts) -> None:
    picture = pictures.prepare(SECRETIVE["jpeg"], accepts, LIMIT)
    assert len(picture.data) <= accepts.max_bytes
    assert max(drawn.opened(picture.data).size) <= accepts.max_side
    assert (picture.width, picture.height) == (320, 200)
    assert drawn.SECRET not in picture.data


def test_a_four_megabyte_photo_passes_in_a_few_milliseconds() -> None:
    data = drawn.encoded(drawn.noise((3000, 2200)), "JPEG", quality=97, exif=drawn.exif())
    data += b"\0" * max(0, (4 << 20) - len(data))
    times = []
    for _ in range(7):
        started = time.thread_time()
        pictures.prepare(data, GEMINI, LIMIT)
        times.append(time.thread_time() - started)
    assert min(times) < 0.006


def test_passing_on_imports_no_decoder() -> None:
    code = (
        "import sys; from functions import pictures; from functions.core.document import Accepts; "
        "data = sys.stdin.buffer.read(); "
        "picture = pictures.prepare(data, Accepts(frozenset({'image/jpeg'}), 1 << 24, 9000), 10**8)"
        "; assert picture.mime_type == 'image/jpeg'; "
        "loaded = {'PIL', 'pyvips', 'pillow_heif', 'pillow_jxl', 'pypdfium2'} & set(sys.modules); "
        "assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", code], input=SECRETIVE["jpeg"], check=True)


def test_pixels_are_counted_before_anything_else() -> None:
    with pytest.raises(PermanentError, match="320 x 200") as refused:
        pictures.prepare(SECRETIVE["jpeg"], GEMINI, 63_999)
    assert refused.value.reason == "too_many_pixels"

"""Whatever the bytes, the end is a picture or a reason."""

from __future__ import annotations

import gzip

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions import pictures
from functions.core.document import Accepts
from functions.core.errors import PermanentError
from tests.support import crafted, drawn

ALL = Accepts(
    frozenset({"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"}), 15 << 20, 8192
)
NOTHING = Accepts(frozenset(), 15 << 20, 8192)
SMALL = (48, 32)
REASONS = {"unsupported_type", "corrupt_image", "too_many_pixels", "too_large", "empty"}

FILES = [
    drawn.jpeg_full_of_secrets(SMALL),
    drawn.jpeg_full_of_secrets(SMALL, progressive=True),
    drawn.png_full_of_secrets(SMALL),
    drawn.webp_full_of_secrets(SMALL, icc_profile=drawn.SRGB),
    drawn.heic((64, 64)),
    drawn.encoded(drawn.quarters((64, 64)), "AVIF", exif=drawn.exif(6), xmp=drawn.xmp()),
    drawn.animation("GIF", 4, SMALL),
    drawn.animation("WEBP", 4, SMALL),
    drawn.encoded(drawn.quarters(SMALL), "TIFF", compression="tiff_lzw"),
    drawn.encoded(drawn.quarters(SMALL), "BMP"),
    drawn.encoded(drawn.quarters(SMALL), "JPEG2000"),
    drawn.encoded(drawn.quarters((32, 32)), "ICO"),
    drawn.svg("<title>Fuzz</title>"),
    crafted.jxl(SMALL),
    crafted.pdf(),
    crafted.psd(),
    drawn.encoded(drawn.quarters(SMALL), "TGA"),
    drawn.encoded(drawn.quarters(SMALL), "PCX"),
    drawn.encoded(drawn.quarters(SMALL), "PPM"),
    gzip.compress(drawn.jpeg_full_of_secrets(SMALL)),
]
# A decoder is a process: fewer examples than of a function.
assert settings.default
quick = settings(
    max_examples=settings.default.max_examples * 4 // 5, suppress_health_check=list(HealthCheck)
)


def ends_well(data: bytes, accepts: Accepts) -> None:
    try:
        picture = pictures.prepare(data, accepts, 4_000_000)
    except PermanentError as error:
        refusal = error
    else:
        assert picture.mime_type in accepts.types | {"image/jpeg"}
        assert picture.data
        assert picture.width > 0 < picture.height
        return
    assert refusal.reason in REASONS
    assert refusal.message


@quick
@given(st.sampled_from(FILES), st.floats(0, 1), st.booleans())
def test_truncated_files_end_well(data: bytes, share: float, passed_on: bool) -> None:
    ends_well(data[: int(len(data) * share)], ALL if passed_on else NOTHING)


@quick
@given(
    st.sampled_from(FILES),
    st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=12),
    st.booleans(),
)
def test_files_with_flipped_bytes_end_well(
    data: bytes, changes: list[tuple[float, int]], passed_on: bool
) -> None:
    broken = bytearray(data)
    for where, value in changes:
        # Half of the changes hit the headers, where they do most harm.
        at = int(where * len(broken)) if value % 2 else int(where * min(600, len(broken)))
        broken[at] = value
    ends_well(bytes(broken), ALL if passed_on else NOTHING)


@quick
@given(st.sampled_from(FILES), st.integers(0, 64), st.binary(max_size=400), st.booleans())
def test_random_bytes_behind_a_signature_end_well(
    data: bytes, kept: int, tail: bytes, passed_on: bool
) -> None:
    ends_well(data[:kept] + tail, ALL if passed_on else NOTHING)


@quick
@given(st.sampled_from(FILES), st.sampled_from(FILES), st.floats(0, 1), st.floats(0, 1))
def test_files_sewn_together_end_well(one: bytes, other: bytes, x: float, y: float) -> None:
    sewn = one[: int(len(one) * x)] + other[int(len(other) * y) :]
    ends_well(sewn, ALL)
    assert drawn.SECRET not in one or _no_secret(one)


def _no_secret(data: bytes) -> bool:
    return drawn.SECRET not in pictures.prepare(data, ALL, 4_000_000).data


@quick
@given(st.binary(max_size=4096))
def test_what_it_is_is_told_of_any_bytes(data: bytes) -> None:
    kind = pictures.sniff(data) or "application/pdf"
    assert kind == "application/pdf" or kind.startswith(("image/", "video/"))

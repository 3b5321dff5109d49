"""What the model is shown is the picture: no loss, no false colour, no thumbnail, no other one."""

from __future__ import annotations

import array
import lzma
import struct

import pytest
from PIL import Image

from functions import pictures
from functions.core.document import Accepts, Picture
from functions.core.errors import PermanentError
from functions.pictures.decoding import libvips
from functions.pictures.structure import cicp, icc
from tests.support import crafted, drawn

GEMINI = Accepts(
    frozenset({"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"}), 15 << 20, 8192
)
NOTHING = Accepts(frozenset(), 15 << 20, 8192)
LIMIT = 200_000_000
SIZE = (320, 200)
QUARTERS = [drawn.RED, drawn.GREEN, drawn.BLUE, drawn.WHITE]
PIXELS = drawn.quarters().tobytes()


def shown(data: bytes, accepts: Accepts = NOTHING) -> Picture:
    return pictures.prepare(data, accepts, LIMIT)


def seen(data: bytes, accepts: Accepts = NOTHING) -> list[tuple[int, ...]]:
    return drawn.colours(shown(data, accepts).data)


def refused(data: bytes) -> str:
    with pytest.raises(PermanentError) as error:
        shown(data, GEMINI)
    return error.value.reason


# -- a decode that lost data never counts


@pytest.mark.parametrize("coding", [34712, 34887, 34892, 34933, 50002, 65432])
def test_a_tiff_in_a_coding_that_nobody_knows_is_refused_not_black(coding: int) -> None:
    data = crafted.tiff(drawn.noise(SIZE).tobytes(), SIZE, [(259, "H", [coding])])
    assert refused(data) in ("unsupported_type", "corrupt_image")


@pytest.mark.parametrize("coding", ["lzma", "zstd", "tiff_deflate"])
def test_what_libtiff_reads_is_read(coding: str) -> None:
    packed = {
        "lzma": lambda: crafted.tiff(
            lzma.compress(PIXELS, check=lzma.CHECK_NONE), SIZE, [(259, "H", [34925])]
        ),
        "zstd": lambda: drawn.encoded(drawn.quarters(), "TIFF", compression="zstd"),
        "tiff_deflate": lambda: drawn.encoded(drawn.quarters(), "TIFF", compression=coding),
    }[coding]()
    assert drawn.alike(seen(packed), QUARTERS)


@pytest.mark.parametrize("coding", ["raw", "tiff_lzw", "tiff_deflate", "jpeg", "packbits"])
@pytest.mark.parametrize("kept", [0.5, 0.9])
def test_a_tiff_that_ends_too_early_is_refused(coding: str, kept: float) -> None:
    data = drawn.encoded(drawn.noise(SIZE), "TIFF", compression=coding)
    (start,) = struct.unpack_from("<I", data, 4)
    if start > 8:  # the directory stands at the end: move it before the pixels
        data = crafted.tiff(data[8:start], SIZE, [(259, "H", [1])]) if coding == "raw" else data
    assert refused(data[: int(len(data) * kept)]) == "corrupt_image"


def test_an_old_style_jpeg_tiff_is_shown_not_black() -> None:
    jpeg = drawn.encoded(drawn.quarters(), "JPEG")
    tags: list[crafted.Tag] = [(259, "H", [6]), (262, "H", [6]), (513, "I", [8])]
    data = crafted.tiff(jpeg, SIZE, [*tags, (514, "I", [len(jpeg)])])
    assert drawn.alike(seen(data), QUARTERS)


def test_one_flat_colour_from_much_data_is_believed_if_two_readers_see_it() -> None:
    assert seen(drawn.encoded(Image.new("RGB", SIZE), "JPEG") + bytes(200_000)) == [(0, 0, 0)] * 4
    more = struct.pack(">I", 8 + 200_000) + b"free" + bytes(200_000)
    with pytest.raises(PermanentError, match="one flat colour"):
        shown(drawn.encoded(Image.new("RGB", SIZE), "HEIF") + more)  # there is one reader only


# -- colours


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("bits", [8, 16])
def test_lab_shows_its_colours(bits: int, alpha: bool) -> None:
    pixels = crafted.lab(bits)
    step = 3 * bits // 8
    if alpha:
        opaque = b"\xff" * (bits // 8)
        pixels = b"".join(pixels[i : i + step] + opaque for i in range(0, len(pixels), step))
    bands = 4 if alpha else 3
    tags: list[crafted.Tag] = [(262, "H", [8]), (258, "H", [bits] * bands)]
    if alpha:
        tags.append((338, "H", [2]))
    assert drawn.alike(seen(crafted.tiff(pixels, SIZE, tags, bands)), QUARTERS, 32)


@pytest.mark.parametrize("kind", ["float", "half", "uint32"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_measured_colours_are_turned_and_keep_their_range(kind: str, orientation: int) -> None:
    letter, bits, form = {"float": ("f", 32, 3), "half": ("e", 16, 3), "uint32": ("I", 32, 1)}[kind]
    factor = 4294967295 if kind == "uint32" else 1
    values = [value / 255 * factor for value in PIXELS]
    packed = struct.pack(f"<{len(values)}{letter}", *(map(int, values) if factor > 1 else values))
    tags: list[crafted.Tag] = [
        (258, "H", [bits] * 3), (339, "H", [form] * 3), (274, "H", [orientation])
    ]  # fmt: skip
    picture = shown(crafted.tiff(packed, SIZE, tags))
    order = {1: [0, 1, 2, 3], 3: [3, 2, 1, 0], 6: [2, 0, 3, 1], 8: [1, 3, 0, 2]}[orientation]
    assert drawn.alike(drawn.colours(picture.data), [QUARTERS[i] for i in order])
    upright = SIZE if orientation < 5 else SIZE[::-1]
    assert (picture.width, picture.height) == upright == drawn.opened(picture.data).size


@pytest.mark.parametrize("bits", [8, 10, 12, 14])
@pytest.mark.parametrize("bands", [1, 3])
def test_few_bits_in_sixteen_are_not_dark(bits: int, bands: int) -> None:
    image = drawn.quarters(mode="L" if bands == 1 else "RGB")
    values = array.array("H", [value * (2**bits - 1) // 255 for value in image.tobytes()])
    tags: list[crafted.Tag] = [(258, "H", [16] * bands)]
    found = seen(crafted.tiff(values.tobytes(), SIZE, tags, bands))
    assert drawn.alike(found, drawn.colours(drawn.encoded(image, "PNG")))


def test_sixteen_bits_that_are_used_stay_as_they_are() -> None:
    values = array.array("H", [value * 100 for value in PIXELS])  # a dark picture
    found = seen(crafted.tiff(values.tobytes(), SIZE, [(258, "H", [16] * 3)]))
    assert drawn.alike(found, [tuple(round(v * 100 / 257) for v in colour) for colour in QUARTERS])


def test_luma_and_chroma_without_a_jpeg_are_not_taken_for_colours() -> None:
    pixels = drawn.quarters(mode="YCbCr").tobytes()
    data = crafted.tiff(pixels, SIZE, [(262, "H", [6]), (530, "H", [1, 1])])
    assert drawn.alike(seen(data), QUARTERS)


@pytest.mark.parametrize("bits", [8, 16])
def test_signed_values_begin_below_zero(bits: int) -> None:
    letter, step = ("b", 1) if bits == 8 else ("h", 256)
    packed = array.array(letter, [(value - 128) * step for value in PIXELS]).tobytes()
    tags: list[crafted.Tag] = [(258, "H", [bits] * 3), (339, "H", [2] * 3)]
    assert drawn.alike(seen(crafted.tiff(packed, SIZE, tags)), QUARTERS)


@pytest.mark.parametrize("step", [1, 16])
def test_values_that_are_never_below_zero_begin_there(step: int) -> None:
    packed = array.array("h", [value * step for value in PIXELS]).tobytes()
    tags: list[crafted.Tag] = [(258, "H", [16] * 3), (339, "H", [2] * 3)]
    assert drawn.alike(seen(crafted.tiff(packed, SIZE, tags)), QUARTERS)


def with_bands(*values: int, pixels: bytes = PIXELS, bits: int = 8) -> bytes:
    """RGB, and bands of one value each behind it."""
    step = 3 * bits // 8
    each = b"".join(value.to_bytes(bits // 8, "little") for value in values)
    return b"".join(pixels[at : at + step] + each for at in range(0, len(pixels), step))


@pytest.mark.parametrize("extra", [[0], [0, 0], [2, 0], []])
@pytest.mark.parametrize("bits", [8, 16])
def test_a_mask_in_a_tiff_hides_nothing(extra: list[int], bits: int) -> None:
    pixels = PIXELS if bits == 8 else bytes(b for value in PIXELS for b in (value, value))
    values = [2**bits - 1 if each == 2 else 0 for each in extra or [0]]
    tags: list[crafted.Tag] = [(258, "H", [bits] * (3 + len(values)))]
    tags += [(338, "H", extra)] if extra else []
    data = with_bands(*values, pixels=pixels, bits=bits)
    assert drawn.alike(seen(crafted.tiff(data, SIZE, tags, 3 + len(values))), QUARTERS)


def test_a_mask_beside_the_inks_of_a_tiff_hides_nothing() -> None:
    inks = drawn.quarters(mode="CMYK").tobytes()
    data = b"".join(inks[at : at + 4] + b"\0" for at in range(0, len(inks), 4))
    tags: list[crafted.Tag] = [(262, "H", [5]), (338, "H", [0])]
    masked, plain = crafted.tiff(data, SIZE, tags, 5), crafted.tiff(inks, SIZE, tags[:1], 4)
    assert drawn.alike(seen(masked), seen(plain))


def test_a_shape_is_seen_in_a_tiff_that_does_not_say_that_it_is_transparent() -> None:
    shape = b"".join(bytes(3) + bytes([255 * (at % SIZE[0] < 160)]) for at in range(320 * 200))
    left, right, *_ = seen(crafted.tiff(shape, SIZE, [(338, "H", [0])], 4))
    assert (left, right) == ((0, 0, 0), (255, 255, 255))


def test_transparency_in_a_tiff_stays_one() -> None:
    data = crafted.tiff(with_bands(0), SIZE, [(338, "H", [2])], 4)
    assert "transparent" in shown(data).note


@pytest.mark.parametrize("layers", [0, 2])
def test_a_saved_selection_in_a_psd_hides_nothing(layers: int) -> None:
    data = crafted.psd(more=bytes(320 * 200), layers=layers)
    assert drawn.alike(seen(data), QUARTERS)


def test_transparency_in_a_psd_stays_one() -> None:
    assert "transparent" in shown(crafted.psd(more=bytes(320 * 200), layers=-2)).note


def test_a_psd_in_lab_is_shown_in_its_colours() -> None:
    assert drawn.alike(seen(crafted.psd(lab=True)), QUARTERS)


WITH_FOURTH_BYTE = {
    "BMP": crafted.bmp,
    "ICO": lambda image: drawn.encoded(image, "ICO", bitmap_format="bmp", sizes=[image.size]),
    "TGA": lambda image: drawn.encoded(image, "TGA"),
}


@pytest.mark.parametrize("kind", WITH_FOURTH_BYTE)
def test_a_fourth_byte_that_is_nowhere_set_is_no_transparency_in_a(kind: str) -> None:
    image = drawn.quarters((160, 100))
    image.putalpha(0)
    assert drawn.alike(seen(WITH_FOURTH_BYTE[kind](image)), QUARTERS)


@pytest.mark.parametrize("kind", WITH_FOURTH_BYTE)
def test_nothing_at_all_is_not_shown_as_black_in_a(kind: str) -> None:
    nothing = WITH_FOURTH_BYTE[kind](Image.new("RGBA", (160, 100)))
    assert drawn.alike(seen(nothing), [(255, 255, 255)] * 4)


def test_a_profile_is_known_by_its_numbers_not_by_its_name() -> None:
    linear = crafted.linear_profile()
    assert b"s\0R\0G\0B" in linear
    assert icc.is_srgb(drawn.SRGB)
    assert not icc.is_srgb(linear)
    assert not icc.is_near_srgb(linear)
    lighter = [tuple(round(255 * _encoded(v / 255)) for v in colour) for colour in QUARTERS]
    for kind in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"):
        data = drawn.encoded(drawn.quarters(), kind, icc_profile=linear)
        assert drawn.alike(seen(data), lighter, 30), kind
        assert drawn.alike(seen(data, GEMINI), lighter, 30), kind


def _encoded(light: float) -> float:
    return 12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055


def test_display_p3_is_near_enough_to_pass_on_with_its_profile() -> None:
    wide = libvips.pyvips.Image.profile_load("p3")
    assert icc.is_near_srgb(wide)
    assert not icc.is_srgb(wide)
    data = drawn.encoded(drawn.quarters(), "JPEG", icc_profile=wide)
    picture = shown(data, GEMINI)
    assert picture.data is data
    red = seen(data)[0]
    assert red[0] > drawn.RED[0] + 5  # where it is decoded it is converted


@pytest.mark.parametrize(
    "profile", [b"", b"sRGB", drawn.SRGB[:200], drawn.SRGB[:-40] + b"\xff" * 40]
)
def test_a_broken_profile_is_no_profile_to_trust(profile: bytes) -> None:
    assert icc.is_srgb(profile) in (True, False)
    assert drawn.alike(
        seen(drawn.encoded(drawn.quarters(), "JPEG", icc_profile=profile or None), GEMINI), QUARTERS
    )


def test_code_points_in_a_png_are_applied() -> None:
    plain = drawn.encoded(drawn.quarters(), "PNG")
    for points in (b"\x01\x0d\0\1", b"\x01\x01\0\1", b"\x02\x02\0\1"):
        data = drawn.png_with(plain, drawn.chunk(b"cICP", points))
        assert shown(data, GEMINI).mime_type == "image/png"
    wide = seen(drawn.png_with(plain, drawn.chunk(b"cICP", b"\x09\x0d\0\1")), GEMINI)
    assert wide[0][0] > drawn.RED[0]
    assert wide[1][1] >= drawn.GREEN[1] - 5
    assert wide[1][0] < drawn.GREEN[0]
    # 203 nits are white in perceptual quantisation: 58 % of the signal.
    image = Image.new("RGB", SIZE, (148, 148, 148))
    data = drawn.png_with(drawn.encoded(image, "PNG"), drawn.chunk(b"cICP", b"\x09\x10\0\1"))
    assert min(seen(data, GEMINI)[0]) > 200


@pytest.mark.parametrize(
    ("primaries", "transfer", "passed_on"), [(1, 13, True), (12, 13, True), (9, 16, False)]
)
def test_code_points_of_a_heic_far_from_srgb_are_applied(
    primaries: int, transfer: int, passed_on: bool
) -> None:
    points = {"color_primaries": primaries, "transfer_characteristics": transfer}
    data = drawn.encoded(drawn.quarters(), "HEIF", **points, matrix_coefficients=6)
    assert (shown(data, GEMINI).mime_type == "image/heic") is passed_on
    assert drawn.alike(seen(data), QUARTERS, 12) is (primaries == 1)


def test_a_gamma_of_its_own_is_applied_unless_better_is_known() -> None:
    linear = drawn.chunk(b"gAMA", (100_000).to_bytes(4, "big"))
    grey = drawn.encoded(Image.new("RGB", SIZE, (55, 55, 55)), "PNG")
    assert drawn.alike(seen(drawn.png_with(grey, linear), GEMINI), [(128,) * 3] * 4)
    known = drawn.png_with(grey, linear, drawn.chunk(b"sRGB", b"\0"))
    assert shown(known, GEMINI).mime_type == "image/png"
    assert drawn.alike(seen(known, GEMINI), [(55,) * 3] * 4)


@pytest.mark.parametrize("odd", [-9999.0, 3.4e38, -3.4e38])
def test_a_number_for_no_data_does_not_hide_the_measurements(odd: float) -> None:
    ramp = array.array("f", [x / 320 for _ in range(200) for x in range(320)])
    ramp[5000] = ramp[5001] = odd
    tags: list[crafted.Tag] = [(258, "H", [32]), (339, "H", [3])]
    picture = shown(crafted.tiff(ramp.tobytes(), SIZE, tags, 1))
    low, high = drawn.opened(picture.data).convert("L").resize((32, 20)).getextrema()
    assert int(low) < 70 < 235 < int(high)  # type: ignore[arg-type]


@pytest.mark.parametrize("odd", [-9999.0, 3.4e38, -3.4e38, float("inf"), float("-inf")])
@pytest.mark.parametrize("width", [320, 2000])
def test_a_map_of_which_half_is_no_data_shows_the_other_half(odd: float, width: int) -> None:
    half = width // 2
    row = [*(x / half for x in range(half)), *[odd] * half]
    tags: list[crafted.Tag] = [(258, "H", [32]), (339, "H", [3])]
    data = crafted.tiff(array.array("f", row * 200).tobytes(), (width, 200), tags, 1)
    image = drawn.opened(shown(data).data).convert("L")
    at = [image.getpixel((image.width * x // 8, image.height // 2)) for x in (0, 1, 2, 3)]
    assert drawn.alike([at], [(0, 64, 128, 192)])


def test_white_is_not_taken_for_no_data() -> None:
    page = array.array("f", [1.0 if x % 8 else x / 1200 for _ in range(200) for x in range(320)])
    tags: list[crafted.Tag] = [(258, "H", [32]), (339, "H", [3])]
    image = drawn.opened(shown(crafted.tiff(page.tobytes(), SIZE, tags, 1)).data).convert("L")
    assert image.getpixel((312, 100)) < 128 < image.getpixel((316, 100))


def test_what_is_plain_needs_no_conversion() -> None:
    assert cicp.is_plain(b"\x01\x0d")
    assert not cicp.is_plain(b"\x0c\x0d")
    assert not cicp.is_plain(b"\x01\x10")


# -- the segments that decide a JPEG's colours


def rgb_jpeg(*segments: bytes) -> bytes:
    """A JPEG that stores red, green and blue, which only its markers tell."""
    plain = drawn.encoded(drawn.quarters(), "JPEG", keep_rgb=True, quality=95)
    app14 = plain.find(b"\xff\xee")
    if app14 > 0:
        plain = plain[:app14] + plain[app14 + 16 :]
    app0 = plain.find(b"\xff\xe0")
    if app0 > 0:
        plain = plain[:app0] + plain[app0 + 18 :]
    at = plain.find(b"\xff\xc0")
    data = bytearray(plain)
    for place, number in zip((10, 13, 16), (1, 2, 3), strict=True):  # not the letters R, G, B
        data[at + place] = number
    scan = data.find(b"\xff\xda")
    for place, number in zip((5, 7, 9), (1, 2, 3), strict=True):
        data[scan + place] = number
    return drawn.jpeg_with(bytes(data), *segments)


ADOBE = b"Adobe\0\x64\0\0\0\0\0"
JFIF = b"JFIF\0\1\1\0\0\1\0\1"


@pytest.mark.parametrize("tail", [b"", b"SECRET", b"\0" * 30])
def test_a_longer_adobe_segment_still_decides_the_colours(tail: bytes) -> None:
    data = rgb_jpeg(drawn.segment(0xEE, ADOBE + tail))
    assert drawn.alike(drawn.colours(data), QUARTERS)
    picture = shown(data, GEMINI)
    assert picture.mime_type == "image/jpeg"
    assert drawn.SECRET not in picture.data
    assert drawn.opened(picture.data).tobytes() == drawn.opened(data).tobytes()


def test_a_jfif_header_stays_and_its_thumbnail_goes() -> None:
    thumbnail = JFIF + b"\2\2" + b"SECRETSECRET"
    adobe = drawn.segment(0xEE, ADOBE)
    data = rgb_jpeg(drawn.segment(0xE0, thumbnail), adobe)
    picture = shown(data, GEMINI)
    assert drawn.SECRET not in picture.data
    assert drawn.opened(picture.data).tobytes() == drawn.opened(data).tobytes()
    assert drawn.opened(picture.data).info["jfif"]


# -- which of a file's pictures


def dng(preview: tuple[int, int] | None, orientation: int = 1) -> bytes:
    """A thumbnail, a sensor's values and perhaps a JPEG, as a camera writes them."""
    thumbnail = Image.new("RGB", (160, 100), (255, 0, 255)).tobytes()
    tags: list[crafted.Tag] = [(254, "I", [1]), (50706, "B", [1, 4, 0, 0])]
    pages = [crafted.directory(thumbnail, (160, 100), [*tags, (274, "H", [orientation])])]
    sensor = bytes(range(256)) * 250
    pages.append(crafted.directory(sensor, SIZE, [(262, "H", [32803])], 1))
    if preview:
        jpeg = drawn.encoded(drawn.quarters(preview), "JPEG")
        tags = [(254, "I", [1]), (259, "H", [7]), (262, "H", [6])]
        pages.append(crafted.directory(jpeg, preview, tags))
    return crafted.tiff_of(pages)


def test_a_raw_file_is_shown_by_its_preview() -> None:
    picture = shown(dng((1200, 800)), GEMINI)
    assert drawn.alike(drawn.colours(picture.data), QUARTERS)
    assert (picture.width, picture.height) == (1200, 800)
    assert "raw data" in picture.note


def test_a_preview_is_turned_as_the_raw_file_says() -> None:
    picture = shown(dng((1200, 800), 6))
    assert (picture.width, picture.height) == (800, 1200)
    assert drawn.alike(drawn.colours(picture.data), [QUARTERS[i] for i in (2, 0, 3, 1)])


@pytest.mark.parametrize("preview", [None, (160, 120)])
def test_a_raw_file_without_a_useful_preview_is_refused(preview: tuple[int, int] | None) -> None:
    assert refused(dng(preview)) == "unsupported_type"


@pytest.mark.parametrize(
    "head", [b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FUJIFILMCCD-RAW 0201", b"FOVb", b"\0MRM"]
)
def test_raw_files_of_other_forms_are_shown_by_their_preview(head: bytes) -> None:
    jpeg = drawn.encoded(drawn.quarters((900, 600)), "JPEG")
    data = head + bytes(100) + b"\xff\xd8\xff\xc3 not a preview" + bytes(100) + jpeg + bytes(5000)
    assert drawn.alike(seen(data), QUARTERS)


def test_a_thumbnail_that_comes_first_in_a_tiff_is_passed_over() -> None:
    small = Image.new("RGB", (80, 50), (255, 0, 255)).tobytes()
    pages = [crafted.directory(small, (80, 50), [(254, "I", [1])]), crafted.directory(PIXELS, SIZE)]
    picture = shown(crafted.tiff_of(pages))
    assert drawn.alike(drawn.colours(picture.data), QUARTERS)
    assert (picture.width, picture.height) == SIZE
    assert picture.note == ""


@pytest.mark.parametrize("coding", [b"avc1", b"j2k1", b"jpeg", b"unci", b"vvc1"])
def test_a_heif_in_a_coding_that_few_know_is_not_passed_on(coding: bytes) -> None:
    data = drawn.heic().replace(b"hvc1", coding)
    with pytest.raises(PermanentError, match="coded as") as error:
        shown(data, GEMINI)
    assert error.value.reason == "unsupported_type"


def test_an_avif_under_heifs_name_is_shown() -> None:
    data = drawn.encoded(drawn.quarters(), "AVIF").replace(b"avif", b"mif1")
    assert pictures.sniff(data) == "image/heif"
    picture = shown(data, GEMINI)
    assert picture.mime_type == "image/jpeg"
    assert drawn.alike(drawn.colours(picture.data), QUARTERS)


def test_of_several_pictures_in_a_heic_only_the_main_one_leaves() -> None:
    other = Image.new("RGB", (320, 200), (255, 0, 255))
    data = drawn.encoded(drawn.quarters(), "HEIF", save_all=True, append_images=[other])
    picture = shown(data, GEMINI)
    assert picture.mime_type == "image/jpeg"
    assert drawn.alike(drawn.colours(picture.data), QUARTERS)
    one = drawn.encoded(drawn.quarters(), "HEIF")
    assert shown(one, GEMINI).mime_type == "image/heic"


@pytest.mark.parametrize("kind", [b"zzzz", b"avc1"])
def test_another_picture_does_not_stand_in_for_a_damaged_main_one(kind: bytes) -> None:
    other = Image.new("RGB", (320, 200), (255, 0, 255))
    data = drawn.encoded(drawn.quarters(), "HEIF", save_all=True, append_images=[other])
    at = data.find(b"hvc1", data.find(b"infe"))
    assert refused(data[:at] + kind + data[at + 4 :]) in ("corrupt_image", "unsupported_type")


# -- more formats

MORE = {
    "jpeg xl": crafted.jxl(),
    "jpeg xl, lossless": crafted.jxl(lossless=True),
    "psd": crafted.psd(),
    "tga": drawn.encoded(drawn.quarters(), "TGA"),
    "tga, packed": drawn.encoded(drawn.quarters(), "TGA", compression="tga_rle"),
    "tga, palette": drawn.encoded(drawn.quarters(mode="P"), "TGA"),
    "pcx": drawn.encoded(drawn.quarters(), "PCX"),
    "ppm": drawn.encoded(drawn.quarters(), "PPM"),
    "ppm in words": b"P3 320 200 255\n" + b" ".join(b"%d" % value for value in PIXELS),
}


@pytest.mark.parametrize("name", MORE)
def test_the_same_is_to_be_seen_in_a(name: str) -> None:
    picture = shown(MORE[name], GEMINI)
    assert picture.mime_type == "image/jpeg"
    assert drawn.alike(drawn.colours(picture.data), QUARTERS)
    assert (picture.width, picture.height) == SIZE
    assert picture.note == ""


@pytest.mark.parametrize("name", MORE)
def test_half_of_it_is_refused(name: str) -> None:
    assert refused(MORE[name][: len(MORE[name]) // 2]) in ("corrupt_image", "unsupported_type")


@pytest.mark.parametrize("name", MORE)
def test_its_pixels_are_counted_first(name: str) -> None:
    with pytest.raises(PermanentError) as error:
        pictures.prepare(MORE[name], GEMINI, 63_999)
    assert error.value.reason == "too_many_pixels"


def test_sixteen_bits_of_grey_in_a_pgm_are_not_white() -> None:
    values = b"".join(
        (value * 257).to_bytes(2, "big") for value in drawn.quarters(mode="L").tobytes()
    )
    found = seen(b"P5 320 200 65535\n" + values)
    assert drawn.alike(found, drawn.colours(drawn.encoded(drawn.quarters(mode="L"), "PNG")))


@pytest.mark.parametrize("pages", [1, 3])
def test_of_a_document_the_first_page_is_shown_and_said_to_be_one(pages: int) -> None:
    picture = shown(crafted.pdf(pages), GEMINI)
    left, right, *_ = drawn.colours(picture.data)
    assert left[0] > 200 > 60 > left[1]
    assert right[1] > 120 > 60 > right[0]
    assert (picture.width, picture.height) == (200, 100)
    assert "document of one page" in picture.note or f"of {pages} pages" in picture.note


def test_a_document_without_pages_is_refused() -> None:
    assert refused(b"%PDF-1.7 and so on") == "corrupt_image"

"""What a model does not take becomes a small, upright sRGB JPEG that shows the same."""

from __future__ import annotations

import gzip
import io
import struct
from typing import Any

import pytest
from PIL import Image, ImageOps

from functions import pictures
from functions.core.document import Accepts, Media, Picture
from functions.core.errors import PermanentError
from tests.support import drawn

GEMINI = Accepts(
    frozenset({"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"}), 15 << 20, 8192
)
NOTHING = Accepts(frozenset(), 15 << 20, 8192)
LIMIT = 200_000_000
QUARTERS = [drawn.RED, drawn.GREEN, drawn.BLUE, drawn.WHITE]


def prepared(data: bytes, accepts: Accepts = NOTHING) -> Picture:
    picture = pictures.prepare(data, accepts, LIMIT)
    assert picture.mime_type == "image/jpeg"
    seen = drawn.opened(picture.data)
    assert seen.mode == "RGB" or seen.mode == "L"
    assert not set(seen.info) & {"exif", "icc_profile", "xmp", "comment", "photoshop"}
    return picture


FILES = {
    "jpeg": drawn.jpeg_full_of_secrets(),
    "progressive jpeg": drawn.encoded(drawn.quarters(), "JPEG", progressive=True),
    "png": drawn.png_full_of_secrets(),
    "interlaced palette png": drawn.encoded(drawn.quarters(mode="P"), "PNG"),
    "webp": drawn.webp_full_of_secrets(),
    "gif": drawn.encoded(drawn.quarters(mode="P"), "GIF"),
    "tiff": drawn.encoded(drawn.quarters(), "TIFF", exif=drawn.exif()),
    "tiff, lzw": drawn.encoded(drawn.quarters(), "TIFF", compression="tiff_lzw"),
    "tiff, jpeg": drawn.encoded(drawn.quarters(), "TIFF", compression="jpeg"),
    "tiff, deflate, palette": drawn.encoded(
        drawn.quarters(mode="P"), "TIFF", compression="tiff_deflate"
    ),
    "bmp": drawn.encoded(drawn.quarters(), "BMP"),
    "bmp, palette": drawn.encoded(drawn.quarters(mode="P"), "BMP"),
    "jpeg 2000": drawn.encoded(drawn.quarters(), "JPEG2000"),
    "avif": drawn.encoded(drawn.quarters(), "AVIF", quality=90, exif=drawn.exif()),
    "heic": drawn.heic(),
    "heic of odd width": drawn.heic((321, 201)),
    "svg": drawn.svg(),
    "svg, packed": gzip.compress(drawn.svg()),
    "svg in utf-16": drawn.svg(before='<?xml version="1.0" encoding="UTF-16"?>')
    .decode()
    .encode("utf-16"),
    "svg behind a long comment": drawn.svg(before="<!--" + "x" * 3000 + "-->"),
}


@pytest.mark.parametrize("name", FILES)
def test_the_same_is_to_be_seen_in_a(name: str) -> None:
    picture = prepared(FILES[name])
    assert drawn.alike(drawn.colours(picture.data), QUARTERS)
    assert picture.width in (320, 321)
    assert picture.height in (200, 201)
    assert picture.note == ""


@pytest.mark.parametrize("name", FILES)
def test_nothing_private_leaves_in_a_decoded(name: str) -> None:
    picture = prepared(FILES[name])
    assert drawn.SECRET not in picture.data
    assert not dict(drawn.opened(picture.data).getexif())


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_every_orientation_comes_out_upright(kind: str, orientation: int) -> None:
    data = drawn.encoded(drawn.quarters(), kind, exif=drawn.exif(orientation))
    with Image.open(io.BytesIO(data)) as image:
        upright = ImageOps.exif_transpose(image)
    wanted = drawn.colours(drawn.encoded(upright.convert("RGB"), "PNG"))
    picture = pictures.prepare(data, GEMINI, LIMIT)
    assert (picture.width, picture.height) == upright.size
    assert drawn.opened(picture.data).size == upright.size
    assert drawn.alike(drawn.colours(picture.data), wanted)


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_turned_heic_is_turned_once(orientation: int) -> None:
    upright = ImageOps.exif_transpose(drawn.opened(drawn.heic((320, 200), orientation)))
    picture = pictures.prepare(drawn.heic((320, 200), orientation), GEMINI, LIMIT)
    assert picture.mime_type == "image/jpeg"
    assert (picture.width, picture.height) == upright.size
    assert drawn.alike(
        drawn.colours(picture.data), drawn.colours(drawn.encoded(upright.convert("RGB"), "PNG"))
    )


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "JPEG2000", "AVIF", "HEIF"])
def test_a_large_image_is_scaled_and_its_own_size_is_told(kind: str) -> None:
    data = drawn.encoded(drawn.quarters((4001, 1001)), kind)
    picture = prepared(data)
    assert (picture.width, picture.height) == (4001, 1001)
    width, height = drawn.opened(picture.data).size
    assert width == pictures.TARGET_SIDE
    assert abs(height - width / 4) < 2
    assert drawn.alike(drawn.colours(picture.data), QUARTERS)


@pytest.mark.parametrize("marker", [b"", drawn.segment(0xEE, b"Adobe\0\x64\0\0\0\0\0")])
def test_cmyk_is_neither_inverted_nor_lost(marker: bytes) -> None:
    data = drawn.encoded(drawn.quarters(mode="CMYK"), "JPEG", quality=95)
    picture = prepared(drawn.jpeg_with(data, marker), GEMINI)
    red, green, blue, white = drawn.colours(picture.data)
    assert red[0] > 150 > max(red[1:])
    assert green[1] > 100 > max(green[0], green[2])
    assert blue[2] > 100 > max(blue[:2])
    assert min(white) > 225


def test_another_colour_space_is_converted_by_its_profile() -> None:
    for kind in ("PNG", "TIFF", "AVIF", "HEIF"):
        data = drawn.encoded(drawn.quarters(), kind, icc_profile=drawn.swapped_profile())
        red, _, blue, white = drawn.colours(prepared(data).data)
        assert red[2] > 150 > red[0], kind
        assert blue[0] > 150 > blue[2], kind
        assert min(white) > 225, kind


def test_sixteen_bits_become_eight_without_clipping() -> None:
    ramp = Image.new("I;16", (256, 64))
    ramp.putdata([x * 256 for _ in range(64) for x in range(256)])
    for kind in ("PNG", "TIFF", "JPEG2000"):
        seen = drawn.opened(prepared(drawn.encoded(ramp, kind), GEMINI).data).convert("L")
        found = [seen.getpixel((x, 32)) for x in (10, 64, 128, 192, 245)]
        assert all(abs(int(f) - x) < 6 for f, x in zip(found, (10, 64, 128, 192, 245), strict=True))  # type: ignore[arg-type]


def test_measurements_are_stretched_to_what_can_be_seen() -> None:
    ramp = Image.new("F", (256, 64))
    ramp.putdata([x / 1000 for _ in range(64) for x in range(256)])
    seen = drawn.opened(prepared(drawn.encoded(ramp, "TIFF")).data).convert("L")
    assert seen.getextrema()[0] < 10  # type: ignore[operator]
    assert seen.getextrema()[1] > 245  # type: ignore[operator]


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "ICO", "AVIF", "TIFF", "HEIF"])
@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (200, 20, 20)])
def test_a_shape_on_nothing_can_be_seen(kind: str, colour: tuple[int, ...]) -> None:
    data = drawn.encoded(drawn.shape(colour, (200, 200)), kind)
    picture = prepared(data, GEMINI)
    seen = drawn.opened(picture.data).convert("L")
    width, height = seen.size
    inside, outside = seen.getpixel((width // 2, height // 2)), seen.getpixel((2, 2))
    assert abs(int(inside) - int(outside)) > 60  # type: ignore[arg-type]
    assert "transparent background" in picture.note


def test_black_and_white_on_nothing_can_both_be_seen() -> None:
    image = drawn.shape((0, 0, 0))
    image.paste((255, 255, 255, 255), (120, 80, 200, 120))
    picture = prepared(drawn.encoded(image, "PNG"), GEMINI)
    seen = drawn.opened(picture.data).convert("L")
    outside = int(seen.getpixel((2, 2)))  # type: ignore[arg-type]
    assert 70 < outside < 190
    assert picture.note == "Its transparent background is shown in grey."


def test_an_alpha_channel_without_transparency_changes_nothing() -> None:
    picture = prepared(drawn.encoded(drawn.quarters(mode="RGBA"), "PNG"), GEMINI)
    assert picture.note == ""
    assert drawn.alike(drawn.colours(picture.data), QUARTERS)


def test_black_text_in_a_svg_logo_can_be_seen() -> None:
    data = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10">'
    data += b'<circle r="4" cx="5" cy="5"/></svg>'
    seen = drawn.opened(prepared(data).data).convert("L")
    assert seen.getpixel((5, 5)) == 255
    assert int(seen.getpixel((seen.width // 2, seen.height // 2))) < 10  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
def test_an_animation_becomes_a_contact_sheet_that_is_said_to_be_one(kind: str) -> None:
    picture = prepared(drawn.animation(kind, 4), GEMINI)
    assert picture.note == (
        "A contact sheet of 4 moments of one animation of 0.4 s, in reading order, at 0:00.0, "
        "0:00.1, 0:00.2, 0:00.3; the time of each stands on the grey strip below it."
    )
    assert (picture.width, picture.height) == (160, 100)
    assert (picture.media, picture.duration_seconds) == (Media.ANIMATION, 0.4)
    reds = [colour[0] for colour in drawn.colours(picture.data)]
    assert reds == sorted(reds)
    assert reds[0] < 20
    assert reds[3] > 180


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
def test_one_frame_is_an_image(kind: str) -> None:
    picture = prepared(drawn.encoded(drawn.quarters(), kind, save_all=True))
    assert (picture.media, picture.note) == (Media.IMAGE, "")


def test_what_a_png_shows_where_nothing_moves_is_no_moment_of_it() -> None:
    frames = [drawn.shape(colour) for colour in ((9, 9, 9), (200, 0, 0), (0, 200, 0))]
    more = {"append_images": frames[1:], "duration": 500, "default_image": True}
    picture = prepared(drawn.encoded(frames[0], "PNG", save_all=True, **more), GEMINI)
    assert (picture.media, picture.duration_seconds) == ("animation", 1.0)
    assert "2 moments" in picture.note


def test_a_frame_that_asks_for_no_time_is_shown_as_long_as_browsers_do() -> None:
    frames = [drawn.quarters(), drawn.quarters(mode="L").convert("RGB")] * 3
    data = drawn.encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=0)
    assert prepared(data).duration_seconds == 0.6


def test_a_transparent_animation_stands_on_a_background() -> None:
    frames = [drawn.shape(colour) for colour in ((250, 0, 0), (0, 0, 250))]
    data = drawn.encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    picture = prepared(data)
    assert "2 moments" in picture.note
    assert "background is shown in white" in picture.note
    assert drawn.opened(picture.data).getpixel((5, 5)) == (255, 255, 255)


def test_a_document_of_pages_says_which_one_is_shown() -> None:
    data = drawn.encoded(drawn.quarters(), "TIFF", save_all=True, append_images=[drawn.quarters()])
    assert prepared(data).note == "The first of 2 pages."


def test_the_largest_image_of_an_icon_is_taken() -> None:
    data = drawn.encoded(drawn.quarters((64, 64)), "ICO", sizes=[(16, 16), (64, 64), (32, 32)])
    picture = prepared(data)
    assert (picture.width, picture.height) == (64, 64)
    assert drawn.alike(drawn.colours(picture.data), QUARTERS)


def test_a_small_drawing_is_drawn_large() -> None:
    picture = prepared(drawn.svg(attributes='width="32" height="20" viewBox="0 0 320 200"'))
    assert (picture.width, picture.height) == (32, 20)
    assert drawn.opened(picture.data).width == pictures.TARGET_SIDE


@pytest.mark.parametrize("size", ["", 'width="320"', 'width="100%" height="100%"'])
def test_a_drawing_without_a_view_box_fills_the_picture(size: str) -> None:
    assert drawn.alike(drawn.colours(prepared(drawn.svg(attributes=size)).data), QUARTERS)


@pytest.mark.parametrize(
    ("style", "ground"),
    [
        ("background-color: rgb(220, 30, 30);", drawn.RED),
        ("color: blue; background:#dc1e1e", drawn.RED),
        ("background-color: light-dark(#dc1e1e, var(--dark, #121212))", drawn.RED),
        ("background: transparent", (255, 255, 255)),
        ("background: url(a.png)", (255, 255, 255)),
        ("background: no-colour", (255, 255, 255)),
    ],
)
def test_a_drawing_stands_on_its_own_ground(style: str, ground: tuple[int, int, int]) -> None:
    drawing = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 20" style="{style}">'
    data = drawing + '<rect width="3" height="3"/></svg>'
    assert drawn.alike(drawn.colours(prepared(data.encode()).data), [ground] * 4)


@pytest.mark.parametrize("encoding", ["windows-1251", "Shift_JIS", "UTF-16"])
def test_a_drawing_is_read_in_the_encoding_that_it_declares(encoding: str) -> None:
    declaration = f'<?xml version="1.0" encoding="{encoding}"?>\n'
    data = drawn.svg("<title>Кот</title>", before=declaration).decode().encode(encoding)
    picture = prepared(data)
    assert drawn.alike(drawn.colours(picture.data), QUARTERS)
    assert picture.embedded.title == "Кот"


@pytest.mark.parametrize(
    "inside",
    [
        '<image href="photo.jpg" width="320" height="200"/>',
        '<foreignObject width="320" height="200"><img src="photo.jpg"/></foreignObject>',
        '<symbol id="icon"><rect width="320" height="200"/></symbol>',
    ],
)
def test_a_drawing_of_which_nothing_is_seen_is_not_sent_blank(inside: str) -> None:
    data = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 200">{inside}</svg>'
    with pytest.raises(PermanentError, match="shows nothing here") as refused:
        prepared(data.encode())
    assert refused.value.reason == "unsupported_type"


def test_a_drawing_reads_no_file_and_asks_no_network(tmp_path: Any) -> None:
    stolen = tmp_path / "stolen.png"
    stolen.write_bytes(drawn.encoded(Image.new("RGB", (64, 64), (255, 0, 255)), "PNG"))
    for address in (stolen, stolen.as_uri(), "http://127.0.0.1:9/stolen.png"):
        data = drawn.svg(f'<image href="{address}" width="320" height="200"/>')
        picture = prepared(data)
        assert drawn.alike(drawn.colours(picture.data), QUARTERS)
        assert picture.note == "Not all pictures in it are shown."
    include = drawn.svg(
        f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{stolen.as_uri()}"/>'
        f'<style>@import url("{stolen.as_uri()}");</style><script>alert(1)</script>'
    )
    assert drawn.alike(drawn.colours(prepared(include).data), QUARTERS)


def test_a_picture_inside_a_drawing_is_drawn() -> None:
    inner = drawn.encoded(Image.new("RGB", (8, 8), (255, 0, 255)), "PNG")
    import base64

    address = "data:image/png;base64," + base64.b64encode(inner).decode()
    data = drawn.svg(f'<image href="{address}" width="320" height="200"/>')
    assert drawn.colours(prepared(data).data)[0][:3] != drawn.RED


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "gif", "avif", "heic", "bmp", "jpeg 2000"])
def test_half_a_file_is_refused_with_a_reason(name: str) -> None:
    data = FILES[name]
    with pytest.raises(PermanentError) as refused:
        pictures.prepare(data[: len(data) // 2], GEMINI, LIMIT)
    assert refused.value.reason in ("corrupt_image", "unsupported_type")
    assert refused.value.message.endswith(".")


def test_an_empty_file_is_said_to_be_empty() -> None:
    with pytest.raises(PermanentError) as refused:
        pictures.prepare(b"", GEMINI, LIMIT)
    assert refused.value.reason == "empty"


def test_text_is_no_image() -> None:
    with pytest.raises(PermanentError, match="Upload a JPEG") as refused:
        pictures.prepare(b"plain words and so on", GEMINI, LIMIT)
    assert refused.value.reason == "unsupported_type"


@pytest.mark.parametrize("name", [n for n in FILES if not n.startswith("svg")])
def test_the_limit_of_pixels_holds_for_a(name: str) -> None:
    with pytest.raises(PermanentError, match="CAPTION_MAX_PIXELS") as refused:
        pictures.prepare(FILES[name], GEMINI, 63_999)
    assert refused.value.reason == "too_many_pixels"


def test_the_answer_stays_within_what_a_model_takes() -> None:
    data = drawn.encoded(drawn.noise((1400, 1000)), "PNG")
    picture = prepared(data, Accepts(frozenset(), 150_000, 1024))
    assert len(picture.data) <= 150_000
    assert max(drawn.opened(picture.data).size) == 1024


def test_a_forged_size_does_not_pass() -> None:
    data = bytearray(drawn.encoded(drawn.quarters(), "JPEG"))
    at = data.find(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", 65000, 65000)
    with pytest.raises(PermanentError) as refused:
        pictures.prepare(bytes(data), GEMINI, LIMIT)
    assert refused.value.reason == "too_many_pixels"


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
@pytest.mark.parametrize("left", [0.45, 0.8, 0.97])  # within a frame
def test_an_animation_that_ends_too_early_is_refused(kind: str, left: float) -> None:
    data = drawn.encoded(
        drawn.noise((80, 60)), kind, save_all=True, append_images=[drawn.noise((80, 60))] * 5
    )
    with pytest.raises(PermanentError) as refused:
        pictures.prepare(data[: int(len(data) * left)], NOTHING, LIMIT)
    assert refused.value.reason == "corrupt_image"

"""Pillow, libheif, libjxl and PDFium: what libvips's wheel does not read, or reads slowly."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from typing import Any, cast

from functions.core.errors import PermanentError
from functions.pictures.decoding.libvips import Decoded, bounded, pyvips, shrunk
from functions.pictures.embedded_text import iptc, words
from functions.pictures.structure import cicp, heif, jxl
from functions.pictures.structure.survey import Damaged, Survey, number

# Formats in which programs leave the fourth byte of a pixel at 0: it is no transparency then.
_LOOSE_ALPHA = {"BMP", "ICO", "TGA"}


def read_heif(data: bytes, max_pixels: int, side: int) -> Decoded:
    """The primary image of a HEIF file."""
    import pillow_heif

    found = _surveyed(data)
    if found and found.coding == b"av01":  # an AVIF under HEIF's name
        return read_avif(data[:8] + b"avif" + data[12:], max_pixels, side)
    if found and found.coding not in (b"", b"hvc1", b"hev1", b"grid", b"iden", b"iovl"):
        raise PermanentError(
            "unsupported_type",
            f"The HEIF file is coded as {found.coding.decode('latin-1')}, which no decoder here "
            "knows. Save it as HEIC or JPEG.",
        )
    # libheif turns and mirrors as irot and imir say; the EXIF orientation does not count.
    file = pillow_heif.open_heif(data)
    pixels = file[file.primary_index]
    if not pixels.info.get("primary"):  # it could not be opened; the others are not the picture
        raise OSError("its main picture is damaged")
    width, height = pixels.size
    bounded(width, height, max_pixels)
    bands = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}.get(pixels.mode)
    if bands is None:
        return _from_pillow(pixels.to_pillow(), side)
    # Rows may be padded: read them as bytes, cut them to the width, fold bytes into pixels.
    rows = pyvips.Image.new_from_memory(pixels.data, pixels.stride, height, 1, "uchar")
    image = rows.crop(0, 0, width * bands, height).bandfold(factor=bands)
    image = image.copy(interpretation="srgb" if bands >= 3 else "b-w")
    image = shrunk(image, cast(bytes | None, pixels.info.get("icc_profile")), side)
    return Decoded(_by_code_points(image, found), width, height)


def read_avif(data: bytes, max_pixels: int, side: int) -> Decoded:
    picture = read(data, ("AVIF",), max_pixels, side)
    picture.image = _by_code_points(picture.image, _surveyed(data))
    return picture


def _surveyed(data: bytes) -> Survey | None:
    try:
        return heif.survey(data)
    except (Damaged, IndexError):
        return None


def _by_code_points(image: Any, found: Survey | None) -> Any:
    if found and found.cicp and not cicp.is_plain(found.cicp):
        return cicp.to_srgb(image, found.cicp)
    return image


def read(data: bytes, formats: tuple[str, ...], max_pixels: int, side: int) -> Decoded:
    """The picture that Pillow's decoder of one of these formats reads."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    with Image.open(io.BytesIO(data), formats=formats) as image:
        bounded(*image.size, max_pixels)
        return _from_pillow(image, side)


def read_psd(data: bytes, max_pixels: int, side: int) -> Decoded:
    """The flattened picture. A channel beside its colours is a saved selection, and not to be
    seen, unless the number of layers is negative ("Layer info" in Adobe's specification)."""
    from PIL import Image

    at = 26
    for _ in range(2):  # a palette, the image resources
        at += 4 + number(data, at)
    transparent = number(data, at) > 4 and number(data, at + 8, 2) >> 15
    with Image.open(io.BytesIO(data), formats=("PSD",)) as image:
        bounded(*image.size, max_pixels)
        return _from_pillow(image, side, alpha=bool(transparent))


def read_jpeg2000(data: bytes, max_pixels: int, side: int) -> Decoded:
    """JPEG 2000 stores halvings of itself; reading a half takes a quarter of time and memory."""
    from PIL import Image

    image: Any
    with Image.open(io.BytesIO(data), formats=("JPEG2000",)) as image:
        width, height = image.size
        bounded(width, height, max_pixels)
        halvings = (max(width, height) // side).bit_length() - 1
        try:
            image.reduce = max(0, halvings)
            image.load()
            picture = _from_pillow(image, side)
        except OSError:  # most likely it has fewer halvings
            if halvings < 1:
                raise
            picture = read(data, ("JPEG2000",), max_pixels, side)
    picture.width, picture.height = width, height
    picture.embedded = words.read(jxl.notes(data))
    return picture


def read_jpegxl(data: bytes, max_pixels: int, side: int) -> Decoded:
    """The plugin decodes as soon as it opens: the size is read from the header before."""
    from pillow_jxl import JpegXLImagePlugin

    JpegXLImagePlugin.DECODE_THREADS = 0
    bounded(*jxl.size(data), max_pixels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with JpegXLImagePlugin.JXLImageFile(io.BytesIO(data)) as image:
            # libjxl has turned what is not the transcoding of a JPEG.
            picture = _from_pillow(image, side, turn=bool(image.jpeg))
    picture.embedded = words.read(jxl.notes(data))
    return picture


def read_pdf(data: bytes, max_pixels: int, side: int) -> Decoded:
    """The first page of a document, on white."""
    import pypdfium2  # type: ignore[import-untyped]

    try:
        document = pypdfium2.PdfDocument(data)
        page = document[0]
    except (pypdfium2.PdfiumError, IndexError) as error:
        raise PermanentError(
            "corrupt_image",
            "The PDF cannot be opened: it is damaged, empty or protected by a password. Save its "
            "first page as an image.",
        ) from error
    width, height = page.get_size()
    scale = side / max(width, height, 1.0)
    image = page.render(scale=scale, may_draw_forms=False).to_pil().convert("RGB")
    note = f"The first page of a document of {len(document)} pages."
    if len(document) == 1:
        note = "A document of one page."
    picture = _from_pillow(image, side)
    return Decoded(picture.image, max(1, round(width)), max(1, round(height)), note)


def _from_pillow(image: Any, side: int, turn: bool = True, alpha: bool = True) -> Decoded:
    width, height = image.size
    frames = 1 if image.format == "PSD" else getattr(image, "n_frames", 1)  # PSD's are its layers
    info = image.info
    embedded = words.read(_notes(image))
    turned = image.getexif().get(0x0112, 1) if turn else 1
    loose = image.format in _LOOSE_ALPHA
    image = _eight_bits(image)
    if image.mode == "RGBA" and (not alpha or (loose and _is_unused(image.getextrema()))):
        image = image.convert("RGB")
    factor = max(width, height) // side
    if factor > 1:
        image = image.reduce(factor)
    bands = len(image.getbands())
    pixels = pyvips.Image.new_from_memory(image.tobytes(), *image.size, bands, "uchar")
    space = {1: "b-w", 3: "srgb"}.get(bands, "cmyk" if image.mode == "CMYK" else "srgb")
    pixels = pixels.copy(interpretation=space)
    if turned in range(2, 9):
        pixels.set_type(pyvips.GValue.gint_type, "orientation", turned)
    if turned >= 5:
        width, height = height, width
    note = f"The first of {frames} frames." if frames > 1 else ""
    decoded = Decoded(shrunk(pixels, info.get("icc_profile"), side), width, height, note)
    decoded.embedded = embedded
    return decoded


def _is_unused(extrema: Sequence[tuple[int, int]]) -> bool:
    """Whether the fourth byte is 0 everywhere, over colours that are to be seen."""
    return extrema[3] == (0, 0) and any(low != high for low, high in extrema[:3])


def _lab_to_srgb(image: Any) -> Any:
    from PIL import ImageCms

    lab, srgb = (ImageCms.createProfile(space) for space in ("LAB", "sRGB"))
    return ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")


def _notes(image: Any) -> Survey:
    info = image.info
    resources = getattr(image, "resources", None) or []  # a Photoshop file's
    return Survey(
        exif=(info.get("exif") or b"").removeprefix(b"Exif\0\0"),
        xmp=info.get("xmp") or b"",
        iptc=b"".join(body for number, _name, body in resources if number == iptc.RESOURCE),
    )


def _eight_bits(image: Any) -> Any:
    """The pixels in one of the modes that libvips takes."""
    if image.mode.startswith("I") or image.mode == "F":
        low, high = image.getextrema()
        # 16 bits unless they are fewer, or measurements.
        bits = max(8, int(high).bit_length())
        top = 65535 if bits in (15, 16) else 2**bits - 1
        if image.mode == "F" or low < 0 or bits > 16:
            image = image.convert("F").point(
                lambda value: value * (255 / ((high - low) or 1)) - low * 255 / ((high - low) or 1)
            )
            return image.convert("L")
        return image.point(lambda value: value * (255 / top)).convert("L")
    if image.mode == "LAB":
        return _lab_to_srgb(image)
    if "A" in image.mode or "transparency" in image.info:
        return image.convert("RGBA")
    return image if image.mode in ("L", "RGB", "CMYK") else image.convert("RGB")

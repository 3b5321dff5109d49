"""libvips: it streams, so that memory follows the width of an image and not its area.

Its wheel decodes JPEG, PNG, WebP, TIFF, GIF and SVG. The pixels that Pillow and libheif
decode take the same way from there.
"""

from __future__ import annotations

import os
import time
from typing import Any

from functions.core.document import EmbeddedText, Media
from functions.core.errors import PermanentError
from functions.pictures.decoding import svg
from functions.pictures.decoding.decoders import too_many_pixels
from functions.pictures.embedded_text import words
from functions.pictures.structure import cicp, icc, png, tiff
from functions.pictures.structure.survey import MAX_METADATA, Damaged, Survey

os.environ["VIPS_CONCURRENCY"] = "1"  # one decoder, one processor
os.environ["VIPS_DISC_THRESHOLD"] = "64g"  # in the cloud, a temporary file is memory too

import pyvips  # type: ignore[import-untyped]

__all__ = [
    "Decoded",
    "bounded",
    "draw",
    "frames",
    "notes_of",
    "pixels_of",
    "pyvips",
    "read",
    "rgba",
    "shrunk",
]

pyvips.cache_set_max(0)
pyvips.block_untrusted_set(True)
pyvips.operation_block_set("VipsForeignLoadSvg", False)
# The libheif inside the wheel does not tell its version; AVIF is Pillow's.
pyvips.operation_block_set("VipsForeignLoadHeif", True)

# A decode that lost data must never count: "truncated" lets libtiff's errors pass, and a black
# picture comes out. Strictness belongs in the option string: thumbnail_source ignores its own
# argument (libvips issue 5195).
_STRICT = "fail_on=error"
# In the place of infinity, which some programs write where there is nothing.
_LARGEST = 3.4e38
# What a drawing may take of the processor, and by the clock where that is busy: some filters cost
# far more than their pixels.
_DRAWING_SECONDS, _WAITING_SECONDS = 2.0, 4.0


class Decoded:
    """Pixels and what is known of them; ``width`` and ``height`` are upright."""

    def __init__(self, image: Any, width: int, height: int, note: str = "") -> None:
        self.image, self.width, self.height, self.note = image, width, height, note
        self.embedded = EmbeddedText()
        self.turned = False
        self.media = Media.IMAGE
        self.duration_seconds: float | None = None

    def turn(self, orientation: int) -> None:
        """Show the picture as EXIF's ``orientation`` says."""
        image = self.image.copy()
        image.set_type(pyvips.GValue.gint_type, "orientation", orientation)
        self.image = image.autorot()
        if orientation >= 5:
            self.width, self.height = self.height, self.width


def bounded(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise too_many_pixels(width, height, max_pixels)


def _opened(data: bytes, *options: str, strict: bool = True) -> Any:
    # A source reads the bytes where they are; the buffer loaders copy them first.
    source = pyvips.Source.new_from_memory(data)
    return pyvips.Image.new_from_source(
        source, _loader(*options, strict=strict), access="sequential"
    )


def _loader(*options: str, strict: bool = True) -> str:
    return f"[{','.join([_STRICT] * strict + [each for each in options if each])}]"


def _field(image: Any, name: str) -> Any:
    return image.get(name) if image.get_typeof(name) else None


def read(data: bytes, kind: str, max_pixels: int, side: int) -> Decoded:
    """The picture in ``data``. Raises pyvips.Error where any of it cannot be read.

    A JPEG may lack its end marker alone: with one put there, all of it must be read without a
    warning, which is what libjpeg gives where pixels are missing.
    """
    try:
        return _read(data, kind, max_pixels, side)
    except pyvips.Error as error:
        if kind != "image/jpeg" or "premature end" not in str(error):
            raise
    return _read(data + b"\xff\xd9", kind, max_pixels, side, "fail_on=warning")


def _read(data: bytes, kind: str, max_pixels: int, side: int, where: str = "") -> Decoded:
    pages, bands = 1, 0
    if kind == "image/tiff" and (directories := tiff.directories(data)):
        directory = tiff.main(directories)
        if directory.needs_libtiff_colours:
            raise pyvips.Error("YCbCr that is not in a JPEG")
        pages = max(1, sum(each.whole and each.sub < 0 for each in directories))
        bands = directory.shown_bands
        where = f"page={directory.page}"
        where += f",subifd={directory.sub}" if directory.sub >= 0 else ""
    header = _opened(data, where, strict=False)
    width, height = header.width, header.height
    bounded(width, height, max_pixels)
    turned = _field(header, "orientation") or 1
    if turned >= 5:
        width, height = height, width
    image = _still(data, kind, header, where, side, bands)
    if bands and header.hasalpha() and one_colour(image):
        # A shape in one colour, with a transparency that is not said to be one.
        image = _still(data, kind, header, where, side)
    picture = Decoded(image, width, height)
    picture.turned = turned > 1
    if pages > 1:
        picture.note = f"The first of {pages} pages."
    picture.embedded = words.read(_notes(data, kind, header))
    return picture


def frames(data: bytes) -> int:
    """How many pictures a file holds, as far as its structure can be read."""
    try:
        return int(_opened(data, strict=False).get_n_pages())
    except pyvips.Error:
        return 1


def notes_of(data: bytes, kind: str) -> EmbeddedText:
    """What people wrote into a file that is not read here."""
    return words.read(_notes(data, kind, None))


def one_colour(image: Any) -> bool:
    return all(image[band].min() == image[band].max() for band in range(image.bands))


def _still(data: bytes, kind: str, header: Any, where: str, side: int, bands: int = 0) -> Any:
    if header.interpretation not in ("lab", "labs") and header.format not in ("uchar", "ushort"):
        return _stretched(_opened(data, where), side)
    found = _chunks(data) if kind == "image/png" else Survey()
    plain = not (found.cicp or found.gamma or header.format == "ushort" or _foreign(header))
    if plain and not bands:
        return _thumbnail(data, side, where)
    image = _small(data, header, where, side, bands)
    if found.cicp:
        return cicp.to_srgb(image, found.cicp).autorot()
    if found.gamma:
        return cicp.with_gamma(image, found.gamma).autorot()
    return _to_srgb(image).autorot()


def _chunks(data: bytes) -> Survey:
    try:
        return png.survey(data)
    except Damaged:
        return Survey()


def _notes(data: bytes, kind: str, header: Any) -> Survey:
    """The metadata of formats whose structure is not surveyed."""
    if kind == "image/tiff":
        classic = data[2:3] == b"*" or data[3:4] == b"*"
        return Survey(
            # A TIFF file is built like EXIF; only the first directory's texts are read from it.
            exif=data if classic else b"",
            xmp=_field(header, "xmp-data") or b"",
            iptc=_field(header, "iptc-data") or b"",
        )
    if kind == "image/gif":
        # XMP specification part 3: the packet as it is, then 258 bytes that end all blocks.
        start = data.find(b"\x0bXMP DataXMP") + 12
        end = data.find(b"\x01\xff\xfe\xfd", start, start + MAX_METADATA)
        return Survey(xmp=data[start:end] if start > 12 and end > 0 else b"")
    return Survey()


def _foreign(image: Any) -> bool:
    """Whether colours must be converted to be sRGB's."""
    profile = _field(image, "icc-profile-data")
    if image.interpretation in ("cmyk", "lab", "labs"):
        return True
    return profile is not None and not icc.is_srgb(profile)


def _thumbnail(data: bytes, side: int, where: str) -> Any:
    image = pyvips.Image.thumbnail_source(
        pyvips.Source.new_from_memory(data),
        side,
        height=side,
        size="down",
        option_string=_loader(where),
    )
    return image.copy_memory()


def _small(data: bytes, header: Any, where: str, side: int, bands: int) -> Any:
    """Scaled first and converted then: a thumbnail would convert every pixel of the file. Of
    ``bands``, the first ones only."""
    shrink = ""
    if header.get("vips-loader").startswith("jpegload"):
        # libjpeg halves while it decodes (ITU-T T.81 leaves that to decoders).
        halvings = max(header.width, header.height) // side
        shrink = f"shrink={next(n for n in (8, 4, 2, 1) if n <= max(1, halvings))}"
    image = _opened(data, where, shrink)
    return _scaled(image[:bands] if bands else image, side).copy_memory()


def _scaled(image: Any, side: int) -> Any:
    if image.interpretation == "labs":
        image = image[:3]
    scale = side / max(image.width, image.height)
    if scale >= 1:
        return image
    if not image.hasalpha():
        return image.resize(scale)
    shape = image.format
    return image.premultiply().resize(scale).unpremultiply().cast(shape)


def _to_srgb(image: Any) -> Any:
    if image.interpretation in ("lab", "labs"):
        return image.colourspace("srgb")
    if _foreign(image):
        try:
            fallback = {"input_profile": "cmyk"} if image.interpretation == "cmyk" else {}
            image = image.icc_transform("srgb", embedded=True, **fallback)
        except pyvips.Error:  # a profile for other colours than the image has, or a broken one
            pass
    elif image.format == "ushort":
        image = _lifted(image)
    if image.format == "ushort" and image.interpretation != "cmyk":
        grey = image.bands < 3
        image = image.copy(interpretation="grey16" if grey else "rgb16")
        return image.colourspace("b-w" if grey else "srgb")
    return image if image.interpretation in ("srgb", "b-w") else image.colourspace("srgb")


def _lifted(image: Any) -> Any:
    """10, 12 or 14 bits that stand in 16 would be nearly black: bring them up to 16."""
    colours = image[: image.bands - 1] if image.hasalpha() else image
    # A sixteenth less: scaling overshoots at edges.
    bits = max(8, (int(colours.max()) * 15 // 16).bit_length())
    if bits > 14:
        return image
    lifted = (colours * (65535 / (2**bits - 1))).cast("ushort")
    return lifted.bandjoin(image[image.bands - 1]) if image.hasalpha() else lifted


def _stretched(image: Any, side: int) -> Any:
    """Measurements (float, 32 bits, signed): from the smallest to the largest value. Colours that
    have their usual range keep it."""
    shape, colours = image.format, image.bands >= 3
    # Of measurements some are taken: their mean with a number for "no data" would be a third thing.
    kernel = "lanczos3" if colours else "nearest"
    scale = min(1.0, side / max(image.width, image.height))
    image = image.resize(scale, kernel=kernel).copy_memory().autorot()
    image = (image.abs() > _LARGEST).ifthenelse(image.sign() * _LARGEST, image)
    turned = image[:3] if colours else image[0]
    low, high = _span(turned)
    if shape in ("char", "short") and colours and low < 0:
        low, high = (-128, 127) if shape == "char" else (-32768, 32767)
    elif shape == "uint" and colours and high > 1 << 28:
        low, high = 0, (1 << 32) - 1
    elif colours and low > -0.05 and 0.05 < high < 1.05:
        low, high = 0.0, 1.0
    elif colours and low >= 0:
        low = 0.0
    turned = (turned - low) * (255 / (high - low) if high > low else 0)
    return turned.cast("uchar").copy(interpretation="srgb" if colours else "b-w")


def _span(image: Any) -> tuple[float, float]:
    """The smallest and the largest value, but for the few (1 in 200) that lie far from all
    others: "no data" is written as a number too."""
    low, high = _without_no_data(image, image.min(), image.max())
    for _ in range(16):  # a float's range, 10,000-fold at a time
        if not 0 < high - low < float("inf"):
            break
        step = (high - low) / 65535
        scaled = ((image.bandmean() - low) / step).cast("ushort")
        bottom, top = scaled.percent(0.5) - 1, scaled.percent(99.5) + 1
        # The ends are kept exactly: at 1e38 a step is rounded by more than all measurements.
        less = low + bottom * step if bottom > 0 else low
        most = low + top * step if top < 65535 else high
        if most - less > (high - low) / 3:
            break
        low, high = less, most
    return low, high


def _without_no_data(image: Any, low: float, high: float) -> tuple[float, float]:
    """The smallest and the largest value without one that many have exactly and that lies far from
    all others. What is white on a usual scale is no such one."""
    if low == 0 and high in (1, 255, 65535):
        return low, high
    for _ in range(4):  # there may be one at each end, and one for what lies outside of the map
        third = (high - low) / 3
        if not 0 < third < float("inf"):
            break
        upper, lower = image > high - third, image < low + third
        if _share(image == low) + _share(upper) > 0.98:
            second = upper.ifthenelse(image, high).min()
            if second < high:
                low = second
                continue
        if _share(image == high) + _share(lower) > 0.98:
            second = lower.ifthenelse(image, low).max()
            if second > low:
                high = second
                continue
        break
    return low, high


def _share(mask: Any) -> float:
    return float(mask.avg()) / 255


def rgba(image: Any) -> Any:
    if image.bands < 3:
        image = image.colourspace("srgb")
    return image if image.hasalpha() else image.addalpha()


def draw(data: bytes, side: int) -> Decoded:
    """The drawing, enlarged to ``side`` where its filters allow that in time."""
    drawing = svg.checked(svg.plain(data))
    data = drawing.data
    header = pyvips.Image.svgload_source(pyvips.Source.new_from_memory(data))
    # librsvg enlarges a drawing without a viewBox only if its size is given in pixels.
    size = f":root{{width:{header.width}px!important;height:{header.height}px!important}}"
    image = _enlarged(data, size, min(side / max(header.width, header.height), 1000.0))
    if image[3].max() == 0:
        raise PermanentError(
            "unsupported_type",
            "The SVG shows nothing here: what is to be seen lies in other files, is a picture in "
            "it that is no PNG and no JPEG, or is drawn by a script. Upload it as a PNG.",
        )
    picture = Decoded(_grounded(image, drawing.ground), header.width, header.height, drawing.note)
    picture.embedded = drawing.embedded
    return picture


def _grounded(image: Any, colour: str) -> Any:
    """The drawing on the ground that its root asks for: librsvg draws none."""
    svg_of_one = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1" fill="none">'
        f'<rect width="1" height="1" fill="{colour}"/></svg>'
    )
    *ground, alpha = _drawn(svg_of_one.encode(), "", 1.0)(0, 0) if colour else (0, 0)
    return image.flatten(background=ground) if alpha == 255 else image


def _enlarged(data: bytes, size: str, target: float) -> Any:
    """The drawing at ``target`` times its own size, or as near to that as time allows."""
    scale = min(1.0, target)
    while True:
        worked, waited = time.process_time(), time.monotonic()
        image = _drawn(data, size, scale)
        worked, waited = time.process_time() - worked, time.monotonic() - waited
        share = max(worked / _DRAWING_SECONDS, waited / _WAITING_SECONDS, 1e-6)
        # A blur's cost grows with its radius too: the third power of the scale.
        step = min(4.0, share ** (-1 / 3))
        if scale >= target or step < 1.1:
            return image
        scale = min(target, scale * step)


def _drawn(data: bytes, size: str, scale: float) -> Any:
    source = pyvips.Source.new_from_memory(data)
    return pyvips.Image.svgload_source(source, scale=scale, stylesheet=size).copy_memory()


def pixels_of(image: Any) -> Any:
    """The pixels of a Pillow image in RGB or RGBA."""
    made = pyvips.Image.new_from_memory(image.tobytes(), *image.size, len(image.mode), "uchar")
    return made.copy(interpretation="srgb")


def shrunk(image: Any, profile: bytes | None, side: int) -> Any:
    """Pixels that another library has decoded, scaled and in sRGB."""
    if profile:
        image = image.copy()
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    image = image.thumbnail_image(side, height=side, size="down").copy_memory()
    return _to_srgb(image)

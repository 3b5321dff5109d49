"""Image files for the tests, drawn by our own code. What must not leave says SECRET."""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from functools import cache
from typing import Any

import pillow_heif
from PIL import Image, ImageCms, ImageDraw, PngImagePlugin

SECRET = b"SECRET"
RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 160, 30), (30, 30, 200), (250, 250, 250)


def quarters(size: tuple[int, int] = (320, 200), mode: str = "RGB") -> Image.Image:
    """Red, green / blue, white: no turn or mirror image of it looks the same."""
    image = Image.new("RGB", size, WHITE)
    draw = ImageDraw.Draw(image)
    half = size[0] // 2, size[1] // 2
    draw.rectangle((0, 0, half[0] - 1, half[1] - 1), RED)
    draw.rectangle((half[0], 0, size[0], half[1] - 1), GREEN)
    draw.rectangle((0, half[1], half[0] - 1, size[1]), BLUE)
    return image.quantize(8) if mode == "P" else image.convert(mode)


def noise(size: tuple[int, int]) -> Image.Image:
    """Something with as much detail as a photo has."""
    small = Image.effect_noise((max(1, size[0] // 4), max(1, size[1] // 4)), 70)
    grey = small.resize(size, Image.Resampling.BILINEAR)
    flipped = grey.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return Image.merge("RGB", (grey, flipped, grey.transpose(Image.Transpose.FLIP_TOP_BOTTOM)))


# Files need not be small: a fifth of the time.
_QUICKLY: dict[str, dict[str, Any]] = {
    "AVIF": {"speed": 10},
    "HEIF": {"enc_params": {"preset": "ultrafast"}},
}


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The file that Pillow makes of an image; ``kind`` is Pillow's name of the format."""
    if kind == "HEIF":
        pillow_heif.register_heif_opener()
    target = io.BytesIO()
    image.save(target, kind, **_QUICKLY.get(kind, {}), **options)
    return target.getvalue()


def opened(data: bytes) -> Image.Image:
    """What Pillow sees in a file."""
    if data[4:8] == b"ftyp":
        pillow_heif.register_heif_opener()
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def colours(data: bytes) -> list[tuple[int, ...]]:
    """The colours in the middle of the four quarters, in reading order."""
    image = opened(data).convert("RGB")
    width, height = image.size
    return [
        image.getpixel((int(width * x), int(height * y)))  # type: ignore[misc]
        for y in (0.25, 0.75)
        for x in (0.25, 0.75)
    ]


def alike(
    found: Sequence[tuple[int, ...]], wanted: Sequence[tuple[int, ...]], by: int = 24
) -> bool:
    """Whether colours are the same to the eye."""
    return all(
        abs(one - other) <= by
        for left, right in zip(found, wanted, strict=True)
        for one, other in zip(left, right, strict=True)
    )


def exif(orientation: int = 0, description: str = "") -> bytes:
    """Camera data with a place in it."""
    data = Image.Exif()
    data[0x010F] = "SECRET camera"
    if orientation:
        data[0x0112] = orientation
    if description:
        data[0x010E] = description
    data[0x8825] = {1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0), 29: "SECRET"}
    return data.tobytes()


def xmp(inner: str = "", attributes: str = "") -> bytes:
    """An XMP packet; ``inner`` and ``attributes`` go into its description."""
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:exif="http://ns.adobe.com/exif/1.0/"
 xmlns:Iptc4xmpCore="http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
 exif:GPSLatitude="52,31.2N" exif:GPSMapDatum="SECRET" {attributes}>{inner}</rdf:Description>
</rdf:RDF></x:xmpmeta><?xpacket end="w"?>""".encode()


def alternatives(name: str, **texts: str) -> str:
    """A language alternative; ``x_default`` and ``de_DE`` are written with hyphens."""
    items = "".join(
        f'<rdf:li xml:lang="{lang.replace("_", "-")}">{text}</rdf:li>'
        for lang, text in texts.items()
    )
    return f"<{name}><rdf:Alt>{items}</rdf:Alt></{name}>"


def iptc(datasets: dict[tuple[int, int], bytes]) -> bytes:
    """IPTC-IIM datasets in Photoshop's segment."""
    body = b"".join(
        bytes([0x1C, record, dataset]) + len(value).to_bytes(2, "big") + value
        for (record, dataset), value in datasets.items()
    )
    block = b"8BIM\x04\x04\0\0" + len(body).to_bytes(4, "big") + body + b"\0" * (len(body) % 2)
    other = b"8BIM\x04\x0f\x03abc\0\0\0\x03xyz\0"
    return b"Photoshop 3.0\0" + other + block


def segment(marker: int, body: bytes) -> bytes:
    """One JPEG segment."""
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body


def jpeg_with(data: bytes, *segments: bytes) -> bytes:
    """A JPEG with segments behind its start marker."""
    return data[:2] + b"".join(segments) + data[2:]


def jpeg_full_of_secrets(size: tuple[int, int] = (320, 200), **options: Any) -> bytes:
    """A photo as phones and programs write it, with all that can be in it."""
    plain = encoded(
        quarters(size), "JPEG", quality=92, **{"exif": exif(), "icc_profile": SRGB} | options
    )
    full = jpeg_with(
        plain,
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp()),
        segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0SECRET"),
        segment(0xE2, b"FPXR\0SECRET"),
        segment(0xED, iptc({(1, 90): b"\x1b%G", (2, 90): b"SECRET City"})),
        segment(0xEB, b"HDR_RI SECRET"),
        segment(0xFE, b"SECRET comment"),
    )
    second = encoded(quarters((32, 20)), "JPEG", comment=b"SECRET in a second picture")
    return full + second + b"ftypmp42SECRET video"


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def swapped_profile() -> bytes:
    """A matrix profile whose red is sRGB's blue: who ignores it shows wrong colours."""
    profile = SRGB.replace(b"s\0R\0G\0B", b"s\0w\0a\0p").replace(b"sRGB", b"swap")
    return profile.replace(b"rXYZ", b"tmp0").replace(b"bXYZ", b"rXYZ").replace(b"tmp0", b"bXYZ")


def chunk(kind: bytes, body: bytes) -> bytes:
    """One PNG chunk."""
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")


def png_with(data: bytes, *chunks: bytes) -> bytes:
    """A PNG with chunks behind its header."""
    return data[:33] + b"".join(chunks) + data[33:]


def png_full_of_secrets(size: tuple[int, int] = (320, 200)) -> bytes:
    """A PNG with text in all forms, EXIF, a time and a private chunk."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "SECRET")
    info.add_text("Author", "SECRET", zip=True)
    info.add_itxt("XML:com.adobe.xmp", xmp().decode())
    data = encoded(quarters(size), "PNG", pnginfo=info, exif=exif(), icc_profile=SRGB)
    return png_with(data, chunk(b"tIME", b"\x07\xe3\1\2\3\4\5"), chunk(b"prVt", SECRET)) + SECRET


def webp_full_of_secrets(size: tuple[int, int] = (320, 200), **options: Any) -> bytes:
    """A WebP with EXIF and XMP."""
    return encoded(quarters(size), "WEBP", exif=exif(), xmp=xmp(), **options) + SECRET


@cache
def heic(size: tuple[int, int] = (320, 200), orientation: int = 0, xmp_too: bool = True) -> bytes:
    """A HEIC as phones write it."""
    options = {"xmp": xmp()} if xmp_too else {}
    return encoded(quarters(size), "HEIF", quality=90, exif=exif(orientation), **options)


def animation(kind: str, frames: int = 8, size: tuple[int, int] = (160, 100)) -> bytes:
    """Frames that go from black to red."""
    pictures = [
        Image.new("RGB", size, (255 * i // max(1, frames - 1), 0, 0)) for i in range(frames)
    ]
    more = {"lossless": True} if kind == "WEBP" else {}
    return encoded(
        pictures[0], kind, save_all=True, append_images=pictures[1:], duration=100, **more
    )


def shape(colour: tuple[int, ...], size: tuple[int, int] = (320, 200)) -> Image.Image:
    """One opaque shape on nothing."""
    image = Image.new("RGBA", size, (*colour[:3], 0))
    box = (size[0] // 4, size[1] // 4, size[0] * 3 // 4, size[1] * 3 // 4)
    ImageDraw.Draw(image).rectangle(box, (*colour[:3], 255))
    return image


def svg(inner: str = "", attributes: str = 'width="320" height="200"', before: str = "") -> bytes:
    """The four quarters as a drawing."""
    return f"""{before}<svg xmlns="http://www.w3.org/2000/svg" {attributes}
 xmlns:xlink="http://www.w3.org/1999/xlink"><rect width="320" height="200" fill="#fafafa"/>
<rect width="160" height="100" fill="#dc1e1e"/><rect x="160" width="160" height="100"
 fill="#1ea01e"/><rect y="100" width="160" height="100" fill="#1e1ec8"/>{inner}</svg>""".encode()


def flat_png(side: int) -> bytes:
    """A black PNG of side x side pixels in a few hundred kilobytes."""
    header = side.to_bytes(4, "big") * 2 + b"\x08\2\0\0\0"
    row = bytes(1 + 3 * side)
    # each row is packed as the first one is, and by itself
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = packer.compress(row) + packer.flush(zlib.Z_FULL_FLUSH)
    checked = 1
    for _ in range(side):
        checked = zlib.adler32(row, checked)
    body = b"\x78\x9c" + packed * side + packer.flush() + checked.to_bytes(4, "big")
    chunks = chunk(b"IHDR", header), chunk(b"IDAT", body), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def flat_jpeg(side: int, progressive: bool = False) -> bytes:
    """A small flat JPEG whose header says side x side; its turn makes it need decoding."""
    data = bytearray(encoded(Image.new("RGB", (64, 64)), "JPEG", progressive=progressive))
    at = data.find(b"\xff\xc2" if progressive else b"\xff\xc0")
    data[at + 5 : at + 9] = side.to_bytes(2, "big") * 2
    return jpeg_with(bytes(data), segment(0xE1, b"Exif\0\0" + exif(6)))

"""What people wrote into a file is read, in the right encoding; what machines wrote is not."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable

import pytest

from functions import pictures
from functions.core.document import Accepts, EmbeddedText
from tests.support import crafted, drawn

GEMINI = Accepts(
    frozenset({"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"}), 15 << 20, 8192
)
JPEG = drawn.encoded(drawn.quarters((32, 20)), "JPEG")
PNG = drawn.encoded(drawn.quarters((32, 20)), "PNG")
BRIDGE = "Żółta łódź pod mostem – 橋の下の黄色いボート"


def read(data: bytes) -> EmbeddedText:
    return pictures.prepare(data, GEMINI, 10_000_000).embedded


def with_xmp(inner: str, attributes: str = "") -> bytes:
    packet = b"http://ns.adobe.com/xap/1.0/\0" + drawn.xmp(inner, attributes)
    return drawn.jpeg_with(JPEG, drawn.segment(0xE1, packet))


def with_iptc(datasets: dict[tuple[int, int], bytes]) -> bytes:
    return drawn.jpeg_with(JPEG, drawn.segment(0xED, drawn.iptc(datasets)))


def with_description(text: str | bytes) -> bytes:
    return drawn.encoded(drawn.quarters((32, 20)), "JPEG", exif=drawn.exif(0, text))  # type: ignore[arg-type]


def test_a_file_without_words_has_none() -> None:
    assert read(JPEG) == EmbeddedText()


def test_the_accessibility_fields_of_iptc_are_read_from_xmp() -> None:
    inner = drawn.alternatives("Iptc4xmpCore:AltTextAccessibility", x_default=BRIDGE)
    inner += drawn.alternatives(
        "Iptc4xmpCore:ExtDescrAccessibility", x_default="All of it, at length"
    )
    assert read(with_xmp(inner)) == EmbeddedText(BRIDGE, "All of it, at length")


def test_the_default_language_wins_and_is_named() -> None:
    inner = drawn.alternatives(
        "dc:description", de_DE="Ein Boot", x_default="A boat", en_GB="A boat", fr="Un bateau"
    )
    found = read(with_xmp(inner + drawn.alternatives("dc:title", fr="Le bateau", en="The boat")))
    assert found == EmbeddedText(caption="A boat", title="The boat", language="en-GB")


def test_texts_of_several_languages_are_not_told_as_one() -> None:
    inner = drawn.alternatives("Iptc4xmpCore:AltTextAccessibility", en="A boat")
    inner += drawn.alternatives("dc:description", de="Ein Boot unter einer Brücke")
    inner += drawn.alternatives("dc:title", fr="Le bateau")
    assert read(with_xmp(inner)) == EmbeddedText("A boat", "", "", "en")
    inner = drawn.alternatives("dc:description", x_default="A boat")
    inner += drawn.alternatives("dc:title", fr="Le bateau")
    assert read(with_xmp(inner)).language == ""


def test_a_language_of_iptc_is_read() -> None:
    assert read(with_iptc({(2, 120): b"Ein Boot", (2, 135): b"de"})).language == "de"


def test_properties_written_as_attributes_are_read() -> None:
    found = read(with_xmp("", 'dc:description="A boat" Iptc4xmpCore:AltTextAccessibility="Boat!"'))
    assert (found.alt_text, found.caption) == ("Boat!", "A boat")


def test_iptc_says_which_encoding_it_has() -> None:
    text = {(2, 120): BRIDGE.encode(), (2, 105): "Łódź".encode()}
    assert read(with_iptc({(1, 90): b"\x1b%G", **text})) == EmbeddedText("", BRIDGE, "Łódź")


def test_a_character_cut_in_two_does_not_spoil_the_others() -> None:
    cut = "Łódź pod mosteń".encode()[:-1]
    assert read(with_iptc({(1, 90): b"\x1b%G", (2, 120): cut})).caption == "Łódź pod moste"


def test_iptc_that_says_nothing_is_utf_8_or_latin_1() -> None:
    assert read(with_iptc({(2, 120): "Café in Köln".encode("latin-1")})).caption == "Café in Köln"
    assert read(with_iptc({(2, 120): "Café in Köln".encode()})).caption == "Café in Köln"
    assert read(with_iptc({(2, 120): "“Quoted” – so".encode("cp1252")})).caption == "“Quoted” – so"


def test_exif_descriptions_are_read_in_both_byte_orders() -> None:
    little = with_description("A yellow boat")
    assert read(little).caption == "A yellow boat"
    body = b"MM\0*\0\0\0\x08\0\1\x01\x0e\0\2\0\0\0\x0e\0\0\0\x1a\0\0\0\0A yellow boat\0"
    big = drawn.jpeg_with(JPEG, drawn.segment(0xE1, b"Exif\0\0" + body))
    assert read(big).caption == "A yellow boat"


def test_what_windows_writes_is_utf_16() -> None:
    text = BRIDGE.encode("utf-16-le") + b"\0\0"
    entry = b"\x9b\x9c\1\0" + len(text).to_bytes(4, "little") + b"\x1a\0\0\0"
    body = b"II*\0\x08\0\0\0\1\0" + entry + b"\0\0\0\0" + text
    found = read(drawn.jpeg_with(JPEG, drawn.segment(0xE1, b"Exif\0\0" + body)))
    assert found.title == BRIDGE


@pytest.mark.parametrize(
    "chunk",
    [
        drawn.chunk(b"tEXt", b"Description\0Caf\xe9"),
        drawn.chunk(b"zTXt", b"Description\0\0" + zlib.compress(b"Caf\xe9")),
        drawn.chunk(b"iTXt", b"Description\0\0\0fr\0\0" + "Café".encode()),
        drawn.chunk(b"iTXt", b"Description\0\1\0fr\0\0" + zlib.compress("Café".encode())),
    ],
    ids=["text", "packed text", "unicode", "packed unicode"],
)
def test_png_keywords_are_read_in_all_forms(chunk: bytes) -> None:
    assert read(drawn.png_with(PNG, chunk)).caption == "Café"


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "HEIF", "AVIF", "TIFF", "GIF"])
def test_xmp_is_read_from(kind: str) -> None:
    packet = drawn.xmp(drawn.alternatives("dc:description", x_default=BRIDGE))
    if kind == "PNG":
        data = drawn.png_with(PNG, drawn.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet))
    elif kind == "GIF":
        block = b"\x21\xff\x0bXMP DataXMP" + packet + b"\1" + bytes(range(255, -1, -1)) + b"\0"
        data = drawn.encoded(drawn.quarters((64, 64)), "GIF")[:-1] + block + b";"
    elif kind == "TIFF":
        data = drawn.encoded(drawn.quarters((32, 20)), "TIFF", tiffinfo={700: packet})
    else:
        data = drawn.encoded(drawn.quarters((64, 64)), kind, xmp=packet)
    assert read(data).caption == BRIDGE


def test_tiff_descriptions_are_read() -> None:
    data = drawn.encoded(drawn.quarters((32, 20)), "TIFF", tiffinfo={270: "A yellow boat"})
    assert read(data).caption == "A yellow boat"


def test_a_drawing_names_itself() -> None:
    data = drawn.svg(
        "<title>Logo of Boats &amp; Sons</title><desc>A boat\n under a bridge</desc>",
        attributes='width="320" height="200" aria-label="Boats and Sons"',
    )
    assert read(data) == EmbeddedText(
        "Boats and Sons", "A boat under a bridge", "Logo of Boats & Sons"
    )


@pytest.mark.parametrize(
    "text",
    [
        "SANYO DIGITAL CAMERA",
        "MINOLTA DIGITAL CAMERA",
        "PENTAX Image",
        "DCF 1.0",
        "Exif JPEG",
        "Exif_JPEG_T422",
        "dav",
        "cof_norm",
        "oznorCO",
        "ImageJ=1.53t\nimages=3\nslices=3\nunit=micron\n",
        '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/">',
        '{"shape": [3, 200, 320]}',
        "[[0, 1], [2, 3]]",
        '{"prompt": {"3": {"class_type": "KSampler"}}}',
        "CREATOR: gd-jpeg v1.0 (using IJG JPEG v62), quality = 90",
        "LEAD Technologies Inc. V1.01",
        "Adobe Photoshop CS6 (Windows)",
        "AppleMark",
        "Lavc58.54.100",
        "Matplotlib version3.8.2, https://matplotlib.org/",
        "Microsoft Word - report.docx",
        "PowerPoint Presentation",
        "Slide 12",
        "Created with Blender 4.1",
        "https://example.com/photo.jpg",
        "C:\\Users\\me\\photo.bmp",
        "2024:01:01 12:00:00",
        "d41d8cd98f00b204e9800998ecf8427e",
        "OLYMPUS DIGITAL CAMERA",
        "SONY DSC",
        "KODAK Digital Still Camera",
        "SAMSUNG CAMERA PICTURES",
        "Exif_JPEG_PICTURE",
        "Default",
        "Untitled-1",
        "DCIM100MEDIADJI_0012.JPG",
        "DSC_0042.JPG",
        "IMG_20240101_120000",
        "<Digimax>",
        "Screenshot",
        "Created with GIMP",
        "   \0\0  ",
        "---",
        "12345",
    ],
)
def test_what_cameras_and_programs_write_is_ignored(text: str) -> None:
    assert read(with_description(text)).caption == ""
    assert read(with_iptc({(2, 120): text.encode()})).caption == ""


@pytest.mark.parametrize(
    "text",
    [
        "Digital camera on a desk",
        "Image of a boat",
        "Bild",
        "雪",
        "My Sony camera",
        "Version of a boat",
        "North sea",
        "Norma at the harbour",
        "Adobe houses in Taos",
        "Matlab workshop in May",
        "Paint on a wall",
        "Slide in a park",
        "E = mc²",
        "1984 Olympics",
        "Picasa at work",
        "[Untitled] by Ana",
        "Exifs and boats",
    ],
)
def test_short_words_of_people_are_kept(text: str) -> None:
    assert read(with_iptc({(2, 120): text.encode()})).caption == text


def test_words_lose_control_characters_and_overlength() -> None:
    said = b"A\x07 boat\r\n\tand\x1b[31m more"
    assert read(with_iptc({(2, 120): said})).caption == "A boat and more"
    assert read(with_iptc({(2, 120): "a\u202eb\u2066c".encode()})).caption == "abc"
    assert len(read(with_iptc({(2, 120): b"boat " * 5000})).caption) <= 2000


def test_boilerplate_does_not_hide_the_words_behind_it() -> None:
    data = drawn.jpeg_with(
        with_description("OLYMPUS DIGITAL CAMERA"),
        drawn.segment(0xED, drawn.iptc({(2, 120): b"A yellow boat"})),
    )
    assert read(data).caption == "A yellow boat"


def test_words_of_ingredients_and_regions_are_not_the_pictures() -> None:
    inner = """<xmpMM:Pantry xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/"><rdf:Bag><rdf:li>
    <rdf:Description dc:title="Another picture"><dc:description>Another one</dc:description>
    </rdf:Description></rdf:li></rdf:Bag></xmpMM:Pantry><Ext:ImageRegion
    xmlns:Ext="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"><rdf:Bag><rdf:li
    rdf:parseType="Resource"><dc:description><rdf:Alt><rdf:li xml:lang="x-default">A
    face</rdf:li></rdf:Alt></dc:description></rdf:li></rdf:Bag></Ext:ImageRegion>"""
    assert read(with_xmp(inner)) == EmbeddedText()
    own = drawn.alternatives("dc:description", x_default="A boat")
    assert read(with_xmp(inner + own)).caption == "A boat"
    assert read(with_xmp(own + inner)).caption == "A boat"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda packet: packet.replace(b"SECRET", b"Tom & Jerry"),
        lambda packet: packet.replace(b"SECRET", b"\x07"),
        lambda packet: packet.replace(b"SECRET", b"\xff\xfe"),
        lambda packet: packet.replace(b"</rdf:RDF>", b"</rdf:Alt>"),
        lambda packet: packet[: packet.find(b"</rdf:Description>")],
        lambda packet: packet.replace(b"xmlns:dc=", b"xmlns:other="),
        lambda packet: b"\x00\x01junk" + packet + b"junk behind <",
        lambda packet: packet.replace(b"<x:xmpmeta", b'<?xml version="1.0"?><x:xmpmeta'),
        lambda packet: b'<?xml version="1.0" encoding="nonsense"?>' + packet,
    ],
)
def test_an_error_in_the_xml_does_not_cost_the_words(spoil: Callable[[bytes], bytes]) -> None:
    packet = spoil(drawn.xmp(drawn.alternatives("dc:description", x_default="A yellow boat")))
    data = drawn.jpeg_with(JPEG, drawn.segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet))
    assert read(data).caption == "A yellow boat"


@pytest.mark.parametrize("signature", [b"8BIM", b"PHUT", b"AgHg", b"DCSR", b"MeSa"])
def test_iptc_is_read_behind_each_of_photoshops_signatures(signature: bytes) -> None:
    block = drawn.iptc({(2, 120): b"A boat"}).replace(b"8BIM", signature)
    assert read(drawn.jpeg_with(JPEG, drawn.segment(0xED, block))).caption == "A boat"


def test_exifs_type_for_utf_8_is_read() -> None:
    text = BRIDGE.encode() + b"\0"
    entry = b"\x0e\x01\x81\0" + len(text).to_bytes(4, "little") + b"\x1a\0\0\0"
    body = b"II*\0\x08\0\0\0\1\0" + entry + b"\0\0\0\0" + text
    found = read(drawn.jpeg_with(JPEG, drawn.segment(0xE1, b"Exif\0\0" + body)))
    assert found.caption == BRIDGE


@pytest.mark.parametrize("form", [b"tEXt", b"zTXt"])
@pytest.mark.parametrize("name", [b"iptc", b"8bim"])
def test_the_profiles_that_imagemagick_writes_into_a_png_are_read(name: bytes, form: bytes) -> None:
    block = drawn.iptc({(2, 120): BRIDGE.encode()}).removeprefix(b"Photoshop 3.0\0")
    body = block[block.find(b"\x1c\x02") :] if name == b"iptc" else block
    digits = body.hex().encode()
    lines = b"\n".join(digits[i : i + 72] for i in range(0, len(digits), 72))
    text = b"\n" + name + b"\n" + b"%8d" % len(body) + b"\n" + lines + b"\n"
    packed = b"\0" + zlib.compress(text) if form == b"zTXt" else text
    data = drawn.png_with(PNG, drawn.chunk(form, b"Raw profile type " + name + b"\0" + packed))
    assert read(data).caption == BRIDGE


def test_utf_8_in_a_plain_text_chunk_is_read() -> None:
    data = drawn.png_with(PNG, drawn.chunk(b"tEXt", b"Description\0" + BRIDGE.encode()))
    assert read(data).caption == BRIDGE


@pytest.mark.parametrize("kind", ["JPEG2000", "JXL", "PSD"])
def test_xmp_and_iptc_are_read_from_other_containers(kind: str) -> None:
    packet = drawn.xmp(drawn.alternatives("dc:description", x_default=BRIDGE))
    if kind == "JPEG2000":
        data = drawn.encoded(drawn.quarters((32, 20)), "JPEG2000")
        uuid = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
        data += (24 + len(packet)).to_bytes(4, "big") + b"uuid" + uuid + packet
    elif kind == "JXL":
        bare = crafted.jxl((32, 20))
        start = bare.find(b"\xff\x0a")
        assert start >= 0
        data = bare if bare[4:8] == b"JXL " else crafted.boxed_jxl(bare)
        data += (8 + len(packet)).to_bytes(4, "big") + b"xml " + packet
    else:
        data = crafted.psd(drawn.iptc({(2, 120): BRIDGE.encode()}).removeprefix(b"Photoshop 3.0\0"))
    assert read(data).caption == BRIDGE


LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9))
    + "]><x>&j;</x>"
)


@pytest.mark.parametrize(
    "packet",
    [
        LAUGHS.encode(),
        b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>',
        b"<a>" * 20_000,
        b"<a",
        b"\xff\xfe<\0",
        b'<?xml version="1.0" encoding="nonsense"?><a/>',
        drawn.xmp("<dc:description>" + "<rdf:Alt>" * 500),
    ],
)
def test_hostile_xmp_is_no_text_and_no_trouble(packet: bytes) -> None:
    data = drawn.png_with(PNG, drawn.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet))
    started = time.thread_time()
    assert read(data) == EmbeddedText()
    assert time.thread_time() - started < 0.2


def test_packed_text_that_explodes_is_left_unread() -> None:
    bomb = zlib.compress(b"a" * (200 << 20), 1)
    chunks = [drawn.chunk(b"zTXt", b"Description\0\0" + bomb)] * 20
    chunks += [drawn.chunk(b"iCCP", b"profile\0\0" + bomb)] * 20
    started = time.thread_time()
    picture = pictures.prepare(drawn.png_with(PNG, *chunks), GEMINI, 10_000_000)
    assert time.thread_time() - started < 1
    assert picture.embedded == EmbeddedText()
    assert b"iCCP" not in picture.data

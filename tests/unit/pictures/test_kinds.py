"""What a file is, is read from its bytes."""

from __future__ import annotations

import gzip
import time

import pytest

from functions.pictures import HEAD_BYTES, sniff
from tests.support import drawn

KINDS = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
    "GIF": "image/gif",
    "TIFF": "image/tiff",
    "BMP": "image/bmp",
    "ICO": "image/x-icon",
    "JPEG2000": "image/jp2",
}


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_each_format_is_known_by_its_first_bytes(name: str, kind: str) -> None:
    assert sniff(drawn.encoded(drawn.quarters((64, 40)), name)[:4096]) == kind


def test_heic_is_told_from_avif_and_from_plain_heif() -> None:
    assert sniff(drawn.heic()[:4096]) == "image/heic"
    assert sniff(b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif") == "image/avif"
    assert sniff(b"\0\0\0\x18ftypmif1\0\0\0\0mif1miaf") == "image/heif"


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp42", "video/mp4"),
        (b"\0\0\0\x18ftypM4V \0\0\0\0isommp42", "video/mp4"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "video/quicktime"),
        (b"\0\0\0\x08wide\0\0\1\0mdat", "video/quicktime"),
        (b"\0\0\1\0moov\0\0\0\x6cmvhd", "video/quicktime"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\1\x42\x82\x84webm", "video/webm"),
        (b"\x1a\x45\xdf\xa3\xa3\x42\x86\x81\1\x42\x82\x88matroska", "video/x-matroska"),
        (b"\x1a\x45\xdf\xa3\xa3\x42\x86\x81\1", None),
        (b"\0\0\0\x18ftypM4A \0\0\0\0isommp42", None),
        (b"The free text of a page about skips and wide doors.", None),
        (b"\0\0\0\x18stypmsdh\0\0\0\0msdhmsix", None),
    ],
)
def test_a_video_is_told_from_sound_and_text(head: bytes, kind: str | None) -> None:
    assert sniff(head + bytes(100)) == kind


@pytest.mark.parametrize(
    "before",
    [
        "",
        "\ufeff",
        '<?xml version="1.0" encoding="UTF-8"?>\n',
        "<!-- drawn by hand --><!-- twice -->\n",
        '<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "svg11.dtd">',
        '<!DOCTYPE svg [<!ENTITY ns "http://example.org/">]>',
        f"<!--{'the licence ' * 2000}-->",
    ],
)
def test_svg_is_known_behind_what_may_stand_before_it(before: str) -> None:
    assert sniff(drawn.svg(before=before)) == "image/svg+xml"


def test_svg_is_known_packed_and_in_utf_16() -> None:
    assert sniff(gzip.compress(drawn.svg())) == "image/svg+xml"
    assert sniff(gzip.compress(drawn.svg(before=f"<!--{bytes(9000).hex()}-->"))) == "image/svg+xml"
    assert sniff(drawn.svg().decode().encode("utf-16")) == "image/svg+xml"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"plain text",
        b"BM is not always a bitmap",
        b"P1 and P2 are not always pictures",
        b"\0\0\2" + bytes(40),
        b"\xff\x0a",
        b"\x0a\x05\x01\x08",
        b"<html><body><svg></svg></body></html>",
        b'<?xml version="1.0"?><rss>svg</rss>',
        b"PK\x03\x04",
        b"\0\0\1\0\0\0",
        b"RIFF\0\0\0\0WAVEfmt ",
        gzip.compress(b"text", mtime=0),
        bytes(range(256)),
    ],
)
def test_what_is_no_image_is_none(data: bytes) -> None:
    assert sniff(data) is None


def test_a_wall_of_comments_is_walked_once() -> None:
    started = time.thread_time()
    assert sniff(b"<!---->" * (HEAD_BYTES // 7)) is None
    assert sniff(b"<?a?>" * (HEAD_BYTES // 5)) is None
    assert time.thread_time() - started < 0.5

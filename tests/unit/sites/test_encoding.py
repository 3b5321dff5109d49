"""Pages in any encoding are read as browsers read them and written byte for byte."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.sites.encoding import NotText, decode


@pytest.mark.parametrize(
    ("data", "codec"),
    [
        (codecs.BOM_UTF8 + "é".encode(), "utf-8"),
        (codecs.BOM_UTF16_LE + "é😀".encode("utf-16-le"), "utf-16-le"),
        (codecs.BOM_UTF16_BE + "é😀".encode("utf-16-be"), "utf-16-be"),
        (codecs.BOM_UTF8 + b"<meta charset=windows-1252>", "utf-8"),
        (b"<META CHARSET='Windows-1252'>\xe9\x80", "cp1252"),
        (b"<meta charset=iso-8859-1>\x80", "cp1252"),
        (b"<meta charset=us-ascii>\xe9", "cp1252"),
        (b'<meta http-equiv=Content-Type content="text/html; charset=koi8-r">\xc1', "koi8-r"),
        (b"<meta charset=shift_jis>\x83\x5c", "cp932"),
        (b"<meta charset=gbk>\x81\x30\x81\x30", "gb18030"),
        (b"<meta charset=utf-16>abc", "utf-8"),
        (b'<?xml version="1.0" encoding="iso-8859-2"?>\xb1', "iso8859-2"),
        (b"<!-- <meta charset=koi8-r> --><meta charset=utf-8>", "utf-8"),
        (b"<meta charset=nonsense>abc", "utf-8"),
        (b"<meta name=description content='write charset=koi8-r here'>\xc3\xa9", "utf-8"),
        (b"<meta name=x content='text/html; charset=koi8-r'>\xc3\xa9", "utf-8"),
        (b"<meta http-equiv=refresh content='0; charset=koi8-r'>\xc3\xa9", "utf-8"),
        (b"<p title='<meta charset=koi8-r>'>\xc3\xa9", "utf-8"),
        (b"</p title='<meta charset=koi8-r>'>\xc3\xa9", "utf-8"),
        (b"<!doctype html PUBLIC '<meta charset=koi8-r'>\xc3\xa9", "utf-8"),
        (b"<metadata charset=koi8-r>\xc3\xa9", "utf-8"),
        (b"<meta charset=koi8-r", "utf-8"),
        (b"<meta charset=utf-7>+ADw-img+AD4-", "utf-8"),
        (b"<meta charset=nonsense><meta/charset=koi8-r>\xc1", "koi8-r"),
        (b"<meta charset = ' utf-8 '>\xc3\xa9", "utf-8"),
        (b"<meta charset=koi8-r charset=utf-8>\xc1", "koi8-r"),
        (b"<!--><meta charset=koi8-r>-->\xc1", "koi8-r"),
        (
            b"<meta content=\"text/html;charset='windows-1251'\" http-equiv=CONTENT-TYPE>\xe9",
            "cp1251",
        ),
        (b"<?xml encoding='koi8-r'?><meta charset=utf-8>\xc3\xa9", "utf-8"),
        (b"<meta charset=iso-8859-8-i>\xe0", "iso8859-8"),
        ("é".encode(), "utf-8"),
        ("one\0 é".encode() + b" " * 20, "utf-8"),
        (b"\xe9", "cp1252"),
        (b"", "utf-8"),
    ],
)
def test_a_page_is_in_the_encoding_that_browsers_take_it_for(data: bytes, codec: str) -> None:
    text = decode(data)
    assert text.codec == codec
    assert text.encode(text.text) == data


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<meta charset=utf-8>", "é € 図 😀"),
        ("<p>é".encode(), "é € 図 😀"),
        (b"<meta charset=windows-1252>", "é € &#22259; &#128512;"),
        (b"<meta charset=koi8-r>", "&#233; &#8364; &#22259; &#128512;"),
        (b"<p>nobody says, and all is ASCII", "&#233; &#8364; &#22259; &#128512;"),
        (b"<p>nobody says: \xe9", "&#233; &#8364; &#22259; &#128512;"),
        (codecs.BOM_UTF16_LE, "é € 図 😀"),
    ],
)
def test_what_an_encoding_lacks_becomes_a_numeric_reference(data: bytes, words: str) -> None:
    assert decode(data).references("é € 図 😀") == words


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"<meta charset=utf-8>\xe9 ", "is not utf-8 at byte 20"),
        (codecs.BOM_UTF16_LE + b"a\0b", "is not utf-16-le at byte 4"),
        (codecs.BOM_UTF16_BE + b"\xd8\0", "is not utf-16-be"),
        ("<p>".encode("utf-16-le"), "has NUL characters"),
        (b"\x89PNG\r\n\0\0", "has NUL characters"),
        (b"\x81 is nothing in windows-1252", "is not UTF-8 and declares no encoding"),
        (b"<meta charset=iso-2022-jp>", "is in iso-2022-jp, which cannot be changed"),
        (b"<meta charset=hz-gb-2312>", "is in hz-gb-2312, which cannot be changed"),
        (b"<meta charset=shift_jis>\x87\x90", "has characters that cp932 writes in two ways"),
    ],
)
def test_what_cannot_be_written_as_it_was_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(NotText, match=why):
        decode(data)


DECLARED = [b"", b"<meta charset=big5>", b"<meta charset=euc-kr>", b"<meta charset=cp1251>"]


@given(st.sampled_from([*DECLARED, codecs.BOM_UTF8, codecs.BOM_UTF16_LE]), st.binary())
def test_any_bytes_are_refused_or_written_as_they_were(start: bytes, data: bytes) -> None:
    try:
        text = decode(start + data)
    except NotText:
        return
    assert text.encode(text.text) == start + data

"""IPTC-IIM 4.2 datasets, where Photoshop keeps them."""

from __future__ import annotations

RESOURCE = 0x0404
# The same blocks under the names of other programs: PhotoDeluxe, Agfa, Adobe's DCS and ImageReady.
_SIGNATURES = {b"8BIM", b"PHUT", b"AgHg", b"DCSR", b"MeSa"}
_NAMES = {120: "caption", 105: "headline", 5: "title", 135: "language"}
_UTF8 = b"\x1b%G"
_LANGUAGE = 135
# Honest files have some tens of blocks, and a hundred datasets.
_MAX_BLOCKS, _MAX_DATASETS = 500, 5000


def in_photoshop(block: bytes) -> bytes:
    """The IPTC part of a block of Photoshop's image resources."""
    position = 0
    for _ in range(_MAX_BLOCKS):
        if block[position : position + 4] not in _SIGNATURES:
            break
        name = 1 + block[position + 6] if position + 6 < len(block) else 1
        start = position + 6 + name + name % 2
        size = int.from_bytes(block[start : start + 4], "big")
        body = start + 4
        if int.from_bytes(block[position + 4 : position + 6], "big") == RESOURCE:
            return block[body : body + size]
        position = body + size + size % 2
    return b""


def texts(data: bytes) -> dict[str, bytes | str]:
    """Caption, headline and title; text where dataset 1:90 says UTF-8, else bytes."""
    found: dict[str, bytes | str] = {}
    utf8 = False
    position = 0
    for _ in range(_MAX_DATASETS):
        if position + 5 > len(data) or data[position] != 0x1C:
            break
        record, dataset = data[position + 1], data[position + 2]
        size = int.from_bytes(data[position + 3 : position + 5], "big")
        if size >= 0x8000:  # an extended dataset: larger than any text is
            break
        value = data[position + 5 : position + 5 + size]
        if (record, dataset) == (1, 90):
            utf8 = value == _UTF8
        elif record == 2 and dataset in _NAMES:
            plain = utf8 or dataset == _LANGUAGE
            text = value.decode("utf-8", "replace") if plain else value
            found.setdefault(_NAMES[dataset], text)
        position += 5 + size
    return found

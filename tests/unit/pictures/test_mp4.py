"""A video that goes to a model as it is says nothing but what it shows."""

from __future__ import annotations

import random
from functools import cache

import pytest

from functions.pictures.structure.mp4 import is_private
from tests.support import videos

FAST = {"movflags": "faststart"}


@cache
def plain() -> bytes:
    return videos.mp4(container_options=FAST)


def box(name: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + name + content


def test_what_an_encoder_writes_is_plain() -> None:
    assert not is_private(plain())
    assert not is_private(videos.mp4(sound=True))
    assert not is_private(videos.mp4(container_options={"fflags": "+bitexact"}))
    assert not is_private(plain() + box(b"free", bytes(20)))


@pytest.mark.parametrize(
    "metadata",
    [
        {"location": "+52.5200+013.4050/"},
        {"creation_time": "2026-11-26T09:00:00Z"},
        {"comment": "at home"},
        {"artist": "Somebody"},
    ],
)
@pytest.mark.parametrize("kind", ["mp4", "mov"])
def test_a_place_a_time_a_comment_and_an_author_are_private(
    kind: str, metadata: dict[str, str]
) -> None:
    assert is_private(videos.encoded(videos.cuts(1), kind, "libx264", metadata=metadata))


@pytest.mark.parametrize(
    "more",
    [
        box(b"uuid", b"\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac<x/>"),
        box(b"free", b"+52.5200+013.4050/"),
        box(b"meta", bytes(20)),
        box(b"gps0", bytes(4)),
        b"and what was appended",
        b"\0\0\0\2free",
    ],
)
def test_what_is_not_known_is_private(more: bytes) -> None:
    assert is_private(plain() + more)


def test_a_track_of_something_else_is_private() -> None:
    assert is_private(plain().replace(b"vide", b"meta", 1))


def test_boxes_in_boxes_without_an_end_are_private_and_end() -> None:
    nested = b""
    for _ in range(2000):
        nested = box(b"moov", nested)
    assert is_private(nested)


def test_whatever_stands_in_a_file_is_judged() -> None:
    choice = random.Random(7)
    for _ in range(400):
        data = bytearray(plain())
        for _ in range(choice.randrange(1, 6)):
            at = choice.randrange(len(data) - 4)
            data[at : at + choice.choice((0, 1, 4))] = choice.randbytes(choice.choice((0, 1, 4)))
        assert is_private(bytes(data[: choice.randrange(len(data) + 1)])) in (True, False)

"""A decoder that a file has taken over gets no key, no socket and no other process."""

from __future__ import annotations

import json
import os
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from functions.pictures.decoding import decoders

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")

# A stand-in for a decoder under somebody else's control: it tries what it is told, in the
# worker's own process, and answers with what it got.
STAND_IN = """
import ctypes, glob, json, os, socket, sys, threading
from functions.pictures.decoding import sandbox, worker

def tried(request, data):
    parent, libc = os.getppid(), ctypes.CDLL(None, use_errno=True)
    def thread():
        ran = []
        other = threading.Thread(target=lambda: ran.append(1))
        other.start(), other.join()
        return ran
    attempts = {
        "environ": lambda: open(f"/proc/{parent}/environ", "rb").read(),
        "memory": lambda: open(f"/proc/{parent}/mem", "rb"),
        "own environ": lambda: json.dumps(dict(os.environ)).encode(),
        "file": lambda: open(request["file"], "rb").read(),
        "write": lambda: open("here", "wb").write(b"x"),
        "write to tmp": lambda: open("/tmp/here", "wb").write(b"x"),
        "delete": lambda: os.unlink(request["file"]),
        "folder": lambda: os.listdir("."),
        "tcp": lambda: socket.create_connection(("127.0.0.1", request["port"]), 1),
        "udp": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(
            b"x", ("127.0.0.1", request["port"])),
        "unix": lambda: socket.socket(socket.AF_UNIX),
        "fork": os.fork,
        "program": lambda: os.posix_spawn("/bin/true", ["true"], {}),
        "replace": lambda: os.execv("/bin/true", ["true"]),
        "signal": lambda: os.kill(parent, 0),
        "trace": lambda: libc.ptrace(16, parent, 0, 0) and 1 / 0,
        "namespace": lambda: libc.unshare(0x10000000) and 1 / 0,
        "root": lambda: os.setuid(0) if os.getuid() else os.chown("/", 0, 0),
        "thread": thread,
    }
    try:
        got = attempts[request["attempt"]]()
        return {"got": repr(got)}, b""
    except BaseException as error:
        return {"refused": repr(error)}, b""

sandbox._LAYERS = tuple(l for l in sandbox._LAYERS if l.__name__ not in sys.argv[2:])
worker.main(int(sys.argv[1]), tried)
"""


class TakenOver:
    """Decoders under somebody else's control; one for as many attempts as leave out the same
    layers, since each of them is to be refused and to change nothing."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, ...], decoders.Decoder] = {}

    def attempt(self, what: str, *without: str, **more: Any) -> dict[str, Any]:
        """The answer of one that tries ``what``, some layers left out."""
        memory = str(decoders.DECODER_MEMORY)
        if without not in self._made:
            self._made[without] = decoders.Decoder("-c", STAND_IN, memory, *without)
        asked = {"attempt": what, "file": "", "port": 9} | more
        return self._made[without].ask(asked, b"", 5.0)[0]

    def close(self) -> None:
        for each in self._made.values():
            each.close()


@pytest.fixture(scope="module")
def taken_over() -> Iterator[TakenOver]:
    """Decoders for the attempts of this module."""
    made = TakenOver()
    yield made
    made.close()


REFUSED = [
    *("environ", "memory", "file", "write", "write to tmp", "delete"),
    *("tcp", "udp", "unix", "fork", "program", "replace", "signal", "trace", "namespace", "root"),
]


@pytest.mark.parametrize("what", REFUSED)
def test_a_decoder_that_was_taken_over_is_refused(
    what: str, taken_over: TakenOver, tmp_path: Path
) -> None:
    file = tmp_path / "key.json"
    file.write_text("a secret")
    answer = taken_over.attempt(what, file=str(file))
    assert "refused" in answer, answer
    assert file.exists()


@pytest.mark.parametrize("layer", ["_landlock", "_seccomp", "_network_namespace"])
@pytest.mark.parametrize("what", ["environ", "memory"])
def test_the_key_is_safe_without_one_layer(what: str, layer: str, taken_over: TakenOver) -> None:
    answer = taken_over.attempt(what, layer)
    assert "refused" in answer, answer


@pytest.mark.parametrize("what", ["tcp", "udp"])
def test_the_network_is_closed_by_seccomp_alone(what: str, taken_over: TakenOver) -> None:
    assert "refused" in taken_over.attempt(what, "_landlock", "_network_namespace")


def test_what_lies_in_the_folder_of_the_source_is_not_read(taken_over: TakenOver) -> None:
    ours = Path(__file__).parents[3] / "pyproject.toml"
    assert str(ours.parent) in map(os.path.abspath, sys.path)
    answer = taken_over.attempt("file", "_network_namespace", file=str(ours))
    assert "refused" in answer, answer


def test_no_key_is_in_its_own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "a secret")
    decoder = TakenOver()
    answer = decoder.attempt("own environ")
    decoder.close()
    assert "a secret" not in answer["got"]
    assert "GEMINI_API_KEY" not in answer["got"]


def test_what_decoding_needs_is_left(taken_over: TakenOver) -> None:
    assert taken_over.attempt("thread")["got"] == "[1]"


def test_a_platform_that_lacks_a_layer_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    places = decoders.DecoderPool()
    places._tell(["landlock (Function not implemented)"])
    places._tell(["landlock (Function not implemented)"])
    assert [record.getMessage() for record in caplog.records] == [
        "The decoders' sandbox lacks: landlock (Function not implemented)"
    ]


LIAR = """
import json, struct, sys
out = sys.stdout.buffer
out.write(b"R"), out.flush()
sys.stdin.buffer.read(8)
out.write(open(sys.argv[1], "rb").read()), out.flush()
sys.stdin.buffer.read()
"""
FINE = {
    "mime_type": "image/jpeg", "width": 1, "height": 1, "note": "", "memory": 1, "missing": [],
    "media": "image", "duration_seconds": None,
    "embedded": {"alt_text": "", "caption": "", "title": "", "language": ""},
}  # fmt: skip
JPEG = b"\xff\xd8\xff\xd9"


def told(text: bytes, picture: bytes = JPEG, length: int | None = None) -> bytes:
    size = len(text) if length is None else length
    return struct.pack(">II", size, len(picture)) + text + picture


@pytest.mark.parametrize(
    "answer",
    [
        struct.pack(">II", 2**32 - 1, 0),
        struct.pack(">II", 2, 2**32 - 1) + b"{}",
        told(b"no json"),
        told(b"[" * 100_000),
        told(b"[]"),
        told(json.dumps(FINE | {"memory": "much"}).encode()),
        told(json.dumps(FINE | {"mime_type": "text/html"}).encode()),
        told(json.dumps(FINE | {"width": -1}).encode()),
        told(json.dumps(FINE | {"media": "film"}).encode()),
        told(json.dumps(FINE | {"duration_seconds": -1}).encode()),
        told(json.dumps(FINE | {"duration_seconds": "long"}).encode()),
        told(json.dumps({"read": [0, 10]}).encode()),
        told(json.dumps(FINE | {"embedded": {"alt_text": 1}}).encode()),
        told(json.dumps(FINE | {"reason": "captioned"}).encode()),
        told(json.dumps(FINE).encode(), b"<script>"),
        told(json.dumps(FINE).encode(), JPEG + bytes(17 << 20)),
    ],
)
def test_what_a_decoder_says_is_a_strangers_word(answer: bytes, tmp_path: Path) -> None:
    said = tmp_path / "answer"
    said.write_bytes(answer)
    places = decoders.DecoderPool(lambda: decoders.Decoder("-c", LIAR, str(said)))
    with pytest.raises(decoders.Crashed):
        places.decode({"max_bytes": 1 << 20}, b"x")
    assert places._free == [None] * decoders.DECODERS


def test_an_honest_answer_is_taken(tmp_path: Path) -> None:
    said = tmp_path / "answer"
    said.write_bytes(told(json.dumps(FINE).encode()))
    places = decoders.DecoderPool(lambda: decoders.Decoder("-c", LIAR, str(said)))
    assert places.decode({"max_bytes": 1 << 20}, b"x") == (FINE, JPEG)
    places.close()


def test_the_working_folder_is_empty_and_goes_with_the_decoder() -> None:
    decoder = decoders.Decoder()
    assert os.listdir(decoder._folder) == []
    decoder.close()
    assert not os.path.exists(decoder._folder)

"""The process that decodes: reads requests on stdin, answers on stdout, until stdin ends."""

from __future__ import annotations

import json
import os
import resource
import struct
import sys
import traceback
from collections.abc import Callable
from dataclasses import asdict
from typing import IO, Any

from functions.pictures.decoding import sandbox
from functions.pictures.decoding.ranges import Ranges

_LENGTHS = struct.Struct(">II")


# Written once, as soon as requests are waited for.
READY = b"R"

Answer = Callable[[dict[str, Any], bytes | Ranges], tuple[dict[str, Any], bytes]]


def main(memory: int, answer: Answer | None = None) -> None:
    """Serve until the parent goes away."""
    # Writable private memory: what a decoder allocates, not the libraries it maps.
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    sys.dont_write_bytecode = True
    source = sys.stdin.buffer
    # What a library prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    pages = _pages()
    missing = sandbox.enter()
    answer = answer or _decoded()
    answers.write(READY)
    answers.flush()
    while head := source.read(_LENGTHS.size):
        length, size = _LENGTHS.unpack(head)
        request, data = json.loads(source.read(length)), source.read(size)
        remote = _remote(request.pop("size"), source, answers) if "size" in request else None
        fields, picture = answer(request, remote or data)
        _write(answers, fields | {"memory": _memory(pages), "missing": missing}, picture)


def _write(answers: IO[bytes], fields: dict[str, Any], picture: bytes) -> None:
    text = json.dumps(fields).encode()
    answers.write(_LENGTHS.pack(len(text), len(picture)) + text)
    answers.write(picture)
    answers.flush()


def _remote(size: int, source: IO[bytes], answers: IO[bytes]) -> Ranges:
    """A file that the parent has, or gets."""

    def fetch(start: int, end: int) -> bytes:
        _write(answers, {"read": [start, end]}, b"")
        served, length = _LENGTHS.unpack(source.read(_LENGTHS.size))
        if not source.read(served):
            raise OSError("no more of the file may be read")
        return source.read(length)

    return Ranges(size, fetch)


def _pages() -> IO[str] | None:
    """The system's count of this process's pages, opened before that is forbidden."""
    try:
        return open("/proc/self/statm", encoding="ascii")
    except OSError:
        return None


def _memory(pages: IO[str] | None) -> int:
    """Resident bytes; 0 where the system does not tell. (ru_maxrss would count the parent's.)"""
    if pages is None:
        return 0
    pages.seek(0)
    return int(pages.read().split()[1]) * resource.getpagesize()


def _decoded() -> Answer:
    """What answers requests: the decoders, loaded inside the sandbox."""
    from functions.core.errors import PermanentError
    from functions.pictures.decoding import decode

    def answer(request: dict[str, Any], data: bytes | Ranges) -> tuple[dict[str, Any], bytes]:
        try:
            picture = decode.decode(data, **request)
        except PermanentError as error:
            return {"reason": error.reason, "message": error.message}, b""
        except MemoryError:
            return {"reason": "too_many_pixels", "message": decode.TOO_LARGE}, b""
        except Exception as error:
            traceback.print_exc()
            return decode.refusal(error), b""
        fields = {
            "mime_type": picture.mime_type,
            "width": picture.width,
            "height": picture.height,
            "note": picture.note,
            "media": picture.media,
            "duration_seconds": picture.duration_seconds,
            "embedded": asdict(picture.embedded),
        }
        return fields, picture.data

    return answer


if __name__ == "__main__":
    main(int(sys.argv[1]))

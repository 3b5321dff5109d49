"""The process that decodes: reads requests on stdin, answers on stdout, until stdin ends."""

from __future__ import annotations

import json
import os
import resource
import struct
import sys
import traceback
from dataclasses import asdict
from typing import Any

_LENGTHS = struct.Struct(">II")


def main(memory: int) -> None:
    """Serve until the parent goes away."""
    # Writable private memory: what a decoder allocates, not the libraries it maps.
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    source = sys.stdin.buffer
    # What a library prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while head := source.read(_LENGTHS.size):
        length, size = _LENGTHS.unpack(head)
        request = json.loads(source.read(length))
        answer, picture = _answer(request, source.read(size))
        answer["memory"] = _memory()
        text = json.dumps(answer).encode()
        answers.write(_LENGTHS.pack(len(text), len(picture)) + text)
        answers.write(picture)
        answers.flush()


def _memory() -> int:
    """Resident bytes; 0 where the system does not tell. (ru_maxrss would count the parent's.)"""
    try:
        with open("/proc/self/statm", encoding="ascii") as pages:
            return int(pages.read().split()[1]) * resource.getpagesize()
    except OSError:
        return 0


def _answer(request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    from functions.core.errors import PermanentError
    from functions.pictures.decoding import decode

    try:
        picture = decode.decode(data, **request)
    except PermanentError as error:
        return {"reason": error.reason, "message": error.message}, b""
    except MemoryError:
        return {"reason": "too_many_pixels", "message": decode.TOO_LARGE}, b""
    except Exception as error:
        traceback.print_exc()
        return decode.refusal(error), b""
    answer = {
        "mime_type": picture.mime_type,
        "width": picture.width,
        "height": picture.height,
        "note": picture.note,
        "embedded": asdict(picture.embedded),
    }
    return answer, picture.data


if __name__ == "__main__":
    main(int(sys.argv[1]))

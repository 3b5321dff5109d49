"""The process that decodes: reads requests on stdin, answers on stdout, until stdin ends."""

from __future__ import annotations

import json
import os
import resource
import struct
import sys
import traceback
from dataclasses import asdict
from typing import Any, BinaryIO

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
        answer, picture = _answer(request, _body(source, size))
        # ru_maxrss counts KiB on Linux.
        answer["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
        text = json.dumps(answer).encode()
        answers.write(_LENGTHS.pack(len(text), len(picture)) + text)
        answers.write(picture)
        answers.flush()


def _body(source: BinaryIO, size: int) -> bytes:
    return source.read(size)


def _answer(request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    from functions.errors import PermanentError
    from functions.pictures import decode

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

"""Processes that decode: few, watched, without secrets, and replaced when they fail.

Decoders are the part of this product that strangers' bytes reach most deeply. In a process of
its own a decoder that crashes costs one image instead of 80 events; one that does not end is
killed; its memory is bounded by the system and given back; and it holds no key. The first
decode of an instance pays about 0.1 s for the start.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import queue
import struct
import subprocess
import sys
import threading
from typing import IO, Any, cast

from functions.core.document import EmbeddedText, Picture
from functions.core.errors import PermanentError, TransientError

# How many decode at once. An instance has one vCPU, which a second decoder would only share; and
# 80 photos of 3 MB, this process (95 MB) and one decoder (60 to 115 MB) fit into 512 MiB.
DECODERS = 1
DECODER_MEMORY = 320 << 20
# How long one image may take, and how long an event waits for a decoder with the file in hand.
DECODE_SECONDS = 10.0
WAIT_SECONDS = 60.0
# A decoder that grew beyond this gives its memory back by making place for a new one.
_RETIRE_AT = 128 << 20
_LENGTHS = struct.Struct(">II")


class Crashed(Exception):
    """The decoder ended without an answer."""


class Overtime(Exception):
    """The decoder was killed because it took too long."""


class Decoder:
    """One process. It takes one image at a time."""

    def __init__(self) -> None:
        environment = {"PYTHONPATH": os.pathsep.join(p or "." for p in sys.path)}
        environment |= {k: v for k, v in os.environ.items() if k in ("PATH", "LD_LIBRARY_PATH")}
        # glibc gives large blocks back at once: a third less at the peak, half afterwards.
        environment |= {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "262144"}
        # Our own module and no shell: nothing of a picture is in the command.
        command = [sys.executable, "-m", "functions.pictures.decoding.worker", str(DECODER_MEMORY)]
        self._process = subprocess.Popen(  # noqa: S603  # nosec B603
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
        self._pipes = cast(IO[bytes], self._process.stdin), cast(IO[bytes], self._process.stdout)

    def ask(self, request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        """The answer to one request. Raises Crashed or Overtime; the decoder is gone then."""
        overtime = threading.Event()

        def kill() -> None:
            overtime.set()
            self._process.kill()

        watch = threading.Timer(DECODE_SECONDS, kill)
        watch.daemon = True
        watch.start()
        try:
            return self._exchange(json.dumps(request).encode(), data)
        except (OSError, Crashed) as error:
            self.close()
            raise (Overtime if overtime.is_set() else Crashed)() from error
        finally:
            watch.cancel()

    def _exchange(self, request: bytes, data: bytes) -> tuple[dict[str, Any], bytes]:
        requests, _ = self._pipes
        requests.write(_LENGTHS.pack(len(request), len(data)) + request)
        requests.write(data)
        requests.flush()
        length, size = _LENGTHS.unpack(self._read(_LENGTHS.size))
        return json.loads(self._read(length)), self._read(size)

    def _read(self, size: int) -> bytes:
        data = self._pipes[1].read(size)
        if len(data) < size:
            raise Crashed
        return data

    def close(self) -> None:
        """End the process, and wait for its end."""
        self._process.kill()
        for pipe in self._pipes:
            with contextlib.suppress(OSError):
                pipe.close()
        self._process.wait()


def _started() -> Decoder:
    try:
        return Decoder()
    except OSError as error:
        raise TransientError(f"No decoder can be started: {error}.") from error


class _Places:
    """DECODERS places, each with a decoder at hand or none yet."""

    def __init__(self) -> None:
        self._free: queue.LifoQueue[Decoder | None] = queue.LifoQueue()
        for _ in range(DECODERS):
            self._free.put(None)

    def ask(self, request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        try:
            decoder = self._free.get(timeout=WAIT_SECONDS)
        except queue.Empty:
            raise TransientError("No decoder came free in time.", retry_after=30) from None
        try:
            decoder = decoder or _started()
            answer, picture = decoder.ask(request, data)
            if answer.get("memory", 0) > _RETIRE_AT:
                decoder.close()
                decoder = None
            return answer, picture
        except (Crashed, Overtime):
            decoder = None
            raise
        finally:
            self._free.put(decoder)

    def close(self) -> None:
        """End the decoders that are at hand."""
        for _ in range(DECODERS):
            try:
                decoder = self._free.get_nowait()
            except queue.Empty:
                return
            if decoder:
                decoder.close()
            self._free.put(None)


_places = _Places()
close = _places.close
atexit.register(close)


def decode(data: bytes, kind: str, max_pixels: int, side: int, max_bytes: int) -> Picture:
    """The picture that a decoder makes of ``data``.

    Raises PermanentError for what cannot be decoded within the bounds, TransientError if no
    decoder came free. A crash is tried once more in a new process: the system may have ended
    the first for want of memory.
    """
    if len(data) > DECODER_MEMORY // 2:
        raise PermanentError(
            "too_many_pixels",
            f"The image must be decoded, and its {len(data) >> 20} MiB are more than a decoder can "
            "hold. Save it smaller, or as an upright JPEG.",
        )
    request = {"kind": kind, "max_pixels": max_pixels, "side": side, "max_bytes": max_bytes}
    try:
        try:
            answer, picture = _places.ask(request, data)
        except Crashed:
            answer, picture = _places.ask(request, data)
    except Overtime:
        raise PermanentError(
            "too_many_pixels",
            f"Decoding takes more than {DECODE_SECONDS:.0f} seconds. Save the image with fewer "
            "pixels, frames or shapes.",
        ) from None
    except Crashed:
        raise PermanentError(
            "corrupt_image",
            "The image breaks its decoder, or takes more memory than that has. Save it again in "
            "another program, or with fewer pixels.",
        ) from None
    if "reason" in answer:
        raise PermanentError(answer["reason"], answer["message"])
    embedded = EmbeddedText(**answer["embedded"])
    return Picture(
        picture, answer["mime_type"], answer["width"], answer["height"], embedded, answer["note"]
    )


def too_many_pixels(width: int, height: int, limit: int) -> PermanentError:
    """The refusal of an image before it is decoded."""
    return PermanentError(
        "too_many_pixels",
        f"The image has {width} x {height} pixels; the limit is {limit}. Upload a smaller one, "
        "or raise CAPTION_MAX_PIXELS.",
    )

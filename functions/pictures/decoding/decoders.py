"""Processes that decode: few, watched, without secrets, and replaced when they fail.

Decoders are the part of this product that strangers' bytes reach most deeply. In a process of
its own a decoder that crashes costs one image instead of 80 events; one that does not end is
killed; its memory is bounded by the system and given back; and it holds no key. The first
decode of an instance pays about 0.1 s for the start.
"""

from __future__ import annotations

import atexit
import contextlib
import heapq
import itertools
import json
import logging
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from typing import IO, Any, cast

from functions.core.document import EmbeddedText, Media, Picture
from functions.core.errors import PermanentError, TransientError
from functions.pictures.decoding.ranges import Remote

# How many decode at once. An instance has one vCPU, which a second decoder would only share.
DECODERS = 1
# Today's cameras take 50 MP in HEIC, 33 MP of them in 10 bits; the instance has a gigabyte.
DECODER_MEMORY = 512 << 20
# A video has a process of its own, so that no image waits for one: a frame of 8K takes 50 MB.
VIDEO_MEMORY, VIDEO_SECONDS = 320 << 20, 20.0
# How long one image may take, and how long an event waits for a decoder with the file in hand.
DECODE_SECONDS = 10.0
WAIT_SECONDS = 60.0
# An image that takes longer than most of its size, while others wait, goes behind all that come
# within the next seconds.
PATIENCE_SECONDS, PATIENCE_SECONDS_PER_BYTE = 1.0, 0.2 / (1 << 20)
PENALTY_SECONDS = 15.0
# Processor time counts, but a decoder that gets less than one in so many seconds of it, or that
# sleeps, is slow too.
_BUSY = 4
# A decoder that grew beyond this gives its memory back by making place for a new one.
_RETIRE_AT = 128 << 20
_LENGTHS = struct.Struct(">II")
# Bytes that a decoder may say beside the picture. Its words are a stranger's, like the file.
_MOST_FIELDS = 1 << 20
# No JPEG of the sides that are asked for is as large.
_MOST_PICTURE = 16 << 20
_REASONS = frozenset({"corrupt_image", "too_large", "too_many_pixels", "unsupported_type"})
# Seconds of a video or animation; more is no length but a damaged number.
_LONGEST = 10**9
_LOG = logging.getLogger(__name__)


class Crashed(Exception):
    """The decoder ended without an answer."""


class Overtime(Exception):
    """The decoder was killed because it took too long."""


class Interrupted(Exception):
    """The decoder was killed because others wait."""


class Decoder:
    """One process. It takes one image at a time."""

    def __init__(self, *program: str, memory: int = 0) -> None:
        environment = {"PYTHONPATH": os.pathsep.join(os.path.abspath(p) for p in sys.path)}
        environment |= {k: v for k, v in os.environ.items() if k in ("PATH", "LD_LIBRARY_PATH")}
        # glibc gives large blocks back at once: a third less at the peak, half afterwards.
        environment |= {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "262144"}
        from functions.pictures.decoding import sandbox  # ctypes: not before a decode

        sandbox.guard_secrets()
        self._folder = tempfile.mkdtemp(prefix="decoder-")
        # Our own module and no shell: nothing of a picture is in the command.
        module = ("-m", "functions.pictures.decoding.worker", str(memory or DECODER_MEMORY))
        self._process = subprocess.Popen(  # noqa: S603  # nosec B603
            [sys.executable, *(program or module)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=self._folder,
            start_new_session=True,
        )
        self._pipes = cast(IO[bytes], self._process.stdin), cast(IO[bytes], self._process.stdout)
        self._ready, self._since = False, 0.0

    def ask(
        self,
        request: dict[str, Any],
        data: bytes | Remote,
        seconds: float,
        is_unwanted: Callable[[float], bool] = lambda _spent: False,
    ) -> tuple[dict[str, Any], bytes]:
        """The answer to one request.

        Raises Crashed, Overtime after ``seconds``, or Interrupted as soon as ``is_unwanted``, told
        the seconds that the image has spent, says so; the decoder is gone then. What a new
        process needs to get ready is not the image's time, nor is what its bytes need to come.
        """
        ended = threading.Event()
        remote = data if isinstance(data, Remote) else None
        why: list[type[Exception]] = []

        def watch() -> None:
            begun, worked = time.monotonic(), self._worked()
            while not ended.wait(min(0.1, seconds / 2)):
                if not self._ready and time.monotonic() - begun < seconds:
                    continue
                if begun < self._since:
                    begun, worked = self._since, self._worked()
                taken = time.monotonic() - begun - (remote.waited if remote else 0.0)
                # On a busy machine the clock runs faster than the work.
                spent = max(self._worked() - worked, taken / _BUSY)
                if taken > seconds or is_unwanted(spent):
                    why.append(Overtime if taken > seconds else Interrupted)
                    self._process.kill()
                    return

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            return self._exchange(json.dumps(request).encode(), data)
        except (OSError, Crashed) as error:
            self.close()
            raise (why or [Crashed])[0]() from error
        finally:
            ended.set()

    def _exchange(self, request: bytes, data: bytes | Remote) -> tuple[dict[str, Any], bytes]:
        if not self._ready:
            self._read(1)
            self._ready, self._since = True, time.monotonic()
        if not isinstance(data, Remote):
            self._write(request, data)
            return self._answer()
        self._write(request, b"")
        fields, picture = self._answer()
        while isinstance(wanted := fields.get("read"), list) and len(wanted) == 2:
            served = data.serve(*wanted)
            self._write(b"" if served is None else b"served", served or b"")
            fields, picture = self._answer()
        return fields, picture

    def _write(self, head: bytes, data: bytes) -> None:
        requests, _ = self._pipes
        requests.write(_LENGTHS.pack(len(head), len(data)) + head)
        requests.write(data)
        requests.flush()

    def _answer(self) -> tuple[dict[str, Any], bytes]:
        length, size = _LENGTHS.unpack(self._read(_LENGTHS.size))
        if length > _MOST_FIELDS or size > _MOST_PICTURE:
            raise Crashed
        try:
            fields = json.loads(self._read(length))
        except (ValueError, RecursionError) as error:
            raise Crashed from error
        if not isinstance(fields, dict):
            raise Crashed
        return fields, self._read(size)

    def _worked(self) -> float:
        """Seconds of processor time; what the clock says where the system does not tell."""
        try:
            with open(f"/proc/{self._process.pid}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        except (OSError, IndexError, ValueError):
            return time.monotonic()

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
        shutil.rmtree(self._folder, ignore_errors=True)


class DecoderPool:
    """DECODERS slots, each with a decoder at hand or none yet, and who waits for one.

    Whoever came first is served first; an image that was interrupted or crashed its decoder
    counts as having come PENALTY_SECONDS later.
    """

    def __init__(self, start: Callable[[], Decoder] = Decoder) -> None:
        self._start = start
        self._free: list[Decoder | None] = [None] * DECODERS
        self._waiting: list[tuple[float, int]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._logged = False

    def decode(self, request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        """A decoder's answer. A crash is tried once more, in half the time: the system may have
        ended the first decoder for want of memory, or the image did."""
        start = time.monotonic()
        patience = PATIENCE_SECONDS + PATIENCE_SECONDS_PER_BYTE * len(data)
        try:
            return self._ask(request, data, start, DECODE_SECONDS, patience)
        except Interrupted:
            return self._ask(request, data, start, DECODE_SECONDS)
        except Crashed:
            return self._ask(request, data, start, DECODE_SECONDS / 2)

    def watch(self, request: dict[str, Any], data: Remote) -> tuple[dict[str, Any], bytes]:
        """A decoder's answer to a video, tried once more after a crash."""
        start = time.monotonic()
        try:
            return self._ask(request, data, start, VIDEO_SECONDS)
        except Crashed:
            return self._ask(request, data, start, VIDEO_SECONDS / 2)

    def _ask(
        self,
        request: dict[str, Any],
        data: bytes | Remote,
        start: float,
        seconds: float,
        patience: float = 0.0,
    ) -> tuple[dict[str, Any], bytes]:
        decoder = self._take(start + (0 if patience else PENALTY_SECONDS), start + WAIT_SECONDS)
        unwanted = (lambda spent: spent > patience and bool(self._waiting)) if patience else None
        try:
            decoder = decoder or self._started()
            answer, picture = decoder.ask(request, data, seconds, *filter(None, [unwanted]))
            if not _is_answer(answer, picture):
                raise Crashed
            self._tell(answer["missing"])
            if answer["memory"] > _RETIRE_AT:
                decoder.close()
                decoder = None
            return answer, picture
        except BaseException:  # it may be in the middle of an answer
            if decoder:
                decoder.close()
            decoder = None
            raise
        finally:
            self._give(decoder)

    def _started(self) -> Decoder:
        try:
            return self._start()
        except OSError as error:
            raise TransientError(f"No decoder can be started: {error}.") from error

    def _take(self, since: float, until: float) -> Decoder | None:
        mine = since, next(self._numbers)
        with self._changed:
            heapq.heappush(self._waiting, mine)
            try:
                if not self._changed.wait_for(
                    lambda: self._free and self._waiting[0] == mine, until - time.monotonic()
                ):
                    raise TransientError("No decoder came free in time.", retry_after=30)
                return self._free.pop()
            finally:
                self._waiting.remove(mine)
                heapq.heapify(self._waiting)
                self._changed.notify_all()

    def _give(self, decoder: Decoder | None) -> None:
        with self._changed:
            self._free.append(decoder)
            self._changed.notify_all()

    def _tell(self, missing: list[str]) -> None:
        """Log once what of its sandbox a decoder lacks on this platform."""
        if missing and not self._logged:
            self._logged = True
            _LOG.warning("The decoders' sandbox lacks: %s", "; ".join(missing))

    def close(self) -> None:
        """End the decoders that are at hand."""
        with self._changed:
            for decoder in filter(None, self._free):
                decoder.close()
            self._free = [None] * len(self._free)


_pool = DecoderPool()
_projectors = DecoderPool(lambda: Decoder(memory=VIDEO_MEMORY))


def close() -> None:
    """End the decoders that are at hand."""
    _pool.close()
    _projectors.close()


atexit.register(close)


def decode(data: bytes, kind: str, max_pixels: int, side: int, max_bytes: int) -> Picture:
    """The picture that a decoder makes of ``data``.

    Raises PermanentError for what cannot be decoded within the bounds, TransientError if no
    decoder came free.
    """
    if len(data) > DECODER_MEMORY // 2:
        raise PermanentError(
            "too_many_pixels",
            f"The image must be decoded, and its {len(data) >> 20} MiB are more than a decoder can "
            "hold. Save it smaller, or as an upright JPEG.",
        )
    request = {"kind": kind, "max_pixels": max_pixels, "side": side, "max_bytes": max_bytes}
    try:
        answer, picture = _pool.decode(request, data)
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
    return _picture(answer, picture)


def watch(data: Remote, kind: str, max_pixels: int, side: int, max_bytes: int) -> Picture:
    """The contact sheet that a decoder makes of a video's moments, read by ranges.

    Raises PermanentError for what cannot be decoded within the bounds, TransientError if no
    decoder came free, and what fetching a range raises.
    """
    request = {"kind": kind, "max_pixels": max_pixels, "side": side, "max_bytes": max_bytes}
    try:
        return _picture(*_projectors.watch(request | {"size": data.size}, data))
    except Overtime:
        raise PermanentError(
            "too_many_pixels",
            f"Finding moments of the video takes more than {VIDEO_SECONDS:.0f} seconds. Save it "
            "with fewer pixels.",
        ) from None
    except Crashed:
        raise PermanentError(
            "corrupt_image",
            "The video breaks its decoder, or takes more memory than that has. Save it again in "
            "another program, or with fewer pixels.",
        ) from None


def _picture(answer: dict[str, Any], data: bytes) -> Picture:
    if "reason" in answer:
        raise PermanentError(answer["reason"], answer["message"])
    return Picture(
        data,
        answer["mime_type"],
        answer["width"],
        answer["height"],
        EmbeddedText(**answer["embedded"]),
        answer["note"],
        Media(answer["media"]),
        answer["duration_seconds"],
    )


def _is_answer(fields: dict[str, Any], picture: bytes) -> bool:
    """Whether a decoder says what one can say: a reason, or a JPEG within bounds."""
    missing = fields.get("missing")
    if not isinstance(missing, list) or not all(isinstance(each, str) for each in missing):
        return False
    if type(fields.get("memory")) is not int:
        return False
    if "reason" in fields:
        return fields["reason"] in _REASONS and isinstance(fields.get("message"), str)
    embedded = fields.get("embedded")
    return (
        fields.get("mime_type") == "image/jpeg"
        and picture.startswith(b"\xff\xd8\xff")
        and all(type(fields.get(side)) is int and fields[side] > 0 for side in ("width", "height"))
        and isinstance(fields.get("note"), str)
        and fields.get("media") in list(Media)
        and _is_duration(fields.get("duration_seconds"))
        and isinstance(embedded, dict)
        and embedded.keys() == EmbeddedText.__dataclass_fields__.keys()
        and all(isinstance(text, str) for text in embedded.values())
    )


def _is_duration(fields: object) -> bool:
    return fields is None or (isinstance(fields, int | float) and 0 <= fields < _LONGEST)


def too_many_pixels(width: int, height: int, limit: int) -> PermanentError:
    """The refusal of an image before it is decoded."""
    return PermanentError(
        "too_many_pixels",
        f"The image has {width} x {height} pixels; the limit is {limit}. Upload a smaller one, "
        "or raise CAPTION_MAX_PIXELS.",
    )

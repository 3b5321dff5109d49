"""FFmpeg, by PyAV: moments of a video, read where they stand in the file. Sound is not decoded."""

from __future__ import annotations

import re
import struct
import time
from collections.abc import Iterator
from typing import Any

import av

from functions.core.document import EmbeddedText, Media
from functions.core.errors import PermanentError
from functions.pictures.decoding import contact_sheet, moments
from functions.pictures.decoding.libvips import Decoded, bounded, pixels_of
from functions.pictures.decoding.moments import Moment
from functions.pictures.decoding.ranges import Ranges
from functions.pictures.embedded_text import words
from functions.pictures.structure import cicp

# Demuxers by kind; nothing else of FFmpeg's hundreds is tried.
_CONTAINERS = {
    "video/mp4": "mov",
    "video/quicktime": "mov",
    "video/webm": "matroska",
    "video/x-matroska": "matroska",
    "video/x-msvideo": "avi",
}
# Key frames that are looked at, evenly over a video, and frames of a pass through all of it,
# which follows where fewer key frames than a sheet has places were found.
_LOOKS, _STEPS = 24, 32
# Seconds: a pass looks this often at most; a video this short is passed through at once.
_STEP_SECONDS, _SHORT_SECONDS = 0.2, 8.0
# What finding the moments may take of the processor and, where storage is slow, of the clock.
_WORK_SECONDS, _CLOCK_SECONDS = 6.0, 30.0
# An index is read before anything else, and is in memory then: 2 hours have about 2 MiB.
_MOST_INDEX = 32 << 20
_MOST_BOXES = 32
_FRAGMENTS = {b"moof", b"sidx", b"styp", b"emsg", b"prft"}
# Bytes of a file in fragments up to which all of it may be read for where they begin: FFmpeg does
# that unless it is told not to.
_SCANNED = 16 << 20
_BOXES = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"uuid", b"meta", b"udta"}
_UPRIGHT = (1, 0, 0, 1)
_PQ, _HLG, _BT2020 = 16, 18, 9


def read(source: Ranges, kind: str, limit: int, side: int) -> Decoded:
    """A contact sheet of the video's moments, its longer side at most ``side``.

    Raises PermanentError for what has no pictures or is protected, av.FFmpegError and OSError for
    what cannot be read.
    """
    fragmented = _check(source, kind)
    source.seek(0)
    options = {"probesize": str(2 << 20), "analyzeduration": "2000000"}
    if fragmented and source.size > _SCANNED:
        options["fflags"] = "+ignidx"
    with av.open(
        source, "r", format=_CONTAINERS[kind], options=options, metadata_errors="ignore"
    ) as container:
        video = _Video(container, _stream(container), side)
        bounded(*video.upright, limit)
        seen = video.moments()
        if not seen and video.starved:
            raise MemoryError
        if not seen:
            raise PermanentError(
                "corrupt_image",
                "No picture of the video can be decoded: its data are damaged, or in a coding "
                f"({video.coding}) that no decoder here knows. Save it as MP4 (H.264).",
            )
        chosen = moments.chosen(seen)
        chosen = [Moment(each.time, each.look, video.coloured(each.image)) for each in chosen]
        sheet = contact_sheet.compose(chosen, side)
        picture = Decoded(
            pixels_of(sheet), *video.upright, contact_sheet.said(chosen, "video", video.seconds)
        )
        picture.media, picture.duration_seconds = Media.VIDEO, round(video.seconds, 3)
        picture.embedded = EmbeddedText(title=_title(container))
        return picture


class _Video:
    """An opened video and its stream of pictures."""

    def __init__(self, container: Any, stream: Any, side: int) -> None:
        self._container, self._stream, self._side = container, stream, max(1, side // 2)
        self._context = stream.codec_context
        self._context.thread_count = 1
        self._points = b"\2\2"
        # Whether a frame did not fit into the memory that there is.
        self.starved = False
        self._matrix: tuple[int, int, int, int] | None = None
        self._begun = time.process_time(), time.monotonic()
        self._start = float((stream.start_time or 0) * stream.time_base)
        told = stream.duration * stream.time_base if stream.duration else 0
        self.seconds = max(0.0, float(told or (container.duration or 0) / av.time_base))

    @property
    def coding(self) -> str:
        return str(self._context.name)

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height as a player shows them."""
        width, height = self._shape(self._context)
        turned = self._matrix and abs(self._matrix[1]) > abs(self._matrix[0])
        return (height, width) if turned else (width, height)

    def moments(self) -> list[Moment]:
        """Frames in order of time, as many as bounds on work and bytes allow."""
        found: dict[float, Moment] = {}
        if self.seconds > _SHORT_SECONDS:
            found = {each.time: each for each in self._key_moments()}
        if len(found) < moments.MOST and self._in_time():
            found |= {each.time: each for each in self._pass()}
        return [found[at] for at in sorted(found)]

    def coloured(self, image: Any) -> Any:
        """``image`` in sRGB, where the video has a high dynamic range or BT.2020's colours."""
        if self._points[1] not in (_PQ, _HLG) and self._points[0] != _BT2020:
            return image
        from PIL import Image

        shown = cicp.to_srgb(pixels_of(image), self._points)
        return Image.frombytes(image.mode, image.size, bytes(shown.write_to_memory()))

    def _key_moments(self) -> Iterator[Moment]:
        seen = set()
        for look in range(_LOOKS):
            if not self._in_time():
                return
            at = self._start + self.seconds * (look + 0.5) / _LOOKS
            try:
                packet = self._packet(at)
                if packet is None or packet.pts in seen:
                    continue
                seen.add(packet.pts)
                # The decoder is emptied: a frame may wait in it for those that come after.
                frames = [*self._context.decode(packet), *self._context.decode(None)]
            except av.FFmpegError as error:  # a damaged place; there are others
                self.starved |= isinstance(error, MemoryError)
                continue
            except OSError:  # no more may be read
                return
            if frames and (moment := self._moment(frames[0])):
                yield moment

    def _packet(self, at: float) -> Any:
        """The key frame before ``at``, not decoded yet."""
        self._container.seek(int(at / self._stream.time_base), stream=self._stream)
        for packet in self._container.demux(self._stream):
            if packet.size and packet.is_keyframe:
                return packet
        return None

    def _pass(self) -> list[Moment]:
        """Frames from the beginning on. Where there are many, every second one is dropped and the
        step becomes twice as long."""
        found: list[Moment] = []
        step, following, last = _STEP_SECONDS, float("-inf"), 0.0
        try:
            self._container.seek(int(self._start / self._stream.time_base), stream=self._stream)
            for frame in self._container.decode(self._stream):
                last = self._time(frame, last)
                if last >= following and (moment := self._moment(frame, last)):
                    found.append(moment)
                    following = last + step
                if len(found) > _STEPS:
                    found, step = found[::2], 2 * step
                if not self._in_time():
                    break
            else:  # all of it is known, and headers may lie
                self.seconds = last + self._frame_seconds
        except (av.FFmpegError, OSError) as error:
            self.starved |= isinstance(error, MemoryError)
        if not self.seconds:
            self.seconds = last
        return found

    @property
    def _frame_seconds(self) -> float:
        rate = self._stream.average_rate
        return float(1 / rate) if rate else 0.0

    def _time(self, frame: Any, otherwise: float) -> float:
        return otherwise if frame.time is None else max(0.0, frame.time - self._start)

    def _in_time(self) -> bool:
        worked, waited = time.process_time(), time.monotonic()
        return worked - self._begun[0] < _WORK_SECONDS and waited - self._begun[1] < _CLOCK_SECONDS

    def _moment(self, frame: Any, at: float = 0.0) -> Moment | None:
        if frame.is_corrupt:
            return None
        self._points = bytes((frame.color_primaries & 255, frame.color_trc & 255))
        if self._matrix is None:
            self._matrix = _matrix(frame)
        return moments.moment(self._time(frame, at), self._image(frame))

    def _image(self, frame: Any) -> Any:
        """The frame's pixels, small and upright."""
        width, height = self._shape(frame)
        scale = min(1.0, self._side / max(width, height))
        alpha = any(each.is_alpha for each in frame.format.components)
        # What players take for a video that does not say it.
        matrix = "itu709" if frame.colorspace == 2 and height >= 720 else None
        small = frame.reformat(
            max(1, round(width * scale)),
            max(1, round(height * scale)),
            "rgba" if alpha else "rgb24",
            src_colorspace=matrix,
            interpolation="AREA",
            threads=1,
        )
        image = small.to_image()
        return _turned(image, self._matrix or _UPRIGHT)

    def _shape(self, coded: Any) -> tuple[int, int]:
        """Width and height with square pixels."""
        aspect = self._stream.sample_aspect_ratio or 1
        return max(1, round(coded.width * aspect)), coded.height


def _matrix(frame: Any) -> tuple[int, int, int, int]:
    """How a player turns the stream. To be read of one frame only: a frame whose side data were
    looked at is part of a cycle, and its pixels stay until that is collected."""
    for told in frame.side_data:
        if told.type.name == "DISPLAYMATRIX":
            numbers = struct.unpack("=9i", bytes(told)[:36])
            return numbers[0], numbers[1], numbers[3], numbers[4]
    return _UPRIGHT


def _turned(image: Any, matrix: tuple[int, int, int, int]) -> Any:
    """``image`` as a display matrix (ISO/IEC 14496-12, 6.2.2) says, by the nearest right angle."""
    from PIL import Image

    way = Image.Transpose
    a, b, c, d = matrix
    if abs(b) > abs(a):
        turn = {
            (True, True): way.TRANSPOSE,
            (True, False): way.ROTATE_270,
            (False, True): way.ROTATE_90,
            (False, False): way.TRANSVERSE,
        }[b > 0, c > 0]
        return image.transpose(turn)
    if a < 0:
        return image.transpose(way.ROTATE_180 if d < 0 else way.FLIP_LEFT_RIGHT)
    return image.transpose(way.FLIP_TOP_BOTTOM) if d < 0 else image


def _stream(container: Any) -> Any:
    """The stream of pictures; all others are left unread."""
    found = [
        each
        for each in container.streams.video
        if each.codec_context and not each.disposition & av.stream.Disposition.attached_pic
    ]
    if not found:
        raise PermanentError(
            "unsupported_type",
            "The file holds no moving pictures that a decoder here knows, sound alone perhaps. "
            "Upload a video as MP4 (H.264) or WebM.",
        )
    best = max(found, key=lambda each: (each.width or 0) * (each.height or 0))
    for each in container.streams:
        if each.index != best.index:
            each.discard = av.stream.Discard.all
    return best


def _title(container: Any) -> str:
    return words.tidy(container.metadata.get("title", ""), 200)


def _check(source: Ranges, kind: str) -> bool:
    """Whether a file is in fragments. Raises PermanentError for one that is protected, cut off, or
    all index or none."""
    fragmented, protected = False, None
    if _CONTAINERS[kind] == "avi":
        size = int.from_bytes(source.exactly(0, 8)[4:], "little")
        end = 8 + size if size != 0xFFFFFFFF else 0  # not told by what is still recording
    elif _CONTAINERS[kind] == "matroska":
        head = source.exactly(0, 64 << 10)
        end = _segment_end(head)
        protected = re.search(rb"\x50\x35[\x80-\xff].{0,3}\x47\xe1\x81", head, re.DOTALL)
    else:
        end, index, fragmented = _boxes(source)
        if not index[1] and end <= source.size:
            raise PermanentError(
                "corrupt_image",
                "The video has no index (moov): it was cut off, or never ended. Upload it again.",
            )
        if index[1] - index[0] > _MOST_INDEX:
            raise PermanentError(
                "too_large",
                f"The video's index alone has {index[1] - index[0]} bytes. Save it again in "
                "another program.",
            )
        protected = re.search(
            rb"stsd.{12}encv",
            source.exactly(index[0], min(index[1] - index[0], 4 << 20)),
            re.DOTALL,
        )
    if end > source.size:
        raise PermanentError(
            "corrupt_image",
            f"The video ends too early: it should have {end} bytes and has {source.size}. Upload "
            "it again.",
        )
    if protected:
        raise PermanentError(
            "unsupported_type",
            "The video is protected (encrypted), and only its players can show it. Upload it "
            "without protection.",
        )
    return fragmented


def _boxes(source: Ranges) -> tuple[int, tuple[int, int], bool]:
    """Where the boxes of an MP4 file end, where its index begins and ends, and whether fragments
    follow."""
    at, index = 0, (0, 0)
    for _ in range(_MOST_BOXES):
        head = source.exactly(at, 16)
        if len(head) < 8:
            break
        size, name = int.from_bytes(head[:4], "big"), head[4:8]
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        end = at + size if size >= 8 else source.size
        if name == b"moov":
            index = at, min(end, source.size)
        unknown = name not in _BOXES
        if name in _FRAGMENTS or (unknown and (index[1] or end > source.size)):
            break  # what follows an index is fragments, or what something else has appended
        if end > source.size:
            return end, index, False
        at = end
    else:
        name = b""
    return at, index, name in _FRAGMENTS


def _segment_end(head: bytes) -> int:
    """Where the Segment of a Matroska file ends; 0 where that is not told (RFC 8794)."""
    at = head.find(b"\x18\x53\x80\x67") + 4
    if at < 4 or at >= len(head) or not head[at]:
        return 0
    length = 9 - head[at].bit_length()
    size = int.from_bytes(head[at : at + length], "big") & ((1 << 7 * length) - 1)
    unknown = size == (1 << 7 * length) - 1
    return 0 if unknown else at + length + size

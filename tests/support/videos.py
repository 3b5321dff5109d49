"""Videos for the tests, made here with the library that reads them: tiny, and quick to encode."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

RED, GREEN, BLUE, YELLOW = (200, 30, 30), (30, 170, 60), (40, 60, 200), (220, 200, 40)
COLOURS = (RED, GREEN, BLUE, YELLOW, (200, 60, 200), (60, 200, 200), (240, 240, 240), (120, 80, 40))


def scene(colour: tuple[int, int, int], size: tuple[int, int] = (96, 64), at: float = 0.5) -> Any:
    """A frame: a ground of ``colour``, a white bar at the top and a dark square ``at`` that share
    of its width."""
    image = Image.new("RGB", size, colour)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, size[0], size[1] // 4), fill=(250, 250, 250))
    left = at * size[0] * 0.75
    draw.rectangle((left, size[1] // 2, left + size[0] // 4, size[1] - 1), fill=(20, 20, 20))
    return image


def cuts(count: int, frames_each: int = 8, size: tuple[int, int] = (96, 64)) -> list[Any]:
    """The frames of ``count`` scenes, each of another colour."""
    colours = (COLOURS[i % len(COLOURS)] for i in range(count))
    return [frame for each in colours for frame in [scene(each, size)] * frames_each]


def mp4(frames: Iterable[Any] | None = None, **options: Any) -> bytes:
    """An MP4 file in H.264; see :func:`encoded`."""
    return encoded(cuts(4) if frames is None else frames, "mp4", "libx264", **options)


def webm(frames: Iterable[Any] | None = None, **options: Any) -> bytes:
    """A WebM file in VP8."""
    return encoded(cuts(4) if frames is None else frames, "webm", "libvpx", **options)


def encoded(
    frames: Iterable[Any],
    container: str,
    codec: str,
    *,
    rate: float = 8,
    rotation: int = 0,
    matrix: Sequence[float] = (),
    metadata: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    codec_options: dict[str, str] | None = None,
    pix_fmt: str = "yuv420p",
    key_every: int = 12,
    aspect: Fraction | None = None,
    sound: bool = False,
) -> bytes:
    """A file of ``frames`` (Pillow images), ``rate`` a second, without sound unless ``sound``."""
    import av

    frames = iter(frames)
    first = next(frames)
    quick = {"libx264": {"preset": "ultrafast"}, "libvpx": {"deadline": "realtime"}}
    with (
        tempfile.NamedTemporaryFile() as file,
        av.open(file.name, "w", format=container, options=container_options or {}) as made,
    ):
        fraction = Fraction(rate).limit_denominator(100_000)
        stream: Any = made.add_stream(
            codec, rate=fraction, options={**quick.get(codec, {}), **(codec_options or {})}
        )
        stream.width, stream.height = first.size
        stream.pix_fmt = pix_fmt
        stream.codec_context.gop_size = key_every
        stream.codec_context.thread_count = 1
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        if rotation:
            stream.set_display_rotation(rotation)
        if matrix:
            stream.set_display_matrix(matrix)
        audio: Any = made.add_stream("aac", rate=8000) if sound else None
        made.metadata.update(metadata or {})
        for image in _all(first, frames):
            for packet in stream.encode(av.VideoFrame.from_image(image)):
                made.mux(packet)
        for packet in stream.encode():
            made.mux(packet)
        if audio:
            _silence(made, audio)
        made.close()
        return Path(file.name).read_bytes()


def sound_only() -> bytes:
    """An MP4 file with sound and no picture."""
    import av

    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as made:
        _silence(made, made.add_stream("aac", rate=8000))
    return buffer.getvalue()


def _silence(made: Any, stream: Any) -> None:
    import av

    frame = av.AudioFrame(format="fltp", layout="mono", samples=1024)
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    frame.sample_rate, frame.pts = 8000, 0
    for packet in [*stream.encode(frame), *stream.encode(None)]:
        made.mux(packet)


def _all(first: Any, others: Iterable[Any]) -> Iterable[Any]:
    yield first
    yield from others

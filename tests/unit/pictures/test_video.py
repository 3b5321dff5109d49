"""Moments of videos: which, how they look, what they cost, and what is refused."""

from __future__ import annotations

import gc
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import pytest
from PIL import Image

from functions import pictures
from functions.core.document import Accepts, Media
from functions.core.errors import Gone, PermanentError
from functions.pictures.decoding import decoders, video
from functions.pictures.decoding.ranges import Ranges
from functions.pictures.kinds import sniff
from tests.support import videos

JPEG = Accepts(frozenset({"image/jpeg"}), 15 << 20, 8192)
LIMIT = 200_000_000
FAST = {"movflags": "faststart"}


@dataclass
class Watched:
    """What was made of a video, and what of it was read."""

    picture: Any
    read: int

    @property
    def times(self) -> list[str]:
        told = re.search(r"at ([\d:., ]+);", self.picture.note)
        return told[1].split(", ") if told else []

    def colours(self) -> list[Any]:
        """The colour of the ground in each moment, in reading order."""
        image = _pillow(self.picture.image)
        columns, rows, width, height = _grid(image, len(self.times) or 1, self.picture)
        return [
            image.getpixel((int((c + 0.06) * width), int((r + 0.4) * height)))
            for r in range(rows)
            for c in range(columns)
        ][: len(self.times) or 1]


def watch(data: bytes, limit: int = LIMIT, most: int = 1 << 30) -> Watched:
    """A video, read here and not in a process of its own."""
    read = [0]

    def fetch(start: int, end: int) -> bytes:
        read[0] += end - start
        if read[0] > most:
            raise OSError("no more of the file may be read")
        return data[start:end]

    kind = sniff(data[:4096])
    assert kind
    return Watched(video.read(Ranges(len(data), fetch), kind, limit, 1536), read[0])


def refused(data: bytes) -> tuple[str, str]:
    """Why a video is refused, through a decoder's process."""
    with pytest.raises(PermanentError) as raised:
        pictures.prepare(data, JPEG, LIMIT)
    assert raised.value.message.endswith(".")
    return raised.value.reason, raised.value.message


def near(one: Sequence[int], other: Sequence[int]) -> bool:
    return all(abs(a - b) < 25 for a, b in zip(one, other, strict=True))


def _pillow(image: Any) -> Image.Image:
    return Image.frombytes("RGB", (image.width, image.height), bytes(image.write_to_memory()))


def _grid(image: Image.Image, count: int, picture: Any) -> tuple[int, int, float, float]:
    """Columns and rows of a sheet, and how far apart its moments are."""
    for columns in range(1, count + 1):
        rows = -(-count // columns)
        width, height = (image.width + 8) / columns, (image.height + 8) / rows
        shape = (width - 8) / max(1.0, height - 8 - (28 if count > 1 else 0))
        if abs(shape / (picture.width / picture.height) - 1) < 0.1:
            return columns, rows, width, height
    raise AssertionError("moments of another shape than the video's")


@pytest.mark.parametrize("make", [videos.mp4, videos.webm])
def test_each_scene_is_shown_in_its_order_with_its_time(make: Any) -> None:
    watched = watch(make(videos.cuts(4, size=(160, 120))))
    assert len(watched.times) == 4
    assert watched.times == sorted(watched.times)
    shown = watched.colours()
    for colour, expected in zip(shown, videos.COLOURS[:4], strict=True):
        assert near(colour, expected)
    assert watched.picture.media is Media.VIDEO
    assert watched.picture.duration_seconds == pytest.approx(4.0, abs=0.2)
    assert (watched.picture.width, watched.picture.height) == (160, 120)


def test_a_short_scene_between_long_ones_is_not_missed() -> None:
    red, blue = videos.scene(videos.RED), videos.scene(videos.BLUE)
    watched = watch(videos.mp4([*[red] * 30, *[blue] * 3, *[red] * 30], key_every=250))
    assert len(watched.times) == 3
    assert any(near(colour, videos.BLUE) for colour in watched.colours())


def test_of_many_scenes_nine_are_shown() -> None:
    assert len(watch(videos.mp4(videos.cuts(20, frames_each=8))).times) == 9


@pytest.fixture(scope="module")
def long() -> bytes:
    """Two hours in 23 MB: 400 pictures, one every 18 seconds, the index at the beginning."""
    frames = (videos.scene(videos.COLOURS[i // 16 % 8], (160, 120)) for i in range(400))
    options: dict[str, Any] = {"pix_fmt": "rgb24", "container_options": FAST}
    return videos.encoded(frames, "mov", "rawvideo", rate=1 / 18, **options)


def test_two_hours_cost_their_moments(long: bytes) -> None:
    watched = watch(long)
    assert watched.picture.duration_seconds == pytest.approx(7200, abs=60)
    assert len(watched.times) == 9
    assert watched.times[-1] > "1:30:00"
    assert watched.read < len(long) / 4


def test_a_video_without_key_frames_is_passed_through() -> None:
    watched = watch(videos.mp4(videos.cuts(4, frames_each=30), key_every=1000, rate=8))
    assert len(watched.times) == 4


@pytest.mark.parametrize(
    ("options", "size", "corner"),
    [
        ({}, (96, 64), (250, 250, 250)),
        ({"rotation": 90}, (64, 96), videos.RED),
        ({"rotation": 180}, (96, 64), videos.RED),
        ({"rotation": 270}, (64, 96), (250, 250, 250)),
        # mirrored upside down
        ({"matrix": (65536, 0, 0, 0, -65536, 0, 0, 0, 1 << 30)}, (96, 64), videos.RED),
    ],
)
def test_a_video_is_shown_as_its_display_matrix_says(
    options: dict[str, Any], size: tuple[int, int], corner: tuple[int, int, int]
) -> None:
    picture = watch(videos.mp4([videos.scene(videos.RED)] * 3, **options)).picture
    assert (picture.width, picture.height) == size
    image = _pillow(picture.image)
    assert image.size == size
    assert near(image.getpixel((size[0] - 2, 2)), corner)  # type: ignore[arg-type]


def test_pixels_that_are_not_square_are_shown_square() -> None:
    picture = watch(videos.mp4([videos.scene(videos.RED)] * 3, aspect=Fraction(2, 1))).picture
    assert (picture.width, picture.height) == (192, 64)


@pytest.mark.parametrize(
    ("container", "codec", "more"),
    [
        ("mp4", "mpeg4", {}),
        ("webm", "libvpx-vp9", {"codec_options": {"deadline": "realtime", "cpu-used": "8"}}),
        ("matroska", "libx264", {"codec_options": {"preset": "ultrafast"}}),
        ("avi", "mpeg4", {}),
        ("avi", "mjpeg", {"pix_fmt": "yuvj420p"}),
        ("mov", "prores_ks", {"pix_fmt": "yuv422p10le"}),
        ("mov", "qtrle", {"pix_fmt": "argb"}),
    ],
)
def test_a_video_is_shown_in_whatever_coding(container: str, codec: str, more: Any) -> None:
    watched = watch(videos.encoded(videos.cuts(3), container, codec, **more))
    shown = watched.colours()
    assert all(near(one, other) for one, other in zip(shown, videos.COLOURS[:3], strict=True))


def test_a_high_dynamic_range_is_mapped() -> None:
    points = {"color_primaries": "bt2020", "color_trc": "smpte2084", "colorspace": "bt2020nc"}
    options: dict[str, Any] = {
        "codec_options": {"preset": "ultrafast", **points},
        "pix_fmt": "yuv420p10le",
    }
    plain = watch(videos.encoded(videos.cuts(1), "mp4", "libx264"))
    bright = watch(videos.encoded(videos.cuts(1), "mp4", "libx264", **options))
    assert not near(bright.colours()[0], plain.colours()[0])


def test_frames_that_were_looked_at_are_let_go() -> None:
    data = videos.mp4(videos.cuts(4, frames_each=20))
    gc.collect()
    gc.disable()
    try:
        watch(data)
        alive = sum(isinstance(each, av.VideoFrame) for each in gc.get_objects())
    finally:
        gc.enable()
    assert alive < 4


def test_sound_is_passed_over() -> None:
    assert watch(videos.mp4(sound=True)).picture.note == watch(videos.mp4()).picture.note


def test_one_frame_is_one_picture() -> None:
    watched = watch(videos.mp4([videos.scene(videos.GREEN)]))
    assert "One moment of one video" in watched.picture.note
    assert near(watched.colours()[0], videos.GREEN)


def test_a_live_recording_without_length_is_read_to_its_end() -> None:
    data = videos.webm(container_options={"live": "1"})
    assert watch(data).picture.duration_seconds == pytest.approx(4.0, abs=0.3)


def test_a_fragmented_video_is_shown() -> None:
    data = videos.mp4(container_options={"movflags": "frag_keyframe+empty_moov"})
    assert len(watch(data).times) == 4


def test_an_old_quicktime_file_without_a_type_is_shown() -> None:
    data = videos.encoded(videos.cuts(2), "mov", "mjpeg", pix_fmt="yuvj420p")
    typed = int.from_bytes(data[:4], "big")
    assert sniff(data[typed:]) == "video/quicktime"


def test_a_title_is_kept_and_a_place_is_not() -> None:
    told = {"title": "Harbour at dawn", "location": "+52.5200+013.4050/", "comment": "at home"}
    data = videos.encoded(videos.cuts(2), "mov", "libx264", metadata=told)
    assert b"+52.5200" in data
    picture = pictures.prepare(data, JPEG, LIMIT)
    assert picture.embedded.title == "Harbour at dawn"
    assert not re.search(rb"52\.52|home|Harbour", picture.data)
    assert (picture.mime_type, picture.media) == ("image/jpeg", Media.VIDEO)


def test_sound_alone_is_no_video() -> None:
    assert refused(videos.sound_only())[0] == "unsupported_type"


@pytest.mark.parametrize("left", [0.2, 0.5, 0.99])
@pytest.mark.parametrize("options", [{}, {"container_options": FAST}])
def test_a_video_that_ends_too_early_is_refused(left: float, options: dict[str, Any]) -> None:
    data = videos.mp4(**options)
    reason, message = refused(data[: int(len(data) * left)])
    assert reason == "corrupt_image"
    assert "too early" in message


def test_a_webm_that_ends_too_early_is_refused() -> None:
    assert "too early" in refused(videos.webm()[:-200])[1]
    assert "too early" in refused(videos.encoded(videos.cuts(2), "avi", "mpeg4")[:-200])[1]


def test_a_protected_video_is_refused_as_such() -> None:
    data = videos.mp4(container_options={"encryption_scheme": "cenc-aes-ctr",
                                         "encryption_key": "0" * 32,
                                         "encryption_kid": "1" * 32})  # fmt: skip
    reason, message = refused(data)
    assert (reason, "protected" in message) == ("unsupported_type", True)


def test_damaged_data_are_refused_or_shown_as_far_as_they_go() -> None:
    data = bytearray(videos.mp4(container_options=FAST))
    begin = data.find(b"mdat") + 8
    data[begin:] = bytes(len(data) - begin)
    assert refused(bytes(data))[0] == "corrupt_image"


def test_an_index_without_an_end_is_refused() -> None:
    data = videos.mp4(container_options=FAST)
    at = data.find(b"moov") - 4
    endless = data[:at] + b"\x7f\xff\xff\xff" + data[at + 4 :]
    assert refused(endless)[0] in {"corrupt_image", "too_large"}


def test_boxes_without_end_and_without_an_index_are_refused_at_once() -> None:
    data = videos.mp4()[:32] + b"\0\0\0\x08free" * 100_000
    with pytest.raises(PermanentError, match="no index"):
        watch(data, most=200_000)


def test_a_box_that_nobody_knows_before_the_index_is_passed_over() -> None:
    data = videos.mp4()
    odd = b"\0\0\0\x10gsst" + bytes(8)
    at = data.find(b"moov") - 4
    assert len(watch(data[:at] + odd + data[at:]).times) == 4


def test_of_a_large_video_in_fragments_the_beginning_is_shown() -> None:
    data = videos.mp4(container_options={"movflags": "frag_keyframe+empty_moov"})
    begin, end = data.find(b"moof") - 4, data.find(b"mfra") - 4
    fragments = data[begin:end] * (20_000_000 // (end - begin))
    watched = watch(data[:begin] + fragments, most=4 << 20)
    assert watched.times
    assert watched.read <= 6 << 20


def test_a_video_of_too_many_pixels_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(PermanentError) as raised:
        watch(videos.mp4(), limit=1000)
    assert raised.value.reason == "too_many_pixels"


def test_what_may_not_be_read_is_not_shown_and_the_rest_is(long: bytes) -> None:
    watched = watch(long, most=2 << 20)
    assert 0 < len(watched.times) <= 9
    assert watched.picture.duration_seconds == pytest.approx(7200, abs=60)


def test_a_decoders_process_reads_what_its_parent_gives_and_no_more() -> None:
    data = videos.mp4()
    remote = pictures.Remote(len(data), lambda start, end: data[start:end], 1 << 20)
    assert pictures.watch(remote, "video/mp4", JPEG, LIMIT).duration_seconds == 4
    assert remote.read == len(data)

    scant = pictures.Remote(len(data), lambda start, end: data[start:end], most_bytes=100)
    with pytest.raises(PermanentError):
        pictures.watch(scant, "video/mp4", JPEG, LIMIT)
    assert scant.read == 0


def test_a_video_that_goes_away_while_it_is_read_is_gone() -> None:
    def gone(_start: int, _end: int) -> bytes:
        raise Gone

    with pytest.raises(Gone):
        pictures.watch(pictures.Remote(1000, gone, 1 << 20), "video/mp4", JPEG, LIMIT)
    assert decoders._projectors._free == [None]


def test_images_need_no_ffmpeg() -> None:
    decoders.close()
    image = io.BytesIO()
    Image.new("RGBA", (9, 9), (1, 2, 3, 4)).save(image, "PNG")
    pictures.prepare(image.getvalue(), JPEG, LIMIT)
    (decoder,) = filter(None, decoders._pool._free)
    with open(f"/proc/{decoder._process.pid}/maps", encoding="ascii") as maps:
        assert "libavcodec" not in maps.read()

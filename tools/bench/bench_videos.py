"""Time, bytes read and peak memory of finding a video's moments.

``python -m tools.bench.bench_videos [--large]``

Each row comes from a process of its own: processor time of it and its decoder, what was read of the
file, and the high-water mark of memory of both (shared pages counted once). ``--large`` adds a file
of 2 GB.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tools.bench.bench_pictures import Watch  # noqa: E402


def panned(scenes: int, each: int, size: tuple[int, int]) -> Iterator[Any]:
    """Frames of ``scenes``, in each of which the picture moves to the left."""
    from PIL import Image

    from tests.support import videos

    base = Image.effect_mandelbrot(size, (-2, -1.5, 1, 1.5), 40).convert("RGB")
    for number in range(scenes):
        colour = Image.new("RGB", size, videos.COLOURS[number % len(videos.COLOURS)])
        picture = Image.blend(base, colour, 0.5)
        for step in range(each):
            shift = step * 4 % (size[0] // 2)
            yield picture.transform(size, Image.Transform.AFFINE, (1, 0, shift, 0, 1, 0))


def samples(large: bool) -> dict[str, tuple[tuple[int, int, tuple[int, int]], dict[str, Any]]]:
    """Scenes, frames in each and size; and how they are encoded."""
    h264 = {"container": "mp4", "codec": "libx264", "codec_options": {"preset": "ultrafast"}}
    vp9 = {"deadline": "realtime", "cpu-used": "8"}
    raw = {"container": "mov", "codec": "rawvideo", "pix_fmt": "rgb24", "rate": 1 / 3}
    rows: dict[str, tuple[tuple[int, int, tuple[int, int]], dict[str, Any]]] = {
        "10 s, 1080p, H.264": ((5, 60, (1920, 1080)), h264 | {"rate": 30, "key_every": 60}),
        "10 s, 720p, VP9": (
            (5, 48, (1280, 720)),
            {"container": "webm", "codec": "libvpx-vp9", "codec_options": vp9, "rate": 24},
        ),
        "2 s, 4K, one key frame": ((3, 20, (3840, 2160)), h264 | {"rate": 30, "key_every": 999}),
        "1 s, 8K": ((2, 4, (7680, 4320)), h264 | {"rate": 8, "key_every": 999}),
        "2 h, 180p": ((12, 600, (320, 180)), h264 | {"rate": 1, "key_every": 10}),
    }
    if large:
        rows["2 h, 480p, uncompressed"] = ((12, 200, (640, 480)), raw)
    return rows


def measured(path: Path) -> dict[str, Any]:
    """One row, of a fresh process."""
    import resource

    from functions import pictures
    from functions.core.document import Accepts
    from functions.pictures.decoding import decoders

    accepts = Accepts(frozenset({"image/jpeg"}), 14 << 20, 8192)
    with path.open("rb") as file:

        def fetch(start: int, end: int) -> bytes:
            file.seek(start)
            return file.read(end - start)

        video = pictures.Remote(path.stat().st_size, fetch, 64 << 20)
        started = time.perf_counter()
        with Watch() as watch:
            kind = pictures.sniff(fetch(0, 4096)) or ""
            picture = pictures.watch(video, kind, accepts, 200_000_000)
        clock = time.perf_counter() - started
    decoders.close()
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {
        "note": picture.note,
        "clock": clock,
        "worked": used[1].ru_utime + used[1].ru_stime,
        "read": video.read,
        "peak": watch.peak,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--one", type=Path)
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(measured(chosen.one)))
        return
    from tests.support import videos

    print("| video | file | moments | decoder's processor time | read | memory |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, (shape, options) in samples(chosen.large).items():
            path = Path(folder, "sample")
            path.write_bytes(videos.encoded(panned(*shape), **options))
            command = [sys.executable, __file__, "--one", str(path)]
            row = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
            shown = row["note"].split(" moments")[0].rpartition(" ")[2]
            print(
                f"| {name} | {path.stat().st_size / 1e6:.1f} MB | {shown} | {row['worked']:.2f} s "
                f"| {row['read'] / 1e6:.1f} MB | {row['peak'] / 1e6:.0f} MB |",
                flush=True,
            )


if __name__ == "__main__":
    main()

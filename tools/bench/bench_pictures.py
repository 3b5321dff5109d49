"""Time and peak memory of preparing a picture, beside the plain way.

``python tools/bench/bench_pictures.py [--sizes 1,12,100] [--mix]``

Each figure comes from a process of its own: the median of a few runs' processor time, and the
high-water mark of memory (shared pages counted once) of the process and its decoder, the file
included.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

SIZES = {1: (1224, 816), 12: (4032, 3024), 100: (11584, 8640)}
FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    "JPEG": ("JPEG", {"quality": 85}),
    "JPEG, orientation 6": ("JPEG", {"quality": 85, "turned": True}),
    "JPEG, progressive": ("JPEG", {"quality": 85, "progressive": True}),
    "JPEG, other profile": ("JPEG", {"quality": 85, "turned": True, "profile": True}),
    "JPEG, CMYK": ("JPEG", {"quality": 85, "mode": "CMYK"}),
    "PNG": ("PNG", {"compress_level": 4}),
    "PNG, transparent": ("PNG", {"compress_level": 4, "mode": "RGBA"}),
    "WebP": ("WEBP", {"quality": 85, "method": 0}),
    "AVIF": ("AVIF", {"quality": 55, "speed": 9}),
    "HEIC": ("HEIF", {"quality": 50}),
    "GIF": ("GIF", {"mode": "P"}),
    "TIFF, LZW": ("TIFF", {"compression": "tiff_lzw"}),
    "BMP": ("BMP", {}),
    "JPEG XL": ("JXL", {"quality": 85, "effort": 3}),
    "TGA": ("TGA", {}),
    "PPM": ("PPM", {}),
    "JPEG 2000": ("JPEG2000", {"quality_mode": "rates", "quality_layers": [20]}),
    "SVG": ("SVG", {}),
}
# WebP ends at 16,383 pixels a side, and encoding the others at 100 MP takes minutes.
NOT_AT_100 = {"AVIF", "JPEG XL", "TGA", "PPM", "HEIC", "JPEG 2000", "SVG"}


def draw(path: Path, name: str, megapixels: int) -> None:
    """Write the sample file of one format and size."""
    from PIL import Image

    from tests.support import drawn

    kind, options = FORMATS[name]
    if kind == "JXL":
        import pillow_jxl  # noqa: F401
    if kind == "SVG":
        path.write_bytes(drawn.svg('<circle cx="99" cy="99" r="40"/>' * (500 * megapixels)))
        return
    options = dict(options)
    image: Image.Image = drawn.noise(SIZES[megapixels])
    mode = options.pop("mode", "RGB")
    if mode == "RGBA":
        image.putalpha(image.getchannel(0))
    elif mode == "P":
        image = image.quantize(64, dither=Image.Dither.NONE)
    elif mode != "RGB":
        image = image.convert(mode)
    if options.pop("turned", False):
        options["exif"] = drawn.exif(6)
    if options.pop("profile", False):
        options["icc_profile"] = drawn.swapped_profile()
    Image.MAX_IMAGE_PIXELS = None
    path.write_bytes(drawn.encoded(image, kind, **options))


def plain(data: bytes) -> int:
    """Open, convert, resize, save: what the usual sample does."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = None
    if data[4:8] == b"ftyp" and b"hei" in data[8:24]:
        import pillow_heif

        pillow_heif.register_heif_opener()
    elif b"JXL " in data[:12] or data[:2] == b"\xff\n":
        import pillow_jxl  # noqa: F401
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    image.thumbnail((1536, 1536))
    target = io.BytesIO()
    image.save(target, "JPEG", quality=85)
    return len(target.getvalue())


def ours(data: bytes, types: frozenset[str]) -> int:
    """What the function does."""
    from functions import pictures
    from functions.core.document import Accepts

    return len(pictures.prepare(data, Accepts(types, 100 << 20, 20_000), 200_000_000).data)


GEMINI = frozenset({"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"})
WAYS = {
    "plain": plain,
    "decoded": lambda data: ours(data, frozenset()),
    "as Gemini gets it": lambda data: ours(data, GEMINI),
}


class Watch:
    """The high-water mark of this process and its children."""

    def __init__(self, pause: float = 0.01) -> None:
        import psutil

        self._pause = pause
        self._process = psutil.Process()
        self._error = psutil.Error
        self.peak = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._done.is_set():
            total = 0
            for process in (self._process, *self._process.children()):
                try:
                    total += process.memory_full_info().pss
                except self._error:
                    continue
            self.peak = max(self.peak, total)
            self._done.wait(self._pause)


def processor() -> float:
    """Seconds of processor time of this process and its decoder: others' load does not count."""
    import psutil

    total = 0.0
    for process in (me := psutil.Process(), *me.children()):
        times = process.cpu_times()
        total += times.user + times.system
    return total


def measure(path: Path, way: str) -> None:
    """One way on one file; a line of JSON."""
    data = path.read_bytes()
    times = []
    try:
        for _ in range(3 if path.stat().st_size > 20 << 20 else 6):
            started = processor()
            size = WAYS[way](data)
            times.append(processor() - started)
        # The first run starts a decoder or imports Pillow; memory is watched in a run of its own.
        with Watch() as watch:
            WAYS[way](data)
    except Exception as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}"[:60]}))
        return
    milliseconds = 1000 * statistics.median(times[1:])
    print(json.dumps({"ms": milliseconds, "mb": watch.peak / 1e6, "out": size}))


def table(sizes: list[int]) -> None:
    """All formats at all sizes."""
    print("| format | MP | file MB | plain | decoded here | as Gemini gets it |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name in FORMATS:
            for megapixels in sizes:
                if megapixels == 100 and name in NOT_AT_100:
                    continue
                path = Path(folder) / "sample"
                _apart("draw", str(path), name, str(megapixels))
                cells = [_cell(json.loads(_apart("one", str(path), way))) for way in WAYS]
                megabytes = path.stat().st_size / 1e6
                print(
                    f"| {name} | {megapixels} | {megabytes:.1f} | {' | '.join(cells)} |", flush=True
                )


def _cell(figures: dict[str, Any]) -> str:
    if "error" in figures:
        return f"– ({figures['error']})"
    return f"{figures['ms']:.1f} ms, {figures['mb']:.0f} MB"


def _apart(*arguments: str) -> str:
    command = [sys.executable, __file__, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def mix(events: int = 80) -> None:
    """80 phone photos at once that all need decoding: half turned JPEG, half turned HEIC."""
    with tempfile.TemporaryDirectory() as folder:
        jpeg, heic = Path(folder) / "jpeg", Path(folder) / "heic"
        _apart("draw", str(jpeg), "JPEG, orientation 6", "12")
        _apart("draw", str(heic), "HEIC", "12")
        for way in ("plain", "decoded"):
            print(_apart("mix-one", str(jpeg), str(heic), way, str(events)), end="", flush=True)


def mix_one(jpeg: Path, heic: Path, way: str, events: int) -> None:
    """The mix in one way, in this process."""
    files = [jpeg, heic]

    def event(number: int) -> None:
        WAYS[way](files[number % 2].read_bytes())

    threads = [threading.Thread(target=event, args=(n,)) for n in range(events)]
    started = time.perf_counter()
    with Watch(pause=0.2) as watch:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    seconds = time.perf_counter() - started
    print(
        f"{events} photos of 12 MP at once, {way}: {seconds:.1f} s, {events / seconds:.1f} a "
        f"second, peak {watch.peak / 1e6:.0f} MB"
    )


def main(arguments: list[str]) -> None:
    """The table, or one of the parts that run in a process of their own."""
    match arguments:
        case ["draw", path, name, megapixels]:
            draw(Path(path), name, int(megapixels))
        case ["one", path, way]:
            measure(Path(path), way)
        case ["mix-one", jpeg, heic, way, events]:
            mix_one(Path(jpeg), Path(heic), way, int(events))
        case _:
            parser = argparse.ArgumentParser(description=__doc__)
            parser.add_argument("--sizes", default="1,12,100")
            parser.add_argument("--mix", action="store_true", help="only 80 photos at once")
            parser.add_argument("--events", type=int, default=80)
            options = parser.parse_args(arguments)
            if options.mix:
                mix(options.events)
            else:
                table([int(size) for size in options.sizes.split(",")])


if __name__ == "__main__":
    main(sys.argv[1:])

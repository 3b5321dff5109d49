"""Prepare every image file in some folders, and files made to hurt; count what comes out.

``python -m tools.bench.sweep_pictures [--no-hostile] [--judge] FOLDER...``

With ``--judge`` other programs compare what comes out with what went in (see ``judges``).
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from functions import pictures  # noqa: E402
from functions.core.document import Accepts, Picture  # noqa: E402
from functions.core.errors import PermanentError  # noqa: E402
from tests.support import drawn  # noqa: E402
from tools.bench import judges  # noqa: E402

GEMINI = Accepts(
    frozenset({"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"}), 15 << 20, 8192
)
ENDINGS = {
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".avif", ".heic", ".heif", ".gif",
    ".tif", ".tiff", ".bmp", ".dib", ".ico", ".cur", ".jp2", ".j2k", ".jpx", ".svg", ".svgz",
    ".mpo", ".psd", ".xpm", ".ppm", ".pgm", ".pbm", ".pcx", ".tga", ".eps", ".jxl", ".pdf",
    ".pnm", ".dng", ".nef", ".cr2", ".arw",
}  # fmt: skip


def stored(folders: list[str]) -> Iterator[tuple[str, bytes]]:
    """Image files by their names' endings, each content once."""
    seen = set()
    for folder in folders:
        for where, _, names in os.walk(folder):
            for name in names:
                path = Path(where) / name
                if path.suffix.lower() not in ENDINGS or path.is_symlink() or not path.is_file():
                    continue
                data = path.read_bytes()
                digest = hashlib.sha256(data).digest()
                if digest not in seen:
                    seen.add(digest)
                    yield str(path), data


def hostile() -> Iterator[tuple[str, bytes]]:
    """Truncated, flipped, sewn together and oversized; the same ones in every run."""
    chance = random.Random(7)
    files = {
        kind: drawn.encoded(drawn.quarters((200, 120)), kind)
        for kind in ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF", "BMP", "ICO", "JPEG2000")
    }
    files |= {"HEIC": drawn.heic(), "SVG": drawn.svg(), "animation": drawn.animation("GIF")}
    for kind, data in files.items():
        for i in range(40):
            yield f"truncated {kind} {i}", data[: chance.randrange(len(data))]
            broken = bytearray(data)
            for _ in range(chance.randrange(1, 9)):
                broken[chance.randrange(len(broken))] = chance.randrange(256)
            yield f"flipped {kind} {i}", bytes(broken)
            broken = bytearray(data)
            for _ in range(4):
                broken[chance.randrange(min(64, len(broken)))] = chance.choice((0, 127, 255))
            yield f"forged header {kind} {i}", bytes(broken)
            yield f"random behind {kind} {i}", data[:16] + chance.randbytes(2000)
            other = chance.choice(list(files.values()))
            yield f"sewn {kind} {i}", data[: len(data) // 2] + other[len(other) // 2 :]
    for side in (5_000, 13_000, 14_000, 30_000):
        yield f"flat jpeg of {side}", drawn.flat_jpeg(side)
        yield f"flat progressive jpeg of {side}", drawn.flat_jpeg(side, progressive=True)
        yield f"flat png of {side}", drawn.flat_png(side)
    yield "deep svg", drawn.svg("<g>" * 100_000 + "</g>" * 100_000)


class Judged:
    """What other programs say about the pictures."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="judged-"))
        self._compared = self._passed = 0
        self._wrong: list[str] = []

    def see(self, name: str, data: bytes, picture: Picture, passed_on: bool) -> None:
        """Compare one picture with its original; keep it for the other judge if passed on."""
        if passed_on and picture.data != data:
            self._passed += 1
            number = f"{self._passed:05}-{Path(name).name}"
            (self._folder / number).write_bytes(picture.data)
        difference = judges.difference(Path(name), picture)
        if difference is None:
            return
        self._compared += 1
        if difference > judges.MOST_DIFFERENCE:
            self._wrong.append(f"  differs by {difference:.0f}  {name}  {picture.note}")

    def tell(self) -> None:
        """Print the verdicts."""
        left = judges.left_behind(self._folder)
        print(f"{self._compared:7} compared with ImageMagick, {len(self._wrong)} differ")
        print(*self._wrong, sep="\n")
        print(f"{self._passed:7} had something cut out, ExifTool finds metadata in {len(left)}")
        print(*left, sep="\n")
        shutil.rmtree(self._folder)


def run(files: Iterator[tuple[str, bytes]], judged: Judged | None = None) -> None:
    """Prepare all; print outcomes, the slowest and the largest."""
    outcomes: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    times: list[tuple[float, str]] = []
    sizes: list[tuple[int, str]] = []
    for name, data in files:
        started = time.perf_counter()
        try:
            picture = pictures.prepare(data, GEMINI, 200_000_000)
            kind = pictures.sniff(data[:4096]) or "?"
            kinds[kind] += 1
            # What was decoded is scaled, and a JPEG; what was passed on is the file or a part.
            passed = picture.mime_type == kind and picture.data[-64:] in data
            outcome = "picture, passed on" if passed else "picture, decoded"
            sizes.append((picture.width * picture.height, name))
            taken = time.perf_counter() - started
            if judged:
                judged.see(name, data, picture, passed)
        except PermanentError as error:
            taken = time.perf_counter() - started
            outcome = f"rejected: {error.reason}"
            if "--verbose" in sys.argv:
                print(f"{name}: {error}")
        except BaseException as error:
            taken = time.perf_counter() - started
            outcome = f"ESCAPED {type(error).__name__}"
            print(f"{name}: {error!r}")
        outcomes[outcome] += 1
        times.append((taken, name))
    for outcome, count in outcomes.most_common():
        print(f"{count:7} {outcome}")
    print("  " + ", ".join(f"{kind} {count}" for kind, count in kinds.most_common()))
    for seconds, name in sorted(times, reverse=True)[:3]:
        print(f"  slowest {1000 * seconds:7.0f} ms  {name}")
    for pixels, name in sorted(sizes, reverse=True)[:3]:
        print(f"  largest {pixels / 1e6:7.1f} MP  {name}")


def main() -> None:
    """The files of the folders, then the ones made to hurt."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*")
    parser.add_argument("--no-hostile", action="store_true")
    parser.add_argument("--verbose", action="store_true", help="say why each was rejected")
    parser.add_argument("--judge", action="store_true", help="compare with other programs")
    parser.add_argument("--every", type=int, default=1, help="take each so-manieth file only")
    options = parser.parse_args()
    print("files of", *options.folders)
    if options.judge and not judges.available():
        parser.error("--judge needs ImageMagick's convert and exiftool (libimage-exiftool-perl)")
    judged = Judged() if options.judge else None
    run(itertools.islice(stored(options.folders), 0, None, options.every), judged)
    if judged:
        judged.tell()
    if not options.no_hostile:
        print("files made to hurt")
        run(hostile())


if __name__ == "__main__":
    main()

"""Break image files at random and give them to all that reads them outside a decoder.

``python -m tools.fuzz_pictures [--seconds 600] [--seed N]``

What runs in the function's own process must end in a picture, a refusal or a decoder's work; must
not take longer than a second and 16 MiB beside the file. Prints figures, and each input that does
not, in base64.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import random
import sys
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable

from functions import pictures
from functions.core.document import Accepts
from functions.core.errors import PermanentError
from functions.pictures.decoding import decoders
from tests.support import crafted, drawn

GEMINI = Accepts(
    frozenset({"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif", "image/avif"}),
    15 << 20,
    8192,
)
MOST_SECONDS, MOST_BYTES = 1.0, 16 << 20
EXTREMES = [b"\0", b"\xff", b"\x7f", b"\x80", b"\0\0", b"\xff\xff", b"\0\0\0\0", b"\xff" * 4,
            b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\0\0\0\1", b"\1\0\0\0", b"\xff" * 8]  # fmt: skip


class Decoding(Exception):
    """The file would go to a decoder."""


def samples() -> list[bytes]:
    """Files with all that is walked in them."""
    small = (48, 32)
    packet = drawn.xmp(drawn.alternatives("dc:description", x_default="A boat", de="Ein Boot"))
    iptc = drawn.iptc({(1, 90): b"\x1b%G", (2, 120): b"A boat"})
    jpeg = drawn.jpeg_with(
        drawn.jpeg_full_of_secrets(small),
        drawn.segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet),
        drawn.segment(0xED, iptc),
        drawn.segment(0xEE, b"Adobe\0\x64\0\0\0\0\1more"),
    )
    png = drawn.png_with(
        drawn.png_full_of_secrets(small),
        drawn.chunk(b"cICP", b"\x09\x10\0\1"),
        drawn.chunk(b"gAMA", (100_000).to_bytes(4, "big")),
        drawn.chunk(b"tEXt", b"Raw profile type iptc\0\niptc\n 4\n" + iptc.hex().encode()),
    )
    found = [
        jpeg,
        drawn.jpeg_full_of_secrets(small, progressive=True),
        png,
        crafted.gzipped_text_chunks(8, 1 << 16),
        drawn.webp_full_of_secrets(small, icc_profile=drawn.SRGB),
        drawn.webp_full_of_secrets(small, lossless=True),
        drawn.heic((64, 64)),
        drawn.encoded(drawn.quarters((64, 64)), "AVIF", exif=drawn.exif(6), xmp=packet),
        crafted.jxl(small),
        crafted.pdf(),
        crafted.psd(),
        drawn.encoded(drawn.quarters(small), "TIFF"),
        drawn.encoded(drawn.quarters(small), "TGA"),
        drawn.encoded(drawn.quarters(small), "PPM"),
        drawn.svg("<title>Fuzz</title>"),
        packet,
    ]
    return [*found, *(gzip.compress(each) for each in found[:3])]


def broken(chance: random.Random, files: list[bytes]) -> bytes:
    """One file, changed in a few places."""
    data = bytearray(chance.choice(files))
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        # Most harm is done near the start, where the structure is.
        end = max(1, min(len(data), chance.choice((64, 512, len(data)))))
        at = chance.randrange(end)
        what = chance.randrange(7)
        if what == 0:
            data[at : at + 1] = bytes([chance.randrange(256)])
        elif what == 1:
            extreme = chance.choice(EXTREMES)
            data[at : at + len(extreme)] = extreme
        elif what == 2:
            del data[at : at + chance.choice((1, 2, 4, 64, 4096))]
        elif what == 3:
            size = chance.choice((1, 2, 4, 64, 1024))
            data[at:at] = data[at : at + size] * chance.choice((1, 2, 100))
        elif what == 4:
            other = chance.choice(files)
            start = chance.randrange(len(other))
            data[at:at] = other[start : start + chance.choice((8, 64, 4096))]
        elif what == 5:
            data = data[:at] if chance.random() < 0.2 else data
        else:
            data[at:at] = chance.randbytes(chance.choice((1, 4, 64)))
        if len(data) > 1 << 20:
            del data[1 << 20 :]
        if not data:
            data = bytearray(b"\0")
    return bytes(data)


def ends(data: bytes) -> str:
    """What comes of a file: passed on, a refusal's reason, to be decoded, or a defect."""
    try:
        pictures.prepare(data, GEMINI, 4_000_000)
    except PermanentError as error:
        return error.reason
    except Decoding:
        return "to be decoded"
    except Exception as error:
        return f"DEFECT {error!r}"
    return "passed on"


def run(seconds: float, seed: int) -> int:
    """Fuzz for so long; the number of defects."""
    chance, files = random.Random(seed), samples()
    outcomes: Counter[str] = Counter()
    slowest, largest, defects = (0.0, b""), (0, b""), 0
    until = time.monotonic() + seconds
    count = 0
    while time.monotonic() < until:
        data = broken(chance, files)
        count += 1
        measured = count % 8 == 0  # counting memory makes all else slower
        if measured:
            tracemalloc.start()
        started = time.process_time()
        outcome = ends(data)
        taken = time.process_time() - started
        if measured:
            largest = max(largest, (tracemalloc.get_traced_memory()[1], data), key=_first)
            tracemalloc.stop()
        else:
            slowest = max(slowest, (taken, data), key=_first)
        outcomes[outcome.partition("(")[0]] += 1
        if outcome.startswith("DEFECT"):
            defects += 1
            print(outcome, base64.b64encode(data[:4096]).decode())
    print(f"{count} files, seed {seed}")
    for outcome, number in outcomes.most_common():
        print(f"{number:9} {outcome}")
    print(f"slowest {1000 * slowest[0]:.0f} ms for {len(slowest[1])} bytes")
    print(f"most memory {largest[0] / 2**20:.1f} MiB for {len(largest[1])} bytes")
    return defects + (slowest[0] > MOST_SECONDS) + (largest[0] > MOST_BYTES)


def _first(pair: tuple[float, bytes]) -> float:
    return pair[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    options = parser.parse_args()

    def refuse(*_: object) -> object:
        raise Decoding

    decode: Callable[..., object] = refuse
    decoders.decode = decode  # type: ignore[assignment]
    sys.exit(min(1, run(options.seconds, options.seed)))


if __name__ == "__main__":
    main()

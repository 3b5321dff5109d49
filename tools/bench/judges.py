"""Programs that have nothing of ours in them judge what comes out: ImageMagick looks at the
pixels, their turn and colours, ExifTool at what is left of the metadata."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from functions.core.document import Picture

# Both pictures are brought to so many pixels a side; then a turn, a mirror image, a wrong colour
# or a black picture differs by far more than scaling and JPEG do.
_SIDE = 24
MOST_DIFFERENCE = 14.0
# What ExifTool derives from the file and its pixels, colour profiles, and a JPEG's own header.
_HARMLESS = re.compile(
    r"SourceFile|ExifTool:|System:|File:|Composite:|ICC|JFIF:|PNG(?:-\w+)?:(?:ImageWidth|ImageHeight|"
    r"BitDepth|ColorType|Compression|Filter|Interlace|Palette|Gamma|SRGBRendering|White|Red|Green|"
    r"Blue|Pixel|Significant|ProfileName)|RIFF:|Adobe:|APP14:|QuickTime:|Meta:|Canvas"
)


def available() -> bool:
    """Whether both judges are installed."""
    return bool(shutil.which("convert") and shutil.which("exiftool"))


def difference(original: Path, picture: Picture) -> float | None:
    """Mean difference of a picture from the original, 0 to 255; None where the judge cannot read
    the original, or where the picture is meant to look otherwise."""
    if "moment" in picture.note or "page" in picture.note or "preview" in picture.note:
        return None
    if original.suffix.lower() in (".svg", ".svgz", ".pdf"):  # it draws them less well
        return None
    shade = next(
        (s for s in ("white", "black", "grey") if f"shown in {s}" in picture.note), "white"
    )
    wanted = _pixels(
        [f"{original}[0]", "-auto-orient"],
        {"grey": "gray(128)", "black": "gray(32)"}.get(shade, shade),
    )
    with tempfile.NamedTemporaryFile(suffix=".img") as file:
        file.write(picture.data)
        file.flush()
        found = _pixels([file.name], "white")
    if wanted is None or found is None:
        return None
    return sum(abs(a - b) for a, b in zip(wanted, found, strict=True)) / len(wanted)


def _pixels(source: list[str], background: str) -> bytes | None:
    command = ["convert", *source, "-background", background, "-flatten", "-colorspace", "sRGB"]
    command += ["-depth", "8", "-resize", f"{_SIDE}x{_SIDE}!", "rgb:-"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=60, check=True)
    except (subprocess.SubprocessError, OSError):
        return None
    return done.stdout if len(done.stdout) == 3 * _SIDE * _SIDE else None


def left_behind(folder: Path) -> list[str]:
    """Names of files in a folder that still hold metadata, with the tags."""
    command = ["exiftool", "-json", "-G1", "-fast", "-recurse", str(folder)]
    done = subprocess.run(command, capture_output=True, check=False)
    found = []
    for each in json.loads(done.stdout or b"[]"):
        tags = [tag for tag in each if not _HARMLESS.match(tag)]
        if tags:
            found.append(f"{Path(each['SourceFile']).name}: {', '.join(tags)}")
    return found

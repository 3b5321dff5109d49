"""Camera raw files: the JPEG that the camera itself has made of its sensor's values."""

from __future__ import annotations

import re

from functions.core.errors import PermanentError
from functions.pictures.structure import jpeg, tiff
from functions.pictures.structure.survey import Damaged, Survey, number

# What is smaller is a thumbnail, and says too little of the picture.
MIN_SIDE = 480
_START = re.compile(rb"\xff\xd8\xff[\xc0-\xfe]")
# Sensors' values hold the pattern by chance too; a header is judged in a few steps.
_MAX_CANDIDATES, _MAX_SEGMENTS, _MAX_TRIES = 20_000, 64, 4
_FRAMES = {0xC0, 0xC1, 0xC2}
_OTHER_FRAMES = {*range(0xC3, 0xD0)} - {0xC4, 0xCC}


def preview(data: bytes) -> tuple[bytes, int]:
    """The largest JPEG in a raw file, and the orientation to show it in.

    Raises PermanentError where there is none of a useful size.
    """
    candidates = []
    for found, _ in zip(_START.finditer(data), range(_MAX_CANDIDATES), strict=False):
        area = _area(data, found.start())
        if area:
            candidates.append((area, found.start()))
    for _, start in sorted(candidates, reverse=True)[:_MAX_TRIES]:
        inner = data[start:]
        try:
            survey = jpeg.survey(inner)
        except (Damaged, IndexError):
            continue
        if max(survey.width, survey.height) < MIN_SIDE:
            break
        return inner[: survey.keep[-1][1]], _orientation(data, survey)
    raise PermanentError(
        "unsupported_type",
        "The file is a camera's raw data without a preview of useful size. Upload the picture "
        "that is developed from it, as a JPEG.",
    )


def _area(data: bytes, position: int) -> int:
    """Pixels of the JPEG that begins here; 0 for what is none, or one in a sensor's coding."""
    position += 2
    for _ in range(_MAX_SEGMENTS):
        if position + 9 > len(data) or data[position] != 0xFF:
            return 0
        marker = data[position + 1]
        if marker in _FRAMES:
            if data[position + 4] != 8:
                return 0
            return number(data, position + 5, 2) * number(data, position + 7, 2)
        if marker in (0x01, 0xD9, 0xDA) or marker in _OTHER_FRAMES:
            return 0
        position += 2 + number(data, position + 2, 2)
    return 0


def _orientation(data: bytes, survey: Survey) -> int:
    """The preview's own, else the raw file's."""
    if survey.exif:
        return survey.orientation
    start = 0
    if data[4:8] == b"ftyp":  # Canon's CR3 keeps a TIFF directory in a box of its own
        start = data.find(b"CMT1") + 4
    head = data[start : start + 65536] if start > 3 else data
    found = tiff.directories(head)
    return found[0].orientation if found else 1

"""Coding-independent code points (ITU-T H.273): colours told by numbers instead of a profile.

PNG's ``cICP`` and ``gAMA`` and HEIF's ``nclx`` use them; no decoder here applies them itself.
"""

from __future__ import annotations

import array
import math
from typing import Any

from functions.pictures.structure.icc import srgb

_P3 = [[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]]
_BT2020 = [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
_TO_SRGB = {9: _BT2020, 11: _P3, 12: _P3}
_GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0}
_PQ, _HLG = 16, 18
_STEPS = 4096
# Brighter than this share of white, high dynamic range is compressed instead of clipped.
_KNEE = 0.8


def is_plain(points: bytes) -> bool:
    """Whether primaries and transfer are those that every decoder assumes; a number that is
    reserved or says "unspecified" is."""
    primaries, transfer = points[:2]
    return primaries not in _TO_SRGB and transfer not in (*_GAMMAS, _PQ, _HLG)


def is_near(points: bytes) -> bool:
    """Whether who ignores the numbers still sees the picture: Display P3 is near."""
    primaries, transfer = points[:2]
    return primaries not in (9, 11) and transfer not in (*_GAMMAS, _PQ, _HLG)


def to_srgb(image: Any, points: bytes) -> Any:
    """sRGB of an image (8 or 16 bits, colours and perhaps alpha) whose code points are these."""
    primaries, transfer = points[:2]
    lights = [_light(step / (_STEPS - 1), transfer) for step in range(_STEPS)]
    return _rendered(image, lights, _TO_SRGB.get(primaries), transfer in (_PQ, _HLG))


def with_gamma(image: Any, gamma: float) -> Any:
    """sRGB of an image whose values are linear light to the power of ``gamma``."""
    lights = [(step / (_STEPS - 1)) ** (1 / gamma) for step in range(_STEPS)]
    return _rendered(image, lights, None, False)


def _rendered(image: Any, lights: list[float], matrix: Any, high: bool) -> Any:
    alpha = image[image.bands - 1] if image.hasalpha() else None
    if image.format == "ushort":
        alpha = alpha and (alpha / 257).cast("uchar")
        image = (image / (65535 / (_STEPS - 1))).cast("ushort")
    else:
        image = (image * ((_STEPS - 1) / 255)).cast("ushort")
    colours = image[:3] if image.bands >= 3 else image[0].bandjoin([image[0], image[0]])
    table = array.array("f", lights)
    lut = image.new_from_memory(table.tobytes(), _STEPS, 1, 1, "float")
    light = colours.maplut(lut)
    if matrix:
        light = light.recomb(matrix)
    if high:
        over = (light > _KNEE).ifthenelse(light - _KNEE, 0)
        soft = _KNEE + (1 - _KNEE) * (1 - (over * (-1 / (1 - _KNEE))).exp())
        light = (light > _KNEE).ifthenelse(soft, light)
    shown = light.copy(interpretation="scrgb").colourspace("srgb")
    return shown.bandjoin(alpha) if alpha is not None else shown


def _light(value: float, transfer: int) -> float:
    """Linear light, 1.0 for white; for high dynamic range, that of BT.2408's 203 nits."""
    if transfer == _PQ:
        power = value ** (1 / 78.84375)
        bright = max(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)
        return float(bright ** (1 / 0.1593017578125)) * 10_000 / 203
    if transfer == _HLG:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        scene = value * value / 3 if value <= 0.5 else (math.exp((value - c) / a) + b) / 12
        return scene / 0.265
    if transfer in _GAMMAS:
        return float(value ** _GAMMAS[transfer])
    return srgb(value)

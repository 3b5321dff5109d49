"""What an ICC profile (ICC.1:2022) says of colours, told from its numbers: its name may lie."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

_MAX_TAGS = 100
# sRGB's primaries, adapted to D50 as profiles hold them, and how far others may be from them.
_PRIMARIES = {
    b"rXYZ": (0.4360, 0.2225, 0.0139),
    b"gXYZ": (0.3851, 0.7169, 0.0971),
    b"bXYZ": (0.1431, 0.0606, 0.7141),
}
_SAME, _NEAR = 0.01, 0.2
_SAME_CURVE, _NEAR_CURVE = 0.015, 0.05
_POINTS = [i / 16 for i in range(17)]

Curve = Callable[[float], float]


def is_srgb(profile: bytes) -> bool:
    """Whether a picture with this profile shows the same colours without it."""
    return _distance_within(profile, _SAME, _SAME_CURVE)


def is_near_srgb(profile: bytes) -> bool:
    """Whether who ignores the profile still sees the picture: Display P3 and Adobe RGB are near,
    linear light, swapped primaries and look-up tables are not."""
    return _distance_within(profile, _NEAR, _NEAR_CURVE)


def srgb(value: float) -> float:
    """Linear light of one of sRGB's values (IEC 61966-2-1)."""
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _distance_within(profile: bytes, primaries: float, curve: float) -> bool:
    try:
        tags = _tags(profile)
        if profile[16:20] == b"GRAY":
            return _curve_within(tags[b"kTRC"], curve)
        if profile[16:20] != b"RGB " or b"A2B0" in tags:
            return False
        return all(
            abs(one - other) <= primaries
            for name, wanted in _PRIMARIES.items()
            for one, other in zip(_xyz(tags[name]), wanted, strict=True)
        ) and all(_curve_within(tags[name], curve) for name in (b"rTRC", b"gTRC", b"bTRC"))
    except (KeyError, struct.error, ValueError, ArithmeticError):
        return False


def _tags(profile: bytes) -> Mapping[bytes, bytes]:
    if profile[36:40] != b"acsp":
        raise ValueError("no profile")
    (count,) = struct.unpack_from(">I", profile, 128)
    tags = {}
    for at in range(132, 132 + 12 * min(count, _MAX_TAGS), 12):
        name, start, size = struct.unpack_from(">4sII", profile, at)
        tags[name] = profile[start : start + size]
    return tags


def _xyz(tag: bytes) -> tuple[float, ...]:
    return tuple(value / 65536 for value in struct.unpack_from(">3i", tag, 8))


def _curve_within(tag: bytes, limit: float) -> bool:
    curve = _curve(tag)
    return all(abs(curve(x) - srgb(x)) <= limit for x in _POINTS)


def _curve(tag: bytes) -> Curve:
    if tag[:4] == b"para":
        return _parametric(tag)
    if tag[:4] != b"curv":
        raise ValueError("no curve")
    (count,) = struct.unpack_from(">I", tag, 8)
    if count == 0:
        return lambda x: x
    if count == 1:
        gamma = struct.unpack_from(">H", tag, 12)[0] / 256
        return lambda x: float(x**gamma)
    table = struct.unpack_from(f">{count}H", tag, 12)

    def look_up(x: float) -> float:
        place = x * (count - 1)
        low = min(int(place), count - 2)
        return float(table[low] + (table[low + 1] - table[low]) * (place - low)) / 65535

    return look_up


def _parametric(tag: bytes) -> Curve:
    """Table 68: Y = (aX + b)^g + e where X >= d, else cX + f."""
    (kind,) = struct.unpack_from(">H", tag, 8)
    names = {0: "g", 1: "gab", 2: "gabe", 3: "gabcd", 4: "gabcdef"}[kind]
    numbers = struct.unpack_from(f">{len(names)}i", tag, 12)
    p = dict.fromkeys("bcef", 0.0) | {"a": 1.0, "d": -1.0}
    p |= {name: number / 65536 for name, number in zip(names, numbers, strict=True)}
    if kind in (1, 2):
        p |= {"d": -p["b"] / p["a"], "f": p["e"]}

    def value(x: float) -> float:
        if x < p["d"]:
            return p["c"] * x + p["f"]
        return float(max(0.0, p["a"] * x + p["b"]) ** p["g"]) + p["e"]

    return value

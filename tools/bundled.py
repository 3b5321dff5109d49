"""Look at the libraries that wheels bring along: none may be older than its last known hole.

``python -m tools.bundled`` prints a line for each and fails for an old one, for one that is not
in ``bundled.toml``, and for one whose version cannot be told.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import json
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_LIBRARY = re.compile(r"lib([A-Za-z]+[\w]*?)(?:-[0-9a-f]{8})?\.(?:so|dylib)[\d.]*$")
# One name for one library: what files and bills of materials call them.
_ALIASES = {
    "libheif": "libheif", "libde265": "libde265", "libx265": "x265", "libavif": "libavif",
    "libtiff": "libtiff", "libwebp": "libwebp", "libwebpmux": "libwebp", "libsharpyuv": "libwebp",
    "libwebpdemux": "libwebp", "libpng16": "libpng", "libopenjp2": "openjpeg",
    "openjpeg": "openjpeg", "libfreetype": "freetype", "freetype": "freetype",
    "libharfbuzz": "harfbuzz", "harfbuzz": "harfbuzz", "liblzma": "liblzma",
    "libjpeg": "libjpeg-turbo", "libjpeg / libjpeg-turbo": "libjpeg-turbo",
    "libbrotlicommon": "brotli", "libbrotlidec": "brotli", "libjxl": "libjxl",
    "liblcms2": "lcms2", "little cms 2": "lcms2", "libvips": "libvips", "libpdfium": "pdfium",
    "libdav1d": "dav1d", "libvpx": "libvpx",
    **dict.fromkeys(
        ("libavcodec", "libavdevice", "libavfilter", "libavformat", "libavutil", "libswresample",
         "libswscale"), "ffmpeg"),
    "libzstd": "zstd", "libxau": "libXau", "libxcb": "libxcb", "libcrc32c": "libcrc32c",
}  # fmt: skip


def locked() -> set[str]:
    """The distributions that are deployed."""
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    return {name.lower().replace("_", "-") for name in re.findall(r"^([\w.-]+)==", lock, re.M)}


def bundled() -> dict[tuple[str, str], str]:
    """The version of each library that a deployed wheel holds, by library and wheel; "" where it
    is not told."""
    found: dict[tuple[str, str], str] = {}
    for distribution in importlib.metadata.distributions():
        name = distribution.metadata["Name"].lower().replace("_", "-")
        if name not in locked():
            continue
        told = dict(_told(distribution))
        for file in distribution.files or []:
            library = _LIBRARY.match(file.name)
            if library:
                known = _known(f"lib{library[1]}")
                found[known, name] = told.get(known) or _from_name(file.name, known)
        found |= {(known, name): version for known, version in told.items()}
    return found


def faults(found: Mapping[tuple[str, str], str], table: Mapping[str, Any]) -> list[str]:
    """What is wrong with these libraries, a line for each."""
    wrong = []
    for (library, wheel), version in sorted(found.items()):
        if library not in table:
            wrong.append(f"{library} in {wheel}: not in bundled.toml; look its holes up")
            continue
        fixed = table[library]["fixed"]
        if fixed == "0":
            continue
        if not version:
            wrong.append(f"{library} in {wheel}: its version cannot be told")
        elif _numbers(version) < _numbers(fixed):
            wrong.append(f"{library} {version} in {wheel}: {table[library]['why']}; {fixed} is not")
    return wrong


def table() -> dict[str, Any]:
    """``bundled.toml``."""
    return tomllib.loads((ROOT / "tools" / "bundled.toml").read_text("utf-8"))


def _known(name: str) -> str:
    return _ALIASES.get(name.lower(), name)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:4])


def _from_name(file: str, library: str) -> str:
    """The version at the end of a file's name, where the library puts its own there."""
    ending = re.search(r"\.so\.(\d[\d.]+)$", file)
    if library == "libpng" and ending:  # 16.58.0 is 1.6.58
        return "1.6." + ending[1].split(".")[1]
    return ending[1] if ending and library in ("libheif", "liblzma", "zstd", "brotli") else ""


def _told(distribution: importlib.metadata.Distribution) -> Iterator[tuple[str, str]]:
    """What a wheel says of its own: by a bill of materials (CycloneDX), or when asked."""
    for file in distribution.files or []:
        if "sboms" in file.parts and file.suffix == ".json":
            for part in json.loads(file.read_text()).get("components", []):
                version = str(part.get("version") or "")
                if jxl := re.search(r"libjxl-([\d.]+)", version):
                    yield "libjxl", jxl[1]
                if part["name"].lower() in _ALIASES:
                    yield _known(part["name"]), version
    name = distribution.metadata["Name"].lower().replace("_", "-")
    if name == "pillow-heif":
        import pillow_heif

        info: dict[str, Any] = pillow_heif.libheif_info()
        yield "libheif", info["libheif"]
        yield "libde265", info["decoders"]["libde265"].rpartition(" ")[2]
    elif name == "av":
        yield from _ffmpeg(distribution)
    elif name == "pyvips-binary":
        yield "libvips", distribution.version
    elif name == "pypdfium2":
        import pypdfium2_raw  # type: ignore[import-untyped]

        version = Path(pypdfium2_raw.__file__).with_name("version.json").read_text("utf-8")
        yield "pdfium", str(json.loads(version)["build"])


def _ffmpeg(distribution: importlib.metadata.Distribution) -> Iterator[tuple[str, str]]:
    """What PyAV's wheel holds says its version when it is called."""
    import av

    yield "ffmpeg", str(av.ffmpeg_version_info)
    places = {file.name: str(file.locate()) for file in distribution.files or []}
    for start, known, function in (
        ("libdav1d-", "dav1d", "dav1d_version"),
        ("libvpx-", "libvpx", "vpx_codec_version_str"),
    ):
        called = getattr(ctypes.CDLL(_place(places, start)), function)
        called.restype = ctypes.c_char_p
        yield known, called().decode().removeprefix("v")
    number = ctypes.CDLL(_place(places, "libwebp-")).WebPGetEncoderVersion()
    yield "libwebp", ".".join(str(number >> shift & 255) for shift in (16, 8, 0))


def _place(places: Mapping[str, str], start: str) -> str:
    return next(place for name, place in places.items() if name.startswith(start))


def main() -> None:
    found, known = bundled(), table()
    for (library, wheel), version in sorted(found.items()):
        print(f"{library:14} {version or '-':10} {wheel}")
    wrong = faults(found, known)
    for line in wrong:
        print(line, file=sys.stderr)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()

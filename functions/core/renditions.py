"""The names under which programs keep an image's smaller and converted copies.

`originals` reads such a name backwards; `conversions` guesses where nothing is written. Each rule
is what one of them writes; a rule that finds nothing in a name leaves it alone, and numbers that
may be part of a name are left to it (``photo-2``, ``room-101``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# Most names that are tried for one; each costs a read.
MOST = 16
# How many names are looked at for one, and how many characters of long ones all together.
_STEPS, _CHARACTERS = 24, 4096

_IMAGE = r"(?:jpe?g|png|gif|webp|avif|jxl|heic|heif|tiff?|bmp|svg)"
# Widths that tools offer for `srcset` by themselves; other plain numbers may be the name's own.
_WIDTH = (
    r"(?:240|300|320|360|400|414|480|576|600|640|720|750|768|800|828|900|960|992|1024|1080|1200"
    r"|1280|1366|1400|1440|1536|1600|1680|1920|2048|2160|2400|2560|2880|3200|3840|4096)"
)
_SIZE = r"(?:[1-9]\d{1,4}x(?:[1-9]\d{1,4})?|x[1-9]\d{1,4})"
# With these before them, names are as likely another image's: `cart-icon`, `yoga-master`.
_SHOPIFY = r"_(?:grande|compact|master|pico|icon)"
_WORD = (
    r"(?:thumb(?:nail)?s?|tn|small|medium|large|preview|resized|scaled|rotated|cropped|crop"
    r"|optimi[sz]ed|opt|min|lowres|hires|retina|mobile|desktop|tablet|placeholder|lqip|blur"
    r"|xs|sm|md|lg|xl|xxl)"
)
# Eight letters and digits in no order that words have (`Winter24`): a digit before a letter, a
# capital inside.
_HASH = r"(?-i:(?=[\w-]{0,6}\d[A-Za-z])(?=[\w-]{0,6}[a-z\d][A-Z])(?=[\w-]{0,7}[a-z])[\w-]{8})"
_FOLDER = (
    r"(?:[._]?(?:thumb(?:nail)?s?|resized|resizes|previews?|small|medium|large|optimi[sz]ed|scaled"
    r"|webp|avif|sizes|responsive|nextImageExportOptimizer|@?[1-4]x)"
    rf"|{_SIZE}|[wh][-_]?\d{{2,4}}|\d{{2,4}}[wh]|fit-in|filters:[^/]+)"
)
# What stands at the end of a file's name, before the extension.
_ENDINGS = (
    rf"[-_.]{_SIZE}(?:[-_]?(?:c|crop|fit|fill|resize|pad)(?:[-_][a-z]+|[-_][0-9a-f]{6})*)?(?:[-_]q?\d{{1,3}})?",
    rf"[-_.]{_SIZE}(?:[-_](?:q\d+|crop|upscale|box|bgcolor\w+|detail))+",  # easy-thumbnails, Kirby
    r"_hu_?[0-9a-f]{16,}(?:_[a-z0-9]+)*",  # Hugo
    rf"(?:[-_.]{_WORD}|{_SHOPIFY})(?:[-_.]?{_SIZE})?",
    rf"[-_.](?:w{_WIDTH}|{_WIDTH}w|{_WIDTH}|w?\d{{2,4}}w)",
    r"@(?:\d+(?:\.\d+)?x|\d{2,4}[wh]|w\d{2,4})",
    r"[-_][1-4]x",
    r"-e\d{10,13}",  # WordPress: edited in its library
    r"[-_.]\{(?:width|size)\}x?(?:\{height\})?",  # what a lazy loader puts a size in
    r"-edited(?:-\d)?",  # WordPress: cropped in its editor
    # Hashes of build tools: webpack and Hugo, Rails, Vite and Astro
    r"\.(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,64}",
    r"[-_](?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})",
    rf"\.{_HASH}(?:_[0-9a-z]{{4,8}})?",
    r"\.progressive",  # Shopify
)
_ENDING = re.compile(rf"(?P<stem>.*[^-_.@])(?:{'|'.join(_ENDINGS)})", re.I)
# Not `small-dog`, which may be another dog, nor a thumb that points up or down.
_BEGINNING = re.compile(
    r"(?:(?:thumb(?:nail)?s?|tn|resized|preview)[-_](?!(?:up|down)\b)|(?:small|medium|large)_)(.+)",
    re.I,
)
# `mug.jpg.webp`, `mug.jpg@webp`, `mug-jpg.webp`, `mug.jpg.300x200_q85.jpg`
_APPENDED = re.compile(
    rf"(.+\.{_IMAGE})(?:[.@]{_IMAGE}|[._-]{_SIZE}[\w.-]*\.{_IMAGE})|(.+)-({_IMAGE})\.{_IMAGE}", re.I
)
# Whole paths: (what the program writes, what it has it from).
_PATHS = tuple(
    (re.compile(pattern, re.I), kept)
    for pattern, kept in (
        (r"(.*/)?size/[wh]\d+(?:/format/[a-z]+)?/(.+)", r"\1\2"),  # Ghost
        (r"(.*/)?styles/[^/]+/(?:public|private)/(.+)", r"\1\2"),  # Drupal
        (rf"(.*/)?thumb/(.+\.{_IMAGE})/[^/]*px-[^/]+", r"\1\2"),  # MediaWiki
        (r"(.*/)?_\d+x\d+_crop_[^/]+/(.+)", r"\1\2"),  # Craft
        (r"(.*/)?cache/(?:[^/]+/){0,6}?[0-9a-f]{32}/(.+)", r"\1\2"),  # Magento
        (
            rf"(.+\.{_IMAGE})/(?:m|v1|-|_?jcr[:_]content)/.+",
            r"\1",
        ),  # Storyblok, Wix, Uploadcare, AEM
        # ImageKit; parameters of a path, as CDNs write them: `mug.jpg!w300`, `mug.jpg:large`
        (rf"(.+\.{_IMAGE})(?:/tr:[^/]+|/resize/[^/]+|[;:!?&=~@].+)", r"\1"),
        (rf"(.*/)?ik-seo/(?:tr:[^/]+/)?(.+)/[^/]+(\.{_IMAGE})", r"\1\2\3"),  # ImageKit
        (rf"(.+\.{_IMAGE})/[^/]+\.{_IMAGE}", r"\1"),  # Sanity: a name for search engines
        (r"(.*/)?static/[0-9a-f]{32}/[0-9a-f]{5}/(.+)", r"\1\2"),  # Gatsby
        (rf"(.*/)?{_FOLDER}/(.+)", r"\1\2"),
        (r"(.*/)?(?:thumb|small|medium|large|mini)/([^/]+)", r"\1original/\2"),  # Paperclip
    )
)
# What an image of one extension is likely to have been converted from.
_COMMON = ("jpg", "jpeg", "png", "JPG", "PNG")
_CONVERTED = {
    "jpg": ("png", "jpeg", "JPG", "heic", "HEIC", "webp"),
    "jpeg": ("jpg", "png", "JPG", "heic", "HEIC", "webp"),
    "png": ("jpg", "svg", "jpeg", "PNG", "webp"),
    "gif": ("png", "jpg", "webp"),
    "webp": (*_COMMON, "gif", "heic"),
    "avif": (*_COMMON, "webp", "heic"),
    "jxl": (*_COMMON, "webp"),
}
_MODERN = re.compile(r"\.(?:webp|avif|jxl)$", re.I)
_EXTENSION = re.compile(r"(.*[^/]\.)([a-z0-9]{2,5})", re.I | re.S)


def originals(name: str) -> tuple[str, ...]:
    """The names that ``name`` itself says it was made from, likeliest first.

    At most `MOST`, and never ``name`` itself: it has been asked for already.
    """
    return tuple(_unmarked(name))[1 : MOST + 1]


def conversions(name: str) -> tuple[str, ...]:
    """The names that ``name`` may have been made from although nothing in it says so: images in
    other formats, likeliest first, at most `MOST`."""
    unmarked = _unmarked(name)
    if not unmarked:
        return ()
    shortest = min(unmarked, key=len)
    converted = [*_converted(shortest), *(_converted(name) if _MODERN.search(name) else ())]
    return tuple(each for each in dict.fromkeys(converted) if each not in unmarked)[:MOST]


def _unmarked(name: str) -> dict[str, None]:
    """``name``, and what is left of it without its marks; fewer changes first, since
    ``logo-small-300x200`` is nearer to ``logo-small`` than to ``logo``."""
    if any(character in name for character in "\r\n\0"):
        return {}
    seen = dict.fromkeys([name])
    waiting = [name]
    for _ in range(min(_STEPS, 1 + _CHARACTERS // max(1, len(name)))):
        if not waiting:
            break
        for found in _steps(waiting.pop(0)):
            if found and found not in seen:
                seen[found] = None
                waiting.append(found)
    return seen


def _steps(name: str) -> Iterator[str]:
    """What one rule each makes of a name."""
    folder, slash, file = name.rpartition("/")
    stem, dot, extension = file.rpartition(".")
    if not stem:
        stem, dot, extension = file, "", ""
    if found := _APPENDED.fullmatch(file):
        yield folder + slash + (found[1] or f"{found[2]}.{found[3]}")
    if found := _ENDING.fullmatch(stem):
        yield folder + slash + found["stem"] + dot + extension
    if found := _BEGINNING.fullmatch(stem):
        yield folder + slash + found[1] + dot + extension
    for pattern, kept in _PATHS:
        if found := pattern.fullmatch(name):
            yield found.expand(kept)


def _converted(name: str) -> Iterator[str]:
    found = _EXTENSION.fullmatch(name)
    if found and (others := _CONVERTED.get(found[2].lower())):
        for other in (found[2].lower(), *others):
            if other != found[2]:
                yield found[1] + other

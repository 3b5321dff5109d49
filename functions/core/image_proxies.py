"""Addresses of image proxies and resizers, which carry another image's address inside.

`unwrapped` reads one layer: what stands in the query (``/_next/image?url=…``), what stands in the
path after options (``/cdn-cgi/image/width=80/https://…``), in base64 too, or a path of the same
host from which options are to be taken away. Nothing is fetched, and whose image it is decides
whoever asks.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from urllib.parse import unquote

# Parameters in which proxies take an address; others are the image's own, or say how to draw it.
_PARAMETERS = frozenset(
    (
        *("url", "src", "href", "u", "uri", "image", "img", "imgurl", "image_url", "imageurl"),
        *(
            "image_uri",
            "imageuri",
            "img_url",
            "source",
            "original",
            "file",
            "path",
            "link",
            "remote",
        ),
    )
)
# Where an address in a parameter may be relative to the site that the proxy is part of.
_ENDPOINT = re.compile(
    r"/(?:_next/image|_vercel/image|\.netlify/images|_image|_ipx(?:/[^/]*)*|cdn-cgi/image"
    r"|_gatsby/image(?:/[^/]*)*|_astro/image|api/(?:image|img)(?:-?proxy)?|image-?proxy|img-?proxy|imgproxy|resize|optimi[sz]e"
    r"|__image|_img|(?:images?|img|thumb(?:nail)?s?)(?:/(?:transform|render|resize|proxy))?"
    r"|transform|~gitbook/image)/?",
    re.I,
)
# A path that is an image's own: whatever its query says, that is the image.
_IMAGE = r"\.(?:jpe?g|png|gif|webp|avif|svg|tiff?|heic|bmp)"
_OWN = re.compile(rf"{_IMAGE}$", re.I)
_SCHEME = re.compile(r"(?:https?:/{1,3}|gs://)(?=[^/])", re.I)
_ENCODED_SCHEME = re.compile(r"(?:https?|gs)(?::|%(?:25)*3a)(?:/|%(?:25)*2f)", re.I)
_HOST_FIRST = re.compile(r"(?:ssl:)?[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?/.", re.I)
# "http://", "https://" and "gs://" in base64.
_BASE64 = re.compile(r"(?:aHR0c|Z3M6Ly)[\w+/=-]{8,}")
# The same in hexadecimal, as camo has it.
_HEX = re.compile(r"(?:68747470(?:73)?3a2f2f|67733a2f2f)(?:[0-9a-f]{2}){4,}", re.I)
# The scheme as a folder: Discord's proxy, and others.
_SCHEME_FOLDER = re.compile(r"/(https?)/(?=[^/]+\.[^/]+/)", re.I)
_ENCODED_SLASH = re.compile(r"%(?:25)*2f", re.I)
_LAYERS_OF_ENCODING = 4

_PHOTON = re.compile(r"i\d\.wp\.com")
# What thumbor's addresses begin with: a signature, and what it does to the image.
_THUMBOR = re.compile(r"/(?:unsafe|[\w-]{27}=)/(.+)")
_THUMBOR_OPTION = re.compile(
    r"(?:trim(?::.*)?|debug|meta|\d+x\d+:\d+x\d+|(?:adaptive-)?(?:full-)?fit-in|-?\d*x-?\d*"
    r"|left|right|center|top|bottom|middle|smart|filters:.*)/"
)
_TRANSLATED = ".translate.goog"
_AMP = re.compile(r"/(?:ii?|v|c)/(?:[wh]\d+/)?(?:s/)?(?=[^/]+\.)")
_STATICALLY = re.compile(r"/img/([^/]+\.[^/]+)/(?:[a-z]+(?:=|%3d)[^/]*/)?(.+)", re.I)
# A path in base64, as imgproxy has it where its own settings say what is before it.
_HIDDEN_PATH = re.compile(r"/([\w-]{12,})(?:\.[a-z0-9]{3,4})?", re.I)
_IMAGE_PATH = re.compile(rf"(?:local:///?|/)?([^\0-\x1f:?#]+{_IMAGE})", re.I)
_PLAIN = re.compile(r"/plain/(?:local:///?)?(.+?)(?:@[a-z0-9]{3,4})?", re.I)
_DONE = (
    r"(?:w|h|q|f|width|height|quality|format|fit|resize|cover|contain|crop|focus|inside|output|dpr)"
)
# Options in the middle of a path: what stays is before and after them.
_OPTIONS = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        r"(.*?)/cdn-cgi/image/[^/]+/(.+)",
        r"(.*?)/_ipx/[^/]+/(.+)",
        # Cloudinary, by the names of its transformations, and the version that stands after them
        r"(.*?/(?:image|video)/upload)/(?:s--[\w-]+--/)?(?:[a-z]{1,3}_[^/]+/)*(?:v\d+/)?(.+)",
        r"(.*?)/(?:tr:[^/]+)/(.+)",  # ImageKit
        r"(.*?)/-/[a-z_]+/[^/]+/(.+)",  # Uploadcare, with a parameter and without
        r"(.*?)/-/(?:preview|grayscale|invert|mirror|flip|enhance|sharp|blur)/(.+)",
        r"(.*?)/(?:image|media):(.+)",  # TwicPics
        # TwicPics, and rewritten paths, by what is done to the image: `year=2026` is a folder
        rf"(.*?)(?:/v1)?/(?:{_DONE}=[^/]+/)+(?:image:)?(.+)",
        r"(.*?)/bcdn_token=[^/]+/(.+)",  # Bunny
        r"(.*?)/(?:[a-z]+:[^/:]+/){1,20}(.+)",  # Optimole, imgproxy
    )
)


def unwrapped(src: str) -> tuple[str, ...]:
    """The addresses that ``src``, an absolute address of the web, may be made from, likeliest
    first; none where it is no proxy's."""
    found = re.match(r"((?:https?:)?)//([^/?#]+)([^?#]*)(\??[^#]*)", src, re.I)
    if not found:
        return ()
    scheme, host, path, query = found.groups()
    before, _, after = path.replace("%3F", "%3f").partition("%3f")
    if not query and after and _ENDPOINT.search(before):
        path, query = before, f"?{_decoded(after)}"  # somebody encoded the question mark, too
    scheme = scheme or "https:"
    site = f"{scheme}//{host}"
    inner = [
        *_in_query(site, path, query[1:]),
        *_in_path(path, query),
        *_of_known_hosts(scheme, host.lower(), path),
        *(site + each for each in _without_options(path)),
    ]
    return tuple(dict.fromkeys(each for each in inner if each != src))


def _in_query(site: str, path: str, query: str) -> Iterator[str]:
    at_endpoint = _ENDPOINT.search(path) is not None
    if not at_endpoint and _OWN.search(path):
        return
    for each in query.replace("&amp;", "&").split("&"):
        name, _, value = each.partition("=")
        if name.lower() not in _PARAMETERS or not value:
            continue
        value = _decoded(value)
        absolute = _absolute(value)
        if absolute:
            yield absolute
        elif _HOST_FIRST.match(value):
            yield "https://" + value.removeprefix("ssl:")
        if not absolute and at_endpoint:
            yield f"{site}/{_path(value)}"


def _in_path(path: str, query: str) -> Iterator[str]:
    """An address in ``path``, plain, percent-encoded or in base64; the first of them only."""
    if plain := _SCHEME.search(path, 1):
        yield _slashed(path[plain.start() :]) + query
    elif encoded := _ENCODED_SCHEME.search(path):
        if absolute := _absolute(_decoded(path[encoded.start() :])):
            yield absolute
    elif hidden := _BASE64.search(path):
        yield from _revealed(hidden[0])
    elif digits := _HEX.search(path):
        yield bytes.fromhex(digits[0]).decode("utf-8", "replace")
    elif folder := _SCHEME_FOLDER.search(path):
        yield f"{folder[1]}://{path[folder.end() :]}"


def _of_known_hosts(scheme: str, host: str, path: str) -> Iterator[str]:
    """Addresses without a scheme, at proxies that are known to take them."""
    if _PHOTON.fullmatch(host):
        yield f"https:/{path}"
    elif host.endswith(".cdn.ampproject.org") and (amp := _AMP.match(path)):
        yield f"https://{path[amp.end() :]}"
    elif host.endswith(_TRANSLATED):
        yield f"https://{_untranslated(host.removesuffix(_TRANSLATED))}{path}"
    elif host == "cdn.statically.io" and (static := _STATICALLY.fullmatch(path)):
        yield f"https://{static[1]}/{static[2]}"
    elif thumbor := _THUMBOR.fullmatch(path):
        rest = thumbor[1]
        while option := _THUMBOR_OPTION.match(rest):
            rest = rest[option.end() :]
        rest = _decoded(rest) if "%2f" in rest.lower() else rest
        if _HOST_FIRST.match(rest):
            yield f"https://{rest}"
        yield f"{scheme}//{host}/{rest}"


def _untranslated(label: str) -> str:
    """The host of a page that Google Translate shows: dots are hyphens, hyphens are two."""
    return "-".join(part.replace("-", ".") for part in label.split("--"))


def _without_options(path: str) -> Iterator[str]:
    if plain := _PLAIN.fullmatch(path[path.rfind("/plain/") :] if "/plain/" in path else ""):
        yield "/" + plain[1].lstrip("/")
    for pattern in _OPTIONS:
        if found := pattern.fullmatch(path):
            yield f"{found[1]}/{_path(found[2])}"
    if (hidden := _HIDDEN_PATH.fullmatch(path[path.rfind("/") :])) and (
        inner := _IMAGE_PATH.fullmatch(_from_base64(hidden[1]))
    ):
        yield f"/{inner[1]}"


def _absolute(value: str) -> str | None:
    """``value`` as an absolute address, if it is one under any number of encodings."""
    for _ in range(_LAYERS_OF_ENCODING):
        if _SCHEME.match(value):
            return _slashed(value)
        if value.startswith("//") and len(value) > 2:
            return f"https:{value}"
        if not _ENCODED_SCHEME.match(value):
            break
        value = _decoded(value)
    return next(_revealed(value), None) if _BASE64.fullmatch(value) else None


def _slashed(value: str) -> str:
    """With two slashes after the scheme, of which servers on the way may have made one."""
    return re.sub(r"^(https?:)/+", r"\1//", value, flags=re.I)


def _revealed(text: str) -> Iterator[str]:
    """imgproxy cuts its base64 by slashes and leaves out the padding; after the last slash there
    may be a name for search engines."""
    for letters in (text, text.rpartition("/")[0]):
        decoded = _from_base64(letters.replace("/", ""))
        if _SCHEME.match(decoded):
            yield _slashed(decoded)
            return


def _from_base64(text: str) -> str:
    """The text in base64, without padding or with it; empty if it is none."""
    letters = text.rstrip("=").replace("+", "-")
    try:
        return base64.urlsafe_b64decode(letters + "=" * (-len(letters) % 4)).decode()
    except ValueError:  # no base64, letters of other scripts, or no text
        return ""


def _path(text: str) -> str:
    """A path without the slash before it, of which the slashes may have been encoded."""
    for _ in range(_LAYERS_OF_ENCODING):
        if not _ENCODED_SLASH.search(text):
            break
        text = _decoded(text)
    return text.lstrip("/")


def _decoded(text: str) -> str:
    return unquote(text, errors="replace")

"""Image addresses -> bucket and name, without fetching anything.

Addresses of the web are percent-encoded, and their query and fragment do not count; a ``gs://``
URI holds the name as it is, ``?``, ``#`` and ``%`` included. `candidates` also tells from which
object an image at such an address was made: what an image proxy carries inside, and what sizes
and formats have made of a name.
"""

from __future__ import annotations

import functools
import html
import re
import string
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote, unquote

from functions.core.image_proxies import unwrapped
from functions.core.renditions import conversions, originals

MAX_LENGTH = 8192
# Most objects that one address is read as, and how many proxies may stand one behind another.
MOST_CANDIDATES = 24
_MOST_INNER, _LAYERS = 12, 3
# Characters of all of these together: what somebody makes long is looked at less often.
_MOST_CHARACTERS = 24_576
# RFC 1035, section 3.1, as text.
_HOST_LENGTH = 253
# "Request endpoints" and "Bucket names" in Cloud Storage's documentation; Firebase's is what its
# getDownloadURL() gives, also from its emulator.
_HOSTS = (
    *("storage.googleapis.com", "commondatastorage.googleapis.com", "www.googleapis.com"),
    *("storage.cloud.google.com", "storage.mtls.googleapis.com"),
    *("storage-download.googleapis.com", "content-storage.googleapis.com"),
)
# "Regional endpoints"
_REGIONAL = re.compile(r"storage\.[a-z0-9-]+\.rep\.googleapis\.com")
_CONSOLE = "console.cloud.google.com"
_DETAILS = re.compile(r"/storage/browser/_details/([^/]+)/([^;]+)(?:;.*)?")
_OF_BUCKETS = (".storage.googleapis.com", ".commondatastorage.googleapis.com")
_API_ONLY = "www.googleapis.com"
_FIREBASE = "firebasestorage.googleapis.com"
_HERE = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?")
_JSON_API = re.compile(r"/(?:download/)?storage/v1/b/([^/]+)/o/(.+)")
_DOWNLOAD = re.compile(r"/v0/b/([^/]+)/o/(.+)")
_PATH = re.compile(r"/([^/]+)/(.+)")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_NAME_BYTES = 1024

_WEB = re.compile(r"(?:(?P<scheme>[a-z][a-z0-9+.-]*):)?//(?P<host>[^/?#]*)(?P<path>[^?#]*)", re.I)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.I)
_HOST = re.compile(r"(?P<name>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{0,5}))?")
_HOST_PATTERN = re.compile(_HOST.pattern.replace("a-z0-9._-", "a-z0-9._*-"))
_DOUBLED = re.compile("/{2,}")
# Of a `srcset`, and its first address of several
_SIZED = r"(?:\s+\d+(?:\.\d+)?[wxh])+"
_DESCRIPTOR = re.compile(rf"{_SIZED}$")
_FIRST_OF_SET = re.compile(rf"(\S*[^\s,])(?:{_SIZED}\s*,\s*|,\s+)(?=(?:https?:)?//)", re.I)
_PASTED = re.compile(
    r"""(?:url\(\s*)?(?P<quote>["'])(.+)(?P=quote)\s*\)?|url\((.+)\)|<(.+)>""", re.S
)
_ENCODED = re.compile(r"(?:https?|gs)%(?:25)*3a", re.I)
_FEW_SLASHES = re.compile(r"^(https?):/(?=[^/])", re.I)
# What stands around an address unseen: spaces, and marks of joining and of direction.
_BLANK = f"{string.whitespace}\xa0\ufeff\u200b\u200c\u200d\u200e\u200f\u2060"
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,30});", re.I)
# What JavaScript's `escape` makes of a letter, in two halves where it is beyond 16 bits.
_ESCAPED = re.compile(r"(?:%u[0-9a-f]{4})+", re.I)
_STEP = re.compile(r"/(?:\.|%2e){1,2}(?:/|$)", re.I)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Origin:
    """A web address that stands for a bucket, or for a prefix in it.

    ``address`` is host, port unless it is the scheme's own, and decoded path, without a slash at
    the end; a ``*`` in the host stands for any letters of a label, and ``*.`` in front of it for
    any labels. ``prefix`` neither begins nor ends with a slash.
    """

    address: str
    bucket: str
    prefix: str = ""

    def rest(self, address: str) -> str | None:
        """What follows in an address that is under this one; None for any other address."""
        if "*" not in self.address:
            under = address.startswith(self.address + "/")
            return address[len(self.address) + 1 :] if under else None
        found = _pattern(self.address).match(address)
        return address[found.end() :] if found else None


def locate(src: str, origins: Sequence[Origin] = ()) -> tuple[str, str] | None:
    """The bucket and the name that ``src`` stands for; None if that is no object of a bucket.

    Of several origins the longest wins, and one without a wildcard before any with one. Raises
    ValueError, with the remedy, for what is no absolute address at all.
    """
    src = src.strip()
    if not src or len(src) > MAX_LENGTH:
        raise ValueError(f"is not an address of 1 to {MAX_LENGTH} characters")
    try:
        src.encode()
    except UnicodeEncodeError:
        raise ValueError("is not text in UTF-8; encode the address anew") from None
    if src[:5].lower() == "gs://":
        bucket, _, name = src[5:].partition("/")
        if not bucket or not name:
            raise ValueError("names no object; write gs://BUCKET/NAME")
        return _place(bucket, name)
    found = _parsed(src)
    if found is None:
        return None
    host, path = found
    return _under(origins, host, path) or _at_google(host, path)


@dataclass(frozen=True)
class Candidates:
    """What an address may stand for. ``exact`` is the object itself, as its name may be spelled,
    and the one that a proxy has inside its address."""

    exact: tuple[tuple[str, str], ...] = ()

    @functools.cached_property
    def named(self) -> tuple[tuple[str, str], ...]:
        """What the address says, likeliest first: these, and the images whose smaller copies they
        say that they are; at most `MOST_CANDIDATES`."""
        found = dict.fromkeys(self.exact)
        for bucket, name in self.exact:
            found |= dict.fromkeys((bucket, each) for each in originals(name))
        return tuple(place for place in found if _place(*place))[:MOST_CANDIDATES]

    @property
    def guessed(self) -> tuple[tuple[str, str], ...]:
        """What it may stand for besides, although it says nothing of it: images of these names in
        other formats; with ``named``, at most `MOST_CANDIDATES`."""
        others = dict.fromkeys(
            (bucket, each) for bucket, name in self.exact for each in conversions(name)
        )
        places = [place for place in others if place not in self.named and _place(*place)]
        return tuple(places)[: MOST_CANDIDATES - len(self.named)]


def candidates(src: str, origins: Sequence[Origin] = ()) -> tuple[tuple[str, str], ...]:
    """What ``src`` may stand for, likeliest first, as `read`."""
    found = read(src, origins)
    return found.named + found.guessed


def read(src: str, origins: Sequence[Origin] = ()) -> Candidates:
    """What ``src`` may stand for. Raises like `locate`.

    A ``gs://`` URI that somebody encoded, or gave a query, is read like an address of the web if
    there is no such name.
    """
    return Candidates(_exact(src, origins))


def _exact(src: str, origins: Sequence[Origin]) -> tuple[tuple[str, str], ...]:
    src = _pasted(src.strip(_BLANK))
    exact = [*_literal(src, origins), *_spelled(src, origins)]
    others = [each for each in dict.fromkeys(_meant(src)) if each != src]
    for other in others:
        with suppress(ValueError):
            exact += _literal(other, origins)
    for outer in (src, *others):
        for inner in _inside(outer):
            with suppress(ValueError):
                exact += _literal(inner, origins)
    return tuple(dict.fromkeys(exact))


def _meant(src: str) -> Iterator[str]:
    """The address as a browser would ask for it: without the entities of the HTML that it was cut
    from, without steps up and down (RFC 3986, section 5.2.4)."""
    if not _WEB.match(src) or src[:5].lower() == "gs://":
        return
    plain = _ENTITY.sub(lambda found: html.unescape(found[0]), src)
    yield plain
    if _ESCAPED.search(plain):
        yield _ESCAPED.sub(_unescaped, plain)
    if (found := _WEB.match(plain)) and _STEP.search(found["path"]):
        asked = found["path"].split("/")[1:]
        steps: list[str] = []
        for step in asked:
            dots = unquote(step)
            if dots == "..":
                del steps[-1:]
            elif dots != ".":
                steps.append(step)
        if steps[:1] != asked[:1] and _is_googles(src):
            return  # no way from one bucket to another
        yield f"{plain[: found.start('path')]}/{'/'.join(steps)}{plain[found.end('path') :]}"


def _unescaped(found: re.Match[str]) -> str:
    """The same letters in percent-encoded UTF-8."""
    units = bytes.fromhex(found[0].lower().replace("%u", ""))
    return quote(units.decode("utf-16-be", "replace"))


def _pasted(src: str) -> str:
    """``src`` without what it stood in, as JSON and CSS have it, and what encoded all of it."""
    if len(src) > MAX_LENGTH:
        return src
    if found := _PASTED.fullmatch(src):
        src = (found[2] or found[3] or found[4]).strip()
    if found := _FIRST_OF_SET.match(src):
        src = found[1]
    for _ in range(_LAYERS):
        if not _ENCODED.match(src):
            break
        src = unquote(src)
    if src[:4].lower() == "http":
        src = _FEW_SLASHES.sub(r"\1://", src.replace("\\/", "/"))
    return src


def _literal(src: str, origins: Sequence[Origin]) -> list[tuple[str, str]]:
    objects = [locate(src, origins)]
    if src[:5].lower() == "gs://" and re.search("[?#%]", src):
        bucket, _, name = re.split("[?#]", src[5:])[0].partition("/")
        with suppress(ValueError):
            objects.append(_place(bucket, _decoded(name)))
    return [place for place in objects if place]


def _spelled(src: str, origins: Sequence[Origin]) -> Iterator[tuple[str, str]]:
    """The same object, as its name may be spelled: a form of Unicode that a file system chose, a
    plus sign that was read as a space since nobody encoded the address."""
    place = locate(src, origins)
    if place is None:
        return
    bucket, name = place
    for form in ("NFC", "NFD"):
        if not name.isascii() and (other := unicodedata.normalize(form, name)) != name:
            yield from filter(None, [_place(bucket, other)])
    if " " in src and src[:5].lower() != "gs://":
        yield bucket, name.replace(" ", "+")
    # Slashes that somebody doubled, turned or encoded twice, and what was pasted along.
    plain = _DOUBLED.sub("/", name.replace("\\", "/")).strip("/ ")
    plain = _DESCRIPTOR.sub("", re.sub("%2f", "/", plain, flags=re.I))
    if plain not in ("", name):
        yield from filter(None, [_object(bucket, plain)])
    # A whole name that somebody encoded twice.
    if "%" in name and src[:5].lower() != "gs://":
        with suppress(ValueError):
            yield from filter(None, [_object(bucket, _decoded(name))])


def _inside(src: str) -> Iterator[str]:
    """The addresses inside a proxy's, those inside these, and so on; Google's own hosts are none.

    What stands there is somebody else's word: it is looked up like any other address.
    """
    layer, left = [src], _MOST_CHARACTERS
    for _ in range(_LAYERS):
        inner = [each for outer in layer if not _is_googles(outer) for each in unwrapped(outer)]
        layer = []
        for each in list(dict.fromkeys(inner))[:_MOST_INNER]:
            left -= len(each)
            if left >= 0:
                layer.append(each)
                yield each


def _is_googles(src: str) -> bool:
    with suppress(ValueError):
        host = (_parsed(src) or ("", ""))[0]
        return host in (*_HOSTS, _FIREBASE) or host.endswith(_OF_BUCKETS)
    return False


def origins(text: str) -> tuple[Origin, ...]:
    """``https://img.example.com=my-bucket/prefix, https://*.example.com=other``.

    An address may have commas and equals signs of its own (``/width=80,fit=cover``): the target
    begins after the first ``=`` that a bucket's name follows, numbers aside. Raises ValueError
    with the remedy.
    """
    found = []
    for each in filter(None, map(str.strip, re.split(r",\s+|,(?=https?:)|,$", text))):
        address, target = _sides(each)
        if not address.lower().startswith(("https://", "http://")) or re.search("[?#]", address):
            raise ValueError(f"has no web address in {each!r}; write https://HOST/PATH before '='")
        try:
            host, path = _parsed(address, patterns=True) or ("", "")
        except ValueError as error:
            raise ValueError(f"has a wrong address in {each!r}: it {error}") from None
        if "*" in host and not re.fullmatch(r"[^.]*\*[^.]*(?:\.[a-z0-9_-]+){2,}(?::\d+)?", host):
            raise ValueError(
                f"has too wide a pattern in {each!r}; write one * in the first part of a host that "
                "is yours, like https://*.example.com"
            )
        bucket, _, prefix = target.partition("/")
        if not _BUCKET.fullmatch(bucket):
            raise ValueError(f"has no bucket in {each!r}; write its name after '=', without gs://")
        found.append(Origin((host + unquote(path)).rstrip("/"), bucket, prefix.strip("/")))
    twice = {each.address for each in found if sum(e.address == each.address for e in found) > 1}
    if twice:
        raise ValueError(f"names {min(twice)} twice; use each address once")
    return tuple(found)


def _sides(text: str) -> tuple[str, str]:
    """The address and the target, without the spaces around them."""
    if "=" not in text:
        raise ValueError(f"has no '=' in {text!r}; write https://img.example.com=my-bucket")
    for found in re.finditer("=", text):
        target = text[found.end() :].strip()
        bucket = target.partition("/")[0]
        if _BUCKET.fullmatch(bucket) and not bucket.isdigit():
            return text[: found.start()].strip(), target
    address, _, target = text.partition("=")
    return address.strip(), target.strip()


def bucket_names(text: str) -> tuple[str, ...]:
    """Comma-separated names of buckets. Raises ValueError with the remedy."""
    names = tuple(dict.fromkeys(filter(None, map(str.strip, text.split(",")))))
    for name in names:
        if not _BUCKET.fullmatch(name):
            raise ValueError(f"names no bucket by {name!r}; write names, without gs:// or a path")
    return names


def _parsed(src: str, patterns: bool = False) -> tuple[str, str] | None:
    """Host (with a port that is not the scheme's) and raw path; None for other schemes. With
    ``patterns``, the host may have a ``*`` in it."""
    if _CONTROL.search(src):
        raise ValueError("has control characters in it; encode the address")
    found = _WEB.match(src)
    if not found and not _SCHEME.match(src):
        raise ValueError("is not absolute; write it with scheme and host, like https://HOST/PATH")
    if not found or (scheme := (found["scheme"] or "https").lower()) not in ("http", "https"):
        return None
    authority = found["host"].lower()
    if "@" in authority:
        raise ValueError("has a user in it; leave out what stands before '@'")
    if len(authority) > _HOST_LENGTH:
        raise ValueError("has no valid host")
    try:
        authority = authority if authority.isascii() else authority.encode("idna").decode()
    except UnicodeError:
        raise ValueError("has no valid host") from None
    host = (_HOST_PATTERN if patterns else _HOST).fullmatch(authority)
    if not host:
        raise ValueError("has no valid host; write it like https://HOST/PATH")
    port = host["port"] or ""
    default = {"http": "80", "https": "443"}[scheme]
    suffix = "" if port in ("", default) else f":{port}"
    return host["name"].removesuffix(".") + suffix, found["path"]


@functools.cache
def _pattern(address: str) -> re.Pattern[str]:
    """An origin with a wildcard, and the slash after it."""
    host, slash, path = address.partition("/")
    letters = "[a-z0-9._-]+" if host.startswith("*.") else "[a-z0-9_-]*"
    return re.compile(re.escape(host).replace(r"\*", letters) + re.escape(slash + path) + "/")


def _under(origins: Sequence[Origin], host: str, path: str) -> tuple[str, str] | None:
    address = host + _decoded(path)
    for each in sorted(origins, key=lambda origin: ("*" in origin.address, -len(origin.address))):
        if (rest := each.rest(address)) is not None:
            return _object(each.bucket, f"{each.prefix}/{rest}" if each.prefix and rest else rest)
    return None


def _at_google(host: str, path: str) -> tuple[str, str] | None:
    bucket_host = next((host.removesuffix(each) for each in _OF_BUCKETS if host.endswith(each)), "")
    if host in _HOSTS or _REGIONAL.fullmatch(host):
        found = _JSON_API.fullmatch(path) or (host != _API_ONLY and _PATH.fullmatch(path)) or None
    elif host == _CONSOLE:
        found = _DETAILS.fullmatch(path)
    elif host == _FIREBASE:
        found = _DOWNLOAD.fullmatch(path)
    elif _HERE.fullmatch(host):
        found = _DOWNLOAD.fullmatch(path) or _JSON_API.fullmatch(path)
    elif bucket_host:
        found = _PATH.fullmatch(f"/{bucket_host}{path}")
    else:
        return None
    return _object(_decoded(found[1]), _decoded(found[2])) if found else None


def _object(bucket: str, name: str) -> tuple[str, str] | None:
    """As `_place`; no client of the web asks for a name with ``..`` between slashes."""
    return None if {".", ".."} & set(name.split("/")) else _place(bucket, name)


def _place(bucket: str, name: str) -> tuple[str, str] | None:
    """None unless Cloud Storage allows such a bucket and such a name ("Object names")."""
    allowed = _BUCKET.fullmatch(bucket) and 1 <= len(name.encode()) <= _NAME_BYTES
    if not allowed or name in (".", "..") or re.search(r"[\0\r\n]", name):
        return None
    return bucket, name


def _decoded(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise ValueError("is not percent-encoded UTF-8; encode the address anew") from None

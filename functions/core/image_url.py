"""Image addresses -> bucket and name, without fetching anything.

Addresses of the web are percent-encoded, and their query and fragment do not count; a ``gs://``
URI holds the name as it is, ``?``, ``#`` and ``%`` included.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import unquote

MAX_LENGTH = 8192
# "Request endpoints" and "Bucket names" in Cloud Storage's documentation; Firebase's is what its
# getDownloadURL() gives.
_HOSTS = ("storage.googleapis.com", "storage.cloud.google.com")
_FIREBASE = "firebasestorage.googleapis.com"
_JSON_API = re.compile(r"/(?:download/)?storage/v1/b/([^/]+)/o/([^/]+)")
_DOWNLOAD = re.compile(r"/v0/b/([^/]+)/o/([^/]+)")
_PATH = re.compile(r"/([^/]+)/(.+)")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_NAME_BYTES = 1024

_WEB = re.compile(r"(?:(?P<scheme>[a-z][a-z0-9+.-]*):)?//(?P<host>[^/?#]*)(?P<path>[^?#]*)", re.I)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.I)
_HOST = re.compile(r"(?P<name>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{0,5}))?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Origin:
    """A web address that stands for a bucket, or for a prefix in it.

    ``address`` is host, port unless it is the scheme's own, and decoded path, without a slash at
    the end; ``prefix`` neither begins nor ends with one.
    """

    address: str
    bucket: str
    prefix: str = ""


def locate(src: str, origins: Sequence[Origin] = ()) -> tuple[str, str] | None:
    """The bucket and the name that ``src`` stands for; None if that is no object of a bucket.

    Of several origins the longest wins. Raises ValueError, with the remedy, for what is no
    absolute address at all.
    """
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


def readings(src: str, origins: Sequence[Origin] = ()) -> tuple[tuple[str, str], ...]:
    """What ``src`` may stand for, likeliest first: a ``gs://`` URI that somebody encoded, or gave
    a query, is read like an address of the web if there is no such name. Raises like `locate`."""
    places = [locate(src, origins)]
    if src[:5].lower() == "gs://" and re.search("[?#%]", src):
        bucket, _, name = re.split("[?#]", src[5:])[0].partition("/")
        with suppress(ValueError):
            places.append(_place(bucket, _decoded(name)))
    return tuple(dict.fromkeys(place for place in places if place))


def origins(text: str) -> tuple[Origin, ...]:
    """``https://img.example.com=my-bucket/prefix, ...``. Raises ValueError with the remedy."""
    found = []
    for each in filter(None, map(str.strip, text.split(","))):
        address, separator, target = each.partition("=")
        if not separator:
            raise ValueError(f"has no '=' in {each!r}; write https://img.example.com=my-bucket")
        address = address.strip()
        if not address.lower().startswith(("https://", "http://")) or re.search("[?#]", address):
            raise ValueError(f"has no web address in {each!r}; write https://HOST/PATH before '='")
        try:
            host, path = _parsed(address) or ("", "")
        except ValueError as error:
            raise ValueError(f"has a wrong address in {each!r}: it {error}") from None
        bucket, _, prefix = target.strip().partition("/")
        if not _BUCKET.fullmatch(bucket):
            raise ValueError(f"has no bucket in {each!r}; write its name after '=', without gs://")
        found.append(Origin((host + unquote(path)).rstrip("/"), bucket, prefix.strip("/")))
    twice = {each.address for each in found if sum(e.address == each.address for e in found) > 1}
    if twice:
        raise ValueError(f"names {min(twice)} twice; use each address once")
    return tuple(found)


def bucket_names(text: str) -> tuple[str, ...]:
    """Comma-separated names of buckets. Raises ValueError with the remedy."""
    names = tuple(dict.fromkeys(filter(None, map(str.strip, text.split(",")))))
    for name in names:
        if not _BUCKET.fullmatch(name):
            raise ValueError(f"names no bucket by {name!r}; write names, without gs:// or a path")
    return names


def _parsed(src: str) -> tuple[str, str] | None:
    """Host (with a port that is not the scheme's) and raw path; None for other schemes."""
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
    try:
        authority = authority if authority.isascii() else authority.encode("idna").decode()
    except UnicodeError:
        raise ValueError("has no valid host") from None
    host = _HOST.fullmatch(authority)
    if not host:
        raise ValueError("has no valid host; write it like https://HOST/PATH")
    port = host["port"] or ""
    default = {"http": "80", "https": "443"}[scheme]
    suffix = "" if port in ("", default) else f":{port}"
    return host["name"].removesuffix(".") + suffix, found["path"]


def _under(origins: Sequence[Origin], host: str, path: str) -> tuple[str, str] | None:
    address = host + _decoded(path)
    for each in sorted(origins, key=lambda origin: -len(origin.address)):
        if address.startswith(each.address + "/"):
            rest = address[len(each.address) + 1 :]
            return _object(each.bucket, f"{each.prefix}/{rest}" if each.prefix and rest else rest)
    return None


def _at_google(host: str, path: str) -> tuple[str, str] | None:
    if host in _HOSTS:
        found = _JSON_API.fullmatch(path) or _PATH.fullmatch(path)
    elif host == _FIREBASE:
        found = _DOWNLOAD.fullmatch(path)
    elif host.endswith(f".{_HOSTS[0]}"):
        found = _PATH.fullmatch(f"/{host.removesuffix(f'.{_HOSTS[0]}')}{path}")
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

"""HEIF's structure (ISO/IEC 23008-12 on ISO/IEC 14496-12): boxes, items, properties.

HEIC and AVIF files are a table of items (``meta``) and their bytes (``mdat``). An item's place
is written down as an offset in the file, so nothing can be taken out without moving the rest;
what must not leave is overwritten with zeros instead.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from functions.pictures.structure import cicp, icc
from functions.pictures.structure.survey import MAX_METADATA, MAX_PARTS, Damaged, Survey, number

_META = {b"hdlr", b"pitm", b"iinf", b"iref", b"iprp", b"iloc", b"idat", b"dinf", b"grpl"}
_PIXELS = {
    *(b"hvc1", b"hev1", b"lhv1", b"av01", b"avc1", b"vvc1", b"jpeg", b"j2k1", b"unci", b"mski"),
    *(b"grid", b"iovl", b"iden", b"tmap"),
}
# What all decoders of HEIC know: HEVC, and a grid of it.
_KNOWN = {b"hvc1", b"hev1", b"grid"}
# Tables of honest files: a burst has some hundred items, each with some ten properties.
_MAX_ASSOCIATIONS = 50_000
_ALPHA = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1")
# EXIF's word for irot's quarter turns (anticlockwise) of an image that is not mirrored.
_TURNED = {0: 1, 1: 8, 2: 3, 3: 6}

# What stands in the place of metadata: EXIF without a tag, XMP without a property.
_BLANK = {
    b"Exif": b"\0\0\0\0II*\0\x08" + bytes(9),
    b"mime": b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>',
}

Box = tuple[bytes, int, int, int]  # type, where it starts, where its body starts, where it ends


@dataclass(slots=True)
class _Items:
    primary: int = -1
    types: dict[int, bytes] = field(default_factory=dict)
    mimes: dict[int, bytes] = field(default_factory=dict)
    extents: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    properties: list[Box] = field(default_factory=list)
    owned: dict[int, list[int]] = field(default_factory=dict)
    parts: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    companions: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    references: int = 0
    associations: int = 0


def survey(data: bytes) -> Survey:
    """Read the tables. Kept are the file type, the tables, and the pixels of all images (decoders
    refuse a file whose depth map or gain map is gone); whatever else it holds becomes zeros."""
    found = Survey()
    top = list(boxes(data, 0, len(data)))
    meta = next((box for box in top if box[0] == b"meta"), None)
    if meta is None:
        raise Damaged("no table of items")
    items = _read(data, meta)
    if items.primary not in items.extents or items.types.get(items.primary) not in _PIXELS:
        raise Damaged("no primary image")
    _shape(found, data, items)
    _codings(found, items)
    if any(box[0] == b"moov" for box in top):
        found.obstacle = "animation"
    _notes(found, data, items)
    found.keep = sorted([*_kept(data, top, items), *_blanked(found, items, len(data))])
    return found


def cut(found: Survey, data: bytes) -> bytes:
    """The file with zeros where it is not kept, up to the last box that is needed."""
    view = memoryview(data)
    parts: list[bytes | memoryview] = []
    position = 0
    for start, end in found.keep:
        if start > position:
            parts.append(bytes(start - position))
        if end > position:
            parts.append(found.blanks.get(start) or view[max(start, position) : end])
            position = end
    return b"".join(parts)


def boxes(data: bytes, position: int, end: int) -> Iterator[Box]:
    for _ in range(MAX_PARTS):
        if position + 8 > end:
            return
        size, kind, body = number(data, position), data[position + 4 : position + 8], position + 8
        if size == 1:
            size, body = number(data, body, 8), body + 8
        elif size == 0:
            size = end - position
        if size < body - position or position + size > end:
            raise Damaged("a box reaches beyond what holds it")
        yield kind, position, body, position + size
        position += size
    raise Damaged("too many boxes")


def _read(data: bytes, meta: Box) -> _Items:
    items = _Items()
    children = {box[0]: box for box in boxes(data, meta[2] + 4, meta[3])}
    if b"pitm" not in children or b"iloc" not in children or b"iprp" not in children:
        raise Damaged("no primary image")
    body = children[b"pitm"][2]
    items.primary = number(data, body + 4, 4 if data[body] else 2)
    if b"iinf" in children:
        _types(items, data, children[b"iinf"])
    base = children[b"idat"][2] if b"idat" in children else -1
    _extents(items, data, children[b"iloc"], base)
    _properties(items, data, children[b"iprp"])
    if b"iref" in children:
        _references(items, data, children[b"iref"])
    return items


def _types(items: _Items, data: bytes, iinf: Box) -> None:
    wide = data[iinf[2]] > 0
    for kind, _, body, end in boxes(data, iinf[2] + (8 if wide else 6), iinf[3]):
        if kind == b"infe" and data[body] in (2, 3):
            size = 2 if data[body] == 2 else 4
            item = number(data, body + 4, size)
            at = body + 6 + size
            items.types[item] = data[at : at + 4]
            if data[at : at + 4] == b"mime":
                items.mimes[item] = data[at + 4 : min(end, at + 512)].split(b"\0")[1]


def _extents(items: _Items, data: bytes, iloc: Box, idat: int) -> None:
    at = iloc[2]
    version, sizes = number(data, at, 1), number(data, at + 4, 2)
    offset, length, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index = sizes & 15 if version else 0
    wide = 4 if version == 2 else 2
    count, at = number(data, at + 6, wide), at + 6 + wide
    total = 0
    for _ in range(min(count, MAX_PARTS)):
        item, at = number(data, at, wide), at + wide
        method = 0
        if version:
            method, at = number(data, at, 2) & 15, at + 2
        base, at = number(data, at + 2, base_size), at + 2 + base_size
        extents, at = number(data, at, 2), at + 2
        total += extents
        if method > 1 or (method == 1 and idat < 0) or total > MAX_PARTS:
            raise Damaged("items stored in a way that is not used")
        origin = idat if method else 0
        for _ in range(extents):
            start = origin + base + number(data, at + index, offset)
            size = number(data, at + index + offset, length)
            at += index + offset + length
            items.extents.setdefault(item, []).append((start, start + size))


def _properties(items: _Items, data: bytes, iprp: Box) -> None:
    for kind, _, body, end in boxes(data, iprp[2], iprp[3]):
        if kind == b"ipco":
            items.properties = list(boxes(data, body, end))
        elif kind == b"ipma":
            _owners(items, data, body)


def _owners(items: _Items, data: bytes, body: int) -> None:
    wide = 4 if data[body] else 2
    two = data[body + 3] & 1
    at = body + 8
    for _ in range(min(number(data, body + 4), MAX_PARTS)):
        item, count = number(data, at, wide), number(data, at + wide, 1)
        at += wide + 1
        items.associations += 1 + count
        if items.associations > _MAX_ASSOCIATIONS:
            raise Damaged("more properties than any file has")
        for _ in range(count):
            index = number(data, at, 1 + two) & (0x7FFF if two else 0x7F)
            items.owned.setdefault(item, []).append(index)
            at += 1 + two


def _references(items: _Items, data: bytes, iref: Box) -> None:
    wide = 4 if data[iref[2]] else 2
    for kind, _, body, end in boxes(data, iref[2] + 4, iref[3]):
        source, count = number(data, body, wide), number(data, body + wide, 2)
        items.references += 1 + count
        if body + wide + 2 + wide * count > end or items.references > _MAX_ASSOCIATIONS:
            raise Damaged("more references than any file has")
        for at in range(body + wide + 2, body + wide + 2 + wide * count, wide):
            target = number(data, at, wide)
            if kind == b"dimg":
                items.parts[source].append(target)
                if items.types.get(source) == b"tmap":
                    items.companions[target].append(source)
            elif kind in (b"auxl", b"thmb"):
                items.companions[target].append(source)


def _codings(found: Survey, items: _Items) -> None:
    """What the primary image is made of; whatever else is in the file is another picture."""
    own: set[int] = set()
    waiting = [items.primary]
    while waiting:
        item = waiting.pop()
        if item not in own:
            own.add(item)
            waiting += items.parts.get(item, []) + items.companions.get(item, [])
    found.coding = items.types[items.primary]
    made_of, seen = [items.primary], {items.primary}
    for item in made_of:
        if items.types.get(item) not in _KNOWN:
            found.coding = items.types.get(item, b"")
            found.obstacle = "a coding that few decoders know"
        new = [part for part in items.parts.get(item, []) if part not in seen]
        seen.update(new)
        made_of += new
    if any(kind in _PIXELS and item not in own for item, kind in items.types.items()):
        found.obstacle = found.obstacle or "several pictures"


def _shape(found: Survey, data: bytes, items: _Items) -> None:
    for index in items.owned.get(items.primary, []):
        if not 0 < index <= len(items.properties):
            continue
        kind, _, body, end = items.properties[index - 1]
        if kind == b"ispe":
            found.width, found.height = number(data, body + 4), number(data, body + 8)
        elif kind == b"irot":
            found.orientation = _TURNED[number(data, body, 1) & 3]
        elif kind in (b"imir", b"clap"):
            found.obstacle = "mirrored or cropped"
        elif kind == b"pixi" and max(data[body + 5 : end], default=8) > 8:
            found.obstacle = "more than 8 bits a channel"
        elif kind == b"colr":
            _colours(found, data, body, end)
    if not found.width or not found.height:
        raise Damaged("no width or no height")
    if found.orientation != 1:
        found.obstacle = "not upright"
    for kind, _, body, _end in items.properties:
        if kind == b"auxC" and data.startswith(_ALPHA, body + 4):
            found.obstacle = "transparency"


def _colours(found: Survey, data: bytes, body: int, end: int) -> None:
    if data.startswith(b"nclx", body) and end - body >= 11:
        points = bytes((data[body + 5], data[body + 7]))
        found.cicp = b"" if cicp.is_plain(points) else points
    elif data.startswith((b"prof", b"rICC"), body):
        found.icc = data[body + 4 : min(end, body + 4 + MAX_METADATA)]
    far = found.cicp and not cicp.is_near(found.cicp)
    if far or (found.icc and not icc.is_near_srgb(found.icc)):
        found.obstacle = "colours that not every decoder shows"


def _notes(found: Survey, data: bytes, items: _Items) -> None:
    for item, kind in items.types.items():
        extents = items.extents.get(item, [])
        if kind not in (b"Exif", b"mime") or sum(e - s for s, e in extents) > MAX_METADATA:
            continue
        body = b"".join(data[start:end] for start, end in extents)
        if kind == b"Exif":
            # Annex A.2.1: an offset to the TIFF header, counted from behind itself.
            found.exif = body[4 + int.from_bytes(body[:4], "big") :]
        elif items.mimes[item] == b"application/rdf+xml":
            found.xmp = body


def _blanked(found: Survey, items: _Items, size: int) -> Iterator[tuple[int, int]]:
    for item, extents in items.extents.items():
        blank = _BLANK.get(items.types.get(item, b""))
        if blank and extents[0][1] - extents[0][0] >= len(blank):
            start = extents[0][0]
            if start + len(blank) > size:
                raise Damaged("metadata beyond the end of the file")
            found.blanks[start] = blank
            yield start, start + len(blank)


def _kept(data: bytes, top: list[Box], items: _Items) -> Iterator[tuple[int, int]]:
    for item, extents in items.extents.items():
        if item != items.primary and items.types.get(item) not in _PIXELS:
            continue
        for start, end in extents:
            if end > len(data):
                raise Damaged("pixels beyond the end of the file")
            yield start, end
    last = max(end for kind, _, _, end in top if kind in (b"ftyp", b"meta", b"mdat"))
    yield last, last
    for kind, start, body, end in top:
        if kind == b"ftyp":
            yield start, end
        elif kind == b"meta":
            yield start, body + 4
            yield from _kept_tables(data, body + 4, end)
        elif end <= last:
            yield start, body


def _kept_tables(data: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    for kind, at, body, stop in boxes(data, start, end):
        if kind == b"iprp":
            yield at, body
            for part, part_at, part_body, part_stop in boxes(data, body, stop):
                yield part_at, part_body
                if part != b"ipco":
                    yield part_body, part_stop
                    continue
                for name, prop_at, prop_body, prop_stop in boxes(data, part_body, part_stop):
                    yield prop_at, prop_body if name in (b"uuid", b"udes") else prop_stop
        else:
            yield at, stop if kind in _META - {b"idat"} else body

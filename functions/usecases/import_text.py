"""Take texts out of a file: first what would change, then the change."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from functions.core import spreadsheet
from functions.core.document import Document, document_id
from functions.core.errors import CaptionError, EditError
from functions.core.ports import CaptionStore
from functions.usecases.edit_caption import Change, Editing, changed, version

# What an import may say of an image; other columns of an export are left alone.
_TEXTS = ("alt_text", "caption", "language", "long_description")
_YES, _NO = frozenset({"true", "yes", "1", "x"}), frozenset({"false", "no", "0", ""})
_AT_ONCE, _BATCH = 8, 300


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """What a file says of one image; ``version`` is the one that it was exported with."""

    line: int
    uri: str
    change: Change
    version: str = ""


@dataclass(frozen=True, slots=True)
class Planned:
    """A change that a row makes; ``conflict`` says why it is not made, if so."""

    row: ImportedRow
    before: Document
    after: Document
    conflict: str = ""


@dataclass(slots=True)
class Plan:
    """What an import would do. ``errors`` are by line: what cannot be read or done."""

    changes: list[Planned] = field(default_factory=list)
    errors: list[tuple[int, str, str]] = field(default_factory=list)


def read(text: str, *, lines: bool) -> Iterator[ImportedRow | tuple[int, str, str]]:
    """The rows of a CSV file, or of JSON ``lines``; a row that means nothing as its line, image
    and fault. Raises ValueError for what is no such file."""
    rows = _json_lines(text) if lines else spreadsheet.read(text, needs="uri")
    for line, record in rows:
        uri = str(record.get("uri") or "").strip()
        try:
            yield ImportedRow(line, uri, _change(uri, record), str(record.get("version") or ""))
        except EditError as error:
            yield line, uri, str(error)


def plan(store: CaptionStore, rows: Iterator[ImportedRow | tuple[int, str, str]]) -> Plan:
    """What ``rows`` would change: the same text again is no change, and a row whose image has
    changed since it was exported is a conflict."""
    made, waiting = Plan(), list[ImportedRow]()
    for each in rows:
        if isinstance(each, ImportedRow):
            waiting.append(each)
        else:
            made.errors.append(each)
        if len(waiting) == _BATCH:
            _compare(store, waiting, made)
            waiting = []
    _compare(store, waiting, made)
    return made


def carry_out(editing: Editing, planned: Plan, by: str) -> int:
    """Make the changes of a plan that have no conflict; how many were made. What fails is added
    to the plan's errors."""

    def make(each: Planned) -> str:
        try:
            editing.edit(each.before.id, each.row.change, by, version(each.before))
        except CaptionError as error:
            return str(error)
        return ""

    changes = [each for each in planned.changes if not each.conflict]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        faults = list(pool.map(make, changes))
    for each, fault in zip(changes, faults, strict=True):
        if fault:
            planned.errors.append((each.row.line, each.row.uri, fault))
    return faults.count("")


def _compare(store: CaptionStore, rows: Sequence[ImportedRow], made: Plan) -> None:
    keys = [document_id(*_place(row.uri)) for row in rows]
    there = store.read_many(keys)
    for row, key in zip(rows, keys, strict=True):
        if key not in there:
            made.errors.append((row.line, row.uri, "there is no caption of this image"))
            continue
        before, change = there[key].document, row.change
        if change.alt_text == before.alt_text == "" and not before.decorative:
            continue  # exported without a text, and none has been written
        try:
            after = changed(before, change, "import", datetime.now(UTC))
        except EditError as error:
            made.errors.append((row.line, row.uri, str(error)))
            continue
        if after.text_fields() == before.text_fields() and not change.approve:
            continue
        stale = bool(row.version) and row.version != version(before)
        why = "it has changed since it was exported" if stale else ""
        made.changes.append(Planned(row, before, after, why))


def _change(uri: str, record: Mapping[str, Any]) -> Change:
    _place(uri)
    texts = {name: value for name in _TEXTS if isinstance(value := record.get(name), str)}
    decorative = _flag(record, "decorative")
    alt_text = None if decorative else texts.get("alt_text")
    return Change(
        alt_text=alt_text,
        caption=texts.get("caption"),
        long_description=texts.get("long_description"),
        language=texts.get("language") or None,
        decorative=None if alt_text is None and not decorative else decorative,
        approve=_flag(record, "approve") or None,
    )


def _flag(record: Mapping[str, Any], name: str) -> bool | None:
    value = record.get(name)
    if value is None or isinstance(value, bool):
        return value
    folded = str(value).strip().lower()
    if folded in _YES | _NO:
        return folded in _YES
    raise EditError(f"{name}={folded[:40]!r} is neither true nor false")


def _place(uri: str) -> tuple[str, str]:
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    if not uri.startswith("gs://") or not bucket or not name:
        raise EditError("uri names no image; write gs://BUCKET/NAME")
    return bucket, name


def _json_lines(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            raise ValueError(f"line {number} is no JSON") from None
        if not isinstance(record, dict):
            raise ValueError(f"line {number} is no JSON object")
        yield number, record

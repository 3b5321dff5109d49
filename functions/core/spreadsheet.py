"""Texts on their way through spreadsheets: cells that no program computes, and back again."""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence

# What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection"); full-width
# forms are the same to some of them, and a separator of another region begins a new cell.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", ";", ",", "|", "%")
_SEPARATORS = ",;\t"
# What Excel writes, and reads, before the header to say what separates the cells.
_SAYS_SEPARATOR = re.compile(r'"?sep=([,;\t])"?[,;\t]*\r?\n', re.IGNORECASE)
# How an archive begins, which a workbook is ("4.3.6", ZIP specification).
_ARCHIVE = b"PK\x03\x04"


def safe_cell(text: str) -> str:
    """``text`` as a cell that no spreadsheet computes: with an apostrophe before it if need be."""
    return f"'{text}" if _computed(text) else text


def original_cell(cell: str) -> str:
    """The text of which :func:`safe_cell` made ``cell``."""
    return cell[1:] if cell.startswith("'") and _computed(cell[1:]) else cell


def written(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> Iterator[str]:
    """CSV by RFC 4180, line by line, with a header; lists are joined by commas."""
    yield _line(columns)
    for row in rows:
        yield _line([safe_cell(_text(row.get(name))) for name in columns])


def decoded(data: bytes) -> str:
    """A file's text: UTF-8, or the UTF-16 that Excel calls Unicode text. Raises ValueError with
    the remedy for any other."""
    if data.startswith(_ARCHIVE):
        raise ValueError("the file is a workbook; save it as CSV UTF-8")
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if wide else "utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise ValueError("the file is not UTF-8; save it in that encoding") from None


def read(text: str, needs: str = "") -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV file with a header, each with its line; separated by commas, semicolons
    or tabs, whichever the header has most. Columns are called in lower case. Raises ValueError
    for what is no such file, or has no column that is called as it ``needs``."""
    text = text.removeprefix("\ufeff")
    said = _SAYS_SEPARATOR.match(text)
    before = 1 if said else 0
    text = text[said.end() :] if said else text
    header = text.partition("\n")[0]
    separator = said[1] if said else max(_SEPARATORS, key=header.count)
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        names = [name.strip().lower() for name in rows.fieldnames or ()]
        if needs and needs not in names:
            raise ValueError(f"the first line names no column {needs}; write one, like an export")
        rows.fieldnames = names
        for row in rows:
            cells = {key: value for key, value in row.items() if key and isinstance(value, str)}
            yield rows.line_num + before, {key: original_cell(cells[key]) for key in cells}
    except csv.Error as error:
        raise ValueError(f"line {rows.line_num + before} is no CSV: {error}") from None


def _computed(text: str) -> bool:
    folded = unicodedata.normalize("NFKC", text[:8]).lstrip(" '\u00a0\u200b\ufeff")
    return folded.startswith(_FORMULA)


def _line(cells: Sequence[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(cells)
    return buffer.getvalue()


def _text(value: object) -> str:
    if value is None or value is False:
        return ""
    if value is True:
        return "true"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)

"""Texts on their way through spreadsheets: cells that no program computes, and back again."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence

# What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection"); full-width
# forms are the same to some of them, and a separator of another region begins a new cell.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", ";", ",", "|", "%")
_SEPARATORS = ",;\t"


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


def read(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV file with a header, each with its line; separated by commas, semicolons
    or tabs, whichever the header has most. Raises ValueError for what is no such file."""
    text = text.removeprefix("\ufeff")
    header = text.partition("\n")[0]
    separator = max(_SEPARATORS, key=header.count)
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for row in rows:
            cells = {key: value for key, value in row.items() if key and isinstance(value, str)}
            yield rows.line_num, {key.strip(): original_cell(cells[key]) for key in cells}
    except csv.Error as error:
        raise ValueError(f"line {rows.line_num} is no CSV: {error}") from None


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

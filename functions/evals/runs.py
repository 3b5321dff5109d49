"""The nouns, and how a run is kept: a JSON-lines file, its settings first, then its pictures."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from functions.core.errors import ConfigurationError
from functions.evals.references import Reference

FOLDER = Path(".captions-eval")
_NAME = re.compile(r"[\w.@+-]+")
# How pictures end that say nothing about the model: they count in no figure of its words.
_NOT_THE_MODEL = frozenset(
    {"unsupported_type", "corrupt_image", "too_large", "too_many_pixels", "empty", "unavailable"}
)


@dataclass(frozen=True, slots=True)
class Row:
    """One picture: what was written, what was found in it, what it took.

    ``outcome`` is ``captioned``, or the reason why there are no words, which ``problem`` tells.
    ``found`` are the codes of the filter's findings in the first answer, ``left`` those in the
    words that would be published. ``seconds`` is the model's time, repair included.
    """

    path: str
    outcome: str
    problem: str = ""
    alt_text: str = ""
    caption: str = ""
    decorative: bool = False
    language: str = ""
    max_length: int = 125
    found: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    model_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    seconds: float = 0.0
    model_version: str = ""
    reference: Reference | None = None

    @property
    def answered(self) -> bool:
        """Whether the outcome is the model's: words, a refusal, or nothing usable."""
        return self.outcome not in _NOT_THE_MODEL


@dataclass(frozen=True, slots=True)
class Run:
    """The pictures of one run, and what they were asked with."""

    name: str
    model: str
    prompt: str
    date: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    rows: tuple[Row, ...] = ()

    @property
    def answered(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.answered)


def place(name: str) -> Path:
    """The file of a run: by its name in ``.captions-eval``, or by its path as it is.

    Raises ConfigurationError for a name that is neither.
    """
    if "/" in name or name.endswith(".jsonl"):
        return Path(name)
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} is no name of a run: use letters, digits and . _ - @ +, or a path to a "
            ".jsonl file"
        )
    return FOLDER / f"{name}.jsonl"


def save(run: Run, path: Path) -> None:
    """Write a run. Raises ConfigurationError where that is impossible."""
    header = {each.name: getattr(run, each.name) for each in fields(Run) if each.name != "rows"}
    lines = [header, *(record(row) for row in run.rows)]
    text = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in lines)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as error:
        raise ConfigurationError(
            f"{path}: cannot be written ({error.strerror}); name another place with --save"
        ) from None


def load(path: Path) -> Run:
    """Read a run. Raises ConfigurationError with the file, the line and the fault."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        kept = ", ".join(sorted(each.stem for each in path.parent.glob("*.jsonl")))
        raise ConfigurationError(
            f"{path}: there is no such run{f'; there are {kept}' if kept else ''}"
        ) from None
    read = list(_records(lines, path))
    if not read:
        raise ConfigurationError(f"{path}: is empty; it is no run of `captions eval`")
    header, *rows = read
    try:
        return Run(**header, rows=tuple(_row(each) for each in rows))
    except (TypeError, AttributeError):
        raise ConfigurationError(
            f"{path}: is no run of this version's `captions eval`; make it again"
        ) from None


def record(row: Row) -> dict[str, Any]:
    """A row as it is kept."""
    return asdict(row)


def _records(lines: Sequence[str], path: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, 1):
        try:
            data = json.loads(line)
        except (ValueError, RecursionError):
            data = None
        if not isinstance(data, dict):
            raise ConfigurationError(f"{path}, line {number}: is not a JSON object")
        yield data


def _row(data: dict[str, Any]) -> Row:
    written = data.get("reference")
    reference = written and Reference(
        written["path"], tuple(written["alt"]), tuple(written["caption"]), written["decorative"]
    )
    codes: dict[str, Any] = {key: tuple(data[key]) for key in ("found", "left") if key in data}
    return Row(**{**data, **codes, "reference": reference})

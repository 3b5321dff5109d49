"""The contact sheet of ``captions demo``: each picture beside what people get to know of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from functions.cli import output
from functions.core.document import Document, Source, Status, Usage

if TYPE_CHECKING:
    from functions.cli.session import Choice
    from functions.local.folder_bucket import Result

# Beside the captions; the folder's own files are the bucket.
PLACE = Path(".captions", "contact-sheet.html")
_TEMPLATE = Path(__file__).with_name("contact_sheet.html")
_SOURCES = {
    "human": "a person",
    "embedded": "the file itself, where somebody wrote it",
    "uploader": "the uploader",
}


@dataclass(frozen=True, slots=True)
class RealModel:
    """The line that brings a model which sees, and why it is this one."""

    line: str
    why: str


def write(
    folder: Path, results: Sequence[Result], choice: Choice, better: RealModel | None
) -> Path:
    """Write the page of ``results`` into ``folder``, and return where it is."""
    import jinja2

    entries = [_entry(each) for each in results]
    text = (
        jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
        .from_string(_TEMPLATE.read_text("utf-8"))
        .render(
            captioned=[each for each in entries if each["captioned"]],
            others=[each for each in entries if not each["captioned"]],
            model=str(choice.model),
            offline=choice.model.provider == "offline",
            better=better,
            cost=output.money(sum(each["dollars"] for each in entries)),
            calls=sum(each["calls"] for each in entries),
        )
    )
    path = folder / PLACE
    path.write_text(text, "utf-8")
    return path


def _entry(result: Result) -> dict[str, Any]:
    """What the page says of one file."""
    document = result.document
    usage = document.usage if document else Usage()
    return {
        "name": result.name,
        "address": "../" + quote(result.name),
        "captioned": bool(document and document.status == Status.CAPTIONED),
        "status": document.status if document else result.outcome.outcome or "failed",
        "why": _why(result),
        "text": document,
        "by": _by(document) if document else "",
        "dollars": usage.cost_usd,
        "cost": output.money(usage.cost_usd),
        "calls": usage.model_calls,
        "tokens": usage.input_tokens + usage.output_tokens,
        "milliseconds": result.outcome.duration_ms,
    }


def _by(document: Document) -> str:
    """Whose words they are."""
    if document.source == Source.MODEL:
        return document.model if document.model != "offline" else "nobody: measured offline"
    return _SOURCES.get(document.source, "")


def _why(result: Result) -> str:
    """Why there is no caption."""
    error = result.document.error if result.document else None
    if error:
        return f"{error.message} ({error.reason})"
    return (result.outcome.reason or result.outcome.message).replace("_", " ")

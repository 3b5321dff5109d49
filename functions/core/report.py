"""What one event came to, told while the work goes on; the log line is made of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from functions.core.document import Usage


@dataclass(slots=True)
class Report:
    """What a use case says of its work while it goes on; the log line is made of it."""

    bucket: str = ""
    name: str = ""
    generation: int | None = None
    outcome: str = ""
    reason: str = ""
    model: str = ""
    usage: Usage = field(default_factory=Usage)
    model_seconds: float = 0.0
    model_state: str = ""
    embedding: str = ""
    message: str = ""
    kept: dict[str, int] = field(default_factory=dict)

"""How the similarities of captions and images are spread, for the choice of a threshold."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

_STEP = 0.05
_QUANTILES = (0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 1)
_WIDTH = 40


def distribution(similarities: Sequence[float]) -> dict[str, Any] | None:
    """Count, quantiles, a histogram in steps of 0.05, and what share each threshold would send
    to review; None if nothing was measured."""
    if not similarities:
        return None
    ordered = sorted(similarities)
    steps = Counter(math.floor(each / _STEP + 1e-9) for each in ordered)
    spread = range(min(steps), max(steps) + 1)
    last = len(ordered) - 1
    return {
        "measured": len(ordered),
        "quantiles": {f"{share:.0%}": ordered[round(share * last)] for share in _QUANTILES},
        "histogram": {f"{step * _STEP:.2f}": steps[step] for step in spread},
        "below": {
            f"{step * _STEP:.2f}": round(sum(x < step * _STEP for x in ordered) / len(ordered), 4)
            for step in (*spread, spread[-1] + 1)
        },
    }


def drawn(spread: dict[str, Any], threshold: float) -> str:
    """A distribution for people, with the mark of the threshold that is set."""
    most = max(spread["histogram"].values())
    lines = [f"Similarity of {spread['measured']:,} captions and images:"]
    lines.append("  ".join(f"{name} {value:.2f}" for name, value in spread["quantiles"].items()))
    for start, count in spread["histogram"].items():
        bar = "█" * math.ceil(count / most * _WIDTH)
        below = spread["below"][start]
        mark = "  ← CAPTION_SIMILARITY_THRESHOLD" if _holds(float(start), threshold) else ""
        lines.append(f"{start:>6} {count:>7,} {bar} {below:.1%} below{mark}")
    return "\n".join(lines)


def _holds(start: float, threshold: float) -> bool:
    return start - 1e-9 <= threshold < start + _STEP - 1e-9

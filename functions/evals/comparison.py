"""Two runs side by side, on the pictures that both answered."""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from functions.evals.measures import alt, likenesses
from functions.evals.runs import Row, Run
from functions.quality.text import tokens

# Below this many the percentile interval is too narrow to be believed (Hesterberg 2015, "What
# Teachers Should Know About the Bootstrap", on narrowness bias and small samples).
ENOUGH = 20
RESAMPLES = 5_000
_SEED = 1


@dataclass(frozen=True, slots=True)
class Pair:
    """A picture in both runs; its scores are 0 where there is no reference."""

    before: Row
    after: Row
    scores: tuple[float, float] = (0.0, 0.0)

    @property
    def gain(self) -> float:
        return self.scores[1] - self.scores[0]


@dataclass(frozen=True, slots=True)
class Comparison:
    """``scored`` pictures have references, the same in both runs; ``interval`` is that of the
    mean gain in chrF, None where there are too few pictures to tell."""

    pairs: tuple[Pair, ...]
    scored: int
    gain: float
    interval: tuple[float, float] | None

    @property
    def judgement(self) -> str:
        """What the figures say, for a person."""
        if not self.scored:
            return "no picture has the same references in both runs: nothing to score"
        if self.interval is None:
            return f"{self.scored} pictures are too few to tell; {ENOUGH} or more are needed"
        low, high = self.interval
        interval = f"95% interval {low:+.1f} to {high:+.1f}, {self.scored} pictures"
        if low > 0 or high < 0:
            return f"{interval}: {'better' if low > 0 else 'worse'}"
        return f"{interval}: may be chance"


def compare(before: Run, after: Run) -> Comparison:
    """Pairs of one picture each, the worst loss first: in chrF, or without references the
    pictures whose texts have least in common."""
    theirs = {row.path: row for row in after.answered}
    both = [(row, theirs[row.path]) for row in before.answered if row.path in theirs]
    scored = [
        (ours, other) for ours, other in both if alt(ours)[1] and alt(ours)[1] == alt(other)[1]
    ]
    scores = zip(
        likenesses([ours for ours, _ in scored], alt),
        likenesses([other for _, other in scored], alt),
        strict=True,
    )
    if not scored:
        apart = sorted(both, key=lambda pair: (_common(*pair), pair[0].path))
        return Comparison(tuple(Pair(*each) for each in apart), 0, 0.0, None)
    pairs = [Pair(*each, score) for each, score in zip(scored, scores, strict=True)]
    gains = [pair.gain for pair in pairs]
    return Comparison(
        tuple(sorted(pairs, key=lambda pair: (pair.gain, pair.before.path))),
        len(pairs),
        statistics.fmean(gains),
        interval(gains) if len(gains) >= ENOUGH else None,
    )


def interval(gains: Sequence[float]) -> tuple[float, float]:
    """The middle 95% of the means of pictures drawn again and again with replacement (the paired
    percentile bootstrap); the same for the same gains."""
    # A seed, so that the same two runs give the same interval; nothing secret hangs on it.
    draw = random.Random(_SEED)  # noqa: S311  # nosec B311
    means = sorted(statistics.fmean(draw.choices(gains, k=len(gains))) for _ in range(RESAMPLES))
    edge = round(0.025 * RESAMPLES)
    return means[edge], means[-edge - 1]


def _common(ours: Row, other: Row) -> float:
    """The share of the words of two texts that both have."""
    left, right = set(tokens(ours.alt_text)), set(tokens(other.alt_text))
    return len(left & right) / len(left | right) if left | right else 1.0

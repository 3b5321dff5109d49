"""A run in figures."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from functions.evals.references import Reference
from functions.evals.runs import Row, Run
from functions.quality.text import graphemes, tokens


@dataclass(frozen=True, slots=True)
class Likeness:
    """How near the texts of ``pictures`` pictures are to what people wrote: chrF and BLEU-4, each
    from 0 to 100. A refused picture counts with an empty text."""

    pictures: int
    chrf: float
    bleu: float


@dataclass(frozen=True, slots=True)
class Lengths:
    """Characters as people see them in the alt texts that are not empty; ``over`` counts those
    above their rule's soft limit."""

    each: tuple[int, ...]
    median: float
    p90: float
    over: int


@dataclass(frozen=True, slots=True)
class Decoration:
    """Pictures that are decoration and said to be (``right``) or not (``missed``); others that
    are said to be (``wrong``) or not (``described``)."""

    right: int
    missed: int
    wrong: int
    described: int


@dataclass(frozen=True, slots=True)
class Totals:
    """``outcomes`` by their name; ``findings`` by rule, in how many pictures it was found and in
    how many it is left. Seconds are of the model, for a picture; calls, tokens and dollars are
    means of a picture."""

    pictures: int
    answered: int
    outcomes: Mapping[str, int]
    findings: Mapping[str, tuple[int, int]]
    review: int
    lengths: Lengths
    decoration: Decoration | None
    alt_text: Likeness | None
    caption: Likeness | None
    p50: float
    p95: float
    calls: float
    input_tokens: float
    output_tokens: float
    cost_usd: float


def totals(run: Run) -> Totals:
    """The figures of a run; those of the model's words leave out pictures it did not get."""
    rows = run.answered
    written = [row for row in rows if row.outcome == "captioned"]
    codes = sorted({code for row in rows for code in (*row.found, *row.left)})
    findings = {
        code: (sum(code in row.found for row in rows), sum(code in row.left for row in rows))
        for code in codes
    }
    seconds = [row.seconds for row in rows]
    return Totals(
        pictures=len(run.rows),
        answered=len(rows),
        outcomes=dict(Counter(row.outcome for row in run.rows).most_common()),
        findings=dict(sorted(findings.items(), key=lambda item: (-item[1][0], -item[1][1]))),
        review=sum(bool(row.left) for row in written),
        lengths=_lengths(written),
        decoration=_decoration(written),
        alt_text=_likeness(rows, alt),
        caption=_likeness(rows, caption),
        p50=percentile(seconds, 0.5),
        p95=percentile(seconds, 0.95),
        calls=_mean(row.model_calls for row in rows),
        input_tokens=_mean(row.input_tokens for row in rows),
        output_tokens=_mean(row.output_tokens for row in rows),
        cost_usd=_mean(row.cost_usd for row in rows),
    )


Chosen = Callable[[Row], tuple[str, tuple[str, ...]]]


def alt(row: Row) -> tuple[str, tuple[str, ...]]:
    """A picture's alt text, and what people wrote; nothing for decoration, which has no words."""
    return row.alt_text, _written(row.reference, lambda texts: texts.alt)


def caption(row: Row) -> tuple[str, tuple[str, ...]]:
    """A picture's caption, and what people wrote."""
    return row.caption, _written(row.reference, lambda texts: texts.caption)


def likenesses(rows: Sequence[Row], chosen: Chosen) -> list[float]:
    """chrF of each row, all of which have references: against the one that is nearest."""
    return [_chrf(*chosen(row)) for row in rows]


def percentile(values: Iterable[float], share: float) -> float:
    """The value that ``share`` of them do not exceed (nearest rank); 0 of none."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)] if ranked else 0.0


def _written(
    reference: Reference | None, of: Callable[[Reference], tuple[str, ...]]
) -> tuple[str, ...]:
    return of(reference) if reference else ()


def _likeness(rows: Sequence[Row], chosen: Chosen) -> Likeness | None:
    scored = [row for row in rows if chosen(row)[1]]
    if not scored:
        return None
    score = statistics.fmean(likenesses(scored, chosen))
    return Likeness(len(scored), score, _bleu([chosen(row) for row in scored]))


def _chrf(text: str, references: tuple[str, ...]) -> float:
    """chrF2 (Popović 2015) by sacrebleu, on the words that BLEU-4 compares."""
    import sacrebleu

    words = [" ".join(tokens(each)) for each in references]
    return sacrebleu.sentence_chrf(" ".join(tokens(text)), words).score


def _bleu(pairs: Sequence[tuple[str, tuple[str, ...]]]) -> float:
    """BLEU-4 of all texts together, by sacrebleu, without case and punctuation."""
    import sacrebleu

    most = max(len(texts) for _, texts in pairs)
    columns: list[Any] = [  # sacrebleu takes None where a text has fewer references
        [" ".join(tokens(texts[number])) if number < len(texts) else None for _, texts in pairs]
        for number in range(most)
    ]
    texts = [" ".join(tokens(text)) for text, _ in pairs]
    return sacrebleu.corpus_bleu(texts, columns, tokenize="none", force=True).score


def _lengths(rows: Sequence[Row]) -> Lengths:
    rows = [row for row in rows if row.alt_text]
    each = tuple(graphemes(row.alt_text) for row in rows)
    over = sum(size > row.max_length for size, row in zip(each, rows, strict=True))
    return Lengths(each, statistics.median(each) if each else 0, percentile(each, 0.9), over)


def _decoration(rows: Sequence[Row]) -> Decoration | None:
    pairs = Counter((row.reference.decorative, row.decorative) for row in rows if row.reference)
    if not pairs:
        return None
    return Decoration(
        right=pairs[True, True],
        missed=pairs[True, False],
        wrong=pairs[False, True],
        described=pairs[False, False],
    )


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return statistics.fmean(listed) if listed else 0.0

"""How a run and a comparison look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functions.cli import output
from functions.evals.comparison import Comparison, Pair
from functions.evals.measures import Lengths, Likeness, Totals
from functions.evals.runs import Row, Run

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_STEP = 25  # characters of a bar of the histogram
_TALLEST = 30  # characters of its longest bar
_MOST_PICTURES = 5  # pictures of a comparison


def show_run(out: Console, run: Run, figures: Totals, place: Path) -> None:
    """A run in figures, its failures after them."""
    facts = output.facts()
    facts.add_row("Run", output.text(run.name, "bold"))
    facts.add_row("Model", output.text(run.model))
    facts.add_row("Prompt", output.text(run.prompt))
    facts.add_row("Pictures", output.text(f"{run.settings['pictures']}: {_ended(figures)}"))
    for name, value in _spent(figures):
        facts.add_row(name, output.text(value))
    facts.add_row("Kept in", output.text(place))
    out.print()
    out.print(facts)
    out.print()
    out.print(_findings(out, figures))
    if figures.lengths.each:
        out.print()
        _histogram(out, figures.lengths)
    if figures.decoration:
        out.print()
        out.print(_decoration(out, figures))
    if figures.alt_text or figures.caption:
        out.print()
        out.print(_likeness(out, figures))
    without = [row for row in run.rows if row.outcome != "captioned"]
    if without:
        out.print()
        table = output.table(out, "No words for", "Because*")
        for row in without:
            table.add_row(
                output.text(row.path), output.text(f"{row.outcome}: {row.problem}", "red")
            )
        out.print(table)
    out.print()


def show_comparison(
    out: Console, runs: tuple[Run, Run], both: tuple[Totals, Totals], compared: Comparison
) -> None:
    """Two runs side by side, then the pictures where the second is worst beside the first."""
    table = output.table(out, "", *(f"{letter}>" for letter in "AB"), "B - A>")
    for name, value, digits in _COMPARED:
        before, after = (value(each) for each in both)
        if before is None or after is None:
            continue
        cells = [f"{each:,.{digits}f}" for each in (before, after)]
        table.add_row(name, *cells, output.text(f"{after - before:+,.{digits}f}", "bold"))
    facts = output.facts()
    for letter, run in zip("AB", runs, strict=True):
        facts.add_row(letter, output.text(f"{run.name}  {run.model}  {run.prompt}"))
    facts.add_row("chrF", output.text(f"{compared.gain:+.1f}; {compared.judgement}", "bold"))
    out.print()
    out.print(facts)
    out.print()
    out.print(table)
    out.print()
    unlike = [each for each in compared.pairs if _words(each.before) != _words(each.after)]
    for each in unlike[:_MOST_PICTURES]:
        out.print(_pair(each, bool(compared.scored)))
        out.print()


def summary(run: Run, figures: Totals) -> dict[str, Any]:
    """A run's totals, for programs."""
    return {
        "run": run.name,
        "model": run.model,
        "prompt": run.prompt,
        "date": run.date,
        "settings": dict(run.settings),
        "totals": asdict(figures),
    }


def pair(each: Pair) -> dict[str, Any]:
    """One picture of a comparison, for programs."""
    before, after = each.before, each.after
    return {
        "path": before.path,
        "alt_text": [before.alt_text, after.alt_text],
        "chrf": list(each.scores),
        "gain": each.gain,
        "reference": asdict(before.reference) if before.reference else None,
    }


def compared(before: Run, after: Run, result: Comparison) -> dict[str, Any]:
    """What a comparison came to, for programs."""
    return {
        "runs": [before.name, after.name],
        "scored": result.scored,
        "gain": result.gain,
        "interval": result.interval,
        "verdict": result.judgement,
    }


def _ended(figures: Totals) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in figures.outcomes.items())


def _spent(figures: Totals) -> list[tuple[str, str]]:
    """What a picture took."""
    tokens = f"{figures.input_tokens:,.0f} in, {figures.output_tokens:,.0f} out"
    return [
        ("Took", f"{figures.p50:.2f} s for half of them, {figures.p95:.2f} s for 95%"),
        ("Tokens", f"{tokens} a picture, in {figures.calls:.2f} calls"),
        ("1,000 cost", output.money(round(1000 * figures.cost_usd, 4))),
    ]


def _findings(out: Console, figures: Totals) -> Table:
    """Rule by rule: how many first answers broke it, and in how many that is left."""
    table = output.table(out, "Rule", "First answers>", "Left for review>")
    for code, (found, left) in figures.findings.items():
        table.add_row(code, str(found), output.text(left, "yellow" if left else "dim"))
    any_left = f"{figures.review} of {figures.answered}"
    table.add_row(output.text("pictures to review", "bold"), "", output.text(any_left, "bold"))
    return table


def _histogram(out: Console, lengths: Lengths) -> None:
    """How long the alt texts are, in characters as people see them."""
    summary = f"median {lengths.median:g}, 90% up to {lengths.p90:g}, {lengths.over} over the limit"
    out.print(output.text(f"Alt text, characters: {summary}"))
    bins = [size // _STEP for size in lengths.each]
    tallest = max(map(bins.count, set(bins)))
    for number in range(min(bins), max(bins) + 1):
        count = bins.count(number)
        bar = "█" * -(-count * _TALLEST // max(tallest, _TALLEST))
        first = number * _STEP
        out.print(output.text(f"{first:>5}-{first + _STEP - 1:<4} {bar} {count or ''}".rstrip()))


def _decoration(out: Console, figures: Totals) -> Table:
    decoration = figures.decoration
    table = output.table(out, "Decorative?", "It is>", "It is not>")
    if decoration:
        table.add_row("the model says so", str(decoration.right), _wrong(decoration.wrong))
        table.add_row(
            "the model describes it", _wrong(decoration.missed), str(decoration.described)
        )
    return table


def _wrong(count: int) -> Any:
    return output.text(count, "yellow" if count else "")


def _likeness(out: Console, figures: Totals) -> Table:
    table = output.table(out, "Like people's words", "Pictures>", "chrF>", "BLEU-4>")
    for name, like in (("alt text", figures.alt_text), ("caption", figures.caption)):
        if like:
            table.add_row(name, str(like.pictures), f"{like.chrf:.1f}", f"{like.bleu:.1f}")
    return table


def _pair(each: Pair, scored: bool) -> Table:
    facts = output.facts()
    gain = f"  {each.gain:+.1f}" if scored else ""
    facts.add_row("", output.text(each.before.path + gain, "bold"))
    for letter, row, score in zip("AB", (each.before, each.after), each.scores, strict=True):
        facts.add_row(letter, output.text(_words(row) + (f"  ({score:.1f})" if scored else "")))
    if each.before.reference:
        facts.add_row("people", output.text(" / ".join(each.before.reference.alt), "green"))
    return facts


def _words(row: Row) -> str:
    if row.outcome != "captioned":
        return row.outcome
    return row.alt_text or 'alt=""'


def _chrf(like: Likeness | None) -> float | None:
    return like.chrf if like else None


def _bleu(like: Likeness | None) -> float | None:
    return like.bleu if like else None


def _wrongly(run: Totals) -> float | None:
    return run.decoration.wrong + run.decoration.missed if run.decoration else None


_COMPARED: Sequence[tuple[str, Callable[[Totals], float | None], int]] = (
    ("pictures", lambda run: run.pictures, 0),
    ("with words", lambda run: run.outcomes.get("captioned", 0), 0),
    ("first answers with a finding", lambda run: sum(n for n, _ in run.findings.values()), 0),
    ("pictures to review", lambda run: run.review, 0),
    ("alt text, median characters", lambda run: run.lengths.median, 0),
    ("alt text over the limit", lambda run: run.lengths.over, 0),
    ("wrong about decoration", _wrongly, 0),
    ("alt text, chrF", lambda run: _chrf(run.alt_text), 1),
    ("alt text, BLEU-4", lambda run: _bleu(run.alt_text), 1),
    ("caption, chrF", lambda run: _chrf(run.caption), 1),
    ("caption, BLEU-4", lambda run: _bleu(run.caption), 1),
    ("seconds, median", lambda run: run.p50, 2),
    ("seconds, 95%", lambda run: run.p95, 2),
    ("calls a picture", lambda run: run.calls, 2),
    ("dollars for 1,000", lambda run: 1000 * run.cost_usd, 2),
)

"""How much of a site has alt text: counted over its pages, and what is missing where."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from functions.cli import output

if TYPE_CHECKING:
    from rich.console import Console

    from functions.sites.fill import Filled, ImageFinding

_FILLED = dict.fromkeys(("filled", "functional", "decorative", "redundant"), "can be filled in")
_MISSING = {
    "nameless": "decoration, but its link has no other name",
    "uncaptioned": "no caption",
    "rejected": "cannot be captioned: `captions get` says why",
    "failed": "given up: `captions get` says why, `captions retry` tries again",
    "waiting": "its caption is not there yet",
    "withheld": "withheld until somebody has looked: `captions list --review`",
    "elsewhere": "in no known bucket",
    "untouched": "not an <img>",
}
_SETTLED = {
    "functional": "Where their link leads",
    "redundant": "Said beside them already",
    "presentational": "Decoration by role",
    "hidden": "Hidden by their author",
    "named": "Named by their author",
}
_NAMED = 3


class Coverage:
    """Counts pages. ``wrote`` says whether they are written, ``relative`` whether it is known where
    images lie that pages name relatively."""

    def __init__(self, wrote: bool, relative: bool) -> None:
        self.wrote = wrote
        self.errors: dict[str, str] = {}
        self._relative = relative
        self._files = self._changed = 0
        self._counts: Counter[str] = Counter()
        self._in_place = 0
        self._templates: list[str] = []
        self._functional: list[str] = []
        self._trackless: list[str] = []
        self._where: dict[tuple[str, str], list[str]] = {}

    @property
    def missing(self) -> bool:
        """Whether an image stands there without alt text."""
        lacking = {*_MISSING, *(() if self.wrote else _FILLED)}
        return any(self._counts[each] for each in lacking)

    def add(self, path: str, filled: Filled | None, error: str) -> dict[str, Any]:
        """Count a page; its record for programs. ``error`` says why it is as it was."""
        findings = filled.findings if filled and not error else ()
        changed = bool(findings and filled and filled.changed)
        self._files += 1
        self._changed += changed
        if error:
            self.errors[path] = error
        for each in findings:
            self._counts[each.outcome] += 1
            self._in_place += each.in_place
            if each.outcome == "template":
                self._templates.append(f"{path}:{each.line}")
            if each.functional_image:
                self._functional.append(f"{path}:{each.line}")
            if each.trackless:
                self._trackless.append(f"{path}:{each.line}")
            if each.outcome in _MISSING or (each.outcome in _FILLED and not self.wrote):
                where = self._where.setdefault((each.uri or each.src, each.outcome), [])
                where.append(f"{path}:{each.line}")
        return {
            "file": path,
            "changed": changed and self.wrote,
            "error": error or None,
            "counts": dict(Counter(each.outcome for each in findings)),
            "images": [_record(each) for each in findings if each.outcome != "present"],
        }

    def show(self, out: Console) -> None:
        """For people: what is missing and where, then the counts."""
        for path, error in self.errors.items():
            click.echo(output.plain(f"{path} {error}."), err=True)
        if self._where:
            table = output.table(out, "Without alt text", "Why", "Where")
            for (image, outcome), pages in self._where.items():
                more = f" and {len(pages) - _NAMED} more" if len(pages) > _NAMED else ""
                why = {**_MISSING, **_FILLED}[outcome]
                where = ", ".join(pages[:_NAMED]) + more
                table.add_row(output.text(image), output.text(why), output.text(where))
            out.print(table)
        facts = output.facts()
        for name, value in self._facts():
            facts.add_row(name, output.text(value))
        out.print(facts)
        if self._counts["elsewhere"] and not self._relative:
            click.echo("--bucket names the bucket in which images of this folder are.", err=True)

    def _facts(self) -> list[tuple[str, object]]:
        counts = self._counts
        images = sum(counts.values())
        covered = images - counts["template"] - sum(counts[each] for each in _MISSING)
        covered -= 0 if self.wrote else sum(counts[each] for each in _FILLED)
        verb = "Filled in" if self.wrote else "To be filled in"
        rows: list[tuple[str, object]] = [
            ("Pages", f"{self._files}, {self._changed} {'changed' if self.wrote else 'to change'}"),
            ("Images", f"{images}, {covered} of them with alt text"),
            (verb, f"{counts['filled']}, and {counts['decorative']} as decoration"),
            *([("For their place", self._in_place)] if self._in_place else []),
            *((why, counts[each]) for each, why in _SETTLED.items() if counts[each]),
            *((why.capitalize(), counts[each]) for each, why in _MISSING.items() if counts[each]),
        ]
        for name, what, where in (
            ("Left alone", "that a template writes", self._templates),
            ("Say no purpose", "in links", self._functional),
            ("Without <track>", "videos, of which no captions tell what is heard", self._trackless),
        ):
            if where:
                more = f" and {len(where) - _NAMED} more" if len(where) > _NAMED else ""
                rows.append((name, f"{len(where)} {what}: {', '.join(where[:_NAMED])}{more}"))
        return rows


def _record(finding: ImageFinding) -> dict[str, Any]:
    return {k: value for k, value in asdict(finding).items() if value not in (None, "", False)} | (
        {"alt": finding.alt} if finding.alt is not None else {}
    )

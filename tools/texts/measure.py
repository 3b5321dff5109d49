"""Measure the filter's two errors on one of the sets, language by language.

``published``: texts that describe nothing and would reach a website without a mark for review.
``lost``: descriptions that would be withheld, or published in other words. Run:
``python -m tools.texts.measure SET``, the name of a folder beside this file.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from functions.core.document import Reply
from functions.quality import Context, check
from tools.texts.sets import HELD_OUT, HERE, Sample, languages, samples

OUTCOMES = ("withheld", "marked", "altered", "published")


def outcome(sample: Sample) -> str:
    """What becomes of one text as a model's alt text."""
    reply = Reply(caption=sample.text, alt_text=sample.text, tags=("image",))
    checked = check(reply, Context((sample.language,), 125, name="images/0001.jpg"))
    if checked.publishable is None:
        return "withheld"
    if checked.reasons:
        return "marked"
    return "published" if _same(checked.publishable.alt_text, sample.text) else "altered"


def _same(one: str, other: str) -> bool:
    return one.rstrip(" .。।۔").casefold() == other.rstrip(" .。।۔").casefold()


def confusion(folder: Path, language: str) -> tuple[Counter[str], Counter[str]]:
    """How often each outcome came of what describes nothing, and of descriptions."""
    nothing, described = Counter[str](), Counter[str]()
    for sample in samples(folder, language):
        (described if sample.describes else nothing)[outcome(sample)] += 1
    return nothing, described


def table(folder: Path) -> str:
    """The confusion of each language, in Markdown, and of all."""
    rows = [
        "| language | describe nothing | withheld | marked | **published** | descriptions "
        "| **withheld or altered** | marked | published |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    total: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for language in languages(folder):
        found = confusion(folder, language)
        for sums, counts in zip(total, found, strict=True):
            sums.update(counts)
        rows.append(_row(f"`{language}`", *found))
    return "\n".join([*rows, _row("all", *total)])


def _row(name: str, nothing: Counter[str], described: Counter[str]) -> str:
    bad, good = max(1, nothing.total()), max(1, described.total())
    missed = nothing["published"] + nothing["altered"]
    lost = described["withheld"] + described["altered"]
    cells = [
        str(nothing.total()),
        f"{nothing['withheld'] / bad:.1%}",
        f"{nothing['marked'] / bad:.1%}",
        f"**{missed / bad:.1%}**",
        str(described.total()),
        f"**{lost / good:.1%}**",
        f"{described['marked'] / good:.1%}",
        f"{described['published'] / good:.1%}",
    ]
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "part",
        nargs="?",
        default=HELD_OUT.name,
        choices=sorted(each.parent.name for each in HERE.glob("*/en.txt")),
    )
    print(table(HERE / parser.parse_args().part))


if __name__ == "__main__":
    main()

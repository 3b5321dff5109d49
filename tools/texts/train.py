"""Make ``functions/quality/words/classifier.tsv`` from the texts that are there to be learned.

Logistic regression with an L1 penalty (FTRL-proximal), so that few features have a weight at
all. The texts that are held out play no part in it. Run: ``python -m tools.texts.train``
"""

from __future__ import annotations

import argparse
import math
import random
import re
from collections import Counter

from functions.quality import classifier
from functions.quality.text import without_quotations
from tools.texts.sets import DEVELOPMENT, OTHER_HANDS, THINGS, Sample, languages, samples

# Weights that tell nothing are left out of the file, in hundredths; and all but those that matter
# most, by their size and by how many texts have them.
_SLIGHT, _MOST = 40, 22_000
# How many texts of a template are looked at, and how often one of a mere list beyond once: nothing
# else teaches its words.
_TEXTS, _LISTED = 30, 10
_ALPHA, _BETA, _L2, _KEPT = 0.6, 1.0, 0.002, 0.7

Row = tuple[tuple[str, ...], bool]


def trained(texts: list[Sample], l1: float, rounds: int = 12) -> dict[str, float]:
    """The weights of the features that tell the two kinds apart, in the size that matters most."""
    rows = [(_features(each.text), not each.describes) for each in texts]
    common = _common(texts, rows)
    rows = [(tuple(each for each in found if each in common), bad) for found, bad in rows]
    seen = Counter(name for found, _ in rows for name in found)
    rows += [row for each, row in zip(texts, rows, strict=True) if _of_list(each)] * _LISTED
    weights = _fitted(rows, l1, rounds)
    told = sorted(
        (name for name in seen if abs(weights.get(name, 0.0)) >= _SLIGHT / 100),
        key=lambda name: -abs(weights[name]) * math.sqrt(min(seen[name], 200)),
    )
    return {name: weights[name] for name in ("^bias", *told[:_MOST])}


def _fitted(rows: list[Row], l1: float, rounds: int) -> dict[str, float]:
    names = ["^bias", *sorted({name for found, _ in rows for name in found})]
    number = {name: place for place, name in enumerate(names)}
    numbered = [([number[name] for name in found], bad) for found, bad in rows]
    share = sum(bad for _, bad in rows) / len(rows)
    z, n, weights = ([0.0] * len(names) for _ in range(3))
    chance = random.Random(1)
    for _ in range(rounds):
        chance.shuffle(numbered)
        for every, bad in numbered:
            # Some of the features, others each time: no weight may lean on its neighbour.
            found = [each for each in every if chance.random() < _KEPT] or every
            value = 1 / math.sqrt(max(1, len(found)))
            total = weights[0] + value * sum([weights[each] for each in found])
            error = 1 / (1 + math.exp(-max(-30.0, min(30.0, total)))) - bad
            error *= 0.5 / share if bad else 0.5 / (1 - share)
            for each in (0, *found):
                gradient = error * value if each else error
                before, after = math.sqrt(n[each]), math.sqrt(n[each] + gradient * gradient)
                n[each] += gradient * gradient
                z[each] += gradient - (after - before) / _ALPHA * weights[each]
                beyond = abs(z[each]) - (l1 if each else 0.0)
                slope = (_BETA + after) / _ALPHA + _L2
                weights[each] = -math.copysign(beyond, z[each]) / slope if beyond > 0 else 0.0
    return dict(zip(names, weights, strict=True))


def _common(texts: list[Sample], rows: list[Row]) -> set[str]:
    """The features that more than one template has: the others only know a template by heart.
    A template that is a mere list has as many as it has words."""
    first: dict[str, str] = {}
    common: set[str] = set()
    for each, (found, _) in zip(texts, rows, strict=True):
        is_list = _of_list(each)
        origin = each.text if is_list else each.template
        for name in found:
            if (is_list and name[0] not in "~^") or first.setdefault(name, origin) != origin:
                common.add(name)
    return common


def _of_list(sample: Sample) -> bool:
    """Whether its template is a list of words and phrases that have nothing in common."""
    return bool(re.fullmatch(r"[-+] (?:\[[^\]]*\][.。।۔]?){1,2}", sample.template))


def _features(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(classifier.features(quoted(text))))


def quoted(text: str) -> str:
    """The text with a mark in the place of its quotations, as the filter judges it."""
    return without_quotations(text, classifier.QUOTED)


def write(weights: dict[str, float]) -> None:
    """The file that the filter reads: a feature and its weight, in hundredths, a line."""
    text = "".join(f"{name}\t{round(100 * weight)}\n" for name, weight in sorted(weights.items()))
    classifier.FILE.write_text(text, "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--l1", type=float, default=2.5)
    given = parser.parse_args()
    folders = (DEVELOPMENT, OTHER_HANDS, THINGS)
    texts = [
        each
        for folder in folders
        for name in languages(folder)
        for each in samples(folder, name, _TEXTS)
    ]
    write(trained(texts, given.l1))


if __name__ == "__main__":
    main()

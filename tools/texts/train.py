"""Make ``functions/quality/words/classifier.tsv`` from the development texts.

Logistic regression with an L1 penalty (FTRL-proximal), so that few features have a weight at
all. The texts that are held out play no part in it. Run: ``python -m tools.texts.train``
"""

from __future__ import annotations

import argparse
import math
import random
import re
from collections import defaultdict

from functions.quality import classifier
from functions.quality.text import without_quotations
from tools.texts.sets import DEVELOPMENT, Sample, languages, samples

# Weights that tell nothing are left out of the file, in hundredths.
_SLIGHT = 40
# How often a text of a mere list is shown beyond once: nothing else teaches its words.
_LISTED = 10
_ALPHA, _BETA, _L2, _KEPT = 0.3, 1.0, 0.002, 0.7


def trained(texts: list[Sample], l1: float, rounds: int = 6) -> dict[str, float]:
    """The weights of the features that tell the two kinds apart."""
    rows = [(_features(each.text), not each.describes) for each in texts]
    common = _common(texts, rows)
    rows = [(tuple(each for each in found if each in common), bad) for found, bad in rows]
    rows += [row for each, row in zip(texts, rows, strict=True) if _of_list(each)] * _LISTED
    share = sum(bad for _, bad in rows) / len(rows)
    z: dict[str, float] = defaultdict(float)
    n: dict[str, float] = defaultdict(float)
    weights: dict[str, float] = {}
    chance = random.Random(1)
    for _ in range(rounds):
        chance.shuffle(rows)
        for every, bad in rows:
            # Some of the features, others each time: no weight may lean on its neighbour.
            found = [each for each in every if chance.random() < _KEPT] or every
            value = 1 / math.sqrt(max(1, len(found)))
            total = weights.get("^bias", 0.0) + value * sum(weights.get(f, 0.0) for f in found)
            error = 1 / (1 + math.exp(-max(-30.0, min(30.0, total)))) - bad
            error *= 0.5 / share if bad else 0.5 / (1 - share)
            for name in (*found, "^bias"):
                gradient = error * (1.0 if name == "^bias" else value)
                w = weights.get(name, 0.0)
                step = (math.sqrt(n[name] + gradient**2) - math.sqrt(n[name])) / _ALPHA
                z[name] += gradient - step * w
                n[name] += gradient**2
                penalty = 0.0 if name == "^bias" else l1
                if abs(z[name]) <= penalty:
                    weights.pop(name, None)
                else:
                    weights[name] = -(z[name] - math.copysign(penalty, z[name])) / (
                        (_BETA + math.sqrt(n[name])) / _ALPHA + _L2
                    )
    return weights


def _common(texts: list[Sample], rows: list[tuple[tuple[str, ...], bool]]) -> set[str]:
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
    rows = ((name, round(100 * weight)) for name, weight in sorted(weights.items()))
    text = "".join(
        f"{name}\t{weight}\n" for name, weight in rows if abs(weight) >= _SLIGHT or name == "^bias"
    )
    classifier.FILE.write_text(text, "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--l1", type=float, default=1.2)
    given = parser.parse_args()
    texts = [each for name in languages(DEVELOPMENT) for each in samples(DEVELOPMENT, name)]
    write(trained(texts, given.l1))


if __name__ == "__main__":
    main()

"""The figures of an evaluation: likeness, lengths, comparison, and what is read and kept."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from functions.core.errors import ConfigurationError
from functions.evals import comparison, measures, references, runs
from functions.evals.references import Reference
from functions.evals.runs import Row, Run


def row(path: str, alt_text: str, *people: str, **more: Any) -> Row:
    reference = Reference(path, people) if people else None
    return Row(path, "captioned", alt_text=alt_text, reference=reference, **more)


def run(*rows: Row, name: str = "a") -> Run:
    return Run(name, "gemini:m", "p@1", "2026-11-23T00:00:00Z", {"pictures": "here"}, rows)


def likeness(text: str, *people: str) -> float:
    (score,) = measures.likenesses([row("a", text, *people)], measures.alt)
    return score


def test_chrf_is_100_for_a_persons_own_words_and_nothing_for_none() -> None:
    assert likeness("Two cats asleep on a sofa.", "two cats asleep on a sofa") == pytest.approx(100)
    assert likeness("", "two cats asleep on a sofa") == 0


def test_the_nearest_of_several_persons_words_counts() -> None:
    far, near = "an empty room", "two cats sleep on a red sofa"
    assert likeness("two cats on a sofa", far, near) == likeness("two cats on a sofa", near)
    assert likeness("two cats on a sofa", near) > likeness("two cats on a sofa", far)


def test_saying_a_word_again_gains_nothing() -> None:
    often, once = "two cats cats cats cats on a sofa", "two cats on a sofa"
    assert likeness(often, "two cats on a sofa") < likeness(once, "two cats on a sofa")


def test_languages_without_spaces_are_compared_by_character() -> None:
    assert likeness("ソファの黒猫", "赤いソファで眠る黒猫") > 10
    assert likeness("犬", "海辺の灯台") == 0


def test_bleu_is_that_of_the_words_without_case_and_full_stop() -> None:
    perfect = measures.totals(
        run(row("a", "Two Cats asleep on a sofa.", "two cats asleep on a sofa"))
    )
    other = measures.totals(run(row("a", "A lighthouse by the sea", "two cats asleep on a sofa")))
    assert perfect.alt_text
    assert other.alt_text
    assert perfect.alt_text.bleu == pytest.approx(100)
    assert other.alt_text.bleu < 10


def test_a_refused_picture_counts_as_silence_and_an_unreadable_one_not_at_all() -> None:
    people = ("two cats on a sofa", "cats on a red sofa")
    refused = replace(row("b", "", *people), outcome="blocked")
    unread = replace(row("c", "", *people), outcome="corrupt_image")
    figures = measures.totals(run(row("a", "two cats on a sofa", *people), refused, unread))
    assert figures.alt_text
    assert figures.alt_text.pictures == 2
    assert (figures.pictures, figures.answered) == (3, 2)
    assert figures.outcomes == {"captioned": 1, "blocked": 1, "corrupt_image": 1}


def test_lengths_are_counted_in_characters_as_people_see_them() -> None:
    family = "👨‍👩‍👧 on a bench"
    figures = measures.totals(
        run(row("a", family, max_length=20), row("b", "x" * 30, max_length=20))
    )
    assert figures.lengths.each == (12, 30)
    assert figures.lengths.over == 1


def test_decoration_is_counted_by_what_is_said_and_what_is() -> None:
    plain = Reference("b", (), decorative=True)
    rows = (
        row("a", "", "a cat", decorative=True),
        replace(row("b", "", decorative=True), reference=plain),
        replace(row("c", "a stripe"), reference=plain),
        row("d", "a dog", "a dog"),
    )
    assert measures.totals(run(*rows)).decoration == measures.Decoration(1, 1, 1, 1)


def test_findings_are_counted_before_and_after_the_repair() -> None:
    figures = measures.totals(
        run(
            row("a", "x", found=("refusal",)),
            row("b", "x", found=("refusal", "shouting"), left=("shouting",)),
        )
    )
    assert figures.findings == {"refusal": (2, 0), "shouting": (1, 1)}
    assert figures.review == 1


def test_a_percentile_is_a_value_that_occurred() -> None:
    assert measures.percentile([4, 1, 3, 2], 0.5) == 2
    assert measures.percentile([4, 1, 3, 2], 0.95) == 4
    assert measures.percentile([], 0.95) == 0


def many(good: int, bad: int) -> tuple[Run, Run]:
    """Two runs, the second of which is like people's words in ``good`` pictures and not in others,
    where the first is."""
    before, after = [], []
    for number in range(good + bad):
        said = f"a dog number{number} on a beach"
        texts = ("a wall", said) if number < good else (said, "a wall")
        before.append(row(str(number), texts[0], said))
        after.append(row(str(number), texts[1], said))
    return run(*before), run(*after, name="b")


def test_a_difference_is_called_one_where_chance_hardly_makes_it() -> None:
    better = comparison.compare(*many(28, 2))
    assert better.interval
    assert better.interval[0] > 0
    assert better.judgement.endswith(": better")
    assert comparison.compare(*many(2, 28)).judgement.endswith(": worse")
    assert comparison.compare(*many(15, 15)).judgement.endswith("may be chance")


def test_the_interval_is_the_same_every_time_and_holds_the_mean() -> None:
    gains = [number % 7 - 2.5 for number in range(40)]
    low, high = comparison.interval(gains)
    assert comparison.interval(gains) == (low, high)
    assert low < sum(gains) / len(gains) < high


def test_a_few_pictures_are_said_to_be_too_few() -> None:
    compared = comparison.compare(*many(5, 0))
    assert compared.interval is None
    assert "too few to tell" in compared.judgement


def test_pictures_are_compared_with_the_worst_loss_first() -> None:
    before, after = many(2, 1)
    compared = comparison.compare(before, after)
    assert compared.pairs[0].before.path == "2"
    assert compared.pairs[0].gain < 0 < compared.pairs[-1].gain


def test_pictures_whose_references_have_changed_are_not_scored() -> None:
    before, after = many(2, 0)
    changed = replace(after.rows[0], reference=Reference("0", ("another",)))
    compared = comparison.compare(before, replace(after, rows=(changed, after.rows[1])))
    assert compared.scored == 1


def test_without_references_the_texts_with_least_in_common_come_first() -> None:
    before = run(row("a", "a cat on a sofa"), row("b", "a dog on a beach"))
    after = run(row("a", "a cat on a sofa"), row("b", "one tram"), name="b")
    compared = comparison.compare(before, after)
    assert [pair.before.path for pair in compared.pairs] == ["b", "a"]
    assert "nothing to score" in compared.judgement


def test_a_run_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    kept = run(row("a", "Ein Käfer", "Käfer", found=("markup",), seconds=1.5), row("b", "x"))
    runs.save(kept, tmp_path / "new" / "a.jsonl")
    assert runs.load(tmp_path / "new" / "a.jsonl") == kept
    header, *lines = (tmp_path / "new" / "a.jsonl").read_text("utf-8").splitlines()
    assert json.loads(header)["model"] == "gemini:m"
    assert len(lines) == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("{", "line 1: is not a JSON object"),
        ('{"name": "a"}', "make it again"),
        ('{"name": "a", "model": "m", "prompt": "p", "date": "d"}\n{"path": 3', "line 2"),
        ('{"name": "a", "model": "m", "prompt": "p", "date": "d"}\n{"way": 3}', "make it again"),
    ],
)
def test_a_file_that_is_no_run_is_named_as_such(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "a.jsonl").write_text(text)
    with pytest.raises(ConfigurationError, match=says):
        runs.load(tmp_path / "a.jsonl")


def test_a_run_that_is_not_there_is_said_so_with_those_that_are(tmp_path: Path) -> None:
    runs.save(run(name="kept"), tmp_path / "kept.jsonl")
    with pytest.raises(ConfigurationError, match=r"no such run; there are kept"):
        runs.load(tmp_path / "lost.jsonl")


def test_a_name_that_leads_elsewhere_is_no_name_of_a_run() -> None:
    with pytest.raises(ConfigurationError, match="is no name of a run"):
        runs.place("a b")
    assert runs.place("a") == runs.FOLDER / "a.jsonl"
    assert runs.place("there/a.jsonl") == Path("there/a.jsonl")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "line 2: not JSON at column 2"),
        ("[1]", "line 2: not an object"),
        ('{"alt": "x"}', '"path" is missing'),
        ('{"path": "a.jpg"}', '"alt" is missing'),
        ('{"path": "a.jpg", "alt": 3}', '"alt" must be text, or a list of texts'),
        ('{"path": "a.jpg", "alt": ["x", null]}', '"alt" must be text'),
        ('{"path": "a.jpg", "alt": "x", "decorative": true}', "drop one of them"),
        ('{"path": "a.jpg", "alt": "x", "decorative": "no"}', "must be true or false"),
        ('{"path": "a.jpg", "text": "x"}', "'text' is no key"),
        ('{"path": "b.jpg", "alt": "x"}', "'b.jpg' is no file in"),
        ('{"path": "../a.jpg", "alt": "x"}', "leads out of"),
        ('{"path": "first.jpg", "alt": "x"}', "stands twice"),
    ],
)
def test_a_wrong_reference_is_named_with_its_line(tmp_path: Path, line: str, says: str) -> None:
    for name in ("a.jpg", "first.jpg"):
        (tmp_path / name).touch()
    file = tmp_path / "references.jsonl"
    file.write_text('{"path": "first.jpg", "alt": "x"}\n' + line)
    with pytest.raises(ConfigurationError) as raised:
        references.load(file, tmp_path)
    assert says in str(raised.value)
    assert "line 2" in str(raised.value)


@pytest.mark.parametrize(
    ("line", "alt", "decorative"),
    [
        ('{"path": "a.jpg", "alt": " x "}', ("x",), False),
        ('{"path": "a.jpg", "alt": ["x", "y"]}', ("x", "y"), False),
        ('{"path": "a.jpg", "alt": ""}', (), True),
        ('{"path": "a.jpg", "decorative": true}', (), True),
    ],
)
def test_references_are_one_text_or_several_or_none_for_decoration(
    tmp_path: Path, line: str, alt: tuple[str, ...], decorative: bool
) -> None:
    (tmp_path / "a.jpg").touch()
    (tmp_path / "references.jsonl").write_text(f"\n{line}\n\n")
    found = references.load(tmp_path / "references.jsonl", tmp_path)["a.jpg"]
    assert (found.alt, found.decorative) == (alt, decorative)

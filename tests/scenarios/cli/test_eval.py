"""``captions eval``: asked for real over a wire, measured, kept, compared."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from functions.cli import captions, eval_report
from functions.evals import comparison, measures, runs, trial
from functions.evals.question_set import QUESTIONS, KnownQuestion, draw_into
from tests.support.answers import Answer, gemini, openai
from tests.support.model_server import Call, ModelServer
from tests.support.pictures import jpeg

DOG = "A brown dog runs along a wet beach"
FLASH, LUNA = "gemini:gemini-3.5-flash-lite", "openai:gpt-6-luna"


@pytest.fixture
def pictures(model_server: ModelServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder with three pictures, one of them decoration, and what people wrote for them."""
    monkeypatch.setenv("GEMINI_API_KEY", "test-key")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", model_server.url)
    monkeypatch.setenv("OPENAI_BASE_URL", f"{model_server.url}/v1")
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "pictures"
    (folder / "sub").mkdir(parents=True)
    for number, name in enumerate(("a.jpg", "b.jpg", "sub/c.jpg")):
        (folder / name).write_bytes(jpeg(number))
    said = (
        {"path": "a.jpg", "alt": [DOG, "A dog on a beach"], "caption": "A dog on a beach."},
        {"path": "b.jpg", "alt": "Two cats asleep on a red sofa"},
        {"path": "sub/c.jpg", "decorative": True},
    )
    (folder / "references.jsonl").write_text("\n".join(map(json.dumps, said)))
    return folder


def asked(call: Call) -> KnownQuestion:
    """The question of the set that a call asks; two pictures may be asked the same."""
    text = call.text.rpartition(" question\n")[2].partition("\n")[0]
    (known,) = [each for each in QUESTIONS if each.text == text]
    return known


def recorded(call: Call, **wrong: str) -> Answer:
    """A right answer, but to the questions of these kinds."""
    known = asked(call)
    said = {"visible_text": known.example, "answer": known.example, "language": "en"}
    said |= {"answerable": known.answerable}  # type: ignore[dict-item]
    if known.kind in wrong:
        said |= {"answer": wrong[known.kind], "answerable": True}  # type: ignore[dict-item]
    return gemini.text(json.dumps(said))


def test_the_set_has_sixty_questions_that_their_own_examples_answer(tmp_path: Path) -> None:
    assert len(QUESTIONS) == 60
    assert set(Counter(each.kind for each in QUESTIONS).values()) == {10}
    assert all(each.judged(each.example, each.answerable) for each in QUESTIONS)
    assert not any(each.judged(each.example, not each.answerable) for each in QUESTIONS)
    draw_into(tmp_path)
    assert {each.picture for each in QUESTIONS} == {path.name for path in tmp_path.iterdir()}


def test_questions_are_asked_as_the_function_answers_them_and_judged(
    pictures: Path, model_server: ModelServer
) -> None:
    model_server.always(lambda call: recorded(call, trick="There are 9 dogs."))
    result = run("--questions", "--model", FLASH, "--json")
    *rows, summary = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert (summary["questions"], summary["right"], len(rows)) == (60, 50, 60)
    assert summary["by_kind"]["trick"] == 0
    assert model_server.count >= 60

    table = run("--questions", "--model", FLASH)
    assert re.search(r"trick\s*│\s*10\s*│\s*0", table.stdout)
    assert "order.png: What breed are the dogs?" in table.stdout


def test_a_question_that_nobody_answers_is_told_and_fails_the_run(
    pictures: Path, model_server: ModelServer
) -> None:
    model_server.always(gemini.ERRORS["overloaded"])
    result = run("--questions", "--model", FLASH, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout.splitlines()[0])["error"]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(captions, ["eval", *map(str, arguments)])


def records(result: Result) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The rows of a run, and its totals."""
    *rows, summary = [json.loads(line) for line in result.stdout.splitlines()]
    return rows, summary["totals"]


def test_a_run_measures_findings_likeness_decoration_time_and_money(
    pictures: Path, model_server: ModelServer
) -> None:
    model_server.always(gemini.good(alt_text=f"Image of {DOG[0].lower()}{DOG[1:]}."))
    rows, totals = records(run(pictures, "--json"))

    assert [row["path"] for row in rows] == ["a.jpg", "b.jpg", "sub/c.jpg"]
    assert rows[0]["alt_text"] == f"{DOG}."
    assert totals["findings"] == {"redundant_prefix": [3, 0]}
    assert totals["alt_text"]["pictures"] == 2
    assert totals["alt_text"]["chrf"] > 50
    assert totals["caption"]["pictures"] == 1
    assert totals["decoration"] == {"right": 0, "missed": 1, "wrong": 0, "described": 2}
    assert totals["lengths"]["median"] == len(DOG) + 1
    assert (totals["calls"], totals["input_tokens"], totals["output_tokens"]) == (1, 1420, 118)
    assert totals["cost_usd"] == pytest.approx(0.000721)
    assert 0 < totals["p50"] <= totals["p95"]


def test_a_mended_answer_is_counted_as_found_and_not_as_left(
    pictures: Path, model_server: ModelServer
) -> None:
    model_server.always(
        lambda call: gemini.good(alt_text=DOG if "your first reply" in call.text else "Untitled")
    )
    rows, totals = records(run(pictures, "--json"))
    assert totals["findings"] == {"placeholder": [3, 0]}
    assert [row["model_calls"] for row in rows] == [2, 2, 2]


def test_what_stays_wrong_is_left_for_review(pictures: Path, model_server: ModelServer) -> None:
    model_server.always(gemini.good(alt_text="A BROWN DOG RUNS ALONG A BEACH"))
    _, totals = records(run(pictures, "--json"))
    assert totals["findings"] == {"shouting": [3, 3]}
    assert totals["review"] == 3


def test_a_picture_that_fails_is_a_row_with_its_reason_and_not_the_end(
    pictures: Path, model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "WAITS", ())
    (pictures / "b.jpg").write_bytes(jpeg()[:300])
    model_server.answer(gemini.finished("SAFETY"), gemini.ERRORS["overloaded"])
    (pictures / "d.jpg").write_bytes(jpeg(9))
    (pictures / "references.jsonl").unlink()
    failed = run(pictures, "--json")

    rows, totals = records(failed)
    assert failed.exit_code == 1
    assert Counter(row["outcome"] for row in rows) == {
        "blocked": 1,
        "unavailable": 1,
        "corrupt_image": 1,
        "captioned": 1,
    }
    assert all(row["problem"] for row in rows if row["outcome"] != "captioned")
    assert totals["answered"] == 2


def test_a_provider_that_wants_to_be_asked_later_is_asked_later(
    pictures: Path, model_server: ModelServer
) -> None:
    model_server.answer(gemini.quota("0.1s"), gemini.quota("0.1s"))
    asked = run(pictures, "--json")
    assert asked.exit_code == 0
    assert [row["model_calls"] for row in records(asked)[0]] == [1, 1, 1]
    assert model_server.count == 5


def test_what_was_paid_for_before_a_fault_is_kept(
    pictures: Path, model_server: ModelServer
) -> None:
    (pictures / "sub" / "c.jpg").write_bytes(jpeg(2, (99, 99)))
    last = (pictures / "sub" / "c.jpg").read_bytes()[-200:]

    def answer(call: Call) -> Answer:
        return gemini.ERRORS["wrong key"] if call.images[0].endswith(last) else gemini.good()

    model_server.always(answer)
    ended = run(pictures, "--save", "half")
    assert ended.exit_code == 2
    assert [row.path for row in runs.load(runs.place("half")).rows] == ["a.jpg", "b.jpg"]
    assert "2 of 3 pictures are kept in" in ended.stderr


def test_a_wrong_key_ends_it_after_the_bill_was_named(
    pictures: Path, model_server: ModelServer
) -> None:
    model_server.always(gemini.ERRORS["wrong key"])
    ended = run(pictures)
    assert ended.exit_code == 2
    assert 0 <= ended.stderr.index("about $0.0027") < ended.stderr.index("GEMINI_API_KEY")
    assert not runs.FOLDER.exists()


def test_a_limit_takes_pictures_evenly_and_bounds_the_calls(
    pictures: Path, model_server: ModelServer
) -> None:
    (pictures / "references.jsonl").unlink()
    for number in range(5):
        (pictures / f"d{number}.jpg").write_bytes(jpeg(10 + number))
    limited = run(pictures, "--limit", 4, "--json")
    assert [row["path"] for row in records(limited)[0]] == ["a.jpg", "d0.jpg", "d2.jpg", "d4.jpg"]
    assert "4 of 8 pictures" in limited.stderr
    assert model_server.count == 4


def test_a_folder_without_references_is_all_its_images_and_has_no_likeness(
    pictures: Path, model_server: ModelServer
) -> None:
    (pictures / "references.jsonl").unlink()
    (pictures / "notes.txt").write_text("no picture")
    (pictures / ".hidden.jpg").write_bytes(jpeg())
    rows, totals = records(run(pictures, "--json"))
    assert len(rows) == 3
    assert totals["alt_text"] is None
    assert totals["decoration"] is None


def test_a_wrong_reference_costs_nothing(pictures: Path, model_server: ModelServer) -> None:
    (pictures / "references.jsonl").write_text('{"path": "a.jpg"')
    wrong = run(pictures)
    assert wrong.exit_code == 2
    assert "references.jsonl, line 1: not JSON" in wrong.stderr
    assert model_server.count == 0


def test_a_picture_is_asked_about_by_the_policy_and_nothing_is_stored(
    pictures: Path, model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = pictures.parent / "captions.toml"
    policy.write_text(
        '[[rules]]\nmatch = "a.jpg"\nguidance = "Name the breed."\n'
        '[[rules]]\nmatch = "sub/**"\nskip = true\n'
    )
    monkeypatch.setenv("CAPTION_POLICY", str(policy))
    before = sorted(pictures.rglob("*"))

    rows, _ = records(run(pictures, "--json"))

    assert [row["path"] for row in rows] == ["a.jpg", "b.jpg"]
    assert sorted("Name the breed." in call.text for call in model_server.calls) == [False, True]
    assert sorted(pictures.rglob("*")) == before


def test_another_prompt_is_told_and_named(pictures: Path, model_server: ModelServer) -> None:
    own = pictures.parent / "short.md"
    own.write_text("Be terse. Write in {language}, {max_length} characters.\n{guidance}")
    run(pictures, "--prompt", own, "--save", "terse")
    assert all("Be terse. Write in English" in call.text for call in model_server.calls)
    assert runs.load(runs.place("terse")).prompt.startswith("short@")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Write in {language}.", "{guidance}, {max_length}: a prompt has the places"),
        ("{language} {max_length} {guidance} {colour}", "{colour}: a prompt has"),
        ("{language} {max_length} {guidance} }", "for braces"),
    ],
)
def test_a_prompt_with_other_places_is_refused(
    pictures: Path, model_server: ModelServer, text: str, says: str
) -> None:
    own = pictures.parent / "own.md"
    own.write_text(text)
    refused = run(pictures, "--prompt", own)
    assert refused.exit_code == 2
    assert says in refused.stderr
    assert model_server.count == 0


def test_two_models_are_asked_about_the_same_pictures_and_compared(
    pictures: Path, model_server: ModelServer
) -> None:
    model_server.always(
        lambda call: openai.good(alt_text="A wall") if call.vendor == "openai" else gemini.good()
    )
    both = run(pictures, "--model", FLASH, "--model", LUNA, "--save", "both")

    assert both.exit_code == 0
    kept = sorted(path.name for path in runs.FOLDER.iterdir())
    assert kept == ["both-gemini-gemini-3.5-flash-lite.jsonl", "both-openai-gpt-6-luna.jsonl"]
    assert "2 pictures are too few to tell" in both.stdout
    again = run("--compare", "both-gemini-gemini-3.5-flash-lite", "both-openai-gpt-6-luna")
    assert both.stdout.endswith(again.stdout)


def test_a_comparison_shows_both_texts_beside_what_people_wrote(
    pictures: Path, model_server: ModelServer
) -> None:
    model_server.always(gemini.good(alt_text=DOG))
    run(pictures, "--save", "dog")
    model_server.always(gemini.good(alt_text="A grey wall"))
    run(pictures, "--save", "wall")

    shown = run("--compare", "dog", "wall").stdout
    worst = shown[shown.index("a.jpg") :]
    assert [text in worst for text in (DOG, "A grey wall", "A dog on a beach")] == [True] * 3
    first, *_, summary = [
        json.loads(line) for line in run("--compare", "dog", "wall", "--json").stdout.splitlines()
    ]
    assert first["path"] == "a.jpg"
    assert first["alt_text"] == [DOG, "A grey wall"]
    assert first["gain"] < 0
    assert (summary["scored"], summary["interval"]) == (2, None)


def test_without_a_folder_it_is_the_samples_and_without_a_key_no_model(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CAPTION_MODEL", "")
    shown = run()
    assert shown.exit_code == 0
    assert "No model: GEMINI_API_KEY is not set" in shown.stderr
    assert "offline" in shown.stdout
    assert "drawn samples: 6 captioned" in shown.stdout


def test_a_run_that_was_kept_is_not_overwritten(pictures: Path, model_server: ModelServer) -> None:
    run(pictures, "--save", "once")
    again = run(pictures, "--save", "once")
    assert (again.exit_code, model_server.count) == (2, 3)
    assert "is there already" in again.stderr


@pytest.mark.parametrize(
    "arguments", [("--compare", "a", "b", "--model", "offline"), ("no such folder",)]
)
def test_wrong_usage_is_said(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


def test_what_is_shown_fits_eighty_columns(pictures: Path, model_server: ModelServer) -> None:
    model_server.answer(gemini.finished("SAFETY"))
    model_server.always(gemini.good(alt_text="A VERY LONG SHOUTED TEXT " * 9))
    run(pictures, "--save", "first")
    kept = runs.load(runs.place("first"))
    figures = measures.totals(kept)
    out = Console(file=io.StringIO(), width=80, markup=False, highlight=False)

    eval_report.show_run(out, kept, figures, runs.place("first"))
    eval_report.show_comparison(
        out, (kept, kept), (figures, figures), comparison.compare(kept, kept)
    )

    lines = out.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)

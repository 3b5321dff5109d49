"""``captions ask``: one question, and a dialogue."""

from __future__ import annotations

import re
from pathlib import Path

from tests.scenarios.test_ask import said
from tests.support.command_line import captions
from tests.support.model_server import ModelServer
from tests.support.pictures import jpeg

ROOT = Path(__file__).parents[3]


def settings(model: ModelServer) -> dict[str, str]:
    return {"GEMINI_API_KEY": "k", "GOOGLE_GEMINI_BASE_URL": model.url}


def test_a_question_is_answered_and_then_known(tmp_path: Path, model_server: ModelServer) -> None:
    (tmp_path / "mug.jpg").write_bytes(jpeg())
    model_server.answer(said("A blue mug."))
    told = ("ask", "mug.jpg", "What is it?", "--local", tmp_path)
    first = captions(*told, where=tmp_path, **settings(model_server))
    assert (first.status, first.out) == (0, "A blue mug.\n"), first.err
    again = captions(*told, "--json", where=tmp_path, **settings(model_server))
    assert again.records[0]["cached"] is True
    assert model_server.count == 1


def test_a_dialogue_remembers_what_was_said(tmp_path: Path, model_server: ModelServer) -> None:
    (tmp_path / "mug.jpg").write_bytes(jpeg())
    model_server.answer(said("A mug."), said("Blue."))
    questions = "What is it?\nWhat colour is it?\n\n"
    asked = ("ask", "mug.jpg", "--local", tmp_path)
    ran = captions(*asked, where=tmp_path, given=questions, **settings(model_server))
    assert ran.out == "A mug.\nBlue.\n", ran.err
    assert "Question: What is it?\nAnswer: A mug." in model_server.calls[1].text


def test_the_dialogue_of_the_docs_is_what_the_command_says(
    tmp_path: Path, model_server: ModelServer
) -> None:
    (shown,) = re.findall(r"```text\n(\? .*?)```", (ROOT / "docs/ask.md").read_text("utf-8"), re.S)
    lines = shown.splitlines()
    questions, answers = [line[2:] for line in lines[::2]], lines[1::2]
    assert len(questions) == len(answers) == 6
    (tmp_path / "shop.jpg").write_bytes(jpeg())
    model_server.answer(*(said(each, visible_text="OPEN 9 to 17") for each in answers))
    asked = ("ask", "shop.jpg", "--local", tmp_path)
    typed = "\n".join([*questions, "", ""])
    ran = captions(*asked, where=tmp_path, given=typed, **settings(model_server))
    assert ran.out.splitlines() == answers, ran.err
    assert model_server.count == 6
    last = model_server.calls[-1].text
    for question, answer in zip(questions[:5], answers[:5], strict=True):
        assert f"Question: {question}\nAnswer: {answer}" in last


def test_wrong_usage_and_no_model_are_told(tmp_path: Path, model_server: ModelServer) -> None:
    (tmp_path / "mug.jpg").write_bytes(jpeg())
    asked = ("ask", "mug.jpg", "--local", tmp_path)
    long = captions(*asked, "x" * 501, where=tmp_path, **settings(model_server))
    assert long.status == 2
    assert "500" in long.err
    gone = captions(
        "ask", "gone.jpg", "What?", "--local", tmp_path, where=tmp_path, **settings(model_server)
    )
    assert gone.status == 1
    nobody = captions(*asked, "What?", where=tmp_path)
    assert nobody.status == 2
    assert "answers no questions" in nobody.err

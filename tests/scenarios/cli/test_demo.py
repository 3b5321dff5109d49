"""``captions demo``: the whole way, for somebody who has just come."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.answers import gemini
from tests.support.command_line import Ran, captions
from tests.support.model_server import ModelServer


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ran]:
    """The folder where somebody without a key has run the demo, and what it said."""
    where = tmp_path_factory.mktemp("demo")
    return where, captions("demo", "--folder", "pictures", where=where)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """What it says to programs, in a folder with another main.py."""
    where = tmp_path_factory.mktemp("told")
    (where / "main.py").write_text("raise SystemExit('the wrong one')")
    return captions("demo", "--json", "--folder", "pictures", where=where)


def test_the_demo_ends_well_without_a_key_and_says_who_answered(shown: tuple[Path, Ran]) -> None:
    where, run = shown
    assert run.status == 0, run.err
    assert "offline, as GEMINI_API_KEY is not set" in run.out
    assert str(where / "pictures") in run.out
    assert "A cup of black coffee beside a red apple on a wooden table." in run.out
    assert "corrupt_image" in run.out
    assert "\x1b" not in run.out
    assert '"severity"' not in run.out
    assert '"severity"' in (where / "pictures/.captions/functions.log").read_text("utf-8")


def test_the_demo_leaves_a_contact_sheet_and_prints_its_address(shown: tuple[Path, Ran]) -> None:
    where, run = shown
    sheet = where / "pictures/.captions/contact-sheet.html"
    assert sheet.as_uri() in run.out
    text = sheet.read_text("utf-8")
    assert 'alt="A cup of black coffee beside a red apple on a wooden table."' in text
    assert text.count("<img ") == 7
    for refused in ("broken.jpg", "error page.jpg", "empty.png", "notes.txt"):
        assert f"<h3>{refused}</h3>" in text


def test_the_demo_prints_its_documents_for_programs(told: Ran) -> None:
    documents = {record["name"]: record for record in told.records}
    assert documents["landscape.jpg"]["status"] == "captioned"
    assert documents["described.jpg"]["source"] == "embedded"
    assert documents["broken.jpg"]["error"]["reason"] == "corrupt_image"
    assert documents["empty.png"]["error"]["reason"] == "empty"
    assert "notes.txt" not in documents


def test_the_sideways_photo_is_seen_upright(told: Ran) -> None:
    photo = next(record for record in told.records if record["name"] == "phone/IMG_0412.jpg")
    assert (photo["width"], photo["height"]) == (750, 1000)


def test_another_main_in_the_working_directory_is_not_taken(told: Ran) -> None:
    assert told.status == 0, told.err


def test_with_a_key_gemini_describes_each_picture_once(
    tmp_path: Path, model_server: ModelServer
) -> None:
    key = {"GEMINI_API_KEY": "k", "GOOGLE_GEMINI_BASE_URL": model_server.url}
    run = captions("demo", "--folder", "pictures", where=tmp_path, **key)
    assert run.status == 0, run.err
    assert "gemini:gemini-3.5-flash-lite, as GEMINI_API_KEY is set" in run.out
    assert model_server.count == 7
    again = captions("demo", "--folder", "pictures", where=tmp_path, **key)
    assert again.status == 0, again.err
    assert model_server.count == 7


def test_a_model_that_is_overloaded_for_a_moment_is_asked_again(
    tmp_path: Path, model_server: ModelServer
) -> None:
    model_server.answer(gemini.ERRORS["overloaded"], gemini.ERRORS["internal"])
    key = {"GEMINI_API_KEY": "k", "GOOGLE_GEMINI_BASE_URL": model_server.url}
    assert captions("demo", where=tmp_path, **key).status == 0


def test_a_wrong_key_ends_with_1_and_its_remedy_after_one_call_a_picture(
    tmp_path: Path, model_server: ModelServer
) -> None:
    model_server.always(gemini.ERRORS["wrong key"])
    key = {"GEMINI_API_KEY": "k", "GOOGLE_GEMINI_BASE_URL": model_server.url}
    run = captions("demo", where=tmp_path, **key)
    assert run.status == 1
    assert "set GEMINI_API_KEY to a valid one" in run.err
    assert model_server.count == 7


def test_files_that_stand_in_the_folder_stay_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(b"mine")
    run = captions("demo", "--folder", ".", where=tmp_path)
    assert (tmp_path / "logo.png").read_bytes() == b"mine"
    assert run.status == 1
    assert "logo.png should be captioned: unsupported_type" in run.err


def test_a_model_on_this_machine_is_offered_and_not_taken(
    tmp_path: Path, model_server: ModelServer
) -> None:
    model_server.pulled = {"qwen3-vl:4b": ["completion", "vision"]}
    run = captions("demo", "--folder", "pictures", where=tmp_path, OLLAMA_HOST=model_server.url)
    assert run.status == 0, run.err
    assert "offline, as GEMINI_API_KEY is not set" in run.out
    assert "CAPTION_MODEL=ollama:qwen3-vl:4b" in run.out
    sheet = (tmp_path / "pictures/.captions/contact-sheet.html").read_text("utf-8")
    assert f"Ollama answers at {model_server.url}." in sheet
    assert "CAPTION_MODEL=ollama:qwen3-vl:4b " in sheet
    assert model_server.count == 0

    told = captions("demo", "--json", where=tmp_path, OLLAMA_HOST=model_server.url)
    assert "CAPTION_MODEL=ollama:qwen3-vl:4b, as Ollama answers" in told.err


def test_a_server_on_this_machine_without_a_model_that_sees_is_told_how_to_get_one(
    tmp_path: Path, model_server: ModelServer
) -> None:
    model_server.pulled = {"llama3:8b": ["completion"]}
    run = captions("demo", "--folder", "pictures", where=tmp_path, OLLAMA_HOST=model_server.url)
    line = "ollama pull qwen3-vl:4b && CAPTION_MODEL=ollama:qwen3-vl:4b "
    assert line in " ".join(run.out.split())
    sheet = (tmp_path / "pictures/.captions/contact-sheet.html").read_text("utf-8")
    assert line.replace("&&", "&amp;&amp;") in sheet
    assert f"Ollama answers at {model_server.url}, where no model sees." in sheet
    assert model_server.count == 0


def test_a_model_on_this_machine_describes_the_pictures_where_it_is_chosen(
    tmp_path: Path, model_server: ModelServer
) -> None:
    model_server.pulled = {"qwen3-vl:4b": ["completion", "vision"]}
    ours = {"OLLAMA_HOST": model_server.url, "CAPTION_MODEL": "ollama:qwen3-vl:4b"}
    run = captions("demo", "--json", where=tmp_path, **ours)
    assert run.status == 0, run.err
    by = {each["model"] for each in run.records if each["source"] == "model"}
    assert by == {"ollama:qwen3-vl:4b"}
    assert model_server.count == 7

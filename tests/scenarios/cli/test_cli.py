"""The command line's manners: wrong usage, settings, models, names."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from functions.adapters.folder import database
from functions.adapters.sqlite import SqliteCaptions
from functions.core.document import Document, Status
from tests.support.command_line import captions
from tests.support.model_server import Answer, Call, ModelServer, good
from tests.support.pictures import jpeg
from tests.support.stack import Stack
from tests.support.waiting import until

NAMES = ("with space.jpg", "[red]bold[/red].jpg", "снимок.jpg", "شمس.jpg", "a/b/deep.jpg", "-x.jpg")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "pictures"
    made.mkdir()
    return made


def test_help_names_every_command_and_imports_nothing_heavy(tmp_path: Path) -> None:
    run = captions("--help", where=tmp_path, PYTHONPROFILEIMPORTTIME="1")
    assert run.status == 0
    for command in ("demo", "serve", "caption", "get", "list"):
        assert f"  {command} " in run.out
    imported = {line.rpartition("|")[2].strip() for line in run.err.splitlines()}
    assert "click" in imported
    assert not imported & {"google", "flask", "rich", "PIL", "watchfiles", "werkzeug", "numpy"}


def test_the_version_is_told(tmp_path: Path) -> None:
    assert captions("--version", where=tmp_path).out.startswith("captions, version ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("list", "--limit", "0"),
        ("list", "--status", "nice"),
        ("list", "--local", "no-such-folder"),
        ("serve", "no-such-folder"),
        ("caption",),
        ("caption", "no-such-file.jpg"),
        ("caption", "gs://bucket-only"),
        ("get", "no-uri.jpg"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_is_right(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    run = captions(*arguments, where=tmp_path)
    assert run.status == 2
    assert "Error: " in run.err
    assert "Traceback" not in run.err


@pytest.mark.parametrize("command", ["list", "demo", "caption"])
def test_a_wrong_setting_ends_with_2_and_its_remedy(command: str, folder: Path) -> None:
    (folder / "a.jpg").write_bytes(jpeg())
    arguments = (command, "a.jpg") if command == "caption" else (command,)
    run = captions(*arguments, where=folder, CAPTION_LOCAL=str(folder), CAPTION_MODEL="gemini")
    assert run.status == 2
    assert "CAPTION_MODEL='gemini' names no model; write gemini:MODEL" in run.err
    assert "Traceback" not in run.err


def test_a_misspelt_setting_is_told_beside_the_result(folder: Path) -> None:
    (folder / "a.jpg").write_bytes(jpeg())
    run = captions("caption", "a.jpg", "--local", ".", where=folder, CAPTION_MODLE="x")
    assert (run.status, run.out.startswith("Landscape")) == (0, True)
    assert run.err.startswith("Warning: CAPTION_MODLE is no setting: did you mean CAPTION_MODEL?")


def test_a_model_that_is_asked_for_without_its_key_is_not_replaced(folder: Path) -> None:
    (folder / "a.jpg").write_bytes(jpeg())
    run = captions("caption", "a.jpg", where=folder, CAPTION_MODEL="gemini:gemini-3.5-flash-lite")
    assert run.status == 2
    assert "needs GEMINI_API_KEY" in run.err


@pytest.mark.parametrize(
    ("name", "value"), [("GEMINI_API_KEY", "a\nb"), ("GOOGLE_GENAI_USE_ENTERPRISE", "yes")]
)
def test_a_key_that_cannot_be_used_is_not_taken_for_none(
    name: str, value: str, folder: Path
) -> None:
    (folder / "a.jpg").write_bytes(jpeg())
    run = captions("caption", "a.jpg", "--local", ".", where=folder, **{name: value})
    assert (run.status, run.out, run.err.startswith(f"Error: {name} ")) == (2, "", True), run.err


def test_certificates_that_are_not_there_are_named_by_their_variable(folder: Path) -> None:
    (folder / "a.jpg").write_bytes(jpeg())
    env = {"GEMINI_API_KEY": "k", "SSL_CERT_FILE": str(folder / "none.pem")}
    run = captions("caption", "a.jpg", "--local", ".", where=folder, **env)
    assert (run.status, run.err.startswith("Error: SSL_CERT_FILE ")) == (2, True), run.err


def test_without_google_cloud_the_way_without_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FIRESTORE_EMULATOR_HOST", "GOOGLE_CLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    run = captions("list", where=tmp_path)
    assert run.status == 2
    assert "CAPTION_LOCAL (or --local)" in run.err
    assert "Traceback" not in run.err


def test_a_loose_file_is_captioned_and_nothing_is_stored(folder: Path) -> None:
    (folder / "a.jpg").write_bytes(jpeg())
    run = captions("caption", "a.jpg", where=folder)
    assert run.status == 0
    assert run.out.startswith("Landscape picture, 64 by 48 pixels, mostly ")
    assert run.out.count("\n") == 1
    assert "Nothing is stored" in run.err
    assert run.err.count("GEMINI_API_KEY is not set") == 1
    assert [path.name for path in folder.iterdir()] == ["a.jpg"]


def test_a_key_lets_gemini_answer(folder: Path, model_server: ModelServer) -> None:
    (folder / "a.jpg").write_bytes(jpeg())
    gemini = {"GEMINI_API_KEY": "k", "GOOGLE_GEMINI_BASE_URL": model_server.url}
    run = captions("caption", "a.jpg", "--local", ".", "--json", where=folder, **gemini)
    assert run.status == 0, run.err
    assert run.err == ""
    assert run.records[0]["model"] == "gemini:gemini-3.5-flash-lite"
    assert model_server.count == 1
    again = captions("caption", "a.jpg", "--local", ".", where=folder, **gemini)
    assert again.out.strip() == run.records[0]["alt_text"]
    assert model_server.count == 1
    captions("caption", "a.jpg", "--local", ".", "--force", where=folder, **gemini)
    assert model_server.count == 2


def test_a_path_and_an_address_name_the_same_file(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "a.jpg").write_bytes(jpeg())
    assert captions("caption", "sub/a.jpg", "--local", ".", where=folder).status == 0
    names = ("sub/a.jpg", folder / "sub" / "a.jpg", "gs://local/sub/a.jpg")
    found = [captions("get", each, "--local", folder, "--json", where=folder) for each in names]
    elsewhere = captions(
        "--json", "get", "pictures/sub/a.jpg", "--local", folder, where=folder.parent
    )
    assert {run.records[0]["name"] for run in (*found, elsewhere)} == {"sub/a.jpg"}


def test_a_file_outside_the_folder_is_refused(folder: Path) -> None:
    (folder.parent / "b.jpg").write_bytes(jpeg())
    run = captions("caption", "../b.jpg", "--local", ".", where=folder)
    assert run.status == 2
    assert "is not in the folder" in run.err


@pytest.mark.parametrize("command", ["get", "caption"])
def test_what_is_not_there_ends_with_1(command: str, folder: Path) -> None:
    run = captions(command, "gone.jpg", "--local", ".", where=folder)
    assert run.status == 1
    assert "gone.jpg" in run.err


def test_one_failure_of_several_ends_with_1_and_the_rest_is_done(folder: Path) -> None:
    (folder / "a.jpg").write_bytes(jpeg())
    (folder / "bad.jpg").write_bytes(jpeg()[:300])
    (folder / "notes.txt").write_text("words")
    run = captions("caption", "bad.jpg", "a.jpg", "notes.txt", "--local", ".", where=folder)
    assert run.status == 1
    assert run.out.startswith("a.jpg: Landscape picture")
    assert "bad.jpg: corrupt_image: " in run.err
    assert "notes.txt: skipped: it is not an image" in run.err


def test_names_are_shown_as_they_are(folder: Path) -> None:
    for number, name in enumerate(NAMES):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(jpeg(number))
    assert captions("caption", "--local", ".", "--", *NAMES, where=folder).status == 0
    table = captions("list", "--local", ".", where=folder).out
    assert all(f"\n{name} " in table for name in NAMES)
    assert "\x1b" not in table
    records = captions("list", "--local", ".", "--json", where=folder).records
    assert {record["name"] for record in records} == set(NAMES)


def test_control_characters_of_a_name_do_not_reach_the_terminal(folder: Path) -> None:
    name = "a\x1b[31m\u202egpj.jpg"
    (folder / name).write_bytes(jpeg())
    run = captions("caption", name, "a.jpg", "--local", ".", where=folder)
    assert "\x1b" not in run.out
    assert "\u202e" not in run.out
    assert "a\\x1b[31m\\u202egpj.jpg: Landscape" in run.out


def test_a_backfill_names_the_price_of_who_answers_and_none_for_nothing(folder: Path) -> None:
    (folder / "a.jpg").write_bytes(jpeg())
    first = captions("backfill", "--yes", "--local", ".", where=folder)
    again = captions("backfill", "--yes", "--local", ".", where=folder)

    assert "1 image to caption: free, as CAPTION_MODEL=offline." in first.err
    assert "0 images to caption." in again.err.splitlines()


UNREADABLE = os.fsdecode(b"old \xe9")


@pytest.fixture
def old_names(tmp_path: Path) -> Path:
    """A folder from a system that did not write names in UTF-8."""
    (tmp_path / "site" / UNREADABLE).mkdir(parents=True)
    for name in ("a.jpg", f"{UNREADABLE}.jpg", f"{UNREADABLE}/b.jpg"):
        (tmp_path / "site" / name).write_bytes(jpeg())
    (tmp_path / "site" / f"{UNREADABLE}.html").write_text("<img src=a.jpg>")
    return tmp_path / "site"


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("backfill --local site --yes", 0),
        ("keep --local site", 0),
        ("check --local site --fix", 0),
        ("eval site", 0),
        ("html site --local site --json", 0),
        ("audit site --sarif found.sarif", 1),
    ],
)
def test_names_that_are_not_in_utf_8_stop_no_command(
    command: str, status: int, old_names: Path
) -> None:
    ran = captions(*command.split(), where=old_names.parent)

    assert (ran.status, "Traceback" in ran.err) == (status, False), ran.err
    if "audit" in command:
        (run,) = json.loads((old_names.parent / "found.sarif").read_bytes())["runs"]
        place = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
        assert place["uri"] == "old%20%E9.html"


def test_a_backfill_takes_no_file_that_serve_would_not(folder: Path) -> None:
    for name in ("a.jpg", ".hidden.jpg", "a.jpg~", "b.jpg.part", "~$c.jpg"):
        (folder / name).write_bytes(jpeg())

    assert captions("backfill", "--yes", "--local", ".", where=folder).status == 0
    found = captions("list", "--json", "--local", ".", where=folder).records
    assert [each["name"] for each in found] == ["a.jpg"]


def test_an_argument_that_is_not_in_utf_8_is_wrong_usage(old_names: Path) -> None:
    ran = captions("caption", f"{UNREADABLE}.jpg", where=old_names)

    assert (ran.status, "is not in UTF-8; rename" in ran.err) == (2, True), ran.err


def test_copies_in_a_folder_get_their_text_in_the_same_run(
    tmp_path: Path, model_server: ModelServer
) -> None:
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(jpeg())
    store, later = SqliteCaptions(database(tmp_path)), datetime.now(UTC) + timedelta(days=1)

    def answer(call: Call) -> Answer:
        until(lambda: any(not each.document.lease for each in store.oldest("pending", later, 9)))
        return good(call)

    model_server.answer(answer)
    key = {"GEMINI_API_KEY": "k", "GOOGLE_GEMINI_BASE_URL": model_server.url}
    ran = captions("backfill", "--yes", "--local", tmp_path, where=tmp_path, **key)

    assert (ran.status, model_server.count) == (0, 1), ran.err
    assert sorted(line.split(":")[0] for line in ran.out.splitlines()) == ["a.jpg", "b.jpg"]


def test_a_list_walks_pages_up_to_its_limit(folder: Path) -> None:
    names = [f"{number:03}.jpg" for number in range(130)]
    store, now = SqliteCaptions(database(folder)), datetime.now(UTC)
    first = Document(
        bucket="local",
        name=names[0],
        generation=1,
        status=Status.CAPTIONED,
        created_at=now,
        updated_at=now,
    )
    for name in names:
        assert store.create(replace(first, name=name))

    def listed(*options: str) -> list[str]:
        run = captions("list", "--local", ".", "--json", *options, where=folder)
        return [record["name"] for record in run.records]

    assert len(listed()) == 50
    assert sorted(listed("--limit", "1000")) == names
    assert len(set(listed("--limit", "120"))) == 120
    assert sorted(listed("--prefix", "00")) == names[:10]
    assert listed("--status", "rejected") == []
    assert listed("--bucket", "other") == []
    more = captions("list", "--local", ".", "--limit", "3", where=folder)
    assert "there are more" in more.err


def test_a_document_is_shown_in_words_or_whole(folder: Path) -> None:
    (folder / "a.jpg").write_bytes(jpeg())
    captions("caption", "a.jpg", "--local", ".", where=folder)
    shown = captions("get", "a.jpg", "--local", ".", where=folder).out
    assert "gs://local/a.jpg" in shown
    assert "needed: offline" in shown
    whole = captions("get", "a.jpg", "--local", ".", "--json", where=folder).records[0]
    assert whole["generation"].isdigit()
    review = {"needed": True, "reasons": ["offline"], "approved_by": None, "approved_at": None}
    assert review.items() <= whole["review"].items()
    assert whole["created_at"].endswith("Z")


def test_objects_are_captioned_shown_and_listed(stack: Stack, tmp_path: Path) -> None:
    stack.put("trip/a b.jpg", jpeg())
    uri = f"gs://{stack.bucket}/trip/a b.jpg"
    run = captions("caption", uri, where=tmp_path)
    assert run.status == 0, run.err
    assert stack.metadata("trip/a b.jpg")["alt-text"] == run.out.strip()
    shown = captions("get", uri, "--json", where=tmp_path).records
    listed = captions("list", "--json", "--prefix", "trip/", where=tmp_path).records
    assert shown == listed
    assert shown[0]["alt_text"] == run.out.strip()
    assert captions("get", f"gs://{stack.bucket}/other.jpg", where=tmp_path).status == 1
    assert captions("caption", f"gs://{stack.bucket}/other.jpg", where=tmp_path).status == 1

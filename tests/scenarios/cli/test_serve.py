"""``captions serve``: a folder that captions itself."""

from __future__ import annotations

import http.client
import json
import os
import signal
import urllib.request
from pathlib import Path

import pytest

from tests.support.answers import gemini
from tests.support.command_line import captions, serving
from tests.support.model_server import ModelServer
from tests.support.pictures import jpeg


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "pictures"
    made.mkdir()
    return made


def captioned(document: dict | None) -> bool:
    return bool(document and document["status"] == "captioned" and document["metadata_synced"])


def test_a_file_is_captioned_when_written_and_forgotten_when_deleted(folder: Path) -> None:
    with serving(folder) as serve:
        serve.url()
        (folder / "a.jpg").write_bytes(jpeg(1))
        first = serve.until("a.jpg", captioned)
        (folder / "a.jpg").write_bytes(jpeg(2, (48, 64)))
        second = serve.until(
            "a.jpg", lambda document: captioned(document) and document["md5"] != first["md5"]
        )
        assert int(second["generation"]) > int(first["generation"])
        assert second["height"] == 64
        (folder / "a.jpg").unlink()
        serve.until("a.jpg", lambda document: document is None)
        assert serve.end() == 0
        assert "Traceback" not in serve.said
        assert "forgotten  a.jpg" in serve.said
        assert '"severity"' not in serve.said


def test_what_is_there_at_the_start_is_captioned_once(
    folder: Path, model_server: ModelServer
) -> None:
    key = {"GEMINI_API_KEY": "k", "GOOGLE_GEMINI_BASE_URL": model_server.url}
    for number, name in enumerate(("a.jpg", "sub/b.jpg", "sub/[red] شمس.jpg")):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(jpeg(number))
    for _ in range(2):
        with serving(folder, **key) as serve:
            serve.until("sub/[red] شمس.jpg", captioned)
            serve.until("sub/b.jpg", captioned)
            serve.until("a.jpg", captioned)
            (folder / "probe.txt").write_text("seen last")
            serve.wait(lambda: "probe.txt" in serve.said)
            assert serve.end() == 0
        (folder / "probe.txt").unlink()
    assert model_server.count == 3


def test_what_was_deleted_while_nobody_watched_is_forgotten(folder: Path) -> None:
    (folder / "a.jpg").write_bytes(jpeg())
    assert captions("caption", "a.jpg", "--local", ".", where=folder).status == 0
    (folder / "a.jpg").unlink()
    with serving(folder) as serve:
        serve.until("a.jpg", lambda document: document is None)


def test_temporary_and_hidden_files_are_no_images(folder: Path) -> None:
    picture = jpeg()
    with serving(folder) as serve:
        serve.url()
        (folder / ".git").mkdir()
        for name in (".hidden.jpg", "a.jpg~", "b.jpg.part", "c.crdownload", "d.tmp", ".git/e.jpg"):
            (folder / name).write_bytes(picture)
        (folder / "a.jpg.part").write_bytes(picture)
        (folder / "a.jpg.part").rename(folder / "a.jpg")
        serve.until("a.jpg", captioned)
        found = captions("list", "--local", folder, "--json", where=folder).records
        assert [record["name"] for record in found] == ["a.jpg"]


@pytest.mark.parametrize("begins_with", ["a file", "a folder"])
def test_a_name_that_is_not_in_utf_8_is_told_and_ends_nothing(
    begins_with: str, folder: Path
) -> None:
    old = folder / os.fsdecode(b"old \xe9")
    if begins_with == "a folder":
        old.mkdir()
    with serving(folder) as serve:
        (folder / "a.jpg").write_bytes(jpeg(1))
        serve.until("a.jpg", captioned)
        if begins_with == "a file":
            old.write_bytes(jpeg(2))
        serve.wait(lambda: r"old \xE9" in serve.said)
        (folder / "b.jpg").write_bytes(jpeg(3))
        serve.until("b.jpg", captioned)
        assert serve.end() == 0
        assert serve.said.count("rename it") == 1


def test_a_renamed_file_keeps_its_caption_without_another_call(
    folder: Path, model_server: ModelServer
) -> None:
    with serving(folder, GEMINI_API_KEY="k", GOOGLE_GEMINI_BASE_URL=model_server.url) as serve:
        serve.url()
        (folder / "old").mkdir()
        (folder / "old" / "a.jpg").write_bytes(jpeg())
        serve.until("old/a.jpg", captioned)
        (folder / "old").rename(folder / "new")
        serve.until("new/a.jpg", captioned)
        serve.until("old/a.jpg", lambda document: document is None)
    assert model_server.count == 1


def test_a_file_is_not_taken_while_it_is_being_written(folder: Path) -> None:
    picture = jpeg(size=(640, 480))
    with serving(folder) as serve:
        serve.url()
        with (folder / "slow.jpg").open("wb") as file:
            for start in range(0, len(picture), 200):
                file.write(picture[start : start + 200])
                file.flush()
                os.fsync(file.fileno())
        serve.until("slow.jpg", captioned)
        assert "corrupt" not in serve.said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_running_work_is_finished_before_the_end(
    number: int, folder: Path, model_server: ModelServer
) -> None:
    model_server.delay = 1
    try:
        with serving(folder, GEMINI_API_KEY="k", GOOGLE_GEMINI_BASE_URL=model_server.url) as serve:
            serve.url()
            (folder / "a.jpg").write_bytes(jpeg())
            serve.wait(lambda: model_server.count == 1)
            assert serve.end(number) == 0
            assert "Traceback" not in serve.said
            assert captioned(serve.document("a.jpg"))
    finally:
        model_server.delay = 0


def test_a_model_that_fails_for_a_moment_is_asked_again_and_said_to_be_waited_for(
    folder: Path, model_server: ModelServer
) -> None:
    model_server.answer(gemini.ERRORS["overloaded"])
    with serving(folder, GEMINI_API_KEY="k", GOOGLE_GEMINI_BASE_URL=model_server.url) as serve:
        serve.url()
        (folder / "a.jpg").write_bytes(jpeg())
        serve.until("a.jpg", captioned)
        assert "waiting    a.jpg  Gemini answered 503" in serve.said


def test_a_port_in_use_is_wrong_usage(folder: Path) -> None:
    with serving(folder) as serve:
        port = serve.url().rstrip("/").rpartition(":")[2]
        run = captions("serve", ".", "--port", port, where=folder)
    assert run.status == 2
    assert "Address already in use. Choose another with --port" in run.err
    assert "Traceback" not in run.err


def test_the_page_is_at_the_root_and_the_functions_under_their_own_names(folder: Path) -> None:
    with serving(folder) as serve:
        url = serve.url()
        with urllib.request.urlopen(url) as answer:  # noqa: S310
            assert b"<body data-uploads>" in answer.read()
        request = urllib.request.Request(  # noqa: S310
            f"{url}caption_image", b"{}", {"ce-id": "1", "ce-type": "t", "ce-source": "s"}
        )
        request.add_header("ce-specversion", "1.0")
        request.add_header("content-type", "application/json")
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            assert answer.status == 200


def test_websites_on_this_machine_are_told_alt_text(folder: Path) -> None:
    (folder / "a.jpg").write_bytes(jpeg(1))
    with serving(folder) as serve:
        told = serve.until("a.jpg", captioned)
        host = serve.url().removeprefix("http://").rstrip("/")
        connection = http.client.HTTPConnection(host, timeout=60)
        connection.request("GET", "/alt_text?src=gs://local/a.jpg")
        assert json.loads(connection.getresponse().read())["alt"] == told["alt_text"]
        connection.request("GET", "/alt_text/alt.js")
        assert b"img:not([alt])" in connection.getresponse().read()
        connection.close()
        assert serve.end() == 0

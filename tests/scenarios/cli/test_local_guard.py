"""The front of ``captions serve``: who may ask it, and what is put into the folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from functions.core.document import document_id
from functions.http.responses import Refusal
from functions.local.server import application
from functions.local.uploads import file_name
from tests.support.pictures import jpeg, png
from tests.support.stack import environment

HERE = "http://127.0.0.1:8080"


@pytest.fixture
def front(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """Everything that ``captions serve`` serves, asked without a socket."""
    settings = {
        "CAPTION_LOCAL": str(tmp_path),
        "CAPTION_MODEL": "offline",
        "CAPTION_MAX_BYTES": "5000",
    }
    with environment(monkeypatch, settings):
        (tmp_path / ".captions").mkdir()
        yield Client(application(tmp_path, "127.0.0.1"))


def put(front: Client, name: str, data: bytes, **headers: str) -> Any:
    return front.put(f"/uploads/{name}", data=data, headers=headers, base_url=HERE)


def files(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir() if each.is_file())


def test_the_page_is_in_front_and_offers_uploads(front: Client) -> None:
    page = front.get("/", base_url=HERE)
    assert page.status_code == 200
    assert "<body data-uploads>" in page.text
    assert front.get("/captions", base_url=HERE).json == {"captions": [], "next": None}
    assert front.get("/review/captions", base_url=HERE).status_code == 200


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8080", "localhost:8080", "localhost", "[::1]:8080", "192.0.2.7:8080"]
)
def test_this_machine_is_asked_by_its_addresses(host: str, front: Client) -> None:
    assert front.get("/captions", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "localhost.evil.example"])
@pytest.mark.parametrize("path", ["/", "/captions", "/uploads/a.jpg", "/caption_image"])
def test_a_name_that_was_turned_to_this_machine_gets_nothing(
    host: str, path: str, front: Client
) -> None:
    answer = front.get(path, headers={"Host": host})
    assert answer.status_code == 403
    assert "localhost" in answer.json["error"]


def test_another_website_puts_nothing_here_and_sends_no_events(
    front: Client, tmp_path: Path
) -> None:
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        assert put(front, "a.jpg", jpeg(), **headers).status_code == 403
        event = front.post("/caption_image", json={}, headers=headers, base_url=HERE)
        assert event.status_code == 403
    assert files(tmp_path) == []
    assert put(front, "a.jpg", jpeg(), **{"Sec-Fetch-Site": "same-origin"}).status_code == 201


def test_a_picture_is_stored_under_its_name_and_never_over_another(
    front: Client, tmp_path: Path
) -> None:
    made = put(front, "mug.jpg", jpeg(1))
    assert made.status_code == 201
    assert made.json == {"name": "mug.jpg", "id": document_id("local", "mug.jpg")}
    assert put(front, "mug.jpg", jpeg(2)).json["name"] == "mug (2).jpg"
    assert put(front, "mug.jpg", jpeg(3)).json["name"] == "mug (3).jpg"
    assert (tmp_path / "mug.jpg").read_bytes() == jpeg(1)
    assert (tmp_path / "mug (3).jpg").read_bytes() == jpeg(3)


def test_what_is_too_large_or_no_picture_leaves_nothing_behind(
    front: Client, tmp_path: Path
) -> None:
    large = put(front, "a.png", png() + b"\0" * 5000)
    assert (large.status_code, "CAPTION_MAX_BYTES" in large.json["error"]) == (413, True)
    assert put(front, "a.jpg", b"<html>").status_code == 415
    assert put(front, "a.jpg", b"").status_code == 415
    assert front.post("/uploads/a.jpg", data=jpeg(), base_url=HERE).status_code == 405
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("mug.jpg", "mug.jpg"),
        ("../../etc/mug.jpg", "mug.jpg"),
        ("C:\\Pictures\\mug.jpg", "mug.jpg"),
        ("a\r\nb\x00:?.jpg", "a__b___.jpg"),
        ("شمس 🌞.png", "شمس 🌞.png"),
        ("cafe\u0301.jpg", "café.jpg"),
        ("x" * 300 + ".jpg", "x" * 196 + ".jpg"),
        ("é" * 300 + ".jpg", "é" * 98 + ".jpg"),
        (" . mug.jpg. ", "mug.jpg"),
    ],
)
def test_a_name_is_kept_as_far_as_it_is_one(sent: str, kept: str) -> None:
    assert file_name(sent) == kept
    assert len(file_name(sent).encode()) <= 200


@pytest.mark.parametrize("name", ["", "..", "/", "a/", "...", "~$a.jpg", "a.jpg.part", "#a.jpg"])
def test_a_name_that_would_not_be_seen_is_refused(name: str) -> None:
    with pytest.raises(Refusal, match="another name"):
        file_name(name)

"""The front of ``captions serve``: who may ask it, and what is put into the folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from functions.core.document import document_id
from functions.http.ask import NOT_OURS
from functions.http.responses import Refusal
from functions.local.server import application
from functions.local.uploads import file_name
from tests.support.lookups import MUG, keep
from tests.support.pictures import jpeg, png
from tests.support.stack import Embedded, environment

HERE = "http://127.0.0.1:8080"
OURS: tuple[dict[str, str], ...] = (
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "same-origin"},
    {"Origin": HERE},
)
FOREIGN: tuple[dict[str, str], ...] = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://127.0.0.1:3000"},
    {"Origin": "null"},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
)


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


def test_asking_beforehand_stores_nothing(front: Client, tmp_path: Path) -> None:
    answer = front.options("/uploads/a.jpg", data=jpeg(), base_url=HERE)
    assert (answer.status_code, answer.headers["Allow"]) == (204, "PUT, OPTIONS")
    for headers in FOREIGN:
        answer = front.options("/uploads/a.jpg", data=jpeg(), headers=headers, base_url=HERE)
        assert answer.status_code == 403
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    "path", ["/captions", "/alt_text?src=gs://local/a.jpg", "/review/captions"]
)
def test_another_website_reads_nothing_here(front: Client, path: str) -> None:
    for headers in FOREIGN:
        assert front.get(path, headers=headers, base_url=HERE).status_code == 403
    for headers in (
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Origin": HERE},
    ):
        assert front.get(path, headers=headers, base_url=HERE).status_code in (200, 404)


def test_a_link_on_another_website_leads_to_the_page(front: Client) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert (
        front.get("/", headers={**link, "Sec-Fetch-Dest": "document"}, base_url=HERE).status_code
        == 200
    )
    for framed in ("iframe", "image"):
        answer = front.get("/", headers={**link, "Sec-Fetch-Dest": framed}, base_url=HERE)
        assert answer.status_code == 403


def test_the_sites_that_one_works_on_read_alt_text_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = "http://localhost:3000"
    settings = {"CAPTION_LOCAL": str(tmp_path), "CAPTION_MODEL": "offline"}
    with environment(monkeypatch, settings | {"CAPTION_CORS_ORIGINS": f"{site}, *"}):
        mug = keep()
        front = Client(application(tmp_path, "127.0.0.1"))
        headers = {"Origin": site, "Sec-Fetch-Site": "same-site"}
        asked = front.post("/alt_text/", json={"src": [mug]}, headers=headers, base_url=HERE)
        assert asked.json["images"][mug]["alt"] == MUG.alt_text
        assert asked.headers["Access-Control-Allow-Origin"] in (site, "*")
        assert front.options("/alt_text/", headers=headers, base_url=HERE).status_code == 204
        assert front.get(f"/alt_text?src={mug}", headers=headers, base_url=HERE).status_code == 200
        for path in ("/captions", f"/captions/{document_id('local', 'mug.jpg')}", "/caption_image"):
            assert front.get(path, headers=headers, base_url=HERE).status_code == 403
        assert put(front, "a.jpg", jpeg(), **headers).status_code == 403
        for other in ("http://localhost:3001", "https://localhost:3000", "*", "null"):
            stranger = {"Origin": other, "Sec-Fetch-Site": "same-site"}
            asked = front.post("/alt_text/", json={"src": [mug]}, headers=stranger, base_url=HERE)
            assert asked.status_code == 403
        script = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "script"}
        assert front.get("/alt_text/alt.js", headers=script, base_url=HERE).status_code == 200


@pytest.mark.parametrize(
    "name",
    ["./mug.jpg", "sub/../mug.jpg", "sub//mug.jpg", ".hidden.jpg", ".git/mug.jpg", "link.jpg"],
)
def test_a_request_for_another_way_to_write_a_files_name_makes_no_document(
    embedded: Embedded, tmp_path: Path, name: str
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "sub").mkdir()
    for each in ("mug.jpg", "sub/mug.jpg", ".hidden.jpg", ".git/mug.jpg"):
        (tmp_path / each).write_bytes(jpeg())
    (tmp_path / "link.jpg").symlink_to(tmp_path / "mug.jpg")

    assert embedded.request(bucket="local", name=name) == 200
    assert embedded.document(name) is None


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


def test_questions_are_answered_where_there_is_a_model_and_to_websites_that_are_named(
    front: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"src": "gs://local/none.jpg", "question": "What is it?"}
    assert front.post("/ask", json=asked, base_url=HERE).status_code == 404
    assert "/ask" not in front.post("/ask", json=asked, base_url=HERE).text

    shop = "http://localhost:3000"
    model = {"CAPTION_MODEL": "gemini:m", "GEMINI_API_KEY": "k", "CAPTION_ASK_ORIGINS": shop}
    with environment(monkeypatch, model):
        answering = Client(application(tmp_path, "127.0.0.1"))
        for path in ("/ask", "/ask/"):
            for headers in OURS:
                answer = answering.post(path, json=asked, headers=headers, base_url=HERE)
                assert answer.json == {"error": NOT_OURS}
        for headers in FOREIGN:
            answer = answering.post("/ask", json=asked, headers=headers, base_url=HERE)
            assert answer.status_code == 403
        named = answering.post("/ask", json=asked, headers={"Origin": shop}, base_url=HERE)
        assert named.json == {"error": NOT_OURS}
        named = answering.options("/ask/", headers={"Origin": shop}, base_url=HERE)
        assert named.headers["Access-Control-Allow-Origin"] == shop

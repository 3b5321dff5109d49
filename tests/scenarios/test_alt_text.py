"""Lookups over HTTP: what websites ask, and what strangers try."""

from __future__ import annotations

import gzip
import json
import sqlite3
import subprocess
import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Request
from werkzeug.test import Client, EnvironBuilder

from functions import composition
from functions.adapters import firestore
from functions.adapters.folder import database
from functions.core.document import Document, Renewal, Review, document_id
from functions.http.alt_text import MOST_BYTES, MOST_READS, AltTextEndpoint
from functions.http.cache import ABSENT_SECONDS, SECONDS
from tests.support.address_forms import FORMS, NAME, ORIGINS
from tests.support.lookups import MUG, THEN, keep
from tests.support.pictures import jpeg
from tests.support.stack import Cloud, Embedded, Stack

ROOT = Path(__file__).parents[2]


def get(stack: Stack, src: str | None = None, lang: str = "", **headers: str) -> Any:
    query = {"src": src, "lang": lang} if src is not None else {}
    return stack.client("alt_text").get("/", query_string=query, headers=headers)


def post(stack: Stack, body: Any, **options: Any) -> Any:
    sent = {"json": body} if not isinstance(body, bytes) else {"data": body}
    return stack.client("alt_text").post("/", **sent, **options)


def test_an_uploads_words_are_told_by_every_address(stack: Stack) -> None:
    stack.deliver(stack.put("a/b c.jpg", jpeg()))
    document = stack.document("a/b c.jpg")
    assert document
    for src in (
        f"gs://{stack.bucket}/a/b c.jpg",
        f"gs://{stack.bucket}/a/b%20c.jpg?v=2",
        f"https://storage.googleapis.com/{stack.bucket}/a/b%20c.jpg?w=3#x",
        f"https://firebasestorage.googleapis.com/v0/b/{stack.bucket}/o/a%2Fb%20c.jpg?alt=media",
    ):
        answer = get(stack, src)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        updated_at = document["updated_at"]
        if not isinstance(updated_at, datetime):
            updated_at = datetime.fromisoformat(updated_at)
        assert answer.json == {
            "src": src,
            "alt": document["alt_text"],
            "caption": document["caption"],
            "language": "en",
            "decorative": False,
            "source": "model",
            "updated_at": updated_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        }


def test_a_batch_is_told_in_one_answer(stack: Stack) -> None:
    mug, other = keep(bucket=stack.bucket), keep("other.jpg", stack.bucket, alt_text="Other")
    gone, wrong = f"gs://{stack.bucket}/gone.jpg", "not an address"

    answer = post(stack, {"src": [mug, gone, other, wrong, mug], "lang": "fr-CA"})

    assert answer.status_code == 200
    images = answer.json["images"]
    assert list(images) == [mug, gone, other, wrong]
    assert (images[mug]["alt"], images[mug]["language"]) == ("Tasse bleue", "fr")
    assert images[mug]["src"] == mug
    assert images[gone] is images[wrong] is None
    assert answer.headers["Cache-Control"] == "no-store"


def test_an_origin_of_the_settings_stands_for_its_bucket(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPTION_ORIGINS", "https://img.example.com/i=local/public")
    keep("public/mug.jpg")

    assert get(embedded, "https://img.example.com/i/mug.jpg?w=640").status_code == 200
    assert get(embedded, "https://img.example.com/mug.jpg").status_code == 404


def test_the_answer_says_which_language_it_is_in(embedded: Embedded) -> None:
    mug = keep()
    told = {lang: get(embedded, mug, lang).json for lang in ("", "fr-CA", "de", "fr!", "x" * 9999)}

    assert {lang: answer["language"] for lang, answer in told.items()} == {
        "": "en",
        "fr-CA": "fr",
        "de": "en",
        "fr!": "en",
        "x" * 9999: "en",
    }
    assert told["fr-CA"]["caption"] == "Une tasse bleue."


def test_decoration_is_told_as_such(embedded: Embedded) -> None:
    answer = get(embedded, keep(decorative=True, alt_text="")).json
    assert (answer["alt"], answer["decorative"]) == ("", True)


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "rejected"},
        {"status": "failed"},
        {"status": "deferred"},
        {"status": "pending", "alt_text": "", "caption": "", "translations": {}},
        {"status": "pending", "source": "human"},
        {"alt_text": "", "caption": "", "translations": {}},
    ],
    ids=str,
)
def test_an_image_without_words_of_its_own_has_none_to_tell(
    embedded: Embedded, fields: dict[str, Any]
) -> None:
    answer = get(embedded, keep(**fields))
    assert answer.status_code == 404
    assert answer.json == {"error": "there is no alt text for this address"}


def test_an_image_that_is_captioned_anew_keeps_its_words_meanwhile(embedded: Embedded) -> None:
    renewal = Renewal(THEN, forced=True)
    assert get(embedded, keep(renewal=renewal, attempts=2)).status_code == 200


def test_words_to_be_reviewed_are_withheld_where_that_is_set(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    doubtful = keep("doubtful.jpg", review=Review(True, ("hedging",)))
    approved = keep("approved.jpg", review=Review(True, ("hedging",), "ana@example.com", THEN))

    assert get(embedded, doubtful).status_code == 200
    monkeypatch.setenv("CAPTION_UNREVIEWED", "withhold")
    embedded.restart()
    assert get(embedded, doubtful).status_code == 404
    assert get(embedded, approved).status_code == 404
    assert post(embedded, {"src": [doubtful]}).json == {"images": {doubtful: None}}


def test_a_private_bucket_answers_like_one_that_is_not_there(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    public, private = keep(bucket="public"), keep(bucket="private")
    monkeypatch.setenv("CAPTION_PUBLIC_BUCKETS", "public, other")
    embedded.restart()

    assert get(embedded, public).status_code == 200
    hidden, missing = get(embedded, private), get(embedded, "gs://other/mug.jpg")
    assert hidden.status_code == missing.status_code == 404
    assert hidden.data == missing.data
    assert dict(hidden.headers) == dict(missing.headers)
    assert post(embedded, {"src": [private]}).json == {"images": {private: None}}


@pytest.mark.parametrize(
    ("src", "status"),
    [
        (None, 400),
        ("", 400),
        ("mug.jpg", 400),
        ("https://me@storage.googleapis.com/local/mug.jpg", 400),
        ("https://storage.googleapis.com/local/%FF", 400),
        ("gs://local/" + "a" * 9000, 400),
        ("gs://local/" + "a" * 1025, 404),
        ("https://www.example.com/mug.jpg", 404),
        ("https://storage.googleapis.com/local/../private/mug.jpg", 404),
        ("<script>alert(1)</script>", 400),
    ],
)
def test_what_cannot_be_told_is_an_error_in_plain_words(
    embedded: Embedded, src: str | None, status: int
) -> None:
    answer = get(embedded, src)
    assert answer.status_code == status
    assert set(answer.json) == {"error"}
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_query_that_is_no_text_or_has_no_end_is_refused_before_it_is_read(
    embedded: Embedded,
) -> None:
    lookups, store = counting()
    mug = keep()
    for query in ("src=gs://local/\xff\xfe.jpg", f"src={mug}&" * 20_000, "src=" + "%41" * 70_000):
        answer = lookups.answer(_get_query(query))
        assert (answer.status_code, set(answer.get_json())) == (400, {"error"})
    twice = lookups.answer(_get_query(f"src={mug}&src=gs://local/gone.jpg&lang=%00&lang=fr"))
    assert twice.get_json()["src"] == mug
    assert len(store.asked) == 1
    assert embedded.log() == []


@pytest.mark.parametrize(
    ("body", "options", "status"),
    [
        (b"[]", {"content_type": "application/json"}, 400),
        (b'{"src": ["', {"content_type": "application/json"}, 400),
        (b"[" * 100_000, {"content_type": "application/json"}, 400),
        (b'{"src": ' + b"9" * 10_000 + b"}", {"content_type": "application/json"}, 400),
        (b'{"src": ["gs://b/\\ud800"]}', {"content_type": "application/json"}, 400),
        (b"\xff\xfe", {"content_type": "application/json"}, 400),
        ({}, {}, 400),
        ({"src": "gs://local/mug.jpg"}, {}, 400),
        ({"src": [1]}, {}, 400),
        ({"src": [], "lang": ["fr"]}, {}, 400),
        ({"src": ["gs://local/mug.jpg"] * 101}, {}, 400),
        (b'{"src": []}', {"content_type": "text/plain"}, 415),
        (b'{"src": []}', {}, 415),
        (b" " * (MOST_BYTES + 1), {"content_type": "application/json"}, 413),
        ({"src": []}, {}, 200),
        ({"src": ["gs://local/mug.jpg"] * 100, "lang": None}, {}, 200),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_batch_is_taken_or_refused_in_plain_words(
    embedded: Embedded, body: Any, options: dict[str, Any], status: int
) -> None:
    answer = post(embedded, body, **options)
    assert answer.status_code == status
    assert set(answer.json) == {"images"} if status == 200 else {"error"}
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


def test_other_methods_and_paths_are_refused(embedded: Embedded) -> None:
    client = embedded.client("alt_text")

    for method, path in (("PUT", "/"), ("DELETE", "/"), ("PATCH", "/"), ("POST", "/alt.js")):
        answer = client.open(path, method=method)
        assert answer.status_code == 405
        assert "GET, HEAD" in answer.headers["Allow"]
        assert answer.json["error"].startswith(f"{method} is not possible")
    for path in ("/captions", "/robots.txt", "/favicon.ico"):
        missing = client.get(path)
        assert (missing.status_code, set(missing.json)) == (404, {"error"})
        assert missing.headers["Access-Control-Allow-Origin"] == "*"


def test_the_same_bytes_again_are_not_sent(stack: Stack) -> None:
    mug = keep(bucket=stack.bucket)
    first = get(stack, mug)
    tag = first.headers["ETag"]
    assert tag.startswith('"')

    again = get(stack, mug, If_None_Match=tag)
    assert (again.status_code, again.data) == (304, b"")
    for header in ("ETag", "Cache-Control", "Access-Control-Allow-Origin"):
        assert again.headers[header] == first.headers[header]
    assert get(stack, mug, If_None_Match=f'W/{tag}, "x"').status_code == 304
    assert get(stack, mug, "fr", If_None_Match=tag).status_code == 200
    assert "Date" not in first.headers  # it is the server's to set, once


def test_an_edit_has_another_etag(embedded: Embedded) -> None:
    mug = keep()
    tag = get(embedded, mug).headers["ETag"]
    store = composition.store(composition.settings())
    stored = store.read(MUG.id)
    assert stored
    store.replace(stored, replace(MUG, alt_text="A person's words", source="human"))

    answer = get(embedded, mug, If_None_Match=tag)
    assert (answer.status_code, answer.json["alt"]) == (200, "A person's words")


def test_head_is_get_without_the_body(embedded: Embedded) -> None:
    client, mug = embedded.client("alt_text"), keep()
    for path in (f"/?src={mug}", "/?src=gs://local/gone.jpg", "/", "/alt.js"):
        head, whole = client.head(path), client.get(path)
        assert head.data == b""
        assert head.status_code == whole.status_code
        for header in ("Content-Length", "Content-Type", "Cache-Control", "ETag"):
            assert head.headers.get(header) == whole.headers.get(header)


def test_a_cdn_may_keep_words_longer_than_their_absence(embedded: Embedded) -> None:
    kept = get(embedded, keep()).headers["Cache-Control"]
    assert kept.startswith("public, max-age=60, s-maxage=300, stale-while-revalidate=")
    assert get(embedded, "gs://local/no.jpg").headers["Cache-Control"] == "public, max-age=10"
    assert get(embedded, "no").headers["Cache-Control"] == "no-store"


def test_every_website_may_ask_unless_they_are_named(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    mug = keep()
    answer = get(embedded, mug, Origin="https://any.example")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Vary" not in answer.headers

    monkeypatch.setenv("CAPTION_CORS_ORIGINS", "https://a.example, https://b.example:8443")
    embedded.restart()
    for origin, allowed in (
        ("https://a.example", "https://a.example"),
        ("https://b.example:8443", "https://b.example:8443"),
        ("https://b.example", None),
        ("https://evil.example", None),
        ("null", None),
    ):
        answer = get(embedded, mug, Origin=origin)
        assert answer.headers.get("Access-Control-Allow-Origin") == allowed
        assert answer.headers["Vary"] == "Origin"
    assert get(embedded, "no", Origin="https://a.example").headers["Vary"] == "Origin"


def test_a_browser_that_asks_beforehand_may_post_json(embedded: Embedded) -> None:
    answer = embedded.client("alt_text").options(
        "/",
        headers={
            "Origin": "https://any.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        },
    )
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert "Content-Type" in answer.headers["Access-Control-Allow-Headers"]
    assert int(answer.headers["Access-Control-Max-Age"]) >= 7200


def test_hostile_words_are_json_and_nothing_else(embedded: Embedded) -> None:
    words = '"><script>alert(1)</script>\u2028 \u202eقط 🐈‍⬛'
    answer = get(embedded, keep(alt_text=words))
    assert answer.json["alt"] == words
    assert answer.mimetype == "application/json"


def test_the_script_is_small_and_kept_long(embedded: Embedded) -> None:
    client = embedded.client("alt_text")
    answer = client.get("/alt.js")
    assert answer.data == (ROOT / "functions/http/static/alt.js").read_bytes()
    assert len(gzip.compress(answer.data)) <= 4300
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"].startswith("public, max-age=86400")
    again = client.get("/alt.js", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_long_answers_are_compressed_for_who_takes_that(embedded: Embedded) -> None:
    mug = keep(caption="A blue mug stands on a counter. " * 60)
    client = embedded.client("alt_text")
    script = "/alt.js"
    for path in (f"/?src={mug}", script):
        plain = client.get(path)
        small = client.get(path, headers={"Accept-Encoding": "br, gzip;q=0.5"})
        assert "Content-Encoding" not in plain.headers
        assert small.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(small.data) == plain.data
        assert len(small.data) < len(plain.data) / 2
        assert plain.headers["Vary"] == small.headers["Vary"] == "Accept-Encoding"
        assert plain.headers["ETag"] != small.headers["ETag"]
        for answer in (plain, small):
            headers = {"Accept-Encoding": "gzip", "If-None-Match": answer.headers["ETag"]}
            if answer is plain:
                headers.pop("Accept-Encoding")
            assert client.get(path, headers=headers).status_code == 304
    assert (
        "Content-Encoding"
        not in client.get(script, headers={"Accept-Encoding": "gzip;q=0"}).headers
    )
    batch = post(embedded, {"src": [mug]}, headers={"Accept-Encoding": "gzip"})
    assert batch.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(batch.data))["images"][mug]
    short = get(embedded, "gs://local/no.jpg", Accept_Encoding="gzip")
    assert "Content-Encoding" not in short.headers


def test_an_address_that_was_pasted_without_encoding_is_understood(embedded: Embedded) -> None:
    keep("a/b+c.jpg")
    client = embedded.client("alt_text")
    for pasted in (
        "https://firebasestorage.googleapis.com/v0/b/local/o/a%2Fb+c.jpg?alt=media&token=1",
        "https://storage.googleapis.com/local/a/b+c.jpg",
        "https://www.googleapis.com/storage/v1/b/local/o/a%2Fb%2Bc.jpg",
    ):
        assert client.get(f"/?src={pasted}").status_code == 200, pasted


class Counted:
    """A store that remembers which keys it was asked for, in one round trip each."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self._store = composition.store(composition.settings())

    def read_fields(self, keys: Iterable[str], fields: Collection[str]) -> Mapping[str, Document]:
        self.asked.append(list(keys))
        return self._store.read_fields(self.asked[-1], fields)


@dataclass
class Clock:
    time: float = 1000.0

    def __call__(self) -> float:
        return self.time


def counting(clock: Clock | None = None) -> tuple[AltTextEndpoint, Counted]:
    """Lookups that remember, and what they ask the store for."""
    store: Any = Counted()
    return AltTextEndpoint(composition.settings(), lambda: store, clock=clock or Clock()), store


def test_a_page_costs_a_document_an_image_in_one_round_trip_and_nothing_again(
    stack: Stack,
) -> None:
    mug, other = keep(bucket=stack.bucket), keep("other.jpg", stack.bucket)
    lookups, store = counting()
    page = {"src": [mug, other, other, "not an address"]}

    for request in (_get(mug), _get(mug), _post(page), _post(page | {"lang": "fr"})):
        assert lookups.answer(request).status_code == 200

    assert store.asked == [[document_id(stack.bucket, each)] for each in ("mug.jpg", "other.jpg")]


def test_what_an_address_says_is_read_first_and_other_formats_only_where_that_is_not_there(
    stack: Stack,
) -> None:
    keep(bucket=stack.bucket), keep("logo.png", stack.bucket)
    lookups, store = counting()
    names = ("mug-300x200.jpg", "mug.jpg", "logo.jpg")
    page = {"src": [f"gs://{stack.bucket}/{name}" for name in names]}

    answer = json.loads(lookups.answer(_post(page)).get_data())["images"]

    assert all(answer.values())
    named, guessed = store.asked
    assert set(named) == {document_id(stack.bucket, name) for name in names}
    assert document_id(stack.bucket, "logo.png") in guessed
    assert not set(named) & set(guessed)


def test_a_hundred_copies_names_are_two_round_trips_within_bounds(embedded: Embedded) -> None:
    names = [f"thumbs/{n}-300x200.jpg.webp" for n in range(100)]
    keep("99.jpg")
    lookups, store = counting()

    answer = lookups.answer(_post({"src": [f"gs://local/{name}" for name in names]}))

    images = json.loads(answer.get_data())["images"]
    assert [src for src, found in images.items() if found] == [f"gs://local/{names[99]}"]
    assert len(store.asked) == 2
    assert sum(len(keys) for keys in store.asked) == MOST_READS


def asked(
    lookups: AltTextEndpoint, method: str, path: str, body: Any = None, **headers: str
) -> tuple[Any, ...]:
    """What an asker sees of an answer."""
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    data = body if isinstance(body, bytes | None) else json.dumps(body)
    answer = Client(lookups.serve).open(path, method=method, data=data, headers=named)
    told = sorted((key, value) for key, value in answer.headers if key != "Date")
    return answer.status_code, told, answer.data


def questions(mug: str, long: str) -> list[tuple[tuple[Any, ...], dict[str, str]]]:
    """Requests that differ in one thing each that an answer depends on."""
    fresh, _ = counting()
    (tag,) = [value for key, value in asked(fresh, "GET", f"/?src={mug}")[1] if key == "ETag"]
    gzip_, json_ = {"Accept-Encoding": "br, gzip"}, {"Content-Type": "application/json"}
    page, other = {"src": [mug, long, "gs://local/gone.jpg"]}, {"src": [long]}
    return [
        *[((method, f"/?src={mug}"), {}) for method in ("GET", "HEAD", "OPTIONS", "PUT")],
        *[(("GET", path), {}) for path in (f"/?src={mug}&lang=fr", f"/?src={mug}&lang=de", "/x")],
        *[
            (("GET", f"/?src={long}"), more)
            for more in ({}, gzip_, {"Accept-Encoding": "gzip;q=0"})
        ],
        *[(("GET", "/alt.js"), more) for more in ({}, gzip_)],
        *[(("GET", f"/?src={mug}"), {"If-None-Match": each}) for each in (tag, f"W/{tag}", '"x"')],
        *[(("GET", f"/?src={mug}"), {"If-Match": each}) for each in (tag, '"x"')],
        *[(("GET", f"/?src={mug}"), {"Origin": f"https://{each}.example"}) for each in "ab"],
        (("GET", f"/?src={mug}"), {"Range": "bytes=0-3"}),
        *[(("GET", f"/?src={each}"), {}) for each in ("gs://local/gone.jpg", "wrong")],
        *[(("POST", "/", each), json_) for each in (page, other, page | {"lang": "fr"}, b"{")],
        (("POST", "/", page), json_ | gzip_),
        (("POST", "/", page | {"long_description": False}), json_),
        (("POST", "/", page), {"Content-Type": "text/plain"}),
        (("POST", f"/?src={mug}", page), json_),
        (("GET", f"/?src={mug}", b" " * (MOST_BYTES + 1)), {}),
    ]


@pytest.mark.parametrize("origins", ["*", "https://a.example"])
def test_what_is_remembered_is_told_as_if_it_were_asked_for_the_first_time(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch, origins: str
) -> None:
    monkeypatch.setenv("CAPTION_CORS_ORIGINS", origins)
    embedded.restart()
    lookups, store = counting()
    long = "Bar chart: bicycles sold a year. " * 60
    every = questions(keep(), keep("long.jpg", long_description=long))
    first = {
        number: asked(counting()[0], *each, **more) for number, (each, more) in enumerate(every)
    }

    for order in (every, every[::-1], every):
        for each, more in order:
            assert asked(lookups, *each, **more) == first[every.index((each, more))], (each, more)
    keys = [key for read in store.asked for key in read]
    assert len(keys) == len(set(keys))


def test_a_remembered_answer_lasts_no_longer_than_all_that_it_rests_on(
    embedded: Embedded,
) -> None:
    clock = Clock()
    lookups, _ = counting(clock)
    captions = composition.store(composition.settings())
    keep(), keep("later.jpg")

    def alt(src: str) -> str | None:
        status, _, data = asked(lookups, "GET", f"/?src={src}")
        page = {"src": ["gs://local/later.jpg", src]}
        images = asked(lookups, "POST", "/", page, Content_Type="application/json")
        told = json.loads(images[2])["images"][src]
        words = json.loads(data)["alt"] if status == 200 else None
        assert (told and told["alt"]) == words
        return words

    assert alt("gs://local/mug.jpg") == alt("gs://local/mug-300x200.jpg") == MUG.alt_text
    assert alt("gs://local/new.jpg") is None

    keep("mug-300x200.jpg", alt_text="Of its own"), keep("new.jpg")
    stored = captions.read(MUG.id)
    assert stored
    captions.replace(stored, replace(MUG, alt_text="Edited"))
    clock.time += ABSENT_SECONDS - 1
    assert alt("gs://local/mug-300x200.jpg") == MUG.alt_text
    assert alt("gs://local/new.jpg") is None
    clock.time += 2
    assert alt("gs://local/mug-300x200.jpg") == "Of its own"
    assert alt("gs://local/new.jpg") == MUG.alt_text
    clock.time = 1000 + SECONDS - 1
    assert alt("gs://local/mug.jpg") == MUG.alt_text
    clock.time = 1000 + SECONDS
    assert alt("gs://local/mug.jpg") == "Edited"


def test_an_address_that_was_derived_tells_the_original_unless_it_has_words(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPTION_ORIGINS", "https://www.example.com=local")
    embedded.restart()
    keep("mug.jpg"), keep("large/mug.jpg", alt_text="A larger mug")
    keep("gone-300x200.jpg", status="rejected"), keep("gone.jpg", alt_text="Not gone")

    for src, alt in (
        ("https://www.example.com/_next/image?url=%2Fmug.jpg&w=640", MUG.alt_text),
        ("https://wsrv.nl/?url=https%3A%2F%2Fwww.example.com%2Fmug-300x200.webp", MUG.alt_text),
        ("https://www.example.com/large/mug.jpg", "A larger mug"),
        ("https://www.example.com/small/mug.jpg", MUG.alt_text),
        ("https://www.example.com/gone-300x200.jpg", "Not gone"),
    ):
        answer = get(embedded, src)
        assert (answer.json["src"], answer.json["alt"]) == (src, alt)


@pytest.mark.parametrize("kind", FORMS)
def test_whatever_wraps_it_a_bucket_that_is_not_ours_tells_nothing(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv("CAPTION_ORIGINS", ORIGINS)
    monkeypatch.setenv("CAPTION_PUBLIC_BUCKETS", "other")
    embedded.restart()
    keep(NAME, bucket="shop")
    lookups, store = counting()

    for src in FORMS[kind]:
        assert lookups.answer(_get(src)).status_code == 404
    assert store.asked == []


def test_a_stranger_to_the_settings_costs_no_read(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPTION_PUBLIC_BUCKETS", "public")
    lookups, store = counting()

    assert lookups.answer(_get("gs://private/mug.jpg")).status_code == 404
    assert store.asked == []


def test_an_outage_is_said_without_a_traceback(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if isinstance(stack, Cloud):
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:9")
        monkeypatch.setitem(firestore._BOUNDS, "retry", None)
    else:
        assert get(stack, "gs://local/other.jpg").status_code == 404
        with sqlite3.connect(database(tmp_path)) as broken:
            broken.execute("drop table captions")
        broken.close()
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "p")

    answer = get(stack, f"gs://{stack.bucket}/mug.jpg", traceparent=trace)

    assert answer.status_code == 503
    assert answer.json == {"error": "captions are out of reach for the moment; ask again later"}
    assert (answer.headers["Retry-After"], answer.headers["Cache-Control"]) == ("5", "no-store")
    (line,) = stack.log()
    assert (line["severity"], line["reason"]) == ("WARNING", "transient")
    assert line["logging.googleapis.com/trace"].endswith("0af7651916cd43dd8448eb211c80319c")


def test_a_store_that_cannot_be_opened_is_a_setting_to_mend(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".captions" / "captions.db").unlink()
    (tmp_path / ".captions" / "captions.db").mkdir()

    assert get(embedded, "gs://local/mug.jpg").status_code == 503
    assert embedded.client("alt_text").get("/alt.js").status_code == 200
    (line,) = embedded.log()
    assert (line["severity"], line["reason"]) == ("ERROR", "configuration")
    assert "CAPTION_LOCAL" in line["message"]


def test_a_defect_is_logged_and_not_shown(embedded: Embedded) -> None:
    def defect() -> Any:
        raise ZeroDivisionError("inside")

    answer = AltTextEndpoint(composition.settings(), defect).answer(_get("gs://local/mug.jpg"))

    assert (answer.status_code, answer.headers["Content-Type"][:16]) == (500, "application/json")
    assert b"inside" not in answer.data
    (line,) = embedded.log()
    assert line["severity"] == "CRITICAL"
    assert "ZeroDivisionError: inside" in line["message"]


def test_a_start_loads_no_model_no_pictures_and_no_cloud_storage(tmp_path: Path) -> None:
    """The key of a model is not asked for either."""
    listed = subprocess.run(
        [
            sys.executable,
            "-c",
            "import functions_framework, sys; "
            "client = functions_framework.create_app('alt_text', 'main.py').test_client(); "
            "assert client.get('/?src=gs://local/a.jpg').status_code == 404; "
            "print(*sys.modules, sep='\\n')",
        ],
        cwd=ROOT,
        env={"CAPTION_LOCAL": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(listed.stdout.split())
    assert "functions.http.alt_text" in loaded
    strangers = ("google.genai", "google.cloud.storage", "PIL", "openai", "anthropic")
    ours = ("pictures", "quality", "model.client", "usecases.caption_image", "adapters.gemini")
    assert not loaded & {*strangers, *(f"functions.{name}" for name in ours)}


def _get_query(query: str) -> Request:
    return Request(EnvironBuilder("/").get_environ() | {"QUERY_STRING": query})


def _get(src: str) -> Request:
    return Request.from_values("/", query_string={"src": src})


def _post(body: Any) -> Request:
    return Request.from_values(
        "/", method="POST", data=json.dumps(body), content_type="application/json"
    )


def test_an_instance_reads_so_many_documents_a_day_and_tells_what_it_remembers(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    mug = keep()
    monkeypatch.setenv("CAPTION_LOOKUP_DAILY_LIMIT", "20")
    embedded.restart()

    assert get(embedded, mug).status_code == 200
    refused = post(embedded, {"src": [f"gs://local/{number}" for number in range(100)]})
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 86_400
    assert "CAPTION_LOOKUP_DAILY_LIMIT" in refused.json["error"]
    assert get(embedded, mug).status_code == 200, "it is remembered, and costs nothing"

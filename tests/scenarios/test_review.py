"""The HTTP side of the review page: who may ask what, and what they are told."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import google.auth
import pytest
from google.auth import compute_engine, credentials
from google.cloud import storage
from google.cloud.storage import _signing
from google.oauth2 import service_account

from functions.adapters.gallery import SignedAddresses
from functions.core.document import document_id
from functions.core.errors import ConfigurationError
from tests.support.answers import gemini
from tests.support.documents import plain_document
from tests.support.emulators import PubSubEmulator, request
from tests.support.pictures import jpeg, png
from tests.support.stack import Cloud, Embedded, Stack, environment

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def key(stack: Stack, name: str) -> str:
    return document_id(stack.bucket, name)


def get(stack: Stack, path: str) -> Any:
    return stack.client("review").get(path)


def patch(stack: Stack, name: str, change: dict[str, Any], **headers: str) -> Any:
    sent = {"If-Match": "*"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return stack.client("review").patch(f"/captions/{key(stack, name)}", json=change, headers=sent)


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [each["name"] for each in answer.json["captions"]]


@pytest.fixture
def mug(stack: Stack) -> Stack:
    """A captioned image, ``a.jpg``."""
    stack.model.answer(gemini.good(alt_text="A red mug", tags=["mug"]))
    assert stack.deliver(stack.put("a.jpg", jpeg())) == 200
    return stack


def test_the_page_and_what_it_needs_come_from_here_and_nowhere_else(embedded: Embedded) -> None:
    page = get(embedded, "/")
    assert page.content_type == "text/html; charset=utf-8"
    assert "data-uploads" not in page.text.split("<body", 1)[1][:20]
    for reference in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        answer = get(embedded, f"/{reference}")
        assert answer.status_code == 200
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_captions_are_listed_by_what_is_known_of_them(mug: Stack) -> None:
    mug.model.answer(gemini.good(alt_text="A green bowl", tags=["bowl"]))
    mug.deliver(mug.put("sub/b.jpg", jpeg(2)))
    mug.deliver(mug.put("c.jpg", b"\xff\xd8\xff broken"))
    patch(mug, "a.jpg", {"alt_text": "A blue mug", "language": "en-GB"})

    assert sorted(names(get(mug, "/captions"))) == ["a.jpg", "c.jpg", "sub/b.jpg"]
    for query, found in (
        ("status=rejected", ["c.jpg"]),
        ("tag=Bowl", ["sub/b.jpg"]),
        ("q=BLUE", ["a.jpg"]),
        ("prefix=sub/", ["sub/b.jpg"]),
        ("language=en-gb", ["a.jpg"]),
        (f"bucket={mug.bucket}&status=captioned&q=green", ["sub/b.jpg"]),
        ("bucket=elsewhere", []),
    ):
        assert names(get(mug, f"/captions?{query}")) == found, query
    assert get(mug, "/captions/").status_code == 404


def test_pages_follow_each_other_to_the_end(stack: Stack) -> None:
    for number in range(3):
        stack.deliver(stack.put(f"{number}.jpg", jpeg(number)))
    found, cursor = [], ""
    while True:
        answer = get(stack, f"/captions?limit=2&cursor={cursor}")
        found += names(answer)
        cursor = answer.json["next"]
        if cursor is None:
            break
    assert found == ["2.jpg", "1.jpg", "0.jpg"]


def test_what_is_to_be_reviewed_is_sorted_by_what_needs_a_person_most(stack: Stack) -> None:
    for name, alt_text in (("age.jpg", "A 35-year-old woman"), ("loud.jpg", "A RED MUG IN RAIN")):
        stack.model.always(gemini.good(alt_text=alt_text, caption=alt_text))
        assert stack.deliver(stack.put(name, jpeg(len(name)))) == 200

    most, newest = ["age.jpg", "loud.jpg"], ["loud.jpg", "age.jpg"]
    assert names(get(stack, "/captions")) == newest
    assert names(get(stack, "/captions?review=needed")) == most
    assert names(get(stack, "/captions?order=priority")) == most
    assert names(get(stack, "/captions?review=needed&order=newest")) == newest
    first = get(stack, "/captions?review=needed&limit=1")
    assert names(get(stack, f"/captions?review=needed&cursor={first.json['next']}")) == newest[:1]
    answer = get(stack, f"/captions?review=needed&order=newest&cursor={first.json['next']}")
    assert answer.status_code == 400
    assert get(stack, "/search?q=red+woman&review=needed").status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "status=done",
        "review=yes",
        "limit=0",
        "limit=1e3",
        "limit=101",
        "language=klingon!",
        "q=!?",
        "order=age",
    ],
)
def test_a_parameter_that_means_nothing_is_named(query: str, embedded: Embedded) -> None:
    answer = get(embedded, f"/captions?{query}")
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.json["error"]


def test_a_search_by_words_says_so_and_ranks_by_their_number(
    mug: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPTION_EMBEDDING_MODEL", "")
    mug.restart()
    mug.deliver(mug.put("b.jpg", jpeg(2)))
    patch(mug, "a.jpg", {"alt_text": "A zebra and an okapi"})
    patch(mug, "b.jpg", {"alt_text": "A zebra"})
    answer = get(mug, "/search?q=zebra+okapi")
    assert names(answer) == ["a.jpg", "b.jpg"]
    assert answer.json["by"] == "words"
    assert names(get(mug, "/search?q=zebra+okapi&limit=1")) == ["a.jpg"]
    assert get(mug, "/search?q=").status_code == 400


def test_a_search_by_meaning_finds_what_lies_near_or_goes_by_words(mug: Stack) -> None:
    mug.model.answer(gemini.good(alt_text="A zebra"))
    mug.deliver(mug.put("b.jpg", jpeg(2)))
    answer = get(mug, "/search?q=zebra")
    assert (names(answer), answer.json["by"]) == (["b.jpg", "a.jpg"], "meaning")

    mug.model.embed(gemini.ERRORS["overloaded"])
    answer = get(mug, "/search?q=zebra")
    assert (names(answer), answer.json["by"]) == (["b.jpg"], "words")


def test_a_caption_tells_all_but_what_is_of_no_use(mug: Stack) -> None:
    answer = get(mug, f"/captions/{key(mug, 'a.jpg')}")
    caption = answer.json
    document = mug.document("a.jpg")
    assert document
    assert (caption["alt_text"], caption["generation"]) == ("A red mug", document["generation"])
    assert answer.headers["ETag"] == f'"{caption["version"]}"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert caption["image"].endswith(f"generation={document['generation']}")
    assert not {"embedding", "search_terms", "lease"} & caption.keys()
    assert get(mug, f"/captions/{'0' * 64}").status_code == 404


def test_an_edit_goes_by_the_version_that_was_seen(mug: Stack) -> None:
    seen = get(mug, f"/captions/{key(mug, 'a.jpg')}").headers["ETag"]
    saved = patch(mug, "a.jpg", {"alt_text": "A blue mug"}, If_Match=seen)
    assert (saved.status_code, saved.json["source"]) == (200, "human")
    assert mug.metadata("a.jpg")["alt-text"] == "A blue mug"

    stale = patch(mug, "a.jpg", {"alt_text": "A green mug"}, If_Match=seen)
    assert (stale.status_code, stale.json["alt_text"]) == (412, "A blue mug")
    assert "somebody has changed" in stale.json["error"]
    again = patch(mug, "a.jpg", {"alt_text": "A green mug"}, If_Match=stale.headers["ETag"])
    assert (again.status_code, again.json["alt_text"]) == (200, "A green mug")


def test_an_edit_without_a_version_is_refused(mug: Stack) -> None:
    path = f"/captions/{key(mug, 'a.jpg')}"
    answer = mug.client("review").patch(path, json={"alt_text": "A blue mug"})
    assert answer.status_code == 428
    assert "If-Match" in answer.json["error"]


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"alt_text": ""}, 422, "mark the image as decorative"),
        ({"alt_text": 7}, 400, "alt_text is not a str"),
        ({"decorative": "yes"}, 400, "decorative is not a bool"),
        ({"source": "model"}, 400, "'source' cannot be changed"),
        ([1], 400, "not a JSON object"),
    ],
)
def test_a_change_that_cannot_be_is_explained(
    change: Any, status: int, said: str, embedded: Embedded
) -> None:
    embedded.deliver(embedded.put("a.jpg", jpeg()))
    before = embedded.document("a.jpg")
    answer = patch(embedded, "a.jpg", change)
    assert (answer.status_code, said in answer.json["error"]) == (status, True), answer.json
    assert embedded.document("a.jpg") == before


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "http://localhost"}, 200),
        ({}, 200),
    ],
)
def test_another_websites_page_changes_nothing(
    headers: dict[str, str], status: int, embedded: Embedded
) -> None:
    embedded.deliver(embedded.put("a.jpg", jpeg()))
    sent = {"If-Match": "*", "Content-Type": "application/json"} | headers
    path, body = f"/captions/{key(embedded, 'a.jpg')}", json.dumps({"alt_text": "Mine"})
    answer = embedded.client("review").patch(path, data=body, headers=sent)

    assert answer.status_code == status
    document = embedded.document("a.jpg")
    assert document
    assert (document["alt_text"] == "Mine") == (status == 200)
    if status == 403:
        asked = embedded.client("review").post(f"{path}/recaption", data="{}", headers=sent)
        assert asked.status_code == status
        assert embedded.model.count == 1


def test_who_approves_is_who_the_proxy_says(mug: Stack) -> None:
    local = isinstance(mug, Embedded)
    approved = patch(mug, "a.jpg", {"approve": True}).json
    assert approved["review"]["approved_by"] == ("local" if local else "unknown")

    name = "accounts.google.com:ana@example.com"
    approved = patch(mug, "a.jpg", {"approve": True}, X_Goog_Authenticated_User_Email=name).json
    assert approved["review"]["approved_by"] == "ana@example.com"
    assert approved["source"] == "model"


def test_in_a_folder_an_image_is_captioned_anew_here_and_now(embedded: Embedded) -> None:
    embedded.deliver(embedded.put("a.jpg", jpeg()))
    embedded.model.answer(gemini.good(alt_text="A red mug on a shelf"))
    path = f"/captions/{key(embedded, 'a.jpg')}/recaption"
    answer = embedded.client("review").post(path)

    assert (answer.status_code, answer.json["alt_text"]) == (202, "A red mug on a shelf")
    embedded.model.answer(gemini.ERRORS["overloaded"])
    failed = embedded.client("review").post(path, json={})
    assert failed.status_code == 503
    assert "503" in failed.json["error"]


def test_in_the_cloud_another_caption_is_a_message_that_caption_request_answers(
    cloud: Cloud, pubsub_emulator: PubSubEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.deliver(cloud.put("a.jpg", jpeg()))
    patch(cloud, "a.jpg", {"alt_text": "My mug"})
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub_emulator.host)
    topic = pubsub_emulator.create_topic("caption-requests")
    pulling = f"{pubsub_emulator.url}/v1/{topic.replace('/topics/', '/subscriptions/')}"
    request(pulling, "PUT", {"topic": topic})
    path = f"/captions/{key(cloud, 'a.jpg')}/recaption"
    assert cloud.client("review").post(path, json={}).status_code == 202

    (received,) = request(f"{pulling}:pull", "POST", {"maxMessages": 9})["receivedMessages"]
    cloud.model.answer(gemini.good(alt_text="A proposal"))
    kind = "google.cloud.pubsub.topic.v1.messagePublished"
    assert cloud.deliver({"message": received["message"]}, kind, "caption_request") == 200
    document = cloud.document("a.jpg")
    assert document
    assert (document["alt_text"], document["proposal"]["alt_text"]) == ("My mug", "A proposal")


def test_a_topic_that_is_missing_is_named_with_the_remedy(
    cloud: Cloud, pubsub_emulator: PubSubEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.deliver(cloud.put("a.jpg", jpeg()))
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub_emulator.host)
    monkeypatch.setenv("CAPTION_REQUEST_TOPIC", "nowhere")
    cloud.restart()
    path = f"/captions/{key(cloud, 'a.jpg')}/recaption"
    answer = cloud.client("review").post(path, json={})
    assert answer.status_code == 503
    assert "CAPTION_REQUEST_TOPIC" in answer.json["error"]


def test_only_images_that_have_a_document_are_shown(embedded: Embedded, tmp_path: Path) -> None:
    embedded.deliver(embedded.put("a.png", png()))
    (tmp_path / "secret.png").write_bytes(png(3))
    image = get(embedded, f"/captions/{key(embedded, 'a.png')}/image")

    assert (image.content_type, image.data) == ("image/png", png())
    assert image.headers["X-Content-Type-Options"] == "nosniff"
    assert image.headers["Content-Security-Policy"].endswith("sandbox")
    assert get(embedded, f"/captions/{key(embedded, 'secret.png')}/image").status_code == 404
    embedded.put("a.png", png(9))
    assert get(embedded, f"/captions/{key(embedded, 'a.png')}/image").status_code == 404


def test_an_svg_is_never_a_document_of_its_own(embedded: Embedded) -> None:
    embedded.deliver(embedded.put("a.svg", SVG, "image/svg+xml"))
    image = get(embedded, f"/captions/{key(embedded, 'a.svg')}/image")
    assert image.content_type == "image/svg+xml"
    assert image.headers["Content-Disposition"] == "attachment"
    assert "sandbox" in image.headers["Content-Security-Policy"]


def test_what_is_no_image_is_not_shown(embedded: Embedded) -> None:
    embedded.deliver(embedded.put("a.jpg", b"<script>alert(1)</script>"))
    answer = get(embedded, f"/captions/{key(embedded, 'a.jpg')}/image")
    assert (answer.status_code, answer.is_json) == (404, True)


def test_in_the_cloud_an_image_is_shown_by_an_address_of_its_own(cloud: Cloud) -> None:
    cloud.deliver(cloud.put("sub/ä b.jpg", jpeg()))
    answer = get(cloud, f"/captions/{key(cloud, 'sub/ä b.jpg')}/image")
    assert answer.status_code == 302
    assert answer.headers["Cache-Control"] == "private, max-age=600"
    address = urlsplit(answer.headers["Location"])
    origin = f"{address.scheme}://{address.netloc}"
    assert origin == cloud.storage.url
    assert origin in get(cloud, "/").headers["Content-Security-Policy"]


MADE = datetime(2026, 11, 23, tzinfo=UTC)
DOCUMENT = plain_document("a b.jpg", at=datetime.now(UTC), generation=7)


def signed(client: storage.Client) -> dict[str, str]:
    address = urlsplit(SignedAddresses(client).show(DOCUMENT))
    assert (address.scheme, address.netloc) == ("https", "storage.googleapis.com")
    assert address.path == "/shop/a%20b.jpg"
    return {name: value[0] for name, value in parse_qs(address.query).items()}


def test_an_address_is_signed_with_a_key_for_a_quarter_of_an_hour() -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    made = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    info = {"client_email": "r@p.iam", "token_uri": "http://127.0.0.1:9", "private_key": made}
    key = service_account.Credentials.from_service_account_info(info)
    with storage.Client("p", key) as client:
        query = signed(client)
    assert query["X-Goog-Algorithm"] == "GOOG4-RSA-SHA256"
    assert (query["X-Goog-Expires"], query["generation"]) == ("900", "7")
    assert query["X-Goog-Credential"].startswith("r@p.iam/")


def instance() -> compute_engine.Credentials:
    """Those of a function: a token for storage, and no key."""
    return compute_engine.Credentials("default", universe_domain="googleapis.com")


def test_an_instance_has_its_addresses_signed_by_iam(monkeypatch: pytest.MonkeyPatch) -> None:
    def sign(text: str, token: str, account: str, domain: str) -> str:
        assert (token, account) == ("cloud-token", "r@p.iam")
        return "c2lnbmVk"

    token = compute_engine.Credentials("r@p.iam")
    token.token = "cloud-token"  # noqa: S105
    monkeypatch.setattr(google.auth, "default", lambda scopes: (token, "p"))
    monkeypatch.setattr(_signing, "_sign_message", sign)
    with storage.Client("p", instance()) as client:
        assert signed(client)["X-Goog-Signature"] == b"signed".hex()


def test_who_may_not_sign_is_told_what_to_grant(monkeypatch: pytest.MonkeyPatch) -> None:
    person = credentials.AnonymousCredentials()
    monkeypatch.setattr(google.auth, "default", lambda scopes: (person, "p"))
    with (
        storage.Client("p", instance()) as client,
        pytest.raises(ConfigurationError, match="grant its service account"),
    ):
        signed(client)


def test_a_bucket_out_of_reach_is_told_with_the_caption_that_was_saved(cloud: Cloud) -> None:
    cloud.deliver(cloud.put("a.jpg", jpeg()))
    cloud.storage.fail("PATCH", "a.jpg", 403)
    answer = patch(cloud, "a.jpg", {"alt_text": "My mug"})
    assert (answer.status_code, answer.json["metadata_synced"]) == (200, False)
    assert "storage.objects.update" in answer.json["unlabelled"]


def test_the_page_starts_without_a_models_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import functions_framework

    from tests.support.stack import MAIN

    with environment(monkeypatch, {"CAPTION_LOCAL": str(tmp_path)}):
        app = functions_framework.create_app("review", str(MAIN)).test_client()
        assert app.get("/captions").json == {"captions": [], "next": None}
        assert app.get("/nothing").status_code == 404
        assert app.delete("/captions").status_code == 405
        assert app.delete("/captions").headers["Allow"]


@pytest.mark.parametrize("path", ["/captions", "/search"])
@pytest.mark.parametrize(
    "asked",
    [
        {"cursor": "abc"},
        {"cursor": base64.urlsafe_b64encode(b"[" * 100_000).decode()},
        {"cursor": base64.urlsafe_b64encode(b'["2026-01-01T00:00:00+00:00",{},"x"]').decode()},
        {"cursor": base64.urlsafe_b64encode(b'["0001-01-01T00:00:00+23:59","a","b"]').decode()},
        {"cursor": base64.urlsafe_b64encode(b"9" * 6000).decode()},
        {"limit": "9" * 5000},
        {"limit": "\u0663"},
    ],
    ids=lambda asked: str(asked)[:30],
)
def test_what_no_page_has_given_is_no_defect(
    embedded: Embedded, path: str, asked: dict[str, str]
) -> None:
    answer = embedded.client("review").get(path, query_string={"q": "mug", **asked})
    assert answer.status_code == (200 if path == "/search" and "cursor" in asked else 400)
    assert embedded.log() == []

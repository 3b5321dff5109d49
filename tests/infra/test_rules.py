"""What a website may read and write by infra/firestore.rules, asked by REST as its SDK asks."""

from __future__ import annotations

import base64
import json
import re
import urllib.error
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.cloud.firestore_v1.types import StructuredQuery

from functions.core.document import Renewal, Review, Status
from functions.core.document_records import to_record
from functions.core.public_text import published
from tests.docs.test_queries import snippet
from tests.infra.firestore_indexes import Indexes
from tests.support import emulators
from tests.support.documents import plain_document

ROOT = Path(__file__).parents[2]
OWNER = "owner"
DENIED = 403
GOOD = [("status", "captioned"), ("review.needed", False)]
DOCUMENTS: dict[str, dict[str, Any]] = {
    "captions/shown": {
        "status": "captioned",
        "review": {"needed": False},
        "alt_text": "A mug",
        "name": "mug.jpg",
        "tags": ["mug"],
        "updated_at": datetime(2026, 11, 23, tzinfo=UTC),
    },
    "captions/doubtful": {"status": "captioned", "review": {"needed": True}},
    "captions/failed": {"status": "failed", "review": {"needed": False}},
    "captions/pending": {"status": "pending"},
    "captions/bare": {"status": "captioned"},
    "captions/shown/notes/1": {"status": "captioned", "review": {"needed": False}},
    "captions-days/2026-11-23": {"status": "captioned", "review": {"needed": False}},
    "users/1": {"status": "captioned", "review": {"needed": False}},
}


def _jwt(uid: str) -> str:
    """A token of somebody who has signed in; the emulator takes it unsigned."""
    claims = {"sub": uid, "user_id": uid, "iat": 0, "aud": emulators.PROJECT}
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    texts = (base64.urlsafe_b64encode(json.dumps(part).encode()) for part in parts)
    return ".".join(text.decode().rstrip("=") for text in texts) + "."


@dataclass(frozen=True)
class Website:
    """Somebody's requests; ``token`` is empty for whoever has not signed in."""

    url: str
    token: str = ""

    def ask(self, path: str, method: str = "GET", body: Mapping[str, Any] | None = None) -> Any:
        """The answer, or the status of the refusal."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            return emulators.request(f"{self.url}{path}", method, body, headers)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code

    def query(self, query: Mapping[str, Any]) -> Any:
        """The IDs that a structured query finds, or the status of the refusal."""
        answer = self.ask(":runQuery", "POST", {"structuredQuery": query})
        if isinstance(answer, int):
            return answer
        return [
            each["document"]["name"].rpartition("/")[2] for each in answer if "document" in each
        ]

    def where(self, *equal: tuple[str, Any], collection: str = "captions") -> Any:
        """As :meth:`query`, for documents whose fields equal these values."""
        filters = [
            {"fieldFilter": {"field": {"fieldPath": name}, "op": "EQUAL", "value": _value(value)}}
            for name, value in equal
        ]
        where = {"where": {"compositeFilter": {"op": "AND", "filters": filters}}} if filters else {}
        return self.query({"from": [{"collectionId": collection}], **where})


@pytest.fixture(scope="module")
def documents(firestore_emulator: emulators.FirestoreEmulator) -> Iterator[str]:
    """The address of a database that holds DOCUMENTS."""
    server, database = firestore_emulator, "rules"
    url = f"{server.url}/v1/projects/{emulators.PROJECT}/databases/{database}/documents"
    owner = Website(url, OWNER)
    for path, fields in DOCUMENTS.items():
        assert not isinstance(owner.ask(f"/{path}", "PATCH", _fields(fields)), int)
    yield url
    server.reset(database=database)


@pytest.fixture(params=["not signed in", "signed in"])
def website(request: pytest.FixtureRequest, documents: str) -> Website:
    return Website(documents, _jwt("somebody") if request.param == "signed in" else "")


def test_a_caption_that_nobody_has_to_look_at_is_read(website: Website) -> None:
    read = website.ask("/captions/shown")

    assert read["fields"]["alt_text"] == {"stringValue": "A mug"}


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if path != "captions/shown"])
def test_nothing_else_is_read(website: Website, path: str) -> None:
    assert website.ask(f"/{path}") == DENIED


def test_what_does_not_exist_is_not_told_apart(website: Website) -> None:
    assert website.ask("/captions/absent") == DENIED


def test_a_query_that_says_what_the_rule_asks_for_is_answered(website: Website) -> None:
    assert website.where(*GOOD) == ["shown"]
    assert website.where(*GOOD, ("alt_text", "A mug")) == ["shown"]
    assert website.where(*GOOD, ("alt_text", "None")) == []


@pytest.mark.parametrize(
    "equal",
    [
        [],
        GOOD[:1],
        GOOD[1:],
        [("status", "failed"), GOOD[1]],
        [GOOD[0], ("review.needed", True)],
        [("alt_text", "A mug")],
    ],
)
def test_a_query_that_does_not_is_refused_whatever_it_would_find(
    website: Website, equal: list[tuple[str, Any]]
) -> None:
    assert website.where(*equal) == DENIED


def test_the_whole_collection_is_not_listed(website: Website) -> None:
    assert website.ask("/captions") == DENIED


@pytest.mark.parametrize("collection", ["captions-days", "users", "notes"])
def test_other_collections_are_closed(website: Website, collection: str) -> None:
    assert website.where(*GOOD, collection=collection) == DENIED
    assert website.ask(f"/{collection}") == DENIED


@pytest.mark.parametrize("path", [*DOCUMENTS, "captions/new", "elsewhere/new"])
def test_nobody_writes(website: Website, path: str) -> None:
    assert website.ask(f"/{path}", "PATCH", _fields(DOCUMENTS["captions/shown"])) == DENIED
    assert website.ask(f"/{path}", "DELETE") == DENIED


def test_nobody_creates(website: Website) -> None:
    new = _fields(DOCUMENTS["captions/shown"])
    assert website.ask("/captions?documentId=new", "POST", new) == DENIED
    assert website.ask("/captions", "POST", new) == DENIED


@pytest.mark.parametrize("needed", [True, False])
@pytest.mark.parametrize("status", list(Status))
def test_the_rules_let_through_what_the_package_says_is_published(
    website: Website, documents: str, status: Status, needed: bool
) -> None:
    now, path = datetime(2026, 11, 23, tzinfo=UTC), f"/captions/{status}-{needed}"
    document = plain_document(
        "n",
        at=now,
        bucket="b",
        status=status,
        alt_text="A mug",
        review=Review(needed),
        renewal=Renewal(now, forced=True),
    )
    fields = {k: v for k, v in to_record(document).items() if isinstance(v, (str, bool, dict))}
    fields["usage"] = {}
    owner = Website(documents, OWNER)
    assert not isinstance(owner.ask(path, "PATCH", _fields(_without_nulls(fields))), int)

    assert (website.ask(path) != DENIED) is published(document, withhold=True)
    owner.ask(path, "DELETE")


def _without_nulls(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _without_nulls(value) if isinstance(value, dict) else value
        for key, value in fields.items()
        if value is not None
    }


def test_a_service_account_is_not_bound(documents: str) -> None:
    owner = Website(documents, OWNER)

    assert sorted(owner.where()) == ["bare", "doubtful", "failed", "pending", "shown"]
    assert owner.ask("/captions/doubtful")["fields"]["review"]


def test_the_query_for_websites_in_readme_passes_and_has_its_index(website: Website) -> None:
    query = _written_in_js(snippet("js").partition("// An image")[0])
    assert website.query(query) == ["shown"]

    indexes = Indexes.load(ROOT / "infra" / "firestore.indexes.json")
    assert not indexes.fault(StructuredQuery.from_json(json.dumps(query)))


def _written_in_js(code: str) -> dict[str, Any]:
    """The structured query that the SDK makes of ``where`` and ``orderBy``."""
    operators = {"==": "EQUAL", "array-contains": "ARRAY_CONTAINS"}
    wheres = re.findall(r'where\("([\w.]+)", "(.+?)", (.+?)\)', code)
    orders = re.findall(r'orderBy\("([\w.]+)", "desc"\)', code)
    assert wheres
    assert orders
    return {
        "from": [{"collectionId": "captions"}],
        "where": {
            "compositeFilter": {
                "op": "AND",
                "filters": [
                    {
                        "fieldFilter": {
                            "field": {"fieldPath": name},
                            "op": operators[operator],
                            "value": _value(json.loads(value)),
                        }
                    }
                    for name, operator, value in wheres
                ],
            }
        },
        "orderBy": [{"field": {"fieldPath": name}, "direction": "DESCENDING"} for name in orders],
    }


def _fields(values: Mapping[str, Any]) -> dict[str, Any]:
    return {"fields": {name: _value(value) for name, value in values.items()}}


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"booleanValue": value}
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, datetime):
        return {"timestampValue": value.isoformat()}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(each) for each in value]}}
    return {"mapValue": _fields(value)}

"""The queries that docs/queries.md shows are run as they stand there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.cloud import firestore

from functions.adapters.firestore import FirestoreCaptions
from functions.core.document import Review, Source, Status
from tests.conftest import installed
from tests.infra.firestore_indexes import Indexes
from tests.support import emulators
from tests.support.documentation import page
from tests.support.documents import plain_document
from tests.support.meanings import vector
from tests.support.model_server import ModelServer
from tests.support.recorded_firestore import recorded_firestore

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 23, tzinfo=UTC)
PATIENCE = 40  # seconds
BROWSER_LIBRARIES = ROOT / "tests" / "browser" / "node_modules"
PLAIN = plain_document("x", at=NOW, bucket="b")
DOCUMENTS = {
    "doubtful": replace(PLAIN, name="a", review=Review(True)),
    "kitchen": replace(PLAIN, name="b", tags=("kitchen",), source=Source.HUMAN),
    "kettles": replace(PLAIN, name="c", search_terms=("blue", "mug")),
    "shop": replace(PLAIN, name="shop/d"),
    "alike": replace(PLAIN, name="e", embedding=tuple(vector("a blue kettle"))),
    "": replace(PLAIN, name="shopping"),
}


def snippet(language: str) -> str:
    """The code in this language in docs/queries.md."""
    section = page("queries")
    found = re.search(rf"```{language}\n(.*?)```", section, re.S)
    assert found
    return found[1]


@pytest.fixture
def collection(firestore_emulator: object) -> Iterator[str]:
    name = f"captions-{uuid.uuid4().hex}"
    with closing(firestore.Client()) as client:
        store = FirestoreCaptions(client, name)
        for document in DOCUMENTS.values():
            store.create(document)
        yield name


@pytest.fixture
def gemini_key(model_server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "k")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", model_server.url)


def run_python(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102
    return names


@pytest.mark.usefixtures("gemini_key")
def test_each_query_in_python_finds_what_it_says(collection: str) -> None:
    names = run_python(snippet("python").replace('"captions"', repr(collection)))

    for name, document in DOCUMENTS.items():
        if name:
            assert [each.get("name") for each in names[name]] == [document.name], name


@pytest.mark.usefixtures("gemini_key")
def test_each_query_in_python_has_its_index(monkeypatch: pytest.MonkeyPatch) -> None:
    indexes = Indexes.load(ROOT / "infra" / "firestore.indexes.json")
    with recorded_firestore() as recorded:
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", recorded.host)
        monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "captions-test")
        run_python(snippet("python"))["captions"]._client.close()

    assert [indexes.fault(each) for each in recorded.queries] == [""] * (len(DOCUMENTS) - 1)


@pytest.fixture
def guarded(
    firestore_emulator: emulators.FirestoreEmulator,
) -> Iterator[tuple[emulators.FirestoreEmulator, FirestoreCaptions]]:
    """The emulator, which keeps the rules, and the store behind them."""
    with closing(firestore.Client(project="my-project")) as client:
        yield firestore_emulator, FirestoreCaptions(client, "captions")


@contextmanager
def web_sdk() -> Iterator[Path]:
    """What `make browser-libraries` installs."""
    if not (BROWSER_LIBRARIES / "@firebase").is_dir():
        raise emulators.Missing("Firestore's web SDK", "run `make browser-libraries`")
    yield BROWSER_LIBRARIES


def test_the_page_in_javascript_reads_and_waits_as_it_says(
    guarded: tuple[emulators.FirestoreEmulator, FirestoreCaptions], tmp_path: Path
) -> None:
    server, store = guarded
    mug = replace(PLAIN, bucket="my-bucket", name="old.jpg", alt_text="An old mug", tags=("mug",))
    store.create(mug)
    pending = replace(mug, name="mug.jpg", status=Status.PENDING, alt_text="")
    waiting = store.create(pending)
    assert waiting
    script = tmp_path / "page.mjs"
    script.write_text(snippet("js"), "utf-8")
    (tmp_path / "node_modules").mkdir()
    with installed(web_sdk()) as libraries:
        for each in libraries.iterdir():
            (tmp_path / "node_modules" / each.name).symlink_to(each)
    package = tmp_path / "node_modules" / "firebase"
    for part in ("app", "firestore"):  # as the package `firebase` does it
        (package / part).mkdir(parents=True)
        (package / part / "index.mjs").write_text(f'export * from "@firebase/{part}";')
    exports = {f"./{part}": f"./{part}/index.mjs" for part in ("app", "firestore")}
    (package / "package.json").write_text(json.dumps({"name": "firebase", "exports": exports}))
    hosts = {"emulatorHosts": {"firestore": server.host}}
    environment = {"PATH": os.environ["PATH"], "__FIREBASE_DEFAULTS__": json.dumps(hosts)}
    captioned = replace(pending, status=Status.CAPTIONED, alt_text="A new mug")
    told: list[str] = []
    for _ in range(3):  # the emulator leaves a listener that begins amid a write alone, at times
        page = subprocess.Popen(
            ["node", str(script)], env=environment, stdout=subprocess.PIPE, text=True
        )
        assert page.stdout
        end = threading.Timer(PATIENCE, page.kill)
        end.start()
        told = [page.stdout.readline()]
        waiting = store.replace(waiting, captioned)
        told.append(page.stdout.readline())
        end.cancel()
        page.kill()
        page.wait()
        page.stdout.close()
        if all(told):
            break
        waiting = store.replace(waiting, pending)
    assert told == ["old.jpg An old mug\n", "now: A new mug\n"]

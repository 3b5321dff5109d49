"""The servers start, answer their real clients and end with the tests."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from google.api_core.exceptions import AlreadyExists
from google.cloud import firestore

from tests.conftest import installed
from tests.support import emulators
from tests.support.waiting import until


@pytest.fixture
def documents(firestore_emulator):
    client = firestore.Client()
    yield client.collection("facts")
    client.close()
    firestore_emulator.reset()


def test_the_firestore_emulator_creates_a_document_once(documents):
    documents.document("one").create({"n": 1})
    with pytest.raises(AlreadyExists):
        documents.document("one").create({"n": 2})


def test_a_reset_removes_all_documents(documents, firestore_emulator):
    documents.document("one").set({"n": 1})
    firestore_emulator.reset()
    assert not documents.document("one").get().exists


def test_the_storage_emulator_keeps_objects(storage_emulator):
    with storage_emulator.client() as client:
        blob = client.create_bucket("keeps-objects").blob("päth/ä.txt")
        blob.upload_from_string(b"text", content_type="text/plain")
        assert client.bucket("keeps-objects").get_blob("päth/ä.txt").download_as_bytes() == b"text"


def test_notifications_reach_a_push_endpoint(pubsub_emulator):
    pubsub_emulator.create_topic("uploads")
    with _Inbox() as inbox, emulators.storage(notify=pubsub_emulator, topic="uploads") as storage:
        pubsub_emulator.push("uploads", inbox.url)
        with storage.client() as client:
            client.create_bucket("notifies").blob("a.txt").upload_from_string(b"text")
        message = inbox.first()["message"]
    assert message["attributes"]["eventType"] == "OBJECT_FINALIZE"
    assert json.loads(base64.b64decode(message["data"]))["name"] == "a.txt"


def test_a_shared_server_is_started_once_and_ends_after_its_last_user(tmp_path):
    with ExitStack() as first, ExitStack() as second:
        server, same = (
            users.enter_context(
                emulators.shared(tmp_path, "it", emulators.StorageEmulator, emulators.storage())
            )
            for users in (first, second)
        )
        assert server == same
        ending = threading.Thread(target=first.close)
        ending.start()
        with same.client() as client:
            client.create_bucket("is-there")
        assert ending.is_alive()
        second.close()
        ending.join()
    assert not _is_running(server.pid)


def test_a_missing_piece_names_its_remedy(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with (
        pytest.raises(emulators.Missing, match="gcloud components install pubsub-emulator"),
        emulators.pubsub(),
    ):
        pass


@contextmanager
def not_installed():
    raise emulators.Missing("Java", "install Java 17")
    yield


def test_a_test_whose_piece_is_missing_is_skipped(monkeypatch):
    monkeypatch.delenv("CAPTION_TESTS_STRICT", raising=False)
    with pytest.raises(pytest.skip.Exception, match="install Java 17"), installed(not_installed()):
        pass


def test_at_the_gate_it_fails(monkeypatch):
    monkeypatch.setenv("CAPTION_TESTS_STRICT", "1")
    with pytest.raises(pytest.fail.Exception, match="install Java 17"), installed(not_installed()):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
@pytest.mark.parametrize("started", ["emulators.storage()", "serving.serving('alt_text', LOCAL)"])
def test_a_server_ends_when_the_test_run_is_killed(started, tmp_path):
    script = (
        "from tests.support import emulators, serving\n"
        f"LOCAL = {{'CAPTION_LOCAL': {str(tmp_path)!r}, 'CAPTION_MODEL': 'offline'}}\n"
        f"with {started} as server:\n"
        "    print(getattr(server, 'process', server).pid, flush=True)\n"
        "    input()\n"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        pid = int(run.stdout.readline())
        run.send_signal(signal.SIGKILL)
        run.wait()
    until(lambda: not _is_running(pid), "the end of a server with the run that started it")


def _is_running(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class _Inbox:
    """An HTTP endpoint that keeps what is posted to it."""

    def __init__(self) -> None:
        arrived = self._arrived = threading.Event()
        bodies = self._bodies = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                length = int(self.headers["Content-Length"])
                bodies.append(json.loads(self.rfile.read(length)))
                self.send_response(204)
                self.end_headers()
                arrived.set()

            def log_message(self, *args):
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def first(self):
        assert self._arrived.wait(60), "no push arrived"
        return self._bodies[0]

    def __enter__(self):
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

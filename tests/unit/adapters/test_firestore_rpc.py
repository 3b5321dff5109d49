"""Firestore's own messages, and the calls that carry them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from google.api_core.exceptions import NotFound, ServiceUnavailable
from google.api_core.retry import Retry, if_exception_type
from google.cloud import firestore
from google.cloud.firestore_v1 import _helpers, types
from google.cloud.firestore_v1.vector import Vector

from functions.adapters.firestore_rpc import Rpc, decoded, encoded, no_database

AT = datetime(2026, 11, 26, 12, 0, 0, 123456, tzinfo=UTC)
VALUES = [None, True, 7, -(2**62), 0.5, "犬\u200d🦮", AT, [], ["a", ["b"]], {}, {"a": {"b": [1]}}]


@pytest.mark.parametrize("value", [*VALUES, Vector([0.25, -1.0, 0.0])], ids=repr)
def test_a_value_is_written_as_the_client_library_writes_it(value: Any) -> None:
    theirs = _helpers.encode_value(value)
    assert encoded(value) == types.Value.pb(theirs)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_comes_back_as_it_was_written(value: Any) -> None:
    assert decoded(encoded(value)) == value


def test_a_vector_comes_back_as_numbers() -> None:
    assert decoded(encoded(Vector([0.25, -1.0]))) == [0.25, -1.0]


def test_what_documents_do_not_hold_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="set is not stored"):
        encoded({1})


@pytest.mark.parametrize(
    ("message", "missing"),
    [
        ("The database (default) does not exist for project p Please visit the console", True),
        ('"projects/p/databases/(default)/documents/captions/x" not found.', False),
        ("No document to update: projects/p/databases/(default)/documents/captions/x", False),
    ],
)
def test_a_missing_document_is_not_taken_for_a_missing_database(
    message: str, missing: bool
) -> None:
    assert no_database(NotFound(message)) is missing


class Recorder(grpc.GenericRpcHandler):
    """A Firestore that answers each call by the next of ``refusals``, then with nothing, and
    keeps the methods and headers of what it was asked."""

    def __init__(self, *refusals: grpc.StatusCode) -> None:
        self.asked: list[tuple[str, set[tuple[str, str]]]] = []
        self._refusals = [*refusals]

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        method = details.method.rpartition("/")[2]
        headers = {(key, value) for key, value in details.invocation_metadata if key in _HEADERS}
        self.asked.append((method, headers))

        def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
            if self._refusals:
                context.abort(self._refusals.pop(0), "not now")
            result = types.WriteResult(transform_results=[types.Value(integer_value=3)])
            reply = types.CommitResponse(write_results=[result])
            return types.CommitResponse.serialize(reply) if method == "Commit" else b""

        def parts(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
            if self._refusals:
                context.abort(self._refusals.pop(0), "not now")
            yield from ()

        if method in {"Commit", "GetDocument"}:
            return grpc.unary_unary_rpc_method_handler(answer)
        return grpc.unary_stream_rpc_method_handler(parts)


_HEADERS = {"google-cloud-resource-prefix", "x-goog-request-params"}
_AT_ONCE: dict[str, Any] = {
    "retry": Retry(if_exception_type(ServiceUnavailable), initial=0.001, maximum=0.001, timeout=5),
    "timeout": 5.0,
}


@contextmanager
def recording(
    monkeypatch: pytest.MonkeyPatch, *refusals: grpc.StatusCode
) -> Iterator[tuple[Recorder, firestore.Client]]:
    recorder = Recorder(*refusals)
    server = grpc.server(ThreadPoolExecutor(4), handlers=(recorder,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", f"127.0.0.1:{port}")
    client = firestore.Client(project="p", database="other")
    try:
        yield recorder, client
    finally:
        client.close()
        server.stop(0).wait()


def test_a_call_is_routed_as_the_client_library_routes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with recording(monkeypatch) as (recorder, client):
        rpc, captions = Rpc(client, _AT_ONCE), client.collection("captions")
        batch = client.batch()
        batch.delete(captions.document("ab"))
        batch.commit()
        list(client.get_all([captions.document("ab")]))
        client._firestore_api.get_document(
            types.GetDocumentRequest(name=f"{captions.document('ab')._document_path}"),
            metadata=client._rpc_metadata,
        )
        captions.limit(1).get()
        theirs = recorder.asked[:]
        recorder.asked.clear()
        rpc.commit(rpc.create("captions", "ab", {}))
        rpc.read("captions", ["ab"])
        rpc.fields("captions", "ab", ["caption"])
        rpc.query(captions.limit(1))
        assert recorder.asked == theirs
        assert len(theirs) == 4


@pytest.mark.parametrize("by", [1, -1])
def test_only_a_number_that_may_become_too_great_is_added_again(
    monkeypatch: pytest.MonkeyPatch, by: int
) -> None:
    with recording(monkeypatch, grpc.StatusCode.UNAVAILABLE) as (recorder, client):
        rpc = Rpc(client, _AT_ONCE)
        if by > 0:
            assert rpc.increment("days", "today", "calls", by) == 3
        else:
            with pytest.raises(ServiceUnavailable):
                rpc.increment("days", "today", "calls", by)
        assert len(recorder.asked) == (2 if by > 0 else 1)


def test_a_query_is_made_again_where_firestore_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    with recording(monkeypatch, grpc.StatusCode.UNAVAILABLE) as (recorder, client):
        assert Rpc(client, _AT_ONCE).query(client.collection("captions").limit(1)) == []
        assert len(recorder.asked) == 2

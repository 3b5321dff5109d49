"""Reads, writes and queries by Firestore's own messages.

The client library's way there builds a wrapper in Python around every value: 4 ms of processor
time for an embedding of 768 numbers, 0.2 ms by the message itself; and five layers around each
call, which take as long as the call. What is called is the API that the library is generated from
("Firestore RPC reference": Commit, BatchGetDocuments, GetDocument, RunQuery); channel,
credentials and emulator are the library's client's.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from google.api_core import grpc_helpers
from google.api_core.datetime_helpers import DatetimeWithNanoseconds
from google.api_core.exceptions import NotFound
from google.api_core.gapic_v1 import routing_header
from google.api_core.retry import Retry
from google.cloud import firestore
from google.cloud.firestore_v1 import types
from google.cloud.firestore_v1.vector import Vector

_Value, _Array, _Map = types.Value.pb(), types.ArrayValue.pb(), types.MapValue.pb()
_Write, _Document = types.Write.pb(), types.Document.pb()
_Commit, _BatchGet = types.CommitRequest.pb(), types.BatchGetDocumentsRequest.pb()
_Get, _RunQuery = types.GetDocumentRequest.pb(), types.RunQueryRequest.pb()
_SERVICE = "/google.firestore.v1.Firestore/"
_VECTOR = "__vector__"
# Methods: their question, their answer or each part of a stream's, and the field by which
# Google routes the question.
_UNARY = {
    "Commit": (_Commit, types.CommitResponse.pb(), "database"),
    "GetDocument": (_Get, _Document, "name"),
}
_STREAMS = {
    "BatchGetDocuments": (_BatchGet, types.BatchGetDocumentsResponse.pb(), "database"),
    "RunQuery": (_RunQuery, types.RunQueryResponse.pb(), "parent"),
}
_Call = Callable[[Any], Any]
# have no types
_time_of: Any = DatetimeWithNanoseconds.from_timestamp_pb
_routed: Any = routing_header.to_grpc_metadata
_with_errors: Any = grpc_helpers.wrap_errors


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A document as it was read; without ``update_time`` there is none of this ID."""

    id: str
    read_time: datetime
    fields: Mapping[str, Any]
    update_time: DatetimeWithNanoseconds | None = None


class Rpc:
    """Calls through the channel of ``client``; each attempt of one takes ``seconds`` at most, and
    ``retry`` says which are made again. Raises google.api_core's exceptions."""

    def __init__(self, client: firestore.Client, retry: Retry, seconds: float) -> None:
        self._client, self._retry, self._seconds = client, retry, seconds
        self._database = f"projects/{client.project}/databases/{client._database}"

    def commit(self, *writes: Any) -> Sequence[DatetimeWithNanoseconds]:
        """Make all of ``writes`` or none of them; the update times of their documents.

        Raises AlreadyExists, FailedPrecondition or NotFound where one does not apply.
        """
        return [_time_of(each.update_time) for each in self._results(writes)]

    def increment(self, collection: str, key: str, field: str, by: int) -> int:
        """Add to a number, 0 where there is none; what it has become. A call whose answer is
        lost is made again only where the number may become too great, not too small."""
        write = _Write(update=_Document(name=self._name(collection, key)), update_mask={})
        change = write.update_transforms.add(field_path=field)
        change.increment.integer_value = by
        (result,) = self._results([write], again=by > 0)
        return int(result.transform_results[0].integer_value)

    def read(
        self, collection: str, keys: Iterable[str], fields: Collection[str] = ()
    ) -> Sequence[Snapshot]:
        """The documents with these IDs in one round trip, of ``fields`` those, in any order."""
        request = _BatchGet(
            database=self._database, documents=[self._name(collection, key) for key in keys]
        )
        if fields:
            request.mask.field_paths.extend(fields)
        answers = self._call("BatchGetDocuments", request)
        return [_snapshot(each) for each in answers]

    def query(self, query: firestore.Query) -> Sequence[Snapshot]:
        """The documents of a collection that ``query`` names, in its order."""
        request = _RunQuery(
            parent=f"{self._database}/documents",
            structured_query=types.StructuredQuery.pb(query._to_protobuf()),
        )
        answers = self._call("RunQuery", request)
        return [_found(each.document, each.read_time) for each in answers if each.document.name]

    def fields(
        self, collection: str, key: str, fields: Collection[str]
    ) -> Mapping[str, Any] | None:
        """These fields of one document; None if there is none. Half the processor time of
        :meth:`read`, whose answer is a stream, but it does not tell the time."""
        request = _Get(name=self._name(collection, key))
        request.mask.field_paths.extend(fields)
        try:
            answer = self._call("GetDocument", request)
        except NotFound as error:
            if no_database(error):
                raise
            return None
        return _decoded(answer)

    def create(self, collection: str, key: str, fields: Mapping[str, Any]) -> Any:
        """The write of a new document."""
        write = _Write(update=self._document(collection, key, fields))
        write.current_document.exists = False
        return write

    def update(
        self,
        collection: str,
        key: str,
        fields: Mapping[str, Any],
        version: Any,
        *,
        removed: Iterable[str] = (),
    ) -> Any:
        """The write of some fields over the document that was updated at ``version`` last."""
        write = _Write(update=self._document(collection, key, fields))
        write.update_mask.field_paths.extend([*fields, *removed])
        write.current_document.update_time.CopyFrom(version.timestamp_pb())
        return write

    def delete(self, collection: str, key: str, version: Any) -> Any:
        """The removal of the document that was updated at ``version`` last."""
        write = _Write(delete=self._name(collection, key))
        write.current_document.update_time.CopyFrom(version.timestamp_pb())
        return write

    def _results(self, writes: Sequence[Any], again: bool = True) -> Sequence[Any]:
        """What Firestore says of each of ``writes``, all of which it makes, or none."""
        answer = self._call("Commit", _Commit(database=self._database, writes=writes), again)
        results: Sequence[Any] = answer.write_results
        return results

    def _call(self, method: str, request: Any, again: bool = True) -> Any:
        """Firestore's answer to ``request``, a list if it is a stream."""
        once, retried = self._methods[method]
        return (retried if again else once)(request)

    @functools.cached_property
    def _methods(self) -> Mapping[str, tuple[_Call, _Call]]:
        """Each method as it is called once, and with retries."""
        channel = self._client._firestore_api.transport.grpc_channel
        calls = {
            **{name: self._bounded(channel.unary_unary, name, *_UNARY[name]) for name in _UNARY},
            **{name: self._whole(channel.unary_stream, name, *_STREAMS[name]) for name in _STREAMS},
        }
        return {name: (call, self._retry(call)) for name, call in calls.items()}

    def _bounded(
        self, kind: Callable[..., Any], name: str, asked: Any, answered: Any, field: str
    ) -> _Call:
        stub = kind(
            _SERVICE + name,
            request_serializer=asked.SerializeToString,
            response_deserializer=answered.FromString,
        )
        call = _with_errors(stub)
        shared = (*self._client._rpc_metadata, self._client._client_info.to_grpc_metadata())

        def bounded(request: Any) -> Any:
            metadata = (*shared, _routed({field: getattr(request, field)}))
            return call(request, timeout=self._seconds, metadata=metadata)

        return bounded

    def _whole(self, *method: Any) -> _Call:
        """A stream, whose errors may come with any part of it."""
        stream = self._bounded(*method)
        return lambda request: list(stream(request))

    def _document(self, collection: str, key: str, fields: Mapping[str, Any]) -> Any:
        values = {name: encoded(value) for name, value in fields.items()}
        return _Document(name=self._name(collection, key), fields=values)

    def _name(self, collection: str, key: str) -> str:
        return f"{self._database}/documents/{collection}/{key}"


def no_database(error: NotFound) -> bool:
    """Whether it is the database that is not there. A document's path has the word, too."""
    return "The database" in str(error)


def encoded(value: Any) -> Any:
    """A value as Firestore's message. Raises TypeError for what documents do not hold."""
    match value:
        case None:
            return _Value(null_value=0)
        case bool():
            return _Value(boolean_value=value)
        case int():
            return _Value(integer_value=value)
        case float():
            return _Value(double_value=value)
        case str():
            return _Value(string_value=value)
        case datetime():
            moment = _Value()
            moment.timestamp_value.FromDatetime(value)
            return moment
        case Vector():
            return _vector(value)
        case Mapping():
            return _Value(map_value=_Map(fields={k: encoded(each) for k, each in value.items()}))
        case list() | tuple():
            return _Value(array_value=_Array(values=[encoded(each) for each in value]))
    raise TypeError(f"{type(value).__name__} is not stored")


def decoded(value: Any) -> Any:
    """What a message of Firestore's holds; bytes, places and references as the message has them."""
    kind = value.WhichOneof("value_type")
    if kind == "map_value":
        fields = value.map_value.fields
        if "__type__" in fields and fields["__type__"].string_value == _VECTOR:
            return [each.double_value for each in fields["value"].array_value.values]
        return {name: decoded(each) for name, each in fields.items()}
    if kind == "array_value":
        return [decoded(each) for each in value.array_value.values]
    if kind == "timestamp_value":
        return _time(value.timestamp_value)
    if kind is None or kind == "null_value":
        return None
    return getattr(value, kind)


def _vector(numbers: Iterable[float]) -> Any:
    vector = _Value()
    vector.map_value.fields["__type__"].string_value = _VECTOR
    add = vector.map_value.fields["value"].array_value.values.add
    for number in numbers:
        add().double_value = number
    return vector


def _snapshot(answer: Any) -> Snapshot:
    if answer.missing:
        return Snapshot(answer.missing.rpartition("/")[2], _time(answer.read_time), {})
    return _found(answer.found, answer.read_time)


def _found(document: Any, read_time: Any) -> Snapshot:
    key = document.name.rpartition("/")[2]
    return Snapshot(key, _time(read_time), _decoded(document), _time_of(document.update_time))


def _decoded(document: Any) -> Mapping[str, Any]:
    return {name: decoded(each) for name, each in document.fields.items()}


def _time(time: Any) -> datetime:
    """To the microsecond, as Firestore keeps times."""
    return datetime.fromtimestamp(time.seconds, UTC).replace(microsecond=time.nanos // 1000)

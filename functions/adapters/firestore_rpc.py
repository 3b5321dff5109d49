"""Reads, writes and queries by Firestore's own messages.

The client library's way there builds a wrapper in Python around every value, 4 ms of processor
time for an embedding of 768 numbers and 0.2 ms by the message itself, and four layers around every
call: 0.5 ms for a document, and 0.3 ms without them. What is called is the API that the library is
generated from ("Firestore RPC reference": Commit, GetDocument, BatchGetDocuments, RunQuery);
credentials and emulator are the library's client's, which uses the same connection.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import quote

import grpc
from google.api_core.datetime_helpers import DatetimeWithNanoseconds
from google.api_core.exceptions import NotFound, from_grpc_error
from google.cloud import firestore
from google.cloud.firestore_v1 import types
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport
from google.cloud.firestore_v1.vector import Vector
from grpc.experimental import ChannelOptions

_Value, _Array, _Map = types.Value.pb(), types.ArrayValue.pb(), types.MapValue.pb()
_Write, _Document = types.Write.pb(), types.Document.pb()
_Commit, _BatchGet = types.CommitRequest.pb(), types.BatchGetDocumentsRequest.pb()
_Committed, _BatchGot = types.CommitResponse.pb(), types.BatchGetDocumentsResponse.pb()
_Get = types.GetDocumentRequest.pb()
_RunQuery, _Queried = types.RunQueryRequest.pb(), types.RunQueryResponse.pb()
_EQUAL = types.StructuredQuery.FieldFilter.Operator.EQUAL
_SERVICE = "/google.firestore.v1.Firestore/"
_OPTIONS = (
    # as the client library's own connection
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # A thread for each answer that is a stream costs more than half of its processor time.
    (ChannelOptions.SingleThreadedUnaryStream, 1),
)
_VECTOR = "__vector__"
# Most of a document's values; what is derived of these takes the longer way.
_FIELDS = {str: "string_value", bool: "boolean_value", float: "double_value", int: "integer_value"}
_T = TypeVar("_T")
# has no types
_time_of: Any = DatetimeWithNanoseconds.from_timestamp_pb


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A document as it was read; without ``update_time`` there is none of this ID."""

    id: str
    read_time: datetime
    fields: Mapping[str, Any]
    update_time: DatetimeWithNanoseconds | None = None


class Rpc:
    """Commits and reads of single documents through ``client``; ``bounds`` are the retry and
    timeout of each call. Raises google.api_core's exceptions."""

    def __init__(self, client: firestore.Client, bounds: Mapping[str, Any]) -> None:
        self._client, self._bounds = client, bounds
        self._agent = client._client_info.to_user_agent()
        self._database = f"projects/{client.project}/databases/{client._database}"
        channel = _channel(client)
        self._commit = channel.unary_unary(
            f"{_SERVICE}Commit", _Commit.SerializeToString, _Committed.FromString
        )
        self._get = channel.unary_unary(
            f"{_SERVICE}GetDocument", _Get.SerializeToString, _Document.FromString
        )
        self._batch_get = channel.unary_stream(
            f"{_SERVICE}BatchGetDocuments", _BatchGet.SerializeToString, _BatchGot.FromString
        )
        self._run_query = channel.unary_stream(
            f"{_SERVICE}RunQuery", _RunQuery.SerializeToString, _Queried.FromString
        )

    def commit(self, *writes: Any) -> DatetimeWithNanoseconds:
        """Make all of ``writes`` or none of them; the update time of the first one's document.

        Raises AlreadyExists, FailedPrecondition or NotFound where one does not apply.
        """
        made: DatetimeWithNanoseconds = _time_of(self._results(writes, self._bounds)[0].update_time)
        return made

    def increment(self, collection: str, key: str, field: str, by: int) -> int:
        """Add to a number, 0 where there is none; what it has become. A call whose answer is
        lost is made again only where the number may become too great, not too small."""
        bounds = self._bounds if by > 0 else {**self._bounds, "retry": None}
        write = _Write(update=_Document(name=self._name(collection, key)), update_mask={})
        change = write.update_transforms.add(field_path=field)
        change.increment.integer_value = by
        (result,) = self._results([write], bounds)
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
        where = {"database": self._database}
        answers = self._called(lambda **more: [*self._batch_get(request, **more)], where)
        return [_snapshot(each) for each in answers]

    def query(self, query: firestore.Query) -> Sequence[Snapshot]:
        """The documents of a collection that ``query`` names, in its order."""
        request = _RunQuery(
            parent=f"{self._database}/documents",
            structured_query=types.StructuredQuery.pb(query._to_protobuf()),
        )
        return self._begin(request)()

    def begin_equal(
        self, collection: str, field: str, value: str, limit: int
    ) -> Callable[[], Sequence[Snapshot]]:
        """Begin to ask for the documents that have ``value``; what it returns waits for them."""
        request = _RunQuery(parent=f"{self._database}/documents")
        query = request.structured_query
        query.from_.add(collection_id=collection)
        query.where.field_filter.field.field_path = field
        query.where.field_filter.op = _EQUAL
        query.where.field_filter.value.string_value = value
        query.limit.value = limit
        return self._begin(request)

    def fields(
        self, collection: str, key: str, fields: Collection[str]
    ) -> Mapping[str, Any] | None:
        """These fields of one document; None if there is none. Half the processor time of
        :meth:`read`, whose answer is a stream, but it does not tell the time."""
        request = _Get(name=self._name(collection, key))
        request.mask.field_paths.extend(fields)
        try:
            answer = self._called(functools.partial(self._get, request), {"name": request.name})
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

    def _results(self, writes: Sequence[Any], bounds: Mapping[str, Any]) -> Sequence[Any]:
        """What Firestore says of each of ``writes``, all of which it makes, or none."""
        request = _Commit(database=self._database, writes=writes)
        call = functools.partial(self._commit, request)
        answer = self._called(call, {"database": self._database}, bounds)
        results: Sequence[Any] = answer.write_results
        return results

    def _begin(self, request: Any) -> Callable[[], Sequence[Snapshot]]:
        """Send a query; what it returns waits for its documents, and sends it again if it must."""
        where = {"parent": request.parent}
        begun = [self._run_query(request, **self._more(where, self._bounds))]

        def call(**more: Any) -> list[Any]:
            return [*(begun.pop() if begun else self._run_query(request, **more))]

        def found() -> Sequence[Snapshot]:
            answers = self._called(call, where)
            return [_found(each.document, each.read_time) for each in answers if each.document.name]

        return found

    def _called(
        self,
        call: Callable[..., _T],
        where: Mapping[str, str],
        bounds: Mapping[str, Any] | None = None,
    ) -> _T:
        """The answer to a call, within its bounds; ``where`` is the field of the request by which
        Google routes it."""
        bounds = bounds or self._bounds
        more, retry = self._more(where, bounds), bounds["retry"]

        def attempt() -> _T:
            try:
                return call(**more)
            except grpc.RpcError as error:
                raise from_grpc_error(error) from error

        return retry(attempt)() if retry else attempt()

    def _more(self, where: Mapping[str, str], bounds: Mapping[str, Any]) -> dict[str, Any]:
        """What goes with each attempt of a call."""
        ((field, value),) = where.items()
        metadata = (
            *self._client._rpc_metadata,
            ("x-goog-request-params", f"{field}={quote(value)}"),
            ("x-goog-api-client", self._agent),
        )
        return {"timeout": bounds["timeout"], "metadata": metadata}

    def _document(self, collection: str, key: str, fields: Mapping[str, Any]) -> Any:
        values = {name: encoded(value) for name, value in fields.items()}
        return _Document(name=self._name(collection, key), fields=values)

    def _name(self, collection: str, key: str) -> str:
        return f"{self._database}/documents/{collection}/{key}"


def _channel(client: firestore.Client) -> grpc.Channel:
    """The connection, which is the library's from now on too: it makes its own as it is first
    used, without a way to choose options."""
    if client._firestore_api_internal is None:
        made: grpc.Channel
        if client._emulator_host:
            made = grpc.insecure_channel(client._emulator_host, options=_OPTIONS)
        else:
            made = FirestoreGrpcTransport.create_channel(
                client._target, credentials=client._credentials, options=_OPTIONS
            )
        client._firestore_api_internal = FirestoreClient(
            transport=FirestoreGrpcTransport(host=client._target, channel=made),
            client_options=client._client_options,
        )
    transport: Any = client._firestore_api_internal.transport
    channel: grpc.Channel = transport.grpc_channel
    return channel


def no_database(error: NotFound) -> bool:
    """Whether it is the database that is not there. A document's path has the word, too."""
    return "The database" in str(error)


def encoded(value: Any) -> Any:
    """A value as Firestore's message. Raises TypeError for what documents do not hold."""
    if field := _FIELDS.get(type(value)):
        return _Value(**{field: value})
    match value:
        case None:
            return _Value(null_value=0)
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
            return _vector(value[:])
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


def _vector(numbers: Sequence[float]) -> Any:
    vector = _Value()
    vector.map_value.fields["__type__"].string_value = _VECTOR
    vector.map_value.fields["value"].array_value.MergeFromString(_numbers(numbers))
    return vector


def _numbers(numbers: Sequence[float]) -> bytes:
    """An array of numbers as it is sent ("Encoding", Protocol Buffers documentation): each is
    field 1, of nine bytes, which are field 3, of eight. A twentieth of the time that it takes to
    make 768 messages."""
    packed = struct.pack(f"<{len(numbers)}d", *numbers)
    sent = bytearray(b"\x0a\x09\x19" + bytes(8)) * len(numbers)
    for byte in range(8):
        sent[3 + byte :: 11] = packed[byte::8]
    return bytes(sent)


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

"""A Firestore that knows no document and keeps the queries it gets, or refuses them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.cloud.firestore_v1.types import (
    AggregationResult,
    RunAggregationQueryRequest,
    RunAggregationQueryResponse,
    RunQueryRequest,
    RunQueryResponse,
    StructuredQuery,
    Value,
)

_SERVICE = "/google.firestore.v1.Firestore/"


@dataclass
class Recorded:
    """``host`` is what FIRESTORE_EMULATOR_HOST takes; ``refusal`` is a status to refuse with. No
    two counts are the same."""

    host: str = ""
    queries: list[StructuredQuery] = field(default_factory=list)
    refusal: tuple[grpc.StatusCode, str] | None = None

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        answers: dict[str, tuple[Any, Any, Any]] = {
            "RunQuery": (self._run, RunQueryRequest, RunQueryResponse),
            "RunAggregationQuery": (
                self._count,
                RunAggregationQueryRequest,
                RunAggregationQueryResponse,
            ),
        }
        if details.method.removeprefix(_SERVICE) not in answers:
            return None
        answer, asked, answered = answers[details.method.removeprefix(_SERVICE)]
        return grpc.unary_stream_rpc_method_handler(
            answer,
            request_deserializer=asked.deserialize,
            response_serializer=answered.serialize,
        )

    def _run(self, request: RunQueryRequest, context: Any) -> Iterator[RunQueryResponse]:
        self.queries.append(request.structured_query)
        if self.refusal:
            context.abort(*self.refusal)
        yield from ()

    def _count(
        self, request: RunAggregationQueryRequest, context: Any
    ) -> Iterator[RunAggregationQueryResponse]:
        query = request.structured_aggregation_query
        self.queries.append(query.structured_query)
        alias = query.aggregations[0].alias
        number = Value(integer_value=len(self.queries))
        yield RunAggregationQueryResponse(
            result=AggregationResult(aggregate_fields={alias: number})
        )


@contextmanager
def recorded_firestore() -> Iterator[Recorded]:
    """The server, on a loopback port."""
    recorded = Recorded()
    server = grpc.server(ThreadPoolExecutor(4), handlers=(recorded,))
    recorded.host = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield recorded
    finally:
        server.stop(1).wait()

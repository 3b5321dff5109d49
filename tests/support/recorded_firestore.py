"""A Firestore that knows no document and keeps the queries it gets, or refuses them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.cloud.firestore_v1.types import RunQueryRequest, RunQueryResponse, StructuredQuery

_METHOD = "/google.firestore.v1.Firestore/RunQuery"


@dataclass
class Recorded:
    """``host`` is what FIRESTORE_EMULATOR_HOST takes; ``refusal`` is a status to refuse with."""

    host: str = ""
    queries: list[StructuredQuery] = field(default_factory=list)
    refusal: tuple[grpc.StatusCode, str] | None = None

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        if details.method != _METHOD:
            return None
        return grpc.unary_stream_rpc_method_handler(
            self._run,
            request_deserializer=RunQueryRequest.deserialize,
            response_serializer=RunQueryResponse.serialize,
        )

    def _run(self, request: RunQueryRequest, context: Any) -> Iterator[RunQueryResponse]:
        self.queries.append(request.structured_query)
        if self.refusal:
            context.abort(*self.refusal)
        yield from ()


@contextmanager
def recorded_firestore() -> Iterator[Recorded]:
    """The server, on a loopback port."""
    recorded = Recorded()
    server = grpc.server(ThreadPoolExecutor(4), handlers=(recorded,))  # type: ignore[arg-type]
    recorded.host = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield recorded
    finally:
        server.stop(1).wait()

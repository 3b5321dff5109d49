"""Spans as OpenTelemetry traces in Cloud Trace: one trace a delivery, of the share asked for.

The packages are no part of what is deployed by default: a cold start would pay for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from functions.core.errors import ConfigurationError
from functions.core.spans import Open

_FLUSH_MS = 3_000
_REMEDY = (
    "CAPTION_TRACES needs opentelemetry-exporter-gcp-trace: add the line "
    "opentelemetry-exporter-gcp-trace==1.15.0 to requirements.txt and run make lock, or unset it"
)


def opener(share: float, exporter: Any = None) -> Open:
    """What opens spans; the outermost is sent before it ends, since an instance between two
    requests has no processor to send it with. Raises ConfigurationError without the packages."""
    try:
        from opentelemetry import propagate, trace
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

        if exporter is None:
            from opentelemetry.exporter.cloud_trace import CloudTraceSpanExporter

            exporter = CloudTraceSpanExporter()
    except ImportError:
        raise ConfigurationError(_REMEDY) from None
    provider = TracerProvider(sampler=TraceIdRatioBased(share))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("captions")

    @contextmanager
    def opened(name: str) -> Iterator[None]:
        outermost = not trace.get_current_span().get_span_context().is_valid
        context = propagate.extract(_headers()) if outermost else None
        with tracer.start_as_current_span(name, context=context):
            yield
        if outermost:
            provider.force_flush(_FLUSH_MS)

    return opened


def _headers() -> dict[str, str]:
    """Those of the request at hand, so that the trace is the one of its log line."""
    from flask import has_request_context, request

    found = request.headers.items() if has_request_context() else ()
    return {name.lower(): value for name, value in found}

"""One delivery of an event: one log line, and either an acknowledgement or an exception.

Pub/Sub push redelivers on any answer other than 102, 200, 201, 202 and 204, 4xx too
("Push subscriptions", Pub/Sub documentation): what cannot succeed is acknowledged, whatever
may succeed later is raised.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from functions.core.errors import (
    Away,
    CaptionError,
    ConfigurationError,
    Held,
    NotAnEvent,
    Outage,
    TransientError,
)
from functions.core.report import Report
from functions.core.spans import span

if TYPE_CHECKING:
    from cloudevents.http import CloudEvent
    from flask import Flask

_TRACE = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


def handle(event: CloudEvent, act: Callable[[Report], None]) -> None:
    """Let ``act`` work on ``event`` and log one line. Raises what must be redelivered."""
    report, started, severity, message = Report(), time.monotonic(), "INFO", ""
    try:
        with span("delivery"):
            act(report)
        message = report.message
        if report.embedding or report.reason in {"needs_a_person", "unlabelled"}:
            severity = "WARNING"
    except NotAnEvent as error:
        severity, message = "ERROR", error.message
        report.outcome, report.reason = "ignored", error.reason
    except Away as error:
        report.outcome, report.reason, message = "away", report.model_state, str(error)
        raise _answered(error) from None
    except Held as error:
        report.outcome, message = "held", str(error)
        raise _answered(error) from None
    except ConfigurationError as error:
        severity, message = "ERROR", str(error)
        report.outcome, report.reason = "redelivered", "configuration"
        raise _answered(error) from error
    except CaptionError as error:
        unpaid = isinstance(error, TransientError) and error.outage is Outage.NO_CREDIT
        severity, message = "ERROR" if unpaid else "WARNING", str(error)
        report.outcome, report.reason = "redelivered", "transient"
        raise _answered(error) from error
    except Exception as error:
        severity, message = "CRITICAL", traceback.format_exc()
        report.outcome, report.reason = "redelivered", "defect"
        raise _answered(error) from error
    finally:
        _log(event, report, severity, message, time.monotonic() - started)


def take_unreadable(app: Flask) -> None:
    """Acknowledge, with a line, what the web framework cannot read: brackets without end."""
    from cloudevents.exceptions import DataUnmarshallerError
    from cloudevents.http import CloudEvent

    def ignore(error: Exception) -> str:
        def unreadable(report: Report) -> None:
            raise NotAnEvent("the event cannot be read: its JSON is nested too deeply") from None

        handle(CloudEvent({"type": "unknown", "source": "unknown"}), unreadable)
        return "OK"

    app.register_error_handler(RecursionError, ignore)
    app.register_error_handler(DataUnmarshallerError, ignore)


def _answered(error: Exception) -> Exception:
    """``error`` as the platform is told: the log line says it all, and the web framework would
    print a traceback beside it for any exception that is not HTTP's own."""
    from flask import has_request_context
    from werkzeug.exceptions import InternalServerError

    return InternalServerError(str(error)[:200]) if has_request_context() else error


def _log(event: CloudEvent, report: Report, severity: str, message: str, seconds: float) -> None:
    from flask import has_request_context, request

    header = request.headers.get("traceparent", "") if has_request_context() else ""
    line = {
        "severity": severity,
        "message": message or f"{report.outcome} gs://{report.bucket}/{report.name}",
        "event_id": str(event.get("id") or ""),
        **_fields(report, seconds),
    }
    _write(line, str(event.get("traceparent") or header))


def warn(messages: Iterable[str]) -> None:
    """A line for each, of nobody's delivery."""
    for each in messages:
        _write({"severity": "WARNING", "message": each}, "")


def answered(report: Report, traceparent: str, seconds: float) -> None:
    """One line on an answer over HTTP that a model was asked for."""
    message = f"{report.outcome} gs://{report.bucket}/{report.name}"
    line = {"severity": "INFO", "message": message, **_fields(report, seconds)}
    _write(line, traceparent)


def _fields(report: Report, seconds: float) -> dict[str, Any]:
    line: dict[str, Any] = {
        "bucket": report.bucket,
        "name": report.name,
        "generation": str(report.generation) if report.generation is not None else None,
        "outcome": report.outcome,
        "reason": report.reason or None,
        "model": report.model or None,
        "model_calls": report.usage.model_calls,
        "input_tokens": report.usage.input_tokens,
        "output_tokens": report.usage.output_tokens,
        "cost_usd": report.usage.cost_usd,
        "duration_ms": round(seconds * 1000),
        "model_ms": round(report.model_seconds * 1000),
    }
    if report.model_state:
        line["model_state"] = report.model_state
    if report.embedding:
        line["embedding"] = report.embedding
    if report.kept:
        line["kept"] = report.kept
    return line


def _write(line: dict[str, Any], traceparent: str) -> None:
    if found := trace(traceparent):
        line["logging.googleapis.com/trace"] = found
    text = json.dumps(line, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def trace(traceparent: str) -> str:
    """The trace's name for Cloud Logging, by W3C Trace Context; empty if there is none."""
    found = _TRACE.fullmatch(traceparent)
    project = os.environ.get("GOOGLE_CLOUD_PROJECT", "")
    return f"projects/{project}/traces/{found[1]}" if found and project else ""

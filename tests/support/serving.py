"""One entry point served by a functions-framework process of its own, as it is deployed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.support import emulators
from tests.support.stack import MAIN, STORAGE

_READY_SECONDS = 60
_PATIENCE = 60
# After that a push subscription delivers an event again.
_ACKNOWLEDGED_WITHIN = 360


class Served:
    """A running process. ``deliver`` sends it CloudEvents, ``kill`` ends it as a crash does."""

    def __init__(self, process: subprocess.Popen[bytes], url: str) -> None:
        self.process, self.url = process, url

    def kill(self) -> None:
        """kill -9, of the process and all that it started."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(_PATIENCE)

    def terminate(self) -> None:
        """What Cloud Run sends before it takes an instance away."""
        os.kill(self.process.pid, signal.SIGTERM)

    def deliver(self, data: Mapping[str, Any], kind: str = STORAGE + "finalized") -> int:
        """Send one event; the status of the answer, 0 if none came."""
        headers = {
            "Content-Type": "application/json",
            "ce-specversion": "1.0",
            "ce-id": "event-1",
            "ce-source": "//storage.googleapis.com/projects/_/buckets/pictures",
            "ce-type": kind,
            "ce-time": datetime.now(UTC).isoformat(),
        }
        return _status(self.url, json.dumps(data).encode(), headers)


@contextmanager
def serving(
    target: str, environment: Mapping[str, str], log: Path | None = None
) -> Iterator[Served]:
    """Serve ``target`` of main.py until the block ends."""
    port = emulators.free_port()
    command = [
        *(sys.executable, "-m", "functions_framework"),
        *("--source", str(MAIN), "--target", target, "--host", "127.0.0.1", "--port", str(port)),
    ]
    with open(log or os.devnull, "ab") as output:
        process = emulators.start(command, {"THREADS": "8", **environment}, output)
    try:
        served = Served(process, f"http://127.0.0.1:{port}")
        _wait(served)
        yield served
    finally:
        emulators.stop(process)


def _wait(served: Served) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while not _status(served.url + "/robots.txt"):
        if served.process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"functions-framework did not start: {served.process.returncode}")
        time.sleep(0.05)


def _status(url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> int:
    request = urllib.request.Request(url, body, dict(headers or {}))  # noqa: S310
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_ACKNOWLEDGED_WITHIN) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code
    except OSError:
        return 0

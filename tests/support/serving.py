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
from typing import IO, Any

from tests.support import emulators
from tests.support.command_line import WARM
from tests.support.stack import MAIN, STORAGE
from tests.support.warm_process import Copy

_READY_SECONDS = 60
_PATIENCE = 60
# After that a push subscription delivers an event again.
_ACKNOWLEDGED_WITHIN = 360


class Served:
    """A running process. ``deliver`` sends it CloudEvents, ``kill`` ends it as a crash does."""

    def __init__(self, process: Copy | subprocess.Popen[bytes], url: str) -> None:
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
    arguments = [
        *("--source", str(MAIN), "--target", target, "--host", "127.0.0.1", "--port", str(port))
    ]
    with open(log or os.devnull, "ab") as output:
        process = _started(arguments, {"THREADS": "8", **environment}, output)
    try:
        served = Served(process, f"http://127.0.0.1:{port}")
        _wait(served)
        yield served
    finally:
        emulators.stop(process)


def _started(
    arguments: list[str], environment: dict[str, str], output: IO[bytes]
) -> Copy | subprocess.Popen[bytes]:
    """The framework, running: where forking is what the system does well, in a tenth of the time
    that it takes to import all that an instance needs."""
    module = "functions_framework"
    if sys.platform != "linux":
        return emulators.start([sys.executable, "-m", module, *arguments], environment, output)
    env = {**os.environ, **environment}
    return WARM.copy(arguments, MAIN.parent, env, output, output, server=module)


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

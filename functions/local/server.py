"""The functions on this machine: every entry point of main.py behind one port."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import functions
from functions import composition
from functions.adapters.folder import STATE
from functions.core.errors import ConfigurationError
from functions.local.bucket_events import BucketEvent, clock, post

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MAIN = Path(functions.__file__).resolve().parent.parent / "main.py"
ENTRY_POINTS = ("caption_image", "forget_image", "caption_request", "keep", "alt_text", "review")
LOG_NAME = "functions.log"
# Seconds between deliveries of one event. PATIENT is longer than the lease of a dead worker.
PATIENT = (0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30)
BRIEF = (0.2, 0.5, 1, 2, 4)


@dataclass(frozen=True, slots=True)
class EventOutcome:
    """How an event ended, as the functions logged it; ``acknowledged`` if they need it no more."""

    acknowledged: bool
    outcome: str = ""
    reason: str = ""
    message: str = ""
    duration_ms: int = 0


def _nobody(outcome: EventOutcome) -> None:
    pass


def _outcome(acknowledged: bool, line: Mapping[str, Any]) -> EventOutcome:
    fields = {key: line.get(key) or "" for key in ("outcome", "reason", "message")}
    return EventOutcome(acknowledged, **fields, duration_ms=line.get("duration_ms") or 0)


class Log(io.TextIOBase):
    """Takes the functions' standard output: all of it goes to a file, and the log line of an
    event that is being waited for is kept for its sender."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8", errors="backslashreplace")
        self._lock = threading.Lock()
        self._lines: dict[str, dict[str, Any]] = {}

    def write(self, text: str, /) -> int:
        with self._lock:
            self._file.write(text)
            self._keep(text)
        return len(text)

    def flush(self) -> None:
        self._file.flush()

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        super().close()
        self._file.close()

    def await_event(self, key: str) -> None:
        """Keep the log line of this event."""
        with self._lock:
            self._lines[key] = {}

    def line(self, key: str) -> dict[str, Any]:
        """The last log line of an event that is waited for."""
        with self._lock:
            return self._lines[key]

    def forget(self, key: str) -> None:
        """Do not keep this event's log line any longer."""
        with self._lock:
            self._lines.pop(key, None)

    def _keep(self, text: str) -> None:
        if text.startswith("{"):
            with contextlib.suppress(ValueError):
                line = json.loads(text)
                if line.get("event_id") in self._lines:
                    self._lines[line["event_id"]] = line


class Functions:
    """The functions, served in threads between ``with`` and its end, on the folder that
    CAPTION_LOCAL names. Raises ConfigurationError for a wrong setting or an address that
    cannot be had."""

    def __init__(self, folder: Path, host: str = "127.0.0.1", port: int = 0) -> None:
        from werkzeug.serving import make_server

        self.log_path = folder / STATE / LOG_NAME
        self.stop = threading.Event()
        with contextlib.ExitStack() as stack:
            self._log = stack.enter_context(_log(self.log_path))
            listening = stack.enter_context(_listening(host, port))
            self.address: tuple[str, int] = listening.getsockname()[:2]
            _log_to(self._log)
            self._busy = Busy(application(folder, host))
            fd = listening.fileno()
            self._server = make_server(
                self.address[0], self.address[1], self._busy, threaded=True, fd=fd
            )
            self._ending = stack.pop_all()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._clock: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._ending.enter_context(contextlib.redirect_stdout(self._log))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take no more requests, and let those that run finish."""
        self.stop.set()
        if self._clock:
            self._clock.join()
        self._server.shutdown()
        self._thread.join()
        self._busy.wait()
        self._server.server_close()
        self._ending.close()

    def keep(self, seconds: float) -> None:
        """Let the function ``keep`` run every so many seconds, as Cloud Scheduler would."""

        def run() -> None:
            while not self.stop.wait(seconds):
                post(clock(), self.address)

        self._clock = threading.Thread(target=run, name="clock")
        self._clock.start()

    def send(
        self,
        change: BucketEvent,
        pauses: Sequence[float],
        waiting: Callable[[EventOutcome], None] = _nobody,
    ) -> EventOutcome:
        """Deliver ``change``, as the platform would again after each of ``pauses`` until it is
        acknowledged; not again where a setting must be mended first. ``waiting`` is told once
        if something failed that may work later."""
        self._log.await_event(change.id)
        for pause in (*pauses, None):
            acknowledged = post(change, self.address)
            line = self._log.line(change.id)
            if acknowledged or line.get("reason") == "configuration":
                break
            if line.get("reason") == "transient" or line.get("outcome") == "away":
                waiting(_outcome(False, line | {"outcome": "waiting"}))
                waiting = _nobody
            if pause is None or self.stop.wait(pause):
                break
        self._log.forget(change.id)
        return _outcome(acknowledged, line)


class Busy:
    """Counts an application's running requests, so that an end can wait for them."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self._running = 0
        self._changed = threading.Condition()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with self._changed:
            self._running += 1
        try:
            return self._app(environ, start_response)
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def wait(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._running)


def application(folder: Path, host: str) -> WSGIApplication:
    """Every entry point under its own name, as ``/caption_image``, and the page at ``/``; ``/ask``
    where there is a model to answer."""
    import functions_framework
    from werkzeug.middleware.dispatcher import DispatcherMiddleware

    from functions.local.uploads import LocalGuard

    read = composition.settings()
    targets = (*ENTRY_POINTS, "ask") if composition.answers(read) else ENTRY_POINTS
    mounts = {
        f"/{target}": _rooted(functions_framework.create_app(target, str(MAIN)))
        for target in targets
    }
    sites = {"/alt_text": read.cors_origins, "/ask": read.ask_origins or ()}
    guard = LocalGuard(mounts["/review"], folder, host, read.max_bytes, sites)
    return guard.guarding(DispatcherMiddleware(guard, mounts))


def _rooted(app: WSGIApplication) -> WSGIApplication:
    """``app`` under a name without a slash after it: its own root, where Flask would redirect."""

    def at_root(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["PATH_INFO"] = environ.get("PATH_INFO") or "/"
        return app(environ, start_response)

    return at_root


def _log(path: Path) -> Log:
    try:
        path.parent.mkdir(exist_ok=True)
        return Log(path)
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written: {error.strerror}; choose a folder that you may write to"
        ) from None


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        number = error.errno or 0
        reason = os.strerror(number) if number > 0 else error.strerror
        raise ConfigurationError(
            f"{host}:{port} cannot be listened on: {reason}. Choose another with --port or --host."
        ) from None


def _log_to(log: Log) -> None:
    """What libraries log goes to the file as well: warnings, and tracebacks of defects."""
    logging.basicConfig(stream=log, level=logging.WARNING, force=True)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)

"""Processes that start in milliseconds: copies of one that has imported what they would.

A command's own work takes a few milliseconds, and Google's clients half a second of processor time
to import. So the tests fork their commands off a process that has done that. A copy has what any
process has: arguments, folder, environment and streams of its own, signals, an exit status, and an
interpreter that ends as usual. What a *start* promises (that it imports little, what it does
with its environment) is tried with a fresh interpreter: see ``command_line``.

``python -m tests.support.warm_process FD MODULE`` serves requests on a socket until that is closed:
JSON, with the descriptors of standard input, output and error, and of a pipe that is told the
copy's process ID and, at its end, its exit status.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import IO, Any

_MOST_BYTES = 1 << 20
# What commands import late: the stores' clients, the default model's, pages and tables.
_LATE = (
    *("functions.adapters.firestore", "functions.adapters.gcs", "functions.adapters.gemini"),
    *("functions.adapters.offline", "functions.local.server", "functions.local.watcher"),
    *("functions.cli.contact_sheet", "functions.cli.html", "functions.cli.caption_table"),
    *("functions.sites.fill", "functions.sites.audit", "functions.sites.sources"),
    *("functions.usecases.caption_image", "functions.usecases.edit_caption"),
    *("functions.http.review", "functions.local.uploads", "functions.cli.sample_pictures"),
    *("google.cloud.firestore", "google.cloud.storage", "google.genai", "functions_framework"),
    *("functions_framework._http.gunicorn", "gunicorn.arbiter", "gunicorn.glogging"),
    *("gunicorn.app.base", "gunicorn.workers.gthread"),
    *("rich.console", "rich.progress", "rich.table", "PIL.Image", "watchfiles", "werkzeug.serving"),
)


class Copy:
    """A running copy; what ``subprocess.Popen`` offers of it."""

    def __init__(self, told: int) -> None:
        self._told, self._reading = told, threading.Lock()
        self.returncode: int | None = None
        self.pid = self._number()

    def __del__(self) -> None:
        os.close(self._told)

    def poll(self) -> int | None:
        with suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status, negative for a signal. Raises TimeoutExpired if it still runs."""
        # What has been told is followed by the pipe's end, which all who wait see.
        if self.returncode is None and not select.select([self._told], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired("a copy", timeout or 0)
        with self._reading:
            if self.returncode is None:
                self.returncode = self._number()
            return self.returncode

    def _number(self) -> int:
        line = b""
        while not line.endswith(b"\n"):
            line += os.read(self._told, 1) or b"?\n"
        return int(line)

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Warm:
    """The process that is copied, with ``module`` imported; it starts with the first copy."""

    def __init__(self, module: str, root: Path) -> None:
        self._module, self._root = module, root
        self._socket: socket.socket | None = None

    def copy(
        self,
        arguments: list[str],
        cwd: Path,
        env: Mapping[str, str],
        out: IO[Any],
        err: IO[Any],
        server: str = "",
        given: int | None = None,
    ) -> Copy:
        """Run ``python -m module`` with these arguments, and on its standard input the descriptor
        that is ``given``, or nothing; or the module ``server`` in a group of its own, which ends
        with this process."""
        told, tell = os.pipe()
        order = {"arguments": arguments, "cwd": str(cwd), "env": dict(env), "server": server}
        with open(os.devnull, "rb") as nothing:
            source = nothing.fileno() if given is None else given
            streams = [source, out.fileno(), err.fileno(), tell]
            socket.send_fds(self._served(env), [json.dumps(order).encode()], streams)
        os.close(tell)
        return Copy(told)

    def _served(self, env: Mapping[str, str]) -> socket.socket:
        if self._socket is None:
            self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            command = [sys.executable, "-m", __name__, str(theirs.fileno()), self._module]
            with theirs:
                process = subprocess.Popen(
                    command, cwd=self._root, env=dict(env), pass_fds=[theirs.fileno()]
                )
            atexit.register(self._end, process, self._socket)
        return self._socket

    @staticmethod
    def _end(process: subprocess.Popen[bytes], orders: socket.socket) -> None:
        orders.close()
        process.wait()


def main() -> None:
    """Serve copies; in each of them, go on as its module."""
    descriptor, module = sys.argv[1:]
    end = _End()
    warnings.simplefilter("error")
    for each in (module, *_LATE):
        import_module(each)
    warnings.simplefilter("default")
    gc.freeze()
    with socket.socket(fileno=int(descriptor)) as orders:
        copied = _serve(orders)
    if copied:
        module = copied["server"] or module
        sys.argv = [module, *copied["arguments"]]
        end.run(module)


class _End:
    """The interpreter's end without its last step: taking hundreds of modules apart that were
    shared until then would cost more than all that a command does."""

    def __init__(self) -> None:
        self._status = 0
        atexit.register(self._exit)  # the first of all, so the last that is run

    def run(self, module: str) -> None:
        """Run a module, and remember its exit status."""
        self._status = 1
        try:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
            self._status = 0
        except SystemExit as end:
            self._status = end.code if isinstance(end.code, int) else int(end.code is not None)
            raise

    def _exit(self) -> None:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(self._status)


def _serve(orders: socket.socket) -> dict[str, Any] | None:
    """Make a copy at each order; what is ordered, in the copy itself."""
    while True:
        message, descriptors, *_ = socket.recv_fds(orders, _MOST_BYTES, 4)
        if not message:
            return None
        if not os.fork():
            orders.close()
            return _copied(json.loads(message), descriptors)
        for each in descriptors:
            os.close(each)
        _reap()


def _copied(order: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
    """The order, in a child whose parent waits for its end and tells it."""
    *streams, tell = descriptors
    child = os.fork()
    if order["server"]:
        _end_with_parent()
    if child:
        os.write(tell, b"%d\n" % child)
        for each in streams:
            os.close(each)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os.write(tell, b"%d\n" % status)
        os._exit(0)
    for place, each in enumerate(streams):
        os.dup2(each, place)
        os.close(each)
    os.close(tell)
    if order["server"]:
        os.setsid()
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    time.tzset()
    tempfile.tempdir = None
    sys.path[0] = order["cwd"]
    return order


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _reap() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


if __name__ == "__main__":
    main()

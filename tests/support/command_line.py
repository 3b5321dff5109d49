"""Runs the command ``captions`` as a user does: a process of its own, in a folder of its own.

It is copied from one that has imported it all, in a thirtieth of the time; where a test sets one of
Python's own variables, or forking is not what the system does well, Python is started afresh.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from functions.adapters.folder import BUCKET, database
from functions.adapters.sqlite import SqliteCaptions
from functions.core.document import document_id
from functions.core.document_records import to_record
from tests.support.warm_process import Copy, Warm

ROOT = Path(__file__).resolve().parents[2]
BOUND_SECONDS = 180
MODULE = "functions.cli"
WARM = Warm(MODULE, ROOT)


@dataclass(frozen=True)
class Ran:
    """What a run left behind."""

    status: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


def captions(*arguments: str | Path, where: Path, given: str | int = "", **env: str) -> Ran:
    """Run ``captions`` with ``arguments`` in the folder ``where``, to its end. What is ``given``
    stands on its standard input: text, or a descriptor."""
    with ExitStack() as files:
        out, err, text = (files.enter_context(tempfile.TemporaryFile()) for _ in range(3))
        if isinstance(given, str):
            text.write(given.encode())
            text.seek(0)
            given = text.fileno()
        env = {"TMPDIR": str(where), **env}
        process = started([*map(str, arguments)], where, env, out, err, given)
        try:
            status = process.wait(BOUND_SECONDS)
        finally:
            process.kill()
        return Ran(status, _text(out), _text(err))


def started(
    arguments: list[str],
    where: Path,
    env: dict[str, str],
    out: IO[bytes],
    err: IO[bytes],
    given: int | None = None,
) -> Copy | subprocess.Popen[bytes]:
    """``captions``, running. Whoever starts it ends it."""
    if sys.platform == "linux" and not any(name.startswith("PYTHON") for name in env):
        return WARM.copy(arguments, where, environment(env), out, err, given=given)
    return subprocess.Popen(
        [sys.executable, "-m", MODULE, *arguments],
        cwd=where,
        env=environment(env),
        stdin=subprocess.DEVNULL if given is None else given,
        stdout=out,
        stderr=err,
    )


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8").replace("\r\n", "\n")


@contextmanager
def serving(folder: Path, *arguments: str, **env: str) -> Iterator[Serve]:
    """``captions serve`` on ``folder``, on any free port; killed at the end if it still runs."""
    command = ["serve", str(folder), "--port", "0", *arguments]
    log = folder.parent / "serve.txt"
    with log.open("wb") as file:
        process = started(command, folder.parent, env, file, file)
        serve = Serve(process, folder, log)
        try:
            yield serve
        finally:
            process.kill()
            process.wait()


@dataclass
class Serve:
    """A running ``captions serve``."""

    process: Copy | subprocess.Popen[bytes]
    folder: Path
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text("utf-8")

    def url(self) -> str:
        """Where the functions listen, once they do."""
        self.wait(lambda: "http://" in self.said)
        return next(word for word in self.said.split() if word.startswith("http://"))

    def document(self, name: str) -> dict[str, Any] | None:
        """The document of a file, read from the folder's store."""
        stored = SqliteCaptions(database(self.folder)).read(document_id(BUCKET, name))
        return to_record(stored.document) if stored else None

    def until(self, name: str, wanted: Callable[[dict[str, Any] | None], bool]) -> Any:
        """The document of a file once it is as wanted."""
        self.wait(lambda: wanted(self.document(name)))
        return self.document(name)

    def wait(self, true: Callable[[], bool]) -> None:
        end = time.monotonic() + BOUND_SECONDS
        while not true():
            assert self.process.poll() is None, self.said
            assert time.monotonic() < end, self.said
            time.sleep(0.03)

    def end(self, number: int = signal.SIGINT) -> int:
        """Interrupt it; its exit status."""
        self.process.send_signal(number)
        return self.process.wait(BOUND_SECONDS)


def environment(env: dict[str, str]) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "default", **env}

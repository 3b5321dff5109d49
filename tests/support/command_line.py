"""Runs the command ``captions`` as a user does: a process of its own, in a folder of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BOUND_SECONDS = 180


@dataclass(frozen=True)
class Ran:
    """What a run left behind."""

    status: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


def captions(*arguments: str | Path, where: Path, **env: str) -> Ran:
    """Run ``captions`` with ``arguments`` in the folder ``where``, to its end."""
    run = subprocess.run(
        [sys.executable, "-m", "functions.cli", *map(str, arguments)],
        cwd=where,
        env=environment({"TMPDIR": str(where), **env}),
        capture_output=True,
        encoding="utf-8",
        timeout=BOUND_SECONDS,
    )
    return Ran(run.returncode, run.stdout, run.stderr)


@contextmanager
def serving(folder: Path, *arguments: str, **env: str) -> Iterator[Serve]:
    """``captions serve`` on ``folder``, on any free port; killed at the end if it still runs."""
    command = [sys.executable, "-m", "functions.cli", "serve", str(folder), "--port", "0"]
    log = folder.parent / "serve.txt"
    with log.open("w") as file:
        process = subprocess.Popen(
            [*command, *arguments],
            cwd=folder.parent,
            env=environment(env),
            stdout=file,
            stderr=file,
        )
        serve = Serve(process, folder, log)
        try:
            yield serve
        finally:
            process.kill()
            process.wait()


@dataclass
class Serve:
    """A running ``captions serve``."""

    process: subprocess.Popen[bytes]
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
        """What ``captions get`` says of a file."""
        run = captions("get", name, "--local", self.folder, "--json", where=self.folder)
        return run.records[0] if run.status == 0 else None

    def until(self, name: str, wanted: Callable[[dict[str, Any] | None], bool]) -> Any:
        """The document of a file once it is as wanted."""
        self.wait(lambda: wanted(self.document(name)))
        return self.document(name)

    def wait(self, true: Callable[[], bool]) -> None:
        end = time.monotonic() + BOUND_SECONDS
        while not true():
            assert self.process.poll() is None, self.said
            assert time.monotonic() < end, self.said
            time.sleep(0.1)

    def end(self, number: int = signal.SIGINT) -> int:
        """Interrupt it; its exit status."""
        self.process.send_signal(number)
        return self.process.wait(BOUND_SECONDS)


def environment(env: dict[str, str]) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "default", **env}

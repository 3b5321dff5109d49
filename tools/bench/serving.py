"""Servers in processes of their own, and uploads to send through a served function."""

from __future__ import annotations

import http.client
import io
import itertools
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import psutil
from PIL import Image, ImageDraw

from tests.support import deliveries, emulators

BUCKET = "bench"
_PATIENCE = 120
_COMMENTS = itertools.count(1)


class Failed(RuntimeError):
    """The benchmark cannot go on."""


@dataclass(frozen=True)
class Target:
    """A function to measure: ``source`` is its file."""

    label: str
    source: str
    name: str
    environment: Mapping[str, str] = field(default_factory=dict)

    def command(self, port: int) -> list[str]:
        framework = f"{os.path.dirname(sys.executable)}/functions-framework"
        where = ["--source", self.source, "--host", "127.0.0.1", "--port", str(port)]
        return [framework, "--target", self.name, *where]


@dataclass
class Parts:
    """The servers that a function talks to."""

    firestore: emulators.FirestoreEmulator
    storage: str
    model: str
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.environment = {
            **{name: os.environ[name] for name in ("HOME", "LANG", "PATH") if name in os.environ},
            "FIRESTORE_EMULATOR_HOST": self.firestore.host,
            "GEMINI_API_KEY": "test",
            "GOOGLE_CLOUD_PROJECT": emulators.PROJECT,
            "GOOGLE_GEMINI_BASE_URL": self.model,
            "NO_GCE_CHECK": "true",
            "STORAGE_EMULATOR_HOST": self.storage,
        }

    def upload(self, name: str, data: bytes) -> dict[str, Any]:
        """Store an object; its resource, as an event would carry it."""
        path = f"/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name={quote(name, safe='')}"
        headers = {"Content-Type": "image/jpeg"}
        return json.loads(_call(self.storage, "POST", path, data, headers)[1])

    def remove(self, name: str) -> None:
        _call(self.storage, "DELETE", f"/storage/v1/b/{BUCKET}/o/{quote(name, safe='')}")

    def label(self, name: str) -> str:
        """The alt text in an object's metadata."""
        path = f"/storage/v1/b/{BUCKET}/o/{quote(name, safe='')}"
        resource = json.loads(_call(self.storage, "GET", path)[1])
        return resource.get("metadata", {}).get("alt-text", "")


@contextmanager
def parts(delay: float = 0, embedding_delay: float = 0) -> Iterator[Parts]:
    """Firestore's emulator, strict storage and a model that takes ``delay`` seconds for a caption
    and ``embedding_delay`` for an embedding."""
    with (
        emulators.firestore() as firestore,
        _module("tests.support.strict_storage") as storage,
        _module("tests.support.model_server", *_delays(delay, embedding_delay)) as model,
    ):
        body = json.dumps({"name": BUCKET}).encode()
        kind = {"Content-Type": "application/json"}
        _call(storage, "POST", "/storage/v1/b?project=p", body, kind)
        yield Parts(firestore, storage, model)


def _delays(caption: float, embedding: float) -> tuple[str, ...]:
    return ("--delay", str(caption), "--embedding-delay", str(embedding))


class Served:
    """A function served by functions-framework, from the start of its process."""

    def __init__(self, target: Target, parts: Parts, threads: int = 8) -> None:
        self.target = target
        self.port = emulators.free_port()
        self._environment = {
            **parts.environment,
            **target.environment,
            "THREADS": str(threads),
        }

    def __enter__(self) -> Served:
        self.started = time.perf_counter()
        self._process = subprocess.Popen(
            self.target.command(self.port),
            env=self._environment,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def worker(self) -> psutil.Process:
        """The process that runs the function, once there is one: its parent listens before."""
        parent = psutil.Process(self._process.pid)
        while not (children := parent.children()):
            time.sleep(0.01)
        (worker,) = children
        return worker

    def processor_seconds(self) -> float:
        """Processor time that the worker has taken so far."""
        times = self.worker().cpu_times()
        return times.user + times.system

    def deliver(self, resource: dict[str, Any]) -> float:
        """Deliver one upload's event; the seconds until it was acknowledged."""
        headers, data = deliveries.storage_event(resource)
        begun = time.perf_counter()
        url = f"http://127.0.0.1:{self.port}"
        status, said = _call(url, "POST", "/", json.dumps(data).encode(), headers)
        taken = time.perf_counter() - begun
        if status >= 300:
            raise Failed(f"{self.target.label} answered {status}: {said[:300]!r}")
        return taken

    def _wait(self) -> None:
        while time.perf_counter() - self.started < _PATIENCE:
            if self._process.poll() is not None:
                raise Failed(f"{' '.join(self.target.command(self.port))} ended at its start")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.002)
        raise Failed(f"{self.target.label} did not start")


def draw(width: int, height: int, quality: int = 80) -> bytes:
    """A JPEG with the detail of a photo: broad shapes under fine grain."""
    chance = random.Random(width)
    grain = Image.effect_noise((width // 4, height // 4), 60).resize((width, height))
    sky = Image.linear_gradient("L").resize((width, height))
    picture = Image.merge("RGB", (grain, sky, Image.blend(grain, sky, 0.5)))
    pen = ImageDraw.Draw(picture)
    for _ in range(60):
        x, y, size = chance.randrange(width), chance.randrange(height), chance.randrange(width // 8)
        colour = tuple(chance.randrange(256) for _ in range(3))
        pen.ellipse((x, y, x + size, y + size), fill=colour)
    picture = Image.blend(picture, Image.effect_noise((width, height), 25).convert("RGB"), 0.2)
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Bench", 1  # camera maker, orientation
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality, exif=exif)
    return file.getvalue()


def distinct(jpeg: bytes) -> bytes:
    """The same picture in a file of its own, by a JPEG comment."""
    comment = b"picture %08d" % next(_COMMENTS)
    return jpeg[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + jpeg[2:]


@contextmanager
def _module(name: str, *flags: str) -> Iterator[str]:
    """A stand-in in a process of its own; its address."""
    command = [sys.executable, "-m", name, "--port", "0", *flags]
    process = emulators.start(command, {"PYTHONUNBUFFERED": "1"}, subprocess.PIPE)
    try:
        line = process.stdout.readline().decode() if process.stdout else ""
        if "=http://" not in line:
            raise Failed(f"{name} did not start: {line}")
        yield line.strip().partition("=")[2]
    finally:
        emulators.stop(process)
        if process.stdout:
            process.stdout.close()


def _call(
    url: str, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=_PATIENCE)
    try:
        connection.request(method, path, body or None, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()

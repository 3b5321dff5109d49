"""The one place that chooses adapters; everything is built once, when it is first needed."""

from __future__ import annotations

import functools
import gc
import importlib
import importlib.util
import os
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from functions.domain import Accepts, Answer, Picture, Prompt
from functions.errors import ConfigurationError
from functions.policy import Policy
from functions.ports import Captioner, CaptionStore, Embedder, ImageStore
from functions.providers import PROVIDERS
from functions.settings import POLICY_FILE, Model, Settings

if TYPE_CHECKING:
    from functions.captioning import Captioning
    from functions.removals import Forgetting
    from functions.web.alt_text import AltText

T = TypeVar("T")

# Entry points that ask no model for words, and start without its key.
WITHOUT_MODEL = frozenset({"forget_image", "alt_text", "review"})

# Seconds a thread keeps the interpreter while two of them import: at the usual 5 ms they take
# a tenth more of the processor.
_TURN, _LONG_TURN = sys.getswitchinterval(), 0.05


class Loading:
    """A captioner whose SDK is imported while the first image is claimed and downloaded.

    Until that is done nothing is garbage-collected: what imports make stays, and looking
    through it time and again takes a seventh of a cold start (0.96 s, or 0.82 s without).
    """

    def __init__(self, model: str, load: Callable[[], Captioner]) -> None:
        self.model = model
        self._load = load
        self._loaded: Future[Captioner] = Future()
        gc.disable()
        sys.setswitchinterval(_LONG_TURN)
        threading.Thread(target=self._run, name="load", daemon=True).start()

    def _run(self) -> None:
        try:
            self._loaded.set_result(self._load())
        except BaseException as error:
            self._loaded.set_exception(error)
        finally:
            sys.setswitchinterval(_TURN)
            gc.freeze()
            gc.enable()

    @property
    def accepts(self) -> Accepts:
        return self._loaded.result().accepts

    def describe(self, picture: Picture, prompt: Prompt) -> Answer:
        return self._loaded.result().describe(picture, prompt)

    def close(self) -> None:
        if self._loaded.exception() is None:
            self._loaded.result().close()


class Late:
    """A captioner that is built when it is first asked, as one to fall back on may never be."""

    def __init__(self, model: str, load: Callable[[], Captioner]) -> None:
        self.model = model
        self._load = load
        self._made: Captioner | None = None
        self._lock = threading.Lock()

    @property
    def accepts(self) -> Accepts:
        return self._captioner().accepts

    def describe(self, picture: Picture, prompt: Prompt) -> Answer:
        return self._captioner().describe(picture, prompt)

    def close(self) -> None:
        if self._made:
            self._made.close()

    def _captioner(self) -> Captioner:
        with self._lock:
            self._made = self._made or self._load()
            return self._made


def start(target: str) -> None:
    """Read the settings for the entry point of this name, or for all of them if it is empty.

    Raises ConfigurationError, also for a missing key where the entry point asks a model.
    """
    read = settings()
    if target not in WITHOUT_MODEL:
        require_package(read.model)
        require_key(read.model, os.environ)


@functools.cache
def settings() -> Settings:
    """The environment's settings. Raises ConfigurationError."""
    return Settings.from_env(os.environ)


@functools.cache
def captioning() -> Captioning:
    """The use cases on the adapters that the settings name."""
    gc.disable()  # see Loading, which ends it
    try:
        return build(settings())
    except BaseException:
        gc.enable()
        raise


def build(settings: Settings, captions: CaptionStore | None = None) -> Captioning:
    """The use cases by ``settings``, on the store that they name or on ``captions``."""
    from functions.captioning import Captioning

    seconds = settings.timeout_seconds
    # The stores before the model: two threads that import at once only hinder each other.
    captions, images_ = captions or store(settings), images(settings)
    first, *rest = settings.model.chain
    return Captioning(
        settings,
        policy(settings),
        captions,
        images_,
        Loading(str(first), functools.partial(captioner, first, seconds)),
        fallbacks=[Late(str(each), functools.partial(captioner, each, seconds)) for each in rest],
    )


@functools.cache
def forgetting() -> Forgetting:
    """The use case of deletions, without a model."""
    from functions.removals import Forgetting

    return Forgetting(store(settings()), images(settings()))


@functools.cache
def alt_text() -> AltText:
    """The public lookups. They open the store when they first need it, and do not remember what
    a folder's says: it costs nothing to read, and people watch their edits there."""
    from functions.web.alt_text import AltText
    from functions.web.memory import SECONDS

    seconds = 0 if settings().local else SECONDS
    return AltText(settings(), functools.cache(lambda: store(settings())), seconds)


def captioner(model: Model, timeout_seconds: float) -> Captioner:
    """The captioner of ``model``; its SDK is imported here."""
    require_package(model)
    provider = PROVIDERS[model.provider]
    adapter = getattr(importlib.import_module(provider.module), provider.adapter)
    made: Captioner = adapter(model.name, timeout_seconds)
    return made


def embedder(settings: Settings) -> Embedder | None:
    """The model that places words among meanings; None where there is none to ask."""
    return None


def store(settings: Settings) -> CaptionStore:
    """Firestore, or the database in the folder of CAPTION_LOCAL. Raises ConfigurationError if
    it is out of reach."""
    if folder := settings.local:
        from functions.stores.folder import database
        from functions.stores.sqlite import SqliteCaptions

        return _opened(lambda: SqliteCaptions(database(folder)), settings)
    from google.cloud import firestore

    from functions.stores.firestore import FirestoreCaptions

    client = _opened(lambda: firestore.Client(database=settings.database), settings)
    return FirestoreCaptions(client, settings.collection)


def images(settings: Settings) -> ImageStore:
    """Cloud Storage, or the folder of CAPTION_LOCAL. Raises ConfigurationError if it is out of
    reach."""
    if folder := settings.local:
        from functions.stores.folder import FolderImages

        return _opened(lambda: FolderImages(folder), settings)
    from google.cloud import storage

    from functions.stores.gcs import CloudStorageImages

    return CloudStorageImages(_opened(storage.Client, settings))


def _opened(open_: Callable[[], T], settings: Settings) -> T:
    """What ``open_`` builds; what it raises is a setting's fault, said with the remedy."""
    import sqlite3

    from google.auth.exceptions import GoogleAuthError

    try:
        return open_()
    except (OSError, sqlite3.Error, GoogleAuthError) as error:
        reason = str(error).partition(". ")[0].rstrip(".")
        if settings.local:
            raise ConfigurationError(
                f"CAPTION_LOCAL={settings.local}: {reason}; choose a folder that you may write to"
            ) from error
        raise ConfigurationError(
            f"Google Cloud cannot be reached: {reason}. Run `gcloud auth application-default "
            "login` and set GOOGLE_CLOUD_PROJECT; or set CAPTION_LOCAL (or --local) to a folder "
            "to work without it."
        ) from error


def policy(settings: Settings) -> Policy:
    """The rules of CAPTION_POLICY, or of captions.toml beside main.py; none if there is neither."""
    beside = Path(__file__).resolve().parent.parent / POLICY_FILE
    path = settings.policy or (beside if beside.is_file() else None)
    return Policy.load(path) if path else Policy.empty()


def require_key(model: Model, env: Mapping[str, str]) -> None:
    """Raise ConfigurationError if ``env`` has nothing to call a model's provider with."""
    for each in model.chain:
        provider = PROVIDERS[each.provider]
        needed = [f"{key}=true" if key == provider.switch else key for key in provider.keys]
        if provider.own_servers:
            if env.get(provider.endpoint):
                continue
            needed.append(f"{provider.endpoint} to a server of your own")
        if needed and not any(provider.holds(env, key) for key in provider.keys):
            raise ConfigurationError(
                f"CAPTION_MODEL={each} needs {needed[0]}. Set it, or "
                f"{'; or '.join(needed[1:])}; or CAPTION_MODEL=offline to work without a model."
            )


def require_package(model: Model) -> None:
    """Raise ConfigurationError if the SDK of a model's provider is not installed."""
    for each in model.chain:
        provider = PROVIDERS[each.provider]
        if provider.package and not _installed(provider.package):
            raise ConfigurationError(
                f"CAPTION_MODEL={each} needs the package {provider.package}: "
                f"pip install {provider.install}"
            )


def _installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:  # a package above it is missing
        return False

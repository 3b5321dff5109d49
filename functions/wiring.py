"""The one place that chooses adapters; everything is built once, when it is first needed."""

from __future__ import annotations

import functools
import gc
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from functions.domain import Accepts, Answer, Picture, Prompt
from functions.errors import ConfigurationError
from functions.policy import Policy
from functions.ports import Captioner, CaptionStore, ImageStore
from functions.settings import POLICY_FILE, Model, Settings

if TYPE_CHECKING:
    from functions.captioning import Captioning
    from functions.removals import Forgetting

T = TypeVar("T")

_KEYS = {
    "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GENAI_USE_ENTERPRISE"),
}


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
        threading.Thread(target=self._run, name="load", daemon=True).start()

    def _run(self) -> None:
        try:
            self._loaded.set_result(self._load())
        except BaseException as error:
            self._loaded.set_exception(error)
        finally:
            gc.freeze()
            gc.enable()

    @property
    def accepts(self) -> Accepts:
        return self._loaded.result().accepts

    def describe(self, picture: Picture, prompt: Prompt) -> Answer:
        return self._loaded.result().describe(picture, prompt)


@functools.cache
def settings() -> Settings:
    """The environment's settings. Raises ConfigurationError, also for a missing key."""
    read = Settings.from_env(os.environ)
    require_key(read.model, os.environ)
    return read


@functools.cache
def captioning() -> Captioning:
    """The use cases on the adapters that the settings name."""
    model = Loading(str(settings().model), lambda: captioner(settings()))
    from functions.captioning import Captioning

    return Captioning(settings(), policy(settings()), store(settings()), images(settings()), model)


@functools.cache
def forgetting() -> Forgetting:
    """The use case of deletions, without a model."""
    from functions.removals import Forgetting

    return Forgetting(store(settings()), images(settings()))


def captioner(settings: Settings) -> Captioner:
    """The captioner of the model that the settings name; its SDK is imported here."""
    if settings.model.provider == "offline":
        from functions.captioners.offline import OfflineCaptioner

        return OfflineCaptioner()
    if settings.model.provider == "gemini":
        from functions.captioners.gemini import GeminiCaptioner

        return GeminiCaptioner(settings.model.name, settings.timeout_seconds)
    raise ConfigurationError(f"CAPTION_MODEL={settings.model}: this provider is not built in yet")


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
    """Raise ConfigurationError if ``env`` has nothing to call the model's provider with."""
    names = _KEYS.get(model.provider, ())
    if names and not any(env.get(name) for name in names):
        raise ConfigurationError(
            f"CAPTION_MODEL={model} needs {names[0]}. Set it, or "
            f"{'; or '.join(names[1:])}; or CAPTION_MODEL=offline to work without a model."
        )

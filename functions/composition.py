"""The one place that chooses adapters; everything is built once, when it is first needed."""

from __future__ import annotations

import atexit
import functools
import gc
import importlib
import importlib.util
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from functions.core.document import CaptionRequest, Document
from functions.core.errors import ConfigurationError
from functions.core.policy import Policy
from functions.core.ports import Captioner, CaptionStore, Embedder, Gallery, ImageStore
from functions.model import prices
from functions.model.late import EagerCaptioner, LateCaptioner, LateEmbedder
from functions.providers import PROVIDERS
from functions.settings import POLICY_FILE, Model, Settings, misspelt

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from flask import Flask
    from google.cloud import storage

    from functions.adapters.pubsub import RequestTopic
    from functions.http.alt_text import AltTextEndpoint
    from functions.http.ask import AskEndpoint
    from functions.http.review import ReviewEndpoint
    from functions.model.embeddings import Embeddings
    from functions.usecases.ask_about_image import Answering
    from functions.usecases.caption_image import Captioning
    from functions.usecases.describe_in_place import DescribingInPlace
    from functions.usecases.edit_caption import Editing
    from functions.usecases.forget_image import Forgetting
    from functions.usecases.keep import Keeping
    from functions.usecases.request_translations import RequestTranslations, Wanted

T = TypeVar("T")

# Entry points that the platform calls with events.
ON_EVENTS = frozenset({"caption_image", "forget_image", "caption_request", "keep"})
# Entry points that ask no model for words, and start without its key.
WITHOUT_MODEL = frozenset({"forget_image", "keep", "alt_text", "review"})
# Entry points that go by no rule of the policy file.
WITHOUT_RULES = frozenset({"forget_image", "alt_text"})
# How Google's clients want to be told where an emulator is.
_PLACE = r"(?:[\w.-]+|\[[0-9a-fA-F:.]+\])"
_EMULATORS = (
    ("STORAGE_EMULATOR_HOST", rf"https?://{_PLACE}(?::\d{{1,5}})?/?", "http://localhost:9023"),
    ("FIRESTORE_EMULATOR_HOST", rf"{_PLACE}:\d{{1,5}}", "localhost:8080"),
    ("PUBSUB_EMULATOR_HOST", rf"{_PLACE}:\d{{1,5}}", "localhost:8085"),
)
# A caption that is saved already waits no longer than this for its embedding.
EMBEDDING_SECONDS = 10.0


def start(target: str) -> list[str]:
    """Read the settings for the entry point of this name, or for all of them if it is empty; what
    is to be said of them.

    Raises ConfigurationError, also for a missing key where the entry point asks a model.
    """
    read = settings()
    if read.local is None:
        require_hosts(os.environ)
    if target not in WITHOUT_RULES:
        policy(read)
    if target not in WITHOUT_MODEL:
        require_package(read.model)
        require_key(read.model, os.environ)
        _require_similarity(read)
        prices.table(read.prices)
    if target == "ask":
        _require_answers(read.model)
    return misspelt(os.environ)


@functools.cache
def settings() -> Settings:
    """The environment's settings. Raises ConfigurationError."""
    return Settings.from_env(os.environ)


@functools.cache
def captioning() -> Captioning:
    """The use cases on the adapters that the settings name."""
    gc.disable()  # see EagerCaptioner, which ends it
    try:
        if share := settings().traces:
            from functions.adapters import cloud_trace
            from functions.core import spans

            spans.record(cloud_trace.opener(share))
        made = build(settings())
        # What Cloud Run's SIGTERM comes to, once the running events have ended.
        atexit.register(made.give_back)
        return made
    except BaseException:
        gc.enable()
        raise


def build(settings: Settings, captions: CaptionStore | None = None) -> Captioning:
    """The use cases by ``settings``, on the store that they name or on ``captions``."""
    from functions.model import client
    from functions.usecases.caption_image import Captioning

    _require_similarity(settings)
    seconds = settings.timeout_seconds
    # The stores before the model: two threads that import at once only hinder each other.
    captions, objects = captions or store(settings), images(settings)
    first, *rest = settings.model.chain
    embedding = embedder(settings)

    def ahead() -> None:
        if settings.filter != "off":
            client.read_rules(settings.languages)
        if embedding:
            embedding.accepts  # noqa: B018 - builds it

    return Captioning(
        settings,
        policy(settings),
        captions,
        objects,
        EagerCaptioner(str(first), functools.partial(captioner, first, seconds), ahead),
        fallbacks=[
            LateCaptioner(str(each), functools.partial(captioner, each, seconds)) for each in rest
        ],
        embedder=embedding,
    )


@functools.cache
def forgetting() -> Forgetting:
    """The use case of deletions, without a model."""
    from functions.usecases.forget_image import Forgetting

    return Forgetting(store(settings()), images(settings()))


@functools.cache
def keeping() -> Keeping:
    """The use case of a clock: what waits is taken up, what has come apart is mended."""
    return keeping_with(settings(), captioning)


def keeping_with(settings: Settings, captioning: Callable[[], Captioning]) -> Keeping:
    """What a clock starts, by ``settings``; it asks ``captioning`` where there is no topic."""
    from functions.core.clock import Clock
    from functions.usecases.keep import Keeping
    from functions.usecases.reconcile import Reconciler
    from functions.usecases.request_captions import RequestCaptions

    def publish(names: Sequence[tuple[str, str]]) -> None:
        from functions.adapters import pubsub

        pubsub.publish(settings, [(bucket, name, None, False) for bucket, name in names])

    captions, objects, local = store(settings), images(settings), settings.local
    rules, embeddings = policy(settings), embeddings_of(settings)
    buckets = settings.public_buckets or ()
    if local:
        from functions.adapters.folder import BUCKET

        buckets = (BUCKET,)
    return Keeping(
        captions,
        objects,
        Reconciler(captions, objects, rules, embeddings, timedelta(0)),
        RequestCaptions(None if local else publish, _with_key(settings, captioning)),
        Clock(),
        daily_limit=settings.daily_limit,
        translate=_translations(settings, captioning).until,
        translation_limit=settings.translation_daily_limit,
        buckets=buckets,
    )


def _with_key(settings: Settings, captioning: Callable[[], Captioning]) -> Callable[[], Captioning]:
    """``captioning``, which raises ConfigurationError where the model cannot be asked."""

    def checked() -> Captioning:
        require_package(settings.model)
        require_key(settings.model, os.environ)
        return captioning()

    return checked


@functools.cache
def alt_text() -> AltTextEndpoint:
    """The public lookups. They open the store when they first need it, and do not remember what
    a folder's says: it costs nothing to read, and people watch their edits there."""
    from functions.http.alt_text import AltTextEndpoint
    from functions.http.cache import SECONDS

    seconds = 0 if settings().local else SECONDS
    captions = functools.cache(lambda: store(settings()))
    return AltTextEndpoint(settings(), captions, seconds, request_translations())


def serve_lookups(app: Flask) -> None:
    """Let ``app`` serve :func:`alt_text` by itself: finding the only view that there is takes the
    framework a third of the processor time of a lookup that is remembered, and a sixth of another.
    """

    def served(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return alt_text().serve(environ, start_response)

    app.wsgi_app = served  # type: ignore[method-assign]


@functools.cache
def request_translations() -> RequestTranslations:
    """What asks for translations: the function ``caption_request``, or with CAPTION_LOCAL a queue
    of this process."""
    return _translations(settings(), captioning)


def _translations(settings: Settings, captioning: Callable[[], Captioning]) -> RequestTranslations:
    from functions.usecases.request_translations import RequestTranslations

    def publish(wanted: Sequence[Wanted]) -> None:
        _request_topic(settings.request_topic).translate(wanted)

    local = settings.local is not None
    return RequestTranslations(None if local else publish, _with_key(settings, captioning))


@functools.cache
def _request_topic(topic: str) -> RequestTopic:
    from functions.adapters.pubsub import RequestTopic

    return RequestTopic(topic)


@functools.cache
def ask() -> AskEndpoint:
    """Questions about images, for people who may spend model calls on them."""
    from functions.http.ask import AskEndpoint

    return AskEndpoint(settings(), public_answering if settings().ask_public else answering)


@functools.cache
def answering() -> Answering:
    """The use case of questions, by the environment's settings."""
    made = answering_by(settings())
    atexit.register(made.give_back)
    return made


@functools.cache
def public_answering() -> Answering:
    """As :func:`answering`, for everyone."""
    made = answering_by(settings(), public=True)
    atexit.register(made.give_back)
    return made


def answering_by(settings: Settings, *, public: bool = False) -> Answering:
    """The use case of questions by ``settings``, for the ``public`` or for who may see all of an
    image. Raises ConfigurationError where no model is there to answer."""
    from functions.usecases.ask_about_image import Answering

    _require_answers(settings.model)
    seconds = settings.timeout_seconds
    captioners = [
        LateCaptioner(str(each), functools.partial(captioner, each, seconds))
        for each in settings.model.chain
    ]
    return Answering(
        settings, policy(settings), store(settings), images(settings), captioners, public=public
    )


def describing_by(settings: Settings) -> DescribingInPlace:
    """The use case of alt text for places in pages, by ``settings``. Raises ConfigurationError
    where no model is there that looks at pictures."""
    from functions.usecases.describe_in_place import DescribingInPlace

    if settings.model.provider == "offline":
        raise ConfigurationError(
            "CAPTION_MODEL=offline writes no alt text for places in pages; choose a model, such as "
            "CAPTION_MODEL=gemini:gemini-3.5-flash-lite, and set its key"
        )
    seconds = settings.timeout_seconds
    captioners = [
        LateCaptioner(str(each), functools.partial(captioner, each, seconds))
        for each in settings.model.chain
        if each.provider != "offline"
    ]
    rules = policy(settings)
    return DescribingInPlace(settings, rules, store(settings), images(settings), captioners)


@functools.cache
def review() -> ReviewEndpoint:
    """The review page, for people who may change captions."""
    from functions.http.review import ReviewEndpoint
    from functions.model.embeddings import Embeddings
    from functions.usecases.fetch_picture import PictureFetcher
    from functions.usecases.thumbnail import Thumbnails

    read = settings()
    captions, model = store(read), embedder(read)
    return ReviewEndpoint(
        captions,
        gallery(read),
        editing(read, captions, Embeddings(model, read.prices), request_translations()),
        Thumbnails(PictureFetcher.by(read, images(read))),
        functools.partial(recaption, read),
        (lambda text: model.question(text).vector) if model else None,
        "local" if read.local else "unknown",
        answering if answers(read) else None,
    )


def editing(
    settings: Settings,
    captions: CaptionStore,
    embeddings: Embeddings | None = None,
    ask: Callable[[list[Wanted]], None] | None = None,
) -> Editing:
    """The use case of people's changes, on the store ``captions``. Translations that become due are
    asked for by ``ask``; without it by a message, in a folder by who keeps it."""
    from functions.usecases import translate
    from functions.usecases.edit_caption import Editing

    embedding = embeddings or embeddings_of(settings)
    return Editing(
        captions,
        images(settings),
        embedding,
        settings.languages[0],
        named=settings.reviewers == "named",
        ask=ask or (_nobody if settings.local else _translations(settings, captioning)),
        offered=functools.partial(translate.offered, settings, policy(settings)),
    )


def _nobody(wanted: list[Wanted]) -> None:
    pass


def recaption(settings: Settings, document: Document) -> None:
    """Ask for another caption of an image: of the function ``caption_request``, or with
    CAPTION_LOCAL here and now. Raises what stands in the way."""
    if settings.local is None:
        from functions.adapters import pubsub

        image_request = (document.bucket, document.name, document.generation, True)
        return pubsub.publish(settings, [image_request])
    from functions.core.report import Report

    require_key(settings.model, os.environ)
    now = datetime.now(UTC)
    request = CaptionRequest(document.bucket, document.name, now, document.generation, force=True)
    captioning().request(request, Report())


def gallery(settings: Settings) -> Gallery:
    """Shows the images that :func:`images` holds."""
    from functions.adapters.gallery import FolderGallery, SignedAddresses

    if folder := settings.local:
        return FolderGallery(folder)
    return SignedAddresses(_bucket_client(settings))


def captioner(model: Model, timeout_seconds: float) -> Captioner:
    """The captioner of ``model``; its SDK is imported here."""
    require_package(model)
    provider = PROVIDERS[model.provider]
    if provider.package and _installed("httpx2"):
        from functions.adapters import picture_transport

        picture_transport.load_trust()
    adapter = getattr(importlib.import_module(provider.module), provider.adapter)
    made: Captioner = adapter(model.name, timeout_seconds)
    return made


def embedder(settings: Settings) -> Embedder | None:
    """The model of meanings, its SDK imported when it is first asked; None where there is none:
    CAPTION_EMBEDDING_MODEL is empty, CAPTION_MODEL is ``offline``, or nothing lets Gemini be
    called."""
    name, gemini = settings.embedding_model, PROVIDERS["gemini"]
    if not name or settings.model.provider == "offline" or not _installed(gemini.package):
        return None
    if not any(gemini.holds(os.environ, key) for key in gemini.keys):
        return None
    seconds = min(EMBEDDING_SECONDS, settings.timeout_seconds)

    def load() -> Embedder:
        from functions.adapters.gemini_embeddings import GeminiEmbedder

        return GeminiEmbedder(name, seconds)

    return LateEmbedder(f"gemini:{name}", load)


def embeddings_of(settings: Settings) -> Embeddings:
    """What embeds captions by ``settings``, with or without a model to ask."""
    from functions.model.embeddings import Embeddings

    return Embeddings(embedder(settings), settings.prices)


def store(settings: Settings) -> CaptionStore:
    """Firestore, or the database in the folder of CAPTION_LOCAL, which tells CAPTION_EVENTS_TOPIC
    of what ends. Raises ConfigurationError if it is out of reach."""
    if topic := settings.events_topic:
        from functions.adapters.announced_captions import AnnouncedCaptions
        from functions.adapters.pubsub import EventsTopic

        withhold = settings.unreviewed == "withhold"
        announced = AnnouncedCaptions(
            _store(settings), EventsTopic(topic).publish, withhold=withhold
        )
        return cast(CaptionStore, announced)
    return _store(settings)


def _store(settings: Settings) -> CaptionStore:
    if folder := settings.local:
        from functions.adapters.folder import database
        from functions.adapters.sqlite import SqliteCaptions

        return _opened(lambda: SqliteCaptions(database(folder)), settings)
    from google.cloud import firestore

    from functions.adapters.firestore import FirestoreCaptions

    client = _opened(lambda: firestore.Client(database=settings.database), settings)
    return FirestoreCaptions(client, settings.collection)


def records(settings: Settings, collection: str) -> Iterator[Mapping[str, Any]]:
    """The documents of another collection of the captions' database, a few hundred at a time.
    Raises ConfigurationError if it is out of reach."""
    from google.cloud import firestore

    from functions.adapters.firestore import records

    client = _opened(lambda: firestore.Client(database=settings.database), settings)
    return records(client, collection)


@functools.cache
def images(settings: Settings) -> ImageStore:
    """Cloud Storage, or the folder of CAPTION_LOCAL. Raises ConfigurationError if it is out of
    reach."""
    if folder := settings.local:
        from functions.adapters.folder import FolderImages

        return _opened(lambda: FolderImages(folder), settings)
    from functions.adapters.gcs import CloudStorageImages

    return CloudStorageImages(_bucket_client(settings))


@functools.cache
def _bucket_client(settings: Settings) -> storage.Client:
    """Cloud Storage's client, one for reading images and for showing them."""
    from google.cloud import storage

    return _opened(storage.Client, settings)


def _opened(open_: Callable[[], T], settings: Settings) -> T:
    """What ``open_`` builds; what it raises is a setting's fault, said with the remedy."""
    import sqlite3

    from google.auth.exceptions import GoogleAuthError

    try:
        return open_()
    except (OSError, sqlite3.Error, GoogleAuthError) as error:
        reason = str(error.args[0] if isinstance(error, GoogleAuthError) else error)
        reason = reason.partition(". ")[0].rstrip(".")
        if settings.local:
            raise ConfigurationError(
                f"CAPTION_LOCAL={settings.local}: {reason}; choose a folder that you may write to"
            ) from error
        file = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS")
        first = "Mend or unset GOOGLE_APPLICATION_CREDENTIALS, run" if file else "Run"
        raise ConfigurationError(
            f"Google Cloud cannot be reached: {reason}. {first} `gcloud auth application-default "
            "login` and set GOOGLE_CLOUD_PROJECT; or set CAPTION_LOCAL (or --local) to a folder "
            "to work without it."
        ) from error


def policy(settings: Settings) -> Policy:
    """The rules of :func:`policy_file`; none if there is no such file.

    Raises ConfigurationError.
    """
    path = policy_file(settings)
    try:
        found = Policy.load(path) if path else Policy.empty()
    except ConfigurationError as error:
        raise ConfigurationError(f"CAPTION_POLICY: {error}") if settings.policy else error from None
    return found.without_videos() if settings.video == "off" else found


def policy_file(settings: Settings) -> Path | None:
    """The file that CAPTION_POLICY names, or captions.toml beside main.py, if there is one."""
    beside = Path(__file__).resolve().parent.parent / POLICY_FILE
    return settings.policy or (beside if beside.is_file() else None)


def where(settings: Settings) -> str:
    """Where :func:`store` keeps captions, for people who find something else than they expect."""
    if settings.local:
        return f"the folder {settings.local}"
    project = os.environ.get("GOOGLE_CLOUD_PROJECT") or "of your login"
    return (
        f"the collection {settings.collection} of the database {settings.database}, "
        f"project {project}"
    )


def require_key(model: Model, env: Mapping[str, str]) -> None:
    """Raise ConfigurationError if ``env`` has nothing to call a model's provider with, or what
    cannot be called."""
    for each in model.chain:
        provider = PROVIDERS[each.provider]
        if fault := provider.fault(env):
            raise ConfigurationError(fault)
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


def require_hosts(env: Mapping[str, str]) -> None:
    """Raise ConfigurationError if ``env`` names an emulator as its client does not take it."""
    for name, form, like in _EMULATORS:
        value = env.get(name, "")
        if value and not re.fullmatch(form, value):
            raise ConfigurationError(
                f"{name}={value!r} is no address of an emulator; write it like {like}, or unset "
                "it to use Google Cloud"
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


def answers(settings: Settings) -> bool:
    """Whether there is a model to answer questions, by what can be told without asking it."""
    try:
        _require_answers(settings.model)
        require_package(settings.model)
        require_key(settings.model, os.environ)
    except ConfigurationError:
        return False
    return bool(settings.ask_daily_limit)


def _require_answers(model: Model) -> None:
    if model.provider == "offline":
        raise ConfigurationError(
            "CAPTION_MODEL=offline answers no questions; choose a model, such as "
            "CAPTION_MODEL=gemini:gemini-3.5-flash-lite, and set its key"
        )


def _require_similarity(settings: Settings) -> None:
    if settings.filter == "similarity" and embedder(settings) is None:
        raise ConfigurationError(
            "CAPTION_FILTER=similarity needs a model that sees the pictures: set GEMINI_API_KEY "
            "and CAPTION_EMBEDDING_MODEL=gemini-embedding-2, or CAPTION_FILTER=rules"
        )


def _installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:  # a package above it is missing
        return False

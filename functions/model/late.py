"""Models whose SDKs are imported late: beside the first image's download, or when first asked."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Generic, TypeVar

from functions.core.document import Accepts, Answer, Embedding, Picture, Prompt
from functions.core.ports import Captioner, Embedder

M = TypeVar("M", Captioner, Embedder)

# Seconds a thread keeps the interpreter while two of them import: at the usual 5 ms they take
# a tenth more of the processor.
_TURN, _LONG_TURN = sys.getswitchinterval(), 0.05


class EagerCaptioner:
    """A captioner whose SDK is imported while the first image is claimed and downloaded; ``ahead``
    runs while its first answer is waited for, and what that raises is nobody's.

    Until that is done nothing is garbage-collected: what imports make stays, and looking
    through it time and again takes a seventh of a cold start (0.96 s, or 0.82 s without).
    """

    def __init__(
        self, model: str, load: Callable[[], Captioner], ahead: Callable[[], object]
    ) -> None:
        self.model = model
        self._load, self._ahead = load, ahead
        self._loaded: Future[Captioner] = Future()
        gc.disable()
        sys.setswitchinterval(_LONG_TURN)
        threading.Thread(target=self._run, name="load", daemon=True).start()

    def _run(self) -> None:
        try:
            self._loaded.set_result(self._load())
        except BaseException as error:
            self._loaded.set_exception(error)
        sys.setswitchinterval(_TURN)
        try:
            with suppress(Exception):
                self._ahead()
        finally:
            gc.freeze()
            gc.enable()

    @property
    def accepts(self) -> Accepts:
        return self._loaded.result().accepts

    def describe(self, picture: Picture | None, prompt: Prompt) -> Answer:
        return self._loaded.result().describe(picture, prompt)

    def close(self) -> None:
        if self._loaded.exception() is None:
            self._loaded.result().close()


class Late(Generic[M]):
    """A model that is built when it is first asked, as one to fall back on may never be."""

    def __init__(self, model: str, load: Callable[[], M]) -> None:
        self.model = model
        self._load: Callable[[], M] = load
        self._made: M | None = None
        self._lock = threading.Lock()

    @property
    def accepts(self) -> Accepts:
        return self._built().accepts

    def close(self) -> None:
        if self._made:
            self._made.close()

    def _built(self) -> M:
        with self._lock:
            self._made = self._made or self._load()
            return self._made


class LateCaptioner(Late[Captioner]):
    """A Captioner that is built when it is first asked."""

    def describe(self, picture: Picture | None, prompt: Prompt) -> Answer:
        return self._built().describe(picture, prompt)


class LateEmbedder(Late[Embedder]):
    """An Embedder that is built when it is first asked: after a caption is saved."""

    def question(self, text: str) -> Embedding:
        return self._built().question(text)

    def words(self, text: str) -> Embedding:
        return self._built().words(text)

    def picture(self, picture: Picture) -> Embedding:
        return self._built().picture(picture)

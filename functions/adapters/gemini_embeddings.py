"""Gemini's embeddings: words and pictures in one space, by ``embedContent``.

What is asked for stands in the text: "task: search result | query: ..." for a question and
"title: none | text: ..." for a document ("Embeddings", Gemini API documentation);
gemini-embedding-2 takes no notice of the ``task_type`` that gemini-embedding-001 had.

Texts of those who ask at the same moment go in one call, each as a content of its own: half of the
processor time, and a quota of calls a minute lasts longer.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from google.genai import types

from functions.adapters.google_genai import Connection, Content, Part
from functions.core.document import Accepts, Embedding, Picture
from functions.core.errors import CaptionError, ConfigurationError, PermanentError, TransientError
from functions.core.gathered_calls import GatheredCalls

# "Supported MIME types: image/png, image/jpeg", Gemini Embedding 2, Vertex AI documentation.
ACCEPTS = Accepts(frozenset({"image/png", "image/jpeg"}), max_bytes=14 * 2**20, max_side=8192)
# What documents hold and the vector index is made for.
_DIMENSIONS = 768
_QUESTION = "task: search result | query: "
_DOCUMENT = "title: none | text: "
# Calls for texts that go on at once before others wait for a moment, and texts in one of them.
_CALLS, _TEXTS = 2, 16


class _OneByOne(Exception):
    """Several texts in one call are declined, or not answered one for one."""


# An embedding, or what is wrong with it: one of several costs the others nothing.
_Made = Embedding | CaptionError


class GeminiEmbedder:
    """An Embedder of 768 dimensions. No retries of its own."""

    accepts = ACCEPTS

    def __init__(self, model: str, timeout_seconds: float) -> None:
        self.model = f"gemini:{model}"
        self._name = model
        self._connection = Connection(
            timeout_seconds, "CAPTION_EMBEDDING_MODEL", f"{timeout_seconds:g} s"
        )
        self._together = GatheredCalls(self._of_texts, _CALLS, _TEXTS)
        self._one_by_one = False

    def question(self, text: str) -> Embedding:
        return _embedding(self._of([Part(text=_QUESTION + text)])[0])

    def words(self, text: str) -> Embedding:
        if not self._one_by_one:
            try:
                return _embedding(self._together.call([text])[text])
            except _OneByOne:
                self._one_by_one = True
        try:
            return _embedding(self._of_texts([text])[text])
        except (PermanentError, ConfigurationError):
            self._one_by_one = False  # it was declined for this text, not for being several
            raise

    def picture(self, picture: Picture) -> Embedding:
        with self._connection.sending(picture) as (image, options):
            return _embedding(self._of(image, options)[0])

    def close(self) -> None:
        """Let go of connections."""
        self._connection.close()

    def _of_texts(self, texts: Iterable[str]) -> Mapping[str, _Made]:
        """By text. Raises _OneByOne where that may help."""
        wanted = list(texts)
        asked = list(dict.fromkeys(wanted))
        try:
            parts = [Part(text=_DOCUMENT + text) for text in asked]
            found = self._of(parts, askers=len(wanted) / len(asked))
        except CaptionError as error:
            # The SDK's own word for a model that takes one, or an answer that makes no sense.
            senseless = isinstance(error.__cause__, ValueError)
            if len(asked) > 1 and (senseless or not isinstance(error, TransientError)):
                raise _OneByOne from None
            raise
        if len(asked) > 1 and len(found) != len(asked):
            raise _OneByOne
        return dict(zip(asked, found, strict=False))

    def _of(
        self, parts: Sequence[Part], options: types.HttpOptions | None = None, askers: float = 1
    ) -> Sequence[_Made]:
        """What was made of each part, one at least; as many ``askers`` of each share its tokens."""
        config = types.EmbedContentConfig(output_dimensionality=_DIMENSIONS, http_options=options)
        contents: list[Any] = [Content(role="user", parts=[part]) for part in parts]
        with self._connection.translating(self._name):
            answer = self._connection.models.embed_content(
                model=self._name, contents=contents, config=config
            )
            found = answer.embeddings or [types.ContentEmbedding()]
            used = answer.usage_metadata
            each = ((used.prompt_token_count if used else None) or 0) / len(found)
            return [
                self._made(
                    one.values or (),
                    round((each or (one.statistics and one.statistics.token_count) or 0) / askers),
                )
                for one in found
            ]

    def _made(self, values: Sequence[float], tokens: int) -> _Made:
        try:
            return Embedding(self._unit(values), tokens)
        except CaptionError as error:
            return error

    def _unit(self, values: Sequence[float]) -> tuple[float, ...]:
        """``values`` at length 1: vectors of fewer dimensions than the model's own need not be."""
        if values and len(values) != _DIMENSIONS:
            raise ConfigurationError(
                f"{self._name} answers with {len(values)} dimensions instead of {_DIMENSIONS}: "
                "set CAPTION_EMBEDDING_MODEL to one that has them, as gemini-embedding-2"
            )
        length = math.hypot(*values)
        if not math.isfinite(length) or not length:
            raise TransientError(f"{self._connection.service.name} answered without an embedding")
        return tuple(each / length for each in values)


def _embedding(made: _Made) -> Embedding:
    """Raises what is wrong with it."""
    if isinstance(made, CaptionError):
        raise made
    return made

"""Gemini's embeddings: words and pictures in one space, by ``embedContent``.

What is asked for stands in the text: "task: search result | query: ..." for a question and
"title: none | text: ..." for a document ("Embeddings", Gemini API documentation);
gemini-embedding-2 takes no notice of the ``task_type`` that gemini-embedding-001 had.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from functions.adapters.gemini_api import Connection, picture_part
from functions.adapters.vendor_errors import tokens
from functions.core.document import Accepts, Embedding, Picture
from functions.core.errors import ConfigurationError, TransientError

# "Supported MIME types: image/png, image/jpeg", Gemini Embedding 2, Vertex AI documentation.
ACCEPTS = Accepts(frozenset({"image/png", "image/jpeg"}), max_bytes=14 * 2**20, max_side=8192)
# What documents hold and the vector index is made for.
_DIMENSIONS = 768
_QUESTION = "task: search result | query: "
_DOCUMENT = "title: none | text: "


class GeminiEmbedder:
    """An Embedder of 768 dimensions. One call an embedding: no retries of its own."""

    accepts = ACCEPTS

    def __init__(self, model: str, timeout_seconds: float) -> None:
        self.model = f"gemini:{model}"
        self._name = model
        self._connection = Connection(
            timeout_seconds, "CAPTION_EMBEDDING_MODEL", f"{timeout_seconds:g} s"
        )

    def question(self, text: str) -> Embedding:
        return self._embedding({"text": _QUESTION + text})

    def words(self, text: str) -> Embedding:
        return self._embedding({"text": _DOCUMENT + text})

    def picture(self, picture: Picture) -> Embedding:
        return self._embedding(picture_part(picture), picture)

    def close(self) -> None:
        """Let go of connections."""
        self._connection.close()

    def _embedding(self, part: Mapping[str, Any], picture: Picture | None = None) -> Embedding:
        content, place = {"parts": [part], "role": "user"}, self._connection.place
        request: Mapping[str, Any]
        if not place.vertex:
            method, size = "batchEmbedContents", {"outputDimensionality": _DIMENSIONS}
            request = {"requests": [{"content": content, **size, "model": place.path(self._name)}]}
        elif "gemini" in self._name:
            method, size = "embedContent", {"outputDimensionality": _DIMENSIONS}
            request = {"content": content, "embedContentConfig": size}
        else:
            method, size = "predict", {"outputDimensionality": _DIMENSIONS}
            request = {"instances": [{"content": part.get("text")}], "parameters": size}
        with self._connection.translating(self._name):
            answer = self._connection.ask(self._name, method, request, picture)
            found, counted = _found(answer)
            return Embedding(self._unit(found), counted)

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


def _found(answer: Any) -> tuple[Sequence[float], int]:
    """The numbers in an answer of any of the methods, and how many tokens they are of."""
    several = answer.get("embeddings") or [answer.get("embedding")]
    if predictions := answer.get("predictions"):
        several = [each.get("embeddings") for each in predictions]
    found = several[0] or {}
    used, counted = answer.get("usageMetadata") or {}, found.get("statistics") or {}
    return found.get("values") or (), tokens(
        used.get("promptTokenCount") or counted.get("token_count")
    )

"""Gemini's embeddings: words and pictures in one space, by ``embedContent``.

What is asked for stands in the text: "task: search result | query: ..." for a question and
"title: none | text: ..." for a document ("Embeddings", Gemini API documentation);
gemini-embedding-2 takes no notice of the ``task_type`` that gemini-embedding-001 had.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from google.genai import types

from functions.adapters.google_genai import Connection
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
        return self._embedding(types.Part.from_text(text=_QUESTION + text))

    def words(self, text: str) -> Embedding:
        return self._embedding(types.Part.from_text(text=_DOCUMENT + text))

    def picture(self, picture: Picture) -> Embedding:
        with self._connection.sending(picture) as (image, options):
            return self._embedding(image[0], options)

    def close(self) -> None:
        """Let go of connections."""
        self._connection.close()

    def _embedding(self, part: types.Part, options: types.HttpOptions | None = None) -> Embedding:
        config = types.EmbedContentConfig(output_dimensionality=_DIMENSIONS, http_options=options)
        contents = types.Content(role="user", parts=[part])
        with self._connection.translating(self._name):
            answer = self._connection.models.embed_content(
                model=self._name, contents=contents, config=config
            )
            found = answer.embeddings[0] if answer.embeddings else types.ContentEmbedding()
            used, counted = answer.usage_metadata, found.statistics
            tokens = (used.prompt_token_count if used else None) or (
                counted.token_count if counted else None
            )
            return Embedding(self._unit(found.values or ()), round(tokens or 0))

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

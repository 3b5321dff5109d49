"""What captions mean: their embeddings, and how well words match their picture.

A caption is worth having without any of it: an embedder's fault is reported, never raised.
"""

from __future__ import annotations

import math
import operator
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from functions.core.document import Document, Embedding, Review, Usage
from functions.core.errors import (
    CaptionError,
    ConfigurationError,
    Gone,
    Outage,
    TransientError,
)
from functions.core.ports import Embedder, FetchPicture
from functions.core.report import Report
from functions.model import prices

LOW, UNKNOWN = "low_similarity", "similarity_unknown"
# A wrong key or model would cost every event a call; after this it may have been mended.
_PAUSE_SECONDS = 300.0
_QUOTA_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Made:
    """The embedding of ``text``, or the fault that stood in the way, and what it cost."""

    text: str
    vector: tuple[float, ...] | None
    usage: Usage = field(default_factory=Usage)
    fault: str = ""


class Embeddings:
    """Embeds captions. ``own_prices`` is CAPTION_PRICES, ``clock`` counts seconds.

    Its calls cost a thousandth to a tenth of a caption's: they are in ``usage.cost_usd``, but
    are no model calls and not counted by the daily limit, since an attempt makes two at most.
    """

    def __init__(
        self,
        embedder: Embedder | None,
        own_prices: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._embedder, self._prices, self._clock = embedder, own_prices, clock
        self._paused_until, self._fault = 0.0, ""

    @property
    def available(self) -> bool:
        """Whether there is an embedding model to ask."""
        return self._embedder is not None

    def close(self) -> None:
        """Let go of connections."""
        if self._embedder:
            self._embedder.close()

    def made(self, document: Document, report: Report) -> Made:
        """The embedding of a document's words, if it has any and no embedding. Where there is
        none to be had ``fault`` says why; one that ``report`` knows of is not asked for again.
        ``report`` is left as it is, so that this may run beside who writes it."""
        if document.embedding or not embeddable(document) or report.embedding:
            return Made(words(document), document.embedding)
        own = Report()
        asked = self._words(document, own)
        vector = asked.vector if asked else None
        return Made(words(document), vector, Usage(cost_usd=own.usage.cost_usd), own.embedding)

    def with_embedding(self, document: Document, report: Report) -> Document:
        """``document`` with its embedding and what that cost, as far as :meth:`made` tells, which
        ``report`` is told too."""
        return self.embedding_once(report)(document)

    def embedding_once(
        self, report: Report, begun: Callable[[], Made] | None = None
    ) -> Callable[[Document], Document]:
        """:meth:`with_embedding` for a document that may change under it: asks once.
        ``begun`` waits for a call of :meth:`made` that has begun already."""
        once: list[Made] = []

        def embed(document: Document) -> Document:
            if not once:
                made = begun() if begun else self.made(document, report)
                report.embedding = report.embedding or made.fault
                report.usage += made.usage
                once.append(made)
            made, vector = once[0], document.embedding
            if not vector and words(document) == made.text:
                vector = made.vector
            return replace(document, embedding=vector, usage=document.usage + made.usage)

        return embed

    def judged(
        self, document: Document, fetch: FetchPicture, threshold: float, report: Report
    ) -> Document:
        """``document`` as :meth:`measured`, to be reviewed if its similarity is below
        ``threshold`` or cannot be told. Raises Gone."""
        if not embeddable(document):
            return document
        document = self.measured(document, fetch, report)
        if document.similarity is None:
            return _doubted(document, UNKNOWN)
        return document if document.similarity >= threshold else _doubted(document, LOW)

    def measured(self, document: Document, fetch: FetchPicture, report: Report) -> Document:
        """``document`` with its embedding and the similarity of its words and its picture,
        which ``fetch`` gets, as far as they are to be had. What that cost is added to
        ``report`` only. Raises Gone."""
        vector = document.embedding
        if vector is None:
            embedded = self._words(document, report)
            if embedded is None:
                return document
            vector = embedded.vector
        picture = self._picture(fetch, report)
        similarity = cosine(vector, picture.vector) if picture else None
        return replace(document, embedding=vector, similarity=similarity)

    def _words(self, document: Document, report: Report) -> Embedding | None:
        return self._embedded(lambda embedder: embedder.words(words(document)), "input", report)

    def _picture(self, fetch: FetchPicture, report: Report) -> Embedding | None:
        def ask(embedder: Embedder) -> Embedding:
            picture = fetch(embedder.accepts)
            try:
                return embedder.picture(picture)
            finally:
                picture.release()

        return self._embedded(ask, "image", report)

    def _embedded(
        self, ask: Callable[[Embedder], Embedding], kind: str, report: Report
    ) -> Embedding | None:
        if self._embedder is None:
            return None
        if self._clock() < self._paused_until:
            report.embedding = f"unavailable: not asked for now: {self._fault}"
            return None
        try:
            made = ask(self._embedder)
        except Gone:
            raise
        except CaptionError as error:
            report.embedding = f"unavailable: {error}"
            if pause := _pause(error):
                self._paused_until, self._fault = self._clock() + pause, str(error)
            return None
        today = datetime.now(UTC).date()
        cost = prices.embedding(self._embedder.model, made, kind, self._prices, today)
        report.usage += Usage(cost_usd=cost)
        return made


def _pause(error: CaptionError) -> float:
    """Seconds for which an embedder is not asked again: a quota that is spent may be that of
    captions too, which go before."""
    if isinstance(error, ConfigurationError):
        return _PAUSE_SECONDS
    if isinstance(error, TransientError) and error.outage in {Outage.OVER_QUOTA, Outage.NO_CREDIT}:
        return min(error.retry_after or _QUOTA_SECONDS, _PAUSE_SECONDS)
    return 0.0


def words(document: Document) -> str:
    """What of a document is embedded: its texts in the main language."""
    return "\n".join(filter(None, (document.alt_text, document.caption)))


def embeddable(document: Document) -> bool:
    """Whether a document is to have an embedding; decoration says nothing."""
    return bool(words(document)) and not document.decorative


def cosine(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """The cosine of the angle between two embeddings, to four places."""
    return round(math.fsum(map(operator.mul, one, other)), 4)


def _doubted(document: Document, reason: str) -> Document:
    return replace(document, review=Review(True, (*document.review.reasons, reason)))

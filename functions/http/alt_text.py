"""``alt_text``: the words for an image, by its address. Public, and it only reads; of a language
that is offered and not there it asks for the translation."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

from flask import Request, Response

from functions.core.document import Document, document_id
from functions.core.image_url import candidates
from functions.core.ports import CaptionStore
from functions.core.public_text import choose, published
from functions.http import responses
from functions.http.cache import SECONDS, DocumentCache
from functions.http.daily_limit import LookupLimit
from functions.http.responses import Refusal
from functions.http.translation_requests import TranslationRequests
from functions.settings import Settings
from functions.usecases.request_translations import Wanted

# Browsers ask again after a minute, a CDN after five; it may then answer with what it has while
# it asks. An image without words may have some in a moment.
FOUND = "public, max-age=60, s-maxage=300, stale-while-revalidate=3600, stale-if-error=86400"
ABSENT = "public, max-age=10"
SCRIPT = "public, max-age=86400, stale-while-revalidate=604800, stale-if-error=604800"

# What is told of a document, and what decides whether it is.
FIELDS = (
    *("bucket", "name", "generation", "status", "review", "updated_at"),
    *("caption", "alt_text", "decorative", "language", "translations", "source"),
    "long_description",
)
MOST_IMAGES = 100
# Documents of one answer. An image may be asked for by the name of one of its copies: those that
# are likelier to be it are read first.
MOST_READS = 1_000
MOST_BYTES = 1 << 20
# "Maximum length" of language tags to allow for: RFC 5646, section 4.4.1.
_LANGUAGE_LENGTH = 35
_SRC = "write ?src= and the image's address, percent-encoded"
_BATCH = f'{{"src": [up to {MOST_IMAGES} addresses], "lang": "fr"}}'


class AltTextEndpoint:
    """Answers requests; ``store`` is opened when the first image is asked for, and what it says
    is remembered for ``seconds``. ``ask`` asks for translations that are missing."""

    def __init__(
        self,
        settings: Settings,
        store: Callable[[], CaptionStore],
        seconds: float = SECONDS,
        ask: Callable[[list[Wanted]], None] = lambda wanted: None,
    ) -> None:
        self._settings, self._store = settings, store
        self._translations = TranslationRequests(
            settings.languages_on_request or (), settings.translation_daily_limit, ask
        )
        self._visitors = responses.Visitors(settings.cors_origins)
        self._memory = DocumentCache(self._load, seconds)
        self._limit = LookupLimit(settings.lookup_daily_limit)
        self._script = (Path(__file__).parent / "static" / "alt.js").read_bytes()

    def answer(self, request: Request) -> Response:
        """The answer to any request, whatever goes wrong."""
        response = responses.guarded(request, lambda: self._routed(request))
        response = responses.compressed(response, request)
        return self._visitors.admitted(request, response)

    def _routed(self, request: Request) -> Response:
        sent = responses.body(request, MOST_BYTES)
        if request.path == "/alt.js":
            methods: tuple[str, ...] = ("GET", "HEAD")
        elif request.path == "/":
            methods = ("GET", "HEAD", "POST")
        else:
            raise Refusal(404, "there is nothing here; ask / or /alt.js", ABSENT)
        responses.allow(request, *methods)
        if request.method == "OPTIONS":
            return self._visitors.preflight(*methods)
        if request.path == "/alt.js":
            type_ = "text/javascript; charset=utf-8"
            return responses.conditional(responses.answer(self._script, type_, SCRIPT), request)
        return self._many(request, sent) if request.method == "POST" else self._one(request)

    def _one(self, request: Request) -> Response:
        src = request.args.get("src", "")
        if not src:
            raise Refusal(400, f"src is missing; {_SRC}")
        try:
            objects = candidates(src, self._settings.origins or ())
        except ValueError as error:
            raise Refusal(400, f"src {error}") from None
        answers, expected = self._look_up({src: objects}, request.args.get("lang", ""), True)
        if (found := answers[src]) is None:
            raise Refusal(404, "there is no alt text for this address", ABSENT)
        kept = ABSENT if expected else FOUND
        return responses.conditional(responses.as_json(found, kept), request)

    def _many(self, request: Request, sent: bytes) -> Response:
        if not request.is_json:
            raise Refusal(415, f"send Content-Type: application/json, and {_BATCH}")
        sources, language, long = _batch(sent)
        objects = {src: self._candidates(src) for src in sources}
        return responses.as_json({"images": self._look_up(objects, language, long)[0]})

    def _candidates(self, src: str) -> tuple[tuple[str, str], ...]:
        """As `readings`; one wrong address does not spoil a batch."""
        try:
            return candidates(src, self._settings.origins or ())
        except ValueError:
            return ()

    def _look_up(
        self, candidates: Mapping[str, Sequence[tuple[str, str]]], language: str, long: bool
    ) -> tuple[dict[str, dict[str, Any] | None], bool]:
        """The answer for each address, with what is ``long`` or without, and whether one may be
        another in a moment."""
        language = language if len(language) <= _LANGUAGE_LENGTH else ""
        public = self._settings.public_buckets
        keys = {
            src: [document_id(*place) for place in objects if not public or place[0] in public]
            for src, objects in candidates.items()
        }
        ranks = zip_longest(*(self._needed(each) for each in keys.values()))
        likeliest = dict.fromkeys(key for rank in ranks for key in rank if key)
        documents = self._memory.read(islice(likeliest, MOST_READS))
        found = {
            src: next((d for k in each if (d := documents.get(k)) and self._tells(d)), None)
            for src, each in keys.items()
        }
        expected = self._translations.make(filter(None, found.values()), language)
        self._memory.forget(expected)
        answers = {src: _entry(src, each, language, long) for src, each in found.items()}
        return answers, bool(expected)

    def _needed(self, keys: Sequence[str]) -> Iterator[str]:
        """Those of ``keys`` that have to be read: none after one whose words are remembered."""
        for key in keys:
            yield key
            if (document := self._memory.kept(key)) and not self._withheld(document):
                return

    def _tells(self, document: Document) -> bool:
        """Whether there are words in it for the public."""
        return not self._withheld(document) and choose(document) is not None

    def _withheld(self, document: Document) -> bool:
        return not published(document, withhold=self._settings.unreviewed == "withhold")

    def _load(self, keys: Iterable[str]) -> Mapping[str, Document]:
        keys = list(keys)
        if not self._limit.spend(len(keys)):
            wait = str(self._limit.seconds_left())
            spent = "the day's lookups of this instance are spent; raise CAPTION_LOOKUP_DAILY_LIMIT"
            raise Refusal(429, spent, ABSENT, **{"Retry-After": wait})
        return self._store().read_fields(keys, FIELDS)


def _entry(src: str, document: Document | None, language: str, long: bool) -> dict[str, Any] | None:
    wording = choose(document, language) if document else None
    if document is None or wording is None:
        return None
    described = wording.long_description if long else ""
    return {
        "src": src,
        "alt": wording.alt_text,
        "caption": wording.caption,
        **({"long_description": described} if described else {}),
        "language": wording.language,
        "decorative": document.decorative,
        "source": document.source,
        "updated_at": document.updated_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    }


def _batch(sent: bytes) -> tuple[list[str], str, bool]:
    """The addresses and the language of a batch, and whether it wants long descriptions. Raises
    Refused for any other body."""
    try:
        fields = json.loads(sent)
        sources, language = fields["src"], fields.get("lang") or ""
        long = fields.get("long_description", True)
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        raise Refusal(400, f"the body is not the JSON asked for; send {_BATCH}") from None
    if not isinstance(sources, list) or not isinstance(language, str):
        raise Refusal(400, f"src is not a list, or lang not a text; send {_BATCH}")
    if len(sources) > MOST_IMAGES:
        raise Refusal(400, f"{len(sources)} images are too many; ask for up to {MOST_IMAGES}")
    for src in sources:
        if not isinstance(src, str) or _unpaired(src):
            raise Refusal(400, f"src holds something that is no text; send {_BATCH}")
    return sources, language, long is not False


def _unpaired(text: str) -> bool:
    """Whether there is half a character in a text, as JSON's ``\\ud800`` has it."""
    return any("\ud800" <= character <= "\udfff" for character in text)

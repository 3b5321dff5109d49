"""``alt_text``: the words for an image, by its address. Public, and it only reads; of a language
that is offered and not there it asks for the translation."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from itertools import islice, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Request, Response

from functions.core.document import Document, document_id
from functions.core.gathered_calls import GatheredCalls
from functions.core.image_url import MAX_LENGTH, Candidates, read
from functions.core.ports import CaptionStore
from functions.core.public_text import PublicText, choose, published
from functions.http import responses
from functions.http.cache import SECONDS, DocumentCache
from functions.http.daily_limit import LookupLimit
from functions.http.kept import Kept, KeptValue
from functions.http.remembered_answers import RememberedAnswers
from functions.http.responses import Refusal
from functions.http.translation_requests import TranslationRequests
from functions.settings import Settings
from functions.usecases.request_translations import Wanted

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

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
# An address of characters of four bytes each, percent-encoded, and the same again.
MOST_QUERY_BYTES = 2 * 12 * MAX_LENGTH
# What is kept of answers, by address and language: of images with words, and of names without.
MOST_ENTRIES, MOST_TOLD_BYTES, MOST_UNTOLD_BYTES = 20_000, 16 << 20, 4 << 20
# What one takes beside its text: the objects around it, measured with tracemalloc.
_OVERHEAD = 600
# "Maximum length" of language tags to allow for: RFC 5646, section 4.4.1.
_LANGUAGE_LENGTH = 35
_SRC = "write ?src= and the image's address, percent-encoded"
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
Places = Sequence[tuple[str, str]]
_BATCH = f'{{"src": [up to {MOST_IMAGES} addresses], "lang": "fr"}}'


@dataclass(frozen=True, slots=True)
class _Reader:
    """Who asks: the language that is read, and whether long descriptions are."""

    language: str
    long: bool


@dataclass(frozen=True, slots=True)
class _Told:
    """What is told of an address to one reader: JSON of the address, and of its image's words,
    empty where there are none. It is the same until that moment of the clock, and ``settled`` if
    no translation is about to change it."""

    src: bytes
    words: bytes
    until: float = 0.0
    settled: bool = True


@dataclass(frozen=True, slots=True)
class _Found:
    """The first document that has words, these, and the keys that were looked at on the way."""

    keys: Sequence[str]
    document: Document | None = None
    words: PublicText | None = None


class AltTextEndpoint:
    """Answers requests; ``store`` is opened when the first image is asked for, and what it says
    is remembered for ``seconds``. ``ask`` asks for translations that are missing."""

    def __init__(
        self,
        settings: Settings,
        store: Callable[[], CaptionStore],
        seconds: float = SECONDS,
        ask: Callable[[list[Wanted]], None] = lambda wanted: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._store = settings, store
        self._translations = TranslationRequests(
            settings.languages_on_request or (), settings.translation_daily_limit, ask
        )
        self._visitors = responses.Visitors(settings.cors_origins)
        self._reads = GatheredCalls(lambda keys: self._store().read_fields(keys, FIELDS))
        self._memory = DocumentCache(self._load, seconds, clock)
        self._told = Kept[tuple[str, _Reader], _Told](MOST_ENTRIES, MOST_TOLD_BYTES, clock)
        self._untold = Kept[tuple[str, _Reader], _Told](MOST_ENTRIES, MOST_UNTOLD_BYTES, clock)
        self._answers = RememberedAnswers(self._visitors.admits, clock)
        self._limit = LookupLimit(settings.lookup_daily_limit)
        self._script = (Path(__file__).parent / "static" / "alt.js").read_bytes()

    def serve(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as an application of the server's own (PEP 3333), what is remembered at once."""
        kept = self._answers.answer(environ, start_response)
        if kept is not None:
            return kept
        return self.answer(Request(environ))(environ, start_response)

    def answer(self, request: Request) -> Response:
        """The answer to any request, whatever goes wrong."""
        until = list[float]()
        response = responses.guarded(request, lambda: self._routed(request, until.append))
        response = responses.compressed(response, request)
        response = self._visitors.admitted(request, response)
        if until:
            self._answers.keep(request, response, min(until))
        return response

    def _routed(self, request: Request, lasts: Callable[[float], None]) -> Response:
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
            lasts(math.inf)
            type_ = "text/javascript; charset=utf-8"
            return responses.conditional(responses.answer(self._script, type_, SCRIPT), request)
        if request.method == "POST":
            return self._many(request, sent, lasts)
        return self._one(request, lasts)

    def _one(self, request: Request, lasts: Callable[[float], None]) -> Response:
        src, language = _query(request)
        if not src:
            raise Refusal(400, f"src is missing; {_SRC}")
        reader = _reader(language)
        (told,) = self._look_up([src], reader, self._address)
        lasts(told.until)
        if not told.words:
            raise Refusal(404, "there is no alt text for this address", ABSENT)
        kept = FOUND if told.settled else ABSENT
        return responses.conditional(responses.answer(told.words, responses.JSON, kept), request)

    def _many(self, request: Request, sent: bytes, lasts: Callable[[float], None]) -> Response:
        if not request.is_json:
            raise Refusal(415, f"send Content-Type: application/json, and {_BATCH}")
        sources, language, long = _batch(sent)
        reader = _reader(language, long)
        images = self._look_up(dict.fromkeys(sources), reader, self._address_if_any)
        for told in images:
            lasts(told.until)
        body = b",".join(told.src + b":" + (told.words or b"null") for told in images)
        return responses.answer(b'{"images":{' + body + b"}}", responses.JSON, responses.NOT_KEPT)

    def _address(self, src: str) -> Candidates:
        """What ``src`` may stand for. Raises Refusal for what is no address."""
        try:
            return read(src, self._settings.origins or ())
        except ValueError as error:
            raise Refusal(400, f"src {error}") from None

    def _address_if_any(self, src: str) -> Candidates:
        """As :meth:`_address`; one wrong address does not spoil a batch."""
        try:
            return read(src, self._settings.origins or ())
        except ValueError:
            return Candidates()

    def _look_up(
        self, sources: Iterable[str], reader: _Reader, address: Callable[[str], Candidates]
    ) -> list[_Told]:
        """What is told of each of the sources, in their order."""
        kept = {src: self._kept(src, reader) for src in sources}
        told = {src: entry.value for src, entry in kept.items() if entry}
        missing = {src: address(src) for src in kept if src not in told}
        if missing:
            told |= self._read(missing, reader)
        return [told[src] for src in kept]

    def _kept(self, src: str, reader: _Reader) -> KeptValue[_Told] | None:
        return self._told.find((src, reader)) or self._untold.find((src, reader))

    def _read(self, candidates: Mapping[str, Candidates], reader: _Reader) -> dict[str, _Told]:
        """What is told of each source, by the documents that it names; where none of them has
        words, by the ones that the image may have been made from besides."""
        keys = {src: self._keys(each.named) for src, each in candidates.items()}
        found, left = self._first(keys, MOST_READS, reader.language)
        guesses = {
            src: self._keys(candidates[src].guessed)
            for src, each in found.items()
            if each.document is None and each.keys
        }
        if any(guesses.values()):
            more, _ = self._first(guesses, left, reader.language)
            found |= {
                src: replace(each, keys=(*found[src].keys, *each.keys))
                for src, each in more.items()
            }
        documents = [each.document for each in found.values() if each.document]
        expected = self._translations.make(documents, reader.language)
        self._memory.forget(expected)
        return {src: self._tell(src, each, reader, expected) for src, each in found.items()}

    def _first(
        self, keys: Mapping[str, Sequence[str]], most: int, language: str
    ) -> tuple[dict[str, _Found], int]:
        """For each source the first document with words for the public, read in one batch; and
        how many of ``most`` reads are left."""
        ranks = zip_longest(*(self._needed(each) for each in keys.values()))
        likeliest = dict.fromkeys(key for rank in ranks for key in rank if key)
        documents = self._memory.read(islice(likeliest, most))
        found = {src: self._with_words(each, documents, language) for src, each in keys.items()}
        return found, max(0, most - len(likeliest))

    def _with_words(
        self, keys: Sequence[str], documents: Mapping[str, Document | None], language: str
    ) -> _Found:
        for at, key in enumerate(keys):
            document = documents.get(key)
            if document and not self._withheld(document) and (words := choose(document, language)):
                return _Found(keys[: at + 1], document, words)
        return _Found(keys)

    def _tell(self, src: str, found: _Found, reader: _Reader, expected: Collection[str]) -> _Told:
        """What is told of ``src``, and kept for as long as all that it rests on is known."""
        document, text = found.document, _JSON(src).encode()
        words = b""
        if document and found.words:
            words = _told(src, document, found.words, reader.long)
        if document and self._translations.misses(document, reader.language):
            return _Told(text, words, settled=document.id not in expected)
        told = _Told(text, words, self._memory.until(found.keys))
        kept = self._told if words else self._untold
        kept.keep((src, reader), told, _OVERHEAD + 2 * len(text) + len(words), told.until)
        return told

    def _keys(self, places: Places) -> list[str]:
        """The IDs of the documents of those places that are ours to answer for."""
        public = self._settings.public_buckets
        return [document_id(*place) for place in places if not public or place[0] in public]

    def _needed(self, keys: Sequence[str]) -> Iterator[str]:
        """Those of ``keys`` that have to be read: none after one whose words are remembered."""
        for key in keys:
            yield key
            if (document := self._memory.kept(key)) and not self._withheld(document):
                return

    def _withheld(self, document: Document) -> bool:
        return not published(document, withhold=self._settings.unreviewed == "withhold")

    def _load(self, keys: Iterable[str]) -> Mapping[str, Document]:
        keys = list(keys)
        self._limit.read(len(keys), ABSENT)
        return self._reads.call(keys)


def _query(request: Request) -> tuple[str, str]:
    """The address and the language of a question. Raises Refusal for what is no text, and for
    more than an address of the longest kind takes."""
    if len(request.query_string) > MOST_QUERY_BYTES:
        raise Refusal(400, f"src is not an address of 1 to {MAX_LENGTH} characters")
    try:
        return request.args.get("src", ""), request.args.get("lang", "")
    except UnicodeDecodeError:
        raise Refusal(400, f"the query is not UTF-8; {_SRC}") from None


def _reader(language: str, long: bool = True) -> _Reader:
    return _Reader(language if len(language) <= _LANGUAGE_LENGTH else "", long)


def _told(src: str, document: Document, words: PublicText, long: bool) -> bytes:
    """JSON of an image's words, with a long description if it is wished and there is one."""
    described = words.long_description if long else ""
    entry = {
        "src": src,
        "alt": words.alt_text,
        "caption": words.caption,
        **({"long_description": described} if described else {}),
        "language": words.language,
        "decorative": document.decorative,
        "source": document.source,
        "updated_at": document.updated_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    }
    return _JSON(entry).encode()


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

"""``review``: where people look at images and their words, and set them right. Private."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Request, Response
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule

from functions.core import spreadsheet
from functions.core.document import Document, Query, Source, Status, Stored
from functions.core.errors import (
    CaptionError,
    Conflict,
    EditError,
    Gone,
    NoCaption,
    PermanentError,
)
from functions.core.ports import CaptionStore, Gallery
from functions.http import responses, review_requests
from functions.http.responses import Refusal
from functions.http.review_requests import Batch
from functions.usecases import import_text, search_captions
from functions.usecases.edit_caption import Change, Editing, version
from functions.usecases.thumbnail import Thumbnails

if TYPE_CHECKING:
    from functions.usecases.ask_about_image import Answering

# Set in the WSGI environment by a server that takes uploads: the page then offers them.
UPLOADS = "captions.uploads"

_PAGES = Path(__file__).with_name("static")
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".svg": "image/svg+xml",
}
# The page's files by their address: all that stand there but what is for other websites.
_FILES = {"/": _PAGES / "review.html"} | {
    f"/{path.relative_to(_PAGES).as_posix()}": path
    for path in sorted(_PAGES.rglob("*.*"))
    if path.name not in {"review.html", "alt.js"} and path.suffix in _TYPES
}
_CAPTION = "/captions/<string(length=64):key>"
_ROUTES = Map(
    [
        *(Rule(path, methods=["GET"], endpoint="file") for path in _FILES),
        Rule("/captions", methods=["GET"], endpoint="captions"),
        Rule("/captions:batch", methods=["POST"], endpoint="batch"),
        Rule("/counts", methods=["GET"], endpoint="counts"),
        Rule("/export.csv", methods=["GET"], endpoint="export"),
        Rule("/export.jsonl", methods=["GET"], endpoint="export"),
        Rule("/import", methods=["POST"], endpoint="import"),
        Rule("/search", methods=["GET"], endpoint="search"),
        Rule(_CAPTION, methods=["GET"], endpoint="caption"),
        Rule(_CAPTION, methods=["PATCH"], endpoint="edit"),
        Rule(f"{_CAPTION}/ask", methods=["POST"], endpoint="ask"),
        Rule(f"{_CAPTION}/recaption", methods=["POST"], endpoint="recaption"),
        Rule(f"{_CAPTION}/translate", methods=["POST"], endpoint="translate"),
        Rule(f"{_CAPTION}/history", methods=["GET"], endpoint="history"),
        Rule(f"{_CAPTION}/restore", methods=["POST"], endpoint="restore"),
        Rule(f"{_CAPTION}/image", methods=["GET"], endpoint="image"),
        Rule(f"{_CAPTION}/thumbnail", methods=["GET"], endpoint="thumbnail"),
    ],
    merge_slashes=False,
)
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' {images}; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)
# Even an SVG that is opened by itself runs nothing.
_IMAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
_CACHED = "private, max-age=600"
# Bytes of a file of a folder, which is in memory as a whole while it is shown.
_MOST_SHOWN = 100 << 20
_SVG = "image/svg+xml"
# Documents read to answer a search by words while somebody waits.
_MOST_RANKED = 100
# Edits of one batch at the same time, each of which waits for the stores.
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class ReviewEndpoint:
    """Answers requests. ``recaption`` asks for another caption; ``embed`` tells where a question
    lies among embeddings, if there is a model for that; ``by`` is who nobody vouches for;
    ``answering`` opens the use case of questions, where a model can answer them."""

    store: CaptionStore
    gallery: Gallery
    editing: Editing
    thumbnails: Thumbnails
    recaption: Callable[[Document], None]
    embed: Callable[[str], Sequence[float]] | None = None
    by: str = "unknown"
    answering: Callable[[], Answering] | None = None

    def answer(self, request: Request) -> Response:
        """The answer to any request, whatever goes wrong."""
        response = responses.guarded(request, lambda: self._routed(request))
        response = responses.compressed(response, request)
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        return response

    def _routed(self, request: Request) -> Response:
        most = {
            "/import": review_requests.FILE_BYTES,
            "/captions:batch": review_requests.BATCH_BYTES,
        }
        responses.body(request, most.get(request.path, review_requests.MOST_BYTES))
        try:
            endpoint, values = _ROUTES.bind("").match(request.path, request.method)
        except NotFound:
            raise Refusal(404, "there is nothing here; the page is at /") from None
        except MethodNotAllowed as error:
            allowed = ", ".join(error.valid_methods or ())
            message = f"{request.method} is not possible here; use {allowed}"
            raise Refusal(405, message, Allow=allowed) from None
        try:
            response: Response = getattr(self, f"_{endpoint}")(request, **values)
        except NoCaption as error:
            raise Refusal(404, str(error)) from None
        except Conflict as error:
            return _one(self._read(values["key"]).document, {"error": str(error)}, 412)
        except EditError as error:
            raise Refusal(422, str(error)) from None
        except CaptionError as error:
            # Whoever reads this can mend it, unlike the visitors of a website.
            responses.log(request, "WARNING", str(error), 503)
            raise Refusal(503, str(error)) from None
        return response

    def _file(self, request: Request) -> Response:
        path = _FILES[request.path]
        data, kind = path.read_bytes(), _TYPES[path.suffix]
        can = {"uploads": request.environ.get(UPLOADS), "asks": self.answering}
        marks = "".join(f" data-{name}" for name, able in can.items() if able)
        data = data.replace(b"<body>", f"<body{marks}>".encode())
        kept = _CACHED if path.suffix == ".svg" else "no-cache"
        response = responses.conditional(responses.answer(data, kind, kept), request)
        policy = _POLICY.format(images=" ".join(self.gallery.origins))
        response.headers["Content-Security-Policy"] = policy
        return response

    def _captions(self, request: Request) -> Response:
        try:
            page = self.store.find(review_requests.query(request.args))
        except ValueError as error:
            raise Refusal(400, str(error)) from None
        return responses.as_json({"captions": _records(page.found), "next": page.cursor or None})

    def _counts(self, request: Request) -> Response:
        """How many captions the filters name, by status, and how many of them need a look, or the
        ``fields`` of these; null where only reading them all would tell."""
        query = review_requests.query(request.args)
        queries = {
            "all": query,
            "review_needed": replace(query, review=True),
            **{each.value: replace(query, status=each) for each in Status},
        }
        if fields := review_requests.fields(request.args, queries):
            queries = {name: queries[name] for name in fields}
        with ThreadPoolExecutor(len(queries)) as pool:
            counts = dict(zip(queries, pool.map(self.store.count, queries.values()), strict=True))
        return responses.as_json(counts)

    def _batch(self, request: Request) -> Response:
        """One thing done with many captions: what came of each."""
        batch = review_requests.batch(request)
        by = review_requests.person(request, self.by)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            done = pool.map(lambda key: self._one_of_many(key, batch, by), batch.ids)
            captions = dict(zip(batch.ids, done, strict=True))
        return responses.as_json({"captions": captions})

    def _one_of_many(self, key: str, batch: Batch, by: str) -> dict[str, object]:
        act = batch.act
        try:
            stored = self._read(key)
            if act == "recaption":
                self.recaption(stored.document)
                return {"done": True}
            if act == "decorative" and stored.document.source == Source.HUMAN:
                raise EditError("a person wrote its text; open it to change that")
            change = Change(approve=True) if act == "approve" else Change(decorative=True)
            seen = batch.versions.get(key) or version(stored.document)
            edited = self.editing.edit(key, change, by, seen)
        except CaptionError as error:
            return {"done": False, "error": str(error)}
        return {"done": True, "version": version(edited.stored.document)}

    def _export(self, request: Request) -> Response:
        """The captions that the filters name, as they are read, and with their versions."""
        stored = search_captions.walk(self.store, review_requests.query(request.args))
        records = (review_requests.exported(each.document) for each in stored)
        lines = request.path.endswith(".jsonl")
        text: Iterator[str] = (
            (json.dumps(each, ensure_ascii=False) + "\n" for each in records)
            if lines
            else spreadsheet.written(review_requests.EXPORTED, records)
        )
        kind = "application/jsonl" if lines else "text/csv"
        response = Response(text, content_type=f"{kind}; charset=utf-8")
        response.headers["Content-Disposition"] = f"attachment; filename=captions{request.path[7:]}"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"
        return response

    def _import(self, request: Request) -> Response:
        """Texts from a CSV or JSON lines file; with ``dry_run`` what they would change."""
        text, lines, dry = review_requests.file(request)
        try:
            planned = import_text.plan(self.store, import_text.read(text, lines=lines))
        except ValueError as error:
            raise Refusal(400, str(error)) from None
        by = review_requests.person(request, self.by)
        applied = 0 if dry else import_text.carry_out(self.editing, planned, by)
        return responses.as_json(review_requests.planned(planned) | {"applied": applied})

    def _thumbnail(self, request: Request, key: str) -> Response:
        """The picture, small: by the decoder that captions go through, in every format."""
        size = review_requests.size(request.args.get("size", "240"))
        try:
            made = self.thumbnails.make(self._read(key).document, size)
        except Gone:
            raise Refusal(404, "the image is gone, or was overwritten a moment ago") from None
        except PermanentError as error:
            raise Refusal(404, error.message) from None
        response = responses.answer(made.data, made.mime_type, _CACHED)
        response.headers["Content-Security-Policy"] = _IMAGE_POLICY
        return response

    def _search(self, request: Request) -> Response:
        """By meaning, or by words where meaning cannot be searched: ``by`` says which."""
        query = replace(review_requests.query(request.args), cursor="", by_priority=False)
        if not query.words:
            raise Refusal(400, "q is missing; write what the images show")
        near = self._near(request.args["q"], query)
        found = near or [
            each for each, _ in search_captions.by_words(self.store, query, _MOST_RANKED).ranked
        ]
        by = "meaning" if near else "words"
        return responses.as_json({"captions": _records(found), "next": None, "by": by})

    def _near(self, question: str, query: Query) -> Sequence[Stored]:
        """The captions that are closest to a question; none if there is no telling."""
        if self.embed is None:
            return ()
        try:
            return [stored for stored, _ in self.store.nearest(self.embed(question), query)]
        except CaptionError:
            return ()

    def _caption(self, request: Request, key: str) -> Response:
        return _one(self._read(key).document)

    def _edit(self, request: Request, key: str) -> Response:
        change, expected = review_requests.change(request), review_requests.expected(request)
        by = review_requests.person(request, self.by)
        edited = self.editing.edit(key, change, by, expected)
        notes = {"unlabelled": edited.unlabelled} if edited.unlabelled else {}
        return _one(edited.stored.document, notes)

    def _history(self, request: Request, key: str) -> Response:
        past = [review_requests.past(each) for each in self.editing.history(key)]
        return responses.as_json({"past": past})

    def _restore(self, request: Request, key: str) -> Response:
        """Put a text of the history in the place of what stands there, and with If-Match only of
        what was seen."""
        seen = review_requests.expected(request) if "If-Match" in request.headers else ""
        at, by = review_requests.moment(request), review_requests.person(request, self.by)
        texts = reversed(self.editing.history(key))
        past = next((each for each in texts if each.at == at), None)
        if past is None:
            raise Refusal(404, "the history has no text of that time; look at it again")
        return _one(self.editing.restore(key, past, by, seen).stored.document)

    def _ask(self, request: Request, key: str) -> Response:
        """What a person who writes alt text wants to know of the image."""
        if self.answering is None:
            raise Refusal(404, "no model answers questions here; see CAPTION_MODEL and its key")
        from functions.http import ask

        question = ask.question_in(review_requests.body(request))
        document, answering = self._read(key).document, self.answering()
        where = document.bucket, document.name
        answer = ask.answered(request, answering, lambda: answering.live(*where), question)
        return responses.as_json(answer)

    def _recaption(self, request: Request, key: str) -> Response:
        review_requests.own(request)
        self.recaption(self._read(key).document)
        return _one(self._read(key).document, status=202)

    def _translate(self, request: Request, key: str) -> Response:
        """Ask for the words in other languages, or for those that are outdated."""
        languages = review_requests.languages(request)
        return _one(self.editing.translate(key, languages).document, status=202)

    def _image(self, request: Request, key: str) -> Response:
        """A way to the image that only who may see captions is given."""
        document = self._read(key).document
        if not self.gallery.origins and (document.size or 0) > _MOST_SHOWN:
            raise Refusal(413, "the file is too large to be shown here; open it in its folder")
        try:
            image = self.gallery.show(document)
        except Gone:
            raise Refusal(404, "the image is gone, or was overwritten a moment ago") from None
        if isinstance(image, str):
            response = Response(status=302, headers={"Location": image})
            response.headers["Cache-Control"] = _CACHED
            return response
        from functions.pictures import HEAD_BYTES, sniff

        kind = sniff(image[:HEAD_BYTES])
        if kind is None:
            raise Refusal(404, "the file is no image that is known here")
        response = responses.answer(image, kind, _CACHED)
        response.headers["Content-Security-Policy"] = _IMAGE_POLICY
        if kind == _SVG:
            response.headers["Content-Disposition"] = "attachment"
        return response

    def _read(self, key: str) -> Stored:
        stored = self.store.read(key)
        if stored is None:
            raise NoCaption("there is no such caption; its image may have been deleted")
        return stored


def _one(document: Document, more: Mapping[str, str] | None = None, status: int = 200) -> Response:
    response = responses.as_json(
        {**review_requests.as_record(document), **(more or {})}, status=status
    )
    response.set_etag(version(document))
    return response


def _records(found: Sequence[Stored]) -> list[dict[str, object]]:
    return [review_requests.as_record(stored.document) for stored in found]

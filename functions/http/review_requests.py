"""What a request to ``review`` asks for, read and checked, and a caption as it is shown."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Request
from werkzeug.datastructures import MultiDict

from functions.core import search_terms, spreadsheet
from functions.core.document import MOST_LANGUAGES, Document, PastText, Query, Source, Status
from functions.core.document_records import plain, to_record
from functions.core.language_tags import language_tag
from functions.http import responses
from functions.http.responses import Refusal
from functions.usecases.edit_caption import Change, version
from functions.usecases.import_text import Plan

STATUSES = tuple(each.value for each in Status)
PAGE, MOST = 24, 100
# What is to be reviewed comes by priority unless it is asked for otherwise, all else by time.
ORDERS = ("priority", "newest")
MOST_BYTES = 1 << 16
EXPORTED = (
    *("uri", "alt_text", "caption", "decorative", "language", "status", "source", "review"),
    *("tags", "model", "updated_at", "version", "long_description"),
)
FILES = {
    "text/csv": False,
    "application/vnd.ms-excel": False,  # what browsers call CSV where Excel is installed
    "application/jsonl": True,
    "application/x-ndjson": True,
    "application/json": True,
}
FILE_BYTES = 32 << 20
MOST_REASONS, MOST_REASON = 20, 100
MOST_IN_BATCH = 500
BATCH_BYTES = 1 << 17
ACTS = ("approve", "decorative", "recaption")
# "Getting the user's identity", Identity-Aware Proxy: the name behind who vouches for it.
IDENTITY = "X-Goog-Authenticated-User-Email"
_FIELDS: dict[str, type] = {
    "alt_text": str,
    "caption": str,
    "decorative": bool,
    "language": str,
    "approve": bool,
    "accept": bool,
    "translations": dict,
    "reasons": list,
    "long_description": str,
}
_UNSHOWN = frozenset({"embedding", "search_terms", "lease"})


def query(args: MultiDict[str, str]) -> Query:
    """Which captions the parameters name. Raises Refused for one that means nothing."""
    status, review = args.get("status", ""), args.get("review", "")
    if status and status not in STATUSES:
        raise Refusal(400, f"status={status!r} is none of {', '.join(STATUSES)}")
    if review not in ("", "needed"):
        raise Refusal(400, "review can only be `needed`")
    order = args.get("order", "")
    if order not in ("", *ORDERS):
        raise Refusal(400, f"order={order[:40]!r} is none of {', '.join(ORDERS)}")
    words = search_terms.query_terms(args.get("q", ""))
    if args.get("q", "").strip() and not words:
        raise Refusal(400, "q has no word in it; write what the images show")
    return Query(
        status=status,
        bucket=args.get("bucket", ""),
        prefix=args.get("prefix", ""),
        tag=args.get("tag", "").strip().lower(),
        language=_language(args.get("language", "").strip()),
        words=words,
        review=bool(review),
        by_priority=order == "priority" or (bool(review) and not order),
        source=_source(args.get("source", "")),
        reason=args.get("reason", "").strip(),
        since=_day(args.get("since", "")),
        until=_day(args.get("until", ""), days=1),
        limit=_limit(args.get("limit", str(PAGE))),
        cursor=args.get("cursor", ""),
    )


def fields(args: MultiDict[str, str], known: Collection[str]) -> tuple[str, ...]:
    """The fields that are asked for, of those that are ``known``. Raises Refusal."""
    wanted = tuple(filter(None, args.get("fields", "").split(",")))
    if unknown := set(wanted).difference(known):
        raise Refusal(400, f"fields has {min(unknown)[:40]!r}; known are {', '.join(known)}")
    return wanted


def change(request: Request) -> Change:
    """The change that a PATCH's body describes. Raises Refused."""
    sent = body(request)
    if unknown := sent.keys() - _FIELDS.keys():
        names = ", ".join(_FIELDS)
        raise Refusal(400, f"{min(unknown)[:40]!r} cannot be changed; send some of {names}")
    for name, value in sent.items():
        if not isinstance(value, _FIELDS[name]):
            raise Refusal(400, f"{name} is not a {_FIELDS[name].__name__}")
    if any(not isinstance(each, str) for each in sent.get("reasons", ())):
        raise Refusal(400, "reasons is no list of words")
    if "reasons" in sent:
        sent["reasons"] = tuple(each[:MOST_REASON] for each in sent["reasons"][:MOST_REASONS])
    for text in sent.get("translations", {}).values():
        if not isinstance(text, dict) or not all(isinstance(each, str) for each in text.values()):
            raise Refusal(400, "translations is no map of languages to alt_text and caption")
    return Change(**sent)


def body(request: Request, most: int = MOST_BYTES) -> dict[str, Any]:
    """The JSON object that is sent, by this site's own page or by no browser. Raises Refused.

    Who is signed in is signed in for other websites' requests too: those are told by the
    headers ``Sec-Fetch-Site`` and ``Origin``, and cannot send this type without being asked.
    """
    if not request.is_json:
        raise Refusal(415, "send Content-Type: application/json")
    own(request)
    try:
        sent = json.loads(responses.body(request, most))
    except (ValueError, RecursionError):
        sent = None
    if not isinstance(sent, dict):
        raise Refusal(400, "the body is not a JSON object")
    return sent


def own(request: Request) -> None:
    """Raises Refused for a request that another website's page sends; browsers tell of it by
    ``Origin`` in every POST."""
    if foreign(request):
        raise Refusal(403, "another website may not change captions; use the review page")


def foreign(request: Request) -> bool:
    """Whether a browser says that another website sends this."""
    if site := request.headers.get("Sec-Fetch-Site"):
        return site != "same-origin"
    return responses.from_elsewhere(request)


def expected(request: Request) -> str:
    """The version in If-Match, empty for ``*``. Raises Refused if there is none."""
    if "If-Match" not in request.headers:
        raise Refusal(428, "send If-Match with the version that you saw, from ETag")
    tags = request.if_match
    return "" if tags.star_tag else next(iter(tags.as_set()), "none")


def person(request: Request, otherwise: str) -> str:
    """Who asks, as Identity-Aware Proxy says. Only behind it is that more than a claim."""
    return request.headers.get(IDENTITY, "").rpartition(":")[2][:320] or otherwise


def as_record(document: Document) -> dict[str, Any]:
    """A caption as JSON. ``image`` is relative to the page, like every address there."""
    record = {key: value for key, value in to_record(document).items() if key not in _UNSHOWN}
    public: dict[str, Any] = json.loads(json.dumps(record, default=_stamp))
    at, query = f"captions/{document.id}", f"generation={document.generation}"
    addresses = {"image": f"{at}/image?{query}", "thumbnail": f"{at}/thumbnail?{query}"}
    return public | {"id": document.id, "version": version(document)} | addresses


def size(text: str) -> int:
    """How many pixels the longer side of a thumbnail is to have at least. Raises Refusal."""
    if not text.isascii() or not text.isdigit() or len(text) > 4 or not int(text):
        raise Refusal(400, "size is no number of pixels, such as 240")
    return int(text)


@dataclass(frozen=True, slots=True)
class Batch:
    """One thing to be done with many captions: ``approve``, ``decorative`` or ``recaption``;
    ``versions`` are those that a person saw, by id, as far as they are told."""

    ids: tuple[str, ...]
    act: str
    versions: Mapping[str, str]


def batch(request: Request) -> Batch:
    """What a POST's body asks for. Raises Refusal."""
    sent = body(request, BATCH_BYTES)
    ids = sent.pop("ids", None)
    if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids):
        raise Refusal(400, "ids is no list of captions' ids")
    if not 0 < len(ids) <= MOST_IN_BATCH:
        raise Refusal(400, f"ids has {len(ids)} captions; send 1 to {MOST_IN_BATCH}")
    versions = sent.pop("versions", {})
    if not isinstance(versions, dict) or not all(isinstance(v, str) for v in versions.values()):
        raise Refusal(400, "versions is no map of ids to the versions that you saw")
    acts = [name for name, wanted in sent.items() if wanted is True]
    if len(sent) != 1 or len(acts) != 1 or acts[0] not in ACTS:
        raise Refusal(400, f"say one thing to do, as true: {', '.join(ACTS)}")
    return Batch(tuple(dict.fromkeys(ids)), acts[0], versions)


def moment(request: Request) -> datetime:
    """The time of the text that a POST's body asks to have back. Raises Refusal."""
    at = body(request).get("at")
    try:
        return datetime.fromisoformat(at if isinstance(at, str) else "")
    except ValueError:
        raise Refusal(400, "at is no time of a text in the history") from None


def languages(request: Request) -> tuple[str, ...]:
    """The language tags that a POST's body names, if any. Raises Refusal."""
    own(request)
    sent = responses.body(request, MOST_BYTES)
    named = body(request).get("languages", []) if sent else []
    if not isinstance(named, list) or not all(isinstance(each, str) for each in named):
        raise Refusal(400, 'languages is no list of language tags like ["fi"]')
    if len(named) > MOST_LANGUAGES:
        raise Refusal(400, f"{len(named)} languages are too many; send up to {MOST_LANGUAGES}")
    return tuple(dict.fromkeys(filter(None, map(_language, named))))


def past(text: PastText) -> dict[str, Any]:
    """A text of a history as JSON."""
    record: dict[str, Any] = json.loads(json.dumps(plain(text), default=_stamp))
    return record


def exported(document: Document) -> dict[str, Any]:
    """A caption as a row of an export; an import takes it back."""
    record = as_record(document)
    record["review"] = ", ".join(document.review.reasons) if document.review.needed else ""
    return {name: record.get(name) for name in EXPORTED}


def file(request: Request) -> tuple[str, bool, bool]:
    """The text that is sent, whether it is JSON lines, and whether nothing is to be changed.
    Raises Refusal."""
    own(request)
    if request.mimetype not in FILES:
        raise Refusal(415, f"send Content-Type: {' or '.join(FILES)}")
    dry = request.args.get("dry_run", "false")
    if dry not in ("true", "false"):
        raise Refusal(400, "dry_run is neither true nor false")
    try:
        text = spreadsheet.decoded(responses.body(request, FILE_BYTES))
    except ValueError as error:
        raise Refusal(400, str(error)) from None
    return text, FILES[request.mimetype], dry == "true"


def planned(plan: Plan) -> dict[str, Any]:
    """What an import would change, as JSON."""

    def text(document: Document) -> dict[str, Any]:
        return {name: getattr(document, name) for name in ("alt_text", "caption", "decorative")}

    changes = [
        {
            "line": each.row.line,
            "uri": each.row.uri,
            "id": each.before.id,
            "before": text(each.before),
            "after": text(each.after),
            "conflict": each.conflict or None,
        }
        for each in plan.changes
    ]
    errors = [{"line": line, "uri": uri, "error": why} for line, uri, why in plan.errors]
    return {"changes": changes, "errors": errors}


def _source(text: str) -> str:
    sources = [each.value for each in Source if each]
    if text and text not in sources:
        raise Refusal(400, f"source={text[:40]!r} is none of {', '.join(sources)}")
    return text


def _day(text: str, days: int = 0) -> datetime | None:
    """A time, or the beginning of a day in UTC, ``days`` later."""
    if not text:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(400, f"{text[:40]!r} is no date; write 2026-11-23") from None
    if len(text) == len("2026-11-23"):
        time += timedelta(days=days)
    return time.replace(tzinfo=time.tzinfo or UTC)


def _language(text: str) -> str:
    try:
        return language_tag(text) if text else ""
    except ValueError as error:
        raise Refusal(400, f"language: {error}") from None


def _limit(text: str) -> int:
    short = text.isascii() and text.isdigit() and len(text) <= len(str(MOST))
    if not short or not 1 <= int(text) <= MOST:
        raise Refusal(400, f"limit is no number from 1 to {MOST}")
    return int(text)


def _stamp(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)

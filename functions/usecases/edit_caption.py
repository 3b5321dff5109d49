"""What people do to a caption: write its words, approve them, take the model's proposal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from functions.core import transitions
from functions.core.document import (
    Document,
    PastText,
    Review,
    Source,
    Status,
    Stored,
    Untranslated,
    Upload,
)
from functions.core.errors import CaptionError, Conflict, EditError, NoCaption, Stale
from functions.core.language_tags import language_tag
from functions.core.plain_text import plain_line, plain_lines
from functions.core.ports import CaptionStore, ImageStore
from functions.core.public_text import missing
from functions.core.report import Report
from functions.model.embeddings import Embeddings
from functions.usecases import keep_history
from functions.usecases.find_copy import remember
from functions.usecases.label_image import label
from functions.usecases.request_translations import Wanted

# Characters. Screen readers read alt text in one piece; whatever takes longer is a caption.
LONGEST_ALT_TEXT, LONGEST_CAPTION, LONGEST_LONG_DESCRIPTION = 1000, 5000, 8000
# Whoever it was, where documents name nobody.
REVIEWER = "a reviewer"
_CONTENTION = 8
_TRANSLATED = ("alt_text", "caption", "long_description")
_WORDS = ("alt_text", "caption", "decorative", "language", "long_description")
# What a person sees who edits; the rest (labels, embedding, lease) may change under them.
_SHOWN_FIELDS = (
    *("generation", "status", "alt_text", "caption", "decorative", "language", "translations"),
    "long_description",
    *("tags", "visible_text", "source", "proposal"),
)


@dataclass(frozen=True, slots=True)
class Change:
    """What a person wants; None leaves a field as it is.

    ``approve`` says that the words are right, or takes that back (False), with the ``reasons`` for
    which they are to be looked at again; ``accept`` puts the model's proposal in their place.
    ``translations`` has alt text and caption by language.
    """

    alt_text: str | None = None
    caption: str | None = None
    decorative: bool | None = None
    language: str | None = None
    approve: bool | None = None
    accept: bool = False
    translations: Mapping[str, Mapping[str, str]] | None = None
    reasons: tuple[str, ...] = ()
    long_description: str | None = None


@dataclass(frozen=True, slots=True)
class Edited:
    """The caption as it is now; ``unlabelled`` says why the object's metadata is not, if so."""

    stored: Stored
    unlabelled: str = ""


class Editing:
    """The use case of the review page and ``captions edit``. It needs no model; where there is one
    of meanings, new words get their embedding.

    ``language`` is that of words for an image that had none, unless a change names another.
    Unless people are ``named``, the documents call each of them a reviewer; the history, which no
    website reads, knows who it was. ``ask`` asks for the translations that an edit makes due;
    what is lost of that, ``keep`` takes up. ``offered`` names the languages there may be.
    """

    def __init__(
        self,
        store: CaptionStore,
        images: ImageStore,
        embeddings: Embeddings,
        language: str,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        named: bool = True,
        ask: Callable[[list[Wanted]], None] = lambda wanted: None,
        offered: Callable[[Document], Collection[str]] = lambda document: document.outdated,
    ) -> None:
        self._named, self._ask, self._offered = named, ask, offered
        self._store, self._images, self._clock = store, images, clock
        self._embeddings, self._language = embeddings, language

    def edit(self, key: str, change: Change, by: str, version: str = "") -> Edited:
        """Make a person's change to the document ``key``, and label the object with it.

        ``version`` is :func:`version` of the document that they saw. Raises NoCaption, Conflict
        if it has changed since, EditError for a change that cannot be, and what the store
        raises. A bucket out of reach is no error: the change stands, and is labelled by the next
        delivery for the image.
        """
        saved = self._saved(
            key,
            lambda document, now: changed(document, change, self._name_of(by), now),
            by,
            version,
        )
        if saved.document.metadata_synced:
            return Edited(saved)
        return self._labelled(saved)

    def restore(self, key: str, past: PastText, by: str, version: str = "") -> Edited:
        """Put text of :meth:`history` in the place of what stands there, as a person's decision.
        Raises as :meth:`edit`."""

        def make(document: Document, now: datetime) -> Document:
            return restored(document, past, self._name_of(by), now)

        return self._labelled(self._saved(key, make, by, version))

    def history(self, key: str) -> Sequence[PastText]:
        """The text of the document ``key`` as it was over time, the present one last. Raises
        NoCaption."""
        stored = self._store.read(key)
        if stored is None:
            raise NoCaption("there is no such caption; its image may have been deleted")
        return keep_history.history(self._store, stored.document)

    def _name_of(self, by: str) -> str:
        return by if self._named else REVIEWER

    def _saved(
        self, key: str, change: Callable[[Document, datetime], Document], by: str, expected: str
    ) -> Stored:
        for _ in range(_CONTENTION):
            stored = self._store.read(key)
            if stored is None:
                raise NoCaption("there is no such caption; its image may have been deleted")
            if expected and version(stored.document) != expected:
                raise Conflict("somebody has changed this caption since you saw it; look again")
            before = stored.document
            if not before.language:
                before = replace(before, language=self._language)
            document = change(before, self._clock())
            if document == before:
                return stored
            keep_history.keep(self._store, before, document, by)
            with suppress(Stale):
                saved = self._store.replace(stored, document)
                self._translate(saved.document)
                return saved
        raise Conflict("the caption keeps changing; look again")

    def _translate(self, document: Document) -> None:
        if document.untranslated:
            with suppress(CaptionError):
                languages = document.untranslated.languages
                self._ask([(document.bucket, document.name, languages)])

    def translate(self, key: str, languages: Sequence[str]) -> Stored:
        """Ask for the words of the document ``key`` in these languages, or if there are none in
        those that are outdated; where that is a model's to write. Raises NoCaption, EditError for
        a language that is not offered, and what stands in the way of asking."""
        stored = self._store.read(key)
        if stored is None:
            raise NoCaption("there is no such caption; its image may have been deleted")
        document = stored.document
        if document.status != Status.CAPTIONED or document.decorative:
            raise EditError("there are no words to translate")
        if other := [tag for tag in languages if tag not in self._offered(document)]:
            remedy = "add it to CAPTION_LANGUAGES_ON_REQUEST"
            raise EditError(f"{other[0]} is not a language of this image; {remedy}")
        if wanted := missing(document, languages or document.outdated):
            self._ask([(document.bucket, document.name, wanted)])
        return stored

    def _labelled(self, saved: Stored) -> Edited:
        document = saved.document
        remember(self._store, document)
        upload = Upload(document.bucket, document.name, document.generation, document.updated_at)
        try:
            embed = self._embeddings.embedding_once(Report())
            label(self._store, self._images, saved, upload, embed)
        except CaptionError as error:
            return Edited(saved, str(error))
        now = self._store.read(document.id)
        if now is None:
            raise NoCaption("the image has been deleted meanwhile, and its caption with it")
        return Edited(now, "" if now.document.metadata_synced else "the image has changed")


def version(document: Document) -> str:
    """Names what a person sees of a document: as long as it is the same, so is that."""
    shown = {name: getattr(document, name) for name in _SHOWN_FIELDS}
    shown["review"] = (document.review.needed, document.review.reasons, document.review.approved_by)
    # What a model translates meanwhile is not what somebody edits.
    shown["translations"] = document.by_hand
    shown["error"] = document.error.message if document.error else ""
    text = json.dumps(shown, sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def changed(document: Document, change: Change, by: str, now: datetime) -> Document:
    """``document`` after a person's change. Raises EditError if it cannot be made.

    Words that a person wrote are theirs and need no review; what the model proposed beside the
    old ones is answered by that. A proposal that is accepted stays the model's, approved.
    """
    words = {name: value for name in _WORDS if (value := getattr(change, name)) is not None}
    if change.accept and words:
        raise EditError("accept the proposal, or write other words; not both at once")
    edited = _accepted(document, now) if change.accept else _worded(document, words, now)
    if change.translations:
        edited = _translated(edited, change.translations, now)
    if change.approve is False:
        return _withdrawn(edited, change.reasons, now)
    if not (change.approve or change.accept):
        return edited
    if edited.status != Status.CAPTIONED:
        raise EditError(
            "there are no words to approve yet; write the alt text, or wait for the model's"
        )
    review = Review(approved_by=by, approved_at=now)
    return replace(
        edited, review=review, proposal=None, edited_at=now, metadata_synced=False, updated_at=now
    )


def _withdrawn(document: Document, reasons: tuple[str, ...], now: datetime) -> Document:
    """``document`` as nobody has approved it. A model's words are a model's again."""
    edited_at = document.edited_at if document.source == Source.HUMAN else None
    review = Review(bool(reasons), reasons)
    return replace(document, review=review, edited_at=edited_at, updated_at=now)


def _translated(
    document: Document, translations: Mapping[str, Mapping[str, str]], now: datetime
) -> Document:
    """``document`` with a person's text in other languages, whatever becomes of the main one."""
    written = dict(document.translations)
    for language, text in translations.items():
        tag = _language(language)
        if tag == document.language:
            raise EditError(f"{tag} is the main language; send its text as alt_text and caption")
        alt_text, caption = (plain_line(text.get(each, "")) for each in ("alt_text", "caption"))
        if not alt_text and not document.decorative:
            raise EditError(f"the alt text in {tag} is empty; write one")
        _check_length("alt text", alt_text, LONGEST_ALT_TEXT)
        _check_length("caption", caption, LONGEST_CAPTION)
        long = _lines(text.get("long_description", ""))
        written[tag] = {
            "alt_text": alt_text,
            "caption": caption,
            **({"long_description": long} if long else {}),
            "source": Source.HUMAN.value,
        }
    if written == document.translations:
        return document
    if document.status != Status.CAPTIONED:
        raise EditError("there is no main text to translate yet; write that first")
    return _ended(replace(document, translations=written), now)


def restored(document: Document, past: PastText, by: str, now: datetime) -> Document:
    """``document`` with text that it had before; whose it was stays, and who wants it back
    approves it by that."""
    review = Review(approved_by=by, approved_at=now)
    text = replace(document, **past.text_fields(), source=past.source, review=review)
    return _ended(replace(text, proposal=None), now)


def _accepted(document: Document, now: datetime) -> Document:
    proposal = document.proposal
    if proposal is None:
        raise EditError("there is no proposal to accept; it may have been answered already")
    translations = {**proposal.translations, **document.by_hand}
    return _ended(
        replace(
            document,
            **proposal.text_fields() | {"translations": translations},
            model=proposal.model,
            model_version=proposal.model_version,
            prompt=proposal.prompt,
            source=Source.MODEL,
        ),
        now,
    )


def _worded(document: Document, words: Mapping[str, Any], now: datetime) -> Document:
    """``document`` in a person's words; as it is where they are the same as before."""
    if not words:
        return document
    values = {**{name: getattr(document, name) for name in _WORDS}, **words}
    alt_text, caption = (
        plain_line(values["alt_text"]),
        plain_line(values["caption"]),
    )
    if values["decorative"]:
        if words.get("alt_text"):
            raise EditError("a decorative image has no alt text; leave it empty")
        alt_text = ""
    elif not alt_text:
        raise EditError("the alt text is empty; write one, or mark the image as decorative")
    _check_length("alt text", alt_text, LONGEST_ALT_TEXT)
    _check_length("caption", caption, LONGEST_CAPTION)
    edited = replace(
        document,
        alt_text=alt_text,
        caption=caption,
        long_description="" if values["decorative"] else _lines(values["long_description"]),
        decorative=bool(values["decorative"]),
        language=_language(values["language"]) if "language" in words else document.language,
    )
    if edited == document and document.status == Status.CAPTIONED:
        return document
    if any(getattr(edited, name) != getattr(document, name) for name in _TRANSLATED):
        edited = replace(edited, translations=_outdated(edited))
    others = {tag: text for tag, text in edited.translations.items() if tag != edited.language}
    return _ended(
        replace(edited, source=Source.HUMAN, translations=others, review=Review(), proposal=None),
        now,
    )


def _outdated(document: Document) -> dict[str, Mapping[str, Any]]:
    """The translations of a document whose words are new: a machine's say what was just found to
    be wrong, and are told to nobody until they are made anew; a person's stay."""
    return {
        tag: text if tag in document.by_hand else {**text, "outdated": True}
        for tag, text in document.translations.items()
    }


def _ended(document: Document, now: datetime) -> Document:
    """``document``, captioned by a person; its place among meanings was that of other words."""
    captioned_at = document.captioned_at or now
    due = Untranslated(document.outdated, now) if document.outdated else None
    return transitions.ended(
        replace(document, embedding=None, similarity=None, edited_at=now, untranslated=due),
        Status.CAPTIONED,
        now,
        captioned_at=captioned_at,
    )


def _lines(text: str) -> str:
    """A long description as it is stored."""
    lines = plain_lines(text, LONGEST_LONG_DESCRIPTION + 1)
    _check_length("long description", lines, LONGEST_LONG_DESCRIPTION)
    return lines


def _check_length(what: str, text: str, most: int) -> None:
    if len(text) > most:
        raise EditError(f"the {what} has {len(text)} characters; {most} are the most")


def _language(text: str) -> str:
    try:
        return language_tag(text)
    except ValueError as error:
        raise EditError(str(error)) from None


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else str(value)

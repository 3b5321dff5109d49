"""Whose words stand: a person's before the file's, the file's before the model's."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from functions.core import search_terms
from functions.core.document import (
    IMAGE_CHANGED,
    CheckedCaption,
    Document,
    EmbeddedText,
    Problem,
    Proposal,
    Review,
    Source,
    Status,
    Untranslated,
    Usage,
)
from functions.core.errors import ConfigurationError, TransientError

# Reasons that say nothing against the text that stands.
_REFUSED = frozenset({"blocked", "no_caption"})
# Reasons by which a wish for other words is put off, not refused.
PUT_OFF = frozenset({"over_budget", "expired"})
_TRANSLATED = frozenset({"alt_text", "caption", "long_description"})


def captioned(
    claim: Document, checked: CheckedCaption, prompt: str, uploader: EmbeddedText, now: datetime
) -> Document:
    """``claim`` with the model's text for its image, asked for by ``prompt``.

    A person's text stays, and the model's becomes a proposal beside it; alt text that came with
    the upload or in the file stays, and the model fills what is missing.
    """
    found = replace(
        claim,
        **checked.reply.text_fields()
        | {"language": checked.language, "translations": _by_model(checked.reply.translations)},
        width=checked.width,
        height=checked.height,
        media=checked.media,
        duration_seconds=checked.duration_seconds,
        source=Source.MODEL,
        model=checked.model,
        model_version=checked.model_version,
        prompt=prompt,
        review=Review(bool(checked.reasons), checked.reasons),
        proposal=None,
        edited_at=None,
        untranslated=None,
        embedding=None,
        similarity=None,
    )
    if checked.embedded.alt_text:
        found = kept(found, checked.embedded, Source.EMBEDDED)
    found = _with_text_of(uploader, found, now)
    return _settled(claim, found, proposed=stands(claim, uploader), now=now)


def copied(claim: Document, copy: Document, uploader: EmbeddedText, now: datetime) -> Document:
    """``claim`` with the text that the same bytes have elsewhere, the uploader's apart.

    A person's text comes as it was, also in place of what a person wrote for another picture;
    a model's is proposed against that.
    """
    found = replace(
        claim,
        **copy.text_fields(),
        width=copy.width,
        height=copy.height,
        media=copy.media,
        duration_seconds=copy.duration_seconds,
        source=copy.source,
        model=copy.model,
        model_version=copy.model_version,
        prompt=copy.prompt,
        review=copy.review,
        proposal=copy.proposal,
        edited_at=copy.edited_at,
        untranslated=Untranslated(copy.outdated, now) if copy.outdated else None,
        embedding=copy.embedding,
        similarity=copy.similarity,
    )
    found = _with_text_of(uploader, found, now)
    theirs = copy.by_person and IMAGE_CHANGED not in copy.review.reasons
    proposed = stands(claim, uploader) and (has_text(uploader) or not theirs)
    return _settled(claim, found, proposed=proposed, now=now)


def measured(document: Document, judged: Document) -> Document:
    """``document`` with what was measured of the same text in ``judged``."""
    if (document.source, document.text_fields()) != (judged.source, judged.text_fields()):
        return document
    return replace(
        document,
        embedding=judged.embedding,
        similarity=judged.similarity,
        review=judged.review,
    )


def alike(one: Document, other: Document) -> bool:
    """Whether two documents say the same, and people have said the same of them."""
    shown = (one.source, one.review, one.proposal, one.text_fields())
    return shown == (other.source, other.review, other.proposal, other.text_fields())


def labelled(claim: Document, text: EmbeddedText, language: str, now: datetime) -> Document:
    """``claim`` with what the labels say that it carried here: the uploader's text, whoever's it
    was, since whoever can write an object can write labels."""
    found = replace(claim, source=Source.UPLOADER, language=text.language or language)
    return _settled(claim, _with_text_of(text, found, now), proposed=False, now=now)


def given(document: Document, text: EmbeddedText, now: datetime) -> Document:
    """A captioned ``document`` with the text that its uploader set after the upload."""
    return replace(_with_text_of(text, document, now), metadata_synced=False, updated_at=now)


def has_text(text: EmbeddedText) -> bool:
    """Whether there is any text."""
    return bool(text.alt_text or text.caption)


def stands(claim: Document, uploader: EmbeddedText) -> bool:
    """Whether the text of ``claim`` stays, whatever is found for its image: it is a person's,
    and not the uploader's who has given other text since."""
    if claim.source == Source.UPLOADER and not claim.review.approved_by:
        return not has_text(uploader)
    return claim.by_person


def kept(document: Document, people: EmbeddedText, source: Source) -> Document:
    """``document`` with the text that people gave in place of the model's."""
    return replace(
        document,
        embedding=None,
        similarity=None,
        alt_text=people.alt_text or document.alt_text,
        caption=people.caption or document.caption,
        decorative=document.decorative and not people.alt_text,
        language=people.language or document.language,
        source=source,
    )


def _with_text_of(uploader: EmbeddedText, document: Document, now: datetime) -> Document:
    """``document`` with the uploader's text, if there is any; nobody has approved that yet."""
    if not has_text(uploader):
        return document
    review = Review(document.review.needed, document.review.reasons)
    document = replace(document, review=review, proposal=None, edited_at=now)
    return kept(document, uploader, Source.UPLOADER)


def _settled(claim: Document, found: Document, *, proposed: bool, now: datetime) -> Document:
    """``claim``, ended with what was found for its image, or with that beside its own text."""
    if not proposed:
        return ended(found, Status.CAPTIONED, now, captioned_at=now)
    proposal: Proposal | None = Proposal(
        **found.text_fields(),
        model=found.model,
        model_version=found.model_version,
        prompt=found.prompt,
        generation=str(claim.generation),
        at=now,
    )
    if found.text_fields() == claim.text_fields():
        proposal = None
    document = replace(
        claim,
        width=found.width,
        height=found.height,
        media=found.media,
        duration_seconds=found.duration_seconds,
        proposal=proposal,
    )
    return ended(document, Status.CAPTIONED, now)


def unanswered(claim: Document, status: Status, problem: Problem) -> Document:
    """``claim`` without new text: what is published for its image stays, with the problem beside
    it; else it has ended as ``status``. A wish for other words that is only put off stays, for
    ``keep`` to take up."""
    published = claim.status == Status.CAPTIONED
    text_stands = published and IMAGE_CHANGED not in claim.review.reasons
    refused = published and problem.reason in _REFUSED
    if not (text_stands or refused):
        return ended(claim, status, problem.at, problem)
    put_off = text_stands and problem.reason in PUT_OFF
    how = "asked again, and put off" if put_off else "asked again in vain"
    message = f"{how}; the words from before stand: {problem.message}"
    return replace(
        claim,
        updated_at=problem.at,
        error=replace(problem, message=message),
        lease=None,
        not_before=None,
        renewal=claim.renewal if put_off else None,
    )


def ended(
    document: Document,
    status: Status,
    now: datetime,
    error: Problem | None = None,
    captioned_at: datetime | None = None,
) -> Document:
    """``document`` with no work left on it."""
    return replace(
        document,
        status=status,
        updated_at=now,
        error=error,
        lease=None,
        not_before=None,
        renewal=None,
        metadata_synced=False,
        search_terms=words_for_search(document),
        captioned_at=captioned_at or document.captioned_at,
    )


def words_for_search(document: Document) -> tuple[str, ...]:
    """What ``search_terms`` of a document are by its text and its name."""
    translated = (
        text
        for words in document.translations.values()
        for field, text in words.items()
        if field in _TRANSLATED and isinstance(text, str)
    )
    return search_terms.terms(
        (
            *(document.alt_text, document.caption, *document.tags, *translated),
            *(
                document.long_description,
                document.visible_text,
                document.name.rpartition(".")[0] or document.name,
            ),
        )
    )


def translated(
    document: Document,
    found: Mapping[str, Mapping[str, Any]],
    reasons: tuple[str, ...],
    done: tuple[str, ...],
    now: datetime,
) -> Document:
    """``document`` with a model's translations of its text beside those that people wrote, and
    nothing left to translate into the languages that are ``done``. Work on it goes on."""
    written = _by_model(found)
    review = document.review
    if reasons:
        every = tuple(dict.fromkeys((*review.reasons, *reasons)))
        review = replace(review, needed=True, reasons=every)
    edited = replace(
        document,
        translations={**_mapping(document.translations), **written, **document.by_hand},
        review=review,
        untranslated=left_to_translate(document, (), done),
        updated_at=now,
    )
    return replace(edited, search_terms=words_for_search(edited))


def left_to_translate(
    document: Document, more: Collection[str], done: Collection[str], now: datetime | None = None
) -> Untranslated | None:
    """What is still to be translated of a document: ``more`` than before, less what is ``done``."""
    before = document.untranslated
    languages = dict.fromkeys((*(before.languages if before else ()), *more))
    left = tuple(tag for tag in languages if tag not in done)
    return Untranslated(left, (before and before.since) or now) if left else None


def _by_model(translations: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {tag: {**text, "source": Source.MODEL.value} for tag, text in translations.items()}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def spent(document: Document, usage: Usage) -> Document:
    """``document`` with ``usage`` added to its own."""
    return replace(document, usage=document.usage + usage)


def kind(error: Exception) -> str:
    """The word for what a person has to do about an error: wait, mend a setting, or report."""
    if isinstance(error, TransientError):
        return "transient"
    return "configuration" if isinstance(error, ConfigurationError) else "defect"

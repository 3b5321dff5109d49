"""Whose words stand: a person's before the file's, the file's before the model's."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

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
    Usage,
)
from functions.core.errors import ConfigurationError, TransientError

# Reasons that say nothing against the text that stands.
_REFUSED = frozenset({"blocked", "no_caption"})
# Reasons by which a wish for other words is put off, not refused.
PUT_OFF = frozenset({"over_budget", "expired"})
_TRANSLATED = frozenset({"alt_text", "caption", "long_description"})


def captioned(
    claim: Document, asked: CheckedCaption, prompt: str, uploader: EmbeddedText, now: datetime
) -> Document:
    """``claim`` with the model's text for its image, asked for by ``prompt``.

    A person's text stays, and the model's becomes a proposal beside it; alt text that came with
    the upload or in the file stays, and the model fills what is missing.
    """
    found = replace(
        claim,
        **asked.reply.text_fields() | {"language": asked.language},
        width=asked.width,
        height=asked.height,
        source=Source.MODEL,
        model=asked.model,
        model_version=asked.model_version,
        prompt=prompt,
        review=Review(bool(asked.reasons), asked.reasons),
        proposal=None,
        edited_at=None,
        embedding=None,
        similarity=None,
    )
    if asked.embedded.alt_text:
        found = kept(found, asked.embedded, Source.EMBEDDED)
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
        source=copy.source,
        model=copy.model,
        model_version=copy.model_version,
        prompt=copy.prompt,
        review=copy.review,
        proposal=copy.proposal,
        edited_at=copy.edited_at,
        embedding=copy.embedding,
        similarity=copy.similarity,
    )
    found = _with_text_of(uploader, found, now)
    theirs = copy.by_person and IMAGE_CHANGED not in copy.review.reasons
    proposed = stands(claim, uploader) and (given(uploader) or not theirs)
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
    seen = (one.source, one.review, one.proposal, one.text_fields())
    return seen == (other.source, other.review, other.proposal, other.text_fields())


def labelled(claim: Document, text: EmbeddedText, language: str, now: datetime) -> Document:
    """``claim`` with what the labels say that it carried here: the uploader's text, whoever's it
    was, since whoever can write an object can write labels."""
    found = replace(claim, source=Source.UPLOADER, language=text.language or language)
    return _settled(claim, _with_text_of(text, found, now), proposed=False, now=now)


def given(text: EmbeddedText) -> bool:
    """Whether there is any text."""
    return bool(text.alt_text or text.caption)


def stands(claim: Document, uploader: EmbeddedText) -> bool:
    """Whether the text of ``claim`` stays, whatever is found for its image: it is a person's,
    and not the uploader's who has given other text since."""
    if claim.source == Source.UPLOADER and not claim.review.approved_by:
        return not given(uploader)
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
    if not given(uploader):
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
    document = replace(claim, width=found.width, height=found.height, proposal=proposal)
    return ended(document, Status.CAPTIONED, now)


def unanswered(claim: Document, status: Status, problem: Problem) -> Document:
    """``claim`` without new text: what is published for its image stays, with the problem beside
    it; else it has ended as ``status``. A wish for other words that is only put off stays, for
    ``keep`` to take up."""
    published = claim.status == Status.CAPTIONED
    asked_again = published and IMAGE_CHANGED not in claim.review.reasons
    refused = published and problem.reason in _REFUSED
    if not (asked_again or refused):
        return ended(claim, status, problem.at, problem)
    put_off = asked_again and problem.reason in PUT_OFF
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
    translated = (
        text
        for words in document.translations.values()
        for field, text in words.items()
        if field in _TRANSLATED and isinstance(text, str)
    )
    terms = search_terms.terms(
        (
            *(document.alt_text, document.caption, *document.tags, *translated),
            *(document.visible_text, document.name.rpartition(".")[0] or document.name),
        )
    )
    return replace(
        document,
        status=status,
        updated_at=now,
        error=error,
        lease=None,
        not_before=None,
        renewal=None,
        metadata_synced=False,
        search_terms=terms,
        captioned_at=captioned_at or document.captioned_at,
    )


def spent(document: Document, usage: Usage) -> Document:
    """``document`` with ``usage`` added to its own."""
    return replace(document, usage=document.usage + usage)


def kind(error: Exception) -> str:
    """The word for what a person has to do about an error: wait, mend a setting, or report."""
    if isinstance(error, TransientError):
        return "transient"
    return "configuration" if isinstance(error, ConfigurationError) else "defect"

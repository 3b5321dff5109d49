"""An object's metadata: what an uploader says in it, and what is written to it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from functions.core.document import Document, EmbeddedText, Upload
from functions.core.language_tags import meant_tag
from functions.core.plain_text import plain_line

# "Custom metadata ... 8 KiB": all keys and values together (Cloud Storage, quotas & limits).
MOST_BYTES = 8192
SOURCES = frozenset({"model", "human", "embedded", "uploader"})
_LONGEST_HINT = 1000
_YES = frozenset({"true", "t", "1", "yes", "y", "on"})
# What shells and spreadsheets leave around a value, and what tools write around a key's words.
_AROUND = " \t\r\n\"',;"
_BETWEEN = re.compile(r"^x-goog-meta-|[-_ .]")
_COPY = "resizedimage"


def skip_reason(upload: Upload) -> str:
    """Why an upload is to have no caption by its own metadata; empty if it may have one.

    ``resizedImage`` is what Firebase's resizer writes on its copies: their image has a caption,
    and ``alt_text`` finds it by the copy's name. ``caption-skip: false`` on a copy asks for one.
    """
    skip = _said(upload.metadata, "caption-skip").strip(_AROUND).lower()
    if skip in _YES:
        return "caption-skip"
    copy = any(k.lower() == _COPY and v.lower() in _YES for k, v in upload.metadata.items())
    return "resized_copy" if copy and not skip else ""


def hint(upload: Upload) -> str:
    """What the uploader says about the image: a hint for the model, never an instruction."""
    return plain_line(_said(upload.metadata, "caption-context"), _LONGEST_HINT)


def language(upload: Upload) -> str:
    """The main language the uploader asks for, as written; empty if none or if it is our own."""
    return "" if _ours(upload.metadata) else _said(upload.metadata, "caption-language").strip()


def uploader_text(upload: Upload) -> EmbeddedText:
    """Alt text and caption that a person set on upload.

    Text beside a ``caption-source`` of ours is one of our labels, carried over from another
    object or generation or forged: it is not a person's, and not trusted.
    """
    if _ours(upload.metadata):
        return EmbeddedText()
    return EmbeddedText(
        alt_text=plain_line(_said(upload.metadata, "alt-text")),
        caption=plain_line(_said(upload.metadata, "caption")),
    )


def carried_text(upload: Upload) -> EmbeddedText:
    """The text in our labels that an object has carried here from another one, or from another
    generation: a person's, if they say so. What they say of a model's is not taken over."""
    metadata = upload.metadata
    if metadata.get("caption-source") not in ("human", "uploader"):
        return EmbeddedText()
    if metadata.get("caption-generation") == str(upload.generation):
        return EmbeddedText()
    return EmbeddedText(
        alt_text=plain_line(metadata.get("alt-text", "")),
        caption=plain_line(metadata.get("caption", "")),
        language=meant_tag(metadata.get("caption-language", "")),
    )


def written(document: Document, present: Mapping[str, str]) -> dict[str, str | None]:
    """The labels of a captioned document that fit beside the metadata that is ``present``.

    A label that does not fit is None, to be taken out: the caption first, then the alt text,
    which is shortened at a word before that.
    """
    texts = {"alt-text": document.alt_text, "caption": document.caption}
    marks = {
        "caption-generation": str(document.generation),
        "caption-source": document.source,
        "caption-language": document.language,
        "caption-model": document.model,
    }
    labels: dict[str, str | None] = {}
    used = _size({k: v for k, v in present.items() if k not in marks | texts})
    for key, value in (marks | texts).items():
        most_bytes = MOST_BYTES - used - len(key.encode())
        fitting = _shortened(value, most_bytes) if key == "alt-text" else value
        if len(fitting.encode()) > most_bytes or (value and not fitting):
            labels[key] = None
        else:
            labels[key] = fitting
            used += _size({key: fitting})
    return labels


def _said(metadata: Mapping[str, str], key: str) -> str:
    """What an uploader set as ``key``; else as one of the same words, as ``captionSkip``,
    ``Caption_Skip`` or with the header's prefix. The JSON API keeps keys as they are written,
    headers come in any case."""
    if key in metadata:
        return metadata[key]
    wanted = _words(key)
    alike = (each for each in metadata if _words(each) == wanted)
    return metadata.get(next(alike, ""), "")


def _words(key: str) -> str:
    return _BETWEEN.sub("", key.lower())


def _ours(metadata: Mapping[str, str]) -> bool:
    return metadata.get("caption-source", "") in SOURCES


def _size(metadata: Mapping[str, str]) -> int:
    return sum(len(key.encode()) + len(value.encode()) for key, value in metadata.items())


def _shortened(text: str, most_bytes: int) -> str:
    if len(text.encode()) <= most_bytes:
        return text
    cut = text.encode()[: max(most_bytes - len("…".encode()), 0)].decode("utf-8", "ignore")
    head = cut.rpartition(" ")[0].rstrip(" ,;:")
    return f"{head}…" if head else ""

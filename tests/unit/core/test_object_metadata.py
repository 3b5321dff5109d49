"""An object's metadata, read and written."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core import object_metadata
from functions.core.document import Document, EmbeddedText, Upload
from tests.support.documents import plain_document

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def upload(**metadata: str) -> Upload:
    dashed = {key.replace("_", "-"): value for key, value in metadata.items()}
    return Upload("b", "n", 1, NOW, metadata=dashed)


def document(**fields: str) -> Document:
    return plain_document(
        "n", at=NOW, bucket="b", generation=7, source="model", model="m", language="en", **fields
    )


def size(metadata: dict[str, str]) -> int:
    return sum(len(key.encode()) + len(value.encode()) for key, value in metadata.items())


def merged(present: dict[str, str], written: dict[str, str | None]) -> dict[str, str]:
    both: dict[str, str | None] = {**present, **written}
    return {key: value for key, value in both.items() if value is not None}


def test_the_labels_say_what_whose_and_of_which_generation() -> None:
    assert object_metadata.written(document(alt_text="A dog", caption="A dog runs."), {}) == {
        "alt-text": "A dog",
        "caption": "A dog runs.",
        "caption-generation": "7",
        "caption-language": "en",
        "caption-model": "m",
        "caption-source": "model",
    }


def test_a_decorative_image_is_labelled_with_empty_text() -> None:
    assert object_metadata.written(document(), {})["alt-text"] == ""


def test_the_caption_gives_way_before_the_alt_text() -> None:
    present = {"k": "x" * 7950}
    written = object_metadata.written(document(alt_text="A dog", caption="y" * 500), present)
    assert written["alt-text"] == "A dog"
    assert written["caption"] is None


def test_alt_text_is_shortened_at_a_word() -> None:
    present = {"k": "x" * 8000}
    written = object_metadata.written(document(alt_text="A brown dog " * 20), present)
    assert written["alt-text"]
    assert written["alt-text"].endswith(("A…", "brown…", "dog…"))
    assert len(written["alt-text"]) > 80


@given(
    st.dictionaries(st.text(max_size=20), st.text(max_size=400), max_size=30).filter(
        lambda present: size(present) <= object_metadata.MOST_BYTES
    ),
    st.text(max_size=6000),
    st.text(max_size=6000),
)
def test_what_is_written_fits_in_8_kib(present: dict[str, str], alt: str, caption: str) -> None:
    surrogates_out = (text.encode("utf-8", "ignore").decode() for text in (alt, caption))
    alt, caption = surrogates_out
    after = merged(
        present, object_metadata.written(document(alt_text=alt, caption=caption), present)
    )
    assert size(after) <= object_metadata.MOST_BYTES


def test_our_older_labels_do_not_count_twice() -> None:
    first = document(alt_text="a " * 1000, caption="c" * 3000)
    present = merged({}, object_metadata.written(first, {}))
    assert merged(present, object_metadata.written(first, present)) == present


@pytest.mark.parametrize("value", ["true", "TRUE", " yes ", "1", "y", "T", '"true"', "true;"])
def test_an_uploader_can_ask_for_no_caption(value: str) -> None:
    assert object_metadata.skip_reason(upload(caption_skip=value)) == "caption-skip"


def test_anything_else_is_no_request_to_skip() -> None:
    for value in ("false", "0", "no", "", "true story"):
        assert not object_metadata.skip_reason(upload(caption_skip=value))
    assert not object_metadata.skip_reason(upload(resizedImage="false"))
    assert not object_metadata.skip_reason(upload())


@pytest.mark.parametrize("key", ["resizedImage", "resizedimage"])
def test_a_resizers_copy_has_no_caption_of_its_own_unless_that_is_asked_for(key: str) -> None:
    assert object_metadata.skip_reason(upload(**{key: "true"})) == "resized_copy"
    assert not object_metadata.skip_reason(upload(**{key: "true"}, caption_skip="false"))


def test_what_an_uploader_wrote_is_one_plain_line() -> None:
    text = object_metadata.uploader_text(upload(alt_text=" A\n dog\x00\u202e  runs\u200d "))
    assert text == EmbeddedText(alt_text="A dog runs")


@pytest.mark.parametrize("source", sorted(object_metadata.SOURCES))
def test_text_beside_a_source_of_ours_is_not_a_persons(source: str) -> None:
    stranger = upload(alt_text="x", caption="y", caption_source=source, caption_generation="1")
    assert object_metadata.uploader_text(stranger) == EmbeddedText()


def test_text_beside_another_source_is_a_persons() -> None:
    person = upload(alt_text="x", caption_source="our editors")
    assert object_metadata.uploader_text(person).alt_text == "x"


def test_a_hint_is_one_bounded_line() -> None:
    assert (
        object_metadata.hint(upload(caption_context="Product:\r\nAcme\x1b chair"))
        == "Product: Acme chair"
    )
    assert len(object_metadata.hint(upload(caption_context="x" * 9000))) == 1000


@pytest.mark.parametrize("spelled", ["{}_", "Title", "upper", "camelCase", "x-goog-meta-"])
def test_what_an_uploader_says_counts_however_its_key_is_spelled(spelled: str) -> None:
    def key(name: str) -> str:
        first, *rest = name.split("-")
        forms = {"{}_": name.replace("-", "_"), "Title": name.title(), "upper": name.upper()}
        forms |= {"camelCase": first + "".join(map(str.title, rest))}
        return forms.get(spelled, spelled + name)

    said = Upload("b", "n", 1, NOW, metadata={key("caption-skip"): "on", key("alt-text"): "A dog"})
    assert object_metadata.skip_reason(said) == "caption-skip"
    assert object_metadata.uploader_text(said) == EmbeddedText(alt_text="A dog")
    asked = {key("caption-context"): "Shop", key("caption-language"): "de"}
    hinted = Upload("b", "n", 1, NOW, metadata=asked)
    assert object_metadata.hint(hinted) == "Shop"
    assert object_metadata.language(hinted) == "de"


def test_of_two_spellings_of_a_key_the_one_that_is_documented_counts() -> None:
    said = Upload("b", "n", 1, NOW, metadata={"Alt-Text": "A cat", "alt-text": "A dog"})
    assert object_metadata.uploader_text(said) == EmbeddedText(alt_text="A dog")

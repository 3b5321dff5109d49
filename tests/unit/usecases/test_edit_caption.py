"""A person's words: what they change, and what never overwrites them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from functions import composition
from functions.core.document import document_id
from functions.core.errors import Conflict, EditError, NoCaption
from functions.core.public_text import PublicText, choose
from functions.usecases.edit_caption import LONGEST_ALT_TEXT, Change, Edited, Editing, version
from tests.support.answers import gemini
from tests.support.pictures import jpeg
from tests.support.stack import Cloud, Stack

pytestmark = pytest.mark.stacks("embedded")

FRENCH = {"language": "fr", "alt_text": "Une tasse rouge", "caption": "Une tasse."}
GERMAN = {"language": "de", "alt_text": "Ein roter Becher", "caption": "Ein Becher."}


def editing(stack: Stack) -> Editing:
    read = composition.settings()
    return composition.editing(read, composition.store(read))


def edit(
    stack: Stack, name: str, seen: str = "", by: str = "ana@example.com", **fields: Any
) -> Edited:
    return editing(stack).edit(document_id(stack.bucket, name), Change(**fields), by, seen)


def seen(stack: Stack, name: str) -> str:
    stored = composition.store(composition.settings()).read(document_id(stack.bucket, name))
    assert stored
    return version(stored.document)


def there(stack: Stack, name: str) -> dict[str, Any]:
    document = stack.document(name)
    assert document
    return document


def written_by_hand(stack: Stack, language: str) -> None:
    """Let a translation be a person's."""
    store = composition.store(composition.settings())
    stored = store.read(document_id(stack.bucket, "a.jpg"))
    assert stored
    translations = dict(stored.document.translations)
    translations[language] = {**translations[language], "source": "human"}
    store.replace(stored, replace(stored.document, translations=translations))


def told(stack: Stack, language: str) -> PublicText:
    """What a website reads."""
    stored = composition.store(composition.settings()).read(document_id(stack.bucket, "a.jpg"))
    text = choose(stored.document, language) if stored else None
    assert text
    return text


@pytest.fixture
def mug(stack: Stack) -> Stack:
    """A captioned image, ``a.jpg``."""
    stack.model.answer(gemini.good(caption="A red mug stands there.", alt_text="A red mug"))
    assert stack.deliver(stack.put("a.jpg", jpeg())) == 200
    return stack


@pytest.mark.stacks("embedded", "cloud")
def test_a_persons_words_reach_the_document_and_the_object(mug: Stack) -> None:
    edited = edit(mug, "a.jpg", alt_text="  A blue\tmug\x00 ", caption="It is chipped.")

    assert edited.unlabelled == ""
    document = there(mug, "a.jpg")
    assert (document["alt_text"], document["caption"]) == ("A blue mug", "It is chipped.")
    assert (document["source"], document["metadata_synced"]) == ("human", True)
    assert document["review"]["needed"] is False
    assert {"blue", "chipped"} <= set(document["search_terms"])
    assert "red" not in document["search_terms"]
    labels = mug.metadata("a.jpg")
    assert (labels["alt-text"], labels["caption-source"]) == ("A blue mug", "human")


def test_another_delivery_of_the_upload_leaves_a_persons_words(mug: Stack) -> None:
    edit(mug, "a.jpg", alt_text="A blue mug")
    mug.request(name="a.jpg")

    assert there(mug, "a.jpg")["alt_text"] == "A blue mug"
    assert mug.model.count == 1


def test_a_new_generation_makes_a_proposal_that_can_be_accepted(mug: Stack) -> None:
    edit(mug, "a.jpg", alt_text="My mug")
    mug.model.answer(gemini.good(caption="A green mug.", alt_text="A green mug", tags=["green"]))
    mug.deliver(mug.put("a.jpg", jpeg(7)))
    proposed = there(mug, "a.jpg")
    assert (proposed["alt_text"], proposed["proposal"]["alt_text"]) == ("My mug", "A green mug")
    assert proposed["review"]["needed"] is True

    edit(mug, "a.jpg", accept=True)

    document = there(mug, "a.jpg")
    assert (document["alt_text"], document["source"]) == ("A green mug", "model")
    assert document["review"]["approved_by"] == "ana@example.com"
    assert document["tags"] == ["green"]
    assert "proposal" not in document
    assert mug.metadata("a.jpg")["alt-text"] == "A green mug"
    with pytest.raises(EditError, match="no proposal"):
        edit(mug, "a.jpg", accept=True)


def test_words_of_ones_own_answer_a_proposal(mug: Stack) -> None:
    edit(mug, "a.jpg", alt_text="My mug")
    mug.deliver(mug.put("a.jpg", jpeg(7)))
    edit(mug, "a.jpg", alt_text="My green mug")

    document = there(mug, "a.jpg")
    assert "proposal" not in document
    assert (document["source"], document["review"]["needed"]) == ("human", False)


def test_approval_keeps_whose_the_words_are(mug: Stack) -> None:
    edit(mug, "a.jpg", approve=True)

    document = there(mug, "a.jpg")
    assert (document["source"], document["alt_text"]) == ("model", "A red mug")
    assert document["review"]["approved_by"] == "ana@example.com"
    assert document["review"]["approved_at"]


def test_the_same_words_again_change_nothing(mug: Stack) -> None:
    before = there(mug, "a.jpg")
    edit(mug, "a.jpg", alt_text="A red mug", caption=before["caption"], decorative=False)

    assert there(mug, "a.jpg") == before


def test_a_machines_translations_of_words_that_were_wrong_are_outdated(stack: Stack) -> None:
    stack.model.answer(gemini.good(alt_text="A red mug", translations=[GERMAN, FRENCH]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAPTION_LANGUAGES", "en,de,fr")
        stack.restart()
        stack.deliver(stack.put("a.jpg", jpeg()))
    written_by_hand(stack, "fr")
    edit(stack, "a.jpg", language="en-GB")
    assert "outdated" not in there(stack, "a.jpg")["translations"]["de"]

    edit(stack, "a.jpg", alt_text="A blue mug")

    translations = there(stack, "a.jpg")["translations"]
    assert translations["de"]["outdated"] is True
    assert (translations["fr"]["source"], translations["fr"].get("outdated")) == ("human", None)
    assert there(stack, "a.jpg")["language"] == "en-GB"
    assert told(stack, "de").alt_text == "A blue mug"
    assert told(stack, "fr").alt_text == FRENCH["alt_text"]


def test_decoration_has_no_alt_text_and_anything_else_has_some(mug: Stack) -> None:
    with pytest.raises(EditError, match="mark the image as decorative"):
        edit(mug, "a.jpg", alt_text=" \x07 ")
    edit(mug, "a.jpg", decorative=True)
    document = there(mug, "a.jpg")
    assert (document["alt_text"], document["decorative"]) == ("", True)
    with pytest.raises(EditError, match="leave it empty"):
        edit(mug, "a.jpg", alt_text="A mug")
    with pytest.raises(EditError, match="write one"):
        edit(mug, "a.jpg", decorative=False)
    edit(mug, "a.jpg", decorative=False, alt_text="A mug")
    assert there(mug, "a.jpg")["alt_text"] == "A mug"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"alt_text": "x" * (LONGEST_ALT_TEXT + 1)}, "1000 are the most"),
        ({"language": "klingon!"}, "not a language tag"),
        ({"accept": True, "alt_text": "x"}, "not both at once"),
    ],
)
def test_a_change_that_cannot_be_says_what_would_do(
    fields: dict[str, Any], said: str, mug: Stack
) -> None:
    before = there(mug, "a.jpg")
    with pytest.raises(EditError, match=said):
        edit(mug, "a.jpg", **fields)
    assert there(mug, "a.jpg") == before


def test_what_nobody_could_caption_is_captioned_by_hand(stack: Stack) -> None:
    stack.deliver(stack.put("a.jpg", b"\xff\xd8\xff broken"))
    rejected = there(stack, "a.jpg")
    assert (rejected["status"], rejected["error"]["reason"]) == ("rejected", "corrupt_image")
    with pytest.raises(EditError, match="no words to approve"):
        edit(stack, "a.jpg", approve=True)

    edit(stack, "a.jpg", alt_text="A mug, half loaded", approve=True)

    document = there(stack, "a.jpg")
    assert (document["status"], document["language"]) == ("captioned", "en")
    assert "error" not in document
    assert stack.metadata("a.jpg")["alt-text"] == "A mug, half loaded"


@pytest.mark.stacks("embedded", "cloud")
def test_a_model_that_answers_after_a_person_has_written_overwrites_nothing(stack: Stack) -> None:
    def meanwhile() -> None:
        edit(stack, "a.jpg", alt_text="My mug")

    stack.model.answer(gemini.good(alt_text="Another mug"))
    event = stack.put("a.jpg", jpeg())
    assert during_the_model_call(stack, lambda: stack.deliver(event), meanwhile) == 200

    document = there(stack, "a.jpg")
    assert (document["alt_text"], document["source"]) == ("My mug", "human")
    assert "lease" not in document
    assert stack.metadata("a.jpg")["alt-text"] == "My mug"


def during_the_model_call(
    stack: Stack, act: Callable[[], int], meanwhile: Callable[[], None]
) -> int:
    """What ``act`` returns, when ``meanwhile`` is done while the model thinks."""
    answers: list[int] = []
    stack.model.delay = 1.5
    acting = threading.Thread(target=lambda: answers.append(act()))
    acting.start()
    try:
        while not stack.model.count:
            acting.join(0.02)
            assert acting.is_alive()
        meanwhile()
    finally:
        acting.join()
        stack.model.delay = 0
    return answers[0]


@pytest.mark.stacks("embedded", "cloud")
def test_of_two_people_who_saw_the_same_one_is_told_of_the_other(mug: Stack) -> None:
    ours = seen(mug, "a.jpg")
    edit(mug, "a.jpg", ours, alt_text="A blue mug")

    with pytest.raises(Conflict):
        edit(mug, "a.jpg", ours, alt_text="A green mug")
    assert there(mug, "a.jpg")["alt_text"] == "A blue mug"


@pytest.mark.stacks("embedded", "cloud")
def test_of_many_edits_at_once_one_wins_and_is_labelled(mug: Stack) -> None:
    ours = seen(mug, "a.jpg")
    desk, key = editing(mug), document_id(mug.bucket, "a.jpg")
    won: list[str] = []

    def write(text: str) -> None:
        with suppress(Conflict):
            desk.edit(key, Change(alt_text=text), "ana", ours)
            won.append(text)

    writers = [threading.Thread(target=write, args=(f"Mug {n}",)) for n in range(8)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()

    assert [there(mug, "a.jpg")["alt_text"]] == won
    assert mug.metadata("a.jpg")["alt-text"] == won[0]


def test_what_an_editor_does_not_see_may_change_under_them(mug: Stack) -> None:
    ours = seen(mug, "a.jpg")
    store = composition.store(composition.settings())
    stored = store.read(document_id(mug.bucket, "a.jpg"))
    assert stored
    store.replace(stored, replace(stored.document, metadata_synced=False))

    edit(mug, "a.jpg", ours, alt_text="A blue mug")
    assert mug.metadata("a.jpg")["alt-text"] == "A blue mug"


def test_new_words_get_an_embedding_of_their_own(mug: Stack) -> None:
    before = there(mug, "a.jpg")["embedding"]
    edit(mug, "a.jpg", approve=True)
    assert list(there(mug, "a.jpg")["embedding"]) == list(before)

    edit(mug, "a.jpg", alt_text="A blue mug")
    assert list(there(mug, "a.jpg")["embedding"]) != list(before)


def test_where_no_embedding_is_to_be_had_that_of_the_old_words_goes(mug: Stack) -> None:
    read = replace(composition.settings(), embedding_model="")
    store = composition.store(read)
    stored = store.read(document_id(mug.bucket, "a.jpg"))
    assert stored
    store.replace(stored, replace(stored.document, similarity=0.5))
    composition.editing(read, store).edit(stored.document.id, Change(alt_text="A blue mug"), "ana")

    document = there(mug, "a.jpg")
    assert not {"embedding", "similarity"} & document.keys()
    assert document["metadata_synced"] is True


def test_an_image_without_caption_or_that_is_gone_cannot_be_edited(mug: Stack) -> None:
    with pytest.raises(NoCaption, match="no such caption"):
        edit(mug, "b.jpg", alt_text="x")
    mug.remove("a.jpg")
    with pytest.raises(NoCaption, match="deleted meanwhile"):
        edit(mug, "a.jpg", alt_text="x")
    assert mug.document("a.jpg") is None


@pytest.mark.stacks("embedded", "cloud")
def test_an_edit_just_before_a_newer_image_is_kept_beside_the_proposal(mug: Stack) -> None:
    newer = mug.put("a.jpg", jpeg(7))
    edited = edit(mug, "a.jpg", alt_text="My mug")
    assert edited.unlabelled == "the image has changed"
    assert "alt-text" not in mug.metadata("a.jpg")

    mug.model.answer(gemini.good(alt_text="A green mug"))
    assert mug.deliver(newer) == 200
    document = there(mug, "a.jpg")
    assert (document["alt_text"], document["proposal"]["alt_text"]) == ("My mug", "A green mug")
    assert mug.metadata("a.jpg")["alt-text"] == "My mug"


def test_a_bucket_out_of_reach_keeps_nobody_from_editing(cloud: Cloud) -> None:
    cloud.deliver(cloud.put("a.jpg", jpeg()))
    failure = cloud.storage.fail("PATCH", "a.jpg", 403)
    edited = edit(cloud, "a.jpg", alt_text="My mug")

    assert "storage.objects.update" in edited.unlabelled
    assert failure.times == 0
    document = there(cloud, "a.jpg")
    assert (document["alt_text"], document["metadata_synced"]) == ("My mug", False)

    cloud.request(name="a.jpg")
    assert there(cloud, "a.jpg")["metadata_synced"] is True
    assert cloud.metadata("a.jpg")["alt-text"] == "My mug"


def test_documents_name_nobody_where_websites_read_them_and_the_history_knows_who(
    mug: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPTION_REVIEWERS", "unnamed")
    mug.restart()
    edit(mug, "a.jpg", alt_text="A blue mug", approve=True)

    document = there(mug, "a.jpg")
    assert document["review"]["approved_by"] == "a reviewer"
    assert "ana@example.com" not in str(document)
    desk = composition.editing(composition.settings(), composition.store(composition.settings()))
    assert "ana@example.com" in {each.by for each in desk.history(document_id(mug.bucket, "a.jpg"))}

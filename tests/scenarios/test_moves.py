"""What becomes of text wherever its image goes, on both pairs of stores.

The rows are those of docs/what-happens-to-an-upload.md, which names these tests.
"""

from __future__ import annotations

import queue
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from google.cloud import firestore

from functions import composition
from functions.core.document import Source, Status, document_id
from functions.core.public_text import published
from functions.usecases.edit_caption import Change
from functions.usecases.find_copy import KIND
from tests.support.answers import gemini
from tests.support.documents import plain_document
from tests.support.pictures import jpeg
from tests.support.stack import Cloud, Stack

HAND = "My red mug, chipped at the rim"


def edit(stack: Stack, name: str, **fields: Any) -> None:
    read = composition.settings()
    editing = composition.editing(read, composition.store(read))
    editing.edit(document_id(stack.bucket, name), Change(**fields), "ana@example.com")


def there(stack: Stack, name: str) -> dict[str, Any]:
    document = stack.document(name)
    assert document
    return document


def words(stack: Stack, name: str) -> tuple[str, str, str]:
    document = there(stack, name)
    return document["status"], document["source"], document["alt_text"]


@pytest.fixture
def written(stack: Stack) -> Stack:
    """An image, ``a.jpg``, whose alt text a person wrote."""
    assert stack.deliver(stack.put("a.jpg", jpeg())) == 200
    edit(stack, "a.jpg", alt_text=HAND)
    return stack


def test_a_copy_has_what_a_person_wrote(written: Stack) -> None:
    assert written.deliver(written.copy("a.jpg", "b.jpg")) == 200

    assert words(written, "b.jpg") == ("captioned", "human", HAND)
    labels = written.metadata("b.jpg")
    assert (labels["alt-text"], labels["caption-source"]) == (HAND, "human")
    assert there(written, "b.jpg")["usage"]["model_calls"] == 0
    assert written.model.count == 1


def test_a_copy_has_what_came_with_the_upload(stack: Stack) -> None:
    stack.deliver(stack.put("a.jpg", jpeg(), alt_text="Our founder, Ada"))
    assert stack.deliver(stack.copy("a.jpg", "b.jpg")) == 200

    assert words(stack, "b.jpg") == ("captioned", "uploader", "Our founder, Ada")
    assert stack.metadata("b.jpg")["caption-source"] == "uploader"
    assert stack.model.count == 1


def test_a_copy_has_an_approval_as_well(stack: Stack) -> None:
    stack.deliver(stack.put("a.jpg", jpeg()))
    edit(stack, "a.jpg", approve=True)
    stack.deliver(stack.copy("a.jpg", "b.jpg"))

    assert there(stack, "b.jpg")["review"]["approved_by"] == "ana@example.com"


@pytest.mark.parametrize("order", ["upload first", "delete first"])
@pytest.mark.parametrize("whose", ["a person's", "the model's"])
def test_a_move_takes_its_text_along_in_whatever_order_its_events_come(
    stack: Stack, order: str, whose: str
) -> None:
    stack.deliver(stack.put("a.jpg", jpeg()))
    if whose == "a person's":
        edit(stack, "a.jpg", alt_text=HAND)
    before = words(stack, "a.jpg")
    arrived = stack.copy("a.jpg", "b.jpg")
    gone = stack.remove("a.jpg")
    acts = [lambda: stack.deliver(arrived), lambda: stack.forget(gone)]
    for act in acts if order == "upload first" else reversed(acts):
        assert act() == 200

    assert words(stack, "b.jpg") == before
    assert stack.document("a.jpg") is None
    assert stack.model.count == 1


@pytest.mark.parametrize("force", [False, True])
def test_a_copy_over_an_image_of_the_same_picture_has_its_text(written: Stack, force: bool) -> None:
    written.deliver(written.put("b.jpg", jpeg()))
    store = composition.store(composition.settings())
    stored = store.read(document_id(written.bucket, "b.jpg"))
    assert stored
    models = replace(stored.document, source=Source.MODEL, alt_text="A mug", edited_at=None)
    store.replace(stored, models)
    event = written.copy("a.jpg", "b.jpg")

    assert (written.request(name="b.jpg", force=True) if force else written.deliver(event)) == 200
    assert words(written, "b.jpg") == ("captioned", "human", HAND)
    assert written.metadata("b.jpg")["alt-text"] == HAND
    assert written.model.count == 1


def test_an_image_written_again_in_place_keeps_its_text_and_costs_nothing(written: Stack) -> None:
    again = written.copy("a.jpg", "a.jpg")
    assert written.deliver(again) == 200

    document = there(written, "a.jpg")
    assert words(written, "a.jpg") == ("captioned", "human", HAND)
    assert (document["generation"], document["review"]["needed"]) == (again["generation"], False)
    assert "proposal" not in document
    assert written.metadata("a.jpg")["caption-generation"] == again["generation"]
    assert written.model.count == 1


def test_a_change_of_storage_class_keeps_its_text(cloud: Cloud) -> None:
    cloud.deliver(cloud.put("a.jpg", jpeg()))
    edit(cloud, "a.jpg", alt_text=HAND)
    client = cloud.storage.client()
    client.bucket(cloud.bucket).get_blob("a.jpg").update_storage_class("NEARLINE")
    client.close()
    kind, event = next(each for each in reversed(cloud.storage.events) if "finalized" in each[0])

    assert cloud.deliver(event, kind) == 200
    assert words(cloud, "a.jpg") == ("captioned", "human", HAND)
    assert cloud.model.count == 1


def test_an_image_restored_after_its_deletion_has_its_text_back(written: Stack) -> None:
    written.forget(written.remove("a.jpg"))
    assert written.document("a.jpg") is None

    written.deliver(written.put("a.jpg", jpeg()))
    assert words(written, "a.jpg") == ("captioned", "human", HAND)
    assert written.model.count == 1


def test_an_older_generation_restored_has_its_own_text_back(written: Stack) -> None:
    written.deliver(written.put("a.jpg", jpeg(2)))
    edit(written, "a.jpg", accept=True)
    assert words(written, "a.jpg")[1] == "model"

    written.deliver(written.put("a.jpg", jpeg()))
    assert words(written, "a.jpg") == ("captioned", "human", HAND)
    assert there(written, "a.jpg")["review"]["needed"] is False
    assert written.model.count == 2


def test_a_copy_in_another_bucket_has_its_text(cloud: Cloud) -> None:
    cloud.deliver(cloud.put("a.jpg", jpeg()))
    edit(cloud, "a.jpg", alt_text=HAND)
    client = cloud.storage.client()
    other = client.create_bucket("elsewhere")
    bucket = client.bucket(cloud.bucket)
    bucket.copy_blob(bucket.blob("a.jpg"), other, "a.jpg")
    _, event = cloud.storage.events[-1]
    assert cloud.deliver(event) == 200

    store = composition.store(composition.settings())
    stored = store.read(document_id("elsewhere", "a.jpg"))
    assert stored
    assert (stored.document.source, stored.document.alt_text) == ("human", HAND)
    assert other.get_blob("a.jpg").metadata["alt-text"] == HAND
    client.close()
    assert cloud.model.count == 1


def test_two_copies_at_once_cost_nothing(written: Stack) -> None:
    events = [written.copy("a.jpg", name) for name in ("b.jpg", "c.jpg")]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(written.deliver, events)) == [200, 200]

    for name in ("b.jpg", "c.jpg"):
        assert words(written, name) == ("captioned", "human", HAND)
    assert written.model.count == 1


def test_copies_part_when_one_is_edited_and_each_is_copied_as_it_says(written: Stack) -> None:
    written.deliver(written.copy("a.jpg", "b.jpg"))
    edit(written, "b.jpg", alt_text="The same mug, seen by somebody else")
    assert words(written, "a.jpg")[2] == HAND

    written.deliver(written.copy("a.jpg", "of a.jpg"))
    written.deliver(written.copy("b.jpg", "of b.jpg"))
    written.deliver(written.put("without labels.jpg", jpeg()))
    assert words(written, "of a.jpg")[2] == HAND
    assert words(written, "of b.jpg")[2] == "The same mug, seen by somebody else"
    assert words(written, "without labels.jpg")[2] == "The same mug, seen by somebody else"
    assert written.model.count == 1


def test_the_last_copy_of_a_persons_text_keeps_it_when_the_others_are_long_gone(
    written: Stack,
) -> None:
    written.deliver(written.copy("a.jpg", "b.jpg"))
    written.forget(written.remove("a.jpg"))
    written.forget_pictures()

    written.deliver(written.put("c.jpg", jpeg()))
    assert words(written, "c.jpg") == ("captioned", "human", HAND)


def test_a_copy_holds_a_persons_text_when_the_original_is_long_gone(stack: Stack) -> None:
    stack.deliver(stack.put("a.jpg", jpeg()))
    stack.deliver(stack.put("model's.jpg", jpeg()))
    stack.model.answer(gemini.good(alt_text="A mug, made anew"))
    stack.request(name="model's.jpg", force=True)
    edit(stack, "a.jpg", alt_text=HAND)
    event = stack.copy("a.jpg", "b.jpg")
    stack.deliver(event)
    stack.forget(stack.remove("a.jpg"))
    let_time_go_by(event)

    stack.deliver(stack.put("c.jpg", jpeg()))
    assert words(stack, "c.jpg") == ("captioned", "human", HAND)


def let_time_go_by(event: dict[str, Any]) -> None:
    """Let everything expire that is to."""
    store = composition.store(composition.settings())
    key = event["md5Hash"].replace("/", "_").replace("+", "-").rstrip("=")
    record = store.read_record(KIND, key)
    expired = re.sub('"expires_at": "[0-9]{4}', '"expires_at": "2020', record.text)
    store.write_record(replace(record, text=expired))


def test_labels_alone_count_as_the_uploaders(written: Stack) -> None:
    event = written.copy("a.jpg", "b.jpg")
    written.forget(written.remove("a.jpg"))
    written.forget_pictures()

    assert written.deliver(event) == 200
    assert words(written, "b.jpg") == ("captioned", "uploader", HAND)
    assert "approved_by" not in {k for k, v in there(written, "b.jpg")["review"].items() if v}
    assert written.metadata("b.jpg")["caption-source"] == "uploader"
    assert written.model.count == 1


def test_labels_of_a_models_text_are_not_taken_over(stack: Stack) -> None:
    stack.deliver(stack.put("a.jpg", jpeg()))
    event = stack.copy("a.jpg", "b.jpg")
    stack.forget(stack.remove("a.jpg"))
    stack.forget_pictures()
    stack.model.answer(gemini.good(alt_text="A mug that was looked at anew"))

    stack.deliver(event)
    assert words(stack, "b.jpg") == ("captioned", "model", "A mug that was looked at anew")


def test_what_the_uploader_gives_a_copy_is_its_own(written: Stack) -> None:
    written.deliver(written.put("b.jpg", jpeg(), alt_text="For the shop window"))

    assert words(written, "b.jpg") == ("captioned", "uploader", "For the shop window")
    assert words(written, "a.jpg")[2] == HAND
    assert written.model.count == 1


def test_another_picture_has_nothing_of_a_models_text(stack: Stack) -> None:
    stack.deliver(stack.put("a.jpg", jpeg()))
    event = stack.put("a.jpg", jpeg(2))
    stack.model.answer(gemini.ERRORS["overloaded"])

    assert stack.deliver(event) == 500
    document = there(stack, "a.jpg")
    assert (document["status"], document["alt_text"]) == ("pending", "")


@pytest.mark.parametrize("how", ["edited", "approved", "uploaded"])
def test_a_persons_decision_is_proposed_against_and_not_replaced(stack: Stack, how: str) -> None:
    given = {"alt_text": HAND} if how == "uploaded" else {}
    stack.deliver(stack.put("a.jpg", jpeg(), **given))
    if how != "uploaded":
        edit(stack, "a.jpg", **({"alt_text": HAND} if how == "edited" else {"approve": True}))
    before = there(stack, "a.jpg")
    stack.model.answer(gemini.good(alt_text="A mug, by the model"))

    assert stack.request(name="a.jpg", force=True) == 200

    document = there(stack, "a.jpg")
    for field in ("status", "alt_text", "caption", "source", "review"):
        assert document[field] == before[field]
    assert document["proposal"]["alt_text"] == "A mug, by the model"


@pytest.mark.parametrize("how", ["edited", "approved", "uploaded"])
def test_another_picture_leaves_a_persons_decision_to_a_person(stack: Stack, how: str) -> None:
    given = {"alt_text": HAND} if how == "uploaded" else {}
    stack.deliver(stack.put("a.jpg", jpeg(), **given))
    if how != "uploaded":
        edit(stack, "a.jpg", **({"alt_text": HAND} if how == "edited" else {"approve": True}))
    before = there(stack, "a.jpg")
    for seed in (2, 3):
        assert stack.deliver(stack.put("a.jpg", jpeg(seed))) == 200

        document = there(stack, "a.jpg")
        assert document["status"] == "captioned"
        assert document["alt_text"] == before["alt_text"]
        assert document["review"]["needed"] is True
        assert document["review"]["reasons"] == ["image_changed"]
        assert document["proposal"]["alt_text"]


FAILURES = {
    "a wrong key": lambda stack: stack.model.always(gemini.ERRORS["wrong key"]),
    "the model away": lambda stack: stack.model.always(gemini.ERRORS["overloaded"]),
    "out of quota": lambda stack: stack.model.always(gemini.quota()),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_published_text_stays_while_a_forced_request_fails(stack: Stack, failure: str) -> None:
    stack.deliver(stack.put("a.jpg", jpeg()))
    before = there(stack, "a.jpg")
    FAILURES[failure](stack)

    asked_at = datetime.now(UTC)
    assert stack.request(asked_at, name="a.jpg", force=True) == 500

    document = there(stack, "a.jpg")
    for field in ("status", "alt_text", "model", "prompt", "source", "review", "metadata_synced"):
        assert document[field] == before[field]
    assert document["error"]["message"]
    assert document["renewal"]["forced"] is True

    stack.model.always(gemini.good(alt_text="A mug, made anew"))
    store = composition.store(composition.settings())
    stored = store.read(document_id(stack.bucket, "a.jpg"))
    assert stored
    store.replace(stored, replace(stored.document, not_before=None))
    stack.restart()
    assert stack.request(asked_at, name="a.jpg", force=True) == 200
    document = there(stack, "a.jpg")
    assert document["alt_text"] == "A mug, made anew"
    assert not {"renewal", "error", "lease"} & {k for k, v in document.items() if v}


def test_a_listener_sees_no_gap_while_a_caption_is_made_anew(cloud: Cloud) -> None:
    cloud.deliver(cloud.put("a.jpg", jpeg()))
    client, seen = firestore.Client(), queue.SimpleQueue[set[str]]()
    query = client.collection(composition.settings().collection).where(
        filter=firestore.FieldFilter("status", "==", "captioned")
    )
    watch = query.on_snapshot(
        lambda documents, *_: seen.put({each.get("alt_text") for each in documents})
    )
    # a listener may begin with nothing, before it has been sent what is there
    while not (before := seen.get(timeout=60)):
        pass
    cloud.model.answer(gemini.good(alt_text="A mug, made anew"))
    assert cloud.request(name="a.jpg", force=True) == 200
    after = [seen.get(timeout=60)]
    while "A mug, made anew" not in after[-1]:
        after.append(seen.get(timeout=60))
    watch.unsubscribe()
    client.close()

    assert [each for each in after if each not in (before, {"A mug, made anew"})] == []


def test_approval_during_a_forced_request_turns_its_result_into_a_proposal(stack: Stack) -> None:
    stack.deliver(stack.put("a.jpg", jpeg()))
    before = there(stack, "a.jpg")

    def approved(call: Any) -> Any:
        edit(stack, "a.jpg", approve=True)
        return gemini.good(alt_text="A mug, by the model")

    stack.model.answer(approved)
    assert stack.request(name="a.jpg", force=True) == 200

    document = there(stack, "a.jpg")
    assert document["alt_text"] == before["alt_text"]
    assert document["proposal"]["alt_text"] == "A mug, by the model"
    assert "renewal" not in {k for k, v in document.items() if v}


def test_a_copy_is_found_among_more_than_any_query_reads(stack: Stack) -> None:
    stack.deliver(stack.put("first.jpg", jpeg()))
    store = composition.store(composition.settings())
    stored = store.read(document_id(stack.bucket, "first.jpg"))
    assert stored
    for number in range(70):
        store.create(replace(stored.document, name=f"copy {number}.jpg"))
    stack.deliver(stack.put("a.jpg", jpeg()))
    edit(stack, "a.jpg", alt_text=HAND)

    stack.deliver(stack.put("b.jpg", jpeg()))
    assert words(stack, "b.jpg") == ("captioned", "human", HAND)


def test_a_caption_from_before_there_were_records_is_copied(stack: Stack) -> None:
    event = stack.put("a.jpg", jpeg())
    old = replace(
        plain_document("old.jpg", at=datetime.now(UTC), bucket=stack.bucket, alt_text=HAND),
        md5=event["md5Hash"],
        source=Source.HUMAN,
    )
    assert composition.store(composition.settings()).create(old)

    for number, name in enumerate(("new.jpg", "newer.jpg"), 1):
        assert stack.deliver(stack.put(name, jpeg(number))) == 200
    for name in ("a.jpg", "b.jpg"):
        assert stack.deliver(stack.put(name, jpeg())) == 200
        assert words(stack, name) == ("captioned", "human", HAND)
    assert stack.model.count == 2


def test_a_copy_holds_a_models_text_when_the_original_is_long_gone(stack: Stack) -> None:
    stack.deliver(stack.put("a.jpg", jpeg()))
    stack.deliver(stack.copy("a.jpg", "b.jpg"))
    stack.forget(stack.remove("a.jpg"))
    stack.forget_pictures()

    stack.deliver(stack.put("c.jpg", jpeg()))
    assert words(stack, "c.jpg") == words(stack, "b.jpg")
    assert stack.model.count == 1


def test_a_copy_that_takes_its_text_over_while_the_original_goes_holds_it(
    written: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = written.copy("a.jpg", "b.jpg")
    kind = type(composition.store(composition.settings()))
    save, gone = kind.replace, list[str]()

    def saved_late(self: Any, stored: Any, document: Any, *record: Any) -> Any:
        if not gone:
            gone.append(document.name)
            assert written.forget(written.remove("a.jpg")) == 200
        return save(self, stored, document, *record)

    monkeypatch.setattr(kind, "replace", saved_late)
    assert written.deliver(event) == 200
    assert gone == ["b.jpg"]
    written.forget_pictures()

    written.deliver(written.put("c.jpg", jpeg()))
    assert words(written, "c.jpg") == ("captioned", "human", HAND)
    assert written.model.count == 1


def test_of_copies_that_go_at_the_same_moment_none_keeps_the_text_for_the_others(
    written: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    written.deliver(written.copy("a.jpg", "b.jpg"))
    one, other = written.remove("a.jpg"), written.remove("b.jpg")
    kind = type(composition.store(composition.settings()))
    remove, meanwhile = kind.remove, [other]

    def removed_late(self: Any, stored: Any) -> Any:
        if meanwhile:
            assert written.forget(meanwhile.pop()) == 200
        return remove(self, stored)

    monkeypatch.setattr(kind, "remove", removed_late)
    assert written.forget(one) == 200
    assert written.document("a.jpg") is written.document("b.jpg") is None
    written.forget_pictures()

    written.deliver(written.put("c.jpg", jpeg()))
    assert words(written, "c.jpg")[1] == "model"


def test_a_copy_asks_at_once_where_the_first_to_ask_is_gone(stack: Stack) -> None:
    event = stack.put("a.jpg", jpeg())
    moved = stack.copy("a.jpg", "b.jpg")
    stack.remove("a.jpg")

    assert stack.deliver(event) == 200
    assert stack.deliver(moved) == 200
    assert words(stack, "b.jpg")[0] == "captioned"


def test_a_copy_asks_at_once_where_the_first_to_ask_is_another_picture(stack: Stack) -> None:
    stack.model.answer(gemini.ERRORS["overloaded"])
    assert stack.deliver(stack.put("a.jpg", jpeg())) == 500
    assert stack.deliver(stack.put("a.jpg", jpeg(1))) == 200

    assert stack.deliver(stack.put("b.jpg", jpeg())) == 200
    assert words(stack, "b.jpg")[0] == "captioned"


def test_the_text_of_an_overwritten_picture_is_kept_as_long_as_that_of_a_deleted_one(
    written: Stack,
) -> None:
    assert written.deliver(written.put("a.jpg", jpeg(1))) == 200
    written.forget_pictures()

    assert words(written, "a.jpg") == ("captioned", "human", HAND)
    assert written.deliver(written.put("b.jpg", jpeg())) == 200
    assert words(written, "b.jpg")[1] == "model"


def test_a_copy_holds_a_persons_text_when_the_original_is_another_picture(written: Stack) -> None:
    written.deliver(written.copy("a.jpg", "b.jpg"))
    assert written.deliver(written.put("a.jpg", jpeg(1))) == 200
    written.forget_pictures()

    assert written.deliver(written.put("c.jpg", jpeg())) == 200
    assert words(written, "c.jpg") == ("captioned", "human", HAND)


def test_bytes_without_a_record_are_not_looked_for_where_all_captions_have_one(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.deliver(stack.put("a.jpg", jpeg()))
    stack.restart()
    stack.deliver(stack.put("b.jpg", jpeg(1)))  # another instance hears that they have
    kind = type(composition.store(composition.settings()))
    monkeypatch.setattr(kind, "alike", None)

    assert stack.deliver(stack.put("c.jpg", jpeg(2))) == 200
    assert stack.model.count == 3


def test_a_store_with_older_captions_is_asked_once_whether_each_has_a_record(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = composition.store(composition.settings())
    at = datetime.now(UTC)
    assert store.create(plain_document("old.jpg", at=at, bucket=stack.bucket, alt_text=HAND))
    kind, asked = type(store), list[object]()
    equal = kind.equal

    def counted(self: Any, fields: Any, limit: int) -> Any:
        asked.append(fields)
        return equal(self, fields, limit)

    monkeypatch.setattr(kind, "equal", counted)
    for number in range(3):
        assert stack.deliver(stack.put(f"{number}.jpg", jpeg(number))) == 200
    assert len(asked) == 1


def test_of_many_copies_at_once_one_asks(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAPTION_LEASE_SECONDS", "120")
    stack.restart()
    stack.model.delay = 0.3
    events = [stack.put(f"{number}.jpg", jpeg()) for number in range(24)]
    client = stack.client("caption_image")
    assert client
    try:
        with ThreadPoolExecutor(12) as pool:
            list(pool.map(stack.deliver, events))
        waiting = [each for each in events if stack.deliver(each) != 200]
    finally:
        stack.model.delay = 0

    assert waiting == []
    assert stack.model.count == 1


def test_a_claim_to_ask_for_a_picture_ends_with_its_lease(stack: Stack) -> None:
    store = composition.store(composition.settings())
    event = stack.put("a.jpg", jpeg())
    stack.model.answer(gemini.ERRORS["overloaded"])
    assert stack.deliver(stack.put("b.jpg", jpeg())) == 500
    assert stack.deliver(event) == 500
    let_time_go_by(event)
    wait_no_more(store, "a.jpg", stack)
    assert stack.deliver(event) == 200


def wait_no_more(store: Any, name: str, stack: Stack) -> None:
    stored = store.read(document_id(stack.bucket, name))
    store.replace(stored, replace(stored.document, not_before=None, lease=None))


def test_what_is_published_is_one_rule() -> None:
    now = datetime.now(UTC)
    plain = plain_document("n", at=now, bucket="b")
    doubtful = replace(plain, review=replace(plain.review, needed=True))
    assert published(plain)
    assert published(doubtful)
    assert not published(doubtful, withhold=True)
    for status in set(Status) - {Status.CAPTIONED}:
        assert not published(replace(plain, status=status))

"""The HTTP side of reviewing thousands: counts, many at once, thumbnails, filters."""

from __future__ import annotations

from typing import Any

import pytest

from functions.core.document import document_id
from tests.scenarios.test_review import get, key, mug, names, patch  # noqa: F401
from tests.support.answers import gemini
from tests.support.pictures import jpeg, png, tiff
from tests.support.stack import Embedded, Stack

pytestmark = pytest.mark.stacks("embedded")


def batch(stack: Stack, **sent: Any) -> Any:
    return stack.client("review").post("/captions:batch", json=sent)


def captioned(stack: Stack, *names: str, **words: Any) -> list[str]:
    """Images with words of a model; their ids."""
    for number, name in enumerate(names):
        stack.model.answer(gemini.good(alt_text=f"A mug, number {number}", **words))
        assert stack.deliver(stack.put(name, jpeg(number))) == 200
    return [key(stack, name) for name in names]


@pytest.mark.stacks("embedded", "cloud")
def test_captions_are_counted_by_status_and_by_what_needs_a_look(stack: Stack) -> None:
    captioned(stack, "a.jpg", "shop/b.jpg")
    stack.deliver(stack.put("c.jpg", b"\xff\xd8\xff broken"))

    assert get(stack, "/counts").json == {
        **{"all": 3, "review_needed": 0, "captioned": 2, "rejected": 1},
        **{"pending": 0, "failed": 0, "deferred": 0},
    }
    assert get(stack, "/counts?prefix=shop/").json["all"] == 1
    fields = "fields=all,review_needed"
    assert get(stack, f"/counts?{fields}&q=mug").json == {"all": 2, "review_needed": 0}
    assert get(stack, "/counts?fields=all,age").status_code == 400


@pytest.mark.stacks("embedded", "cloud")
def test_many_are_approved_at_once_and_each_is_answered_for(stack: Stack) -> None:
    first, second = captioned(stack, "a.jpg", "b.jpg")
    missing = document_id(stack.bucket, "missing.jpg")

    answer = batch(stack, ids=[first, second, missing], approve=True).json["captions"]

    assert [answer[each]["done"] for each in (first, second, missing)] == [True, True, False]
    assert "no such caption" in answer[missing]["error"]
    assert get(stack, f"/captions/{second}").json["review"]["approved_by"]


def test_what_has_changed_since_it_was_selected_is_not_approved_unseen(stack: Stack) -> None:
    first, second = captioned(stack, "a.jpg", "b.jpg")
    seen = {each: get(stack, f"/captions/{each}").json["version"] for each in (first, second)}
    patch(stack, "a.jpg", {"alt_text": "Somebody else's"})

    answer = batch(stack, ids=[first, second], versions=seen, approve=True).json["captions"]

    assert "changed this caption since you saw it" in answer[first]["error"]
    assert answer[second]["done"] is True
    assert not get(stack, f"/captions/{first}").json["review"]["approved_by"]
    assert batch(stack, ids=[first], versions=[], approve=True).status_code == 400


def test_many_are_marked_as_decorative_but_not_over_what_a_person_wrote(stack: Stack) -> None:
    first, second = captioned(stack, "a.jpg", "b.jpg")
    patch(stack, "b.jpg", {"alt_text": "My mug"})

    answer = batch(stack, ids=[first, second], decorative=True).json["captions"]

    assert answer[first]["done"] is True
    assert "a person wrote" in answer[second]["error"]
    assert get(stack, f"/captions/{first}").json["decorative"] is True
    assert get(stack, f"/captions/{second}").json["alt_text"] == "My mug"


@pytest.mark.parametrize(
    "sent",
    [
        {"approve": True},
        {"ids": [], "approve": True},
        {"ids": "a", "approve": True},
        {"ids": [1], "approve": True},
        {"ids": ["a"] * 501, "approve": True},
        {"ids": ["a"]},
        {"ids": ["a"], "approve": False},
        {"ids": ["a"], "approve": True, "decorative": True},
        {"ids": ["a"], "delete": True},
    ],
)
def test_a_batch_that_is_unclear_changes_nothing(sent: Any, embedded: Embedded) -> None:
    answer = batch(embedded, **sent)
    assert answer.status_code == 400
    assert answer.json["error"]


def test_a_thumbnail_is_small_and_is_shown_by_every_browser(stack: Stack) -> None:
    stack.deliver(stack.put("big.tiff", tiff(size=(900, 600)), content_type="image/tiff"))

    answer = get(stack, f"/captions/{key(stack, 'big.tiff')}/thumbnail?size=200")

    assert answer.status_code == 200
    assert answer.content_type == "image/jpeg"
    assert len(answer.data) < 20_000
    assert "max-age" in answer.headers["Cache-Control"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_thumbnail_of_what_is_no_picture_says_why(stack: Stack) -> None:
    stack.deliver(stack.put("c.jpg", b"\xff\xd8\xff broken"))
    answer = get(stack, f"/captions/{key(stack, 'c.jpg')}/thumbnail")
    assert answer.status_code == 404
    assert answer.json["error"]


@pytest.mark.parametrize("size", ["", "0", "-1", "big", "1e3", "99999"])
def test_a_size_that_means_nothing_is_named(size: str, embedded: Embedded) -> None:
    embedded.deliver(embedded.put("a.png", png()))
    answer = get(embedded, f"/captions/{key(embedded, 'a.png')}/thumbnail?size={size}")
    assert answer.status_code == 400


@pytest.mark.stacks("embedded", "cloud")
def test_captions_are_found_by_file_name_source_date_and_reason(stack: Stack) -> None:
    captioned(stack, "products/blue-kettle.jpg")
    stack.model.answer(gemini.good(alt_text="A woman of perhaps 30 years, Asian"))
    stack.deliver(stack.put("b.jpg", jpeg(7)))
    patch(stack, "b.jpg", {"alt_text": "Anna"})

    assert names(get(stack, "/captions?q=kettle")) == ["products/blue-kettle.jpg"]
    assert names(get(stack, "/captions?source=human")) == ["b.jpg"]
    assert names(get(stack, "/captions?since=2020-01-01&until=2020-01-31")) == []
    assert len(names(get(stack, "/captions?since=2020-01-01"))) == 2
    for wrong in ("source=me", "since=yesterday", "until=2026-13-01"):
        assert get(stack, f"/captions?{wrong}").status_code == 400


def imported(stack: Stack, text: str, kind: str = "text/csv", **query: str) -> Any:
    return stack.client("review").post(
        "/import", data=text.encode(), content_type=kind, query_string=query
    )


def test_an_export_that_was_edited_is_taken_back(stack: Stack) -> None:
    captioned(stack, "a.jpg", "b.jpg")
    exported = get(stack, "/export.csv")
    assert exported.headers["Content-Disposition"].startswith("attachment")
    text = exported.text.replace("A mug, number 0", "Anna's mug")

    planned = imported(stack, text, dry_run="true").json
    assert [each["after"]["alt_text"] for each in planned["changes"]] == ["Anna's mug"]
    assert planned["applied"] == 0
    assert get(stack, f"/captions/{key(stack, 'a.jpg')}").json["alt_text"] == "A mug, number 0"

    assert imported(stack, text).json["applied"] == 1
    after = get(stack, f"/captions/{key(stack, 'a.jpg')}").json
    assert (after["alt_text"], after["source"]) == ("Anna's mug", "human")


def test_thousands_are_taken_back_in_one_file(embedded: Embedded) -> None:
    captioned(embedded, "a.jpg")
    rows = [f"gs://{embedded.bucket}/{number}.jpg,No such image" for number in range(3000)]
    text = "\n".join(["uri,alt_text", *rows, f"gs://{embedded.bucket}/a.jpg,Anna's mug"])

    answer = imported(embedded, text)

    assert answer.status_code == 200, answer.text
    assert (answer.json["applied"], len(answer.json["errors"])) == (1, 3000)


def test_a_row_that_has_changed_since_its_export_is_a_conflict(stack: Stack) -> None:
    captioned(stack, "a.jpg")
    text = get(stack, "/export.jsonl").text.replace("A mug, number 0", "Theirs")
    patch(stack, "a.jpg", {"alt_text": "Mine"})

    answer = imported(stack, text, "application/jsonl").json

    assert "changed since" in answer["changes"][0]["conflict"]
    assert answer["applied"] == 0
    assert get(stack, f"/captions/{key(stack, 'a.jpg')}").json["alt_text"] == "Mine"


def test_what_an_import_cannot_do_is_told_by_line(stack: Stack) -> None:
    captioned(stack, "a.jpg")
    uri = f"gs://{stack.bucket}"
    rows = ["uri,alt_text,decorative", f"{uri}/none.jpg,x,", "mug.jpg,x,", f"{uri}/a.jpg,,"]
    rows += [f"{uri}/a.jpg,x,perhaps"]

    errors = imported(stack, "\n".join(rows)).json["errors"]

    assert sorted(each["line"] for each in errors) == [2, 3, 4, 5]
    assert imported(stack, "\x00", "image/png").status_code == 415
    assert imported(stack, "nonsense", "application/jsonl").status_code == 400


@pytest.mark.stacks("embedded", "cloud")
def test_a_text_that_was_replaced_is_had_back(stack: Stack) -> None:
    (first,) = captioned(stack, "a.jpg")
    patch(stack, "a.jpg", {"alt_text": "Wrong"})
    past = get(stack, f"/captions/{first}/history").json["past"]
    assert [each["alt_text"] for each in past] == ["A mug, number 0", "Wrong"]

    wanted, address = {"at": past[0]["at"]}, f"/captions/{first}/restore"
    answer = stack.client("review").post(address, json=wanted, headers={"If-Match": '"older"'})
    assert (answer.status_code, answer.json["alt_text"]) == (412, past[-1]["alt_text"])
    answer = stack.client("review").post(address, json=wanted)

    assert (answer.status_code, answer.json["alt_text"]) == (200, "A mug, number 0")
    assert stack.client("review").post(f"/captions/{first}/restore", json={}).status_code == 400


def test_an_approval_is_taken_back_with_its_reasons(stack: Stack) -> None:
    captioned(stack, "a.jpg")
    patch(stack, "a.jpg", {"approve": True})
    review = patch(stack, "a.jpg", {"approve": False, "reasons": ["low_similarity"]}).json["review"]
    assert (review["needed"], review["reasons"]) == (True, ["low_similarity"])
    assert not review["approved_by"]


def test_a_person_writes_in_another_language_beside_the_main_one(stack: Stack) -> None:
    captioned(stack, "a.jpg")
    answer = patch(stack, "a.jpg", {"translations": {"de": {"alt_text": "Ein Becher"}}})
    assert answer.json["translations"]["de"]["source"] == "human"
    assert answer.json["alt_text"] == "A mug, number 0"
    for wrong in ({"en": {"alt_text": "x"}}, {"de": {"alt_text": ""}}, {"??": {"alt_text": "x"}}):
        assert patch(stack, "a.jpg", {"translations": wrong}).status_code == 422
    assert patch(stack, "a.jpg", {"translations": {"de": "x"}}).status_code == 400

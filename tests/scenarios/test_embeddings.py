"""Embeddings of captions, and how well words match their image, from event to document."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from functions.core.document import Embedding
from functions.core.errors import CaptionError, ConfigurationError, Outage, TransientError
from functions.core.report import Report
from functions.model import prices
from functions.model.embeddings import Embeddings, cosine
from tests.contracts.test_image_store import place_time
from tests.support.answers import CUT_SHORT, HANG, Answer, gemini
from tests.support.command_line import captions
from tests.support.documents import plain_document
from tests.support.meanings import vector
from tests.support.model_server import Call, good
from tests.support.pictures import jpeg, webp
from tests.support.stack import Cloud, Embedded, Stack
from tests.support.waiting import until

pytestmark = pytest.mark.stacks("embedded")

NO_SUCH_METHOD = Answer(b"Not found", 404, {"Content-Type": "text/plain"})
NAME = "a/b c.jpg"


def delivered(stack: Stack, name: str = NAME, seed: int = 0, **metadata: str) -> dict[str, Any]:
    assert stack.deliver(stack.put(name, jpeg(seed), **metadata)) == 200
    document = stack.document(name)
    assert document
    assert (document["status"], document["metadata_synced"]) == ("captioned", True)
    return document


def near(document: dict[str, Any], text: str) -> float:
    return cosine(tuple(document["embedding"]), tuple(vector(text)))


@pytest.mark.stacks("embedded", "cloud")
def test_a_caption_is_embedded_by_its_alt_text_and_caption(stack: Stack) -> None:
    document = delivered(stack)

    assert len(document["embedding"]) == 768
    assert math.hypot(*document["embedding"]) == pytest.approx(1)
    assert near(document, f"{document['alt_text']}\n{document['caption']}") == 1
    assert len(stack.model.embeddings) == 1


def test_an_embedding_costs_little_and_is_no_model_call(stack: Stack) -> None:
    document = delivered(stack)
    (line,) = stack.log()

    words = len(f"title: none | text: {document['alt_text']} {document['caption']}".split())
    assert document["usage"]["model_calls"] == line["model_calls"] == 1
    assert document["usage"]["input_tokens"] == 1420
    assert document["usage"]["cost_usd"] == pytest.approx(0.000721 + words * 0.20e-6)
    assert line["cost_usd"] == document["usage"]["cost_usd"]
    assert line["severity"] == "INFO"


def test_the_embedding_comes_with_the_write_that_notes_the_labels(cloud: Cloud) -> None:
    states: list[dict[str, Any] | None] = []

    def embed(call: Call) -> Answer:
        until(lambda: "alt-text" in cloud.metadata(NAME))
        states.append(cloud.document(NAME) | {"labels": cloud.metadata(NAME)})  # type: ignore[operator]
        return good(call)

    cloud.model.embed(embed)
    assert "embedding" in delivered(cloud)

    (before,) = states
    assert before
    assert (before["status"], before["metadata_synced"]) == ("captioned", False)
    assert before["labels"]["alt-text"] == before["alt_text"]
    assert "embedding" not in before


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (NO_SUCH_METHOD, "CAPTION_EMBEDDING_MODEL"),
        (gemini.error(501, "UNIMPLEMENTED", "Operation is not implemented"), "501"),
        (gemini.ERRORS["quota with RetryInfo"], "429"),
        (gemini.ERRORS["wrong key"], "GEMINI_API_KEY"),
        (CUT_SHORT, "understood"),
        (HANG, "did not answer within 2 s"),
    ],
    ids=["404", "501", "429", "wrong key", "cut short", "hangs"],
)
def test_a_caption_stands_without_its_embedding(
    stack: Stack, answer: Answer, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if answer.hang:
        monkeypatch.setenv("CAPTION_TIMEOUT_SECONDS", "2")
        stack.restart()
    stack.model.always_embed(answer)
    document = delivered(stack)

    assert "embedding" not in document
    assert document["usage"]["model_calls"] == stack.model.count == 1
    assert stack.metadata(NAME)["alt-text"] == document["alt_text"]
    (line,) = stack.log()
    assert (line["severity"], line["outcome"]) == ("WARNING", "captioned")
    assert line["embedding"].startswith("unavailable: ")
    assert says in line["embedding"]
    assert len(stack.model.embeddings) == 1


def test_a_wrong_embedding_model_is_not_asked_in_each_event(stack: Stack) -> None:
    stack.model.always_embed(gemini.ERRORS["unknown model"])
    for seed in range(3):
        delivered(stack, f"{seed}.jpg", seed)

    assert len(stack.model.embeddings) == 1
    assert stack.model.count == 3
    assert all("CAPTION_EMBEDDING_MODEL" in line["embedding"] for line in stack.log())


def test_no_embedding_model_embeds_nothing(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAPTION_EMBEDDING_MODEL", "")
    document = delivered(stack)

    assert "embedding" not in document
    assert stack.model.embeddings == []
    assert "embedding" not in stack.log()[0]


def test_a_redelivery_that_labels_what_is_saved_embeds_it_as_well(cloud: Cloud) -> None:
    cloud.storage.fail("PATCH", NAME, 403)
    event = cloud.put(NAME, jpeg())
    assert cloud.deliver(event) == 500
    document = cloud.document(NAME)
    assert document
    assert "embedding" not in document

    assert cloud.deliver(event) == 200
    document = cloud.document(NAME)
    assert document
    assert document["metadata_synced"]
    assert len(document["embedding"]) == 768
    assert cloud.model.count == 1


def test_a_caption_is_not_embedded_again_with_every_delivery(stack: Stack) -> None:
    event = stack.put(NAME, jpeg())
    for _ in range(3):
        assert stack.deliver(event) == 200
    assert len(stack.model.embeddings) == 1


def test_a_copy_takes_the_embedding_along(stack: Stack) -> None:
    first, second = delivered(stack, "1.jpg"), delivered(stack, "2.jpg")

    assert second["embedding"] == first["embedding"]
    assert (stack.model.count, len(stack.model.embeddings)) == (1, 1)


def test_the_uploaders_words_are_embedded_in_place_of_the_models(stack: Stack) -> None:
    delivered(stack, "1.jpg")
    document = delivered(stack, "2.jpg", alt_text="A heron", caption="A grey heron waits.")

    assert near(document, "A heron\nA grey heron waits.") == 1


def test_a_new_caption_has_a_new_embedding(stack: Stack) -> None:
    delivered(stack)
    stack.model.answer(gemini.good(alt_text="A steel bridge.", caption="A steel bridge at night."))
    assert stack.request(name=NAME, force=True) == 200

    document = stack.document(NAME)
    assert document
    assert near(document, "A steel bridge.\nA steel bridge at night.") == 1


def test_decoration_has_no_embedding(stack: Stack) -> None:
    stack.model.answer(gemini.good(alt_text="", caption="A thin grey line.", decorative=True))
    assert "embedding" not in delivered(stack)
    assert stack.model.embeddings == []


def reviewed(document: dict[str, Any]) -> tuple[bool, list[str]]:
    return document["review"]["needed"], document["review"]["reasons"]


@pytest.fixture
def judging(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Stack:
    monkeypatch.setenv("CAPTION_FILTER", "similarity")
    return stack


def test_words_that_match_their_image_are_published(judging: Stack) -> None:
    document = delivered(judging)

    assert document["similarity"] == pytest.approx(1)
    assert reviewed(document) == (False, [])
    words, seen = judging.model.embeddings
    assert (len(words.images), len(seen.images)) == (0, 1)
    assert document["usage"]["model_calls"] == 1
    assert document["usage"]["cost_usd"] > 0.000721 + 258 * 0.45e-6


def test_fluent_words_about_something_else_go_to_review(judging: Stack) -> None:
    judging.model.show("a wooden rowing boat moored beside reeds")
    document = delivered(judging)

    assert document["similarity"] < 0.3
    assert reviewed(document) == (True, ["low_similarity"])
    assert judging.metadata(NAME)["alt-text"] == document["alt_text"]
    assert len(document["embedding"]) == 768


def test_the_threshold_is_a_setting(judging: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAPTION_SIMILARITY_THRESHOLD", "-1")
    judging.model.show("a wooden rowing boat moored beside reeds")
    assert delivered(judging)["review"]["needed"] is False


@pytest.mark.parametrize("fails", ["words", "picture"])
def test_what_cannot_be_measured_goes_to_review(judging: Stack, fails: str) -> None:
    def fault(call: Call) -> Answer:
        down = bool(call.images) is (fails == "picture")
        return gemini.ERRORS["overloaded"] if down else good(call)

    judging.model.always_embed(fault)
    document = delivered(judging)

    assert reviewed(document) == (True, ["similarity_unknown"])
    assert "similarity" not in document
    assert (judging.model.count, len(judging.model.embeddings)) == (1, 1 + (fails == "picture"))
    assert "503" in judging.log()[0]["embedding"]


def test_a_picture_of_another_kind_is_made_anew_for_the_comparison(judging: Stack) -> None:
    event = judging.put("a.webp", webp(), "image/webp")
    assert judging.deliver(event) == 200

    assert judging.model.calls[0].image_types == ["image/webp"]
    assert judging.model.embeddings[1].image_types == ["image/jpeg"]


def test_peoples_words_are_not_judged(judging: Stack) -> None:
    document = delivered(judging, alt_text="A heron")
    assert "similarity" not in document
    assert document["review"]["needed"] is False
    assert len(document["embedding"]) == 768


def test_an_image_that_is_overwritten_before_it_is_compared_is_gone(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPTION_FILTER", "similarity")

    def overwrite(call: Call) -> Answer:
        embedded.put(NAME, jpeg(7))
        return good(call)

    embedded.model.embed(overwrite)
    assert embedded.deliver(embedded.put(NAME, jpeg())) == 200
    assert embedded.document(NAME) is None
    assert embedded.log()[0]["outcome"] == "gone"


@pytest.mark.parametrize("target", ["caption_image", "caption_request"])
def test_a_filter_that_cannot_see_stops_the_start(
    target: str, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPTION_FILTER", "similarity")
    monkeypatch.setenv("CAPTION_EMBEDDING_MODEL", "")
    with pytest.raises(ConfigurationError, match="GEMINI_API_KEY and CAPTION_EMBEDDING_MODEL"):
        stack.deliver({}, target=target)


class Fake:
    """An Embedder that raises what it is told."""

    model = "gemini:gemini-embedding-2"

    def __init__(self) -> None:
        self.raises: CaptionError | None = None
        self.asked = 0

    def words(self, text: str) -> Embedding:
        self.asked += 1
        if self.raises:
            raise self.raises
        return Embedding((1.0,), 10)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        raise AssertionError(name)


def test_a_wrong_setting_is_looked_at_again_after_five_minutes() -> None:
    now, fake = [0.0], Fake()
    meaning = Embeddings(fake, clock=lambda: now[0])
    made = place_time()
    document = plain_document("n", at=made, bucket="b", alt_text="A dog")

    fake.raises = ConfigurationError("set it right")
    for now[0] in (0.0, 1.0, 299.0):
        assert meaning.with_embedding(document, Report()).embedding is None
    assert fake.asked == 1
    fake.raises = None
    now[0] = 300.0
    assert meaning.with_embedding(document, Report()).embedding == (1.0,)


def test_an_embedder_that_is_out_of_quota_is_left_alone_for_as_long_as_it_says() -> None:
    now, fake = [0.0], Fake()
    meaning = Embeddings(fake, clock=lambda: now[0])
    document = plain_document("n", at=place_time(), bucket="b", alt_text="A dog")

    fake.raises = TransientError("429", 40.0, Outage.OVER_QUOTA)
    for now[0] in (0.0, 39.0, 41.0):
        assert meaning.with_embedding(document, Report()).embedding is None
    assert fake.asked == 2


def test_a_passing_fault_is_tried_again_at_once() -> None:
    fake = Fake()
    meaning = Embeddings(fake)
    made = place_time()
    document = plain_document("n", at=made, bucket="b", alt_text="A dog")

    fake.raises = TransientError("503")
    meaning.with_embedding(document, Report())
    fake.raises = None
    assert meaning.with_embedding(document, Report()).embedding


def test_a_document_that_changes_while_it_is_labelled_is_embedded_once() -> None:
    fake = Fake()
    embed = Embeddings(fake).embedding_once(Report())
    made = place_time()
    document = plain_document("n", at=made, bucket="b", alt_text="A dog")
    edited = plain_document("n", at=made, bucket="b", alt_text="Rex", source="human")

    for changed in (document, document):
        assert embed(changed).embedding == (1.0,)
        assert embed(changed).usage.cost_usd == 0.000002
    assert embed(edited).embedding is None
    assert embed(edited).usage.cost_usd == 0.000002
    assert fake.asked == 1


def test_prices_of_ones_own_stand_before_ours(
    embedded: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "prices.toml"
    own.write_text('["gemini:gemini-3.5-flash-lite"]\ninput = 1000\noutput = 0\n')
    monkeypatch.setenv("CAPTION_PRICES", str(own))
    monkeypatch.setenv("CAPTION_EMBEDDING_MODEL", "")

    assert delivered(embedded)["usage"]["cost_usd"] == pytest.approx(1.42)
    assert prices.table()["gemini:gemini-embedding-2"]["input"] == 0.20
    assert prices.table(own)["gemini:gemini-embedding-2"]["input"] == 0.20


@pytest.mark.parametrize(
    "text", ["= 1", '["a:b"]\ninput = "0.3"', '["a:b"]\ncost = 1', "x = 1", '["a:b"]\ninput = -1']
)
def test_a_faulty_table_of_prices_stops_the_start(
    text: str, embedded: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own.toml"
    own.write_text(text)
    monkeypatch.setenv("CAPTION_PRICES", str(own))
    with pytest.raises(ConfigurationError, match=r"CAPTION_PRICES=.*functions/model/prices.toml"):
        embedded.deliver({})


@pytest.mark.stacks("embedded", "cloud")
def test_a_caption_is_found_by_what_it_means(stack: Stack, tmp_path: Path) -> None:
    for seed, words in enumerate(("Brown dog on a beach", "Steel bridge", "Black dog in snow")):
        stack.model.answer(gemini.good(alt_text=words, caption=f"{words}, in daylight."))
        delivered(stack, f"{seed}.jpg", seed)

    found = captions("search", "--json", "dog beach", where=tmp_path)
    assert found.status == 0, found.err
    assert [each["name"] for each in found.records] == ["0.jpg", "2.jpg", "1.jpg"]
    assert stack.model.embeddings[-1].text == "task: search result | query: dog beach"


def test_a_search_whose_model_is_down_goes_by_words(stack: Stack, tmp_path: Path) -> None:
    document = delivered(stack)
    stack.model.always_embed(gemini.ERRORS["overloaded"])

    found = captions("search", document["tags"][0], where=tmp_path)
    assert (found.status, "By words, as meaning cannot be searched now" in found.err) == (0, True)
    assert document["alt_text"] in found.out

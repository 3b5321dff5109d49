"""Words in a language that nobody configured: asked for by a website, translated once."""

from __future__ import annotations

import base64
import json
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions import composition
from functions.adapters.folder import database
from functions.core.document import document_id
from tests.support.answers import gemini
from tests.support.emulators import PubSubEmulator, request
from tests.support.model_server import Call, good
from tests.support.pictures import jpeg
from tests.support.stack import Cloud, Embedded, Stack
from tests.support.waiting import until

FINNISH = {"alt_text": "Punainen polkupyörä puutarhassa", "caption": "Punainen polkupyörä."}


@pytest.fixture(autouse=True)
def offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAPTION_LANGUAGES_ON_REQUEST", "fi, pt-BR")


def translated(**languages: dict[str, str]) -> Any:
    found = [{"language": tag, **text} for tag, text in languages.items()]
    return gemini.text(json.dumps({"translations": found}, ensure_ascii=False))


def captioned(stack: Stack, name: str = "a.jpg") -> str:
    stack.restart()
    assert stack.deliver(stack.put(name, jpeg())) == 200
    stack.model.calls.clear()
    return f"gs://{stack.bucket}/{name}"


def tell(stack: Stack, src: str, lang: str = "fi") -> Any:
    return stack.client("alt_text").get("/", query_string={"src": src, "lang": lang})


def edit(stack: Stack, name: str = "a.jpg", **change: Any) -> Any:
    address = f"/captions/{document_id(stack.bucket, name)}"
    return stack.client("review").patch(address, json=change, headers={"If-Match": "*"})


def there(stack: Stack, name: str = "a.jpg") -> dict[str, Any]:
    document = stack.document(name)
    assert document
    return document


def test_a_language_that_is_asked_for_is_there_at_the_next_answer(embedded: Embedded) -> None:
    src = captioned(embedded)
    embedded.model.answer(translated(fi=FINNISH))

    first = tell(embedded, src, "fi-FI")
    assert (first.status_code, first.json["language"]) == (200, "en")
    assert first.headers["Cache-Control"] == "public, max-age=10"
    second = until(lambda: (a := tell(embedded, src)).json["language"] == "fi" and a)

    assert (second.json["alt"], second.json["caption"]) == tuple(FINNISH.values())
    assert there(embedded)["translations"]["fi"] == FINNISH | {"source": "model"}
    (call,) = embedded.model.calls
    assert call.images == []
    assert first.json["alt"] in call.text
    assert "polkupyörä" in there(embedded)["search_terms"]


def test_a_translation_is_paid_for_as_text_and_counted_apart(embedded: Embedded) -> None:
    captioned(embedded)
    before = there(embedded)["usage"]
    embedded.log()
    assert embedded.request(name="a.jpg", translate=["fi"]) == 200

    (line,) = embedded.log()
    assert (line["outcome"], line["model_calls"]) == ("translated", 1)
    assert there(embedded)["usage"]["model_calls"] == before["model_calls"] + 1
    store = composition.store(composition.settings())
    day = datetime.now(UTC).date().isoformat()
    assert (store.reserved(f"translations-{day}"), store.reserved(day)) == (1, 1)


def test_hundreds_of_requests_for_one_language_cost_one_call(embedded: Embedded) -> None:
    src = captioned(embedded)
    embedded.model.delay = 0.2
    for _ in range(300):
        tell(embedded, src)
    until(lambda: "fi" in there(embedded)["translations"])
    assert embedded.request(name="a.jpg", translate=["fi"]) == 200
    assert embedded.model.count == 1


def test_a_language_that_is_not_offered_is_never_asked_for(embedded: Embedded) -> None:
    src = captioned(embedded)
    for lang in ("sv", "fj", "pt-PT", "en", "", "x" * 50, "fi; drop", "fi,fi"):
        assert tell(embedded, src, lang).json["language"] == "en"
    assert embedded.request(name="a.jpg", translate=["sv"]) == 200
    assert embedded.model.count == 0
    assert there(embedded)["translations"] == {}


def test_no_translation_is_made_of_an_image_that_is_not_ours_to_tell(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPTION_PUBLIC_BUCKETS", "other")
    src = captioned(embedded)
    assert tell(embedded, src).status_code == 404
    assert embedded.model.count == 0


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, I can't help with that.",
        "",
        "IMG_1234.jpg",
    ],
)
def test_what_is_no_translation_is_asked_for_again_and_then_not_for_days(
    embedded: Embedded, text: str
) -> None:
    captioned(embedded)
    bad = translated(fi={"alt_text": text, "caption": text})
    embedded.model.answer(bad, bad)

    for _ in range(3):
        assert embedded.request(name="a.jpg", translate=["fi"]) == 200
    assert embedded.model.count == 2
    assert there(embedded)["translations"] == {}
    edit(embedded, alt_text="Other words")
    assert embedded.request(name="a.jpg", translate=["fi"]) == 200
    assert "fi" in there(embedded)["translations"]


def test_a_doubtful_translation_is_told_and_marked(embedded: Embedded) -> None:
    captioned(embedded)
    bad = translated(fi=FINNISH | {"alt_text": "Pyörä, katso www.shop.example"})
    embedded.model.answer(bad, bad)
    assert embedded.request(name="a.jpg", translate=["fi"]) == 200
    document = there(embedded)
    assert "fi" in document["translations"]
    assert document["review"]["reasons"] == ["contact_details"]


def test_a_doubtful_translation_takes_no_reviewed_words_back(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPTION_UNREVIEWED", "withhold")
    src = captioned(embedded)
    bad = translated(fi=FINNISH | {"alt_text": "Pyörä, katso www.shop.example"})
    embedded.model.answer(bad, bad)
    assert embedded.request(name="a.jpg", translate=["fi"]) == 200
    assert there(embedded)["translations"] == {}
    assert tell(embedded, src).json["language"] == "en"


def test_a_reply_that_cannot_be_read_is_mended_by_one_more_call(embedded: Embedded) -> None:
    captioned(embedded)
    embedded.model.answer(gemini.text("Voilà"), translated(fi=FINNISH))
    assert embedded.request(name="a.jpg", translate=["fi"]) == 200
    assert "Voilà" in embedded.model.calls[1].text
    assert there(embedded)["translations"]["fi"]["alt_text"] == FINNISH["alt_text"]


def test_an_edit_has_a_models_translations_made_anew_and_a_persons_kept(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPTION_LANGUAGES", "en, de")
    captioned(embedded)
    assert embedded.request(name="a.jpg", translate=["fi"]) == 200
    by_hand = {"fr": {"alt_text": "Vélo rouge", "caption": "Un vélo."}}
    assert edit(embedded, translations=by_hand).status_code == 200
    embedded.model.calls.clear()

    assert edit(embedded, alt_text="Grandmother's bicycle").status_code == 200
    translations = until(lambda: (t := there(embedded)["translations"]) and not _outdated(t) and t)

    (call,) = embedded.model.calls
    assert "Grandmother's bicycle" in call.text
    assert translations["de"]["alt_text"] == "[de] Grandmother's bicycle"
    assert translations["fi"] == {
        "alt_text": "[fi] Grandmother's bicycle",
        "caption": translations["fi"]["caption"],
        "source": "model",
    }
    assert (translations["fr"]["alt_text"], translations["fr"]["source"]) == ("Vélo rouge", "human")
    document = there(embedded)
    assert "untranslated" not in document
    assert (document["source"], document["metadata_synced"]) == ("human", True)


def _outdated(translations: dict[str, Any]) -> bool:
    return any(each.get("outdated") for each in translations.values())


def test_an_edit_while_words_are_translated_has_its_own_words_translated(
    embedded: Embedded,
) -> None:
    captioned(embedded)

    def meanwhile(call: Call) -> Any:
        embedded.model.always(good)
        assert edit(embedded, alt_text="Somebody else's words").status_code == 200
        return good(call)

    embedded.model.answer(meanwhile)
    assert embedded.request(name="a.jpg", translate=["fi"]) == 500
    assert there(embedded)["translations"] == {}

    assert embedded.request(name="a.jpg", translate=["fi"]) == 200
    document = there(embedded)
    assert document["alt_text"] == "Somebody else's words"
    assert document["translations"]["fi"]["alt_text"] == "[fi] Somebody else's words"


def test_a_persons_translation_that_comes_meanwhile_stands(embedded: Embedded) -> None:
    captioned(embedded)

    def meanwhile(call: Call) -> Any:
        written = {"fi": {"alt_text": "Pyörä", "caption": "Pyörä."}}
        assert edit(embedded, translations=written).status_code == 200
        return good(call)

    embedded.model.answer(meanwhile)
    assert embedded.request(name="a.jpg", translate=["fi", "pt-BR"]) == 200
    translations = there(embedded)["translations"]
    assert (translations["fi"]["alt_text"], translations["fi"]["source"]) == ("Pyörä", "human")
    assert translations["pt-BR"]["source"] == "model"


def test_an_edit_made_meanwhile_is_no_conflict_with_a_machines_translation(
    embedded: Embedded,
) -> None:
    captioned(embedded)
    address = f"/captions/{document_id(embedded.bucket, 'a.jpg')}"
    seen = embedded.client("review").get(address).headers["ETag"]
    assert embedded.request(name="a.jpg", translate=["fi"]) == 200
    answer = embedded.client("review").patch(
        address, json={"alt_text": "Bicycle"}, headers={"If-Match": seen}
    )
    assert answer.status_code == 200


def test_a_spent_day_puts_a_translation_off_and_keep_takes_it_up(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPTION_TRANSLATION_DAILY_LIMIT", "1")
    captioned(embedded)
    captioned(embedded, "b.jpg")
    assert embedded.request(name="a.jpg", translate=["fi"]) == 200
    assert embedded.request(name="b.jpg", translate=["fi"]) == 200
    assert embedded.model.count == 1
    assert there(embedded, "b.jpg")["untranslated"]["languages"] == ["fi"]

    age(embedded, "b.jpg", timedelta(hours=1))
    assert embedded.keep() == 200
    assert embedded.model.count == 1
    monkeypatch.setenv("CAPTION_TRANSLATION_DAILY_LIMIT", "2")
    embedded.restart()
    assert embedded.keep() == 200
    assert "fi" in there(embedded, "b.jpg")["translations"]
    assert "untranslated" not in there(embedded, "b.jpg")
    assert embedded.model.count == 2


def age(stack: Embedded, name: str, by: timedelta) -> None:
    """Let what waits for a translation wait longer."""
    path = database(composition.settings().local)  # type: ignore[arg-type]
    with sqlite3.connect(path) as db:
        (text,) = db.execute("select document from captions where name = ?", (name,)).fetchone()
        document = json.loads(text)
        since = datetime.fromisoformat(document["untranslated"]["since"]) - by
        document["untranslated"]["since"] = since.isoformat()
        db.execute("update captions set document = ? where name = ?", (json.dumps(document), name))
    db.close()


def test_no_translation_is_made_where_there_are_to_be_none(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPTION_TRANSLATION_DAILY_LIMIT", "0")
    src = captioned(embedded)
    answer = tell(embedded, src)
    assert embedded.request(name="a.jpg", translate=["fi"]) == 200
    assert embedded.model.count == 0
    assert "max-age=60" in answer.headers["Cache-Control"]


def test_a_model_that_is_away_has_the_message_delivered_again(embedded: Embedded) -> None:
    captioned(embedded)
    embedded.model.answer(gemini.ERRORS["overloaded"])
    assert embedded.request(name="a.jpg", translate=["fi"]) == 500
    assert embedded.request(name="a.jpg", translate=["fi"]) == 200
    assert "fi" in there(embedded)["translations"]


def test_a_copy_has_the_translations_of_its_original(embedded: Embedded) -> None:
    captioned(embedded)
    assert embedded.request(name="a.jpg", translate=["fi"]) == 200
    assert embedded.deliver(embedded.copy("a.jpg", "b.jpg")) == 200
    assert there(embedded, "b.jpg")["translations"] == there(embedded)["translations"]
    assert embedded.model.count == 1


def test_a_reviewer_asks_for_a_language_and_is_told_which_may_be(embedded: Embedded) -> None:
    captioned(embedded)
    address = f"/captions/{document_id(embedded.bucket, 'a.jpg')}/translate"
    client = embedded.client("review")
    refused = client.post(address, json={"languages": ["sv"]})
    assert refused.status_code == 422
    assert "CAPTION_LANGUAGES_ON_REQUEST" in refused.json["error"]
    assert client.post(address, json={"languages": ["Finnish!"]}).status_code == 400
    assert client.post(address, json={"languages": "fi"}).status_code == 400
    foreign = {"Origin": "https://evil.example"}
    assert client.post(address, json={"languages": ["fi"]}, headers=foreign).status_code == 403
    assert client.post(address).status_code == 202
    assert embedded.model.count == 0

    assert client.post(address, json={"languages": ["fi"]}).status_code == 202
    until(lambda: "fi" in there(embedded)["translations"])


def test_in_the_cloud_the_request_goes_through_the_topic(
    cloud: Cloud, pubsub_emulator: PubSubEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub_emulator.host)
    monkeypatch.setenv("CAPTION_REQUEST_TOPIC", "translation-requests")
    topic = pubsub_emulator.create_topic("translation-requests")
    pulling = f"{pubsub_emulator.url}/v1/{topic.replace('/topics/', '/subscriptions/translations')}"
    request(pulling, "PUT", {"topic": topic})
    src = captioned(cloud)
    for _ in range(3):
        assert tell(cloud, src).json["language"] == "en"

    (received,) = request(f"{pulling}:pull", "POST", {"maxMessages": 9})["receivedMessages"]
    sent = json.loads(base64.b64decode(received["message"]["data"]))
    assert sent == {"bucket": cloud.bucket, "name": "a.jpg", "translate": ["fi"]}
    assert cloud.request(**sent) == 200
    assert tell(cloud, src).json["language"] == "fi"


def test_a_topic_that_takes_nothing_fails_no_answer(
    cloud: Cloud, pubsub_emulator: PubSubEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub_emulator.host)
    monkeypatch.setenv("CAPTION_REQUEST_TOPIC", "nowhere")
    src = captioned(cloud)
    assert tell(cloud, src).json["language"] == "en"
    assert cloud.model.count == 0


@pytest.mark.parametrize("wrong", ["fi", [], ["no tag"], [1], ["fi"] * 0, {"fi": 1}, ["a" * 9]])
def test_a_message_with_no_languages_is_not_delivered_again(embedded: Embedded, wrong: Any) -> None:
    captioned(embedded)
    embedded.log()
    assert embedded.request(name="a.jpg", translate=wrong) == 200
    assert embedded.log()[0]["severity"] == "ERROR"
    assert embedded.model.count == 0

"""What is promised of an embedder, over its real SDK and its provider's real wire format."""

from __future__ import annotations

import math
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import google.auth
import pytest
from google.oauth2.credentials import Credentials

from functions import composition
from functions.adapters.gemini_embeddings import GeminiEmbedder
from functions.core.document import Embedding, Picture
from functions.core.errors import CaptionError, ConfigurationError, PermanentError, TransientError
from functions.model import prices
from functions.model.embeddings import cosine
from functions.settings import Settings
from tests.support.answers import CUT_SHORT, DROP, EMPTY_OBJECT, HANG, NOT_JSON, Answer, gemini
from tests.support.model_server import Call, ModelServer, good
from tests.support.pictures import jpeg
from tests.support.waiting import until

SECRET = "sk-not-to-be-seen"  # noqa: S105
SECONDS, HASTY = 60, 1
DOG, PUPPY, BRIDGE = "A brown dog on a beach", "A brown dog in a garden", "A steel bridge"


@pytest.fixture
def key(model_server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", SECRET)
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", model_server.url)


@pytest.fixture
def vertex(model_server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_GENAI_USE_ENTERPRISE", "true")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "my-project")
    monkeypatch.setenv("GOOGLE_CLOUD_LOCATION", "europe-west4")
    monkeypatch.setenv("GOOGLE_VERTEX_BASE_URL", model_server.url)
    account = Credentials(SECRET)
    monkeypatch.setattr(google.auth, "default", lambda **_: (account, "my-project"))


@pytest.fixture
def embedder(key: None) -> Iterator[GeminiEmbedder]:
    made = GeminiEmbedder("gemini-embedding-2", SECONDS)
    yield made
    made.close()


@pytest.fixture
def hasty(key: None) -> Iterator[GeminiEmbedder]:
    """With no time to wait."""
    made = GeminiEmbedder("gemini-embedding-2", HASTY)
    yield made
    made.close()


@pytest.fixture(params=["key", "vertex"])
def either(request: pytest.FixtureRequest) -> Iterator[GeminiEmbedder]:
    request.getfixturevalue(request.param)
    made = GeminiEmbedder("gemini-embedding-2", SECONDS)
    yield made
    made.close()


def picture() -> Picture:
    return Picture(jpeg(), "image/jpeg", 64, 48)


def test_an_embedding_has_768_dimensions_and_unit_length(
    either: GeminiEmbedder, model_server: ModelServer
) -> None:
    for made in (either.words(DOG), either.question(DOG), either.picture(picture())):
        assert len(made.vector) == 768
        assert math.hypot(*made.vector) == pytest.approx(1)


def test_a_vector_that_was_cut_is_made_one_long(
    embedder: GeminiEmbedder, model_server: ModelServer
) -> None:
    model_server.embed(gemini.embeddings([3.0, 4.0] + [0.0] * 766))
    assert embedder.words(DOG).vector[:3] == (0.6, 0.8, 0.0)


def test_what_means_alike_lies_near(either: GeminiEmbedder, model_server: ModelServer) -> None:
    model_server.show(DOG)
    dog, puppy, bridge, seen = (
        either.words(DOG).vector,
        either.question(PUPPY).vector,
        either.question(BRIDGE).vector,
        either.picture(picture()).vector,
    )
    assert cosine(dog, seen) == pytest.approx(1)
    assert cosine(dog, puppy) > 0.5 > 0.2 > cosine(dog, bridge)


def test_questions_and_documents_are_told_apart_in_the_text(
    embedder: GeminiEmbedder, model_server: ModelServer
) -> None:
    embedder.question(DOG)
    embedder.words(DOG)

    asked, said = model_server.embeddings
    assert asked.text == f"task: search result | query: {DOG}"
    assert said.text == f"title: none | text: {DOG}"
    assert "taskType" not in str(asked.body)
    assert asked.body["requests"][0]["outputDimensionality"] == 768


def test_a_picture_leaves_alone_and_whole(
    either: GeminiEmbedder, model_server: ModelServer
) -> None:
    sent = picture()
    either.picture(sent)

    (call,) = model_server.embeddings
    assert (call.images, call.image_types, call.text) == ([jpeg()], ["image/jpeg"], "")
    assert "x-spliced-picture" not in call.headers
    assert sent.data == b""


def test_the_key_leaves_in_a_header_only(either: GeminiEmbedder, model_server: ModelServer) -> None:
    either.words(DOG)
    (call,) = model_server.embeddings
    assert SECRET in str(call.headers)
    assert SECRET not in str(call.body) + call.path


def test_vertex_ai_is_asked_for_one_at_a_time(vertex: None, model_server: ModelServer) -> None:
    embedder = GeminiEmbedder("gemini-embedding-2", SECONDS)
    embedder.words(DOG)
    embedder.close()
    (call,) = model_server.embeddings
    assert "/projects/my-project/locations/europe-west4/publishers/google/models/" in call.path
    assert call.verb == "embedContent"
    assert call.body["embedContentConfig"] == {"outputDimensionality": 768}


def test_an_embedding_tells_its_tokens_and_so_its_cost(either: GeminiEmbedder) -> None:
    words, seen = either.words(DOG), either.picture(picture())
    assert (words.input_tokens, seen.input_tokens) == (10, 258)
    assert prices.embedding(either.model, words, "input") == pytest.approx(10 * 0.20 / 10**6)
    assert prices.embedding(either.model, seen, "image") == pytest.approx(0.0001161)


FAULTS: dict[str, tuple[Answer, type[CaptionError], str]] = {
    "quota": (gemini.ERRORS["quota with RetryInfo"], TransientError, "429"),
    "overloaded": (gemini.ERRORS["overloaded"], TransientError, "503"),
    "not implemented": (gemini.error(501, "UNIMPLEMENTED", "No"), TransientError, "501"),
    "hangs": (HANG, TransientError, "did not answer within 1 s"),
    "trickles": (
        Answer(gemini.embedding([1.0] * 768).body, trickle=0.2),
        TransientError,
        "did not answer within 1 s",
    ),
    "drops": (DROP, TransientError, "could not be reached"),
    "html": (NOT_JSON, TransientError, "understood"),
    "cut short": (CUT_SHORT, TransientError, "understood"),
    "nothing": (EMPTY_OBJECT, TransientError, "without an embedding"),
    "no vectors": (gemini.embeddings(), TransientError, "without an embedding"),
    "no values": (gemini.embeddings([]), TransientError, "without an embedding"),
    "zeros": (gemini.embeddings([0.0] * 768), TransientError, "without an embedding"),
    "wrong dimension": (
        gemini.embeddings([1.0] * 3072),
        ConfigurationError,
        "3072 dimensions instead of 768.*CAPTION_EMBEDDING_MODEL",
    ),
    "wrong key": (gemini.ERRORS["wrong key"], ConfigurationError, "GEMINI_API_KEY"),
    "permission denied": (gemini.ERRORS["permission denied"], ConfigurationError, "GEMINI_API_KEY"),
    "unknown model": (
        gemini.ERRORS["unknown model"],
        ConfigurationError,
        "set CAPTION_EMBEDDING_MODEL to another",
    ),
    "unknown field": (
        gemini.ERRORS["unknown field"],
        ConfigurationError,
        "check CAPTION_EMBEDDING_MODEL",
    ),
    "invalid image": (gemini.ERRORS["invalid image"], PermanentError, "Save it anew"),
}
ENDLESS = {"hangs", "trickles"}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("what", ["question", "words", "picture"])
def test_a_fault_belongs_to_its_family_after_one_call_and_names_the_remedy(
    embedder: GeminiEmbedder,
    hasty: GeminiEmbedder,
    model_server: ModelServer,
    fault: str,
    what: str,
) -> None:
    answer, family, says = FAULTS[fault]
    model_server.always_embed(answer)
    asked = hasty if fault in ENDLESS else embedder
    ask: dict[str, Any] = {
        "question": lambda: asked.question(DOG),
        "words": lambda: asked.words(DOG),
        "picture": lambda: asked.picture(picture()),
    }
    with pytest.raises(family, match=says) as caught:
        ask[what]()
    assert len(model_server.embeddings) == 1
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def of(call: Call) -> int:
    """How many texts a call is for."""
    return len(call.body.get("requests", [call.body]))


def together(embedder: GeminiEmbedder, server: ModelServer, *texts: str) -> list[Any]:
    """What each of these texts comes to, asked for in this order while two calls go on: in one."""
    go_on, patience, before = threading.Event(), 60.0, len(server.embeddings)
    embedder._together.patience = patience

    def slow(call: Call) -> Answer:
        assert go_on.wait(patience)
        return good(call)

    def asked(text: str) -> Embedding | Exception:
        try:
            return embedder.words(text)
        except CaptionError as error:
            return error

    server._embeddings.extendleft([slow, slow])
    with ThreadPoolExecutor(2 + len(texts)) as pool:
        others = [pool.submit(asked, f"other {number}") for number in range(2)]
        until(lambda: len(server.embeddings) == before + 2)
        found = list[Future[Any]]()
        for text in texts:
            found.append(pool.submit(asked, text))
            until(lambda: len(embedder._together._waiting) == len(found))
        go_on.set()
        assert all(isinstance(each.result(), Embedding) for each in others)
        results = [each.result() for each in found]
    del server.embeddings[before : before + 2]
    return results


def test_texts_that_are_asked_for_together_have_the_embeddings_that_each_has_alone(
    either: GeminiEmbedder, model_server: ModelServer
) -> None:
    alone = [either.words(text).vector for text in (DOG, PUPPY, BRIDGE)]
    model_server.embeddings.clear()

    made = together(either, model_server, DOG, PUPPY, BRIDGE)
    assert [each.vector for each in made] == alone
    assert [of(each) for each in model_server.embeddings] == [3]


def test_who_asks_for_the_same_text_at_the_same_moment_shares_what_it_costs(
    embedder: GeminiEmbedder, model_server: ModelServer
) -> None:
    (alone,) = together(embedder, model_server, DOG)
    shared = together(embedder, model_server, DOG, DOG)
    assert [each.vector for each in shared] == [alone.vector] * 2
    assert sum(each.input_tokens for each in shared) == alone.input_tokens


@pytest.mark.parametrize("bad", [[], [0.0] * 768, [1.0] * 3072], ids=["none", "zeros", "long"])
def test_a_text_without_an_embedding_costs_those_that_were_asked_for_with_it_nothing(
    embedder: GeminiEmbedder, model_server: ModelServer, bad: list[float]
) -> None:
    model_server.embed(gemini.embeddings([1.0] * 768, bad, [1.0] * 768, tokens=30))

    dog, puppy, bridge = together(embedder, model_server, DOG, PUPPY, BRIDGE)
    assert isinstance(puppy, CaptionError)
    assert [dog.input_tokens, bridge.input_tokens] == [10, 10]
    assert len(model_server.embeddings) == 1


@pytest.mark.parametrize(
    "answer",
    [
        gemini.error(400, "INVALID_ARGUMENT", "One of them is too long."),
        gemini.error(404, "NOT_FOUND", "There is no such method."),
        NOT_JSON,
        gemini.embeddings([1.0] * 768),
        gemini.embeddings(*[[1.0] * 768] * 4),
    ],
    ids=["declined", "unknown", "html", "too few", "too many"],
)
def test_texts_that_are_not_answered_together_are_asked_for_one_by_one(
    embedder: GeminiEmbedder, model_server: ModelServer, answer: Answer
) -> None:
    alone = [embedder.words(text).vector for text in (DOG, PUPPY)]
    model_server.embeddings.clear()
    model_server.embed(answer)

    made = together(embedder, model_server, DOG, PUPPY)
    assert [each.vector for each in made] == alone
    assert [of(each) for each in model_server.embeddings] == [2, 1, 1]


def test_a_model_that_the_sdk_asks_for_one_text_only_is_asked_for_each(
    vertex: None, model_server: ModelServer
) -> None:
    embedder = GeminiEmbedder("multilingual-e5-large-instruct-maas", 60)
    made = together(embedder, model_server, DOG, PUPPY)
    embedder.close()
    assert all(isinstance(each, Embedding) for each in made)


def test_one_text_that_is_declined_keeps_others_from_going_together_no_longer(
    embedder: GeminiEmbedder, model_server: ModelServer
) -> None:
    def declining(call: Call) -> Answer:
        declined = PUPPY in str(call.body)
        return gemini.error(400, "INVALID_ARGUMENT", "Too long.") if declined else good(call)

    model_server.always_embed(declining)
    dog, puppy = together(embedder, model_server, DOG, PUPPY)
    assert isinstance(dog, Embedding)
    assert isinstance(puppy, CaptionError)

    model_server.embeddings.clear()
    together(embedder, model_server, DOG, BRIDGE)
    assert [of(each) for each in model_server.embeddings] == [2]


def test_a_spent_quota_is_asked_once_for_all(
    embedder: GeminiEmbedder, model_server: ModelServer
) -> None:
    model_server.embed(gemini.ERRORS["quota with RetryInfo"])
    made = together(embedder, model_server, DOG, PUPPY, BRIDGE)
    assert all(isinstance(each, TransientError) and "429" in str(each) for each in made)
    assert len(model_server.embeddings) == 1


@pytest.mark.parametrize(
    "env",
    [
        {"CAPTION_EMBEDDING_MODEL": "", "GEMINI_API_KEY": "k"},
        {"CAPTION_MODEL": "offline", "GEMINI_API_KEY": "k"},
        {"CAPTION_MODEL": "openai:gpt-6-luna", "OPENAI_API_KEY": "k"},
        {"GOOGLE_GENAI_USE_ENTERPRISE": "false"},
    ],
)
def test_without_a_model_of_meanings_there_is_no_embedder(
    env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert composition.embedder(Settings.from_env(env)) is None


@pytest.mark.parametrize("name", ["GEMINI_API_KEY", "GOOGLE_API_KEY"])
def test_whoever_writes_the_captions_a_key_of_gemini_lets_them_be_embedded(
    name: str, model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, SECRET)
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", model_server.url)
    made = composition.embedder(Settings.from_env({"CAPTION_MODEL": "openai:gpt-6-luna"}))
    assert made
    assert made.model == "gemini:gemini-embedding-2"
    assert isinstance(made.words(DOG), Embedding)
    made.close()

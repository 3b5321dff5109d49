"""What every captioner does, over its real SDK and its provider's real wire format."""

from __future__ import annotations

import io
import re
import traceback
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from PIL import Image

from functions import composition, pictures
from functions.core.document import Allowance, Document, Picture, Status, Unable
from functions.core.errors import (
    CaptionError,
    ConfigurationError,
    Outage,
    PermanentError,
    TransientError,
)
from functions.core.policy import Rule
from functions.model import prices, translation_prompt
from functions.model.prompt import compose
from functions.model.reply import read_reply, read_translations
from functions.settings import Settings
from tests.support.answers import CUT_SHORT, DROP, EMPTY_OBJECT, HANG, NOT_JSON, Answer
from tests.support.model_server import Call, ModelServer
from tests.support.pictures import jpeg
from tests.support.providers import OLLAMA, SECRET, WIRES, Wire

PROMPT = compose(Rule(), ["en", "de"])
SECONDS, HASTY = 60, 1
_NOW = datetime(2026, 11, 26, tzinfo=UTC)
WRITTEN = Document(
    bucket="b",
    name="n",
    generation=1,
    status=Status.CAPTIONED,
    created_at=_NOW,
    updated_at=_NOW,
    alt_text="Red boat",
    caption="A red boat.",
    language="en",
)


@pytest.fixture(params=WIRES)
def wire(request: pytest.FixtureRequest) -> Wire:
    return (WIRES | OLLAMA)[request.param]


@pytest.fixture
def captioner(
    wire: Wire, model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    for name, value in wire.environment(model_server).items():
        monkeypatch.setenv(name, value)
    model = Settings.from_env({"CAPTION_MODEL": wire.model}).model
    made: Any = composition.captioner(model, SECONDS)
    yield made
    made.close()


@pytest.fixture
def hasty(captioner: Any, wire: Wire) -> Iterator[Any]:
    """The same, with no time to wait."""
    model = Settings.from_env({"CAPTION_MODEL": wire.model}).model
    with closing(composition.captioner(model, HASTY)) as made:
        yield made


def picture() -> Picture:
    return Picture(jpeg(), "image/jpeg", 64, 48)


def test_a_picture_becomes_a_reply(captioner: Any, wire: Wire) -> None:
    answer = captioner.describe(picture(), PROMPT)

    assert read_reply(answer).alt_text
    assert wire.schema_in_words or read_reply(answer).translations["de"]["alt_text"]
    assert (answer.blocked, answer.truncated) == ("", False)
    assert captioner.model == wire.model


def test_an_answer_tells_its_version_its_tokens_and_so_its_cost(captioner: Any, wire: Wire) -> None:
    answer = captioner.describe(picture(), PROMPT)

    assert answer.model_version == wire.version
    assert (answer.input_tokens, answer.output_tokens) == (1420, 118)
    assert prices.usage(wire.model, answer).cost_usd == wire.cost_usd


def test_what_leaves_is_the_picture_the_prompt_and_the_schema(
    captioner: Any, wire: Wire, model_server: ModelServer
) -> None:
    captioner.describe(picture(), PROMPT)

    (call,) = model_server.calls
    assert call.model == wire.model.partition(":")[2]
    assert call.images == [jpeg()]
    assert call.image_types == ["image/jpeg"]
    assert PROMPT.system in call.text
    assert PROMPT.user in call.text
    if wire.schema_in_words:
        assert '"additionalProperties": false' in call.text
    else:
        assert call.schema == dict(PROMPT.schema)


@pytest.mark.parametrize("wire", [*WIRES, *OLLAMA], indirect=True)
def test_every_request_lets_a_model_say_that_it_could_not_describe(
    captioner: Any, wire: Wire, model_server: ModelServer
) -> None:
    captioner.describe(picture(), PROMPT)

    (call,) = model_server.calls
    if wire.schema_in_words:
        assert '"could_not_describe"' in call.text
        return
    assert call.schema is not None
    assert call.schema["properties"]["could_not_describe"]["enum"] == ["none", *Unable]
    assert call.schema["required"][0] == "could_not_describe"


def test_words_are_asked_about_without_a_picture(
    captioner: Any, wire: Wire, model_server: ModelServer
) -> None:
    prompt = translation_prompt.compose(WRITTEN, ["fi"], 125)
    answer = captioner.describe(None, prompt)

    (call,) = model_server.calls
    assert (call.images, call.model) == ([], wire.model.partition(":")[2])
    assert not {"image_url", "inlineData", "base64"} & set(re.findall(r"\w+", str(call.body)))
    assert prompt.system in call.text
    assert prompt.user in call.text
    assert "x-spliced-picture" not in call.headers
    said = read_translations(answer, ["fi"])
    assert said == {"fi": {"alt_text": "[fi] Red boat", "caption": "[fi] A red boat."}}


def test_a_part_that_is_refused_is_left_out_of_a_request_without_a_picture(
    captioner: Any, wire: Wire, model_server: ModelServer
) -> None:
    if wire.schema_in_words:
        pytest.skip("it sends no schema")
    captioner._negotiation.refused(400, "response_format json_schema", {"schema"})
    captioner.describe(None, translation_prompt.compose(WRITTEN, ["fi"], 125))
    assert '"additionalProperties": false' in model_server.calls[-1].text


def test_neither_metadata_nor_a_name_leaves(captioner: Any, model_server: ModelServer) -> None:
    exif = Image.Exif()
    exif[0x010E] = "the Millers at home"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    file = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(file, "JPEG", exif=exif)
    assert b"Millers" in file.getvalue()

    captioner.describe(pictures.prepare(file.getvalue(), captioner.accepts, 10**6), PROMPT)

    (call,) = model_server.calls
    assert b"Millers" not in call.images[0]
    assert not Image.open(io.BytesIO(call.images[0])).getexif()
    assert "Millers" not in str(call.body)


def test_the_key_leaves_in_a_header_only(captioner: Any, model_server: ModelServer) -> None:
    captioner.describe(picture(), PROMPT)

    (call,) = model_server.calls
    assert SECRET in str(call.headers)
    assert SECRET not in str(call.body)
    assert SECRET not in call.path
    assert "x-spliced-picture" not in call.headers


def test_a_line_break_after_a_key_does_not_leave(
    wire: Wire, model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in wire.environment(model_server).items():
        monkeypatch.setenv(name, value.replace(SECRET, f"{SECRET}\n"))
    model = Settings.from_env({"CAPTION_MODEL": wire.model}).model
    with closing(composition.captioner(model, SECONDS)) as captioner:
        captioner.describe(picture(), PROMPT)

    (call,) = model_server.calls
    assert any(value in (SECRET, f"Bearer {SECRET}") for value in call.headers.values())


@pytest.mark.parametrize("size", [1, 2, 3, 196_607, 196_608, 196_609, 1_000_000])
def test_a_picture_of_any_length_arrives_whole(
    captioner: Any, model_server: ModelServer, size: int
) -> None:
    data = bytes(i % 251 for i in range(size))
    captioner.describe(Picture(data, "image/png", 1, 1), PROMPT)

    assert model_server.calls[0].images == [data]
    assert model_server.calls[0].image_types == ["image/png"]


def test_a_refusal_is_told_from_a_reply(
    captioner: Any, wire: Wire, model_server: ModelServer
) -> None:
    for reason, answer in wire.refusals.items():
        model_server.answer(answer)
        assert captioner.describe(picture(), PROMPT).blocked == reason


_OPENAI = {"x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-requests": "6m0s"}
_ANTHROPIC = {
    "anthropic-ratelimit-requests-remaining": "3",
    "anthropic-ratelimit-requests-reset": "2026-11-26T12:06:00Z",
    "date": "Thu, 26 Nov 2026 12:00:00 GMT",
}


@pytest.mark.parametrize("headers", [_OPENAI, _ANTHROPIC], ids=["openai", "anthropic"])
def test_what_is_left_of_a_limit_is_told_where_the_provider_tells_it(
    captioner: Any, wire: Wire, model_server: ModelServer, headers: dict[str, str]
) -> None:
    answer = wire.good()
    model_server.answer(replace(answer, headers={**answer.headers, **headers}))
    told = captioner.describe(picture(), PROMPT).allowance
    google = wire.model.startswith(("gemini", "google"))  # tells none
    assert told == (None if google else Allowance(3, 0, 360))


def test_a_reply_that_was_cut_off_says_so(
    captioner: Any, wire: Wire, model_server: ModelServer
) -> None:
    model_server.answer(wire.truncated)
    answer = captioner.describe(picture(), PROMPT)
    assert (answer.truncated, answer.blocked) == (True, "")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), ("0.5", 0.5), (None, None), ("Wed, 21 Oct 2015 07:28:00 GMT", None)],
)
def test_the_delay_that_a_quota_answer_asks_for_is_kept(
    captioner: Any,
    wire: Wire,
    model_server: ModelServer,
    header: str | None,
    seconds: float | None,
) -> None:
    model_server.always(wire.quota(header))

    with pytest.raises(TransientError, match="429") as caught:
        captioner.describe(picture(), PROMPT)
    assert caught.value.retry_after == seconds
    assert model_server.count == 1


@pytest.mark.parametrize(
    ("fault", "family", "says"),
    [
        ("wrong key", ConfigurationError, "set {key} to a valid one"),
        ("permission denied", ConfigurationError, "{key}"),
        ("unknown model", ConfigurationError, "set CAPTION_MODEL to another.*{endpoint}"),
        ("invalid image", PermanentError, "Save it anew"),
        ("internal", TransientError, "500"),
        ("overloaded", TransientError, "503|529"),
        ("drops", TransientError, "could not be reached"),
    ],
)
def test_a_fault_belongs_to_its_family_and_names_the_remedy(
    captioner: Any,
    wire: Wire,
    model_server: ModelServer,
    fault: str,
    family: type[CaptionError],
    says: str,
) -> None:
    model_server.always(wire.errors[fault])
    says = says.format(key=wire.key, endpoint=wire.endpoint)

    with pytest.raises(family, match=says):
        captioner.describe(picture(), PROMPT)
    assert model_server.count == 1


def test_every_known_fault_is_translated_after_one_call(
    captioner: Any, wire: Wire, model_server: ModelServer
) -> None:
    for name in wire.errors.keys() - {"forbidden image", "no schema", "hangs"}:
        model_server.reset()
        model_server.always(wire.errors[name])
        with pytest.raises(CaptionError):
            captioner.describe(picture(), PROMPT)
        assert model_server.count == 1, name


@pytest.mark.parametrize("fault", ["wrong key", "internal", "invalid image"])
def test_a_key_that_a_server_repeats_is_not_passed_on(
    captioner: Any, wire: Wire, model_server: ModelServer, fault: str
) -> None:
    known = wire.errors[fault]
    said = known.data.decode().replace('"message": "', f'"message": "{SECRET} is no good: ')
    model_server.always(Answer(said.encode(), known.status, known.headers))

    with pytest.raises(CaptionError) as caught:
        captioner.describe(picture(), PROMPT)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(("answer", "name"), [(NOT_JSON, "html"), (CUT_SHORT, "cut"), (DROP, "")])
def test_a_broken_answer_may_be_better_next_time(
    captioner: Any, model_server: ModelServer, answer: Answer, name: str
) -> None:
    model_server.answer(answer)
    with pytest.raises(TransientError, match="understood"):
        captioner.describe(picture(), PROMPT)


def test_an_answer_with_nothing_in_it_is_none(captioner: Any, model_server: ModelServer) -> None:
    model_server.answer(EMPTY_OBJECT)
    with pytest.raises(TransientError, match="gave no answer") as caught:
        captioner.describe(picture(), PROMPT)
    assert caught.value.outage is Outage.AWAY


@pytest.mark.parametrize("kind", ["hangs", "trickles"])
def test_an_answer_that_does_not_end_ends_with_the_timeout(
    hasty: Any, wire: Wire, model_server: ModelServer, kind: str
) -> None:
    model_server.answer(HANG if kind == "hangs" else Answer(wire.good().body, trickle=0.2))
    with pytest.raises(TransientError, match="CAPTION_TIMEOUT_SECONDS"):
        hasty.describe(picture(), PROMPT)
    assert model_server.count == 1


def test_a_server_that_is_not_there_is_worth_another_try(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(wire.key, SECRET)
    monkeypatch.setenv(wire.endpoint, "http://127.0.0.1:9")
    captioner: Any = composition.captioner(
        Settings.from_env({"CAPTION_MODEL": wire.model}).model, SECONDS
    )
    with pytest.raises(TransientError, match="could not be reached"):
        captioner.describe(picture(), PROMPT)
    captioner.close()


def test_a_picture_is_let_go_when_it_is_sent_or_at_the_latest_with_the_call(
    captioner: Any, hasty: Any, wire: Wire, model_server: ModelServer
) -> None:
    for each in (captioner, hasty):  # the first one imports what it takes
        each.describe(picture(), PROMPT)
    sent, held, released = picture(), [], []
    sent.on_release = lambda: released.append(True)

    def hang(call: Call) -> Answer:
        held.append(sent.data)
        return HANG

    model_server.answer(hang)
    with pytest.raises(TransientError):
        hasty.describe(sent, PROMPT)
    assert held == ([jpeg()] if wire.held_until_answered else [b""])
    assert (sent.data, released) == (b"", [True])

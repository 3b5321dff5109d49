"""What a server refuses is left out for a while, and a picture is kept as long as it may matter."""

from __future__ import annotations

import pytest

from functions.adapters.negotiation import AskDifferently, Negotiation
from functions.core.document import Answer, Picture
from functions.core.errors import TransientError

PARTS = ("limit", "max_completion_tokens", "detail", "thinking", "system", "schema")


class Server:
    """Refuses the parts of a request that it is told to, in the words that it is told."""

    def __init__(self, negotiation: Negotiation, *refused: tuple[str, int, str]) -> None:
        self.negotiation, self.refused = negotiation, refused
        self.asked: list[frozenset[str]] = []

    def __call__(self, picture: Picture | None, parts: frozenset[str]) -> Answer:
        assert picture
        assert picture.data, "sent without its picture"
        self.asked.append(parts)
        for part, status, words in self.refused:
            if part in parts and self.negotiation.refused(status, words, parts):
                picture.release()
                raise AskDifferently("Acme does not take the request")
        picture.release()
        return Answer("words")


def picture(released: list[bool] | None = None) -> Picture:
    made = Picture(b"bytes", "image/png", 1, 1)
    if released is not None:
        made.on_release = lambda: released.append(True)
    return made


@pytest.mark.parametrize(
    ("part", "status", "words"),
    [
        ("schema", 400, "response_format: json_schema is not supported"),
        ("schema", 500, "Failed to initialize samplers: failed to parse grammar"),
        ("schema", 500, "failed to load model vocabulary required for format"),
        ("schema", 404, "No endpoints found that can handle the requested parameters"),
        ("schema", 501, ""),
        ("schema", 400, "output_config.format: Extra inputs are not permitted"),
        ("max_completion_tokens", 422, "body.max_completion_tokens: Extra inputs"),
        ("limit", 400, "max_tokens is too large: 4096. This model supports at most 2048"),
        ("detail", 400, "messages.1.content.0.image_url.detail: unknown field"),
        ("thinking", 400, "Unrecognized request argument supplied: reasoning_effort"),
        ("thinking", 400, "output_config.effort: This model does not support effort"),
        ("system", 400, "System role not supported"),
        ("system", 400, "Developer instruction is not enabled for models/gemma-3-27b-it"),
        ("system", 500, "Conversation roles must alternate user/assistant"),
    ],
)
def test_the_part_that_is_named_is_left_out_and_no_other(
    part: str, status: int, words: str
) -> None:
    negotiation = Negotiation(PARTS)
    server = Server(negotiation, (part, status, words))
    assert negotiation.ask(picture(), server).text == "words"
    assert server.asked == [frozenset(PARTS), frozenset(PARTS) - {part}]
    negotiation.ask(picture(), server)
    assert server.asked[2] == frozenset(PARTS) - {part}


def test_several_parts_are_left_out_one_after_the_other() -> None:
    negotiation = Negotiation(PARTS)
    server = Server(negotiation, ("detail", 400, "detail"), ("schema", 400, "json_schema"))
    assert negotiation.ask(picture(), server).text == "words"
    assert server.asked[-1] == frozenset(PARTS) - {"detail", "schema"}


def test_what_two_parts_stand_in_is_left_out_with_both() -> None:
    negotiation = Negotiation(PARTS)
    words = "output_config: Extra inputs are not permitted"
    server = Server(negotiation, ("thinking", 400, words), ("schema", 400, words))
    assert negotiation.ask(picture(), server).text == "words"
    assert server.asked[-1] == frozenset(PARTS) - {"thinking", "schema"}


def test_a_refusal_is_forgotten_after_a_quarter_of_an_hour() -> None:
    now = [0.0]
    negotiation = Negotiation(PARTS, clock=lambda: now[0])
    server = Server(negotiation, ("schema", 400, "json_schema"))
    negotiation.ask(picture(), server)
    now[0] = 899
    assert "schema" not in negotiation.parts
    now[0] = 901
    assert "schema" in negotiation.parts


@pytest.mark.parametrize(
    ("status", "words"), [(400, "image_url is not supported"), (429, "json_schema"), (503, "")]
)
def test_other_errors_teach_nothing(status: int, words: str) -> None:
    negotiation = Negotiation(PARTS)
    assert not negotiation.refused(status, words, PARTS)
    assert negotiation.parts == frozenset(PARTS)


def test_what_was_not_sent_is_not_refused() -> None:
    assert not Negotiation(PARTS).refused(400, "json_schema", {"detail"})


def test_a_picture_is_kept_while_nothing_is_known_of_a_server_and_then_let_go() -> None:
    negotiation = Negotiation(PARTS)
    released: list[bool] = []
    negotiation.ask(picture(released), Server(negotiation, ("schema", 400, "json_schema")))
    assert released == [True]

    with pytest.raises(TransientError, match="without that from now on"):
        negotiation.ask(picture(released), Server(negotiation, ("detail", 400, "detail")))
    assert released == [True, True]
    assert "detail" not in negotiation.parts


def test_a_server_of_ones_own_may_refuse_at_any_time() -> None:
    negotiation = Negotiation(PARTS, keeps=True)
    negotiation.ask(picture(), Server(negotiation))
    server = Server(negotiation, ("schema", 500, "grammar"))
    assert negotiation.ask(picture(), server).text == "words"
    assert len(server.asked) == 2

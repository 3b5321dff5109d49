"""What a model's answer says: the reply is found wherever it stands, in time that grows with it."""

from __future__ import annotations

import contextlib
import html
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.document import Answer, Reply
from functions.core.errors import UnusableReply
from functions.model.reply import read_reply

REPLY: dict[str, Any] = {
    "visible_text": "",
    "caption": "A dog runs along the wet sand.",
    "alt_text": "Running dog",
    "decorative": False,
    "tags": ["dog"],
}
J = json.dumps(REPLY)


def read(text: str, truncated: bool = False) -> Reply:
    return read_reply(Answer(text, truncated=truncated))


def changed(**fields: Any) -> str:
    return json.dumps(REPLY | fields)


WHEREVER = {
    "alone": J,
    "fenced": f"```json\n{json.dumps(REPLY, indent=2)}\n```",
    "in prose": f"Here you are:\n{J}\nAnything else?",
    "before endless newlines": J + "\n" * 5000,
    "beside other fields": changed(extra={"nested": []}),
    "after a byte-order mark": "\ufeff" + J,
    "after thoughts with braces": f"<think>\nThe user wants {{alt_text}} of {{x: y}}.\n</think>{J}",
    "after thoughts that never end": f"<thinking>The {{alt_text}} should be short. {J}",
    "after thoughts that never began": f"So {{caption}} first.\n</think>\n\n{J}",
    "after a draft among the thoughts": f"<think>{changed(alt_text='A draft')}</think>{J}",
    "after half a draft": f'<think>{{"alt_text": "A dr</think>\n{J}',
    "after thoughts of Mistral's": f"[THINK]Is it {{ a dog }}?[/THINK]{J}",
    "after thoughts of Kimi's": f"◁think▷{{...}}◁/think▷{J}",
    "in harmony's last channel": "<|channel|>analysis<|message|>We need {json}. <|end|><|start|>"
    f"assistant<|channel|>final <|constrain|>json<|message|>{J}<|return|>",
    "before a note with braces": f"{J}\nNote: {{alt_text}} is short, {{}} too.",
    "before half an object": J + '{"visible_text": "", "caption": "A d',
    "twice": J + J,
    "after what it was asked to be": json.dumps({"properties": {"alt_text": {"type": "string"}}})
    + J,
    "with a brace too many": J + "}",
    "in a list": f"[{J}]",
    "under another key": json.dumps({"result": {"image": REPLY}}),
    "in a list under a key": json.dumps({"images": [REPLY]}),
    "as a call": f'<tool_call>{{"name": "describe", "arguments": {J}}}</tool_call>',
    "as a call's text": json.dumps({"name": "describe", "arguments": J}),
    "escaped": json.dumps(J),
    "escaped without quotes": json.dumps(J)[1:-1],
    "escaped twice": json.dumps(json.dumps(J)),
    "escaped for HTML": html.escape(J),
    "as Python writes it": repr(REPLY | {"visible_text": None}),
    "in typographic quotes": "{“caption”: “A dog runs along the wet sand.”, “alt_text”: “Running "
    "dog”, “decorative”: false, “tags”: [“dog”]}",
    "with bare keys": "{caption: 'A dog runs along the wet sand.', alt_text: 'Running dog', "
    "decorative: false, tags: [dog]}",
    "with trailing commas": J.replace("]}", ",],}"),
    "without commas": J.replace(', "', '\n "'),
    "with comments": J.replace(', "tags"', ', // for search\n "tags"'),
    "in other spellings": J.replace("alt_text", "altText").replace("visible_text", "Visible text"),
    "with its last brace missing": J[:-1],
    "cut off among the tags": J[:-4],
    "with its first brace missing": J[1:],
    "after five thousand braces": "{" * 5000 + J,
}


@pytest.mark.parametrize("text", WHEREVER.values(), ids=WHEREVER.keys())
def test_the_reply_is_found_wherever_it_stands(text: str) -> None:
    reply = read(text)
    said = (reply.caption, reply.alt_text, reply.decorative)
    assert said == ("A dog runs along the wet sand.", "Running dog", False)
    assert reply.tags in (("dog",), ())


def test_of_several_replies_the_last_complete_one_counts() -> None:
    first = changed(alt_text="A first try")
    assert read(first + J).alt_text == "Running dog"
    assert read(J + first[:-40]).alt_text == "Running dog"


def test_quotation_marks_in_a_text_do_not_end_it() -> None:
    text = J.replace("Running dog", 'A sign that says "Open", and a dog')
    assert read(text).alt_text == 'A sign that says "Open", and a dog'


def test_a_line_break_in_a_text_is_part_of_it() -> None:
    assert read(J.replace("Running dog", "Running\ndog")).alt_text == "Running\ndog"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"decorative": "true", "alt_text": None}, ("", True, ("dog",))),
        ({"decorative": 1, "alt_text": ""}, ("", True, ("dog",))),
        ({"decorative": "no"}, ("Running dog", False, ("dog",))),
        ({"tags": "dog, wet sand"}, ("Running dog", False, ("dog", "wet sand"))),
        ({"tags": "#dog #sand"}, ("Running dog", False, ("dog", "sand"))),
        ({"tags": None, "visible_text": None}, ("Running dog", False, ())),
        ({"alt_text": ["Running dog"]}, ("Running dog", False, ("dog",))),
        ({"alt_text": "Dog \ud83d\ude00 \ud83d"}, ("Dog 😀 \ufffd", False, ("dog",))),
    ],
)
def test_a_field_may_have_another_type(fields: dict[str, Any], expected: tuple[Any, ...]) -> None:
    reply = read(changed(**fields))
    assert (reply.alt_text, reply.decorative, reply.tags) == expected


@pytest.mark.parametrize("caption", [None, "", 5])
def test_a_good_alt_text_stands_in_for_a_missing_caption(caption: object) -> None:
    assert read(changed(caption=caption)).caption == "Running dog"


def test_translations_are_a_list_or_an_object_by_language() -> None:
    german = {"caption": "Ein Hund rennt.", "alt_text": "Rennender Hund"}
    listed = read(changed(translations=[{"language": "de", **german}, {"language": "fr"}, 7]))
    assert listed.translations == {"de": german}
    assert read(changed(translations={"de": german, "fr": None})).translations == {"de": german}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I'm sorry, I can't help with that.",
        "[]",
        "null",
        '{"caption": "A',
        "{}",
        '{"caption": "x"}',
        '{"caption": "x", "alt_text": 1}',
        '{"caption": "x", "alt_text": {"type": "string"}}',
        "{" * 100_000 + "}",
        '{"a":' * 50_000 + "1" + "}" * 50_000,
    ],
)
def test_what_is_no_reply_says_what_to_mend(text: str) -> None:
    with pytest.raises(UnusableReply, match=r"JSON object|alt_text is missing"):
        read(text)


def test_a_reply_that_was_cut_off_before_its_words_says_so() -> None:
    with pytest.raises(UnusableReply, match="was cut off"):
        read("Let me think. ", truncated=True)


@given(st.recursive(st.none() | st.booleans() | st.text() | st.integers(), st.lists))
def test_fields_of_the_wrong_type_do_no_harm(value: object) -> None:
    odd = {"tags": value, "visible_text": value, "decorative": value, "translations": value}
    reply = read(json.dumps(REPLY | odd | {"alt_text": "Running dog"}))
    assert reply.alt_text == "Running dog"
    assert all(isinstance(tag, str) for tag in reply.tags)
    assert isinstance(reply.visible_text, str)
    assert isinstance(reply.decorative, bool)


@given(st.text(alphabet="{}[]\"':,\\ntrue “”alt_x</think>"))
def test_no_text_is_read_with_another_error(text: str) -> None:
    with contextlib.suppress(UnusableReply):
        read(text + J[1:-1] + text)


HOSTILE = (
    *("{", '{"a":', "[", '{"', "{'a' ", "\\", "{a:b,", '{"a":"', '{"a":["', "{alt_text} ", "{["),
    *("“", "// ", "</think>", '{"a":{"alt_text":"x"},', "\ufeff", "&quot;", '\\"', '{"b":"}'),
    *('{"x":"{\\"alt_text\\":', '{"a":",', '{"a": "x" "', "<|channel|>final<", 'a":"b",'),
)


@pytest.mark.parametrize("unit", HOSTILE)
def test_twice_the_text_takes_about_twice_the_time(unit: str) -> None:
    def seconds(length: int) -> float:
        started = time.process_time()
        with pytest.raises(UnusableReply):
            read(unit.replace("alt_text", "alt") * (length // len(unit)))
        return time.process_time() - started

    seconds(1000)
    least = min(seconds(25_000) for _ in range(3))
    most = 4 * 3 * max(least, 0.003)
    assert any(seconds(100_000) < most for _ in range(2))

"""What is put right in place, and what must survive it."""

import sys
from typing import Any

import pytest

from functions.core.document import Reply
from functions.core.plain_text import LONGEST
from functions.quality import Context, check
from functions.quality.cleaning import cleaned
from functions.quality.text import cut, graphemes


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("A <b>red</b> door", "A red door"),
        ("A red door<br/>in a wall", "A red door in a wall"),
        ('<img src=x onerror="alert(1)">A door', "A door"),
        ("A door<script>alert('x')</script>", "A door"),
        ("A door &amp;amp; a wall", "A door & a wall"),
        ("A door &lt;script&gt;", "A door"),
        ("Tom &#38; Jerry", "Tom & Jerry"),
        ("A <!-- note --> door", "A door"),
        ("A form with a <div> element", "A form with a div element"),
        ("x <y and 3 < 4", "x < y and 3 < 4"),
        ("A door <script", "A door < script"),
        ("**A door** in a _wall_", "A door in a wall"),
        ("# A door", "A door"),
        ("- A door", "A door"),
        ("> A door", "A door"),
        ("```text\nA door\n```", "A door"),
        ("A `door` in a wall", "A door in a wall"),
        ("A [door](https://example.com/a(b)) in a wall", "A door in a wall"),
        ("![A door](door.png)", "A door"),
        ("A ~~blue~~ red door", "A blue red door"),
        ("***A door***", "A door"),
        ('alt="A door"', "A door"),
        ("<img alt='A door in a wall' />", "A door in a wall"),
    ],
)
def test_markup_becomes_plain_text(before: str, after: str) -> None:
    assert cleaned(before, "en")[0] == after


@pytest.mark.parametrize(
    "text",
    [
        *("A door<eos>", "A door<|im_end|>", "A door.<end_of_turn>", "A door [/INST]"),
        *("A door<｜end▁of▁sentence｜>", "<|assistant|>\nA door", "<image>A door"),
        *(
            "<|begin_of_box|>A door<|end_of_box|>",
            "<think>A wall?</think>A door",
            "</think> A door",
        ),
    ],
)
def test_what_tells_a_model_its_turns_is_no_part_of_the_text(text: str) -> None:
    assert cleaned(text, "en")[0].rstrip(".") == "A door"


def test_what_tells_a_model_its_turns_stays_where_the_image_shows_it() -> None:
    shown = "<|im_end|>"
    assert cleaned(f"A slide on {shown}", "en", shown)[0] == f"A slide on {shown}"
    assert cleaned("A slide about the token <eos>", "en")[0] == "A slide about the token eos"


@pytest.mark.parametrize(
    "text",
    [
        "The formula 2*3*4 = 24 on a blackboard",
        "5 * 3 and 6 * 2 on a card",
        "A folder named my_old_files_2",
        "Q&A session on a stage",
        "AT&T logo",
        "Temperature < 5 °C on a display",
        "Number #1 foam finger",
        "1. FC Köln scarf",
        "A rating of ★★★★☆ stars",
        "A smiling face 😀 on a button",
        "The family emoji 👨‍👩‍👧 on a phone",
        "Flag of France 🇫🇷",
        "Flag of England 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
        '"Stop" and "Go" on two signs',
        "Rock 'n' roll records",
        "The boys' shoes",
        "שָׁלוֹם על שלט",
        "مَرْحَبًا على لافتة",
        "می‌خواهم روی تابلو",
        "क्‍ष on a card",
        "ශ්‍රී ලංකා map",
        "ประเทศ\u200bไทย",
        "葛\U000e0100城市",
        "A price of 5 €, rtl\u200f mark",
    ],
)
def test_text_that_only_looks_like_a_fault_survives_untouched(text: str) -> None:
    assert cleaned(text, "en") == (text, {})


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("A\u00addoor", "Adoor", "control_characters"),
        ("A\ufeff door\x00", "A door", "control_characters"),
        ("A\u202e door\u202c", "A door", "control_characters"),
        ("A door\U000e0041\U000e0042", "A door", "control_characters"),
        ("A door\ue000\ud800\ufffe", "A door", "control_characters"),
        ("A do\U000e0100or", "A door", "control_characters"),
        ("A  door\r\n in\u2028a wall ", "A door in a wall", "whitespace"),
        ("A cafe\u0301", "A café", "unicode_form"),
        ("“A door”", "A door", "surrounding_quotes"),
        ("„Eine Tür“", "Eine Tür", "surrounding_quotes"),
        ("« Une porte »", "Une porte", "surrounding_quotes"),
        ("「赤い扉」", "赤い扉", "surrounding_quotes"),
        ("'A door'.", "A door.", "surrounding_quotes"),
        ("A door 🚪🚪🎉", "A door", "emoji_run"),
        ("🎉 ✨ A door", "A door", "emoji_run"),
    ],
)
def test_what_does_not_belong_goes(before: str, after: str, code: str) -> None:
    text, found = cleaned(before, "en")
    assert text == after
    assert code in found


def test_several_faults_are_mended_at_once_and_each_is_named() -> None:
    text, found = cleaned('"**Image of** a\n<i>cat</i> 🐈🐈"', "en")
    assert text == "A cat"
    assert set(found) == {
        "markup",
        "whitespace",
        "emoji_run",
        "surrounding_quotes",
        "redundant_prefix",
    }


def test_of_a_text_without_end_only_the_beginning_is_read() -> None:
    assert len(cleaned("a b " * 100_000, "en")[0]) <= LONGEST


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("abc", 3),
        ("é", 1),
        ("e\u0301", 1),
        ("👨‍👩‍👧", 1),
        ("👍🏽", 1),
        ("🇫🇷🇩🇪", 2),
        ("🇫", 1),
        ("🇫🇷🇩", 2),
        ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", 1),
        ("1️⃣", 1),
        ("שָׁלוֹם", 4),
        ("नमस्ते", 3),
        ("तस्वीर", 3),
        ("தமிழ்", 3),
        ("한국", 2),
        ("\u1112\u1161\u11ab", 1),
        ("สวัสดี", 4),
        ("猫が寝る", 4),
    ],
)
def test_characters_are_counted_as_people_see_them(text: str, count: int) -> None:
    assert graphemes(text) == count


def test_a_cut_does_not_split_a_character() -> None:
    assert cut("ab👨‍👩‍👧", 4) == "ab"
    assert cut("abe\u0301", 3) == "ab"
    assert cut("abc", 3) == "abc"


def tags(*given: str) -> tuple[str, ...]:
    return check(Reply("A cat.", "A cat", tags=given), Context(("en",), 125)).reply.tags


def test_tags_are_small_composed_unique_and_bounded() -> None:
    assert tags("Cat", "cat ", "#CAT", "<b>cat</b>") == ("cat",)
    assert tags("cafe\u0301") == ("café",)
    assert tags("red, Sofa") == ("red", "sofa")
    assert tags("", " ", "x" * 41, "y" * 40) == ("y" * 40,)
    assert len(tags(*(f"tag {number}" for number in range(30)))) == 12


def visible(text: str) -> str:
    reply = Reply("A cat.", "A cat", visible_text=text)
    return check(reply, Context(("en",), 125)).reply.visible_text


def test_visible_text_is_verbatim_but_for_line_breaks_and_tags() -> None:
    assert visible("STOP\nHERE **now** “x” 🎉🎉") == "STOP HERE **now** “x” 🎉🎉"
    assert visible("<b>bold</b>") == "<b>bold</b>"
    assert visible("<script>x</script>") == "< script>x< /script>"
    assert visible("N/A") == ""
    assert visible("None of the above") == "None of the above"
    assert len(visible("word " * 5000)) <= 4000


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Caf\\u0000e9", "Café"),
        ("Caf\x00e9", "Café"),
        ("Cafu00e9 in Malmu00f6", "Café in Malmö"),
        ("Caf\\xe9", "Café"),
        ("Caf\\u00e9", "Café"),
        ("A cat \\ud83d\\ude3a here", "A cat 😺 here"),
        ("A dog on a beach\\nwith a stick", "A dog on a beach with a stick"),
        ('A sign that reads \\"Open\\" at night', 'A sign that reads "Open" at night'),
    ],
)
def test_what_json_left_is_put_back(before: str, after: str) -> None:
    assert cleaned(before, "en")[0] == after


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Page with the source <b>Hello</b> in an editor", "<b>Hello</b>"),
        ("Editor open at __init__.py, line 12", ""),
        ("Chat bubble with 😂😂😂", "😂😂😂"),
        ("Chat bubble with 😂😂😂", ""),
        ("Output: 42", "Output: 42"),
        ("Output: 42 on a calculator", ""),
        ("Terminal showing caf\\u00e9 twice", "caf\\u00e9"),
        ("Slide that says **bold** and `code`", "**bold** and `code`"),
    ],
)
def test_what_stands_in_the_image_is_not_mended(text: str, seen: str) -> None:
    assert cleaned(text, "en", seen)[0] == text


KINDS = (
    "# # #|> > >|- - -|* |&#38;#38;|&amp;amp;|&#x26;#38;|[[|[a](|](u)|[a](b)|((|**|__|~~|``|<b>|"
    "</b>|<script>|<!--|<|&lt;|ไทย\u200b|\u200b|\u200d|\u0301|\ufe0f|\U000e0061|\u202e|\"|“|'|« »|"
    "image of |The image shows |Alt text: |it appears to be |😺|👨‍👩‍👧|🇫🇷|a.|a@|1 |+1 |www.|"
    "http:|IMG_1|a_|ha ha |cat, |\\u00e9|\\n|u00e9|猫|の画像|图片|ا|क्|"
    "I can't |Sorry. |{{|${|#a |ABC |"
    "a.B|A_B|_a|%a|test |xxx |TODO |XError: |”a“|(1) |[[a]]|kann nicht "
)
FLOODS = [kind for kind in KINDS.split("|") if kind]


@pytest.mark.parametrize("kind", FLOODS)
def test_time_grows_as_the_length_does_whatever_the_text_is(kind: str) -> None:
    """Counted in steps of the interpreter, which are the same on each machine. Each text is counted
    twice: the first time has patterns compiled and words read, whichever tests ran before."""
    texts = [(kind * size)[:size] for size in (200, 800)]
    small, large = [(steps(text), steps(text))[1] for text in texts]
    assert large <= 6 * small + 2_000


def steps(text: str) -> int:
    """Lines that ran, in the filter and whatever it calls, for a text of this kind."""
    count = 0

    def line(*_: object) -> Any:
        nonlocal count
        count += 1
        return line

    reply = Reply("A cat.", text)
    sys.settrace(line)
    try:
        check(reply, Context(("en", "th"), 125, hints=(text[:1000],)))
    finally:
        sys.settrace(None)
    return count

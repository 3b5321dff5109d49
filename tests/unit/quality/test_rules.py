"""What holds for every reply, and for every rule's example."""

import re
import time
import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from functions.core.document import Reply
from functions.quality import Checked, Context, Severity, check, checking, cleaning
from functions.quality.catalogue import RULES, Entry, table

PIECES = """
< > & ; &lt; &amp; &#60; <b> </b> <script> </script> * _ ` ** ~~ [ ]( ) # - " ' “ ” « »
😺 👨‍👩‍👧 🇫🇷 İ ǆ ß שָׁלוֹם हिन्दी image|of This:is alt|text: a cat it|appears|to|be 猫 の画像 
这张图片显示了 IMG_1234.jpg
"""
UNSEEN = ["\n", "\t", "\0", "\u200b", "\u200d", "\ufeff", "\ud800", "\ufffe", "\u202e", "\u0301"]
NASTY = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from([piece.replace("|", " ") for piece in PIECES.split()] + UNSEEN),
        max_size=14,
    ).map(" ".join),
    st.lists(st.sampled_from(list("<>&;*_`~[]()#-'\"ab \nı1") + UNSEEN), max_size=25).map("".join),
)
LANGUAGES = st.sampled_from(
    ["en", "de", "fr", "tr", "ja", "zh-Hans", "ar", "hi", "pl", "tlh", "pt-BR"]
)
REPLIES = st.builds(
    Reply,
    caption=NASTY,
    alt_text=NASTY,
    decorative=st.booleans(),
    tags=st.lists(NASTY, max_size=4).map(tuple),
    visible_text=NASTY,
    translations=st.dictionaries(
        st.one_of(LANGUAGES, NASTY),
        st.fixed_dictionaries({"caption": NASTY, "alt_text": NASTY}),
        max_size=3,
    ),
)
CONTEXTS = st.builds(
    Context,
    languages=st.lists(LANGUAGES, max_size=3, unique=True).map(tuple),
    max_length=st.integers(20, 200),
    hints=st.lists(NASTY, max_size=2).map(tuple),
    name=NASTY,
    prompt_text=NASTY,
)


def texts(reply: Reply) -> Iterator[str]:
    yield from (reply.caption, reply.alt_text, reply.visible_text, *reply.tags)
    for translation in reply.translations.values():
        yield from translation.values()


@given(REPLIES, CONTEXTS)
def test_what_was_checked_has_nothing_left_to_fix(reply: Reply, context: Context) -> None:
    once = check(reply, context)
    again = check(once.reply, context)
    assert again.reply == once.reply
    assert [found for found in again.findings if found.severity is Severity.FIX] == []


@given(REPLIES, CONTEXTS)
def test_what_comes_out_is_one_line_of_plain_text(reply: Reply, context: Context) -> None:
    for text in texts(check(reply, context).reply):
        assert not cleaning._ACTIVE.search(text)
        assert not [
            letter for letter in text if unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp")
        ]
        assert unicodedata.is_normalized("NFC", text)
        text.encode()


@given(REPLIES, CONTEXTS)
def test_the_same_reply_is_judged_the_same(reply: Reply, context: Context) -> None:
    assert check(reply, context) == check(reply, context)


@given(REPLIES, CONTEXTS)
def test_only_decoration_is_published_without_alt_text(reply: Reply, context: Context) -> None:
    published = check(reply, context).publishable
    if published is not None:
        assert bool(published.alt_text) is not published.decorative
        assert all(text["alt_text"] or reply.decorative for text in published.translations.values())


@given(REPLIES, CONTEXTS)
def test_languages_are_those_that_were_asked_for(reply: Reply, context: Context) -> None:
    assert set(check(reply, context).reply.translations) <= set(context.languages[1:])


@pytest.mark.parametrize("entry", RULES, ids=lambda entry: f"{entry.code}-{entry.severity}")
class TestEachRulesExample:
    def test_is_found(self, entry: Entry) -> None:
        checked = check(entry.before, entry.context)
        assert (entry.code, entry.severity) in {
            (found.code, found.severity) for found in checked.findings
        }

    def test_breaks_no_other_rule(self, entry: Entry) -> None:
        found = {found.code for found in check(entry.before, entry.context).findings}
        assert found - {"decorative_text"} <= {entry.code}

    def test_is_found_no_more_once_mended(self, entry: Entry) -> None:
        assert check(entry.after, entry.context) == Checked(entry.after, ())

    def test_says_what_to_do_in_a_sentence(self, entry: Entry) -> None:
        for found in check(entry.before, entry.context).findings:
            assert 10 < len(found.message) < 200
            assert found.message[-1] in ".?"
        assert entry.meaning[-1] == "."


@pytest.mark.parametrize(
    "entry",
    [entry for entry in RULES if entry.severity is Severity.FIX],
    ids=lambda entry: entry.code,
)
def test_a_fix_makes_of_its_example_what_the_table_says(entry: Entry) -> None:
    assert check(entry.before, entry.context).reply == entry.after


def test_every_rule_there_is_has_a_row() -> None:
    codes = {*cleaning.STEPS, *checking._NO_DESCRIPTION, *checking._FAULTS}
    assert codes <= {entry.code for entry in RULES}
    assert len({(entry.code, entry.severity) for entry in RULES}) == len(RULES)


def test_the_table_has_a_line_for_every_rule_and_no_raw_markup() -> None:
    lines = table().splitlines()
    assert len(lines) == 2 + len(RULES)
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 6 for line in lines)
    assert "| A &lt;b>black&lt;/b> cat &amp;amp; a \\*red\\* sofa |" in table()
    assert "| `refusal` | repair, never published |" in table()


def test_findings_are_sorted_into_what_is_sent_back_and_what_is_left() -> None:
    reply = Reply("An Asian woman.", "Image of a BLACK CAT ASLEEP ON A RED SOFA")
    checked = check(reply, Context(("en", "fr"), 125))
    assert {found.code for found in checked.repairable} == {"missing_translation", "shouting"}
    assert checked.reasons == ("missing_translation", "person_guess", "shouting")


def test_a_refusal_is_never_published() -> None:
    assert (
        check(Reply("A cat.", "I cannot help with that."), Context(("en",), 125)).publishable
        is None
    )


def test_a_refused_caption_gives_way_to_the_alt_text() -> None:
    checked = check(Reply("I'm sorry, I can't say more.", "A cat on a sofa"), Context(("en",), 125))
    assert checked.publishable == Reply("A cat on a sofa", "A cat on a sofa")


def test_a_refused_translation_is_dropped_and_the_others_stay() -> None:
    translations = {
        "fr": {"alt_text": "Désolé, je ne peux pas.", "caption": "Un chat."},
        "de": {"alt_text": "Eine Katze", "caption": "Tut mir leid, ich kann das nicht."},
    }
    checked = check(
        Reply("A cat.", "A cat", translations=translations), Context(("en", "fr", "de"), 125)
    )
    assert checked.publishable is not None
    assert checked.publishable.translations == {
        "de": {"alt_text": "Eine Katze", "caption": "Eine Katze"}
    }


@pytest.mark.parametrize(
    "said",
    [
        "a cat and ",
        "image of ",
        "&amp;",
        "<",
        "<!--",
        "**",
        "[",
        "a.",
        "a@",
        "“a",
        "\u200d",
        "😺",
        "的图片",
    ],
)
def test_a_model_in_an_endless_loop_is_read_in_a_moment(said: str) -> None:
    text = said * 5000
    start = time.thread_time()
    reply = Reply(text, text, visible_text=text, tags=(text,))
    check(reply, Context(("zh-Hans",), 125, (text[:1000],), text[:900], "word " * 500))
    assert time.thread_time() - start < 1


@example("")
@given(st.text(max_size=20))
def test_a_reply_with_missing_parts_is_judged_too(text: str) -> None:
    reply = Reply(text, text, translations={"fr": {}})
    assert check(reply, Context(("en", "fr"), 125)).reply.translations["fr"] == {
        "caption": "",
        "alt_text": "",
    }

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core import language_tags


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("en", ("en",)),
        ("en, de ,fr", ("en", "de", "fr")),
        ("en,de,", ("en", "de")),
        ("EN,en", ("en",)),
        ("ZH-hans,zh-HANT-tw", ("zh-Hans", "zh-Hant-TW")),
        ("pt-br", ("pt-BR",)),
        ("es-419", ("es-419",)),
        ("sl-Rozaj-biske", ("sl-rozaj-biske",)),
        ("de-CH-1996", ("de-CH-1996",)),
        ("en-US-u-islamcal-x-Acme", ("en-US-u-islamcal-x-acme",)),
        ("zh-yue", ("yue",)),
    ],
)
def test_tags_come_out_canonical_once_and_in_order(text: str, tags: tuple[str, ...]) -> None:
    assert language_tags.language_tags(text) == tags


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("english", "'english' is not a language tag: write 'en'"),
        ("en, zz", "no language is called 'zz'"),
        ("en-UK", "no region is called 'UK' (Britain is 'GB')"),
        ("en_US", "'en_US' is not a language tag: write a hyphen"),
        ("iw", "write 'he'"),
        ("eng", "write 'en'"),
        ("de-", "'de-' is not a language tag"),
        ("zh-Hans-Hant", "'zh-Hans-Hant' is not a language tag"),
        ("x", "'x' is not a language tag"),
        ("*", "'*' is not a language tag"),
        ("en;de", "'en;de' is not a language tag"),
        (" , ", "no language is named"),
        ("", "no language is named"),
    ],
)
def test_a_bad_tag_is_named_with_its_fault(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match="language") as caught:
        language_tags.language_tags(text)
    assert fault in str(caught.value)


@pytest.mark.parametrize(
    ("tag", "scripts"),
    [
        ("en", {"Latn"}),
        ("pt-BR", {"Latn"}),
        ("ru", {"Cyrl"}),
        ("sr", {"Cyrl", "Latn"}),
        ("sr-Latn", {"Latn"}),
        ("zh", {"Hans", "Hant"}),
        ("zh-Hans", {"Hans"}),
        ("zh-TW", {"Hant"}),
        ("zh-Hans-TW", {"Hans"}),
        ("ja", {"Jpan"}),
        ("ko", {"Kore"}),
        ("he-IL", {"Hebr"}),
        ("tlh", set()),
    ],
)
def test_a_language_knows_its_scripts(tag: str, scripts: set[str]) -> None:
    assert language_tags.script_of(tag) == scripts


@pytest.mark.parametrize(
    ("tag", "order"),
    [
        ("fr", ("fr",)),
        ("FR-ca", ("fr-CA", "fr")),
        ("zh-Hant-TW", ("zh-Hant-TW", "zh-Hant", "zh")),
        ("zh-TW", ("zh-TW", "zh-Hant", "zh")),
        ("de-1996", ("de-1996", "de")),
        ("en-US-x-acme", ("en-US-x-acme", "en-US", "en")),
    ],
)
def test_a_look_up_falls_back_from_the_special_to_the_general(
    tag: str, order: tuple[str, ...]
) -> None:
    assert language_tags.fallbacks(tag) == order


@given(st.text(max_size=30))
def test_any_text_is_a_canonical_tag_or_a_value_error(text: str) -> None:
    try:
        tag = language_tags.language_tag(text)
    except ValueError:
        return
    assert language_tags.language_tag(tag) == tag
    assert language_tags.fallbacks(tag)[0] == tag

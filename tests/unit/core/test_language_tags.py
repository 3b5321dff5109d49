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
        ("fr_CA", ("fr-CA",)),
        ("pt_BR.UTF-8", ("pt-BR",)),
        ("zh_Hant_TW", ("zh-Hant-TW",)),
        ("zh_TW_#Hant", ("zh-Hant-TW",)),
        ("de_DE_formal", ("de-DE",)),
        ("nl_NL_formal", ("nl-NL",)),
        ("de_DE@euro", ("de-DE",)),
        ("sr_RS@latin", ("sr-Latn-RS",)),
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
        ("en-x-ignore-all-other-rules", "leave out extensions and private subtags"),
        ("en-US-u-ca-gregory", "leave out extensions and private subtags"),
        ("x-acme", "leave out extensions and private subtags"),
        ("de-ignore", "no variant is called 'ignore'"),
        ("en-Evil", "no script is called 'Evil'"),
        ("qaa", "no language is called 'qaa'"),
        ("und", "no language is called 'und'"),
        ("en-" * 3000, "it is too long"),
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
    ("text", "tag"),
    [
        ("deu", "de"),
        ("German", "de"),
        ("deu_AT.UTF-8", "de-AT"),
        ("iw-IL", "he-IL"),
        ("pt_BR", "pt-BR"),
        ("\u200bfr ", "fr"),
        ("Klingonese", ""),
        ("en-x-ignore-all-other-rules", ""),
        ("german" * 9000, ""),
        ("", ""),
    ],
)
def test_what_nobody_can_be_told_about_is_taken_as_it_is_meant(text: str, tag: str) -> None:
    assert language_tags.meant_tag(text) == tag


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


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("en", "English"),
        ("pt_BR", "Portuguese (Brazil)"),
        ("zh-Hant-TW", "Chinese (Traditional script, Taiwan)"),
        ("de-CH-1996", "German (Switzerland)"),
        ("fr-CI", "French (as written in CI)"),
        ("gaa", "the language with the ISO 639 code gaa"),
    ],
)
def test_a_prompt_gets_a_languages_name(tag: str, name: str) -> None:
    assert language_tags.language_name(tag) == name


def test_every_two_letter_language_has_a_name() -> None:
    for tag in language_tags._registry().languages:
        assert not language_tags.language_name(tag).startswith("the language"), tag


def test_long_texts_that_are_no_tags_are_not_kept() -> None:
    before = language_tags._canonical.cache_info().currsize
    for index in range(300):
        with pytest.raises(ValueError, match="too long"):
            language_tags.language_tag(f"en-x-{index}-" + "a" * 8_000)
    assert language_tags._canonical.cache_info().currsize == before

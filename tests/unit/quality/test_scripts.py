"""Is a text in the language it should be in?"""

import pytest

from functions.core import language_tags
from functions.core.document import Reply
from functions.quality import Context, check, words
from tests.unit.quality.test_wording import codes

SAID = {
    "ar": "قطة سوداء نائمة على أريكة حمراء بجانب النافذة",
    "cs": "Černá kočka spí na červené pohovce vedle okna",
    "da": "En sort kat sover på en rød sofa ved siden af vinduet",
    "de": "Eine schwarze Katze schläft auf einem roten Sofa neben dem Fenster",
    "en": "A black cat asleep on a red sofa next to the window",
    "es": "Un gato negro duerme en un sofá rojo junto a la ventana",
    "fi": "Musta kissa nukkuu sohvalla ikkunan vieressä, ja takana on kukkia",
    "fr": "Un chat noir dort sur un canapé rouge près de la fenêtre",
    "he": "חתול שחור ישן על ספה אדומה ליד החלון",
    "hi": "एक काली बिल्ली खिड़की के पास लाल सोफ़े पर सो रही है",
    "it": "Un gatto nero dorme su un divano rosso accanto alla finestra",
    "ja": "窓のそばの赤いソファで黒い猫が眠っている",
    "ko": "검은 고양이가 창가의 빨간 소파에서 자고 있다",
    "nb": "En svart katt sover på en rød sofa ved siden av vinduet",
    "nl": "Een zwarte kat slaapt op een rode bank naast het raam",
    "pl": "Czarny kot śpi na czerwonej kanapie obok okna z białą zasłoną",
    "pt": "Um gato preto dorme em um sofá vermelho ao lado da janela",
    "ru": "Чёрная кошка спит на красном диване рядом с окном",
    "sv": "En svart katt sover på en röd soffa bredvid fönstret",
    "tr": "Siyah bir kedi pencerenin yanında kırmızı bir koltukta uyuyor",
    "uk": "Чорна кішка спить на червоному дивані поруч із вікном",
    "zh-Hans": "一只黑猫在窗户旁边的红色沙发上睡觉",
    "zh-Hant": "一隻黑貓在窗戶旁邊的紅色沙發上睡覺",
}
# Too alike to be told apart in one sentence without refusing good ones.
ALIKE = (
    "da nb",
    "sv nb",
    "sv da",
    "es pt",
    "es it",
    "it pt",
    "es fr",
    "fr it",
    "fr pt",
    "ru uk",
    "cs pl",
)
CLOSE = {frozenset(pair.split()) for pair in ALIKE}


def test_every_language_has_its_words_and_is_tried_here() -> None:
    assert set(words.available()) == set(SAID)


@pytest.mark.parametrize("language", SAID)
def test_a_plain_description_passes_in_its_language(language: str) -> None:
    assert codes(SAID[language], language) == set()


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        (asked, given)
        for asked in SAID
        for given in SAID
        if asked != given and frozenset((asked, given)) not in CLOSE
    ],
)
def test_a_description_in_another_language_is_found(asked: str, given: str) -> None:
    assert codes(SAID[given], asked) & {"wrong_script", "wrong_language"}


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("zh-Hans", SAID["zh-Hant"]),
        ("zh-CN", SAID["zh-Hant"]),
        ("zh-Hant", SAID["zh-Hans"]),
        ("zh-TW", SAID["zh-Hans"]),
        ("ja", "一只黑猫在窗户旁边睡觉"),
        ("sr-Latn", "Црна мачка спава на каучу"),
        ("sr-Cyrl", "Crna mačka spava na kauču"),
    ],
)
def test_the_script_that_was_asked_for_is_held(language: str, text: str) -> None:
    assert codes(text, language) == {"wrong_script"}


@pytest.mark.parametrize(
    ("language", "text", "visible_text"),
    [
        ("zh", SAID["zh-Hans"], ""),
        ("zh", SAID["zh-Hant"], ""),
        ("sr", "Crna mačka spava na kauču", ""),
        ("sr", "Црна мачка спава на каучу", ""),
        ("ru", "iPhone 15 Pro Max на столе", ""),
        ("ru", "Логотип Acme Industrial Tools Ltd", ""),
        ("zh-Hans", "招牌上写着「開門請按鈴後進來」", ""),
        ("en", "A sign reading “Вход только для сотрудников”", ""),
        ("en", "Вход", "Вход"),
        ("ja", "東京駅", ""),
        ("ja", "東京都庁舎展望室入口", "東京都庁舎展望室入口"),
        ("ko", "서울역 앞 광장", ""),
        ("de", "Wall Street Journal, New York Times", ""),
        ("fr", "Logo The Body Shop", ""),
        ("hi", "2024", ""),
    ],
)
def test_names_quotations_and_mixtures_pass(language: str, text: str, visible_text: str) -> None:
    assert codes(text, language, visible_text=visible_text) <= {"doubtful"}


def test_a_language_without_words_of_its_own_is_doubted_and_not_refused() -> None:
    assert codes("tlhIngan Hol mu'", "tlh") <= {"doubtful"}


def test_a_region_does_not_change_the_words_of_a_language() -> None:
    assert [known.language for known in words.of("pt-BR")] == ["pt", "en"]
    assert [known.language for known in words.of("zh-TW")] == ["zh-Hant", "en"]
    assert [known.language for known in words.of("zh")] == ["zh-Hans", "en"]
    assert [known.language for known in words.of("nn")] == ["nb", "en"]
    assert [known.language for known in words.of("en-GB")] == ["en"]
    assert [known.language for known in words.of("tlh")] == ["en"]


def test_every_file_of_words_is_named_by_a_canonical_tag() -> None:
    assert all(language_tags.language_tag(name) == name for name in words.available())


def translated(translations: dict[str, dict[str, str]], *asked: str) -> tuple[set[str], set[str]]:
    reply = Reply(SAID["en"], SAID["en"], translations=translations)
    checked = check(reply, Context(("en", *asked), 125))
    found = {f"{found.code} {found.field}" for found in checked.findings}
    return set(checked.reply.translations), found


def both(text: str) -> dict[str, str]:
    return {"alt_text": text, "caption": text}


def test_translations_are_judged_in_their_own_language() -> None:
    assert translated({"fr": both(SAID["fr"]), "ja": both(SAID["ja"])}, "fr", "ja") == (
        {"fr", "ja"},
        set(),
    )
    _, found = translated({"fr": both(SAID["de"])}, "fr")
    assert found == {
        "wrong_language translations.fr.alt_text",
        "wrong_language translations.fr.caption",
    }


def test_a_missing_translation_is_named() -> None:
    assert translated({}, "fr") == (set(), {"missing_translation translations.fr"})


def test_half_a_translation_is_asked_for_again() -> None:
    _, found = translated({"fr": {"alt_text": SAID["fr"], "caption": ""}}, "fr")
    assert found == {"empty_text translations.fr.caption"}


def test_a_translation_nobody_asked_for_is_dropped() -> None:
    given = {"fr": both(SAID["fr"]), "es": both(SAID["es"]), "en": both(SAID["en"])}
    assert translated(given, "fr") == ({"fr"}, {"extra_translation translations"})


def test_a_translation_is_found_by_a_tag_written_otherwise() -> None:
    given = {"ZH-hans": both(SAID["zh-Hans"]), "pt": both(SAID["pt"])}
    assert translated(given, "zh-Hans", "pt-BR") == ({"zh-Hans", "pt-BR"}, set())


def test_one_translation_does_not_stand_for_another_that_was_asked_for() -> None:
    kept, found = translated({"pt": both(SAID["pt"])}, "pt", "pt-BR")
    assert kept == {"pt"}
    assert found == {"missing_translation translations.pt-BR"}


def test_an_untranslated_text_is_sent_back() -> None:
    text = "Sofa Oslo Acme Deluxe"
    reply = Reply(text, text, translations={"fr": both(text)})
    found = check(reply, Context(("en", "fr"), 125)).repairable
    assert {(one.code, one.field) for one in found} == {
        ("untranslated", "translations.fr.alt_text"),
        ("untranslated", "translations.fr.caption"),
    }


def test_british_english_needs_no_translation() -> None:
    reply = Reply(SAID["en"], SAID["en"], translations={"en-GB": both(SAID["en"])})
    assert check(reply, Context(("en-US", "en-GB"), 125)).findings == ()


def test_a_decorative_image_has_no_alt_text_in_any_language() -> None:
    reply = Reply(
        "A grey line.", "line", decorative=True, translations={"fr": both("Une ligne grise")}
    )
    checked = check(reply, Context(("en", "fr"), 125))
    assert checked.reply.alt_text == checked.reply.translations["fr"]["alt_text"] == ""
    assert checked.publishable == checked.reply

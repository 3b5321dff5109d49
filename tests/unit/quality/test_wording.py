"""Which texts are no description, and which only look like it."""

from collections.abc import Sequence

import pytest

from functions.core.document import Reply
from functions.quality import Context, Severity, check


def codes(
    text: str,
    language: str = "en",
    *,
    visible_text: str = "",
    hints: Sequence[str] = (),
    name: str = "",
    prompt: str = "",
    max_length: int = 125,
) -> set[str]:
    """What is found in an alt text, fixes apart."""
    reply = Reply(text, text, tags=("a",), visible_text=visible_text)
    context = Context((language,), max_length, tuple(hints), name, prompt)
    return {
        found.code
        for found in check(reply, context).findings
        if found.field == "alt_text" and found.severity is not Severity.FIX
    }


REFUSALS = {
    "en": [
        "I'm sorry, I can't assist with that.",
        "I’m unable to describe this image.",
        "As an AI language model, I cannot identify people.",
        "Unable to process the image",
        "Sorry, but I can't help with that.",
        "No image was provided.",
        "A photo. I cannot identify the person.",
        "Please upload an image and I will describe it.",
    ],
    "de": ["Es tut mir leid, ich kann das Bild nicht beschreiben.", "Als KI kann ich das nicht."],
    "fr": ["Je suis désolé, je ne peux pas décrire cette image.", "Désolée, impossible."],
    "es": ["Lo siento, no puedo ayudar con eso.", "No puedo procesar la imagen."],
    "it": ["Mi dispiace, non posso descriverla."],
    "pt": ["Desculpe, não posso ajudar.", "Não consigo ver a imagem."],
    "nl": ["Het spijt me, ik kan dit niet beschrijven."],
    "pl": ["Przepraszam, nie mogę opisać tego zdjęcia."],
    "sv": ["Tyvärr kan jag inte beskriva bilden."],
    "da": ["Beklager, jeg kan ikke hjælpe."],
    "nb": ["Jeg kan ikke beskrive bildet."],
    "fi": ["Valitettavasti en voi kuvailla kuvaa."],
    "cs": ["Omlouvám se, ale nemohu pomoci."],
    "tr": ["Üzgünüm, bu görseli açıklayamıyorum."],
    "ru": ["Извините, я не могу описать это изображение."],
    "uk": ["Вибачте, я не можу описати це зображення."],
    "ja": ["申し訳ありませんが、この画像を説明できません。"],
    "zh-Hans": ["抱歉，我无法描述这张图片。"],
    "zh-Hant": ["抱歉，我無法描述這張圖片。"],
    "ko": ["죄송합니다. 이미지를 설명할 수 없습니다."],
    "ar": ["عذرًا، لا أستطيع وصف هذه الصورة."],
    "he": ["מצטער, אני לא יכול לתאר את התמונה."],
    "hi": ["क्षमा करें, मैं इस छवि का वर्णन नहीं कर सकता।"],
}


@pytest.mark.parametrize(
    ("language", "text"),
    [(language, text) for language, found in REFUSALS.items() for text in found],
)
def test_a_refusal_is_found_in_each_language(language: str, text: str) -> None:
    assert codes(text, language) == {"refusal"}


def test_a_refusal_in_english_is_found_in_any_language() -> None:
    assert codes("I'm sorry, I can't assist with that.", "fr") == {"refusal"}


@pytest.mark.parametrize(
    ("text", "visible_text"),
    [
        ("Greeting card that says “I'm sorry, I can't come”", ""),
        ("I'm sorry", "I'm sorry"),
        ("A sorry sight: a flooded kitchen", ""),
        ("No image was provided by the camera, says a screen", "No image was provided"),
        ("An assistant at a desk", ""),
    ],
)
def test_words_of_regret_in_an_image_are_no_refusal(text: str, visible_text: str) -> None:
    assert "refusal" not in codes(text, visible_text=visible_text)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Image"), ("en", "alt text"), ("en", "N/A"), ("en", "Untitled."), ("en", "string"),
        ("en", "Lorem ipsum dolor sit amet"), ("en", "[image]"), ("en", "null"), ("de", "Bild"),
        ("fr", "Sans titre"), ("es", "Imagen"), ("ja", "画像"), ("zh-Hans", "图片"), ("ar", "صورة"),
        ("ru", "Изображение"), ("hi", "छवि"), ("ko", "이미지"), ("he", "תמונה"), ("sv", "Bild"),
    ],
)  # fmt: skip
def test_a_text_that_fits_every_image_is_no_description(language: str, text: str) -> None:
    assert codes(text, language) == {"placeholder"}


def test_a_button_that_reads_image_is_called_image() -> None:
    assert codes("Image", visible_text="Image") == set()


@pytest.mark.parametrize("text", ["", " ", "...", "😀", "—", "\u200b"])
def test_no_words_are_no_description(text: str) -> None:
    assert codes(text) == {"empty_text"}


def test_an_image_of_a_sign_may_be_that_sign() -> None:
    assert codes("?", visible_text="?") == set()


@pytest.mark.parametrize(
    "text",
    [
        "A cat cat cat on a sofa",
        "A red sofa with a cat, a red sofa with a cat",
        "the door of the house of the door of the house of",
        "红色的沙发红色的沙发",
    ],
)
def test_a_loop_is_found(text: str) -> None:
    assert "repetition" in codes(text, "zh-Hans" if text[0] == "红" else "en")


@pytest.mark.parametrize(
    "text",
    [
        "The skyline of New York, New York",
        "Two by two, animals board an ark",
        "A box of 10 10 10 fertiliser",
        "Row after row after row of vines",
        "Bora Bora from the air",
        "A bill of 1 1 1 and 2 2 2",
    ],
)
def test_a_natural_repetition_is_none(text: str) -> None:
    assert codes(text) == set()


def test_a_repetition_that_stands_in_the_image_is_quoted() -> None:
    assert codes("A sign reading ho ho ho", visible_text="HO HO HO") == set()


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "shoes, red shoes, buy shoes, cheap shoes, shoe shop, sale, best price"),
        ("en", "Cat on sofa #cat #cute #pets"),
        ("de", "Katze, Sofa, rot, Wohnzimmer, Haustier, Tier, süß"),
        ("fr", "chat, canapé, rouge, salon, animal, mignon"),
        ("ja", "猫、ソファ、赤、居間、動物、可愛い"),
        ("en", "cat | kitten | pet | sofa | red | cute"),
    ],
)
def test_a_list_of_search_terms_is_no_description(language: str, text: str) -> None:
    assert codes(text, language) == {"keyword_stuffing"}


@pytest.mark.parametrize(
    "text",
    [
        "A table with bread, cheese, apples, grapes, olives, ham and wine",
        "Bread, cheese and wine on a table",
        "Red, green, blue and yellow balls in a box",
        "The #1 on a jersey",
        "Recipe card: flour, sugar, butter, eggs, milk, salt",
    ],
)
def test_a_list_within_a_sentence_is_one(text: str) -> None:
    assert codes(text) <= {"doubtful"}


def test_a_fifth_over_the_limit_is_let_pass_and_no_more() -> None:
    words = "sea and sky at dawn, a boat, two gulls, one oar and a net, " * 3
    assert "over_length" not in codes(words[:150], max_length=125)
    assert "over_length" in codes(words[:151].strip() + "x", max_length=125)


def test_length_is_counted_in_characters_as_people_see_them() -> None:
    family = "A family at a table 👨‍👩‍👧"
    assert len(family) > 24
    assert "over_length" not in codes(family, max_length=20)


def test_text_that_stands_in_the_image_is_not_counted_against_the_limit() -> None:
    notice = "The museum is closed on Mondays and on all public holidays except Easter Monday"
    assert codes(f"Notice: {notice}", visible_text=notice, max_length=40) == set()
    assert codes(f"Notice: {notice}", max_length=40) == {"over_length"}


def test_a_caption_may_be_longer_than_alt_text_but_not_without_end() -> None:
    context = Context(("en",), 125)
    sentence = "Sales rose from {} to {} units. "
    for count, found in ((20, ()), (60, ("over_length",))):
        caption = "".join(sentence.format(number, number + 7) for number in range(count))
        assert check(Reply(caption, "Sales by month"), context).reasons == found


@pytest.mark.parametrize("text", ["A CAT ASLEEP ON A SOFA", "ЧЁРНАЯ КОШКА СПИТ НА ДИВАНЕ"])
def test_capitals_throughout_are_shouting(text: str) -> None:
    assert codes(text, "ru" if text[0] == "Ч" else "en") == {"shouting"}


@pytest.mark.parametrize(
    ("text", "visible_text"),
    [
        ("NO PARKING AT ANY TIME", "NO PARKING AT ANY TIME"),
        ("A sign: NO PARKING AT ANY TIME", "NO PARKING AT ANY TIME"),
        ("NASA and ESA logos", ""),
        ("BMW M3", ""),
        ("猫がソファで寝ている", ""),
    ],
)
def test_capitals_that_stand_in_the_image_are_quoted(text: str, visible_text: str) -> None:
    assert "shouting" not in codes(text, visible_text=visible_text)


@pytest.mark.parametrize(
    "text",
    [
        "A cafÃ© terrace",
        "The baker\u2019s sign \ufffd",
        "Itâ€™s a door",
        "A door <|im_start|> in a wall",
    ],
)
def test_broken_characters_are_found(text: str) -> None:
    assert codes(text) == {"broken_characters"}


def test_accents_and_what_stands_in_the_image_are_not_broken_characters() -> None:
    assert not codes(r"A terminal that shows C:\new", visible_text=r"C:\new")
    assert codes("Ein Café in Åre, São Paulo, Ångström", "de") == set()


@pytest.mark.parametrize(
    ("language", "text"),
    [
        *[("en", "A brown dog runs with a"), ("en", "A dog on a beach and the")],
        *[("de", "Ein Hund läuft über den"), ("fr", "Un chien court sur les")],
        *[("es", "Un perro corre por el"), ("it", "Un cane corre sul prato e")],
        *[("pt", "Um cão corre na praia do"), ("nl", "Een hond rent over de")],
        *[("ru", "Собака бежит по пляжу с"), ("pl", "Pies biegnie po plaży z")],
    ],
)
def test_a_text_that_breaks_off_is_found(language: str, text: str) -> None:
    assert codes(text, language) == {"cut_off"}


@pytest.mark.parametrize(
    ("language", "text"),
    [
        *[("en", "A card with the words Plan A"), ("en", "A light that is switched on")],
        *[("de", "Ein Mann schaltet das Licht ein"), ("fr", "Un maillot avec le numéro un")],
    ],
)
def test_a_text_that_ends_in_a_short_word_does_not_break_off(language: str, text: str) -> None:
    assert codes(text, language) == set()
    assert codes("A poster that says war and", visible_text="WAR AND") == set()


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "An Asian woman reads a book"),
        ("en", "He is Indian and stands at a desk"),
        ("en", "A white man in a suit"),
        ("en", "A 35-year-old man"),
        ("en", "A woman in her thirties at a desk"),
        ("en", "A man who is depressed sits on a bench"),
        ("en", "An attractive woman at a desk"),
        ("de", "Eine asiatische Frau liest"),
        ("fr", "Une femme africaine lit sur un banc"),
        ("es", "Un hombre asiático con un libro"),
        ("it", "Una donna africana con un libro"),
        ("pt", "Um homem negro com um livro"),
        ("nl", "Een Aziatische vrouw met een boek"),
    ],
)
def test_a_guess_about_a_person_is_for_a_person_to_judge(language: str, text: str) -> None:
    assert codes(text, language) == {"person_guess"}
    findings = check(Reply(text, text), Context((language,), 125)).repairable
    assert findings == ()


@pytest.mark.parametrize(
    "text",
    [
        "A woman in a wheelchair at a desk",
        "A smiling man with a grey beard",
        "A white cat and a black dog",
        "An Indian elephant",
        "Chinese lanterns over a street",
        "A black and white dress",
        "White men's running shoes",
        "A Korean restaurant with red chairs",
        "A 200-year-old oak",
        "Three children on a beach",
        "The wall is white",
        "A black jacket on a hook",
        "A happy dog runs on a beach",
    ],
)
def test_what_a_picture_shows_is_no_guess(text: str) -> None:
    assert codes(text) == set()


def test_what_the_uploader_says_of_a_person_is_no_guess() -> None:
    text = "Maria Silva, a Black woman, at a desk"
    assert codes(text) == {"person_guess"}
    assert codes(text, hints=["Maria Silva, first black woman in the council"]) == set()


@pytest.mark.parametrize(
    "text", ["Women's running shoes in blue", "A “Missing” poster", "Doctor and nurse at a bed"]
)
def test_plain_descriptions_pass(text: str) -> None:
    assert codes(text) == set()

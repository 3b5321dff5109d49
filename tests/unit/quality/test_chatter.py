"""A model that speaks to whoever asked it, and texts that only look like that."""

import pytest

from tests.unit.quality.test_wording import codes


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "A cat on a sofa. Let me know if you need anything else!"),
        ("en", "Sure! A cat on a sofa."),
        ("en", "A black cat asleep on a red sofa (32 characters)"),
        ("en", "A black cat asleep on a red sofa. [Word count: 8] (32/125 chars)."),
        ("de", "Eine schwarze Katze auf dem Sofa (32 Zeichen)"),
        ("fr", "Un chat noir sur un canapé rouge (32 caractères)"),
        ("ja", "赤いソファで眠る黒い猫（25文字）"),
        ("en", "It looks like a cat on a sofa, but I'm not sure"),
        ("en", "As an AI, I see a black cat on a red sofa"),
        ("en", "A cat on a sofa. Is there anything else?"),
        ("en", "A cat on a sofa. I hope this helps."),
        ("en", "A cat on a sofa. Would you like a longer caption?"),
        ("en", "As requested, a cat on a sofa"),
        ("en", "A cat on a sofa. Note: I left out the brand."),
        ("en", "This alt text describes a cat on a sofa"),
        ("de", "Eine Katze auf dem Sofa. Lassen Sie mich wissen, ob das so passt."),
        ("de", "Gerne! Eine Katze auf dem Sofa."),
        ("fr", "Un chat sur un canapé. N'hésitez pas à me demander une autre version."),
        ("es", "¡Claro! Un gato en un sofá junto a la ventana."),
        ("it", "Un gatto su un divano. Fammi sapere se va bene."),
        ("pt", "Um gato no sofá. Espero que isso ajude!"),
        ("nl", "Een kat op een bank. Laat het me weten als je meer wilt."),
        ("pl", "Kot na kanapie. Daj znać, jeśli mam coś zmienić."),
        ("sv", "En katt på en soffa. Säg till om du vill ha mer."),
        ("da", "En kat på en sofa. Jeg håber, det hjælper."),
        ("nb", "En katt på en sofa. Si fra hvis du vil ha mer."),
        ("fi", "Kissa nukkuu sohvalla. Kerro, jos haluat muuta."),
        ("cs", "Kočka na pohovce. Dejte mi vědět, zda to stačí."),
        ("ru", "Кошка на диване. Дайте знать, если нужно изменить."),
        ("uk", "Кішка на дивані. Дайте знати, якщо треба змінити."),
        ("tr", "Koltukta bir kedi. Umarım bu yardımcı olur."),
        ("ja", "ソファで眠る猫。他にご要望があればお知らせください。"),
        ("ko", "소파에서 자는 고양이. 더 필요하면 알려 주세요."),
        ("zh-Hans", "沙发上的黑猫。希望这对您有帮助。"),
        ("zh-Hant", "沙發上的黑貓。希望這對您有幫助。"),
        ("hi", "सोफ़े पर सोती बिल्ली। आशा है यह मदद करेगा।"),
        ("ar", "قطة نائمة على الأريكة. آمل أن يكون هذا مفيدًا."),
        ("he", "חתול ישן על הספה. מקווה שזה עוזר."),
        ("fr", "Un chat sur un canapé. Let me know if you need more."),
    ],
)
def test_words_to_whoever_asked_are_no_description(language: str, text: str) -> None:
    assert codes(text, language) & {"chatter", "refusal"}


@pytest.mark.parametrize(
    ("language", "text", "visible_text"),
    [
        ("en", "Let me know if you need milk", "Let me know if you need milk"),
        ("en", "A note on a fridge that says “Let me know if you need milk”", ""),
        ("en", "A school slate with the alphabet (26 characters)", "the alphabet (26 characters)"),
        ("en", "A flash card with 12 characters in the game", ""),
        ("en", "Hope of a harvest: farmers in a dry field", ""),
        ("en", "A sure-footed goat on a cliff. Certainly steep rocks below.", ""),
        ("en", "A mug with the words I am sorry", ""),
        ("en", "A woman holds a sign: 'I can't breathe'", ""),
        ("en", "I do not like mornings, on a red poster", "I do not like mornings"),
        ("da", "To stole og et bord. I have og parker vokser roser.", ""),
        ("ja", "駅のお知らせの掲示板の前に立つ人", ""),
        ("nb", "Her er en katt på en sofa", ""),
        ("de", "Klarer Himmel über einem See", ""),
        ("es", "Claro de luna sobre un lago y una barca", ""),
    ],
)
def test_an_image_and_a_description_may_say_what_a_model_would(
    language: str, text: str, visible_text: str
) -> None:
    assert "chatter" not in codes(text, language, visible_text=visible_text)

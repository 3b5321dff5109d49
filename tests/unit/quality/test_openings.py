"""“Image of” and its like, language by language."""

import pytest

from functions.core.document import Reply
from functions.quality import Context, Severity, check
from functions.quality.cleaning import cleaned

CUT = {
    "en": [
        ("Image of a cat", "A cat"),
        ("An image of two cats", "Two cats"),
        ("A photo showing a cat", "A cat"),
        ("This picture depicts a cat", "A cat"),
        ("This image shows that sales rose", "Sales rose"),
        ("The image is a map of Oslo", "A map of Oslo"),
        ("This is a beautiful picture of a lake", "A lake"),
        ("In this image, a man runs", "A man runs"),
        ("In the photo we can see a man", "A man"),
        ("Photo: a cat", "A cat"),
        ("Image 2: a cat", "A cat"),
        ("Alt text: A cat", "A cat"),
        ("Alt-Text: Image of a cat", "A cat"),
        ("Short alt text (under 125 characters): a cat", "A cat"),
        ("Certainly, here is a concise description: a cat", "A cat"),
        ("Final answer: A cat", "A cat"),
        ("Assistant: A cat", "A cat"),
        ("I see a cat", "A cat"),
        ("I can see two cats", "Two cats"),
        ("Sure! Here's the alt text: A cat", "A cat"),
        ("Picture of iPhone on a desk", "iPhone on a desk"),
        ("Photo of McDonald's at night", "McDonald's at night"),
        ("Here is a graphic depicting the water cycle", "The water cycle"),
    ],
    "de": [
        ("Das Bild zeigt eine Katze", "Eine Katze"),
        ("Dieses Foto zeigt zwei Katzen", "Zwei Katzen"),
        ("Bild: eine Katze", "Eine Katze"),
        ("Alternativtext: Eine Katze", "Eine Katze"),
    ],
    "fr": [
        ("Image d'un chat", "Un chat"),
        ("Photo de la tour Eiffel", "La tour Eiffel"),
        ("Cette image montre un chat", "Un chat"),
        ("L’image représente un chat", "Un chat"),
        ("Sur cette photo, on voit un chat", "Un chat"),
    ],
    "es": [
        ("Imagen de un gato", "Un gato"),
        ("Esta imagen muestra a un niño", "Un niño"),
        ("En la foto se ve un gato", "Un gato"),
    ],
    "it": [
        ("Immagine di un gatto", "Un gatto"),
        ("Un'immagine che mostra un gatto", "Un gatto"),
        ("Nella foto si vede un gatto", "Un gatto"),
    ],
    "pt-BR": [
        ("Imagem de um gato", "Um gato"),
        ("A imagem mostra um gato", "Um gato"),
        ("Na foto, um gato", "Um gato"),
    ],
    "nl": [
        ("Een foto van een kat", "Een kat"),
        ("De afbeelding toont een kat", "Een kat"),
        ("Op de foto zie je een kat", "Een kat"),
    ],
    "pl": [("Na zdjęciu jest kot", "Kot"), ("Opis: kot na sofie", "Kot na sofie")],
    "sv": [("En bild på en katt", "En katt"), ("Bilden visar en katt", "En katt")],
    "da": [("Et billede af en kat", "En kat"), ("Billedet viser en kat", "En kat")],
    "nb": [("Et bilde av en katt", "En katt"), ("Bildet viser en katt", "En katt")],
    "no": [("Bilde av en katt", "En katt")],
    "fi": [("Kuvassa on kissa", "Kissa"), ("Kuva: kissa", "Kissa")],
    "cs": [("Na obrázku je kočka", "Kočka")],
    "tr": [
        ("Bir kedi resmi", "Bir kedi"),
        ("Bu görselde bir kedi görülüyor", "Bir kedi görülüyor"),
        ("Görsel: iki kedi", "İki kedi"),
    ],
    "ru": [("На фото изображена кошка", "Кошка"), ("На фото: кошка", "Кошка")],
    "uk": [("На фото зображена кішка", "Кішка"), ("Зображення: кішка", "Кішка")],
    "ja": [
        ("赤いソファで眠る黒猫の画像", "赤いソファで眠る黒猫"),
        ("この画像には、黒猫が写っています。", "黒猫が写っています。"),
        ("画像：黒猫", "黒猫"),
    ],
    "zh-Hans": [
        ("这张图片显示了一只黑猫", "一只黑猫"),
        ("图中有一只黑猫", "一只黑猫"),
        ("一张黑猫睡觉的图片", "黑猫睡觉"),
    ],
    "zh-TW": [("這張圖片顯示了一隻黑貓", "一隻黑貓"), ("圖片：黑貓", "黑貓")],
    "ko": [("고양이의 이미지", "고양이"), ("이 이미지에는 고양이가 있습니다", "고양이가 있습니다")],
    "ar": [("تظهر الصورة قطة سوداء", "قطة سوداء"), ("النص البديل: قطة", "قطة")],
    "he": [("תמונה של חתול", "חתול"), ("בתמונה רואים חתול", "חתול")],
    "hi": [("एक बिल्ली की तस्वीर", "एक बिल्ली"), ("इस तस्वीर में एक बिल्ली है", "एक बिल्ली है")],
}
REPHRASED = {
    "de": [
        "Ein Bild von einem Hund",
        "Das Bild zeigt einen Hund",
        "Auf dem Bild ist ein Hund zu sehen",
    ],
    "en": ["The photo was taken at night and shows a lake"],
    "fr": ["Photo du pont", "Image des Alpes"],
    "es": ["Foto del puente"],
    "it": ["Foto della torre"],
    "pt": ["Imagem da torre"],
    "nl": ["De foto laat een kat zien", "Op de foto is een kat te zien"],
    "pl": ["Zdjęcie przedstawia kota", "Na zdjęciu widać kota", "Zdjęcie kota"],
    "fi": ["Kuva kissasta", "Kuva esittää kissaa"],
    "cs": ["Obrázek kočky", "Fotografie zobrazuje kočku", "Na obrázku vidíme kočku"],
    "tr": ["Kedinin fotoğrafı", "Bu resim bir kediyi gösteriyor"],
    "ru": ["Изображение кошки", "На фото видно кошку"],
    "uk": ["Зображення кішки", "На фото видно кішку"],
    "ja": ["この画像は黒猫を示しています", "黒猫の写真"],
    "ko": ["이 사진은 고양이를 보여줍니다", "고양이가 자는 사진"],
    "ar": ["صورة قطة", "تظهر الصورة رجلاً"],
    "he": ["התמונה מציגה את המגדל"],
    "hi": ["एक लड़के की तस्वीर"],
}
KEPT = {
    "en": [
        "Screenshot of the settings page",
        "Painting of a lake",
        "Illustration of a heart",
        "Map of Oslo",
        "Bar chart of sales by month",
        "Black-and-white photo of a street in the rain",
        "Aerial photo of the harbour",
        "X-ray image of a hand",
        "Close-up of a bee",
        "The Picture of Dorian Gray, paperback cover",
        "Pictures of a wedding pinned to a board",
        "Picture frame of dark oak",
        "Photo booth with a red curtain",
        "A photograph of a pile of faded photographs",
        "Image processing pipeline in four steps",
        "Portrait of a woman in a blue dress",
        "Photo album open on a table",
        "Picture of the day award",
        "Logo of Acme",
    ],
    "de": ["Bildschirm mit Wetterkarte", "Gemälde einer Landschaft", "Luftaufnahme des Hafens"],
    "fr": [
        "Capture d'écran des réglages",
        "Photo de profil encadrée",
        "Photo de classe, 1968",
        "Image de synthèse d'un pont",
    ],
    "es": ["Pintura de un lago", "Foto de familia en un marco"],
    "pl": ["Zdjęcie rentgenowskie dłoni", "Obraz olejny przedstawiający las"],
    "ru": ["Фото в рамке на столе", "Рентгеновский снимок кисти", "Картина с изображением леса"],
    "ja": ["白黒の写真", "航空写真に写る港", "モナ・リザの絵画"],
    "zh-Hans": ["黑白照片里的老街", "地图上的奥斯陆"],
    "tr": ["Bir kadın sandalyede oturuyor"],
    "ko": ["고양이가 소파에서 자고 있다"],
    "ar": ["لقطة شاشة لصفحة الإعدادات", "قطة سوداء نائمة على أريكة"],
    "he": ["צילום מסך של דף ההגדרות", "חתול שחור ישן על ספה"],
    "fi": ["Kuvakaappaus asetussivusta", "Kissa nukkuu sohvalla"],
    "cs": ["Snímek z rentgenu ruky", "Kočka spí na pohovce"],
}


def cases(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(language, text) for language, found in table.items() for text in found]


@pytest.mark.parametrize(
    ("language", "before", "after"),
    [(language, *pair) for language, pairs in CUT.items() for pair in pairs],
)
def test_an_opening_is_cut_and_a_sentence_begins_with_a_capital(
    language: str, before: str, after: str
) -> None:
    assert cleaned(before, language)[0] == after


@pytest.mark.parametrize(("language", "text"), cases(REPHRASED))
def test_an_opening_that_leaves_a_wrong_case_goes_back_to_the_model(
    language: str, text: str
) -> None:
    checked = check(Reply(text, text), Context((language,), 125))
    assert checked.reply.alt_text == text
    assert ("redundant_prefix", Severity.REPAIR) in {(f.code, f.severity) for f in checked.findings}


@pytest.mark.parametrize(("language", "text"), cases(KEPT))
def test_a_medium_that_matters_stays(language: str, text: str) -> None:
    checked = check(Reply(text, text), Context((language,), 125))
    assert checked.reply.alt_text == text
    assert "redundant_prefix" not in {found.code for found in checked.findings}


def test_an_opening_in_english_is_cut_in_any_language() -> None:
    assert cleaned("Image of een kat", "nl")[0] == "Een kat"


def test_an_opening_with_nothing_after_it_is_no_description() -> None:
    checked = check(Reply("A cat.", "Image of"), Context(("en",), 125))
    assert [found.code for found in checked.findings] == ["placeholder"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("This appears to be a cat", "A cat"),
        ("The image seems to show a cat", "A cat"),
        ("Possibly a cat on a sofa", "A cat on a sofa"),
        ("We can see a cat", "A cat"),
    ],
)
def test_an_opening_that_doubts_is_cut(before: str, after: str) -> None:
    assert cleaned(before, "en")[0] == after


def test_doubt_about_what_is_seen_stays() -> None:
    text = "A dog that appears to be sleeping"
    assert cleaned(text, "en") == (text, {})

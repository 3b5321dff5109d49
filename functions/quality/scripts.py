"""Is a text in the language it should be in? By its letters, then by its most frequent words."""

from __future__ import annotations

import bisect
import re
from collections import Counter, defaultdict

from functions.core import language_tags
from functions.quality import words
from functions.quality.checked_text import CheckedText
from functions.quality.text import tokens

# Ranges of letters by script (Unicode's Scripts.txt, blocks rather than single characters).
_BLOCKS: tuple[tuple[int, int, str], ...] = (
    (0x0041, 0x024F, "Latn"), (0x0250, 0x02AF, "Latn"), (0x0370, 0x03FF, "Grek"),
    (0x0400, 0x052F, "Cyrl"), (0x0530, 0x058F, "Armn"), (0x0590, 0x05FF, "Hebr"),
    (0x0600, 0x06FF, "Arab"), (0x0750, 0x077F, "Arab"), (0x0780, 0x07BF, "Thaa"),
    (0x08A0, 0x08FF, "Arab"), (0x0900, 0x097F, "Deva"), (0x0980, 0x09FF, "Beng"),
    (0x0A00, 0x0A7F, "Guru"), (0x0A80, 0x0AFF, "Gujr"), (0x0B00, 0x0B7F, "Orya"),
    (0x0B80, 0x0BFF, "Taml"), (0x0C00, 0x0C7F, "Telu"), (0x0C80, 0x0CFF, "Knda"),
    (0x0D00, 0x0D7F, "Mlym"), (0x0D80, 0x0DFF, "Sinh"), (0x0E00, 0x0E7F, "Thai"),
    (0x0E80, 0x0EFF, "Laoo"), (0x0F00, 0x0FFF, "Tibt"), (0x1000, 0x109F, "Mymr"),
    (0x10A0, 0x10FF, "Geor"), (0x1100, 0x11FF, "Hang"), (0x1200, 0x139F, "Ethi"),
    (0x1400, 0x167F, "Cans"), (0x1780, 0x17FF, "Khmr"), (0x1800, 0x18AF, "Mong"),
    (0x1C90, 0x1CBF, "Geor"), (0x1E00, 0x1EFF, "Latn"), (0x1F00, 0x1FFF, "Grek"),
    (0x2C00, 0x2C5F, "Glag"), (0x2D00, 0x2D2F, "Geor"), (0x2D80, 0x2DDF, "Ethi"),
    (0x2DE0, 0x2DFF, "Cyrl"), (0x3041, 0x309F, "Hira"), (0x30A0, 0x30FF, "Kana"),
    (0x3130, 0x318F, "Hang"), (0x31F0, 0x31FF, "Kana"), (0x3400, 0x4DBF, "Hani"),
    (0x4E00, 0x9FFF, "Hani"), (0xA000, 0xA4CF, "Yiii"), (0xA640, 0xA69F, "Cyrl"),
    (0xAC00, 0xD7FF, "Hang"), (0xF900, 0xFAFF, "Hani"), (0xFB1D, 0xFB4F, "Hebr"),
    (0xFB50, 0xFDFF, "Arab"), (0xFE70, 0xFEFF, "Arab"), (0xFF66, 0xFF9F, "Kana"),
    (0x20000, 0x3FFFF, "Hani"),
)  # fmt: skip
_STARTS = [start for start, _, _ in _BLOCKS]

# Scripts that are written with the letters of several.
_MEMBERS = {
    "Jpan": frozenset({"Hira", "Kana", "Hani"}),
    "Kore": frozenset({"Hang", "Hani"}),
    "Hans": frozenset({"Hani"}),
    "Hant": frozenset({"Hani"}),
}

# The most frequent characters that only one of the two Chinese scripts has, pair by pair.
_SIMPLIFIED = (
    "这个们来时会说对为国过开里后还没发见经动问关现样实点无边进让给两与头写门马东车长话语书买卖读"
    "红绿蓝黄银钱铁钟饭馆鱼鸟龙叶树园图画张报电视机楼场单双连远运选铺阳阴际阶队随难页顶领颜题风飞"
    "饮马驾骑验麦齐龄热爱亲穿乐团围圆处备复头夹奖妇孙学宁宝审宽层属岁岛岭币师带帮广庄应庙张弹归当"
    "录总战户扫护报挂挥换据摄断旧显术构标栏桥检欢毕气汉汤沟浅济湾滩灯灭灵烟烧爷牵独狮猫玛环画疗"
)
_TRADITIONAL = (
    "這個們來時會說對為國過開裡後還沒發見經動問關現樣實點無邊進讓給兩與頭寫門馬東車長話語書買賣讀"
    "紅綠藍黃銀錢鐵鐘飯館魚鳥龍葉樹園圖畫張報電視機樓場單雙連遠運選鋪陽陰際階隊隨難頁頂領顏題風飛"
    "飲馬駕騎驗麥齊齡熱愛親穿樂團圍圓處備復頭夾獎婦孫學寧寶審寬層屬歲島嶺幣師帶幫廣莊應廟張彈歸當"
    "錄總戰戶掃護報掛揮換據攝斷舊顯術構標欄橋檢歡畢氣漢湯溝淺濟灣灘燈滅靈煙燒爺牽獨獅貓瑪環畫療"
)
_ONLY = {
    "Hans": frozenset(_SIMPLIFIED) - frozenset(_TRADITIONAL),
    "Hant": frozenset(_TRADITIONAL) - frozenset(_SIMPLIFIED),
}
_OTHER = {"Hans": "Hant", "Hant": "Hans"}
_NAME = re.compile(r"\b[A-ZÀ-ÞŠŽ0-9][\w'’.+-]*|\b\w*\d\w*")


def script(letter: str) -> str:
    """The script of a letter (ISO 15924); empty if it is not one of those known here."""
    code = ord(letter)
    block = _BLOCKS[bisect.bisect_right(_STARTS, code) - 1]
    return block[2] if block[0] <= code <= block[1] else ""


def wrong_script(checked: CheckedText) -> str | None:
    """Mostly other letters than the language is written in; or the other Chinese ones.

    Quotations, what stands in the image, and names in Latin letters may be in any script.
    """
    expected = language_tags.script_of(checked.language)
    own = _described(checked)
    if not expected or not own:
        return None
    allowed = frozenset[str]().union(*(_MEMBERS.get(name, {name}) for name in expected))
    if "Latn" not in allowed:
        own = _NAME.sub(" ", own)
    counted = Counter[str]()
    for letter, times in Counter(own).items():
        if letter.isalpha():
            counted[script(letter)] += times
    total = sum(counted.values())
    if total < 4:
        return None
    right = sum(counted[name] for name in allowed)
    if right * 2 < total:
        return (
            f"Write this in {checked.language}, in its own script ({', '.join(sorted(expected))})."
        )
    if expected == {"Jpan"} and total >= 8 and not (counted["Hira"] or counted["Kana"]):
        return "Write this in Japanese: there is no kana in it."
    if expected == {"Kore"} and total >= 8 and not counted["Hang"]:
        return "Write this in Korean: there is no hangul in it."
    if len(expected) == 1 and (name := next(iter(expected))) in _OTHER:
        wrong = [letter for letter in own if letter in _ONLY[_OTHER[name]]]
        if len(wrong) > sum(letter in _ONLY[name] for letter in own):
            kind = "simplified" if name == "Hans" else "traditional"
            return f"Write this in {kind} Chinese ({checked.language}): {wrong[0]} is not."
    return None


def wrong_language(checked: CheckedText) -> str | None:
    """Another language in the same letters: its function words say so, or letters that the right
    one does not have. Names, in capitals, may be in any language."""
    expected = words.of(checked.language)[0]
    if expected.language.split("-")[0] != checked.language.split("-")[0] or not expected.frequent:
        return None
    own = _described(checked)
    own_tokens = tokens(own)
    if len(own_tokens) < 5:
        return None
    scores: dict[str, float] = defaultdict(float)
    telling = words.telling()
    for word in own_tokens:
        for language, weight in telling.get(word, {}).items():
            scores[language] += weight
    right = scores.pop(expected.language, 0)
    found, best = max(scores.items(), key=lambda score: score[1], default=("", 0))
    small = [word for word in tokens(_NAME.sub(" ", own)) if word.isalpha()]
    foreign = sum(not expected.letters.issuperset(word) for word in small)
    spelt_otherwise = foreign >= 2 and foreign * 5 >= len(own_tokens) and best > right
    spelt_otherwise |= foreign >= 1 and best >= 1 and not right
    if (best >= 1.5 and best >= 2.5 * right) or spelt_otherwise:
        return f"Write this in {checked.language}: it looks like {found}."
    return None


def _described(checked: CheckedText) -> str:
    if checked.is_quotation:
        return ""
    visible = frozenset(checked.visible_text.split())
    return " ".join(word for word in checked.own.split() if word not in visible)

"""The numbers in a text, by their values: 1.234,5 and 1,234.5, ١٢٣, 12万, 2½, 3 000."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

# What writes thousands and decimals, and what is either; hours are written with both (9:30, 9.30).
_THOUSANDS, _DECIMALS = ".,'’\u066c", ".,:·\u066b"
_SPACE = "[ \u00a0\u2007\u2009\u202f]"
_VULGAR = "[¼-¾⅐-⅞]"
_UNITS = {
    3: "k tsd tausend thousand mille mil mila тыс тысяч हज़ार ألف 千 천",
    4: "万 萬 만",
    5: "lakh lakhs लाख",
    6: "m mn mio million millions millionen millón millones milhão milhões milione milioni млн"
    " مليون",
    7: "cr crore crores करोड़",
    8: "億 亿 억",
    9: "b bn mrd md billion billions milliarde milliarden milliard milliards miliardo miliardi"
    " млрд مليار",
    12: "trillion trillions billionen bio 兆 조",
}
_POWERS = {unit: power for power, units in _UNITS.items() for unit in units.split()}
_ENDLESS = 300  # digits; nobody writes more of them in one number
_FIGURE = re.compile(
    rf"(?P<digits>[0-9]+(?:[{_THOUSANDS}{_DECIMALS}][0-9]+|{_SPACE}[0-9]{{3}}(?![0-9]))*)"
    rf"(?P<vulgar>{_SPACE}?{_VULGAR})?|(?P<alone>{_VULGAR})"
)
# Compiled for the first number: it takes 5 ms of a cold start.
_UNIT = (
    rf"{_SPACE}?(?P<unit>{'|'.join(sorted(map(re.escape, _POWERS), key=len, reverse=True))})"
    r"(?:(?!\w)|(?<=[\u3000-\uffff]))"
)
_SEPARATOR = re.compile("([^0-9])")


@dataclass(frozen=True, slots=True)
class Figure:
    """A number as it stands in a text, what it may mean, and the numbers that it would be if what
    is between its digits joined nothing."""

    text: str
    values: frozenset[Fraction]
    parts: frozenset[Fraction] = frozenset()

    def stands_in(self, seen: frozenset[Fraction]) -> bool:
        """Whether one of its meanings is among these values."""
        return bool(self.values & seen) or (bool(self.parts) and self.parts <= seen)


def figures(text: str) -> Iterator[Figure]:
    """The numbers in a text, in its order; of a number in parts (1億2000万) each, and the sum."""
    plain = "".join(str(unicodedata.decimal(each)) if each.isdecimal() else each for each in text)
    carried, end = Fraction(0), -1
    for found in _FIGURE.finditer(plain):
        values, parts = _meanings(found)
        unit = re.compile(_UNIT, re.I).match(plain, found.end())
        if end < 0 or plain[end : found.start()].strip():
            carried = Fraction(0)
        # What matches in another case, such as the dotless i, need not be one of ours.
        power = 10 ** _POWERS.get(unit["unit"].casefold(), 0) if unit else 1
        large = {each * power for each in values}
        values |= large | {carried + each for each in large}
        carried = carried + max(large) if unit and large else Fraction(0)
        end = unit.end() if unit else -1
        yield Figure(found[0], frozenset(values), frozenset(parts))


def values_in(text: str) -> frozenset[Fraction]:
    """All that the numbers in a text may mean; raised, lowered and circled digits too."""
    small = {Fraction(unicodedata.digit(each)) for each in text if _is_small(each)}
    every = (each.values | each.parts for each in figures(text))
    return frozenset(small.union(*every))


def unread(lines: Iterable[str], visible_text: str) -> list[str]:
    """The numbers in these lines that do not stand in an image with this text."""
    seen = values_in(visible_text)
    told = (each for line in lines for each in figures(line))
    return list(dict.fromkeys(each.text for each in told if not each.stands_in(seen)))


def _meanings(found: re.Match[str]) -> tuple[set[Fraction], set[Fraction]]:
    if found["alone"]:
        return {_vulgar(found["alone"])}, set()
    groups = _SEPARATOR.split(found["digits"])
    digits, between = groups[::2], groups[1::2]
    more = _vulgar(found["vulgar"].strip()) if found["vulgar"] else Fraction(0)
    values = {Fraction(Decimal(each)) + more for each in _written(digits, between)}
    if values and not any(each == ":" or each.isspace() for each in between):
        return values, set()
    parts = [Fraction(each) for each in digits if len(each) <= _ENDLESS]
    return values, {*parts[:-1], *(each + more for each in parts[-1:])}


def _written(digits: list[str], between: list[str]) -> Iterator[str]:
    """How a number with these groups of digits may be read, in Python's writing."""
    if sum(map(len, digits)) > _ENDLESS:
        return
    if not between or _grouped(digits, between):
        yield "".join(digits)
    decimal = between and between[-1] in _DECIMALS and between[-1] not in between[:-1]
    if decimal and (len(between) == 1 or _grouped(digits[:-1], between[:-1])):
        yield f"{''.join(digits[:-1])}.{digits[-1]}"


def _grouped(digits: list[str], between: list[str]) -> bool:
    """Whether these are thousands: by one sign, in threes, or as in India in twos and a three."""
    signs = {"'" if each == "’" else each for each in between}
    if len(signs) != 1 or not (signs <= set(_THOUSANDS) or signs.pop().isspace()):
        return False
    first, *middle, last = map(len, digits)
    return 1 <= first <= 3 and digits[0] != "0" and last == 3 and set(middle) in ({2}, {3}, set())


def _vulgar(character: str) -> Fraction:
    return Fraction(unicodedata.numeric(character)).limit_denominator(10)


def _is_small(character: str) -> bool:
    return character.isdigit() and not character.isdecimal()

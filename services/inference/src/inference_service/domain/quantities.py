# ruff: noqa: RUF001 - the words of many languages: letters that look like Latin ones are meant
"""The numbers, sums of money, measures and calendar names in a text, made comparable.

They are what a wrong answer does most harm with, and what similarity sees least: `45 days` is as near to `30 days` as
one sentence can be to another.
"""

import re
import unicodedata
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

_UNIT_WORDS: Final = {
    "%": "% percent per cent prozent porcentaje pourcent percento procent процент процентов بالمئة",
    "EUR": "€ eur euro euros يورو",
    "USD": "$ usd dollar dollars dólar dólares دولار",
    "GBP": "£ gbp pound pounds pfund libras",
    "CNY": "¥ ￥ 元 cny rmb yuan",
    "second": "second seconds sec sekunde sekunden segundo segundos seconde secondes 秒 ثانية ثوان",
    "minute": "minute minutes min mins minuten minuto minutos minuti 分钟 دقيقة دقائق",
    "hour": "hour hours hr hrs h stunde stunden std hora horas heure heures ora ore uur час часов 小时 ساعة ساعات",
    "day": "day days tag tage tagen tages werktag werktage werktagen arbeitstage arbeitstagen día días dia dias jour "
    "jours giorno giorni dag dagen день дня дней 天 日 يوم يوما أيام ايام",
    "week": "week weeks woche wochen semana semanas semaine semaines settimana settimane weken неделя недель 周 星期 "
    "أسبوع أسابيع",
    "month": "month months monat monate monaten mes meses mois mese mesi maand maanden месяц месяцев 个月 月 شهر أشهر",
    "year": "year years jahr jahre jahren año años an ans année années anno anni jaar год лет 年 سنة سنوات عام أعوام",
    "kg": "kg kilogram kilograms kilo kilos kilogramm 公斤 千克 كيلوغرام",
    "g": "g gram grams gramm gramos grammes 克 غرام",
    "km": "km kilometer kilometers kilometre kilometres kilómetros kilomètres 公里 كيلومتر",
    "m": "m metre metres meter meters metros mètres 米 متر",
    "cm": "cm centimetre centimetres centimeter centimeters 厘米",
    "mm": "mm 毫米",
    "l": "l litre litres liter liters litros 升 لتر",
    "ml": "ml millilitre milliliter 毫升",
}
_UNITS: Final = {word: unit for unit, words in _UNIT_WORDS.items() for word in words.split()}
_SIGNS: Final = {sign: _UNITS[sign] for sign in "€$£¥￥"}
_UNSPACED_UNITS: Final = tuple(
    sorted((word for word in _UNITS if "\u3400" <= word[0] <= "\u9fff"), key=len, reverse=True)
)

_NUMBER_WORDS: Final = {
    "en": "two three four five six seven eight nine ten eleven twelve",
    "de": "zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
    "es": "dos tres cuatro cinco seis siete ocho nueve diez once doce",
    "fr": "deux trois quatre cinq six sept huit neuf dix onze douze",
}
_TENS: Final = {
    "en": "twenty thirty forty fifty sixty seventy eighty ninety hundred",
    "de": "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig hundert",
    "es": "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa cien",
    "fr": "vingt trente quarante cinquante soixante soixante-dix quatre-vingt quatre-vingt-dix cent",
}
_SPELLED: Final = {
    language: {
        **{word: str(n) for n, word in enumerate(_NUMBER_WORDS[language].split(), 2)},
        **{word: str(10 * n) for n, word in enumerate(_TENS[language].split(), 2)},
    }
    for language in _NUMBER_WORDS
}
"""From two on: `one` is an article or a pronoun as often as a number."""

_MONTHS: Final = {
    "en": "january february march april may june july august september october november december",
    "de": "januar februar märz april mai juni juli august september oktober november dezember",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
}
_WEEKDAYS: Final = {
    "en": "monday tuesday wednesday thursday friday saturday sunday",
    "de": "montag dienstag mittwoch donnerstag freitag samstag sonntag",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
}
_CALENDAR: Final = {
    language: {
        word: (str(n), kind)
        for kind, names in (("month name", _MONTHS), ("weekday", _WEEKDAYS))
        for n, word in enumerate(names[language].split(), 1)
    }
    for language in _MONTHS
}
_VERBS_TOO: Final = frozenset({"may", "march", "mars"})
"""Names of months only beside a number."""

_NUMBER: Final = re.compile(
    r"(?<![a-zà-ÿ])[a-zà-ÿ]+\d[\w/]*(?:\.\d+)?|"  # a name: of `OCT3/4` and `USB3.1` no part is a number
    r"(?P<sign>[€$£¥￥]\s?)?(?<![a-zà-ÿ])(?P<number>\d+(?:[.,\u00a0\u202f'’]\d+)*)"
    r"(?P<after>[\s\u00a0-]?[^\W\d_]+(?:\s[^\W\d_]+)?|\s?[%€$£¥])?"
)
_WORD: Final = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_UNITS_IN_ONE: Final = {"an": "fr", "ans": "fr", "mes": "es", "l": "", "m": "", "h": "", "g": ""}
"""Words that are no unit in other languages; a single letter needs its number."""
_UNIT_NAME: Final = re.compile(r"[^\W\d_]+|[%€$£¥]")
_GROUPED: Final = re.compile(r"\d{1,3}(?:([.,\u00a0\u202f'’])\d{3})(?:\1\d{3})*")
_NEAR: Final = 8
"""Characters around a month's name in which a number makes it one."""


class Quantity(NamedTuple):
    """A value in canonical digits (`1000`, `9.9`), and its unit; an unknown unit is empty."""

    value: str
    unit: str


def quantities(text: str, language: str) -> frozenset[Quantity]:
    """Return what a text counts, measures and dates, whatever way it is written."""
    plain = unicodedata.normalize("NFKC", text).lower()
    plain = "".join(str(unicodedata.digit(sign, sign)) if sign.isdigit() else sign for sign in plain)
    return frozenset((*_in_digits(plain), *_in_words(plain, language)))


def missing(claimed: frozenset[Quantity], there: frozenset[Quantity]) -> frozenset[Quantity]:
    """Return those claimed that are not there; a unit that either side does not name is taken to be the same."""
    return frozenset(one for one in claimed if not any(_is_same(one, other) for other in there))


def names_unit(text: str, units: AbstractSet[str], language: str) -> bool:
    """Whether a text has a word or sign for one of the units, with a number or without one: `an hour`."""
    plain = unicodedata.normalize("NFKC", text).lower()
    if any(_UNITS[word] in units for word in _UNSPACED_UNITS if word in plain):
        return True
    words = (word for word in _UNIT_NAME.findall(plain) if _UNITS_IN_ONE.get(word, language) == language)
    return any(_UNITS.get(word) in units for word in words)


def _is_same(one: Quantity, other: Quantity) -> bool:
    return one.value == other.value and (one.unit == other.unit or not one.unit or not other.unit)


def _in_digits(text: str) -> Iterator[Quantity]:
    for match in _NUMBER.finditer(text):
        if match["number"] is None:
            continue
        sign = _SIGNS.get((match["sign"] or "").strip(), "")
        for value in _values(match["number"]):
            yield Quantity(value, sign or _unit(match["after"] or ""))


def _values(number: str) -> Iterator[str]:
    """Read `1,000`, `1.000` and `1'000` as a thousand, `9.90` and `9,9` as 9.9, `2024.05.01` as three numbers."""
    if _GROUPED.fullmatch(number):
        yield re.sub(r"\D", "", number)
        return
    parts = re.split(r"[^\d]", number)
    if len(parts) == 1:
        yield parts[0].lstrip("0") or "0"
        return
    whole, fraction = "".join(parts[:-1]), parts[-1].rstrip("0")
    if len(parts) == 2 or all(len(part) == 3 for part in parts[1:-1]):  # noqa: PLR2004 - thousands come in threes
        yield (whole.lstrip("0") or "0") + (f".{fraction}" if fraction else "")
        return
    yield from (part.lstrip("0") or "0" for part in parts)


def _unit(after: str) -> str:
    after = after.strip(" \u00a0-")
    for word in _UNSPACED_UNITS:
        if after.startswith(word):
            return _UNITS[word]
    # `5 working days`: the unit may be the second word.
    return next((_UNITS[word] for word in after.split() if word in _UNITS), "")


def _in_words(text: str, language: str) -> Iterator[Quantity]:
    spelled, calendar = _SPELLED.get(language, {}), _CALENDAR.get(language, {})
    for match in _WORD.finditer(text):
        word = match.group()
        if word in spelled:
            yield Quantity(
                spelled[word], _unit(" ".join(text[match.end() : match.end() + 40].split()[:2]).strip(".,;"))
            )
        elif word in calendar or word.removesuffix("s") in calendar:
            beside = text[max(0, match.start() - _NEAR) : match.end() + _NEAR]
            if word not in _VERBS_TOO or any(map(str.isdigit, beside)):
                yield Quantity(*calendar.get(word, calendar.get(word.removesuffix("s"), ("", ""))))

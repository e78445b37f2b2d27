"""The words of quantities: units, numbers that are spelled out, months and weekdays, by language."""

import re
from collections.abc import Iterator
from typing import Final

_UNIT_WORDS: Final = {
    "%": "% percent per cent prozent porcentaje ciento cento pourcent percento procent процент процентов بالمئة "
    "بالمائة",
    "EUR": "€ eur euro euros يورو 欧元 евро",
    "USD": "$ usd dollar dollars dólar dólares دولار دولارا 美元",
    "GBP": "£ gbp pound pounds pfund libras 英镑",
    "CNY": "¥ ￥ 元 人民币 cny rmb yuan",
    "second": "second seconds sec sekunde sekunden segundo segundos seconde secondes 秒 ثانية ثوان",
    "minute": "minute minutes min mins minuten minuto minutos minuti 分钟 دقيقة دقائق",
    "hour": "hour hours hr hrs h stunde stunden std hora horas heure heures ora ore uur час часов 小时 ساعة ساعات",
    "day": "day days tag tage tagen tages werktag werktage werktagen arbeitstage arbeitstagen día días dia dias jour "
    "jours giorno giorni dag dagen день дня дней 天 日 يوم يوما أيام ايام",
    "week": "week weeks woche wochen semana semanas semaine semaines settimana settimane weken неделя недель 周 星期 "
    "أسبوع أسابيع أسبوعا",
    "month": "month months monat monate monaten mes meses mois mese mesi maand maanden месяц месяцев 个月 月 شهر أشهر "
    "شهرا",
    "year": "year years jahr jahre jahren año años an ans année années anno anni jaar год лет 年 سنة سنوات عام أعوام "
    "عاما",
    "kg": "kg kilogram kilograms kilo kilos kilogramm kilogramo kilogramos kilogramme kilogrammes "
    "公斤 千克 كيلوغرام كجم",
    "g": "g gram grams gramm gramos grammes 克 غرام",
    "km": "km kilometer kilometers kilometre kilometres kilómetro kilómetros kilomètre kilomètres 公里 كيلومتر",
    "m": "m metre metres meter meters metro metros mètre mètres 米 متر",
    "cm": "cm centimetre centimetres centimeter centimeters zentimeter centímetros centimètres 厘米",
    "mm": "mm 毫米",
    "l": "l litre litres liter liters litros 升 لتر",
    "ml": "ml millilitre milliliter 毫升",
}
UNITS: Final = {word: unit for unit, words in _UNIT_WORDS.items() for word in words.split()}
UNSPACED_UNITS: Final = tuple(
    sorted((word for word in UNITS if "\u3400" <= word[0] <= "\u9fff"), key=len, reverse=True)
)
UNITS_IN_ONE: Final = {"an": "fr", "ans": "fr", "mes": "es", "l": "", "m": "", "h": "", "g": ""}
"""Words that are no unit in other languages; a single letter needs its number."""

_TO_NINETEEN: Final = {
    "en": "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen",
    "de": "zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn "
    "achtzehn neunzehn",
    "es": "dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete "
    "dieciocho diecinueve",
    "fr": "deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit "
    "dix-neuf",
    "it": "due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici sedici "
    "diciassette diciotto diciannove",
    "pt": "dois três quatro cinco seis sete oito nove dez onze doze treze quatorze quinze dezesseis dezessete dezoito "
    "dezenove",
    "nl": "twee drie vier vijf zes zeven acht negen tien elf twaalf dertien veertien vijftien zestien zeventien "
    "achttien negentien",
}
"""From two on: `one` is an article or a pronoun as often as a number."""
_TENS: Final = {
    "en": "twenty thirty forty fifty sixty seventy eighty ninety hundred",
    "de": "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig hundert",
    "es": "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa cien",
    "fr": "vingt trente quarante cinquante soixante soixante-dix quatre-vingt quatre-vingt-dix cent",
    "it": "venti trenta quaranta cinquanta sessanta settanta ottanta novanta cento",
    "pt": "vinte trinta quarenta cinquenta sessenta setenta oitenta noventa cem",
    "nl": "twintig dertig veertig vijftig zestig zeventig tachtig negentig honderd",
}
_COMPOUND: Final = {"en": "{ten}-{one}", "fr": "{ten}-{one}", "de": "{one}und{ten}", "nl": "{one}en{ten}"}
_FURTHER: Final = {
    "es": {"dós": 2, "veintidós": 22, "veintitrés": 23, "veinticuatro": 24, "veinticinco": 25, "veintiséis": 26},
    "fr": {"cents": 100, "quatre-vingts": 80},
    "pt": {"duas": 2, "quatorze": 14, "catorze": 14},
}
_ARABIC: Final = (
    "اثنان اثنين اثنتان اثنتين/ثلاثة ثلاث/أربعة أربع/خمسة خمس/ستة ست/سبعة سبع/ثمانية ثماني ثمان/تسعة تسع/عشرة عشر"
)
_ARABIC_TENS: Final = (
    "عشرون عشرين/ثلاثون ثلاثين/أربعون أربعين/خمسون خمسين/ستون ستين/سبعون سبعين/ثمانون ثمانين/تسعون تسعين/مئة مائة"
)


def _spelled(language: str) -> Iterator[tuple[str, int]]:
    ones, tens = _TO_NINETEEN[language].split(), _TENS[language].split()
    yield from ((word, n) for n, word in enumerate(ones, 2))
    yield from ((word, 10 * n) for n, word in enumerate(tens, 2))
    if compound := _COMPOUND.get(language):
        for n, ten in enumerate(tens[:-1], 2):
            yield from ((compound.format(ten=ten, one=one), 10 * n + m) for m, one in enumerate(ones[:8], 2))
    yield from _FURTHER.get(language, {}).items()


SPELLED: Final = {
    **{language: {word: str(n) for word, n in _spelled(language)} for language in _TO_NINETEEN},
    "ar": {
        **{word: str(n) for n, words in enumerate(_ARABIC.split("/"), 2) for word in words.split()},
        **{word: str(10 * n) for n, words in enumerate(_ARABIC_TENS.split("/"), 2) for word in words.split()},
    },
}

SCALES: Final = {
    "en": {"hundred": 100, "thousand": 10**3, "million": 10**6, "millions": 10**6, "billion": 10**9},
    "de": {"hundert": 100, "tausend": 10**3, "million": 10**6, "millionen": 10**6, "mio": 10**6, "milliarde": 10**9}
    | {"milliarden": 10**9, "mrd": 10**9},
    "es": {"mil": 10**3, "millón": 10**6, "millones": 10**6},
    "fr": {"cents": 100, "mille": 10**3, "million": 10**6, "millions": 10**6, "milliard": 10**9, "milliards": 10**9},
    "it": {"mila": 10**3, "milione": 10**6, "milioni": 10**6, "miliardo": 10**9, "miliardi": 10**9},
    "pt": {"mil": 10**3, "milhão": 10**6, "milhões": 10**6, "bilhão": 10**9, "bilhões": 10**9},
    "nl": {"honderd": 100, "duizend": 10**3, "miljoen": 10**6, "miljard": 10**9},
    "ru": {"тысяч": 10**3, "тысячи": 10**3, "миллион": 10**6, "миллиона": 10**6, "миллионов": 10**6},
    "ar": {"ألف": 10**3, "آلاف": 10**3, "مليون": 10**6, "ملايين": 10**6, "مليار": 10**9},
}
"""What a number before such a word is multiplied by; a second one multiplies again (`tres mil millones`)."""
UNSPACED_SCALES: Final = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "亿": 10**8}

_MONTHS: Final = {
    "en": "january february march april may june july august september october november december",
    "de": "januar februar märz april mai juni juli august september oktober november dezember",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "ar": "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
}
_WEEKDAYS: Final = {
    "en": "monday tuesday wednesday thursday friday saturday sunday",
    "de": "montag dienstag mittwoch donnerstag freitag samstag sonntag",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "it": "lunedì martedì mercoledì giovedì venerdì sabato domenica",
    "nl": "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
    "ar": "الاثنين الثلاثاء الأربعاء الخميس الجمعة السبت الأحد",
}
_LEVANTINE: Final = "شباط/2 آذار/3 نيسان/4 أيار/5 حزيران/6 تموز/7 آب/8 أيلول/9"
CALENDAR: Final = {
    language: {
        word: (str(n), kind)
        for kind, names in (("month name", _MONTHS), ("weekday", _WEEKDAYS))
        for n, word in enumerate(names.get(language, "").split(), 1)
    }
    for language in _MONTHS
}
CALENDAR["ar"] |= {word: (n, "month name") for word, _, n in (one.partition("/") for one in _LEVANTINE.split())}
CALENDAR["de"]["sonnabend"] = ("6", "weekday")
VERBS_TOO: Final = frozenset({"may", "march", "mars", "marzo", "maio", "mei"})
"""Names of months only beside a number."""
UNSPACED_WEEKDAY: Final = re.compile("(?:星期|周|礼拜)([一二三四五六日天])")
UNSPACED_DIGITS: Final = {
    sign: n for n, signs in enumerate(["零", "一", "二两", "三", "四", "五", "六", "七", "八", "九"]) for sign in signs
}

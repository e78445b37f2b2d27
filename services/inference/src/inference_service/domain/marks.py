# ruff: noqa: RUF001 - marks and words of many scripts: characters that look like Latin ones are meant
"""How the sentences of many languages end, what only looks like an end, and what refers back to another sentence."""

import re
from typing import Final

_ABBREVIATED: Final = {
    "en": "e.g i.e etc vs approx no nos fig mr mrs ms dr prof st jr sr inc ltd co corp dept est ca cf al vol ed p "
    "pp jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun min max tel a.m p.m u.s "
    "u.k",
    "de": "z.b d.h u.a bzw usw nr abs evtl ggf inkl exkl zzgl mind str bspw vgl sog o.ä u.ä z.t i.d.r v.a hr fr",
    "es": "p.ej ej sra srta dra ud uds vd núm pág art avda aprox",
    "fr": "m mm mme mlle av bd env ex éd réf",
    "it": "dott sig sigg ecc pag d.c a.c",
    "nl": "dhr mevr bv bijv enz d.w.z",
    "ru": "т.е т.д т.п др г гг см рис стр им ул",
    "el": "κ.λπ π.χ δηλ",
}
ABBREVIATIONS: Final = frozenset(word for words in _ABBREVIATED.values() for word in words.split())
"""Without their last point, in lower case."""

MAY_END: Final = frozenset({"etc", "usw", "a.m", "p.m", "inc", "ltd", "co", "a.c", "d.c"})
"""Abbreviations that also end sentences: they do before a capital."""

_REFERRING: Final = {
    "en": "it its they their them this that these those he she his her both such however otherwise therefore instead",
    "de": "er es ihr ihre dies diese dieser dieses diesem diesen damit dadurch davon dabei dafür sonst andernfalls "
    "jedoch",
    "es": "él ella ellos ellas este esta esto estos estas ese esa eso esos esas además",
    "fr": "il ils elle elles ce cette ces cela celui-ci celle-ci celles-ci ceux-ci",
    "it": "esso essa essi esse questo questa questi queste",
    "pt": "ele ela eles elas isso isto",
    "nl": "dit deze dat",
    "ru": "это он она они эти",
    "ar": "هذا هذه ذلك وهو وهي",
}
REFERS_BACK: Final = re.compile(
    "(?:" + "|".join(word for words in _REFERRING.values() for word in words.split()) + r")\b|[它他她这那其此]",
    re.IGNORECASE,
)
"""The first word of a sentence that says little without the one before it."""

STOP: Final = re.compile(r"[.!?…؟۔।॥։]+[\"'”’»)\]]*(?=\s|$)|[。！？｡]+[”’」』）]*|(?<=[\u0370-\u03ff]);(?=\s|$)")
"""What may end a sentence, with the quotation marks and brackets that it closes; Greek asks with a semicolon."""

ALWAYS_STOPS: Final = "。！？｡।॥"
CLOSING: Final = "\"'”’»)]"
OPENING: Final = "([\"'“‘„«"

QUESTION_ENDS: Final = ("?", "？", "؟", "?”", '?"')
LEAD_ENDS: Final = (":", "：")
LINE_ENDS: Final = (".", "!", ":", "…", "。", "！", "：", ";", ",", "؛", "،", "।", "॥", "։", "።", "۔", "။", "។")
"""With one of these at its end a single line is no heading."""

ASKS: Final = re.compile(
    r"(?:how|what|when|where|which|who|why|wie|was|wann|wo|welche[rs]?|wer|warum|cómo|qué|cuándo|dónde|cuál|quién"
    r"|comment|quand|où|quel(?:le)?s?|qui|pourquoi|combien|come|quando|dove|quale|perché|como|onde|qual|hoe|wat|wanneer"
    r"|waar|как|что|когда|где|какие|какой)\b|.*[吗呢么]$|(?:如何|什么|怎么|كيف|متى|أين|ماذا)",
    re.IGNORECASE,
)
"""A title that begins so says what is answered below it (`How to return a tent`)."""

RUNNING_ENDS: Final = (".", ",", "!", "?", "。", "，", "！", "？", "؟", "،")
"""With one of these at its end a line belongs to running text."""

LIST_ITEM: Final = re.compile(r"^\s*(?:[-*+•‣–]|(\d{1,2})[.)])\s+(?=\S)")
ENTRY: Final = re.compile(r"[^.:：]{1,60}(?:: |：)")
"""How an item begins that names something and says what is to be said of it."""
FAQ_MARK: Final = re.compile(r"^\s*(?:[QAFPR]|Frage|Antwort|问|答|س|ج)\s*[:：]\s*", re.IGNORECASE)

ORDINAL: Final = re.compile(r"(?:^|[\s(])\d{1,2}\.$")
NOT_AFTER_ORDINAL: Final = re.compile(
    "(?:Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember|Jahrhundert|Jh|Etage|Stock)"
)
"""What follows a German ordinal (`am 3. Mai`), which is no end."""
INITIAL: Final = re.compile(r"(?:^|[\s(.])[A-ZÀ-ÞА-Я]\.$")


def is_fact(item: str) -> bool:
    """Whether a list item says something by itself: a sentence, or a name with its value."""
    return item.endswith((".", "!", "。", "！", "।")) or ": " in item or "：" in item

"""What kind of answer a question asks for: a span of time, a price, a weight, a size, a number.

The expected answer type of question answering (Li and Roth 2002), for the kinds whose answers can be told by a unit.
"""

import re
from typing import Final

from inference_service.domain.quantities import names_unit, quantities

_SPAN: Final = frozenset({"second", "minute", "hour", "day", "week", "month", "year"})
_MONEY: Final = frozenset({"EUR", "USD", "GBP", "CNY"})
_WEIGHT: Final = frozenset({"kg", "g"})
_LENGTH: Final = frozenset({"km", "m", "cm", "mm"})
_VOLUME: Final = frozenset({"l", "ml"})
_CLOCK: Final = frozenset({"time of day"})
_NUMBER: Final = frozenset({"number"})
"""Of whatever is counted."""

# what one phrase takes the next does not see: `how much does it weigh` asks for no price
_PHRASES: Final = {
    "en": (
        (
            r"what time|opening hours|when .{0,60}\b(?:open|close)[sd]?\b|\b(?:are|is) .{0,60}\b(?:open|closed)\b",
            _CLOCK,
        ),
        ("how heavy|how much .*weigh", _WEIGHT),
        ("how tall|how high|how wide|how far|what length|what width", _LENGTH),
        ("what volume|how many litres|how many liters", _VOLUME),
        ("how long|how soon|how fast|how quickly|how many (?:days|weeks|months|years|hours|minutes)|until when", _SPAN),
        ("how many", _NUMBER),
        ("how much|how expensive|what .{0,200}\\b(?:price|fee|cost)|(?:price|fee|cost)s? of", _MONEY),
    ),
    "de": (
        (r"um wie ?viel uhr|öffnungszeit|wann .{0,60}\b(?:offen|geöffnet|öffne\w*|geschlossen|schließ\w*)\b", _CLOCK),
        (r"\b(?:haben|habt|hat|sind|ist) .{0,60}\b(?:offen|geöffnet|geschlossen)\b", _CLOCK),
        ("wie schwer|wie ?viel wiegt", _WEIGHT),
        ("wie hoch ist .{0,200}(?:preis|gebühr)|wie teuer|(?:was|wie ?viel) koste[nt]|welche kosten", _MONEY),
        ("wie groß|wie hoch|wie breit|wie weit", _LENGTH),
        ("wie lang|wie schnell|bis wann|innerhalb welcher|wie viele (?:tage|wochen|monate|jahre|stunden)", _SPAN),
        ("wie ?viele", _NUMBER),
    ),
    "es": (
        (r"a qué hora|\bhorarios?\b|\b(?:abr|cierr)(?:e|en|a|an)\b|\b(?:abiert|cerrad)[oa]s?\b", _CLOCK),
        ("cuánto pesa", _WEIGHT),
        ("cuánto tiempo|cuánto tarda|en qué plazo|cuántos (?:días|meses|años)|cuántas (?:semanas|horas)", _SPAN),
        ("cuánto cuesta|cuánto vale|qué precio|cuánto es el", _MONEY),
        ("cuánt[oa]s", _NUMBER),
    ),
    "fr": (
        (r"à quelle heure|\bhoraires?\b|\b(?:quand|êtes|est|sont)\b.{0,60}\b(?:ouvert|fermé)e?s?\b", _CLOCK),
        (r"quand .{0,60}\b(?:ouvr|ferm)(?:e|ez|ent)\b", _CLOCK),
        ("combien pèse|quel poids", _WEIGHT),
        ("combien de temps|quel délai|en combien|combien de (?:jours|semaines|mois|ans|années|heures)", _SPAN),
        ("combien coûte|quel prix|quel est le prix|quels sont les frais", _MONEY),
        ("combien d", _NUMBER),
    ),
    "zh": (
        ("多重|重量", _WEIGHT),
        ("多久|多长时间|几天|多少天|几年|几个月|多快", _SPAN),
        ("多少钱|价格|费用|运费", _MONEY),
    ),
    "ar": (
        ("كم يوم|كم من الوقت|ما المدة|كم مدة|كم تستغرق|كم يستغرق", _SPAN),
        ("كم سعر|كم تكلفة|كم يكلف|كم ثمن", _MONEY),
    ),
}
_SAID_BY: Final = {
    "en": (
        (_MONEY, "cost costs price prices fee fees"),
        (_WEIGHT, "weigh weighs weight heavy"),
        (_CLOCK, "time hours open opens opened close closes closed"),
    ),
    "de": (
        (_MONEY, "kostet kosten preis preise gebühr teuer"),
        (_WEIGHT, "wiegt wiegen gewicht schwer"),
        (_CLOCK, "uhr öffnungszeiten offen geöffnet öffnen öffnet öffnest geschlossen schließen schließt"),
    ),
    "es": (
        (_MONEY, "cuesta cuestan precio precios vale"),
        (_WEIGHT, "pesa pesan peso"),
        (_CLOCK, "hora horario horarios abre abren abierto abiertos abierta cierra cierran cerrado cerrados cerrada"),
    ),
    "fr": (
        (_MONEY, "coûte coûtent prix frais"),
        (_WEIGHT, "pèse pèsent poids"),
        (_CLOCK, "heure horaire horaires ouvre ouvrez ouvert ouverts ouverte fermez ferme ferment fermé fermés"),
    ),
}
"""Words of questions that ask for a quantity: a text that tells one need not have them (`Röntgen: 78,00 €`)."""
_FREE: Final = re.compile(
    r"\b(?:free|nothing|included|kostenlos|kostenfrei|gratis|inklusive|umsonst|gratuit\w*|incluid[oa]s?|inclus\w*|"
    r"offert\w*)\b|免费|مجان"
)
"""Says a price without a sum."""
_OPENING: Final = re.compile(r"(?:opening|business|office|working) hours|heures d.ouverture|horas de apertura")
"""Hours that are no span of time."""
_CLOSED: Final = re.compile(r"\b(?:closed|geschlossen|ruhetag|cerrad[oa]s?|fermée?s?)\b", re.IGNORECASE)
_HOURS: Final = re.compile(
    r"\bopen|\bhours\b|\bclos(?:e|ing)|öffn|offen|sprechzeit|geschäftszeit|schließ|horario|\babr|abiert|cierr|horaire|ouv[er]"
    f"|{_CLOSED.pattern}",
    re.IGNORECASE,
)
"""What tells hours of opening from those of a course."""
_ONE: Final = re.compile(
    r"\b(?:one|single|both|none|unlimited|ein\w*|keine?|beide|unbegrenzt\w*|un|una|uno|ambos|ilimitad\w*|une|aucun\w*|"
    r"illimité\w*)\b"
)
"""Says a number without a figure, from which `quantities` keeps away because many are articles."""
Units = frozenset[str]


def asked_units(question: str, language: str) -> Units:
    """Return the units one of which an answer should hold; empty when the question asks for no such thing."""
    text, asked = question.lower(), Units()
    for phrase, units in _PHRASES.get(language, ()):
        text, count = re.subn(phrase, " ", text)
        asked |= units if count else Units()
    return asked


def asking_words(units: Units, language: str) -> str:
    """Return the words that ask for these units alone, and say nothing of what is asked about."""
    return " ".join(words for kind, words in _SAID_BY.get(language, ()) if kind == units)


def needs_no_words(units: Units, around: str) -> bool:
    """Return whether a quantity in such units tells what is asked for without the words that ask.

    A sum is a price, and a weight is how heavy a thing is; a time of day may be that of anything, unless the text, with
    what stands above it, is about opening.
    """
    return not units & _CLOCK or bool(_HOURS.search(around))


def holds(text: str, units: Units, language: str) -> bool:
    """Return whether a text says a quantity in one of the units, or any where a number is asked for."""
    if units & _CLOCK:
        return bool(_CLOSED.search(text)) or any(":" in quantity.value for quantity in quantities(text, language))
    return any(units >= _NUMBER or quantity.unit in units for quantity in quantities(text, language))


def may_tell(text: str, units: Units, language: str) -> bool:
    """Return whether a text may say how much: it names one of the units (`an hour`), `free`, or the like.

    Where this is false it cannot be what was asked for; `holds` is the stricter word for what probably is.
    """
    plain = _OPENING.sub("", text.lower())
    if (units & _MONEY and _FREE.search(plain)) or (units >= _NUMBER and _ONE.search(plain)):
        return True
    return holds(text, units, language) or names_unit(plain, units, language)

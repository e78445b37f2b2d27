"""What a span of time is counted from: `30 days of delivery` is another promise than `30 days of the order`.

The events of a trade are few. Of those that stand behind the preposition up to the end of the clause any may be meant
(`after the delivery of your order`), so that two texts differ only where they have none in common.
"""

import re
from typing import Final

_EVENTS: Final = {
    "en": "order(?:s|ed|ing)?|purchas(?:e|es|ed|ing)|bought|buying|book(?:ed|ing)"
    "/deliver(?:y|ed|s|ing)?|arriv(?:al|e|ed|es|ing)|receiv(?:e|ed|es|ing)|receipt|reach(?:ed|es|ing)?"
    "/dispatch(?:ed|ing)?|shipp(?:ed|ing)|shipment|sent",
    "de": r"bestell\w*|kauf\w*|gekauft\w*|buchung\w*/liefer\w*|geliefert\w*|erhal\w*|eingang\w*|zustell\w*|ankunft"
    r"/versand\w*|verschick\w*|verschickt",
    "es": r"pedido|compra\w*|reserva/entrega\w*|recepción|recib\w*|llegada|llega\w*/envío|enviado",
    "fr": r"commande\w*|achat\w*|acheté\w*/livraison|livr\w*|réception|reçu\w*|arrivée/expédition|envoi|expédi\w*",
}
"""Order, delivery and dispatch, parted by strokes."""
_SPANS: Final = {
    "en": r"(?:hour|day|week|month|year)s?(?: of| after| from| since| following| upon)",
    "de": r"(?:stunde|tag|woche|monat|jahr)\w*(?: nach| ab| seit)",
    "es": r"(?:hora|día|semana|mes|año)\w*(?: \w+)?(?: de| desde| después| tras| a partir)",
    "fr": r"(?:heure|jour|semaine|mois|an)\w*(?: \w+)?(?: après| suivant| dès| à compter| de)",
}
_COUNTED: Final = {
    language: re.compile(rf"\b{span}\b(?P<from>[^,.;:!?()\n]*)", re.IGNORECASE) for language, span in _SPANS.items()
}
_EVENT: Final = {
    language: tuple(re.compile(rf"\b(?:{words})\b", re.IGNORECASE) for words in events.split("/"))
    for language, events in _EVENTS.items()
}


def starts(text: str, language: str) -> frozenset[int]:
    """Return the events that the text's spans of time are counted from; empty where it names none that is known."""
    counted = _COUNTED.get(language)
    if counted is None:
        return frozenset()
    behind = " ".join(match["from"] for match in counted.finditer(" ".join(text.split())))
    return frozenset(event for event, words in enumerate(_EVENT[language]) if words.search(behind))

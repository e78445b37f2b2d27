"""Lines that stand alone above others: titles of what follows, statements of their own, or titles that tell a fact.

`Windows 10` is a title: it says what the text below is about, and answers nothing. `Goods can be returned within 30
days` is a statement, and nothing is said of what follows. `Free shipping from 50 euros` is both: a title that may be
the answer. What a title is taken for by mistake costs little, because its words still count as context.
"""

import re
from collections.abc import Iterator
from typing import Final

from inference_service.domain import marks

_LINE: Final = re.compile(r"^[ \t]*#{0,6}[ \t]*(.*?)(?:[ \t]+#+)?[ \t]*$", re.MULTILINE)
_VERBS: Final = {
    "en": "is are was were be been can cannot may must will would should has have had does do costs cost opens closes "
    "applies apply includes include takes take need needs get gets accept accepts offer offers ship ships",
    "de": "ist sind war waren sein wird werden kann können darf dürfen muss müssen soll sollen hat haben gilt gelten "
    "kostet kosten öffnet öffnen schließt dauert erhalten bekommen bieten liefern",
    "es": "es son está están ser puede pueden debe deben tiene tienen hay cuesta cuestan abre cierra será serán",
    "fr": "est sont être peut peuvent doit doivent ont coûte coûtent ouvre ferme sera seront faut",
    "it": "è sono essere può possono deve devono hanno costa costano apre chiude sarà",
    "pt": "é são ser pode podem deve devem tem têm custa custam abre fecha será",
    "nl": "is zijn wordt worden kan kunnen mag mogen moet moeten heeft hebben kost kosten",
    "ru": "является есть можно нужно может могут должен должны стоит будет",
}
"""Finite verbs that make a statement of a line; those that are nouns in another of the languages are left out."""
_VERB: Final = re.compile(r"\b(?:" + "|".join(word for words in _VERBS.values() for word in words.split()) + r")\b")
_UNSPACED_VERB: Final = re.compile("^(?=.{8}).*[可能需须是会不应]|です|ます|できる|ない|ได้|ต้อง|เป็น|คือ|ไม่")
_LAST_VERB: Final = re.compile("(?:है|हैं|था|थे|होगा|होगी|होंगे|सकता|सकते|सकती)$")
_QUANTITY: Final = re.compile(
    r"\d[\d.,]{0,20}\s?[%€$£¥]|[€$£¥]\s?\d|\b\d{1,2}[:.]\d{2}\b|\b\d[\d.,]{0,20}[ -][a-zà-ÿа-я]"
)
"""A sum, a share, a time of day, or a number of something: the number of a version or a year says nothing."""
_NOUNS: Final = re.compile(
    r"\b\d[\d.,]{0,20} (?:Tag|Woche|Monat|Jahr|Stunde|Minute|Euro|Prozent|Werktag|Arbeitstag)(?:e[ns]?|n)?\b"
)
"""German writes what it counts with a capital."""
_FEWEST: Final = 4
"""Words of a line from which on a verb makes it a statement: `May Sale`, `Can openers` are titles."""


def title_places(above: str) -> Iterator[tuple[int, int]]:
    """Give where the words of each heading stand in the lines above a passage, without their marks."""
    for match in _LINE.finditer(above):
        if any(map(str.isalnum, match.group(1))):
            yield match.span(1)


def is_statement(line: str) -> bool:
    """Whether a line without the end of a sentence is one all the same: it has a verb that is conjugated."""
    if _asks(line):
        return False
    if _UNSPACED_VERB.search(line) or _LAST_VERB.search(line):
        return True
    words = line.split()
    # in a title each word has a capital, in a statement the first one
    return len(words) >= _FEWEST and any(_VERB.fullmatch(word) for word in words[1:])


def tells_quantity(line: str) -> bool:
    """Whether a title holds how much, how many or when, and may be the answer to that."""
    return not _asks(line) and bool(_QUANTITY.search(line) or _NOUNS.search(line))


def _asks(line: str) -> bool:
    return line.endswith(marks.QUESTION_ENDS) or bool(marks.ASKS.match(line))

"""Bank account numbers: country, length and check digits together, so that other codes pass.

The match begins behind the country's two letters, which are common words ("is", "at", "no"): so no word ever
waits. What is shown is `DE[redacted]`.
"""

from filter_service.domain.rules.rule import NOTHING, Match, last_four
from filter_service.domain.rules.shape import WORD, Shape
from filter_service.domain.window import Window

# Characters of an IBAN by country, of the IBAN registry (ISO 13616, SWIFT release 99).
_LENGTHS = {
    15: "no",
    16: "be bi",
    18: "dk fo fi gl nl fk sd",
    19: "mk si",
    20: "at ba ee kz lt lu xk mn",
    21: "ch hr li lv",
    22: "bg bh cr de gb ge ie me rs va",
    23: "ae gi il iq om so tl",
    24: "ad cz es md pk ro sa se sk tn vg",
    25: "ly pt st",
    26: "is tr",
    27: "fr gr it mc mr sm dj",
    28: "al az by cy do gt hu lb pl sv ni",
    29: "br eg ps qa ua",
    30: "jo kw mu",
    31: "mt sc",
    32: "lc",
    33: "ru",
}
LENGTHS = {country: length for length, countries in _LENGTHS.items() for country in countries.split()}
"""Characters by country, in lower case."""


class Ibans:
    """Finds account numbers whose characters may be parted by single spaces or hyphens behind the check digits."""

    kind = "iban"

    def __init__(self) -> None:
        countries = "|".join(sorted(LENGTHS))
        self.opening = rf"[0-9](?<=[a-z][a-z].)(?<=(?:{countries}).)(?<!{WORD}[a-z][a-z].)(?:\Z|[0-9])"
        self._shapes = {length: _shape(self.opening, length - 4) for length in _LENGTHS}

    def at(self, window: Window, start: int) -> Match:
        """The number whose check digits begin at `start`."""
        country = window.folded[max(start - 2, 0) : start]
        if country not in LENGTHS:
            return NOTHING
        match = self._shapes[LENGTHS[country]].at(window, start)
        if match.is_open or match.end < 0:
            return match
        behind = "".join(filter(str.isalnum, window.stretch(start)[0]))[: LENGTHS[country] - 2]
        return match if _is_right(country, behind) else NOTHING

    def mask(self, text: str) -> str:
        """The last four characters."""
        return last_four(text)


def _shape(opening: str, count: int) -> Shape:
    return Shape(
        opening=opening,
        whole=rf"[0-9]{{2}}(?:[ -]?[a-z0-9]){{{count}}}(?!{WORD})",
        begun=rf"[0-9]|[0-9]{{2}}(?:(?:[ -]?[a-z0-9]){{0,{count - 1}}}[ -]?|(?:[ -]?[a-z0-9]){{{count}}})",
    )


def _is_right(country: str, behind: str) -> bool:
    """ISO 7064 MOD 97-10 as in ISO 13616: country and check digits to the end, letters as 10 to 35, remainder 1."""
    turned = behind[2:] + country + behind[:2]
    return int("".join(str(int(char, 36)) for char in turned)) % 97 == 1

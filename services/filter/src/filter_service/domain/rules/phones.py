"""Phone numbers: only in forms that prices, dates and order numbers do not have.

International: `+` and 8 to 15 digits (E.164), or `00`, a country and a separator. National with a leading 0: ten or
eleven digits in one (German mobiles twelve), or 9 to 11 digits in groups, in Europe's ways. North American: area code
in parentheses or before a hyphen or dot. Groups parted by spaces alone, without a leading 0 or `+`, pass, and so do
local numbers.
"""

from filter_service.domain.rules.rule import Match, last_four
from filter_service.domain.rules.shape import WORD, Shape
from filter_service.domain.window import Window

_PART = r"(?: ?\(|\)[ -]?|[ ./-])"
_INTERNATIONAL = rf"\+[1-9](?:{_PART}?[0-9]){{7,14}}"
_DIALLED = rf"00[1-9][0-9]{{0,2}}[ /-](?:{_PART}?[0-9]){{6,12}}"
_TRUNK = r"(?:01[5-7][0-9]{9}|0[1-9][0-9]{8,9})"
_PAIRS = r"0[1-9](?:[ .-][0-9]{2}){4}"
# The look-ahead counts the digits.
_GROUPS = (
    r"(?=\(?0(?:[^0-9]{0,2}[0-9]){8,10}(?![ -]?[0-9]))"
    r"(?:\(0[1-9][0-9]{0,4}\) ?|0[1-9][0-9]{0,4}[ /-])[0-9]{2,8}(?:[ -][0-9]{2,8}){0,4}"
)
_AMERICAN = r"(?:1[ .-])?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[.-])[2-9][0-9]{2}[ .-][0-9]{4}"
_DATE = r"[0-9]{2}[ ./-][0-9]{2}[ ./-](?:19|20)[0-9]{2}(?![0-9])"

_FORMS = (_INTERNATIONAL, _DIALLED, _PAIRS, _GROUPS, _TRUNK, _AMERICAN)

_AMERICAN_REST = r"[2-9](?:[0-9](?:[0-9](?:[ .-][0-9]{0,4})?)?)?"
# The look-ahead counts the digits.
_GROUPS_BEGUN = (
    r"(?=(?:[^0-9]*[0-9]){1,11}[^0-9]*\Z)(?:\(0[1-9][0-9]{0,4}\)? ?|0[1-9][0-9]{0,4}[ /-])"
    r"(?:[0-9]{2,8}[ -]){0,4}[0-9]{0,8}"
)
_BEGUN = (
    rf"\+(?:[1-9](?:{_PART}?[0-9]){{0,14}}(?: ?\(|\)[ -]?|[ ./-])?)?",
    rf"00?|00[1-9][0-9]{{0,2}}|00[1-9][0-9]{{0,2}}[ /-](?:{_PART}?[0-9]){{0,12}}(?: ?\(|\)[ -]?|[ ./-])?",
    r"\(?0|0[1-9][0-9]{0,10}",
    r"0[1-9](?:[ .-][0-9]{2}){0,4}(?:[ .-][0-9]?)?",
    _GROUPS_BEGUN,
    r"1[ .-]?",
    r"(?:1[ .-])?(?:\((?:[2-9][0-9]{0,2}\)?)?|\([2-9][0-9]{2}\) |[2-9][0-9]{0,2}[.-]?)",
    rf"(?:1[ .-])?(?:\([2-9][0-9]{{2}}\) ?|[2-9][0-9]{{2}}[.-]){_AMERICAN_REST}",
)


class Phones:
    """Finds the number that begins at a place."""

    kind = "phone_number"

    def __init__(self) -> None:
        before = rf"(?<!{WORD})(?<![0-9][.,:/+\-])(?<![#+/_$€£-])"
        self.opening = (
            rf"{before}(?:\+(?:\Z|[1-9])|\((?:\Z|[02-9])|(?<![0-9] )(?:0(?:\Z|[0-9])"
            r"|1(?:\Z|[ .-](?:\Z|[(2-9]))|[2-9](?:\Z|[0-9](?:\Z|[0-9](?:\Z|[.-])))))"
        )
        forms = "|".join(f"(?:{form})" for form in _FORMS)
        self._shape = Shape(
            opening=self.opening,
            whole=rf"(?!{_DATE})(?:{forms})(?!{WORD}|[-/.][0-9])",
            begun="|".join((*(f"(?:{form})" for form in _BEGUN), rf"(?:{forms})[-/.]")),
        )

    def at(self, window: Window, start: int) -> Match:
        """The number that begins at `start`."""
        return self._shape.at(window, start)

    def mask(self, text: str) -> str:
        """The last four digits."""
        return last_four(text)

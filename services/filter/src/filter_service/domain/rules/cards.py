"""Payment card numbers: issuer prefix, length and check digit together, so that other long numbers pass."""

import re
from dataclasses import dataclass
from functools import lru_cache

from filter_service.domain.fold import UNSPACED, joins_words
from filter_service.domain.rules.rule import NOTHING, Match, last_four
from filter_service.domain.window import Window


@dataclass(frozen=True, slots=True)
class Issuer:
    """Numbers whose first digits lie between `first` and `last` (both written with the same count of digits)."""

    first: str
    last: str
    lengths: tuple[int, ...]

    def may_issue(self, digits: str) -> bool:
        """Whether a number that begins with these digits may be one of this issuer's."""
        shown = digits[: len(self.first)]
        return self.first[: len(shown)] <= shown <= self.last[: len(shown)]


# Issuer identification ranges as the networks publish them (ISO/IEC 7812; Mastercard's 2-series since 2017). Lengths
# under 13 and Visa's 13 digits, which are no longer issued, are left out: they match too much else.
ISSUERS = (
    Issuer("4", "4", (16, 19)),  # Visa
    Issuer("51", "55", (16,)),  # Mastercard
    Issuer("2221", "2720", (16,)),  # Mastercard
    Issuer("34", "34", (15,)),  # American Express
    Issuer("37", "37", (15,)),  # American Express
    Issuer("6011", "6011", (16, 17, 18, 19)),  # Discover
    Issuer("644", "649", (16, 17, 18, 19)),  # Discover
    Issuer("65", "65", (16, 17, 18, 19)),  # Discover
    Issuer("3528", "3589", (16, 17, 18, 19)),  # JCB
    Issuer("300", "305", (14,)),  # Diners Club
    Issuer("3095", "3095", (14,)),  # Diners Club
    Issuer("36", "36", (14,)),  # Diners Club
    Issuer("38", "39", (14,)),  # Diners Club
    Issuer("62", "62", (16, 17, 18, 19)),  # UnionPay
    Issuer("8100", "8171", (16, 17, 18, 19)),  # UnionPay
    *(
        Issuer(prefix, prefix, (13, 14, 15, 16, 17, 18, 19))  # Maestro
        for prefix in ("5018", "5020", "5038", "5893", "6304", "6759", "6761", "6762", "6763")
    ),
)

_LONGEST = 19
# 19 digits with a separator between any two of them.
WIDEST_CHARS = 2 * _LONGEST - 1
_DIGITS = frozenset("0123456789")
_SEPARATORS = frozenset(" -")

LABEL_DIGITS = 6
_LABEL = re.compile(rf"[a-zA-Z][0-9]{{1,{LABEL_DIGITS}}}:\Z")

_UNSPACED_CLASS = "".join(f"{chr(first)}-{chr(last)}" for first, last in UNSPACED)


class CardNumbers:
    """Finds the longest card number that begins at a place.

    Groups of digits may be parted by single spaces or hyphens. Neither a letter nor a further digit may touch the
    number; a further group may follow (`4111 1111 1111 1111 123` is a card and its security code).

    A number directly behind a label of a letter, digits and a colon is no candidate: positions, counters and time
    stamps in nanoseconds are written like that (`t12:14567890123456`); they may be as long as a card number, and one in
    ten passes the check digit by chance. The price is known: a card number that is really written that way (`c1:4111…`,
    without a space) is shown. A bare digit before the colon (`1:4111…`) is no such label.
    """

    kind = "card_number"

    def __init__(self) -> None:
        numbers = "|".join(_opening(first) for first in sorted({issuer.first[0] for issuer in ISSUERS}))
        # The look-behinds say what `_is_glued` says.
        unlabelled = "".join(rf"(?<![a-zA-Z][0-9]{{{count}}}:)" for count in range(1, LABEL_DIGITS + 1))
        self.opening = rf"(?<![^\W_{_UNSPACED_CLASS}]){unlabelled}(?:{numbers})"

    def at(self, window: Window, start: int) -> Match:
        """The longest card number from `start` on; open while the digits so far begin one."""
        folded, size = window.folded, len(window.folded)
        if folded[start] not in _DIGITS or _is_glued(folded, start):
            return NOTHING
        digits, at, end, reach = "", start, -1, window.origin[start] + window.limit
        while True:
            # A digit out of reach ends the group, as nothing waits for it.
            if at < size and folded[at] in _DIGITS and window.origin[at] <= reach:
                digits += folded[at]
                at += 1
                if not _lengths(digits):
                    return Match(end, is_open=False)
                continue
            if folded[at - 1] in _DIGITS and _is_card(digits) and window.may_end(start, at):
                alone = window.stands_alone(start, at, joins=joins_digits)
                if alone is None:
                    return Match(end, is_open=True)
                end = window.raw_end(at) if alone else end
            if at == size:
                return Match(end, is_open=max(_lengths(digits)) > len(digits) and window.may_grow(start))
            if folded[at] not in _SEPARATORS or folded[at - 1] not in _DIGITS:
                return Match(end, is_open=False)
            at += 1

    def mask(self, text: str) -> str:
        """The last four digits."""
        return last_four(text)


@lru_cache(maxsize=256)
def joins_digits(char: str) -> bool:
    """Whether a folded character touching a number makes it part of something else: letters, their marks, digits.

    Letters of scripts without spaces do not: there a number stands between them as between words.
    """
    return joins_words(char) and char != "_"


def _is_glued(folded: str, start: int) -> bool:
    if start == 0:
        return False
    return joins_digits(folded[start - 1]) or _LABEL.search(folded, max(0, start - LABEL_DIGITS - 2), start) is not None


@lru_cache(maxsize=4096)
def _lengths_of(prefix: str) -> tuple[int, ...]:
    """Every length that a number with this prefix may have."""
    return tuple({length for issuer in ISSUERS if issuer.may_issue(prefix) for length in issuer.lengths})


def _lengths(digits: str) -> tuple[int, ...]:
    """The lengths, from the digits so far upward, that the number may still have; the last one only if it checks."""
    lengths = tuple(length for length in _lengths_of(digits[:4]) if length >= len(digits))
    return () if lengths == (len(digits),) and not _passes_luhn(digits) else lengths


def _is_card(digits: str) -> bool:
    return len(digits) in _lengths_of(digits[:4]) and _passes_luhn(digits)


def _passes_luhn(digits: str) -> bool:
    """The check digit of ISO/IEC 7812-1 annex B: every second digit from the right doubled, digit sum 0 modulo 10."""
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (doubled + sum(map(int, digits[-1::-2]))) % 10 == 0


def _opening(first: str) -> str:
    """Numbers that begin with this digit, up to the second one."""
    seconds = sorted({digit for digit in _DIGITS if _lengths_of(first + digit)})
    return first + rf"(?:\Z|[ -](?:\Z|[{''.join(seconds)}])|[{''.join(seconds)}])"

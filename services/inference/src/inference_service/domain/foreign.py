# ruff: noqa: RUF001 - commas of other scripts are meant
"""What can be told of a claim whose passage is in another language, without a translation.

Neither shared words nor MiniLM, which knows English, tell what such a passage says. What a translation keeps can be
told: numbers, sums, measures and dates, however each language writes them; codes, addresses of the web and of mail; and
names in Latin letters in a sentence that is not. A claim of which one of these is missing is unsupported. Whatever else
it says is neither borne out nor denied: it is unverified, never supported.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final, Literal

from inference_service.domain.claims import AnswerSentence
from inference_service.domain.quantities import Quantity, firm, missing, readings
from inference_service.domain.quantity_words import CALENDAR, SPELLED
from inference_service.domain.spans import ReadPassage, Span, plain
from inference_service.domain.support import Match, Support, probability
from inference_service.domain.words import LATIN_LANGUAGES

_SMALL: Final = 20
"""Up to this a number may be spelled out, and decades are; not in all languages such words are known."""
_DIGITS: Final = 2
_CALENDAR_UNITS: Final = ("month name", "weekday")

_WORD: Final = re.compile(r"[^\W\d_]+")
_ADDRESS: Final = re.compile(
    r"(?:https?://|www\.)[^\s<>()\[\]،，。]+|"
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,200}\.[A-Za-z]{2,}|"
    r"(?<![\w@.-])(?:[a-z0-9-]{1,63}\.){1,5}(?:com|org|net|io|eu|de|es|fr|at|ch|uk|shop|store)(?:/[^\s<>()\[\]]*)?(?!\w)",
    re.IGNORECASE | re.ASCII,
)
_CODE: Final = re.compile(
    r"(?<![A-Za-z0-9])(?=[A-Z0-9-]{0,40}[A-Z])(?=[A-Z0-9-]{0,40}\d)[A-Z0-9]+(?:-[A-Z0-9]+)*(?![A-Za-z0-9])"
)
_BRAND: Final = re.compile(r"(?<![A-Za-z])[A-Z][a-z]+[A-Z][a-z]+(?![A-Za-z])")
"""`PayPal`: no word of a language, which other scripts write by its sound."""
_LATIN_NAME: Final = re.compile(r"(?<![A-Za-z'\u2019-])[A-Z](?=[A-Za-z'\u2019-]{0,40}[a-z])[A-Za-z'\u2019-]*")
_MOST_NAMES: Final = 32
"""Of one claim that are looked for: a sentence may be very long."""
_SHORTEST: Final = 3
"""Letters of a name."""
_BEGINNING: Final = 4
"""Letters that two spellings of a name begin with alike."""


def across(claim: AnswerSentence, language: str, passages: Sequence[ReadPassage]) -> Support:
    """Decide a claim in that language from passages that are all in others; at least one.

    A quotation is supported. Else it is unverified, unless each passage lacks something that a translation keeps.
    """
    found = [_beside(claim, language, passage) for passage in passages]
    return max(found, key=lambda one: (one.is_supported, not one.is_unsupported, one.match is not None))


def of_both(own: Support, foreign: Support) -> Support:
    """Join what passages in the claim's language say with what those in others do.

    One that bears it out is enough, and one in its own language that is near and objects. Else the others decide.
    """
    if own.match is None or foreign.is_supported:
        return foreign
    is_near = probability(own.match, own.match.passage_read.language) >= 0.5  # noqa: PLR2004 - as likely as not
    objects = is_near and own.reason in ("number", "denial")
    return own if own.is_supported or objects or foreign.is_unsupported else foreign


def _beside(claim: AnswerSentence, language: str, passage: ReadPassage) -> Support:
    if plain(claim.text) in passage.statements:
        held = (span for span in passage.spans if plain(claim.text) in plain(passage.quote(span)))
        span = next(held, None)
        return Support(1.0, "quoted", _match(passage, span, None, is_quoted=True) if span else None)
    around = f"{passage.hit.title} {passage.hit.heading} {passage.text}"
    if _lacks_code(claim.text, around, is_latin=passage.language in LATIN_LANGUAGES) or _lacks_names(
        claim.text, language, around, passage.language
    ):
        return Support(0.0, "name", None)
    claimed = firm(claim.text, language)
    if not claimed:
        return Support(0.5, "language", None)
    context = readings(f"{passage.hit.title} {passage.hit.heading}", passage.language)
    lacks = [(len(_lacking(claimed, span, context, passage)), span.end - span.start, span) for span in passage.spans]
    if not lacks:
        return Support(0.0, "number", None)
    lacking, _, span = min(lacks, key=lambda one: one[:2])
    if lacking:
        return Support(0.0, "number", _match(passage, span, "number"))
    return Support(0.5, "language", _match(passage, span, None))


def _lacking(
    claimed: frozenset[Quantity], span: Span, context: frozenset[Quantity], passage: ReadPassage
) -> frozenset[Quantity]:
    there = readings(passage.quote(span), passage.language) | context
    units = {one.unit for one in there}
    return frozenset(
        one for one in missing(claimed, there) if one.unit in units - {""} or not _may_be_spelled(one, passage.language)
    )


def _may_be_spelled(one: Quantity, language: str) -> bool:
    """Whether a quantity may stand in a passage in words of its language that are not known."""
    if one.unit in _CALENDAR_UNITS:
        return language not in CALENDAR and language not in ("zh", "ja")
    is_small = one.unit == "decade" or (one.value.isdigit() and len(one.value) <= _DIGITS and int(one.value) <= _SMALL)
    return is_small and (language == "ar" or (language not in SPELLED and language not in ("zh", "ja")))


def _lacks_code(said: str, there: str, *, is_latin: bool) -> bool:
    held = there.casefold()
    rest = _ADDRESS.sub(" ", said)
    codes = [*_CODE.findall(rest), *(_BRAND.findall(rest) if is_latin else ())]
    addresses = (_bare(found) for found in _ADDRESS.findall(said))
    return any(one.casefold() not in held for one in (*codes, *addresses))


def _bare(address: str) -> str:
    return re.sub(r"^(?:https?://)?(?:www\.)?", "", address).rstrip("/.,;:!?")


def _lacks_names(said: str, language: str, there: str, written: str) -> bool:
    """Whether a claim in other letters keeps names in Latin ones, of which a passage in these has none.

    Between languages in one script no name tells: `Suiza y Suecia` are Switzerland and Sweden.
    """
    if written not in LATIN_LANGUAGES or language in LATIN_LANGUAGES:
        return False
    words = set(_folded(there))
    names = _LATIN_NAME.findall(said)[:_MOST_NAMES]
    parts = [word for name in names for word in _folded(name) if len(word) >= _SHORTEST]
    return bool(parts) and not any(_is_alike(word, other) for word in parts for other in words)


def _folded(text: str) -> Iterator[str]:
    flat = unicodedata.normalize("NFD", text.casefold())
    yield from _WORD.findall("".join(sign for sign in flat if unicodedata.category(sign) != "Mn"))


def _is_alike(one: str, other: str) -> bool:
    """Whether two words may be one name in two languages: `Temüjin` and `Temudschin`, `Arab` and `árabe`."""
    if one == other:
        return True
    alike = 0
    for first, second in zip(one, other, strict=False):
        if first != second:
            break
        alike += 1
    return alike >= _BEGINNING and 2 * alike >= max(len(one), len(other))


def _match(passage: ReadPassage, span: Span, objection: Literal["number"] | None, *, is_quoted: bool = False) -> Match:
    return Match(passage, span, 0.0, 0.0, 0.0, objection, is_quoted)

"""Calendars (.ics) and contacts (.vcf): each event or person as lines `name: value`, without what programs need."""

import re
from collections.abc import Iterator
from typing import Final

from ingest_service.domain.encoding import decode
from ingest_service.domain.manuscript import Composer, Item, Manuscript
from ingest_service.domain.text_kinds import kind_of_text
from ingest_service.outbound.readers.ports import Say

_SHOWN: Final = {
    "SUMMARY": "what", "DTSTART": "begins", "DTEND": "ends", "DUE": "due", "RRULE": "repeats", "LOCATION": "where",
    "DESCRIPTION": "about", "URL": "address", "FN": "name", "ORG": "organization", "TITLE": "position", "ROLE": "role",
    "TEL": "phone", "EMAIL": "e-mail", "ADR": "postal address", "NOTE": "note",
}  # fmt: skip
_LINE: Final = re.compile(r"(?:[\w-]+\.)?([A-Za-z-]+)((?:;[^:;\"]*(?:\"[^\"]*\"[^:;\"]*)*)*):(.*)")
_TIME: Final = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)\d\d(Z?))?")
_ESCAPED: Final = re.compile(r"\\([nN,;\\])")
_PARTS: Final = re.compile(r"(?<!\\);")


def read(data: bytes, say: Say) -> Manuscript:
    text, composer = decode(data), Composer()
    held: list[Item] = []
    for name, value in _lines(text):
        if name in {"BEGIN", "END"}:
            composer.items(held)
            held = []
        elif name in _SHOWN and value:
            held.append(Item(f"{_SHOWN[name]}: {value}"))
    composer.items(held)
    say(1, 1)
    return composer.manuscript(kind_of_text(text))


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Names and values; a line that begins with white space goes on with the one before (RFC 5545, 6350)."""
    for line in re.sub(r"\r?\n[ \t]", "", text).splitlines():
        if told := _LINE.fullmatch(line):
            name, more, value = told.group(1).upper(), told.group(2), told.group(3)
            yield name, _words(value, more)


def _words(value: str, more: str) -> str:
    time = _TIME.fullmatch(value)
    if time is None:
        parts = (_ESCAPED.sub(lambda sign: "\n" if sign[1] in "nN" else sign[1], part) for part in _PARTS.split(value))
        return ", ".join(part.strip() for part in parts if part.strip())
    year, month, day, hour, minute, is_utc = time.groups()
    zone = re.search(r"TZID=\"?([^;\":]+)", more, re.IGNORECASE)
    where = " UTC" if is_utc else f" ({zone.group(1)})" if zone else ""
    return f"{year}-{month}-{day}" + (f" {hour}:{minute}{where}" if hour else "")

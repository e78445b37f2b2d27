"""What kind of text a text is, told by its structure."""

import csv
import json
import re
import sys
from collections import Counter
from typing import Final

from ingest_service.domain import media_types as kinds
from ingest_service.domain.front_matter import front_matter

LOOKED_AT: Final = 65_536
"""Characters from the start that are looked at; JSON alone is judged whole, by its reader."""
DELIMITERS: Final = "\t;,|"
SETTING: Final = re.compile(r"\Asep=.\r?\n", re.IGNORECASE)
"""A first line that is no row: Excel takes from it what parts the cells."""
_ROWS: Final = 60
_SAME_WIDTH: Final = 0.8
_PROSE_WIDTH: Final = 3
"""Cells a line at most that a sentence with its commas makes."""
_LONGEST_CELL: Final = 80
_LIKE_JSON: Final = re.compile(r'\s*(?:(?:\[\s*)*+\{\s*"[^"\n]*"\s*:|\[\s*"[^"\n]*"\s*,|(?:\[\s*){3})')
_HTML: Final = re.compile(
    r"\s*(?:<\?xml[^>]*\?>\s*)?(?><!--.*?-->\s*)*+<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL
)
_HTML_PART: Final = re.compile(
    r"\s*<(?:head|body|div|p|table|h[1-6]|ul|ol|main|article|section)\b[^>]*>", re.IGNORECASE
)
_XML: Final = re.compile(r"\s*(?:<\?xml\s|<!DOCTYPE\s|<([A-Za-z_][\w:.-]*)(?:\s[^<>]*)?>(?s:.*)</\1\s*>\s*$)")
_HEADER: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]*:[ \t]?.*|[ \t]+\S.*|>?From \S+.*")
_BEGINNINGS: Final = (
    (re.compile(r"WEBVTT(?:[ \t\n\r]|$)"), kinds.VTT),
    (re.compile(r"\s*\d{1,9}[ \t]*\r?\n\d\d:\d\d:\d\d[,.]\d{3}[ \t]+-->[ \t]+\d\d:"), kinds.SRT),
    (re.compile(r"\s*BEGIN:VCALENDAR[ \t]*\r?\n", re.IGNORECASE), kinds.CALENDAR),
    (re.compile(r"\s*BEGIN:VCARD[ \t]*\r?\n", re.IGNORECASE), kinds.CONTACTS),
)
_LETTER_HEADER: Final = re.compile(
    r"^(?:from|to|cc|subject|date|received|message-id|mime-version|content-type|return-path|reply-to|delivered-to"
    r"|sender|x-[a-z-]+)(?=:)",
    re.IGNORECASE | re.MULTILINE,
)
_MARKDOWN_SIGNS: Final = re.compile(
    r"^(?: {0,3}#{1,6}[ \t]+\S|```|~~~|[ \t]*\|?[ \t]*:?-{3,}:?[ \t]*\|"
    r"|.{0,1000}\]\(\S{1,1000}\)|> ?\S|.{0,300}\*\*\S.{0,300}\S\*\*)",
    re.MULTILINE,
)
_MARKDOWN_RULE: Final = re.compile(r"^[ \t]*\|?[ \t]*:?-{3,}:?[ \t]*\|", re.MULTILINE)


def kind_of_text(text: str) -> str:
    """Its media type; plain text when nothing says otherwise."""
    head = text[:LOOKED_AT]
    if said := next((kind for begins, kind in _BEGINNINGS if begins.match(head)), None):
        return said
    if _HTML.match(head) or _HTML_PART.match(head):
        return kinds.HTML
    if head.lstrip().startswith("<") and _XML.match(text):
        return kinds.XML
    if front_matter(text):
        return kinds.MARKDOWN
    return _json_kind(text) or (kinds.EMAIL if _is_letter(head) else None) or _table_kind(head) or _prose_kind(text)


def json_fault(text: str) -> str | None:
    """In words, why a text that begins like JSON is not read as such; None for any other text."""
    if _LIKE_JSON.match(text) is None or _json_kind(text) is not None:
        return None
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        fault = f"but breaks its rules in line {error.lineno}, column {error.colno}"
    except RecursionError:
        fault = "but is nested too deeply"
    except ValueError:
        fault = f"but holds a number of more than {sys.get_int_max_str_digits():,} digits"
    else:
        return None
    return f"The text begins like JSON, {fault}: it was read as plain text, without names beside their values."


def delimiter_of(text: str) -> str | None:
    """What parts the cells of a table in text form; None when its lines do not have the same number of cells."""
    head = text[:LOOKED_AT]
    whole_lines = SETTING.sub("", head if len(head) == len(text) else head.rpartition("\n")[0])
    return next((mark for mark in DELIMITERS if _is_table(whole_lines, mark)), None)


def _json_kind(text: str) -> str | None:
    stripped = text.strip()
    if stripped[:1] not in {"{", "["}:
        return None
    first, _, rest = stripped.partition("\n")
    if rest and _is_json(first) and _is_json(rest.partition("\n")[0]):
        return kinds.JSON_LINES
    return kinds.JSON if _is_json(stripped) else None


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False


def _is_letter(head: str) -> bool:
    """At least two of the headers that letters have, and nothing but headers before the first empty line."""
    top = re.split(r"\r?\n[ \t]*\r?\n|\r\r", head.lstrip("\r\n"), maxsplit=1)[0]
    known = {match.group().lower() for match in _LETTER_HEADER.finditer(top)}
    return len(known) > 1 and all(_HEADER.fullmatch(line) for line in top.splitlines())


def _table_kind(head: str) -> str | None:
    if _MARKDOWN_RULE.search(head):
        return None
    mark = delimiter_of(head)
    return None if mark is None else kinds.TSV if mark == "\t" else kinds.CSV


def _is_table(text: str, mark: str) -> bool:
    """Most lines have the same number of cells, and the cells are no sentences."""
    rows = []
    try:
        for row in csv.reader(text.splitlines(keepends=True), delimiter=mark):
            if any(cell.strip() for cell in row):
                rows.append(row)
            if len(rows) == _ROWS:
                break
    except csv.Error:
        return False
    if len(rows) <= 1:
        return False
    width, often = Counter(map(len, rows)).most_common(1)[0]
    cells = [cell for row in rows for cell in row]
    spaced = sum(cell.startswith(" ") for row in rows for cell in row[1:])
    is_prose = mark in ",;" and spaced * 2 > len(cells) - len(rows) and width <= _PROSE_WIDTH
    if width <= 1 or often < len(rows) * _SAME_WIDTH or is_prose:
        return False
    return _are_short(cells) or (often == len(rows) and _are_quoted(text, mark, often))


def _are_quoted(text: str, mark: str, rows: int) -> bool:
    """Quotation marks around a cell of each row: no prose is written so, however long the cells are."""
    return len(re.findall(f'(?:^|{re.escape(mark)})"', text, re.MULTILINE)) >= rows - 1


def _are_short(cells: list[str]) -> bool:
    return sum(map(len, cells)) <= len(cells) * _LONGEST_CELL


def _prose_kind(text: str) -> str:
    return kinds.MARKDOWN if _MARKDOWN_SIGNS.search(text) else kinds.PLAIN

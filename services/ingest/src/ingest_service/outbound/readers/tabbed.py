"""Lines whose parts are set apart by tabs or dots (`Beard trim ..... 14 €`): rows of a table that nobody drew.

Price lists and hours of opening are written so. As paragraphs each line would stand for itself, and one without a sum
would be taken for a title of the next.
"""

import re
from typing import Final

from ingest_service.domain.manuscript import Composer
from ingest_service.outbound.readers.first_row import is_over_one_kind
from ingest_service.outbound.readers.grid import has_header

_GAP: Final = re.compile(r"(?:\t|\.{5,}|(?:\. ){4,}\.?|\u2026{2,}|_{5,})[\t._\u2026 ]*")
_MARK: Final = re.compile(r"[(\u00a7]|(?:\d{1,3}|[a-z]|[ivx]{1,5})[.)]|[\d.]+$|[^\w\s]", re.IGNORECASE)
"""How a numbered clause or a typed item begins: what follows its tab is its text."""
_LONGEST: Final = 80
"""Characters of a cell; what is longer is a sentence behind an indent."""
_CELLS: Final = range(2, 7)
_FEWEST: Final = 2
"""Rows of a table."""


def cells_of(line: str) -> list[str]:
    """The parts of a line; empty for one that is no row."""
    if len(line) > _LONGEST * _CELLS.stop:
        return []
    cells = [cell.strip() for cell in _GAP.split(line.strip())]
    if len(cells) not in _CELLS or not all(cells) or max(map(len, cells)) > _LONGEST or _MARK.match(cells[0]):
        return []
    return cells


class TabbedRows:
    """Consecutive such lines, written as one table when they are several of as many cells."""

    def __init__(self, composer: Composer, lonely_level: int) -> None:
        """`lonely_level`: of the heading that a single bold line is."""
        self._composer = composer
        self._lonely_level = lonely_level
        self._rows: list[list[str]] = []
        self._is_bold = False

    def take(self, words: str, *, is_bold: bool) -> bool:
        """Hold a paragraph's lines if all of them are rows, and say whether they are."""
        rows = [cells_of(line) for line in words.strip().split("\n")]
        if not all(rows):
            return False
        for row in rows:
            if self._rows and len(row) != len(self._rows[0]):
                self.write()
            # where all of them are bold, the first one is no other than the rest
            self._is_bold = is_bold if not self._rows else self._is_bold and not is_bold
            self._rows.append(row)
        return True

    def write(self) -> None:
        """Write what is held."""
        rows, self._rows = self._rows, []
        if len(rows) >= _FEWEST:
            is_named = self._is_bold or (has_header(rows) and is_over_one_kind(rows))
            self._composer.table(rows, has_header=is_named)
        elif rows and self._is_bold:
            self._composer.heading(self._lonely_level, " ".join(rows[0]))
        elif rows:
            self._composer.paragraph(" ".join(rows[0]))

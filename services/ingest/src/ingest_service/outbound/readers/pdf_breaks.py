"""Tables of a PDF that go on over a page's end: their rows there keep the header that stands on the page before."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Final

from ingest_service.outbound.readers.pdf_layout import MARGIN, Line, Page, Table
from ingest_service.outbound.readers.pdf_tables import is_over_numbers

NEAR: Final = 0.25
"""Of the page's height, from its edge, where a table ends that goes on, and where it does so."""


def table_at_end(page: Page) -> Table | None:
    """The table that the page ends with, whatever stands in its margins; None when it is done on this page."""
    last = _between_margins(page)[-1:]
    return last[0].table if last and last[0].last_base < page.height * NEAR else None


def continued(page: Page, before: Table) -> Page:
    """The page whose first table has the header of the one that the page before ends with, if it goes on with that."""
    first = _between_margins(page)[:1]
    if not first or first[0].base < page.height * (1 - NEAR) or first[0].table is None:
        return page
    whole = first[0]._replace(table=_with_header(first[0].table, before))
    return replace(page, lines=[whole if line is first[0] else line for line in page.lines])


def _between_margins(page: Page) -> Sequence[Line]:
    low, high = page.height * MARGIN, page.height * (1 - MARGIN)
    return [line for line in page.lines if line.table or low < line.base < high]


def _with_header(table: Table, before: Table) -> Table:
    if not _is_same(table, before) or _is_new(table, before):
        return table
    header = before.rows[0]
    if before.has_header and table.rows[0] != header:
        return table._replace(rows=[header, *table.rows], has_header=True, is_bold=before.is_bold)
    return table._replace(has_header=before.has_header)


def _is_same(table: Table, before: Table) -> bool:
    """Whether the columns stand where those of the other table do."""
    return len(table.columns) == len(before.columns) and all(
        left < other_right and right > other_left
        for (left, right), (other_left, other_right) in zip(table.columns, before.columns, strict=True)
    )


def _is_new(table: Table, before: Table) -> bool:
    """Whether it has a header of its own, set as the other's is, or says no numbers where the other says nothing else.

    One row alone without its numbers is the last of its table: another table has a header too.
    """
    if not table.has_header or table.rows[0] == before.rows[0]:
        return False
    if before.is_bold or table.is_bold:
        return table.is_bold
    if is_over_numbers(table.rows) and not any(map(str.isdigit, chain.from_iterable(table.rows[0]))):
        return True
    body = before.rows[1:]
    numbers = [at for at in range(len(before.columns)) if body and all(_has_number(row, at) for row in body)]
    kept = any(_has_number(row, at) for row in table.rows for at in numbers)
    return bool(numbers) and not kept


def _has_number(row: Sequence[str], column: int) -> bool:
    return any(map(str.isdigit, row[column]))

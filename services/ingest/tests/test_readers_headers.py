"""Headers of several rows, in every format that merges cells: each column is named by all that stands above it."""

from collections.abc import Callable, Sequence

import docx
import pytest
import xlwt
from docx.oxml import OxmlElement
from openpyxl import Workbook
from pptx import Presentation
from pptx.util import Inches

from ingest_service.domain.chunk import chunk
from ingest_service.outbound.readers.grid import ACROSS, seen, whole_header
from services.ingest.tests import made
from services.ingest.tests.memory import WordCounter
from services.ingest.tests.test_readers_office import manuscript

Rows = Sequence[Sequence[str]]
Merged = Sequence[tuple[int, int, int, int]]
"""First row, first column, last row, last column, from 0."""
COSTS = [["Country", "Cost", ""], ["", "Standard", "Express"], ["Norway", "4.50", "9.50"], ["Malta", "6", "12"]]
MERGED = [(0, 1, 0, 2), (0, 0, 1, 0)]
READ = ("| Country | Cost Standard | Cost Express |\n|---|---|---|\n| Norway | {} | {} |\n| Malta | 6 | 12 |").format(
    "4.50", "9.50"
)


def _page(rows: Rows, merged: Merged, head: int = 0, mark: str = "td") -> bytes:
    spans = {(top, left): (bottom - top + 1, right - left + 1) for top, left, bottom, right in merged}
    covered = {
        (row, column)
        for top, left, bottom, right in merged
        for row in range(top, bottom + 1)
        for column in range(left, right + 1)
    } - set(spans)
    lines = []
    for row, cells in enumerate(rows):
        said = ""
        for column, words in enumerate(cells):
            if (row, column) not in covered:
                tall, wide = spans.get((row, column), (1, 1))
                said += f"<{mark} rowspan={tall} colspan={wide}>{words}</{mark}>"
        lines.append(f"<tr>{said}</tr>")
    table = f"<thead>{''.join(lines[:head])}</thead>{''.join(lines[head:])}" if head else "".join(lines)
    return f"<!doctype html><table>{table}</table>".encode()


def _word(rows: Rows, merged: Merged) -> bytes:
    document = docx.Document()
    table = document.add_table(rows=len(rows), cols=len(rows[0]))
    for top, left, bottom, right in merged:
        table.cell(top, left).merge(table.cell(bottom, right))
    for row, cells in enumerate(rows):
        for column, words in enumerate(cells):
            if words:
                table.cell(row, column).text = words
    return made.saved(document)


def _slide(rows: Rows, merged: Merged) -> bytes:
    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    table = slide.shapes.add_table(len(rows), len(rows[0]), Inches(1), Inches(1), Inches(6), Inches(2)).table
    for row, cells in enumerate(rows):
        for column, words in enumerate(cells):
            table.cell(row, column).text = words
    for top, left, bottom, right in merged:
        table.cell(top, left).merge(table.cell(bottom, right))
    return made.saved(presentation)


def _sheet(rows: Rows, merged: Merged) -> bytes:
    book = Workbook()
    sheet = book.active
    for row in rows:
        sheet.append([words or None for words in row])
    for top, left, bottom, right in merged:
        sheet.merge_cells(start_row=top + 1, start_column=left + 1, end_row=bottom + 1, end_column=right + 1)
    return made.saved(book)


def _old_sheet(rows: Rows, merged: Merged) -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Sheet")
    firsts = {(top, left): (bottom, right) for top, left, bottom, right in merged}
    for row, cells in enumerate(rows):
        for column, words in enumerate(cells):
            if (row, column) in firsts:
                bottom, right = firsts[row, column]
                sheet.write_merge(row, bottom, column, right, words)
            elif words:
                sheet.write(row, column, words)
    return made.saved(book)


def _open(kind: str) -> Callable[[Rows, Merged], bytes]:
    def maker(rows: Rows, merged: Merged) -> bytes:
        shown = ""
        for row, cells in enumerate(rows):
            shown += "<table:table-row>"
            for column, words in enumerate(cells):
                inside = [m for m in merged if m[0] <= row <= m[2] and m[1] <= column <= m[3]]
                is_first = any((row, column) == m[:2] for m in inside)
                name = "covered-table-cell" if inside and not is_first else "table-cell"
                said = ""
                if is_first:
                    ((top, left, bottom, right),) = inside
                    said = f' table:number-rows-spanned="{bottom - top + 1}"'
                    said += f' table:number-columns-spanned="{right - left + 1}"'
                shown += f"<table:{name}{said}><text:p>{words}</text:p></table:{name}>"
            shown += "</table:table-row>"
        return made.open_document(kind, f'<table:table table:name="Sheet">{shown}</table:table>')

    return maker


MAKERS = {
    "html": _page,
    "word": _word,
    "slide": _slide,
    "xlsx": _sheet,
    "xls": _old_sheet,
    "odt": _open("text"),
    "ods": _open("spreadsheet"),
}
every_format = pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS.keys())


def table_of(data: bytes) -> str:
    return manuscript(data).text.removeprefix("Sheet\n\n")


@every_format
class TestEveryFormat:
    """What merges cells."""

    @pytest.mark.parametrize("merged", [MERGED, MERGED[:1]], ids=["tall corner", "empty below the corner"])
    def test_each_column_is_named_by_both_rows_of_the_header(self, maker, merged):
        assert table_of(maker(COSTS, merged)) == READ

    def test_the_corner_may_be_empty_above(self, maker):
        rows = [["", "Cost", ""], ["Country", "Standard", "Express"], *COSTS[2:]]
        assert table_of(maker(rows, MERGED[:1])) == READ

    def test_years_above_quarters_are_a_header(self, maker):
        rows = [["2025", "", "2026", ""], ["First half", "Second half", "First half", "Second half"], [*"1234"]]
        whole = "| 2025 First half | 2025 Second half | 2026 First half | 2026 Second half |"
        assert table_of(maker(rows, [(0, 0, 0, 1), (0, 2, 0, 3)])).splitlines()[0] == whole

    def test_a_header_of_three_rows_is_one(self, maker):
        rows = [
            ["Country", "Cost", "", ""],
            ["", "By land", "", "By air"],
            ["", "Standard", "Express", ""],
            ["Norway", "4", "9", "20"],
        ]
        merged = [(0, 1, 0, 3), (0, 0, 2, 0), (1, 1, 1, 2), (1, 3, 2, 3)]
        whole = "| Country | Cost By land Standard | Cost By land Express | Cost By air |"
        assert table_of(maker(rows, merged)) == f"{whole}\n|---|---|---|---|\n| Norway | 4 | 9 | 20 |"

    @pytest.mark.parametrize(
        "below", [["Norway", "4.50", "9.50"], ["Norway", "by ship", "by air"]], ids=["numbers", "words"]
    )
    def test_a_row_of_the_table_is_none_of_its_header(self, maker, below):
        rows = [COSTS[0], below, COSTS[3]]
        read = table_of(maker(rows, MERGED[:1])).splitlines()
        assert read == ["| Country | Cost | Cost |", "|---|---|---|", f"| {' | '.join(below)} |", "| Malta | 6 | 12 |"]

    def test_a_cell_over_several_columns_in_the_body_is_said_once(self, maker):
        rows = [["Country", "Standard", "Express"], COSTS[2], ["Malta", "not served", ""]]
        assert table_of(maker(rows, [(2, 1, 2, 2)])).splitlines()[-1] == "| Malta | not served |  |"

    def test_a_caption_above_a_header_of_two_rows_is_none_of_it(self, maker):
        merged = [(0, 0, 0, 2), *((top + 1, left, bottom + 1, right) for top, left, bottom, right in MERGED)]
        read = manuscript(maker([["Parcels of 2026", "", ""], *COSTS], merged)).text
        assert read.removeprefix("Sheet\n\n") == f"Parcels of 2026\n\n{READ}"

    def test_every_passage_of_a_long_table_says_the_whole_header(self, maker):
        rows = [
            *COSTS[:2],
            *([f"Country {'abcdefghij'[n % 10] * (n // 10 + 1)}", f"{n}", f"{2 * n}"] for n in range(60)),
        ]
        passages = chunk(manuscript(maker(rows, MERGED)), WordCounter())
        assert len(passages) > 1
        assert all("| Country | Cost Standard | Cost Express |" in passage.full_text for passage in passages)


@pytest.mark.parametrize("mark", ["td", "th"])
def test_rows_that_a_page_marks_as_its_header_are_one(mark):
    rows = [["Country", "Standard", "Express"], ["", "EUR", "EUR"], *COSTS[2:]]
    assert table_of(_page(rows, [], head=2, mark=mark)) == READ.replace(
        "| Country | Cost Standard | Cost Express |", "| Country | Standard EUR | Express EUR |"
    )


def test_a_page_whose_rows_are_all_marked_has_a_header_of_one():
    assert table_of(_page([["a", "b"], ["c", "d"]], [], head=2)) == "| a | b |\n|---|---|\n| c | d |"


def test_rows_that_a_word_document_repeats_on_each_page_are_one_header():
    document = docx.Document()
    table = document.add_table(rows=4, cols=3)
    rows = [["Country", "Standard", "Express"], ["", "EUR", "EUR"], *COSTS[2:]]
    for row, cells in zip(table.rows, rows, strict=True):
        for cell, words in zip(row.cells, cells, strict=True):
            cell.text = words
    for row in table.rows[:2]:
        row._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    assert manuscript(made.saved(document)).text.startswith("| Country | Standard EUR | Express EUR |\n|---|")


def test_a_header_that_begins_in_a_hidden_column_names_the_next():
    assert seen(["a", "Cost", ACROSS, ACROSS, "b"], {1}) == ["a", "Cost", ACROSS, "b"]
    assert seen(["a", "Cost", ACROSS, ACROSS], {0, 2}) == ["Cost", ACROSS]
    assert seen(["", ACROSS, "b"], {0}) == ["", "b"]


def test_a_table_without_rows_has_no_header():
    assert whole_header([]) == ([], False)
    assert whole_header([[]]) == ([[]], False)
    assert whole_header([["a", ACROSS]], 2) == ([["a", "a"]], False)

"""A table that is cut into several passages: each row is found with its header, whatever the format."""

import json

import docx
import pytest
from docx.oxml import OxmlElement
from openpyxl import Workbook
from pptx import Presentation
from pptx.util import Inches

from ingest_service.domain.chunk import chunk
from ingest_service.domain.cut_settings import CutSettings
from ingest_service.domain.manuscript import WIDEST_HEADER, Composer
from ingest_service.outbound.readers import read
from services.ingest.tests import made
from services.ingest.tests.memory import WordCounter

HEADER = ["Item", "Price", "Warranty"]
BODY = [[f"Thing {n}", f"{n}.50", f"{n} months"] for n in range(70)]
SHOWN = "| Item | Price | Warranty |"
TITLE = "Prices of the season"


def _word() -> bytes:
    document = docx.Document()
    document.add_paragraph(TITLE)
    table = document.add_table(rows=0, cols=3)
    for number, row in enumerate([HEADER, *BODY]):
        cells = table.add_row()
        for cell, words in zip(cells.cells, row, strict=True):
            cell.text = words
        if number == 0:
            cells._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    return made.saved(document)


def _page() -> bytes:
    rows = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in BODY)
    head = "".join(f"<td>{cell}</td>" for cell in HEADER)
    return f"<!doctype html><p>{TITLE}</p><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>".encode()


def _sheet() -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in ([TITLE], [], HEADER, *BODY):
        sheet.append(row)
    return made.saved(book)


def _close_title() -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.merge_cells("A1:C1")
    sheet["A1"] = TITLE
    for row in (HEADER, *BODY):
        sheet.append(row)
    return made.saved(book)


def _delimited() -> bytes:
    return "\r\n".join(";".join(row) for row in [HEADER, *BODY]).encode("utf-8-sig")


def _slide() -> bytes:
    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[5])
    slide.shapes.title.text = TITLE
    table = slide.shapes.add_table(len(BODY) + 1, 3, Inches(1), Inches(1), Inches(6), Inches(5)).table
    for row, cells in enumerate([HEADER, *BODY]):
        for column, words in enumerate(cells):
            table.cell(row, column).text = words
    return made.saved(presentation)


def _open_text() -> bytes:
    def row(cells: list[str]) -> str:
        shown = "".join(f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in cells)
        return f"<table:table-row>{shown}</table:table-row>"

    head = f"<table:table-header-rows>{row(HEADER)}</table:table-header-rows>"
    body = f"<text:p>{TITLE}</text:p><table:table>{head}{''.join(map(row, BODY))}</table:table>"
    return made.open_document("text", body)


def _records() -> bytes:
    return "\n".join(json.dumps(dict(zip(HEADER, row, strict=True))) for row in BODY).encode()


MAKERS = {
    "docx": _word,
    "html": _page,
    "xlsx": _sheet,
    "xlsx, title above": _close_title,
    "csv": _delimited,
    "pptx": _slide,
    "odt": _open_text,
    "jsonl": _records,
}


@pytest.mark.parametrize("name", MAKERS)
def test_every_passage_of_a_long_table_has_its_header(name):
    passages = chunk(read(MAKERS[name](), lambda _done, _of: None), WordCounter())
    tables = [passage for passage in passages if "| Thing" in passage.body]
    assert len(tables) > 2
    assert all(passage.full_text.count(SHOWN) == 1 for passage in tables)
    rows = [line for passage in tables for line in passage.body.splitlines() if line.startswith("| Thing")]
    assert rows == [f"| {' | '.join(row)} |" for row in BODY]


@pytest.mark.parametrize("columns", [9, 12, 20, 60])
def test_a_row_of_many_columns_is_found_with_its_names(columns):
    names = ["number", *(f"measure {n} of it" for n in range(1, columns))]
    rows = [[f"row{n:02}", *(f"{n}x{k}" for k in range(1, columns))] for n in range(40)]
    composer = Composer()
    composer.table([names, *rows], has_header=True)
    result = composer.manuscript("text/csv")
    assert result.text.startswith("number: row00\n") == (len(" | ".join(names)) > WIDEST_HEADER)
    passages = chunk(result, WordCounter(), CutSettings(220, 0.167))
    for n, k in ((n, k) for n in range(40) for k in range(1, columns)):
        found = [passage.full_text for passage in passages if f"{n}x{k}" in passage.body.split()]
        assert found
        assert all(f"row{n:02}" in text and f"measure {k} of it" in text for text in found)


def test_every_part_of_a_long_answer_says_its_question():
    answer = " ".join(f"Sentence {n} of the answer says something." for n in range(80))
    short = [[f"Short question {n}?", "Yes."] for n in range(3)]
    composer = Composer()
    composer.table([["question", "answer"], *short, ["How may I return a tent?", answer], *short], has_header=True)
    result = composer.manuscript("text/csv")
    assert result.text.count("| question | answer |") == 2
    parts = [each.full_text for each in chunk(result, WordCounter()) if "of the answer says" in each.body]
    assert len(parts) > 1
    assert all("question: How may I return a tent?" in part for part in parts)

"""What a reader takes from a document is what people see of it: nothing hidden, and merged cells in every row."""

import datetime as dt
import io
import struct
import zipfile
from collections.abc import Sequence
from typing import Any

import docx
import pytest
import xlwt
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from openpyxl import Workbook
from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.opc.package import Part
from pptx.opc.packuri import PackURI
from pptx.util import Inches

from ingest_service.outbound.readers.sheet_numbers import formatted
from services.ingest.tests import made
from services.ingest.tests.test_readers_office import DAY, manuscript

REGIONS = "| Region | Zone | Fee |\n|---|---|---|\n| Europe | north | 4 |\n| Europe | south | 5 |\n| Asia | all | 9 |"
CAPTIONED = "Prices of 2026\n\n| Item | Net | Gross |\n|---|---|---|\n| Tent | 100 | 119 |"
ROWS = [["Region", "Zone", "Fee"], ["Europe", "north", "4"], ["", "south", "5"], ["Asia", "all", "9"]]
CAPTION_ROWS = [["Prices of 2026", "", ""], ["Item", "Net", "Gross"], ["Tent", "100", "119"]]


def _word(rows: list[list[str]], merged: tuple[int, int, int, int]) -> bytes:
    document = docx.Document()
    table = document.add_table(rows=len(rows), cols=3)
    for row, cells in zip(table.rows, rows, strict=True):
        for cell, words in zip(row.cells, cells, strict=True):
            cell.text = words
    top, left, bottom, right = merged
    table.cell(top, left).merge(table.cell(bottom, right)).text = rows[top][left]
    return made.saved(document)


def _slide(rows: list[list[str]], merged: tuple[int, int, int, int]) -> bytes:
    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    table = slide.shapes.add_table(len(rows), 3, Inches(1), Inches(1), Inches(6), Inches(2)).table
    for row, cells in enumerate(rows):
        for column, words in enumerate(cells):
            table.cell(row, column).text = words
    top, left, bottom, right = merged
    table.cell(top, left).merge(table.cell(bottom, right))
    return made.saved(presentation)


def _sheet(rows: list[list[str]], merged: tuple[int, int, int, int]) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append([int(cell) if cell.isdigit() else cell or None for cell in row])
    top, left, bottom, right = (place + 1 for place in merged)
    sheet.merge_cells(start_row=top, start_column=left, end_row=bottom, end_column=right)
    return made.saved(book)


def _open_text(rows: list[list[str]], merged: tuple[int, int, int, int]) -> bytes:
    top, left, bottom, right = merged
    shown = ""
    for number, row in enumerate(rows):
        shown += "<table:table-row>"
        for column, words in enumerate(row):
            is_first = (number, column) == (top, left)
            is_inside = top <= number <= bottom and left <= column <= right
            name = "covered-table-cell" if is_inside and not is_first else "table-cell"
            said = f' table:number-rows-spanned="{bottom - top + 1}"' if is_first else ""
            shown += f"<table:{name}{said}><text:p>{words}</text:p></table:{name}>"
        shown += "</table:table-row>"
    return made.open_document("text", f"<table:table>{shown}</table:table>")


@pytest.mark.parametrize("maker", [_word, _slide, _sheet, _open_text])
def test_a_cell_that_goes_on_downwards_is_said_in_each_of_its_rows(maker):
    assert manuscript(maker(ROWS, (1, 0, 2, 0))).text.endswith(REGIONS)


@pytest.mark.parametrize("maker", [_word, _slide, _sheet])
def test_a_cell_above_all_columns_is_a_caption_and_the_header_is_below_it(maker):
    assert manuscript(maker(CAPTION_ROWS, (0, 0, 0, 2))).text.endswith(CAPTIONED)


def test_a_cell_above_all_columns_of_a_page_is_a_caption():
    rows = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in CAPTION_ROWS[1:])
    page = f"<!doctype html><table><tr><th colspan=3>Prices of 2026</th></tr>{rows}</table>"
    assert manuscript(page.encode()).text == CAPTIONED


def test_words_that_are_set_as_hidden_are_left_out_of_word_and_rich_text():
    document = docx.Document()
    paragraph = document.add_paragraph("Seen ")
    paragraph.add_run("not seen ").font.hidden = True
    paragraph.add_run("again.").font.hidden = False
    assert manuscript(made.saved(document)).text == "Seen again."
    rich = rb"{\rtf1\ansi Seen {\rtlch\v\insrsid1 not seen }{\v0 again}{\deleted gone}.\par}"
    assert manuscript(rich).text == "Seen again."


def test_tables_of_rich_text_are_tables():
    def row(*cells: str) -> str:
        return r"\trowd\cellx1000\cellx2000\intbl " + r"\cell ".join(cells) + r"\cell\row"

    rich = r"{\rtf1\ansi\pard Before it.\par " + row("Item", "Price") + row("Tent", "120") + r"\pard After it.\par}"
    assert manuscript(rich.encode()).text == ("Before it.\n\n| Item | Price |\n|---|---|\n| Tent | 120 |\n\nAfter it.")


Rows = Sequence[Sequence[Any]]
Formats = Sequence[str]
FORMATS = ("General", '#,##0.00 "EUR"', "0.0%", "dd.mm.yyyy", "dd.mm.yyyy hh:mm", "0000", "hh:mm", "[h]:mm")
VALUES = ["Tent", 1234.5, 0.125, DAY, DAY.replace(hour=13), 7, dt.time(9, 30), dt.timedelta(hours=26)]
PRICES = [["Item", "Price", "Cost"], ["Tent", 120, 70], ["Prototype", 1, 1], ["Stove", 60, 30]]


def _new(
    rows: Rows,
    *,
    formats: Formats = (),
    hides: str = "",
    is_folded: bool = False,
    is_filtered: bool = False,
    secrets: int = 0,
) -> bytes:
    """A workbook whose third row or third column may be hidden, with so many hidden sheets."""
    book = Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(row)
    for cell, code in zip(sheet[2], formats, strict=False):
        cell.number_format = code
    sheet.row_dimensions[3].hidden = "row" in hides
    sheet.column_dimensions["C"].hidden = "column" in hides
    if is_folded:
        sheet.row_dimensions.group(3, 3, hidden=True)
    if is_filtered:
        sheet.auto_filter.ref = "A1:C4"
        sheet.auto_filter.add_filter_column(0, ["Tent"])
    for number, state in zip(range(secrets), ("hidden", "veryHidden"), strict=False):
        book.create_sheet(f"Secret {number}").sheet_state = state
    return made.saved(book)


def _old(
    rows: Rows,
    *,
    formats: Formats = (),
    hides: str = "",
    is_folded: bool = False,
    is_filtered: bool = False,
    secrets: int = 0,
) -> bytes:
    """The same as an old workbook."""
    book = xlwt.Workbook()
    for number in range(secrets):
        secret = book.add_sheet(f"Secret {number}")
        secret.visibility = number + 1
    sheet = book.add_sheet("Sheet")
    book.set_active_sheet(secrets)
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            days = value / dt.timedelta(days=1) if isinstance(value, dt.timedelta) else value
            code = formats[column] if formats and number == 1 else "General"
            sheet.write(number, column, days, xlwt.easyxf(num_format_str=code))
    sheet.row(2).hidden = "row" in hides or is_folded
    sheet.row(2).level = int(is_folded)
    sheet.col(2).hidden = "column" in hides
    if is_filtered:
        written, begin = sheet.get_biff_data, 20  # behind the record that a sheet begins with
        sheet.get_biff_data = lambda: written()[:begin] + struct.pack("<HH", 0x009B, 0) + written()[begin:]
    return made.saved(book)


@pytest.mark.parametrize("workbook", [_new, _old])
class TestWorkbooks:
    """Old and new ones are read alike."""

    def test_cells_are_shown_as_their_format_says(self, workbook):
        result = manuscript(workbook([[*"abcdefgh"], VALUES], formats=FORMATS))
        shown = "Tent | 1234.50 EUR | 12.5% | 2026-01-02 | 2026-01-02 13:00 | 0007 | 09:30 | 26:00"
        assert result.text.splitlines()[-1] == f"| {shown} |"

    def test_hidden_rows_and_columns_are_left_out_and_said_to_be(self, workbook):
        result = manuscript(workbook(PRICES, hides="row, column"))
        assert result.text == "Sheet\n\n| Item | Price |\n|---|---|\n| Tent | 120 |\n| Stove | 60 |"
        assert result.notes == ((1, "Hidden rows or columns were left out."),)

    def test_hidden_sheets_are_left_out_and_said_to_be(self, workbook):
        result = manuscript(workbook(PRICES, secrets=2))
        assert "Secret" not in result.text
        assert (len(result.pages), result.notes) == (1, ((None, "Hidden sheets were left out: 2."),))

    @pytest.mark.parametrize("way", [{"hides": "row", "is_filtered": True, "secrets": 1}, {"is_folded": True}])
    def test_rows_that_a_filter_or_a_folded_group_hides_are_read(self, workbook, way):
        result = manuscript(workbook(PRICES, **way))
        assert "| Prototype | 1 | 1 |" in result.text
        assert not [note for note in result.notes if "rows" in note.reason]


def _changed(data: bytes, old: str, new: str) -> bytes:
    """The workbook with something of its first sheet's XML in another way."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert old in sheet
    return made.with_part(data, "xl/worksheets/sheet1.xml", sheet.replace(old, new).encode())


def test_a_cell_in_a_style_that_the_workbook_lacks_is_shown_as_it_is():
    data = _changed(_new(PRICES), '<c r="B2" ', '<c r="B2" s="9" ')
    assert manuscript(data).text.splitlines()[-3:] == [
        "| Tent | 120 | 70 |",
        "| Prototype | 1 | 1 |",
        "| Stove | 60 | 30 |",
    ]


def test_what_is_hidden_is_told_in_any_quotes():
    data = _changed(_new(PRICES, hides="column"), '<row r="3"', "<row hidden='1' r='3'")
    data = _changed(data, 'hidden="1"', "hidden = '1'")
    assert manuscript(data).text == "Sheet\n\n| Item | Price |\n|---|---|\n| Tent | 120 |\n| Stove | 60 |"
    merged = _changed(_sheet(ROWS, (1, 0, 2, 0)), 'ref="A2:A3"', "ref='A2:A3'")
    assert REGIONS in manuscript(merged).text


@pytest.mark.parametrize("kept", ["<v></v>", "<v />", ""])
def test_formulas_without_their_results_are_said_to_be(kept):
    data = _new([["Item", "Price", "Gross"], ["Tent", 100, "=B2*1.19"], ["Stove", 60, "=B3*1.19"]])
    data = _changed(_changed(data, "<v></v>", kept), "<f>B3*1.19</f>", '<f t="shared" si="0" />')
    (note,) = manuscript(data).notes
    assert (note.page, "does not keep: 2." in note.reason) == (1, True)


def test_formulas_with_their_results_are_not():
    data = _new([["Item", "Gross", "Note"], ["Tent", "=B2*1.19", '=IF(B2>100,"large","")']])
    data = _changed(data, "B2*1.19</f><v></v>", "B2*1.19</f><v>119</v>")
    data = _changed(data, '<c r="C2">', '<c r="C2" t="str">')
    result = manuscript(data)
    assert (result.text.splitlines()[-1], result.notes) == ("| Tent | 119 |  |", ())


def test_hidden_rows_and_columns_of_an_open_sheet_are_left_out_and_said_to_be():
    cell = "<table:table-cell><text:p>{}</text:p></table:table-cell>"
    rows = [f"<table:table-row>{''.join(map(cell.format, row))}</table:table-row>" for row in PRICES]
    columns = "<table:table-column/><table:table-column{}/><table:table-column table:number-columns-repeated='9'/>"
    collapsed = ' table:visibility="collapse"'

    def sheet(hidden: str, *rows: str) -> bytes:
        return made.open_document("spreadsheet", f"<table:table>{columns.format(hidden)}{''.join(rows)}</table:table>")

    result = manuscript(sheet(collapsed, *rows))
    assert result.text.splitlines()[0] == "| Item | Cost |"
    assert result.notes == ((1, "Hidden rows or columns were left out."),)
    hidden = rows[2].replace("<table:table-row", f"<table:table-row{collapsed}")
    result = manuscript(sheet("", *rows[:2], hidden, rows[3]))
    assert ("Prototype" in result.text, len(result.notes)) == (False, 1)
    folded = f'<table:table-row-group table:display="false">{hidden}</table:table-row-group>'
    result = manuscript(sheet("", *rows[:2], folded, rows[3]))
    assert ("Prototype" in result.text, len(result.notes)) == (True, 0)


def test_hidden_slides_and_sheets_of_an_open_document_are_left_out():
    presentation = Presentation()
    for title in ("Shown", "Not shown"):
        presentation.slides.add_slide(presentation.slide_layouts[5]).shapes.title.text = title
    presentation.slides[1].element.set("show", "0")
    result = manuscript(made.saved(presentation))
    assert (result.text, result.notes) == ("Shown", ((None, "Hidden slides were left out: 1."),))

    row = "<table:table-row{}><table:table-cell><text:p>{}</text:p></table:table-cell></table:table-row>"
    rows = row.format("", "seen") + row.format(' table:visibility="collapse"', "not seen")
    other = row.format("", "neither")
    sheets = f'<table:table>{rows}</table:table><table:table table:style-name="x">{other}</table:table>'
    style = '<style:style style:name="x"><style:table-properties table:display="false"/></style:style>'
    result = manuscript(made.open_document("spreadsheet", sheets, style))
    assert result.text == "seen"
    assert [note.reason for note in result.notes] == [
        "Hidden rows or columns were left out.",
        "Hidden sheets or slides were left out: 1.",
    ]


def test_charts_and_diagrams_of_a_slide_say_their_words_and_numbers():
    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[5])
    slide.shapes.title.text = "Sales"
    chart = CategoryChartData()
    chart.categories = ["North", "South"]
    chart.add_series("Tents", (120, 95.5))
    slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, Inches(1), Inches(1), Inches(4), Inches(3), chart)
    points = "".join(
        f"<d:pt><d:t><a:p><a:r><a:t>{words}</a:t></a:r></a:p></d:t></d:pt>" for words in ("Order placed", "Parcel sent")
    )
    spaces = 'xmlns:d="urn:d" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    part = Part(PackURI("/ppt/d.xml"), "application/xml", slide.part.package, f"<d:m {spaces}>{points}</d:m>".encode())
    slide.part.relate_to(part, "http://schemas.openxmlformats.org/officeDocument/2006/relationships/diagramData")
    assert manuscript(made.saved(presentation)).text == (
        "Sales\n\n|  | Tents |\n|---|---|\n| North | 120 |\n| South | 95.5 |\n\n- Order placed\n- Parcel sent"
    )


@pytest.mark.parametrize(
    ("value", "code", "words"),
    [
        (0.15, "0%", "15%"),
        (5, '0.00"%"', "5.00%"),
        (5, "0\\%", "5%"),
        (123456789, "000-00-0000", None),
        (5551234, "[<=9999999]###-####;(###) ###-####", None),
        (0.0725, "0.00%", "7.25%"),
        (1234.5, '#,##0.00 "€"', "1234.50 €"),
        (-3, "[$€-407] #,##0.00;[Red]-#,##0.00", "-€ 3.00"),
        (42, "00000", "00042"),
        (2.5, '0.0" kg"', "2.5 kg"),
        (59.5, "0.##", "59.5"),
        (-0.001, "0.00", "0.00"),
        (2.5, "0", "3"),
        (-2.5, "0", "-3"),
        (0.025, "0%", "3%"),
        (0.285, "0%", "29%"),
        (2.675, "0.00", "2.68"),
        (1.005, "0.00", "1.01"),
        (1234.5, "#,##0", "1235"),
        (0.1 + 0.2, "0.00%", "30.00%"),
        (float("nan"), "0", None),
        (1e301, "0", None),
        (10**400, "0", None),
        (1e299, "0", "1" + "0" * 299),
        (0.5, "0." + "0" * 30, "0.5" + "0" * 29),
        (0.5, "0." + "0" * 31, None),
        (7, "General", None),
        (7, "DD.MM.YYYY", None),
        (7, "0.00E+00", None),
        (7, "# ?/?", None),
        (7_000, "0,", None),
        (7, "", None),
    ],
)
def test_numbers_are_shown_as_their_format_says(value, code, words):
    assert formatted(value, code) == words


def test_a_sheet_shows_percent_currency_and_codes():
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Item", "Discount", "Price", "Code", "From"])
    sheet.append(["Tent", 0.15, 1234.5, 42, dt.date(2026, 3, 1)])
    for column, code in (("B", "0%"), ("C", '#,##0.00 "€"'), ("D", "00000"), ("E", "DD.MM.YYYY")):
        sheet[f"{column}2"].number_format = code
    assert "| Tent | 15% | 1234.50 € | 00042 | 2026-03-01 |" in manuscript(made.saved(book)).text


def test_a_workbook_without_the_list_of_its_parts_is_still_judged_by_the_library():
    data = _new(PRICES)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert b"worksheets/sheet1.xml" in archive.read("xl/_rels/workbook.xml.rels")
    rows = manuscript(made.with_part(data, "xl/other.bin", b"x"))
    assert "| Stove | 60 | 30 |" in rows.text


def test_what_asks_to_agree_to_cookies_is_left_out_and_what_is_said_of_them_stays():
    page = (
        "<!doctype html><div id='cookie-banner'><p>We use cookies.</p></div><div id='onetrust-consent-sdk'>Agree</div>"
        "<main class='cookie-policy'><p>Cookies are kept for a year.</p></main>"
    )
    assert manuscript(page.encode()).text == "Cookies are kept for a year."


def test_a_label_of_latin_1_means_what_browsers_take_it_for():
    page = "<!doctype html><meta charset=iso-8859-1><p>Größe: 5 €</p>"
    assert manuscript(page.encode("cp1252")).text == "Größe: 5 €"
    letter = (
        b"From: a@b.example\r\nSubject: Tents\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
        b"Content-Transfer-Encoding: 8bit\r\n\r\nF\xfcr 5 \x80\r\n"
    )
    assert manuscript(letter).text.endswith("Für 5 €")


def test_a_table_of_years_has_a_header_and_a_setting_of_excel_is_no_row():
    data = b"sep=;\r\nItem;2024;2025\r\nTent;100;110\r\nStove;50;60\r\n"
    assert manuscript(data).text == "| Item | 2024 | 2025 |\n|---|---|---|\n| Tent | 100 | 110 |\n| Stove | 50 | 60 |"
    assert "---" not in manuscript(b"Founded;1999;x\nStaff;20;y\nShops;3;z\n").text


def test_long_answers_between_quotation_marks_are_cells():
    answer = "It may be sent back within thirty days, unused, and with its bill. " * 4
    rows = "".join(f'"How long, case {n}?","{answer}"\r\n' for n in range(5))
    result = manuscript(f"question,answer\r\n{rows}".encode())
    assert result.text.startswith(f"| question | answer |\n|---|---|\n| How long, case 0? | {answer.strip()} |\n")


def test_a_deleted_mark_of_a_paragraph_keeps_its_words():
    document = docx.Document()
    first = document.add_paragraph("Kept words")
    first._p.get_or_add_pPr().append(parse_xml(f"<w:rPr {nsdecls('w')}><w:del w:id='1' w:author='x'/></w:rPr>"))
    assert manuscript(made.saved(document)).text == "Kept words"


@pytest.mark.parametrize(
    "page",
    [
        '<html class="usercentrics-active"><body>{}</body></html>',
        '<body class="page-cookie-notice">{}</body>',
        '<body style="visibility: hidden">{}</body>',
        '<main id="cookie-notice">{}</main>',
        '<article class="cookie-message">{}</article>',
        '<div class="has-cookie-banner"><div><main>{}</main></div></div>',
        '<div id="cookie-warning"><h1>Two</h1>{}</div>',
    ],
)
def test_no_page_is_taken_for_a_box_that_asks_to_agree(page):
    said = "<p>Two cookies are set.</p><div class='cookie-banner'>We use cookies.</div>"
    text = manuscript(f"<!doctype html>{page.format(said)}".encode()).text
    assert text.endswith("Two cookies are set.")


@pytest.mark.parametrize("size", ["0", "0px", "0.0em !important", "0%"])
def test_letters_of_no_size_are_left_out(size):
    page = f'<!doctype html><p>Open on Sundays.<span style="color: red; FONT-SIZE: {size}"> Say <b>no</b>.</span></p>'
    assert manuscript(page.encode()).text == "Open on Sundays."


@pytest.mark.parametrize(
    ("outer", "inner"),
    [("font-size: 0.9em", ""), ("font-size:0", 'style="font-size:14px"'), ("font-size:0;", 'class="words"')],
)
def test_letters_that_may_have_a_size_are_kept(outer, inner):
    page = f'<!doctype html><div style="{outer}"><p {inner}>Open on Sundays.</p></div>'
    assert manuscript(page.encode()).text == "Open on Sundays."

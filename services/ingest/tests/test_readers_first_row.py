"""The first row of a table that nothing marks as its header: names of columns, or values as those of the other rows."""

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from ingest_service.outbound.readers.first_row import kind_of
from services.ingest.tests import made
from services.ingest.tests.test_readers_headers import MAKERS, Rows, table_of
from services.ingest.tests.test_readers_office import manuscript

every_format = pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS.keys())
TEXTS = [pytest.param(MAKERS[name], id=name) for name in ("html", "word", "odt")]
MEASURES = [["Length", "3.40 m"], ["Width", "0.92 m"], ["Weight", "13.5 kg"], ["Seats", "2 adults"]]
NAMED = [["Material", "PVC"], *MEASURES]
HOURS = [["Montag", "8:00 - 12:00 Uhr"], ["Dienstag", "8:00 - 18:00 Uhr"], ["Mittwoch", "geschlossen"]]
CLOSED = [["Monday", "closed", "closed"], ["Tuesday", "10:00 - 17:00", "9:00 - 19:00"], ["Sunday", "12:00", "12:00"]]
CONTACTS = [["Name", "Lindenhof"], ["Telefon", "02271 44 55 66"], ["E-Mail", "praxis@lindenhof.example.com"]]
LABELS = [["Colour:", "red"], ["Fabric:", "cotton"], ["Made in:", "Norway"]]
REPEATED = [["Pool", "open", "May"], ["Sauna", "shut", "June"], ["Gym", "open", "July"]]
HALVES = [["Kayak", "£14.00", "half a day"], ["Canoe", "£24.00", "an hour"], ["Board", "£12.00", "a day"]]
PEOPLE = [["Dr. Voss", "surgery"], ["Dr. Beyer", "internal medicine"], ["Mira Sand", "reception"]]


def _lines(rows: Rows) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _headed(rows: Rows) -> str:
    first, *others = rows
    return f"{_lines([first])}\n|{'---|' * len(first)}\n{_lines(others)}"


@every_format
@pytest.mark.parametrize("rows", [MEASURES, NAMED, HOURS, CLOSED, CONTACTS, LABELS, REPEATED, HALVES])
def test_a_first_row_of_values_is_no_header(maker, rows):
    assert table_of(maker(rows, [])) == _lines(rows)


@pytest.mark.parametrize("maker", TEXTS)
def test_pairs_of_words_are_names_and_what_is_said_of_them(maker):
    assert table_of(maker(PEOPLE, [])) == _lines(PEOPLE)


@every_format
@pytest.mark.parametrize(
    "rows",
    [
        [["Item", "Price"], ["Kayak", "£14.00"], ["Canoe", "on request"], ["Board", "£12.00"]],
        [["Day", "Open"], ["Monday", "9:00 - 17:00"], ["Tuesday", "9:00 - 17:00"], ["Sunday", "closed"]],
        [["Item", "Level", "Group"], ["Rolling", "Advanced", "4"], ["Strokes", "Beginner", "8"]],
        [["Time", "Monday", "Tuesday"], ["9:00", "yoga", "pilates"], ["10:00", "rest", "yoga"]],
    ],
)
def test_a_first_row_that_names_its_columns_is_a_header(maker, rows):
    assert table_of(maker(rows, [])) == _headed(rows)


@pytest.mark.parametrize("maker", [pytest.param(MAKERS[name], id=name) for name in ("word", "slide", "odt", "xlsx")])
def test_lengths_of_time_above_prices_name_columns(maker):
    rows = [["Item", "1 day", "3 days"], ["Kayak", "£14.00", "£30.00"], ["Canoe", "£24.00", "£60.00"]]
    assert table_of(maker(rows, [])) == _headed(rows)


@pytest.mark.parametrize(
    ("rows", "read"),
    [
        (
            "<tr><th>Dr. Voss</th><td>surgery</td></tr><tr><th>Dr. Beyer</th><td>teeth</td></tr>",
            "| Dr. Voss | surgery |\n",
        ),
        ("<tr><td></td><th>Standard</th></tr><tr><td>Malta</td><td>teeth</td></tr>", "|  | Standard |\n|---|---|\n"),
        ("<tr><td><b>Who</b></td><td><b>What</b></td></tr><tr><td>Voss</td><td>teeth</td></tr>", "| Who | What |\n|--"),
    ],
    ids=["names of rows", "empty corner", "bold"],
)
def test_a_page_says_which_cells_name_others(rows, read):
    assert manuscript(f"<!doctype html><table>{rows}</table>".encode()).text.startswith(read)


@pytest.mark.parametrize("look", ["bold", "filled", "style"])
def test_a_first_row_that_looks_different_is_a_header(look):
    document = docx.Document()
    table = document.add_table(rows=3, cols=2)
    for row, (who, what) in zip(table.rows, PEOPLE, strict=True):
        row.cells[0].text, row.cells[1].text = who, what
    for cell in table.rows[0].cells:
        if look == "bold":
            cell.paragraphs[0].runs[0].bold = True
        elif look == "filled":
            cell._tc.get_or_add_tcPr().append(parse_xml(f'<w:shd {nsdecls("w")} w:fill="D9E2F3"/>'))
    if look == "style":
        table.style = "Light Grid Accent 1"
    assert manuscript(made.saved(document)).text == _headed(PEOPLE)


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("17.8 kg", "in kg"),
        ("9-18", "time"),
        ("9.00 \u2013 12.30", "time"),
        ("Saturdays 9:30", "time"),
        ("8 Uhr", "time"),
        ("ab 42,00 €", "sum"),
        ("12.05.2026", "date"),
        ("2026-05-12", "date"),
        ("+44 1632 960 145", "phone"),
        ("www.example.com", "web"),
        ("1,200", "number"),
        ("PVC", ""),
        ("", ""),
    ],
)
def test_what_kind_of_value_a_cell_says(cell, kind):
    assert kind_of(cell) == kind

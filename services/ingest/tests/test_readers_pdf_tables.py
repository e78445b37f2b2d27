"""Tables of a PDF: told by ruling lines or by columns; whatever is not surely one stays text, and no word is lost."""

from collections import Counter

import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reportlab.platypus import PageBreak

from ingest_service.domain.blocks import Kind
from ingest_service.domain.chunk import chunk
from ingest_service.outbound.readers import pdf_rules
from ingest_service.outbound.readers.pdf_cells import Word
from ingest_service.outbound.readers.pdf_layout import Line
from ingest_service.outbound.readers.pdf_rules import Rule, Rules
from ingest_service.outbound.readers.pdf_tables import with_tables
from services.ingest.tests import made
from services.ingest.tests.memory import WordCounter
from services.ingest.tests.test_readers_office import manuscript, shown

BLACK = "#000000"
GRID = [("GRID", (0, 0), (-1, -1), 0.5, BLACK)]
BOLD = [("FONTNAME", (0, 0), (-1, 0), "Helvetica-Bold")]
BOOK = [("LINEABOVE", (0, 0), (-1, 0), 1, BLACK), *(("LINEBELOW", (0, row), (-1, row), 1, BLACK) for row in (0, -1))]
ZEBRA = [("ROWBACKGROUNDS", (0, 0), (-1, -1), ["#dddddd", "#ffffff"])]
ROWS = [
    ["Item", "Price", "Warranty"],
    ["Ridge tent", "120.00", "24 months"],
    ["Trail stove", "59.50", "12 months"],
    ["Peak boots", "89.00", "6 months"],
]
WIDTHS = [120, 80, 100]
FLAT = [("LINEBELOW", (0, 0), (-1, -1), 0.5, BLACK)]
STRIPES = [("BACKGROUND", (0, row), (-1, row), "#dddddd") for row in range(0, 101, 2)]
FEES = [
    ["Country", "Fee", "Duration"],
    ["Spain", "4.00", "2 days"],
    ["Norway", "9.50", "6 days"],
    ["Malta", "19.00", "9"],
]
READ_FEES = (
    "| Country | Fee | Duration |\n|---|---|---|\n| Spain | 4.00 | 2 days |\n"
    "| Norway | 9.50 | 6 days |\n| Malta | 19.00 | 9 |"
)
READ = (
    "| Item | Price | Warranty |\n|---|---|---|\n| Ridge tent | 120.00 | 24 months |\n"
    "| Trail stove | 59.50 | 12 months |\n| Peak boots | 89.00 | 6 months |"
)


@pytest.mark.parametrize("style", [GRID, BOOK, ZEBRA, BOLD, []], ids=["grid", "book", "zebra", "bold", "bare"])
def test_a_table_is_one_with_its_header_where_it_stands(style):
    result = manuscript(made.with_table(ROWS, style, WIDTHS))
    assert shown(result) == [
        (Kind.PARAGRAPH, "What stands above the table is a paragraph."),
        (Kind.TABLE, READ),
        (Kind.PARAGRAPH, "What stands below the table is a paragraph."),
    ]
    lead = result.blocks[1].lead
    assert lead is not None
    assert result.text[lead.start : lead.end].startswith("| Item | Price | Warranty |")


@pytest.mark.parametrize(("rules", "where"), [(GRID, "MIDDLE"), (BOOK, "TOP")])
def test_a_cell_of_several_lines_is_one_cell(rules, where):
    style = [*rules, ("VALIGN", (0, 0), (-1, -1), where)]
    note = "It is sent within two days, and to islands and mountains within five"
    rows = [["Item", "Delivery", "Price"], *([f"Tent {n}", f"{note} {n}.", f"{n}0.50"] for n in range(1, 5))]
    result = manuscript(made.with_table(rows, style, [80, 150, 60]))
    table = result.text.split("\n\n")[1].split("\n")
    assert table[2] == f"| Tent 1 | {note} 1. | 10.50 |"
    assert len(table) == 6


def test_rows_of_a_long_table_keep_their_header_in_every_passage():
    rows = [ROWS[0], *([f"Thing {n}", f"{n}.00", f"{n} months"] for n in range(35))]
    passages = chunk(manuscript(made.with_table(rows, GRID, WIDTHS)), WordCounter())
    tables = [passage for passage in passages if "Thing" in passage.body]
    assert len(tables) > 1
    assert all("| Item | Price | Warranty |" in f"{passage.lead}\n{passage.body}" for passage in tables)


@pytest.mark.parametrize("style", [GRID, BOOK, ZEBRA, FLAT, BOLD], ids=["grid", "book", "zebra", "flat", "bold"])
@pytest.mark.parametrize(
    "between",
    [(11,), (14,), (6, "What a parcel costs", 6), ("One. " * 80,)],
    ids=["narrow", "blank", "caption", "prose"],
)
def test_two_tables_of_one_width_are_two(style, between):
    result = manuscript(made.flowing(made.table(ROWS, style, WIDTHS), *between, made.table(FEES, style, WIDTHS)))
    tables = [words for kind, words in shown(result) if kind is Kind.TABLE]
    assert tables == [READ, READ_FEES]
    words = " ".join(part for part in between if isinstance(part, str)).strip()
    assert [words for kind, words in shown(result) if kind is not Kind.TABLE] == ([words] if words else [])


@pytest.mark.parametrize("style", [GRID, ZEBRA, FLAT], ids=["grid", "zebra", "flat"])
def test_a_row_that_names_a_group_parts_no_table(style):
    rows = [*ROWS[:2], ["Things of metal", "", ""], *ROWS[2:]]
    table = manuscript(made.with_table(rows, style, WIDTHS)).text.split("\n\n")[1]
    assert table == READ.replace("| Trail stove", "| Things of metal |  |  |\n| Trail stove")


def test_a_cell_above_all_columns_is_a_caption():
    rows = [["Prices of the season", "", ""], *ROWS]
    result = manuscript(made.with_table(rows, [*GRID, ("SPAN", (0, 0), (-1, 0))], WIDTHS))
    assert [words for _, words in shown(result)][1:3] == ["Prices of the season", READ]


def test_rows_are_rows_where_rules_part_groups_of_them():
    rules = [*BOOK, *(("LINEBELOW", (0, row), (-1, row), 0.5, BLACK) for row in (3, 6))]
    rows = [*ROWS, *([f"Thing {n}", f"{n}.00", f"{n} months"] for n in range(6))]
    table = manuscript(made.with_table(rows, rules, WIDTHS)).text.split("\n\n")[1]
    assert table.startswith(READ)
    assert len(table.splitlines()) == len(rows) + 1


LONG = [ROWS[0], *([f"Thing {n}", f"{n}.00", f"{n} months"] for n in range(100))]


@pytest.mark.parametrize("repeated", [0, 1])
@pytest.mark.parametrize(
    "style",
    [GRID, BOOK, ZEBRA, FLAT, STRIPES, BOLD, []],
    ids=["grid", "book", "zebra", "flat", "stripes", "bold", "bare"],
)
def test_rows_keep_their_header_on_the_next_pages(style, repeated):
    result = manuscript(made.flowing("Above.", 12, made.table(LONG, style, WIDTHS, repeated=repeated), edges=True))
    assert len(result.pages) == 3
    tables = [words for kind, words in shown(result) if kind is Kind.TABLE]
    assert all(table.startswith("| Item | Price | Warranty |\n|---|---|---|\n| Thing ") for table in tables)
    rows = [row for table in tables for row in table.splitlines()[2:]]
    assert rows == [f"| {' | '.join(row)} |" for row in LONG[1:]]
    for passage in chunk(result, WordCounter()):
        if "Thing" in passage.body:
            assert passage.full_text.count("| Item | Price | Warranty |") == len(
                {result.page_of(place) for place in passage.span}
            )


@pytest.mark.parametrize("style", [GRID, FLAT, BOLD, []], ids=["grid", "flat", "bold", "bare"])
@pytest.mark.parametrize("rest", [1, 2])
def test_a_row_that_is_alone_on_the_next_page_keeps_its_header(style, rest):
    one_page = 700 // 18
    result = manuscript(made.flowing(made.table(LONG[: one_page + rest], style, WIDTHS), 12, "Below."))
    assert len(result.pages) == 2
    on_it = result.text[result.pages[1] :].split("\n\n")
    assert on_it[0].splitlines()[0] == "| Item | Price | Warranty |"
    assert f"| Thing {one_page + rest - 2} |" in on_it[0]
    assert on_it[1:] == ["Below."]


@pytest.mark.parametrize("style", [GRID, BOLD], ids=["grid", "bold"])
def test_another_table_on_the_next_page_has_its_own_header(style):
    full = made.table(LONG[:36], style, WIDTHS)
    result = manuscript(made.flowing(full, PageBreak(), made.table(FEES, style, WIDTHS)))
    assert [words for kind, words in shown(result) if kind is Kind.TABLE][1:] == [READ_FEES]


@pytest.mark.parametrize("style", [GRID, FLAT, []], ids=["grid", "flat", "bare"])
def test_tables_of_the_same_words_and_other_numbers_are_no_header(style):
    def report(month: int) -> list[list[str]]:
        return [["Item", "Sold", "Left"], *([f"Thing {n}", f"{month * 131 + n}", f"{month * 31}"] for n in range(36))]

    months = [part for n in range(5) for part in (made.table(report(n), style, WIDTHS), PageBreak())]
    text = manuscript(made.flowing(*months)).text
    rows = [f"| {' | '.join(row)} |" for n in range(5) for row in report(n)[1:]]
    assert [row for row in text.splitlines() if "Thing" in row] == rows


def test_a_table_in_the_margin_of_each_page_is_a_header():
    def page(number: int) -> list[tuple[float, float, float, str]]:
        head = [["Manual", "Revision 7", f"Page {number} of 4"], ["Tents", "12 May 2026", "Ridge Outdoor Ltd"]]
        cells = [(72 + 160 * x, 810 - 14 * y, 9, words) for y, row in enumerate(head) for x, words in enumerate(row)]
        return [*cells, (72, 600, 11, f"How a tent of kind {number} is put up is written here.")]

    text = manuscript(made.pdf([page(number) for number in range(1, 5)])).text
    assert "kind 4" in text
    assert "Manual" not in text
    assert "Ridge" not in text


@pytest.mark.parametrize("style", [GRID, FLAT], ids=["grid", "flat"])
def test_a_table_of_words_on_the_next_page_does_not_go_on_with_one_of_numbers(style):
    shops = [["Shop", "City", "Street"], ["North", "Kiel", "Am Wall"], ["South", "Ulm", "Donau"]]
    result = manuscript(
        made.flowing(made.table(LONG[:36], style, WIDTHS), PageBreak(), made.table(shops, style, WIDTHS))
    )
    read = "| Shop | City | Street |\n|---|---|---|\n| North | Kiel | Am Wall |\n| South | Ulm | Donau |"
    assert [words for kind, words in shown(result) if kind is Kind.TABLE][1:] == [read]


def test_rows_on_the_next_page_need_not_all_have_numbers():
    rest = [["Thing", "on request", "two years"], ["Other thing", "9.00", "unknown"]]
    result = manuscript(made.flowing(made.table([*LONG[:39], *rest], GRID, WIDTHS)))
    on_it = result.text[result.pages[1] :].splitlines()
    assert on_it[0] == "| Item | Price | Warranty |"
    assert on_it[-2:] == ["| Thing | on request | two years |", "| Other thing | 9.00 | unknown |"]
    assert len(on_it) == 5


def test_a_table_that_ends_within_a_page_does_not_go_on_with_the_next():
    colours = [["Tent", "green", "light"], ["Stove", "black", "heavy"], ["Boots", "brown", "heavy"]]
    result = manuscript(made.flowing(made.table(ROWS, GRID, WIDTHS), PageBreak(), made.table(colours, GRID, WIDTHS)))
    assert "Item" not in result.text[result.pages[1] :]


def test_what_has_no_header_has_none_on_the_next_page():
    rows = [[f"Name {'abcdefgh'[n % 8] * (n // 8 + 1)}", "some value"] for n in range(60)]
    result = manuscript(made.flowing(made.table(rows, GRID, [150, 120])))
    assert len(result.pages) == 2
    assert "---" not in result.text


def test_names_and_values_have_no_header():
    rows = [["Weight", "light"], ["Colour", "green"], ["Sleeps", "two"], ["Poles", "aluminium"]]
    result = manuscript(made.with_table(rows, [], [120, 120]))
    assert "| Weight | light |\n| Colour | green |" in result.text


def test_what_is_no_table_stays_text():
    pages = [
        [(x, 700 - 16 * n, 11, words) for n in range(8) for x, words in ((72, "-"), (95, f"point number {n}"))],
        [(72, 700, 11, "Ridge Outdoor Ltd"), (400, 700, 11, "Bern, 3 May"), (72, 680, 11, "Long Street 1")],
        [(x, 700 - 14 * n, 11, f"a line of prose in one of two columns {n}") for x in (60, 320) for n in range(20)],
        [(x + 13 * (n % 3), 700 - 16 * n, 11, f"word{n}") for n in range(9) for x in (72, 200 + 17 * n)],
    ]
    for page in pages:
        result = manuscript(made.pdf([page]))
        assert Kind.TABLE not in {block.kind for block in result.blocks}


def test_boxes_are_rules_on_all_their_sides_and_a_map_is_not_looked_at(monkeypatch):
    page = pypdfium2.PdfDocument(made.with_table(ROWS, GRID, WIDTHS))[0]
    rules = pdf_rules.rules_of(page)
    assert (len(rules.flat), len(rules.upright)) == (len(ROWS) + 1, len(WIDTHS) + 1)
    assert all(round(rule.end - rule.begin) == sum(WIDTHS) for rule in rules.flat)
    for limit in ("MOST_POINTS", "MOST_RULES"):
        monkeypatch.setattr(pdf_rules, limit, 5)
        assert len(pdf_rules.rules_of(page).flat) < len(rules.flat)
        monkeypatch.setattr(pdf_rules, limit, 1_000)
    monkeypatch.setattr(pdf_rules, "MOST_RULES", 5)
    assert "| Trail stove | 59.50 |" in manuscript(made.with_table(ROWS, GRID, WIDTHS)).text


def test_a_page_without_gaps_is_not_measured():
    prose = [Line(f"Some words of prose {n}", 10, 72, 180, 700 - 14 * n, 700 - 14 * n, is_bold=False) for n in range(5)]
    assert with_tables(prose, lambda _number: pytest.fail("measured"), lambda: pytest.fail("measured")) == prose


def test_a_table_within_a_border_takes_no_line_from_what_is_around_it():
    places = [(left, base) for base in (400.0, 320.0, 200.0) for left in (0.0, 150.0)]
    lines = [Line(f"{left:.0f}/{base:.0f}", 10, left, left + 20, base, base, is_bold=False) for left, base in places]
    border = [Rule(at, 0.0, 500.0) for at in (500.0, 300.0, 100.0)]
    inner = [Rule(at, 0.0, 250.0) for at in (450.0, 350.0, 250.0)]

    def words_of(number):
        line = lines[number]
        return [Word(line.text, line.left, line.right, line.base, line.size, number)]

    told = with_tables(lines, words_of, lambda: Rules([*border, *inner], []))
    words = [
        line.text if line.table is None else " ".join(cell for row in line.table.rows for cell in row) for line in told
    ]
    assert Counter(" ".join(words).split()) == Counter(line.text for line in lines)


PLACES = st.integers(0, 20).map(lambda number: number * 25.0)
WORDS = st.lists(st.tuples(PLACES, st.integers(0, 12), st.sampled_from(["tent", "1.5", "a b", "-"])), max_size=40)
RULES = st.lists(st.builds(Rule, PLACES, st.just(0.0), st.sampled_from([250.0, 500.0])), max_size=8)


@given(WORDS, RULES, RULES)
def test_no_word_is_lost_or_told_twice(places, flat, upright):
    lines = [Line(text, 10, left, left + 20, 14.0 * row, 14.0 * row, is_bold=False) for left, row, text in places]

    def words_of(number):
        line = lines[number]
        return [Word(text, line.left, line.right, line.base, line.size, number) for text in line.text.split()]

    told = with_tables(lines, words_of, lambda: Rules(flat, upright))
    words = [
        line.text if line.table is None else " ".join(cell for row in line.table.rows for cell in row) for line in told
    ]
    assert Counter(" ".join(words).split()) == Counter(" ".join(line.text for line in lines).split())

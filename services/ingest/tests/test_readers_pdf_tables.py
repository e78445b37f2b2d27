"""Tables of a PDF: told by ruling lines or by columns; whatever is not surely one stays text, and no word is lost."""

from collections import Counter

import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_service.domain.blocks import Kind
from ingest_service.domain.chunk import chunk
from ingest_service.outbound.readers import pdf_rules
from ingest_service.outbound.readers.pdf_layout import Line
from ingest_service.outbound.readers.pdf_tables import Rule, Rules, Word, with_tables
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
    words = [line.text if not line.rows else " ".join(cell for row in line.rows for cell in row) for line in told]
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
    words = [line.text if not line.rows else " ".join(cell for row in line.rows for cell in row) for line in told]
    assert Counter(" ".join(words).split()) == Counter(" ".join(line.text for line in lines).split())

"""Cells and columns of a PDF whose lines stand side by side: each is read by itself to its last word."""

import pytest
from reportlab.lib.utils import simpleSplit

from ingest_service.domain.blocks import Kind
from services.ingest.tests import made
from services.ingest.tests.test_readers_office import manuscript, shown
from services.ingest.tests.test_readers_pdf_tables import BOOK, WIDTHS

AT_THE_TOP = [("VALIGN", (0, 0), (-1, -1), "TOP")]
IN_THE_MIDDLE = [("VALIGN", (0, 0), (-1, -1), "MIDDLE")]
WITHOUT_GAPS = [*AT_THE_TOP, ("TOPPADDING", (0, 1), (-1, -1), 0), ("BOTTOMPADDING", (0, 1), (-1, -1), 0)]
LONG_NAMES = [
    ["Item", "Price", "Warranty"],
    ["Ridge tent for two persons and a large dog", "120.00", "24 months"],
    ["Trail stove", "59.50", "12 months"],
    ["Peak boots with soles that can be replaced", "89.00", "6 months"],
    ["River bag", "39.00", "6 months"],
]
LONG_TEXTS = [
    ["Item", "What it is for", "What to know"],
    [
        "Tent",
        "two persons and a large dog, or three without one",
        "it stands by itself and needs no pegs in calm weather",
    ],
    ["Stove", "one pot of soup at a time", "never indoors"],
    ["Boots", "long days on stones", "their soles can be replaced in any of our shops, twice"],
]


@pytest.mark.parametrize("rows", [LONG_NAMES, LONG_TEXTS], ids=["names", "texts"])
@pytest.mark.parametrize("place", [AT_THE_TOP, IN_THE_MIDDLE], ids=["top", "middle"])
def test_a_row_whose_cells_have_several_lines_is_one_row_between_the_rules_of_a_book(rows, place):
    widths = WIDTHS if rows is LONG_NAMES else [60, 130, 130]
    result = manuscript(made.with_table(rows, [*BOOK, *place], widths))
    lines = [f"| {' | '.join(row)} |" for row in rows]
    assert (Kind.TABLE, "\n".join([lines[0], "|---|---|---|", *lines[1:]])) in shown(result)


def test_rows_that_are_no_further_apart_than_lines_go_on_with_a_small_letter():
    result = manuscript(made.with_table(LONG_NAMES, [*BOOK, *WITHOUT_GAPS], WIDTHS))
    assert "\n| Ridge tent for two persons and a large dog | 120.00 | 24 months |\n| Trail stove |" in result.text


@pytest.mark.parametrize("empty", [False, True])
def test_rows_in_groups_stay_rows(empty):
    rows = [["Item", "Price", "Stock"], *([f"Thing {n}", f"{n}9.50", f"{n * 7}"] for n in range(1, 10))]
    if empty:
        rows[3][1] = rows[5][2] = rows[8][1] = ""
    groups = [("TOPPADDING", (0, row), (-1, row), 12) for row in (4, 7)]
    result = manuscript(made.with_table(rows, [*BOOK, *groups], WIDTHS))
    lines = [f"| {' | '.join(row)} |" for row in rows]
    assert (Kind.TABLE, "\n".join([lines[0], "|---|---|---|", *lines[1:]])) in shown(result)


RETURNS = """You may send back any tent within thirty days of delivery, and you get all of your money back on it,
whatever the reason is.

Whoever bought in the shop brings the bill along; what was bought on the web can be found by its number, which stands on
the parcel, too, and in the letter about it."""
HOURS = """The shop in Bern is open from nine to five on weekdays. On Saturdays it closes at the stroke of noon, and on
holidays it remains closed all day. Parking is free for as long as two hours.
By train it is ten minutes from the station to the shop, and a bus goes every quarter of an hour."""


def wrapped(words):
    """Lines of a column that says its words several times, with an empty one between two paragraphs."""
    lines = [
        [*simpleSplit(" ".join(one.split()), "Helvetica", 10, 160), ""] for one in f"{words}\n\n{words}".split("\n\n")
    ]
    return [line for some in lines for line in some][:-1]


@pytest.mark.parametrize("ends_early", [0, 1])
def test_columns_of_prose_that_are_written_line_by_line_are_read_one_after_the_other(ends_early):
    columns = [wrapped(RETURNS), wrapped(HOURS)]
    longest = min(map(len, columns))
    columns = [columns[0][:longest], columns[1][:longest]]
    columns[ends_early] = columns[ends_early][:-2]
    page = [
        (left, 700 - 14 * n, 10, words)
        for n in range(30)
        for left, column in zip((72, 300), columns, strict=True)
        if (words := "".join(column[n : n + 1]))
    ]
    text = manuscript(made.pdf([[(72, 740, 16, "Returns and the shop"), *page]])).text
    said = " ".join(words for column in columns for words in column if words)
    assert " ".join(text.split()) == f"Returns and the shop {said}"


def test_long_cells_side_by_side_are_no_columns_of_prose():
    rows = [(f"What is to be known of tent {n}:", f"it has a warranty of {n} years at most") for n in range(1, 9)]
    page = [(x, 700 - 14 * n, 10, words) for n, row in enumerate(rows) for x, words in zip((72, 300), row, strict=True)]
    text = manuscript(made.pdf([page])).text
    assert text.index(rows[0][1]) < text.index(rows[1][0])


def as_read(*texts: str) -> list[str]:
    page = [(50, 700 - 14 * number, 11, text) for number, text in enumerate(texts)]
    return [words for _, words in shown(manuscript(made.pdf([page])))]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "We are closed from the first of May to the evening of the",
            "17. May and open again on the day after that one.",
        ),
        (
            "Der Laden ist bis auf Weiteres jeden Tag geschlossen, am",
            "24. Dezember den ganzen Tag, sonst nur am Morgen.",
        ),
        ("The workshop takes bicycles from eight to twelve and until", "17. Express repairs cost more."),
        (
            "Andere Raeder nehmen wir nur nach einem Anruf bei uns an,",
            "z. B. Tandems und Lastenraeder, die viel Platz brauchen.",
        ),
        (
            "Wir pruefen jedes Rad vor der Uebergabe an den Mieter und",
            "d. h. auch Bremsen, Licht und Reifen werden angesehen.",
        ),
    ],
)
def test_a_wrapped_sentence_that_begins_a_line_with_a_number_or_letter_stays_one(before, after):
    assert as_read("A first line that is as long as the others here are, and", before, after) == [
        f"A first line that is as long as the others here are, and {before} {after}"
    ]


@pytest.mark.parametrize(
    "lines",
    [
        ["What you have to bring with you when you come to our shop", "1. the bill", "2. the tent and its tag"],
        ["1. the bill that came with the tent when it was delivered", "2. the tent", "3. its tag"],
        ["a) the bill that came with the tent when it was delivered", "b) the tent", "c) its tag"],
        [
            "They end on the first day of the month after a notice.",
            "7. The law of the country holds for this contract too.",
        ],
        ["Liability", "6. The lender answers for what was done on purpose or with gross neglect."],
    ],
)
def test_a_list_begins_and_goes_on_though_no_sentence_ended_before_it(lines):
    items = [line for line in lines if line[:1].isdigit() or line[1:2] == ")"]
    read = "\n".join(as_read(*lines)).split("\n")
    assert read[-len(items) :] == items

"""Lines of Word documents whose parts are set apart by tabs or dots."""

import docx
import pytest

from ingest_service.domain.blocks import Kind
from ingest_service.outbound.readers.tabbed import cells_of
from services.ingest.tests import made
from services.ingest.tests.test_readers_office import manuscript, shown


def read(*lines: str, bold: int = 0) -> list[tuple[Kind, str]]:
    """What is read of these paragraphs, the first ones of them bold."""
    document = docx.Document()
    for number, line in enumerate(lines):
        document.add_paragraph().add_run(line).bold = number < bold
    return shown(manuscript(made.saved(document)))


@pytest.mark.parametrize(
    "lines",
    [
        ["Monday\tclosed", "Tuesday\t9 - 18"],
        ["Monday\tclosed\nTuesday\t9 - 18"],
        ["Monday ........ closed", "", "Tuesday . . . . . . 9 - 18"],
        ["Monday\t\t\tclosed", "Tuesday ......\t9 - 18"],
    ],
    ids=["tabs", "one paragraph", "dots", "both"],
)
def test_lines_that_are_set_apart_are_rows_of_a_table(lines):
    assert read(*lines) == [(Kind.TABLE, "| Monday | closed |\n| Tuesday | 9 - 18 |")]


def test_the_first_of_them_may_name_the_others():
    table = "| Course | Price |\n|---|---|\n| Yoga | 80 € |"
    assert read("Course\tPrice", "Yoga\t80 €") == [(Kind.TABLE, table)]
    assert read("Course\tPrice", "Yoga\ton request", bold=1)[0][1] == table.replace("80 €", "on request")


def test_where_all_of_them_are_bold_the_first_names_nothing():
    assert read("Monday\tclosed", "Tuesday\t9 - 18", bold=2) == [
        (Kind.TABLE, "| Monday | closed |\n| Tuesday | 9 - 18 |")
    ]


def test_rows_of_other_lists_are_tables_of_their_own():
    found = read(
        "Tent\t120 €", "Stove\t59 €", "Small\tgreen\tM", "Large\tblue\tL", "That is all.", "Pan\t9 €", "Pot\t8 €"
    )
    assert [text.count("\n") + 1 for _, text in found] == [2, 2, 1, 2]
    assert [kind for kind, _ in found] == [Kind.TABLE, Kind.TABLE, Kind.PARAGRAPH, Kind.TABLE]


def test_one_line_alone_is_none():
    assert read("Place, date\tSignature", "It was signed.") == [
        (Kind.PARAGRAPH, "Place, date Signature"),
        (Kind.PARAGRAPH, "It was signed."),
    ]
    assert read("Article 3\tPayment", "It is due at once.", bold=1)[0] == (Kind.HEADING, "Article 3 Payment")


@pytest.mark.parametrize(
    "line",
    [
        "1.1\tThe hirer pays.",
        "a)\tthe first",
        "§ 3\tPayment",
        "iv.\tfourth",
        "-\tan item",
        "\tAn indented line.",
        "Name: ______",
        "Wait... and see",
        "In short\t" + "what follows here is a whole sentence that somebody has indented by a tab, no cell. " * 2,
    ],
)
def test_clauses_items_and_indents_are_no_rows(line):
    assert cells_of(line) == []


@pytest.mark.parametrize("line", ["Mo.\t9 - 18", "Tel.\t0221 445566", "2 days\t30 €"])
def test_short_words_and_numbers_may_begin_a_row(line):
    assert cells_of(line) == line.split("\t")


def test_so_are_those_of_open_documents():
    lines = "".join(
        f"<text:p>{day}<text:tab/>{hours}</text:p>" for day, hours in (("Monday", "closed"), ("Friday", "9"))
    )
    body = f'<text:h text:outline-level="1">Hours</text:h>{lines}<text:p>Welcome.</text:p>'
    assert shown(manuscript(made.open_document("text", body))) == [
        (Kind.HEADING, "Hours"),
        (Kind.TABLE, "| Monday | closed |\n| Friday | 9 |"),
        (Kind.PARAGRAPH, "Welcome."),
    ]

import pytest

from ingest_service.domain import media_types as kinds
from ingest_service.domain.blocks import Kind
from ingest_service.domain.chunk import chunk
from ingest_service.domain.errors import Damaged, DocumentTooLong, EmptyDocument, Encrypted, NoTextLayer
from ingest_service.outbound.readers import pdf as reader
from services.ingest.tests import made
from services.ingest.tests.memory import WordCounter
from services.ingest.tests.test_readers_office import manuscript, shown

LINE = 14


def lines(*words: str, top: float = 700, left: float = 72, size: float = 11) -> list[tuple[float, float, float, str]]:
    return [(left, top - LINE * number, size, each) for number, each in enumerate(words)]


def test_lines_are_joined_to_paragraphs_and_larger_ones_are_headings():
    page = [
        *lines("Returns of tents", top=760, size=22),
        *lines("Within how long", top=720, size=15),
        *lines(
            "You may send back any tent within thirty days of delivery, and you get",
            "all of your money back on it.",
        ),
        *lines("A second paragraph stands further below and has a line that is just as long as", "the first.", top=650),
    ]
    result = manuscript(made.pdf([page], title="Returns of tents and stoves"))
    assert (result.media_type, result.title, result.notes) == (kinds.PDF, "Returns of tents and stoves", ())
    assert shown(result) == [
        (Kind.HEADING, "Returns of tents"),
        (Kind.HEADING, "Within how long"),
        (
            Kind.PARAGRAPH,
            "You may send back any tent within thirty days of delivery, and you get all of your money back on it.",
        ),
        (Kind.PARAGRAPH, "A second paragraph stands further below and has a line that is just as long as the first."),
    ]
    assert [block.level for block in result.blocks[:2]] == [1, 2]


def test_hyphenated_words_are_mended():
    page = lines(
        "We take back every tent that is unused, and we do so without any dis-", "cussion of the reasons for it."
    )
    assert "any discussion of the" in manuscript(made.pdf([page])).text


def test_items_make_a_list():
    page = lines(
        "Bring these with you when you come to the shop on a Monday morning:",
        "1. the bill",
        "2. the tent",
        "   and its tag",
    )
    assert shown(manuscript(made.pdf([page])))[1] == (Kind.LIST, "1. the bill\n2. the tent and its tag")


def test_lines_that_were_ended_on_purpose_keep_their_end():
    page = lines(
        "Tents and Stoves Ltd", "Long Street 1", "3000 Bern", "Open on every day of the week from nine to five o'clock"
    )
    assert "Long Street 1\n3000 Bern\nOpen" in manuscript(made.pdf([page])).text


def test_what_repeats_at_the_edges_of_pages_is_left_out():
    pages = [
        [
            *lines("Tents and Stoves", top=820, size=9),
            *lines(
                f"The text of part {number} is written here and is long enough to be one.", f"More of part {number}."
            ),
            *lines(f"Page {number} of 4", top=30, size=9),
        ]
        for number in range(1, 5)
    ]
    result = manuscript(made.pdf(pages))
    assert "Tents and Stoves" not in result.text
    assert "Page" not in result.text
    assert "part 4" in result.text
    assert len(result.pages) == 4


@pytest.mark.parametrize(
    ("words", "size"),
    [("Total of the month {}.{} euros", 11), ("Year {}", 11), ("Lesson {}", 20)],
    ids=["figures", "years", "headings"],
)
@pytest.mark.parametrize("top", [790, 30], ids=["above", "below"])
def test_what_differs_at_the_edges_of_pages_is_kept(words, size, top):
    numbers = {"Total": [(17, 20), (9, 35), (21, 99), (4, 10)], "Year": [(2021 + n,) for n in range(4)]}
    said = [words.format(*each) for each in numbers.get(words.split()[0], [(n,) for n in range(1, 5)])]
    pages = [
        [*lines("What was sold is written here, month by month."), *lines(each, top=top, size=size)] for each in said
    ]
    text = manuscript(made.pdf(pages)).text
    assert [each for each in said if each in text] == said


def test_a_passage_says_its_page():
    pages = [[*lines(f"Part {n}", size=20), *lines(f"Text of part {n}.", top=640)] for n in (1, 2)]
    passages = chunk(manuscript(made.pdf(pages)), WordCounter())
    assert [(passage.headings, passage.page) for passage in passages] == [(("Part 1",), 1), (("Part 2",), 2)]


def test_a_passage_over_two_pages_says_where_the_second_begins():
    result = manuscript(made.pdf([lines("The pool is open."), lines("The sauna is open until 22:45.")]))
    (passage,) = chunk(result, WordCounter())
    assert passage.page == 1
    assert passage.pages == ((0, 1), (result.text.index("The sauna"), 2))


def test_a_page_without_text_is_noted():
    result = manuscript(made.pdf([lines("Some words."), [], lines("More words.")]))
    assert [note.page for note in result.notes] == [2]
    assert "OCR" in result.notes[0].reason
    assert result.page_of(result.text.index("More")) == 3


def test_pages_that_are_all_pictures_are_refused():
    with pytest.raises(NoTextLayer) as refused:
        manuscript(made.pdf([[], []]))
    assert refused.value.code == "no_text_layer"


def test_empty_pages_are_an_empty_document():
    with pytest.raises(EmptyDocument):
        manuscript(made.pdf([[(10, 10, 10, " ")]]))


def test_a_password_is_asked_for():
    with pytest.raises(Encrypted) as refused:
        manuscript(made.pdf([lines("Secret.")], password="secret"))
    assert refused.value.code == "encrypted_document"


def test_a_broken_file_is_damaged():
    with pytest.raises(Damaged):
        manuscript(b"%PDF-1.7 and nothing else")


@pytest.mark.parametrize(("limit", "most"), [("MOST_PAGES", 1), ("MOST_CHARACTERS", 12)])
def test_too_long_a_file_is_refused(monkeypatch, limit, most):
    monkeypatch.setattr(reader, limit, most)
    with pytest.raises(DocumentTooLong):
        manuscript(made.pdf([lines("Some words."), lines("More words.")]))


@pytest.mark.parametrize("title", ["Microsoft Word - returns.docx", "untitled", "returns.pdf", "One"])
def test_a_title_that_is_none_is_not_taken(title):
    assert manuscript(made.pdf([lines("Some words.")], title=title)).title is None


def test_a_hyphen_at_a_lines_end_stays_before_a_capital_or_a_digit():
    lines = ["Our shop is in Baden-", "Baden, open 10-", "12 on Sundays, and returns are pos-", "sible there."]
    page = [(72, 700 - 14 * number, 11, words) for number, words in enumerate(lines)]
    assert " ".join(manuscript(made.pdf([page])).text.split()) == (
        "Our shop is in Baden-Baden, open 10-12 on Sundays, and returns are possible there."
    )

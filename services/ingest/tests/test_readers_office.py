import datetime as dt
import io

import docx
import pytest
import xlwt
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from PIL import Image
from pptx import Presentation

from ingest_service.domain import media_types as kinds
from ingest_service.domain.blocks import Kind
from ingest_service.domain.errors import Encrypted
from ingest_service.domain.manuscript import Manuscript
from ingest_service.outbound.readers import read
from services.ingest.tests import made

DAY = dt.datetime(2026, 1, 2)  # noqa: DTZ001 - a sheet knows no zone


class Progress:
    """Remembers what a reader says; the last word is that all is done."""

    def __init__(self) -> None:
        self.said: list[tuple[int, int]] = []

    def __call__(self, done: int, of: int) -> None:
        self.said.append((done, of))


def manuscript(data: bytes) -> Manuscript:
    progress = Progress()
    result = read(data, progress)
    assert progress.said[-1][0] == progress.said[-1][1]
    assert [done for done, _ in progress.said] == sorted(done for done, _ in progress.said)
    return result


def shown(result: Manuscript) -> list[tuple[Kind, str]]:
    return [(block.kind, result.text[block.span.start : block.span.end]) for block in result.blocks]


def test_a_word_document_keeps_its_structure():
    result = manuscript(made.word())
    assert (result.media_type, result.title, result.pages) == (kinds.DOCX, "Returns of tents", ())
    assert shown(result) == [
        (Kind.HEADING, "Returns"),
        (Kind.PARAGRAPH, "You may send things back."),
        (Kind.HEADING, "What it must be"),
        (Kind.LIST, "- unused\n- with its tag\n  - even the small"),
        (Kind.TABLE, "| item | days |\n|---|---|\n| tent | 30 |\n| stove | 14 |"),
        (Kind.PARAGRAPH, "Within thirty days."),
        (Kind.PARAGRAPH, "Beside a box."),
        (Kind.PARAGRAPH, "In the box"),
        (Kind.HEADING, "Bold line"),
        (Kind.PARAGRAPH, "After it."),
        (Kind.PARAGRAPH, "In a frame."),
        (Kind.LIST, "1. first\n2. second"),
    ]
    assert [block.level for block in result.blocks if block.kind is Kind.HEADING] == [1, 2, 6]
    assert [block.lead is not None for block in result.blocks if block.kind is Kind.TABLE] == [True]


@pytest.mark.parametrize(("rows", "is_table"), [(1, False), (2, True)])
def test_one_row_of_columns_of_text_is_no_table(rows, is_table):
    document = docx.Document()
    table = document.add_table(rows=rows, cols=2)
    for row in table.rows:
        row.cells[0].text = "Monday 8 to 12"
        row.cells[0].add_paragraph("Tuesday closed")
        row.cells[1].text = "Telephone 4471"
    found = shown(manuscript(made.saved(document)))
    assert [kind for kind, _ in found] == ([Kind.TABLE] if is_table else [Kind.PARAGRAPH] * 3)
    if not is_table:
        assert [words for _, words in found] == ["Monday 8 to 12", "Tuesday closed", "Telephone 4471"]


def test_headers_and_deleted_words_are_left_out():
    text = manuscript(made.word()).text
    assert "Header of every page" not in text
    assert "ten " not in text


ADDED = f"""<w:p {nsdecls("w", "wp")}><w:r><w:t>Seen.</w:t></w:r>
<w:del><w:r><w:pict><w:txbxContent><w:p><w:r><w:t>Deleted box</w:t></w:r></w:p></w:txbxContent></w:pict></w:r></w:del>
<w:r><w:rPr><w:vanish/></w:rPr>
<w:drawing><wp:inline><wp:docPr descr="A hidden picture of tents"/></wp:inline></w:drawing>
<w:pict><w:txbxContent><w:p><w:r><w:t>Hidden box</w:t></w:r></w:p></w:txbxContent></w:pict></w:r></w:p>"""
TWICE = f"""<w:r {nsdecls("w")} xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">
<mc:AlternateContent><mc:Choice><w:txbxContent><w:p><w:r><w:t>In a box</w:t></w:r></w:p></w:txbxContent></mc:Choice>
<mc:Fallback><w:txbxContent><w:p><w:r><w:t>In a box</w:t></w:r></w:p></w:txbxContent></mc:Fallback>
</mc:AlternateContent></w:r>"""


def test_boxes_and_cells_that_are_deleted_or_hidden_are_left_out_and_others_are_read_once():
    document = docx.Document()
    document.element.body.insert(0, parse_xml(ADDED))
    table = document.add_table(rows=2, cols=2)
    for row, cells in zip(table.rows, (("item", "days"), ("tent", "ten")), strict=True):
        for cell, words in zip(row.cells, cells, strict=True):
            cell.text = words
    table.cell(1, 0).paragraphs[0]._p.append(parse_xml(TWICE))
    table.cell(1, 1)._tc.get_or_add_tcPr().append(parse_xml(f"<w:cellDel {nsdecls('w')}/>"))
    assert manuscript(made.saved(document)).text == "Seen.\n\n| item | days |\n| tent In a box |  |"


def test_a_note_stands_where_it_is_called_and_comments_are_left_out():
    document = docx.Document()
    paragraph = document.add_paragraph("Within thirty days.")
    document.add_comment(paragraph.runs, "Is this true?", author="")
    call = f'<w:r {nsdecls("w")}><w:footnoteReference w:id="2"/></w:r>'
    paragraph._p.append(parse_xml(call))
    document.add_paragraph("Ask us.")._p.append(parse_xml(f"<w:del {nsdecls('w')}>{call}</w:del>"))
    notes = (
        f'<w:footnotes {nsdecls("w")}><w:footnote w:id="0" w:type="separator"><w:p/></w:footnote><w:footnote w:id="2">'
        "<w:p><w:r><w:footnoteRef/></w:r><w:r><w:t>Not what was on sale.</w:t></w:r></w:p></w:footnote></w:footnotes>"
    )
    part = Part(PackURI("/word/footnotes.xml"), "application/xml", notes.encode(), document.part.package)
    document.part.relate_to(part, "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes")
    assert manuscript(made.saved(document)).text == "Within thirty days. [Not what was on sale.]\n\nAsk us."


def _picture() -> io.BytesIO:
    memory = io.BytesIO()
    Image.new("1", (9, 9)).save(memory, "PNG")
    return memory


def _word_with_picture(said: str) -> bytes:
    document = docx.Document()
    run = document.add_paragraph("Put it up so:").add_run()
    run.add_picture(_picture(), 100)
    next(run._r.iter("{*}docPr")).set("descr", said)
    return made.saved(document)


def _slide_with_picture(said: str) -> bytes:
    presentation = Presentation()
    shapes = presentation.slides.add_slide(presentation.slide_layouts[6]).shapes
    shapes.add_textbox(0, 0, 100, 100).text_frame.text = "Put it up so:"
    picture = shapes.add_picture(_picture(), 0, 200)
    picture._element.nvPicPr.cNvPr.set("descr", said)
    hidden = shapes.add_textbox(0, 300, 100, 100)
    hidden.text_frame.text = "Not seen"
    hidden._element.nvSpPr.cNvPr.set("hidden", "1")
    return made.saved(presentation)


def _open_text_with_picture(said: str) -> bytes:
    space = 'xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" xmlns:svg="urn:svg"'
    frame = f"<draw:frame {space}><draw:image/><svg:desc>{said}</svg:desc></draw:frame>"
    return made.open_document("text", f"<text:p>Put it up so:{frame}</text:p>")


@pytest.mark.parametrize("maker", [_word_with_picture, _slide_with_picture, _open_text_with_picture])
@pytest.mark.parametrize(
    ("said", "shown_as"),
    [
        ("The poles cross\nabove the door", "[Picture: The poles cross above the door]"),
        ("テントの入口", "[Picture: テントの入口]"),
        ("Picture 4", ""),
        ("tents on a ridge.jpeg", ""),
        ("Ein Bild, das Zelte enthält.\n\nAutomatisch generierte Beschreibung", ""),
        ("", ""),
    ],
)
def test_what_the_author_says_of_a_picture_is_read_and_marked(maker, said, shown_as):
    assert " ".join(manuscript(maker(said)).text.split()) == f"Put it up so: {shown_as}".strip()


def test_a_slide_is_a_page_with_its_title_and_notes():
    result = manuscript(made.slides())
    assert result.media_type == kinds.PPTX
    assert [result.text[start:].splitlines()[0] for start in result.pages] == ["Prices", "Table"]
    assert shown(result)[:3] == [
        (Kind.HEADING, "Prices"),
        (Kind.LIST, "- Tents\n  - small ones"),
        (Kind.PARAGRAPH, "Say it slowly."),
    ]
    assert (Kind.PARAGRAPH, "In a group") in shown(result)
    assert (Kind.TABLE, "| item | price |\n|---|---|\n| tent | 120 |") in shown(result)


def test_a_sheet_is_a_page_and_gaps_part_its_tables():
    result = manuscript(made.saved(made.workbook()))
    assert result.media_type == kinds.XLSX
    assert shown(result) == [
        (Kind.HEADING, "Prices"),
        (Kind.PARAGRAPH, "All prices"),
        (Kind.TABLE, "| item | price |\n|---|---|\n| tent | 120 |\n| stove | 59.5 |"),
        (Kind.TABLE, "| city | shop |\n|---|---|\n| Bern | A |"),
        (Kind.HEADING, "Empty"),
    ]
    assert len(result.pages) == 2
    assert result.notes == ((None, "Hidden sheets were left out: 1."),)


def test_cells_are_shown_as_people_write_them():
    book = made.workbook()
    sheet = book.create_sheet("Kinds")
    sheet.append(["what", "value"])
    values = (
        True,
        DAY,
        DAY.replace(hour=9, minute=30),
        dt.time(8, 15),
        dt.time(8, 15, 7),
        3.10,
        -2,
        "=1+1",
        "#N/A",
        "a|b",
    )
    for value in values:
        sheet.append(["x", value])
    table = shown(manuscript(made.saved(book)))[-1][1].splitlines()[2:]
    # a formula that nothing has calculated yet has no value, and an error is none
    assert [line[4:].strip("| ") for line in table] == [
        "TRUE",
        "2026-01-02",
        "2026-01-02 09:30",
        "08:15",
        "08:15:07",
        "3.1",
        "-2",
        "",
        "",
        "a\\|b",
    ]


def test_a_sheet_with_one_cell_at_its_far_end_is_no_long_one():
    book = made.workbook()
    book.create_sheet("Far").cell(row=300_000, column=1, value="lost")
    result = manuscript(made.saved(book))
    assert "lost" not in result.text
    assert len(result.text) < 500


def test_an_old_workbook_is_read():
    book = xlwt.Workbook()
    sheet = book.add_sheet("Prices")
    date = xlwt.easyxf(num_format_str="YYYY-MM-DD")
    for row, cells in enumerate((("item", "price"), ("tent", 120), ("stove", 59.5))):
        for column, value in enumerate(cells):
            sheet.write(row, column, value)
    sheet.write(3, 0, dt.date(2026, 1, 2), date)
    sheet.write(3, 1, True)
    result = manuscript(made.saved(book))
    assert result.media_type == kinds.XLS
    assert shown(result) == [
        (Kind.HEADING, "Prices"),
        (Kind.TABLE, "| item | price |\n|---|---|\n| tent | 120 |\n| stove | 59.5 |\n| 2026-01-02 | TRUE |"),
    ]


def test_an_open_document_text_is_read():
    body = (
        "<text:tracked-changes><text:p>gone</text:p></text:tracked-changes>"
        '<text:p text:style-name="P1">The title</text:p>'
        '<text:h text:outline-level="2">Part</text:h><text:p>One<text:line-break/>two<text:s/>three'
        "<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>Below</text:p></text:note-body>"
        "</text:note></text:p><text:list><text:list-item><text:p>a</text:p><text:list><text:list-item><text:p>b</text:p>"
        "</text:list-item></text:list></text:list-item></text:list>"
        "<table:table><table:table-row><table:table-cell><text:p>item</text:p></table:table-cell><table:table-cell>"
        "<text:p>days</text:p></table:table-cell></table:table-row><table:table-row><table:table-cell><text:p>tent</text:p>"
        "</table:table-cell><table:table-cell><text:p>30</text:p></table:table-cell></table:table-row></table:table>"
    )
    styles = '<style:style style:name="P1" style:parent-style-name="Title"/>'
    result = manuscript(made.open_document("text", body, styles))
    assert result.media_type == kinds.ODT
    assert shown(result) == [
        (Kind.HEADING, "The title"),
        (Kind.HEADING, "Part"),
        (Kind.PARAGRAPH, "One\ntwo three [Below]"),
        (Kind.LIST, "- a\n  - b"),
        (Kind.TABLE, "| item | days |\n|---|---|\n| tent | 30 |"),
    ]


def test_an_open_document_sheet_repeats_no_empty_rows():
    row = "<table:table-row{}>{}</table:table-row>"
    cell = "<table:table-cell{}><text:p>{}</text:p></table:table-cell>"
    body = "".join(
        [
            '<table:table table:name="Prices">',
            row.format("", cell.format("", "item") + cell.format("", "price")),
            row.format(' table:number-rows-repeated="2"', cell.format(' table:number-columns-repeated="2"', "7")),
            row.format(
                ' table:number-rows-repeated="1048573"', '<table:table-cell table:number-columns-repeated="1024"/>'
            ),
            "</table:table>",
        ]
    )
    result = manuscript(made.open_document("spreadsheet", body))
    assert result.media_type == kinds.ODS
    assert shown(result) == [
        (Kind.HEADING, "Prices"),
        (Kind.TABLE, "| item | price |\n|---|---|\n| 7 | 7 |\n| 7 | 7 |"),
    ]
    assert result.pages == (0,)


def test_a_message_of_outlook_is_a_letter():
    data = made.outlook(
        class_="IPM.Note", subject="Tents", body="Dear all.\r\n\r\nBring:\r\n- a tent", sender="Ann <a@b.c>"
    )
    result = manuscript(data)
    assert (result.media_type, result.title) == (kinds.OUTLOOK, "Tents")
    assert shown(result)[0] == (Kind.HEADING, "Tents")
    assert shown(result)[-1] == (Kind.LIST, "- a tent")


def test_a_message_of_outlook_without_plain_text_is_read_from_its_page():
    assert manuscript(made.outlook(subject="Hi", html="<p>Web <b>body</b></p>")).text.endswith("Web body")


def test_an_encrypted_message_says_so():
    with pytest.raises(Encrypted):
        manuscript(made.outlook(class_="IPM.Note.SMIME", subject="Hi", body="x"))


@pytest.mark.parametrize("value", ['SYSTEM "file:///etc/hostname"', '"inner words"'])
def test_what_a_word_document_calls_in_by_name_is_left_out_and_said(value):
    body = made.part(made.words("Before.", "It HERE closed.", "After."), "word/document.xml")
    called = body.replace(b"<w:document", f"<!DOCTYPE w:document [<!ENTITY e {value}>]><w:document".encode(), 1)
    result = manuscript(made.with_part(made.words(), "word/document.xml", called.replace(b"HERE", b"is &e;")))
    assert [words for _, words in shown(result)] == ["Before.", "It is closed.", "After."]
    assert "calls them in by name (XML entities), which is not done: 1." in result.notes[0].reason


@pytest.mark.parametrize("name", ["altChunk", "subDoc"])
def test_other_files_that_word_puts_in_are_said_to_be_left_out(name):
    body = made.part(made.words("Before."), "word/document.xml")
    included = body.replace(b"<w:sectPr", f"<w:{name}/><w:{name}/><w:sectPr".encode(), 1)
    result = manuscript(made.with_part(made.words(), "word/document.xml", included))
    assert [words for _, words in shown(result)] == ["Before."]
    assert "left out: 2. Open it in Word" in result.notes[0].reason


@pytest.mark.parametrize(("cell", "row"), [("XFD1048576", "1,048,576"), ("A200000", "200,000"), ("B90000", None)])
def test_a_cell_far_below_the_others_is_said_to_be_left_out(cell, row):
    book = made.workbook()
    book.active[cell] = "far away"
    result = manuscript(made.saved(book))
    assert ("far away" in result.text) == (row is None)
    said = [note.reason for note in result.notes if "far below" in note.reason]
    assert [f"down to row {row}:" in reason for reason in said] == ([] if row is None else [True])

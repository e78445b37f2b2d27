"""Documents made by the libraries that write them, and by hand where none does."""

import io
import struct
import textwrap
import unicodedata
import zipfile
from collections.abc import Sequence

import docx
import pypdfium2
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from docx.text.paragraph import Paragraph as WordParagraph
from openpyxl import Workbook
from pptx import Presentation
from pptx.util import Inches
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table

ODF = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
)
END, FREE, NONE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFF
SECTOR = 512


def saved(document) -> bytes:
    """What any of the libraries writes."""
    memory = io.BytesIO()
    document.save(memory)
    return memory.getvalue()


def zipped(parts: dict[str, str | bytes]) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return memory.getvalue()


def with_part(data: bytes, name: str, content: bytes) -> bytes:
    """The archive with one part more, or another in its place."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts: dict[str, str | bytes] = {each: archive.read(each) for each in archive.namelist()}
    return zipped({**parts, name: content})


def part(data: bytes, name: str) -> bytes:
    """One part of an archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name)


def words(*paragraphs: str) -> bytes:
    """A Word document of nothing else."""
    document = docx.Document()
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    return saved(document)


def word() -> bytes:
    """Title, headings, lists, a table, a tracked change, a text box, a header and a footer."""
    document = docx.Document()
    document.core_properties.title = "Returns of tents"
    document.sections[0].header.paragraphs[0].text = "Header of every page"
    document.add_heading("Returns", 1)
    document.add_paragraph("You may send things back.")
    document.add_heading("What it must be", 2)
    for words, style in (
        ("unused", "List Bullet"),
        ("with its tag", "List Bullet"),
        ("even the small", "List Bullet 2"),
    ):
        document.add_paragraph(words, style=style)
    table = document.add_table(rows=3, cols=2)
    for row, cells in zip(table.rows, (("item", "days"), ("tent", "30"), ("stove", "14")), strict=True):
        for cell, words in zip(row.cells, cells, strict=True):
            cell.text = words
    changed = document.add_paragraph("Within ")
    _add(changed, f"<w:del {nsdecls('w')}><w:r><w:delText>ten</w:delText></w:r></w:del>")
    _add(changed, f"<w:ins {nsdecls('w')}><w:r><w:t>thirty</w:t></w:r></w:ins>")
    changed.add_run(" days.")
    boxed = document.add_paragraph("Beside a box.")
    box = "<w:txbxContent><w:p><w:r><w:t>In the box</w:t></w:r></w:p></w:txbxContent>"
    _add(boxed, f"<w:r {nsdecls('w')}><w:pict>{box}</w:pict></w:r>")
    bold = document.add_paragraph()
    bold.add_run("Bold line").bold = True
    document.add_paragraph("After it.")
    frame = document.add_table(rows=1, cols=1)
    frame.cell(0, 0).paragraphs[0].text = "In a frame."
    document.add_paragraph("first", style="List Number")
    document.add_paragraph("second", style="List Number")
    return saved(document)


def _add(paragraph: WordParagraph, xml: str) -> None:
    paragraph._p.insert_element_before(parse_xml(xml))


def slides() -> bytes:
    """Two slides: points of two levels with notes; a table beside a footer and an inner group."""
    presentation = Presentation()
    first = presentation.slides.add_slide(presentation.slide_layouts[1])
    first.shapes.title.text = "Prices"
    frame = first.placeholders[1].text_frame
    frame.text = "Tents"
    inner = frame.add_paragraph()
    inner.text, inner.level = "small ones", 1
    first.notes_slide.notes_text_frame.text = "Say it slowly."
    second = presentation.slides.add_slide(presentation.slide_layouts[5])
    second.shapes.title.text = "Table"
    table = second.shapes.add_table(2, 2, Inches(1), Inches(3), Inches(4), Inches(1)).table
    for row, cells in enumerate((("item", "price"), ("tent", "120"))):
        for column, words in enumerate(cells):
            table.cell(row, column).text = words
    group = second.shapes.add_group_shape()
    group.shapes.add_textbox(Inches(1), Inches(1), Inches(2), Inches(1)).text_frame.text = "In a group"
    return saved(presentation)


def workbook() -> Workbook:
    """A sheet with a caption, a table, a gap and another; a second and a hidden sheet."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Prices"
    for row in (
        ["All prices", None],
        ["item", "price"],
        ["tent", 120.0],
        ["stove", 59.5],
        [],
        ["city", "shop"],
        ["Bern", "A"],
    ):
        sheet.append(row)
    book.create_sheet("Empty")
    hidden = book.create_sheet("Secret")
    hidden.append(["not for you"])
    hidden.sheet_state = "hidden"
    return book


def pdf(pages: list[list[tuple[float, float, float, str]]], *, title: str = "", password: str | None = None) -> bytes:
    """Pages of lines (left, height from the bottom, size, words) in Helvetica; a page without lines is a picture."""
    memory = io.BytesIO()
    canvas = Canvas(memory, pagesize=A4, encrypt=password)
    canvas.setTitle(title)
    for lines in pages:
        if not lines:
            canvas.rect(50, 50, 400, 600, fill=1)
        for left, height, size, words in lines:
            canvas.setFont("Helvetica", size)
            canvas.drawString(left, height, words)
        canvas.showPage()
    canvas.save()
    return memory.getvalue()


def greek(text: str) -> bytes:
    """A page of Greek words, in the one standard font that has their letters, though not their accents."""
    memory = io.BytesIO()
    canvas = Canvas(memory, pagesize=A4)
    canvas.setFont("Symbol", 14)
    bare = "".join(letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))
    for number, line in enumerate(textwrap.wrap(bare, 60)):
        canvas.drawString(50, 700 - 24 * number, line)
    canvas.save()
    return memory.getvalue()


def scan(data: bytes, *, dpi: int = 200, rotation: int = 0) -> bytes:
    """The same PDF as a scanner makes it: each page a picture of itself, turned by so many degrees."""
    memory = io.BytesIO()
    canvas = Canvas(memory)
    for page in pypdfium2.PdfDocument(data):
        picture = page.render(scale=dpi / 72, grayscale=True, rotation=rotation).to_pil()
        size = picture.width * 72 / dpi, picture.height * 72 / dpi
        canvas.setPageSize(size)
        canvas.drawImage(ImageReader(picture), 0, 0, *size)
        canvas.showPage()
    canvas.save()
    return memory.getvalue()


def open_document(kind: str, body: str, styles: str = "") -> bytes:
    content = (
        f"<office:document-content {ODF}><office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>"
    )
    return zipped({"mimetype": f"application/vnd.oasis.opendocument.{kind}", "content.xml": content})


def book(*chapters: str, title: str = "The book") -> bytes:
    items = "".join(
        f'<item id="c{n}" href="c{n}.xhtml" media-type="application/xhtml+xml"/>' for n in range(len(chapters))
    )
    # the spine's order is the book's, whatever the manifest's is
    spine = "".join(f'<itemref idref="c{n}"/>' for n in reversed(range(len(chapters))))
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:title>{title}</dc:title></metadata><manifest>{items}</manifest><spine>{spine}</spine></package>"
    )
    container = '<container><rootfiles><rootfile full-path="OEBPS/content.opf"/></rootfiles></container>'
    parts: dict[str, str | bytes] = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": container,
        "OEBPS/content.opf": package,
    }
    return zipped({**parts, **{f"OEBPS/c{n}.xhtml": chapter for n, chapter in enumerate(chapters)}})


def outlook(**fields: str) -> bytes:
    """A compound file (MS-CFB) of a message (MS-OXMSG): `class_`, `subject`, `body`, `html`, `sender`."""
    tags = {"class_": 0x001A, "subject": 0x0037, "body": 0x1000, "sender": 0x0C1F, "html": 0x1013}
    streams = {}
    properties = bytearray(32)
    for name, value in fields.items():
        content = value.encode() if name == "html" else value.encode("utf-16-le")
        kind = 0x0102 if name == "html" else 0x001F
        streams[f"__substg1.0_{tags[name]:04X}{kind:04X}"] = content
        properties += struct.pack("<HHIII", kind, tags[name], 6, len(content) + (0 if name == "html" else 2), 0)
    return compound({"__properties_version1.0": bytes(properties), **streams})


def compound(streams: dict[str, bytes]) -> bytes:
    """A compound file of streams below 4,096 bytes, which all lie in the root's stream, in sectors of 64 bytes."""
    packed, places = bytearray(), {}
    chains: list[int] = []
    for name, content in streams.items():
        assert len(content) < 4096
        places[name] = len(chains)
        count = max(-(-len(content) // 64), 1)
        chains += [*range(len(chains) + 1, len(chains) + count), END]
        packed += content.ljust(count * 64, b"\0")
    entries = [_entry("Root Entry", 5, child=1, start=2, size=len(packed))]
    for number, (name, content) in enumerate(streams.items(), start=1):
        right = number + 1 if number < len(streams) else NONE
        entries.append(_entry(name, 2, right=right, start=places[name], size=len(content)))
    small = struct.pack(f"<{len(chains)}I", *chains)
    parts = [_filled(small, b"\xff"), _filled(bytes(packed)), _filled(b"".join(entries))]
    table, begins = [0xFFFFFFFD], []
    for part in parts:
        begins.append(len(table))
        count = len(part) // SECTOR
        table += [*range(len(table) + 1, len(table) + count), END]
    # sector 0 is the table, the sectors of the short streams' table are one
    assert len(parts[0]) == SECTOR
    assert len(table) <= SECTOR // 4
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH6xIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, begins[2], 0, 4096, begins[0], 1, END, 0)
    header += struct.pack("<109I", 0, *[FREE] * 108)
    fat = struct.pack("<128I", *table, *[FREE] * (128 - len(table)))
    return header + fat + b"".join(parts)


def _filled(content: bytes, rest: bytes = b"\0") -> bytes:
    return content + rest * (-len(content) % SECTOR)


def _entry(name: str, kind: int, *, start: int, size: int, right: int = NONE, child: int = NONE) -> bytes:
    encoded = name.encode("utf-16-le") + b"\0\0"
    fields = struct.pack("<HBBIII36xIQ", len(encoded), kind, 1, NONE, right, child, start, size)
    return encoded.ljust(64, b"\0") + fields


def with_table(rows: Sequence[Sequence[str]], style: Sequence[tuple[object, ...]], widths: Sequence[float]) -> bytes:
    """A page with a table between two paragraphs; cells of more than 40 characters are wrapped."""
    before, after = (f"What stands {where} the table is a paragraph." for where in ("above", "below"))
    return flowing(before, 12, table(rows, style, widths), 12, after)


def table(
    rows: Sequence[Sequence[str]], style: Sequence[tuple[object, ...]], widths: Sequence[float], *, repeated: int = 0
) -> Table:
    """With so many rows of its header on each page."""
    body = getSampleStyleSheet()["BodyText"]
    shown = [[Paragraph(cell, body) if len(cell) > 40 else cell for cell in row] for row in rows]
    return Table(shown, colWidths=list(widths), style=list(style), repeatRows=repeated)


def flowing(*parts: str | float | Flowable, edges: bool = False) -> bytes:
    """Paragraphs, points of blank and tables below each other, over pages with a line at the top and at the bottom."""

    def drawn(canvas: Canvas, document: SimpleDocTemplate) -> None:
        if edges:
            canvas.drawString(72, 800, "Ridge Outdoor Ltd, all prices")
            canvas.drawString(72, 40, f"Page {document.page}")

    memory = io.BytesIO()
    body = getSampleStyleSheet()["BodyText"]
    flow: list[Flowable] = []
    for part in parts:
        if isinstance(part, str):
            flow.append(Paragraph(part, body))
        else:
            flow.append(Spacer(1, part) if isinstance(part, int | float) else part)
    SimpleDocTemplate(memory, pagesize=A4).build(flow, onFirstPage=drawn, onLaterPages=drawn)
    return memory.getvalue()

"""How many cells of a PDF's tables keep their header and their row, and what telling tables costs a page.

    uv run python bench/pdf_tables.py [--data DIR] [--show STYLE]

Tables are made in fifteen styles with seeded contents, one on a page; in ten of them also two of one width below each
other, and one that goes on over the next pages, where its header is not said again. A cell is kept when it stands in a
table's row with its row's first cell, below its own header. Pages without tables are made too: whatever becomes a table
of them is wrong.
DIR holds folders with `files/*.pdf`, of which times and tables are told. Baseline: the same reader without looking for
tables, in alternating runs. Times are CPU ms a page for reading and cutting, the least of several.
"""

import argparse
import io
import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pypdfium2 import PdfiumError
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate, Paragraph, SimpleDocTemplate, Spacer, Table

from ingest_service.domain.blocks import Kind
from ingest_service.domain.chunk import chunk
from ingest_service.domain.errors import DocumentRefused
from ingest_service.domain.manuscript import Manuscript
from ingest_service.outbound.minilm_tokenizer import MiniLmTokenizer
from ingest_service.outbound.readers import pdf

BODY = getSampleStyleSheet()["BodyText"]
GRID = [("GRID", (0, 0), (-1, -1), 0.5, colors.black)]
BOLD = [("FONTNAME", (0, 0), (-1, 0), "Helvetica-Bold")]
LINES = [("LINEABOVE", (0, 0), (-1, 0), 1, colors.black), ("LINEBELOW", (0, 0), (-1, 0), 0.5, colors.black)]
BOOK = [*LINES, ("LINEBELOW", (0, -1), (-1, -1), 1, colors.black)]
ZEBRA = [("ROWBACKGROUNDS", (0, 0), (-1, -1), [colors.lightgrey, colors.white])]
RIGHT = [("ALIGN", (1, 0), (-1, -1), "RIGHT")]
TIGHT = [("LEFTPADDING", (0, 0), (-1, -1), 3), ("RIGHTPADDING", (0, 0), (-1, -1), 3)]
STYLES: dict[str, list[Any]] = {
    "grid": GRID,
    "grid, tight": [*GRID, *TIGHT],
    "grid, wrapped": [*GRID, ("VALIGN", (0, 0), (-1, -1), "MIDDLE")],
    "rules of a book": [*BOOK, *BOLD],
    "rules, wrapped": [*BOOK, ("VALIGN", (0, 0), (-1, -1), "TOP")],
    "row backgrounds": [*ZEBRA, *BOLD],
    "no lines, bold": BOLD,
    "no lines, right": RIGHT,
    "no lines, empty": [],
    "no lines, tight": [*TIGHT, *RIGHT],
}
WRAPPED: dict[str, list[Any]] = {
    "rules, long names": [*BOOK, ("VALIGN", (0, 0), (-1, -1), "TOP")],
    "rules, two texts": [*BOOK, ("VALIGN", (0, 0), (-1, -1), "TOP")],
    "rules, middle": [*BOOK, ("VALIGN", (0, 0), (-1, -1), "MIDDLE")],
    "rules, by line": [],
    "rules, no gap": [],
}
"""As in books, with cells of several lines: on one page each, as there is no rule where one is parted by a page's end.
The last two are written line by line across all columns; in the last, rows are no further apart than lines."""
NOUNS = ("Ridge tent", "Trail stove", "Peak boots", "Summit rope", "River bag", "Camp lamp", "Valley mat", "Lake canoe")
HEADERS = ("Item", "Price", "Stock", "Colour", "Weight", "Warranty", "Delivery")
PROSE = (
    "You may send back any tent within thirty days of delivery, and you get all of your money back on it. Whoever "
    "bought in the shop brings the bill along; what was bought on the web is found by its number. "
)
RUNS = 7
COUNTER = MiniLmTokenizer()


def contents(style: str, random_: random.Random, *, rows: int = 0, width: int = 0, first: int = 0) -> list[list[str]]:
    """A header, from the `first` one on, and rows; no two cells are alike, so that it is known whence they came."""
    width, height = width or random_.randint(3, 6), rows or random_.randint(4, 8 if style in WRAPPED else 14)
    found = [[*(HEADERS * 2)[first : first + width]]]
    for number in range(height):
        cells = [f"{random_.choice(NOUNS)} {number}{random_.randint(10, 99)}"]
        for column in range(1, width):
            value = random_.randint(100, 9_999)
            kinds = (f"{value / 10:.2f}", f"{value}", f"tone {value}", f"{value} g", f"{value} months", f"{value} days")
            cells.append(kinds[column - 1])
        if "empty" in style and random_.random() < 0.4:
            cells[random_.randrange(1, width)] = ""
        if "wrapped" in style:
            cells[1] = f"{cells[1]} at most, when it is ordered together with {cells[0]} before the end of the season"
        if style in WRAPPED:
            wrap(style, cells, random_)
        found.append(cells)
    return found


def wrap(style: str, cells: list[str], random_: random.Random) -> None:
    """Make some cells longer than a line."""
    if "names" in style or "no gap" in style:
        cells[0] += random_.choice(("", " for two persons and a dog, with a porch"))
    if "middle" in style:
        cells[1] += f" at most, when it is ordered together with {cells[0]} before the end"
    if "texts" in style or "by line" in style:
        cells[1] += " at most, when it is ordered" + random_.choice(("", " together with another one"))
        cells[2] += " are kept in the store" + random_.choice(("", " of Bern from May to October", " of Oslo"))


def table_pdf(style: str, *tables: Sequence[Sequence[str]]) -> bytes:
    if WRAPPED.get(style) == []:
        return by_line(tables[0], gap=0 if "no gap" in style else 6)
    memory = io.BytesIO()
    parts = [part for rows in tables for part in (Spacer(1, 12), drawn_table(style, rows))]
    SimpleDocTemplate(memory, pagesize=A4).build(
        [Paragraph(PROSE * 2, BODY), *parts, Spacer(1, 12), Paragraph(PROSE * 2, BODY)]
    )
    return memory.getvalue()


def drawn_table(style: str, rows: Sequence[Sequence[str]]) -> Table:
    fits = 20 if style in WRAPPED else 40
    shown = [[Paragraph(cell, BODY) if len(cell) > fits else cell for cell in row] for row in rows]
    widths = [110, *([130] if "wrapped" in style else [70]), *[62] * (len(rows[0]) - 2)]
    if style in WRAPPED:
        widths = [90, *([120] * 2 if "texts" in style else [120, 62]), *[62] * (len(rows[0]) - 3)]
    if "tight" in style:
        widths = [82, *[56] * (len(rows[0]) - 1)]
    return Table(shown, colWidths=widths, style=[("FONTSIZE", (0, 0), (-1, -1), 9), *(STYLES | WRAPPED)[style]])


def by_line(rows: Sequence[Sequence[str]], *, gap: float) -> bytes:
    """A table as in a book; `gap`: points between two rows, beside the distance of two lines."""
    widths = [90, 110, 110, *[62] * (len(rows[0]) - 3)]
    lefts = [60 + sum(widths[:column]) for column in range(len(widths))]
    rules, lines, height = [740.0, 723.0], [(lefts[n], 728.0, words) for n, words in enumerate(rows[0])], 711.0
    for row in rows[1:]:
        cells = [simpleSplit(cell, "Helvetica", 9, width - 6) for cell, width in zip(row, widths, strict=True)]
        for number in range(max(map(len, cells))):
            lines += [(left, height, cell[number]) for left, cell in zip(lefts, cells, strict=True) if cell[number:]]
            height -= 12
        height -= gap
    return drawn(
        [(60, 760, PROSE[:90]), *lines, (60, height - 20, PROSE[:90])],
        rules=[(60, at, 60 + sum(widths)) for at in (*rules, height + 8 + gap)],
    )


def kept(rows: Sequence[Sequence[str]], read: Manuscript) -> tuple[int, int]:
    """Of the body's cells, how many stand with their header and their row; and how many there are."""
    found: set[tuple[str, str, str]] = set()
    for table in tables_of(read):
        for row in table[1:]:
            found |= {(" ".join(row[:1]), header, cell) for header, cell in zip(table[0], row, strict=False)}
    cells = [(row[0], header, cell) for row in rows[1:] for header, cell in zip(rows[0], row, strict=True) if cell]
    return sum(cell in found for cell in cells), len(cells)


def tables_of(read: Manuscript) -> Iterator[list[list[str]]]:
    for block in read.blocks:
        if block.kind is Kind.TABLE:
            lines = read.text[block.span.start : block.span.end].split("\n")
            yield [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines if "---" not in line]


def plain_pdfs() -> dict[str, bytes]:
    """Pages that hold no table."""
    return {
        "two columns": two_columns(),
        "two columns, by line": drawn(
            [
                (left, 720 - 16 * n, words)
                for n, pair in enumerate(zip(*[simpleSplit(PROSE * 6, "Helvetica", 12, 210)] * 2, strict=True))
                for left, words in zip((72, 310), pair, strict=True)
            ]
        ),
        "prose": prose(),
        "a list": drawn([(72, 720 - 16 * n, f"{mark} {PROSE[:60]}") for n, mark in enumerate(["1.", "2.", "3."] * 6)]),
        "bullets apart": drawn(
            [(x, 720 - 16 * n, words) for n in range(12) for x, words in ((72, "-"), (100, f"{PROSE[n : n + 50]}"))]
        ),
        "a letterhead": drawn(
            [
                (72, 760, "Ridge Outdoor Ltd"),
                (400, 760, "Bern, 3 May"),
                (72, 740, "Long Street 1"),
                (72, 700, PROSE[:80]),
            ]
        ),
        "a formula": drawn([(72, 700, PROSE[:70]), (200, 670, "E = m c"), (420, 670, "(1)"), (72, 640, PROSE[70:140])]),
    }


def two_columns() -> bytes:
    memory = io.BytesIO()
    frames = [Frame(60 + 245 * n, 60, 230, 720) for n in range(2)]
    document = BaseDocTemplate(memory, pagesize=A4, pageTemplates=[PageTemplate(frames=frames)])
    style = BODY.clone("justified", alignment=4)
    document.build([Paragraph(PROSE * 3, style) for _ in range(14)])
    return memory.getvalue()


def prose() -> bytes:
    memory = io.BytesIO()
    SimpleDocTemplate(memory, pagesize=A4).build([Paragraph(PROSE * 4, BODY) for _ in range(40)])
    return memory.getvalue()


def drawn(lines: Sequence[tuple[float, float, str]], rules: Sequence[tuple[float, float, float]] = ()) -> bytes:
    """Words at a place, and rules at a height between two places."""
    memory = io.BytesIO()
    canvas = Canvas(memory, pagesize=A4)
    canvas.setFont("Helvetica", 9 if rules else 12)
    for left, height, right in rules:
        canvas.line(left, height, right, height)
    for left, height, words in lines:
        canvas.drawString(left, height, words)
    canvas.save()
    return memory.getvalue()


def unheard(done: int, of: int) -> None:
    """Nobody is told how far it is."""


def read(data: bytes) -> Manuscript:
    return pdf.read(data, unheard)


def costs(data: bytes) -> tuple[float, float, int]:
    """CPU ms a page without looking for tables, and with; and how many pages."""
    real, least = pdf.with_tables, {True: 1e9, False: 1e9}
    pages = 1
    for number in range(2 * RUNS):
        looks = bool(number % 2)
        pdf.with_tables = real if looks else (lambda lines, *_rest: list(lines))
        begun = time.process_time()
        found = read(data)
        chunk(found, COUNTER)
        pages = max(len(found.pages), 1)
        least[looks] = min(least[looks], time.process_time() - begun)
    pdf.with_tables = real
    return least[False] * 1e3 / pages, least[True] * 1e3 / pages, pages


def made(count: int) -> None:
    print(f"{'style':18}{'tables':>7}{'cells':>7}{'kept':>7}{'ms':>8}{'with':>8}")
    total, of, spent = 0, 0, [0.0, 0.0]
    for style in (*STYLES, *WRAPPED):
        random_ = random.Random(style)
        some = [contents(style, random_) for _ in range(count)]
        files = [table_pdf(style, rows) for rows in some]
        pairs = [kept(rows, read(data)) for rows, data in zip(some, files, strict=True)]
        before, after, _ = costs(files[0])
        hits, cells = (sum(column) for column in zip(*pairs, strict=True))
        total, of, spent = total + hits, of + cells, [spent[0] + before, spent[1] + after]
        print(f"{style:18}{count:7}{cells:7}{hits / cells:7.3f}{before:8.2f}{after:8.2f}")
    styles = len(STYLES) + len(WRAPPED)
    before, after = (each / styles for each in spent)
    print(f"{'all':18}{count * styles:7}{of:7}{total / of:7.3f}{before:8.2f}{after:8.2f}")


def placed(count: int) -> None:
    """Where tables stand: two of one width on a page, and one on several pages."""
    print(f"\n{'style':18}{'cells':>7}{'two':>7}{'cells':>8}{'long':>7}")
    total = [0] * 4
    for style in STYLES:
        random_ = random.Random(style)
        found = [0] * 4
        for _ in range(count):
            width = random_.randint(3, 6)
            two = [contents(style, random_, width=width, first=first) for first in (0, 3)]
            long = [contents(style, random_, rows=random_.randint(38, 100))]
            for place, tables in ((0, two), (2, long)):
                shown = read(table_pdf(style, *tables))
                for rows in tables:
                    hits, cells = kept(rows, shown)
                    found[place] += cells
                    found[place + 1] += hits
        total = [one + more for one, more in zip(total, found, strict=True)]
        print(f"{style:18}{found[0]:7}{found[1] / found[0]:7.3f}{found[2]:8}{found[3] / found[2]:7.3f}")
    print(f"{'all':18}{total[0]:7}{total[1] / total[0]:7.3f}{total[2]:8}{total[3] / total[2]:7.3f}")


def timed(files: dict[str, bytes], say: Callable[[Manuscript], str]) -> None:
    print(f"\n{'file':42}{'pages':>6}{'ms a page':>10}{'with':>8}  tables")
    for name, data in files.items():
        try:
            before, after, pages = costs(data)
        except (DocumentRefused, PdfiumError) as error:
            print(f"{name[-40:]:42}{type(error).__name__}")
            continue
        print(f"{name[-40:]:42}{pages:6}{before:10.2f}{after:8.2f}  {say(read(data))}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--tables", type=int, default=20, help="of each style")
    parser.add_argument("--show", choices=[*STYLES, *WRAPPED], help="print one table as it is read")
    arguments = parser.parse_args()
    if arguments.show:
        print(read(table_pdf(arguments.show, contents(arguments.show, random.Random(arguments.show)))).text)
        return
    made(arguments.tables)
    placed(arguments.tables)

    def say(manuscript: Manuscript) -> str:
        return ", ".join(f"{len(table)} x {len(table[0])}" for table in tables_of(manuscript)) or "none"

    timed(plain_pdfs(), say)
    if arguments.data:
        timed({path.name: path.read_bytes() for path in sorted(arguments.data.glob("*/files/*.pdf"))}, say)


if __name__ == "__main__":
    main()

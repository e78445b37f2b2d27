"""PDF by pdfium: the text layer of each page, as lines that know where they stand.

pdfium gives a page's text in the order in which it was written, right-to-left text in reading order, and joins
words that are hyphenated across lines with a mark.
"""

import contextlib
import ctypes
import math
import re
from collections.abc import Sequence
from functools import partial
from itertools import islice, pairwise
from typing import Final

import pypdfium2
from pypdfium2 import raw

from ingest_service.domain import language, media_types
from ingest_service.domain.document import Note
from ingest_service.domain.errors import Damaged, DocumentTooLong, EmptyDocument, Encrypted, NoTextLayer
from ingest_service.domain.manuscript import MOST_CHARACTERS, MOST_PAGES, Composer, Manuscript
from ingest_service.outbound.readers.pdf_breaks import continued, table_at_end
from ingest_service.outbound.readers.pdf_cells import Word
from ingest_service.outbound.readers.pdf_fields import WordsOf, fields_of, with_fields
from ingest_service.outbound.readers.pdf_layout import Line, Page, Table, compose_pages
from ingest_service.outbound.readers.pdf_pictures import drawn
from ingest_service.outbound.readers.pdf_rules import rules_of
from ingest_service.outbound.readers.pdf_tables import with_tables
from ingest_service.outbound.readers.pdf_unseen import UNSEEN, Sight, seen
from ingest_service.outbound.readers.ports import NO_OCR, Ocr, Say
from ingest_service.outbound.readers.scan import ABSENT, Scanner
from ingest_service.outbound.readers.titles import own_title

BOLD_FROM: Final = 600
"""Font weight, 400 being regular."""
LINES_THAT_TELL_THE_LANGUAGE: Final = 50
_XFA: Final = (
    "This is a dynamic form (XFA), which Adobe's programs alone can show: only what stands in its place was read. Open "
    "it in Adobe Acrobat, print it as PDF and send that."
)
_UNREADABLE: Final = re.compile("[\x00-\x01\x03-\x08\x0b\x0e-\x1f\ue000-\uefff\uf8ff\ufffd]")
_WORD: Final = re.compile(r"\S+")
_LAM_ALEF: Final = re.compile("[\u0622\u0623\u0625\u0627]\u0644")


def read(data: bytes, say: Say, ocr: Ocr = NO_OCR) -> Manuscript:
    """Raises: Encrypted, NoTextLayer, EmptyDocument, DocumentTooLong, Damaged."""
    document = _opened(data)
    try:
        pages = _pages(document, say)
        unseen = [number for number, page in enumerate(pages, start=1) if page.leaves_out]
        notes = [*_scanned(document, pages, ocr, say), *_form_notes(document)]
        title = own_title(str(document.get_metadata_value("Title")))
    finally:
        document.close()
    if not any(page.lines for page in pages):
        raise NoTextLayer(_without_text(notes)) if notes else EmptyDocument("The document has no text in it.")
    composer = Composer()
    compose_pages(composer, pages)
    for number in unseen:
        composer.note(UNSEEN, page=number)
    for note in notes:
        composer.note(note.reason, page=note.page)
    return composer.manuscript(media_types.PDF, title)


def _form_notes(document: pypdfium2.PdfDocument) -> list[Note]:
    """A form whose pages Adobe's programs alone make: others show what stands in their place, mostly `Please wait`."""
    return [Note(None, _XFA)] if document.get_formtype() == raw.FORMTYPE_XFA_FULL else []


def _opened(data: bytes) -> pypdfium2.PdfDocument:
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if error.err_code in {raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY}:
            raise Encrypted("The PDF is encrypted. Remove its password and send it again.") from error
        raise Damaged("The PDF is damaged. Save it again and send it anew.") from error
    # before anything else is asked; a form that is broken is read without what was filled in
    with contextlib.suppress(pypdfium2.PdfiumError):
        document.init_forms()
    if len(document) > MOST_PAGES:
        document.close()
        raise DocumentTooLong(f"The document has more than {MOST_PAGES:,} pages. Send it in parts.")
    return document


def _pages(document: pypdfium2.PdfDocument, say: Say) -> list[Page]:
    """All pages by their text layer; those without one are not said to be done yet."""
    pages: list[Page] = []
    characters = done = 0
    for number in range(len(document)):
        page = _page(document, number, table_at_end(pages[-1]) if pages else None)
        characters += sum(len(line.text) for line in page.lines)
        if characters > MOST_CHARACTERS:
            raise DocumentTooLong(f"The document has more than {MOST_CHARACTERS:,} characters. Send it in parts.")
        pages.append(page)
        done += not page.is_picture
        say(done, len(document))
    return pages


def _scanned(document: pypdfium2.PdfDocument, pages: list[Page], ocr: Ocr, say: Say) -> list[Note]:
    """Put what OCR reads in the place of pages that are pictures; what is to be said of those pages."""
    pictures = [number for number, page in enumerate(pages) if page.is_picture]
    if not ocr.is_there:
        say(len(pages), len(pages))
        return [Note(number + 1, ABSENT) for number in pictures]
    scanner = Scanner(ocr, language.detect(_beginning(pages)))
    say(len(pages) - len(pictures), len(pages), len(pictures))
    try:
        for done, number in enumerate(pictures, start=1):
            pages[number] = scanner.page(number, partial(drawn, document, number)) or pages[number]
            say(len(pages) - len(pictures) + done, len(pages), len(pictures))
        return scanner.notes()
    finally:
        scanner.close()


def _beginning(pages: Sequence[Page]) -> str:
    words = (line.text for page in pages for line in page.lines)
    return " ".join(islice(words, LINES_THAT_TELL_THE_LANGUAGE))


def _without_text(notes: Sequence[Note]) -> str:
    """Why no page of a document of pictures could be read."""
    if notes[0].reason == ABSENT:
        return (
            "No page of the PDF has a text layer, and reading pictures (OCR) is not installed. Run OCR on it and send "
            "the result, or have tesseract installed."
        )
    return f"No page of the PDF has a text layer, and OCR found no text. {notes[0].reason}"


def _page(document: pypdfium2.PdfDocument, number: int, before: Table | None) -> Page:
    """One page; `before` is the table that the one before ends with."""
    try:
        page = document[number]
    except pypdfium2.PdfiumError:
        return Page([], 0.0, is_picture=True)
    text_page = page.get_textpage()
    try:
        text = text_page.get_text_range() if text_page.count_chars() else ""
        if not text.strip():
            return Page([], page.get_height(), is_picture=_shows_more_than_text(page))
        if len(_UNREADABLE.findall(text)) * 3 > len(text):
            return Page([], page.get_height(), is_picture=True)
        written, places = _lines(text, text_page.raw)
        sight, is_wide = Sight(page, text_page.raw), _is_wide(text)
        lines, firsts = seen(
            written,
            places,
            sight,
            units=partial(_units, is_wide=is_wide),
            line_of=partial(_line, handle=text_page.raw, is_wide=is_wide),
        )
        leaves_out = lines is not written
        words: WordsOf = partial(_words, lines, firsts, text_page.raw)
        if fields := fields_of(page):
            lines, words = with_fields(lines, words, fields)
        shown = with_tables(lines, words, partial(rules_of, page), before.columns if before else ())
        is_picture = not lines and _shows_more_than_text(page)
        whole = Page(shown, page.get_height(), is_picture=is_picture, leaves_out=leaves_out)
        return continued(whole, before) if before else whole
    finally:
        text_page.close()
        page.close()


def _shows_more_than_text(page: pypdfium2.PdfPage) -> bool:
    """Images or drawings; a page with spaces alone is empty."""
    objects = (raw.FPDFPage_GetObject(page, number) for number in range(raw.FPDFPage_CountObjects(page)))
    return any(raw.FPDFPageObj_GetType(each) != raw.FPDF_PAGEOBJ_TEXT for each in objects)


def _lines(text: str, handle: raw.FPDF_TEXTPAGE) -> tuple[list[Line], list[int]]:
    """The lines of a page's text, and the places of their first letters.

    pdfium counts UTF-16 units, of which a character beyond the BMP takes two.
    """
    is_wide = _is_wide(text)
    lines, firsts = [], []
    begin = 0
    for words in text.split("\n"):
        line = words.rstrip("\r")
        if line.strip():
            first = begin + _units(words[: len(words) - len(words.lstrip())], is_wide=is_wide)
            lines.append(_line(line.strip(), first, handle, is_wide=is_wide))
            firsts.append(first)
        begin += _units(words, is_wide=is_wide) + 1
    return lines, firsts


def _words(lines: Sequence[Line], firsts: Sequence[int], handle: raw.FPDF_TEXTPAGE, number: int) -> list[Word]:
    """The words of one line from left to right at each height; a line of other order is one word."""
    line, first = lines[number], firsts[number]
    is_wide = _is_wide(line.text)
    # a page has hundreds of words: these are made once
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    words: list[Word] = []
    is_level = abs(line.base - line.last_base) <= line.size / 3
    for match in _WORD.finditer(line.text):
        begin = first + _units(line.text[: match.start()], is_wide=is_wide)
        end = begin + _units(match.group(), is_wide=is_wide) - 1
        raw.FPDFText_GetCharBox(handle, begin, left, right, bottom, top)
        begins_at = left.value
        raw.FPDFText_GetCharBox(handle, end, left, right, bottom, top)
        base = line.base if is_level else _base(handle, begin)
        words.append(Word(match.group(), begins_at, right.value, base, line.size, number))
    if any(after.left < before.right and after.base == before.base for before, after in pairwise(words)):
        return [Word(line.text, line.left, line.right, line.base, line.size, number)]
    return words


def _line(shown: str, first: int, handle: raw.FPDF_TEXTPAGE, *, is_wide: bool) -> Line:
    last = first + _units(shown, is_wide=is_wide) - 1
    # a space may be pdfium's own, of no size
    before = shown[: len(shown) // 2].rstrip()
    middle = first + max(_units(before, is_wide=is_wide) - 1, 0)
    box = [_box(handle, first), _box(handle, last)]
    return Line(
        text=_in_order(shown, first, handle),
        size=_size(handle, middle),
        left=min(sides[0] for sides in box),
        right=max(sides[1] for sides in box),
        base=_base(handle, first),
        last_base=_base(handle, last),
        is_bold=min(raw.FPDFText_GetFontWeight(handle, first), raw.FPDFText_GetFontWeight(handle, middle)) >= BOLD_FROM,
    )


def _box(handle: raw.FPDF_TEXTPAGE, index: int) -> tuple[float, float]:
    left, right, bottom, top = ctypes.c_double(), ctypes.c_double(), ctypes.c_double(), ctypes.c_double()
    raw.FPDFText_GetCharBox(handle, index, left, right, bottom, top)
    return left.value, right.value


def _base(handle: raw.FPDF_TEXTPAGE, index: int) -> float:
    x, y = ctypes.c_double(), ctypes.c_double()
    raw.FPDFText_GetCharOrigin(handle, index, x, y)
    return y.value


def _size(handle: raw.FPDF_TEXTPAGE, index: int) -> float:
    """Points as they are shown: the font's size, scaled by the text's matrix."""
    matrix = raw.FS_MATRIX()
    raw.FPDFText_GetMatrix(handle, index, matrix)
    scale = math.hypot(matrix.c, matrix.d) or 1.0
    points: float = raw.FPDFText_GetFontSize(handle, index) * scale
    return round(points * 2) / 2


def _in_order(words: str, first: int, handle: raw.FPDF_TEXTPAGE) -> str:
    """Arabic lam-alef is one glyph of two letters, which pdfium turns around with the line: they share one box."""

    def turned(match: re.Match[str]) -> str:
        place = first + match.start()
        is_one_glyph = _box(handle, place) == _box(handle, place + 1)
        return match.group()[::-1] if is_one_glyph else match.group()

    return _LAM_ALEF.sub(turned, words)


def _is_wide(text: str) -> bool:
    return any(character > "\uffff" for character in text)


def _units(text: str, *, is_wide: bool) -> int:
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2 if is_wide else len(text)

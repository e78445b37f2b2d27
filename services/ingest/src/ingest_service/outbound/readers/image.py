"""PNG, JPEG, TIFF and WebP, read by OCR; each picture of a TIFF is a page."""

import io
from collections.abc import Iterator
from functools import partial
from itertools import count
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

from ingest_service.domain import media_types as kinds
from ingest_service.domain.document import Note
from ingest_service.domain.errors import Damaged, DocumentTooLong, NoTextLayer
from ingest_service.domain.manuscript import MOST_PAGES, Composer, Manuscript
from ingest_service.outbound.readers import scan
from ingest_service.outbound.readers.pdf_layout import Page, compose_pages
from ingest_service.outbound.readers.ports import NO_OCR, Ocr, Say
from ingest_service.outbound.readers.scan import ABSENT, Drawn, NotDrawn, Scanner

_KINDS: Final = {"PNG": kinds.PNG, "JPEG": kinds.JPEG, "TIFF": kinds.TIFF, "WEBP": kinds.WEBP}
FINEST, COARSEST = 1_200, 60
"""Dots an inch that are believed; what says nothing, or something else, is taken for as high as a letter page."""
LONG_SIDE_IN: Final = 11.0
MOST_ENLARGED: Final = 4.0
_NOT_INSTALLED: Final = (
    "This is a picture, and reading pictures (OCR) is not installed. Send its text, or have tesseract installed (on "
    "Debian: tesseract-ocr, and tesseract-ocr-deu for German)."
)
# the pixels are counted here, before anything is unpacked
Image.MAX_IMAGE_PIXELS = None


def read(data: bytes, say: Say, ocr: Ocr = NO_OCR) -> Manuscript:
    """Raises: NoTextLayer, DocumentTooLong, Damaged."""
    try:
        image = Image.open(io.BytesIO(data), formats=tuple(_KINDS))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise Damaged("The picture is damaged. Save it again and send it anew.") from error
    with image:
        # a JPEG of a camera that keeps a second picture behind the first is opened as MPO
        kind = _KINDS.get(image.format or "", kinds.JPEG)
        if not ocr.is_there:
            raise NoTextLayer(_NOT_INSTALLED)
        pages, notes = _scanned(image, ocr, say)
    if not any(page.lines for page in pages):
        raise NoTextLayer(_NOT_INSTALLED if notes[0].reason == ABSENT else f"OCR found no text. {notes[0].reason}")
    composer = Composer()
    compose_pages(composer, pages)
    for note in notes:
        composer.note(note.reason, page=note.page)
    return composer.manuscript(kind)


def _scanned(image: Image.Image, ocr: Ocr, say: Say) -> tuple[list[Page], list[Note]]:
    scanner = Scanner(ocr, "und")
    of, pages = sum(1 for _ in _numbers(image)), list[Page]()
    image.seek(0)
    try:
        for number in _numbers(image):
            pages.append(scanner.page(number, partial(_drawn, image)) or Page([], 0.0, is_picture=True))
            say(len(pages), of, of)
        return pages, scanner.notes()
    finally:
        scanner.close()


def _numbers(image: Image.Image) -> Iterator[int]:
    """Turn to each picture in the file: only a TIFF has pages, what moves is shown as it begins."""
    yield 0
    for number in count(1) if image.format == "TIFF" else ():
        try:
            image.seek(number)
        except EOFError:
            return
        if number == MOST_PAGES:
            raise DocumentTooLong(f"The document has more than {MOST_PAGES:,} pages. Send it in parts.")
        yield number


def _drawn(image: Image.Image) -> Drawn:
    """The picture that the file is turned to, in shades of gray and as a person would hold it.

    Raises:
        NotDrawn: It is damaged, or has more than `scan.MOST_IMAGE_PIXELS`.
    """
    from ingest_service.outbound.readers.tesseract import Picture

    if image.width * image.height > scan.MOST_IMAGE_PIXELS:
        raise NotDrawn(scan.TOO_LARGE)
    dpi = _dpi(image)
    try:
        gray = ImageOps.exif_transpose(_gray(image))
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise NotDrawn(scan.BROKEN) from error
    scale = min(scan.DPI / dpi, (scan.MOST_PIXELS / (gray.width * gray.height)) ** 0.5, MOST_ENLARGED)
    size = max(round(gray.width * scale), 1), max(round(gray.height * scale), 1)
    shown = gray.resize(size, Image.Resampling.BICUBIC)
    return Drawn(Picture(shown.tobytes(), *size, round(dpi * scale)), gray.height * 72 / dpi)


def _dpi(image: Image.Image) -> float:
    told = float(image.info.get("dpi", (0, 0))[0])
    return told if COARSEST <= told <= FINEST else max(max(image.size) / LONG_SIDE_IN, COARSEST)


def _gray(image: Image.Image) -> Image.Image:
    """Black on white where the picture is transparent; 16 bits of a pixel are made 8."""
    if image.has_transparency_data:
        seen = image.convert("RGBA")
        white = Image.new("L", image.size, 255)
        white.paste(seen.convert("L"), mask=seen.getchannel("A"))
        return white
    if image.mode.startswith("I"):
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    return image.convert("L")

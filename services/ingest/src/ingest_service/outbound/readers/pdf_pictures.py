"""Pages of a PDF drawn as pictures."""

import pypdfium2
from pypdfium2 import raw

from ingest_service.outbound.readers import scan
from ingest_service.outbound.readers.scan import Drawn, NotDrawn


def drawn(document: pypdfium2.PdfDocument, number: int) -> Drawn:
    """The page of that number, from 0, in shades of gray.

    Raises:
        NotDrawn: It is damaged, or holds an image of more than `scan.MOST_IMAGE_PIXELS`.
    """
    from ingest_service.outbound.readers.tesseract import Picture

    try:
        page = document[number]
    except pypdfium2.PdfiumError as error:
        raise NotDrawn(scan.BROKEN) from error
    try:
        if _largest_image(page) > scan.MOST_IMAGE_PIXELS:
            raise NotDrawn(scan.TOO_LARGE)
        width, height = page.get_size()
        scale = min(scan.DPI / 72, (scan.MOST_PIXELS / max(width * height, 1.0)) ** 0.5)
        bitmap = page.render(scale=scale, grayscale=True)
        try:
            rows = memoryview(bitmap.buffer).cast("B")
            pixels = b"".join(rows[row * bitmap.stride :][: bitmap.width] for row in range(bitmap.height))
            return Drawn(Picture(pixels, bitmap.width, bitmap.height, round(scale * 72)), height)
        finally:
            bitmap.close()
    finally:
        page.close()


def _largest_image(page: pypdfium2.PdfPage) -> int:
    """Pixels of the largest image on a page, told without unpacking it."""
    sizes = [0]
    for image in page.get_objects(filter=(raw.FPDF_PAGEOBJ_IMAGE,), max_depth=3):
        told = raw.FPDF_IMAGEOBJ_METADATA()
        if raw.FPDFImageObj_GetImageMetadata(image.raw, page.raw, told):
            sizes.append(told.width * told.height)
    return max(sizes)

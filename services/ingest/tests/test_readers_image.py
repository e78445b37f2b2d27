"""Pictures as documents. What needs tesseract runs where it is installed; every refusal is tested everywhere."""

import io
import struct
import zlib

import pytest
from PIL import Image
from pypdfium2 import PdfDocument

from ingest_service.domain import media_types as kinds
from ingest_service.domain.errors import Damaged, DocumentTooLong, NoTextLayer
from ingest_service.outbound import tessdata
from ingest_service.outbound.readers import image as reader
from ingest_service.outbound.readers import read, scan
from ingest_service.outbound.readers.ports import NO_OCR, Ocr
from services.ingest.tests import made
from services.ingest.tests.test_readers_office import shown
from services.ingest.tests.test_readers_pdf import lines
from services.ingest.tests.test_readers_scan import AS_READ, OCR, SCANNED, notes, one_thread, unheard, with_tesseract

__all__ = ["one_thread"]
FORMATS = [("PNG", kinds.PNG), ("JPEG", kinds.JPEG), ("TIFF", kinds.TIFF), ("WEBP", kinds.WEBP)]
SOME_OCR = Ocr(("eng",), cpu_s=60, wall_s=600)


def picture(*page: tuple[float, float, float, str], dpi: int = 200) -> Image.Image:
    """A page of text as a picture."""
    return PdfDocument(made.pdf([list(page or SCANNED)]))[0].render(scale=dpi / 72).to_pil()


def saved(shown: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    memory = io.BytesIO()
    shown.save(memory, kind, **options)
    return memory.getvalue()


def png_of(width: int, height: int) -> bytes:
    """A PNG whose head says that it has so many pixels, with none of them there."""

    def part(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = part(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + part(b"IDAT", zlib.compress(b"\0" * 100)) + part(b"IEND", b"")


@with_tesseract
@pytest.mark.parametrize(("name", "kind"), FORMATS)
def test_each_format_is_read_like_a_page_of_text(name, kind):
    result = read(saved(picture(), name, dpi=(200, 200)), unheard, OCR)
    assert (result.media_type, shown(result), list(result.pages)) == (kind, AS_READ, [0])
    assert notes(result) == [(None, "Read by OCR, as they are pictures: page 1.")]


@with_tesseract
def test_of_a_jpeg_with_a_second_picture_behind_it_the_first_is_read():
    data = saved(picture(), "MPO", save_all=True, append_images=[picture()], dpi=(200, 200))
    assert (read(data, unheard, OCR).media_type, shown(read(data, unheard, OCR))) == (kinds.JPEG, AS_READ)


@with_tesseract
def test_each_picture_of_a_tiff_is_a_page():
    told = []
    second = picture(*lines("All other things may be sent back within a fortnight of their delivery."))
    data = saved(picture(), "TIFF", save_all=True, append_images=[second], dpi=(200, 200), compression="tiff_lzw")
    result = read(data, lambda *pages: told.append(pages), OCR)
    assert told == [(1, 2, 2), (2, 2, 2)]
    assert (result.page_of(result.text.index("thirty days")), result.page_of(result.text.index("fortnight"))) == (1, 2)


@with_tesseract
@pytest.mark.parametrize("made_of", ["transparent", "16 bits", "bilevel", "palette", "held sideways", "of a screen"])
def test_pictures_of_all_kinds_are_read(made_of):
    page = picture(dpi=96 if made_of == "of a screen" else 200)
    if made_of == "transparent":
        black = Image.new("L", page.size, 0)
        data = saved(Image.merge("LA", (black, page.convert("L").point(lambda value: 255 - value))))
    elif made_of == "16 bits":
        data = saved(page.convert("L").convert("I").point(lambda value: value * 257).convert("I;16"))
    elif made_of == "bilevel":
        data = saved(page.convert("1"), "TIFF", compression="group4")
    elif made_of == "palette":
        data = saved(page.convert("P"))
    elif made_of == "held sideways":
        turned = Image.Exif()
        turned[0x0112] = 6
        data = saved(page.rotate(90, expand=True), "JPEG", exif=turned)
    else:
        data = saved(page)
    assert "within thirty days of delivery" in " ".join(read(data, unheard, OCR).text.split())


@pytest.mark.parametrize("name", [*(name for name, _ in FORMATS), "MPO"])
@pytest.mark.parametrize("ocr", [NO_OCR, Ocr(("eng",), cpu_s=0, wall_s=0)])
def test_without_ocr_it_says_what_to_do(name, ocr):
    two = {"save_all": True, "append_images": [Image.new("RGB", (20, 20))]} if name == "MPO" else {}
    with pytest.raises(NoTextLayer) as refused:
        read(saved(Image.new("RGB", (20, 20)), name, **two), unheard, ocr)
    assert refused.value.code == "no_text_layer"
    assert "tesseract-ocr" in refused.value.detail


@pytest.mark.parametrize("name", ["PNG", "MPO"])
def test_tesseract_that_went_away_is_as_if_it_had_never_been(name, monkeypatch):
    monkeypatch.setattr(tessdata, "FOLDERS", ("/nowhere",))
    two = {"save_all": True, "append_images": [Image.new("L", (20, 20))]} if name == "MPO" else {}
    with pytest.raises(NoTextLayer, match="not installed"):
        read(saved(Image.new("L", (20, 20)), name, **two), unheard, SOME_OCR)


@pytest.mark.parametrize("data", [png_of(200_000, 200_000), png_of(6_400, 6_400)])
def test_a_bomb_of_pixels_is_not_unpacked(data, monkeypatch):
    monkeypatch.setattr(Image.Image, "load", lambda _self: pytest.fail("it was unpacked"))
    with pytest.raises(NoTextLayer, match="too large"):
        read(data, unheard, SOME_OCR)


def test_a_page_that_is_too_large_is_left_out_and_the_others_are_read(monkeypatch):
    monkeypatch.setattr(scan, "MOST_IMAGE_PIXELS", 1_000)
    monkeypatch.setattr(scan.Scanner, "_best", lambda _self, _picture: [line("Some words.")])
    data = saved(Image.new("L", (90, 90)), "TIFF", save_all=True, append_images=[Image.new("L", (20, 20))])
    result = read(data, unheard, SOME_OCR)
    assert result.text == "Some words."
    assert notes(result) == [(None, "Read by OCR, as they are pictures: page 2."), (1, scan.TOO_LARGE)]


def line(text):
    from ingest_service.outbound.readers.tesseract import Seen

    return Seen(text, 100, 900, 300, 11, 95.0)


def test_too_many_pages_are_refused(monkeypatch):
    monkeypatch.setattr(reader, "MOST_PAGES", 2)
    monkeypatch.setattr(scan.Scanner, "_best", lambda _self, _picture: [line("Some words.")])
    small = [Image.new("L", (20, 20)) for _ in range(2)]
    with pytest.raises(DocumentTooLong):
        read(saved(small[0], "TIFF", save_all=True, append_images=small), unheard, SOME_OCR)


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n and so on", b"II*\x00 and so on", b"\xff\xd8\xff\xe0\x00"])
def test_a_broken_head_is_damaged(data):
    with pytest.raises(Damaged):
        read(data, unheard, SOME_OCR)


@pytest.mark.parametrize("name", ["PNG", "JPEG", "WEBP"])
def test_a_picture_that_ends_too_early_is_left_out_as_damaged(name):
    data = saved(picture(), name)
    with pytest.raises((NoTextLayer, Damaged), match="damaged"):
        read(data[: len(data) // 2], unheard, SOME_OCR)


@pytest.mark.parametrize(
    ("size", "told"), [((2_550, 3_300), None), ((2_550, 3_300), (1, 1)), ((1_700, 2_200), (200, 200))]
)
def test_a_picture_is_shown_at_the_resolution_that_tesseract_knows(size, told):
    data = saved(Image.new("L", size), **({"dpi": told} if told else {}))
    with Image.open(io.BytesIO(data)) as opened:
        drawn = reader._drawn(opened)
    assert (drawn.picture.dpi, drawn.picture.width, round(drawn.height)) == (300, 2_550, 792)
    assert len(drawn.picture.pixels) == drawn.picture.width * drawn.picture.height

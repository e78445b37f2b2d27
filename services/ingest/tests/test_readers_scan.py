"""Pages that are pictures. What needs tesseract runs where it is installed; that it is missing is tested everywhere."""

import pytest
from pypdfium2 import PdfDocument

from ingest_service.domain.blocks import Kind
from ingest_service.domain.errors import NoTextLayer
from ingest_service.outbound import tessdata
from ingest_service.outbound.readers import read, scan
from ingest_service.outbound.readers.pdf_pictures import drawn
from ingest_service.outbound.readers.ports import NO_OCR, Ocr
from services.ingest.tests import made
from services.ingest.tests.national_texts import TEXTS
from services.ingest.tests.test_readers_office import shown
from services.ingest.tests.test_readers_pdf import lines

THERE = tessdata.chosen(("eng",), tessdata.installed(tessdata.folder()))
OCR = Ocr(THERE, cpu_s=60, wall_s=600)
with_tesseract = pytest.mark.skipif(not THERE, reason="tesseract is not installed")
TEXT = [*lines("Long ago", "there were pages of text."), *lines("All of them could be read.", top=600)]
SCANNED = [
    *lines("Returns of tents", top=760, size=22),
    *lines("You may send back any tent within thirty days of delivery, and you get", "all of your money back on it."),
]
AS_READ = [
    (Kind.HEADING, "Returns of tents"),
    (
        Kind.PARAGRAPH,
        "You may send back any tent within thirty days of delivery, and you get all of your money back on it.",
    ),
]


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """As in the cage: threads of OpenMP that wait for each other cost several times the time on a busy machine."""
    monkeypatch.setenv("OMP_THREAD_LIMIT", "1")


def unheard(done: int, of: int, pictures: int = 0) -> None:
    assert 0 <= done <= of >= pictures


def notes(manuscript):
    return [(note.page, note.reason) for note in manuscript.notes]


@with_tesseract
@pytest.mark.parametrize("rotation", [0, 90, 180])
def test_a_scan_is_read_like_a_page_of_text_however_it_lies(rotation):
    result = read(made.scan(made.pdf([SCANNED]), rotation=rotation), unheard, OCR)
    assert shown(result) == AS_READ
    assert notes(result) == [(None, "Read by OCR, as they are pictures: page 1.")]


@with_tesseract
def test_letters_that_no_installed_language_has_are_left_out_with_what_to_install():
    with pytest.raises(NoTextLayer) as refused:
        read(made.scan(made.greek(TEXTS["el"][1])), unheard, Ocr(("eng",), cpu_s=60, wall_s=600))
    assert "look Greek" in refused.value.detail
    assert "tesseract-ocr-ell" in refused.value.detail


def test_words_that_are_made_up_are_left_out_without_script_data_too(monkeypatch):
    monkeypatch.setattr(tessdata, "FOLDERS", ("/nowhere",))
    monkeypatch.setattr(scan.Scanner, "_best", lambda _self, _picture: [scan_line("mm om ee", 49.0)])
    result = read(made.pdf([TEXT, []]), unheard, Ocr(("eng", "deu"), 60, 600))
    assert [page for page, _ in notes(result)] == [2]
    assert "49 of 100" in result.notes[0].reason
    assert "eng, deu" in result.notes[0].reason
    assert "mm om" not in result.text


@pytest.mark.parametrize(
    ("script", "languages", "package"),
    [
        ("Greek", ("eng",), "tesseract-ocr-ell"),
        ("Han", ("eng",), "tesseract-ocr-chi-sim"),
        ("Greek", ("eng", "ell"), None),
        ("Latin", (), None),
        ("", ("eng",), None),
    ],
)
def test_what_a_script_is_missing_is_named(script, languages, package):
    assert tessdata.missing(script, languages) == package


@with_tesseract
def test_pages_are_read_where_they_stand_and_told_as_done_when_they_are():
    told = []
    data = made.pdf([TEXT, [], TEXT])
    result = read(data, lambda *pages: told.append(pages), OCR)
    assert told == [(1, 3), (1, 3), (2, 3), (2, 3, 1), (3, 3, 1)]
    assert len(result.pages) == 3
    assert notes(result) == [(2, "This page is a picture in which OCR found no text.")]


@with_tesseract
def test_a_page_that_takes_too_long_is_left_out_and_the_next_is_well(monkeypatch):
    engine = pytest.importorskip("ingest_service.outbound.readers.tesseract")
    monkeypatch.setattr(scan, "LONGEST_S", 0.001)
    with pytest.raises(NoTextLayer) as refused:
        read(made.scan(made.pdf([SCANNED])), unheard, OCR)
    assert "too long" in refused.value.detail
    # an engine that was interrupted reads the next picture as if nothing had been
    reader = engine.Tesseract(THERE, tessdata.folder())
    picture = drawn(PdfDocument(made.pdf([SCANNED])), 0).picture
    with pytest.raises(engine.TookTooLong):
        reader.lines(picture, within_s=0.001)
    assert reader.lines(picture, within_s=60)[0].text == "Returns of tents"
    reader.close()


def test_beyond_its_time_no_page_is_begun():
    result = read(made.pdf([TEXT, [], [], TEXT, []]), unheard, Ocr(("eng",), cpu_s=1e-9, wall_s=600))
    assert notes(result) == [
        (None, "Reading pictures (OCR) took as long as it may; left out: pages 2-3, 5. Send the document in parts.")
    ]


@pytest.mark.parametrize("ocr", [NO_OCR, Ocr(("eng",), cpu_s=0, wall_s=0)])
def test_without_ocr_each_picture_is_noted_with_what_to_do(ocr):
    result = read(made.pdf([TEXT, [], []]), unheard, ocr)
    assert [page for page, _ in notes(result)] == [2, 3]
    assert "tesseract-ocr" in result.notes[0].reason
    with pytest.raises(NoTextLayer) as refused:
        read(made.pdf([[]]), unheard, ocr)
    assert "not installed" in refused.value.detail


@pytest.mark.parametrize(("name", "gone"), [("FOLDERS", ("/nowhere",)), ("LIBRARIES", ("libnowhere.so.5",))])
def test_tesseract_that_went_away_is_as_if_it_had_never_been(monkeypatch, name, gone):
    monkeypatch.setattr(tessdata, name, gone)
    assert notes(read(made.pdf([TEXT, []]), unheard, Ocr(("eng",), 60, 600))) == [(2, scan.ABSENT)]


def test_an_image_of_too_many_pixels_is_not_unpacked(monkeypatch):
    monkeypatch.setattr(scan, "MOST_IMAGE_PIXELS", 1_000)
    data = made.scan(made.pdf([SCANNED]), dpi=20)
    with pytest.raises(NoTextLayer) as refused:
        read(data, unheard, Ocr(("eng",), 60, 600))
    assert "too large" in refused.value.detail


def test_a_page_as_large_as_a_house_is_drawn_coarser():
    canvas_of = made.pdf([[(10, 10, 10, "x")]])
    document = PdfDocument(canvas_of)
    document[0].set_mediabox(0, 0, 14_000, 14_000)
    picture = drawn(document, 0).picture
    assert len(picture.pixels) == picture.width * picture.height <= 1.01 * scan.MOST_PIXELS
    assert picture.dpi < 20


def test_what_ocr_is_unsure_of_is_noted(monkeypatch):
    doubtful = [scan_line("Rebuns of fents", 55.0), scan_line("~;,", 12.0)]
    monkeypatch.setattr(scan.Scanner, "_best", lambda _self, _picture: doubtful)
    result = read(made.pdf([TEXT, []]), unheard, Ocr(("eng",), 60, 600))
    assert [page for page, _ in notes(result)] == [None, 2]
    assert "55 of 100" in result.notes[1].reason
    assert "Rebuns" in result.text
    assert "~" not in result.text


def scan_line(text, confidence):
    from ingest_service.outbound.readers.tesseract import Seen

    return Seen(text, 100, 900, 300, 11, confidence)


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [((), ("eng", "deu", "rus", "xyz")), (("deu", "eng"), ("deu", "eng")), (("fra",), ())],
)
def test_languages_are_those_wanted_that_are_there_or_the_likeliest(tmp_path, wanted, chosen):
    for code in ("xyz", "rus", "deu", "eng", "osd"):
        (tmp_path / f"{code}.traineddata").touch()
    assert tessdata.chosen(wanted, tessdata.installed(tmp_path)) == chosen


def test_the_language_of_the_other_pages_is_tried_first():
    assert tessdata.spoken_first(("eng", "deu", "rus"), "de") == ("deu", "eng", "rus")
    assert tessdata.spoken_first(("eng", "deu"), "und") == ("eng", "deu")


def test_many_pages_are_named_in_short():
    assert scan._ranges([7]) == "page 7"
    assert scan._ranges([1, 2, 3, 5]) == "pages 1-3, 5"
    assert len(scan._ranges(range(1, 4_000, 2))) < 450

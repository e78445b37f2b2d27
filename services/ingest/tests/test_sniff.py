import gzip
import io
import zipfile

import pytest

from ingest_service.domain import media_types as kinds
from ingest_service.domain.errors import (
    Damaged,
    DocumentRefused,
    EmptyDocument,
    Encrypted,
    MacrosRefused,
    UnreadableText,
    UnsupportedType,
)
from ingest_service.domain.sniff import read, refuse_foreign, tell

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
MACRO_WORKBOOK = "application/vnd.ms-excel.sheet.macroEnabled.main+xml"
OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)


def zipped(**parts: str) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return memory.getvalue()


def office(main: str, *names: str) -> bytes:
    return zipped(
        **{"[Content_Types].xml": f'<Types><Override ContentType="{main}"/></Types>'}, **dict.fromkeys(names, "")
    )


def old_office(*streams: str) -> bytes:
    return OLE2 + b"".join(stream.encode("utf-16-le") for stream in streams)


@pytest.mark.parametrize(
    "data",
    [
        "Grüße aus Zürich".encode(),
        b"\xef\xbb\xbf" + "Grüße aus Zürich".encode(),
        "Grüße aus Zürich".encode("utf-16"),
        "Grüße aus Zürich".encode("utf-16-le"),
        "Grüße aus Zürich".encode("utf-16-be"),
        "Grüße aus Zürich".encode("utf-32"),
        "Grüße aus Zürich".encode("latin-1"),
        "Grüße aus Zürich".encode("cp1252"),
    ],
)
def test_every_usual_encoding_gives_the_same_text(data):
    assert read(data).text == "Grüße aus Zürich"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("商品は三十日以内にお返しください。送料はお客様のご負担となります。返品できますか。", "shift-jis"),
        ("退货政策。您可以在三十天内退货。运费由我们承担、请保留原始包装和收据。", "gb18030"),
        ("退貨政策。您可以在三十天內退貨。運費由我們承擔、請保留原始包裝和收據。", "big5"),
        ("반품은 삼십일 이내에 가능합니다. 배송비는 고객님께서 부담하셔야 합니다.", "euc-kr"),
        ("Возврат товара возможен в течение тридцати дней. Сохраните чек и упаковку.", "cp1251"),
    ],
)
def test_a_national_encoding_is_told_by_its_language(text, encoding):
    assert read(text.encode(encoding)).text == text


def test_a_broken_character_does_not_spoil_a_text():
    text = "Grüße aus Zürich, schöne Tage, größere Zelte, kühle Nächte, süße Äpfel. " * 2
    assert read(text.encode() + b"\xff").text == text + "\ufffd"


def test_line_ends_stay_as_they_are():
    assert read(b"one\r\ntwo\rthree\n").text == "one\r\ntwo\rthree\n"


@pytest.mark.parametrize("end", [b"\x1a", b"\x1a" * 90, b"\x1a" + bytes(90)])
@pytest.mark.parametrize("encoding", ["utf-8", "cp866", "cp1252"])
def test_a_text_of_dos_ends_before_its_mark(end, encoding):
    words = "Возврат в течение тридцати дней" if encoding == "cp866" else "Returns within thirty days"
    data = f"{words}\r\n".encode(encoding) + end
    assert tell(data) == kinds.PLAIN
    assert read(data).text == f"{words}\r\n"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-16-le"])
def test_a_letter_of_two_bytes_is_no_mark_of_an_end(encoding):
    text = "Return it within thirty days, says \u041a"
    assert read(text.encode(encoding)).text == text


def test_a_vertical_tab_ends_a_line():
    assert read(b"BM\x0bReturns\x0bwithin\x0b30 days").text == "BM\nReturns\nwithin\n30 days"
    assert read("R\xfcckgabe\x0bin 30 Tagen\x0bnach Lieferung".encode("latin-1")).text.count("\n") == 2


@pytest.mark.parametrize("data", [b"", b"  \n\t\r\n ", b"\xef\xbb\xbf", b"\xef\xbb\xbf \n"])
def test_nothing_is_an_empty_document(data):
    for look in (read, tell):
        with pytest.raises(EmptyDocument) as refused:
            look(data)
        assert refused.value.code == "empty_document"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", kinds.PDF),
        (b"\n\n%PDF-1.4", kinds.PDF),
        (office(WORD), kinds.DOCX),
        (office(WORD.replace("document.main", "template.main")), kinds.DOCX),
        (office(MACRO_WORKBOOK), kinds.XLSX),
        (zipped(mimetype="application/epub+zip"), kinds.EPUB),
        (zipped(**{"META-INF/container.xml": "<container/>"}), kinds.EPUB),
        (zipped(mimetype="application/vnd.oasis.opendocument.text"), kinds.ODT),
        (zipped(mimetype="application/vnd.oasis.opendocument.spreadsheet-template"), kinds.ODS),
        (old_office("Workbook"), kinds.XLS),
        (old_office("__properties_version1.0"), kinds.OUTLOOK),
        (b"{\\rtf1\\ansi Hello}", kinds.RTF),
        (b"<!DOCTYPE html>\n<html><body>Hi</body></html>", kinds.HTML),
        (b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "x">\n<html></html>', kinds.HTML),
        (b"<div>A part of a page</div>", kinds.HTML),
        (b'<?xml version="1.0"?><svg/>', kinds.XML),
        (b"<note><to>Tove</to></note>", kinds.XML),
        (b'{"a": [1, 2]}', kinds.JSON),
        (b'{"a": 1}\n{"a": 2}\n', kinds.JSON_LINES),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\nHi", kinds.VTT),
        (b"From: a@example.com\r\nSubject: Hi\r\nX-Folded: a\r\n b\r\n\r\nText", kinds.EMAIL),
        (b"name,price,days\ntent,120,30\nstove,60,14\n", kinds.CSV),
        (b'name;text\n"a;b";"two\nlines"\nc;d\n', kinds.CSV),
        (b"name\tprice\ntent\t120\n", kinds.TSV),
        (b"# Returns\n\nThirty days.", kinds.MARKDOWN),
        (b"a | b\n---|---\n1 | 2", kinds.MARKDOWN),
        (b"Well, no.\nYes, though.\nMaybe, then.", kinds.PLAIN),
        (b"<3 to everybody", kinds.PLAIN),
        (b"{not json}", kinds.PLAIN),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", kinds.PNG),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", kinds.JPEG),
        (b"II*\x00\x08\x00\x00\x00", kinds.TIFF),
        (b"MM\x00*\x00\x00\x00\x08", kinds.TIFF),
        (b"RIFF\x00\x01\x00\x00WEBPVP8 ", kinds.WEBP),
        (b"Subject: only one header\n\nText", kinds.PLAIN),
        ("From: a@example.com\nSubject: Hi\n\nText".encode("utf-16"), kinds.EMAIL),
    ],
)
def test_a_kind_is_told_from_its_bytes(data, kind):
    assert tell(data) == kind
    refuse_foreign(data[:4096])


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"BM\x00\x01\x00\x00\x00\x00", "BMP"),
        (b"RIFF\x00\x01\x00\x00WAVE", "sound"),
        (b"GIF89a\x01\x00\x01\x00", "GIF"),
        (b"MZ\x90\x00\x03\x00\x00\x00", "Windows program"),
        (b"\x7fELF\x02\x01\x01", "Linux program"),
        (gzip.compress(b"text"), "gzip"),
        (b"\x00\x00\x00\x18ftypmp42", "film"),
        (b"\x00\x00\x00\x18ftypheic", "save it as JPEG"),
        (b"\x78\x9f\x3e\x22\x01\x00", "winmail.dat"),
        (b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1", "OneNote"),
        (b"\xffWPC\x10\x00", "WordPerfect"),
        (b"bplist00\xd1\x01\x02", "macOS"),
        (zipped(**{"Index/Document.iwa": "", "preview.jpg": ""}), "export it as PDF"),
        (office("application/vnd.ms-visio.drawing.main+xml", "visio/document.xml"), "save it as PDF"),
        (old_office("WordDocument"), "old Word"),
        (old_office("PowerPoint Document"), "old PowerPoint"),
        (old_office("Other"), "unknown kind"),
        (office("application/vnd.ms-excel.sheet.binary.macroEnabled.main"), "xlsb"),
        (bytes(range(256)) * 4, "binary"),
        (b"text with \x00 a zero and more", "binary"),
        (b"\x01\x02\x03\x04abc" * 5, "binary"),
    ],
)
def test_other_kinds_are_refused_as_what_they_are(data, named):
    with pytest.raises(UnsupportedType, match=named) as refused:
        tell(data)
    assert refused.value.code == "unsupported_type"


@pytest.mark.parametrize(
    ("data", "error", "code"),
    [
        (old_office("EncryptedPackage"), Encrypted, "encrypted_document"),
        (
            zipped(mimetype=kinds.ODT, **{"META-INF/manifest.xml": "<m:encryption-data/>"}),
            Encrypted,
            "encrypted_document",
        ),
        (office(MACRO_WORKBOOK, "xl/vbaProject.bin"), MacrosRefused, "macros_refused"),
        (zipped(mimetype=kinds.ODT, **{"Basic/Standard/Module1.xml": ""}), MacrosRefused, "macros_refused"),
        (old_office("Workbook", "_VBA_PROJECT_CUR"), MacrosRefused, "macros_refused"),
        (office(WORD)[:-30], Damaged, "unreadable_document"),
        (office("application/other", "word/document.xml"), Damaged, "unreadable_document"),
    ],
)
def test_what_cannot_be_opened_says_why(data, error, code):
    with pytest.raises(error) as refused:
        tell(data)
    assert refused.value.code == code
    assert refused.value.detail.endswith(".")


@pytest.mark.parametrize(
    "text",
    ["BMX bikes are here", "MZ is a prefix", "ID3 tags explained", "GIF8 is old", "RIFF raff", "bplist00 is a sign"],
)
def test_a_text_may_begin_with_the_letters_of_a_magic_number(text):
    assert read(text.encode()).text == text


def test_the_first_bytes_tell_a_foreign_kind_early():
    with pytest.raises(UnsupportedType):
        refuse_foreign(b"\x7fELF\x02\x01\x01")
    with pytest.raises(EmptyDocument):
        refuse_foreign(b"")
    for head in (b"Plain words.", b"%PDF-1.7", b"PK\x03\x04", OLE2):
        refuse_foreign(head)


def test_an_encoding_that_cannot_be_told_is_said_so():
    data = bytes(range(0xFF, 0x9F, -1))
    with pytest.raises(DocumentRefused):
        read(data)


def test_a_false_mark_is_unreadable():
    with pytest.raises(UnreadableText) as refused:
        read(b"\xef\xbb\xbf\xff\xff text")
    assert refused.value.code == "unreadable_document"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("# Returns\n\nThirty days.", kinds.MARKDOWN),
        ("a | b\n---|---\n1 | 2", kinds.MARKDOWN),
        ("See [shop](https://example.org/a) for more.", kinds.MARKDOWN),
        ("```\ncode\n```", kinds.MARKDOWN),
        ("RETURNS\n\nThirty days.\n- unused", kinds.PLAIN),
        ("Price: 3 * 4 = 12 #1", kinds.PLAIN),
    ],
)
def test_markdown_is_told_by_its_signs(text, kind):
    assert read(text.encode()).media_type == kind

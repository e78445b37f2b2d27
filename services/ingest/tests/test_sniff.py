import gzip
import io
import zipfile

import pytest

from ingest_service.domain.errors import DocumentRefused, EmptyDocument, UnreadableText, UnsupportedType
from ingest_service.domain.sniff import MARKDOWN, PLAIN, read, refuse_foreign


def zipped() -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    return memory.getvalue()


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


def test_line_ends_stay_as_they_are():
    assert read(b"one\r\ntwo\rthree\n").text == "one\r\ntwo\rthree\n"


@pytest.mark.parametrize("data", [b"", b"  \n\t\r\n ", b"\xef\xbb\xbf", b"\xef\xbb\xbf \n"])
def test_nothing_is_an_empty_document(data):
    with pytest.raises(EmptyDocument) as refused:
        read(data)
    assert refused.value.code == "empty_document"


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "a PDF"),
        (b"\n\n%PDF-1.4 looks like text", "a PDF"),
        (zipped(), "ZIP"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "PNG"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "JPEG"),
        (b"GIF89a\x01\x00\x01\x00", "GIF"),
        (b"MZ\x90\x00\x03\x00\x00\x00", "Windows program"),
        (b"\x7fELF\x02\x01\x01", "Linux program"),
        (gzip.compress(b"text"), "gzip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00\x00", "old Office"),
        (b"{\\rtf1\\ansi Hello}", "Rich Text"),
        (b"<!DOCTYPE html>\n<html><body>Hi</body></html>", "HTML"),
        (b'<?xml version="1.0"?><svg/>', "HTML or XML"),
        (b"\x00\x00\x00\x18ftypmp42", "film"),
        (bytes(range(256)) * 4, "binary"),
        (b"text with \x00 a zero and more", "binary"),
        (b"\x01\x02\x03\x04abc" * 5, "binary"),
    ],
)
def test_other_kinds_are_refused_as_what_they_are(data, named):
    with pytest.raises(UnsupportedType, match=named) as refused:
        read(data)
    assert refused.value.code == "unsupported_type"


@pytest.mark.parametrize(
    "text", ["BMX bikes are here", "MZ is a prefix", "ID3 tags explained", "GIF8 is old", "RIFF raff"]
)
def test_a_text_may_begin_with_the_letters_of_a_magic_number(text):
    assert read(text.encode()).text == text


def test_the_first_bytes_tell_a_foreign_kind_early():
    with pytest.raises(UnsupportedType):
        refuse_foreign(b"%PDF-1.7")
    with pytest.raises(EmptyDocument):
        refuse_foreign(b"")
    refuse_foreign(b"Plain words.")


@pytest.mark.parametrize("data", ["Привет, мир. Как дела?".encode("koi8-r"), "返品できますか".encode("shift-jis")])
def test_an_encoding_that_cannot_be_told_is_said_so(data):
    with pytest.raises(DocumentRefused):
        read(data)


def test_a_false_mark_is_unreadable():
    with pytest.raises(UnreadableText) as refused:
        read(b"\xef\xbb\xbf\xff\xff text")
    assert refused.value.code == "unreadable_document"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("# Returns\n\nThirty days.", MARKDOWN),
        ("a | b\n---|---\n1 | 2", MARKDOWN),
        ("See [shop](https://example.org/a) for more.", MARKDOWN),
        ("```\ncode\n```", MARKDOWN),
        ("RETURNS\n\nThirty days.\n- unused", PLAIN),
        ("Price: 3 * 4 = 12 #1", PLAIN),
    ],
)
def test_markdown_is_told_by_its_signs(text, kind):
    assert read(text.encode()).media_type == kind

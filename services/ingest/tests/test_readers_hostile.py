import io
import random
import zipfile

import pytest

from ingest_service.domain import media_types as kinds
from ingest_service.domain.errors import Damaged, DocumentRefused, EmptyDocument, MacrosRefused, UnpacksTooLarge
from ingest_service.outbound import readers
from ingest_service.outbound.readers import archive, read
from services.ingest.tests import made
from services.ingest.tests.test_readers_office import manuscript

ENTITIES = (
    '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {name} "{f"&{inner};" * 10}">' for inner, name in zip("abcdefgh", "bcdefghi", strict=True))
    + "]><r><x>kept words here</x><y>&i;</y></r>"
)
MACROS = b"\xd0\xcf\x11\xe0 a program"


def ended(data: bytes) -> str:
    """The text, or the words of the refusal; nothing else may come out."""
    try:
        return manuscript(data).text
    except DocumentRefused as refused:
        return refused.detail


def test_an_external_entity_is_not_fetched(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("root:x:0:0")
    data = f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY e SYSTEM "file://{secret}">]><r><x>words</x><y>a &e; b</y></r>'
    result = manuscript(data.encode())
    assert "words" in result.text
    assert "root" not in result.text


def test_an_external_entity_in_a_word_document_is_not_fetched(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("root:x:0:0")
    with zipfile.ZipFile(io.BytesIO(made.word())) as package:
        body = package.read("word/document.xml").decode()
    declared = f'<!DOCTYPE w:document [<!ENTITY e SYSTEM "file://{secret}">]>'
    body = body.replace("?>", f"?>{declared}", 1).replace("You may send things back.", "You &e; may")
    assert "root" not in manuscript(made.with_part(made.word(), "word/document.xml", body.encode())).text


def test_entities_in_entities_do_not_grow():
    for data in (ENTITIES.encode(), made.zipped({"mimetype": kinds.ODT, "content.xml": ENTITIES})):
        with pytest.raises(Damaged):
            manuscript(data)


@pytest.mark.parametrize(
    "package", [made.saved(made.workbook()), made.slides(), made.word()], ids=["xlsx", "pptx", "docx"]
)
def test_entities_in_office_documents_do_not_grow(package):
    parts = {"xl/worksheets/sheet1.xml", "ppt/slides/slide1.xml", "word/document.xml"}
    with zipfile.ZipFile(io.BytesIO(package)) as archived:
        name = next(iter(parts & set(archived.namelist())))
        body = archived.read(name).decode()
    start = body.index("?>") + 2 if body.startswith("<?xml") else 0
    declared = ENTITIES[ENTITIES.index("<!DOCTYPE") : ENTITIES.index("<r><x>")]
    hostile = declared + body[start:].replace("Prices", "&i;").replace("You may", "&i;").replace("</v>", "&i;</v>", 1)
    assert "&i;" in hostile
    assert len(ended(made.with_part(package, name, hostile.encode()))) < 2_000


def bomb(entries: int, size: int) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("mimetype", kinds.ODT)
        for number in range(entries):
            package.writestr(f"content{number or ''}.xml", bytes(size))
    return memory.getvalue()


def test_an_archive_that_unpacks_to_far_more_is_refused_before_it_is_unpacked():
    with pytest.raises(UnpacksTooLarge) as refused:
        manuscript(bomb(1, 24 * 1024 * 1024))
    assert refused.value.code == "unpacks_too_large"


@pytest.mark.parametrize(("limit", "most"), [("MOST_ENTRIES", 3), ("MOST_UNPACKED", 1_000)])
def test_too_many_entries_or_bytes_are_refused(monkeypatch, limit, most):
    monkeypatch.setattr(archive, limit, most)
    with pytest.raises(UnpacksTooLarge):
        manuscript(bomb(4, 300))


def test_an_entry_gives_no_more_than_it_declares():
    data = bytearray(made.zipped({"mimetype": kinds.ODT, "content.xml": b"<a>" + b" " * 100_000 + b"</a>"}))
    true_size = (100_007).to_bytes(4, "little")
    assert data.count(true_size) == 2
    with pytest.raises(Damaged):
        manuscript(bytes(data.replace(true_size, (7).to_bytes(4, "little"))))


@pytest.mark.parametrize("name", ["../evil.xml", "/etc/evil.xml", "a\\..\\..\\evil.xml", "C:evil.xml"])
def test_a_name_that_points_outside_is_refused(name):
    with pytest.raises(Damaged, match="outside"):
        manuscript(made.with_part(made.word(), name, b"x"))


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (made.word(), "word/vbaProject.bin"),
        (made.slides(), "ppt/vbaProject.bin"),
        (made.saved(made.workbook()), "xl/vbaProject.bin"),
        (made.saved(made.workbook()), "xl/macrosheets/sheet1.xml"),
    ],
)
def test_a_document_with_macros_is_refused(data, part):
    with pytest.raises(MacrosRefused):
        manuscript(made.with_part(data, part, MACROS))


@pytest.mark.parametrize(
    "data",
    [
        b"<div>" * 50_000 + b"deep",
        b"<!DOCTYPE html>" + b"<ul><li>" * 20_000 + b"deep",
        b"<a>" * 20_000 + b"deep" + b"</a>" * 20_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 3_000 + b"1" + b"}" * 3_000,
        made.open_document("text", "<text:section>" * 5_000 + "<text:p>deep</text:p>" + "</text:section>" * 5_000),
        b"{\\rtf1 " + b"{" * 50_000 + b"deep" + b"}" * 50_000 + b"}",
    ],
)
def test_what_is_nested_deeply_ends_read_or_refused(data):
    assert ended(data)


def test_a_cell_that_says_it_is_wide_takes_no_room():
    page = (
        b"<html><table><tr><td colspan='999999999' rowspan='999999999'>a</td><td>b</td></tr><tr><td>c</td></tr></table>"
    )
    assert len(manuscript(page).text) < 1_000


def test_a_stream_that_says_it_is_endless_ends():
    data = made.open_document("text", "<text:p>a<text:s text:c='999999999'/>b</text:p>")
    assert manuscript(data).text == "a b"


@pytest.mark.parametrize(
    "whole",
    [
        made.word(),
        made.slides(),
        made.saved(made.workbook()),
        made.pdf([[(72, 700, 11, "Some words of a page.")]]),
        made.outlook(subject="Hi", body="words"),
        made.book("<html><h1>One</h1></html>"),
    ],
    ids=["docx", "pptx", "xlsx", "pdf", "msg", "epub"],
)
def test_a_damaged_file_ends_read_or_refused(whole):
    chooser = random.Random(7)
    for _ in range(25):
        data = bytearray(whole)
        for _ in range(chooser.randint(1, 12)):
            data[chooser.randrange(len(data))] = chooser.randrange(256)
        cut = chooser.choice([len(data), len(data) // 2, len(data) - 40])
        assert ended(bytes(data[:cut]))


def test_an_error_that_a_library_never_told_of_is_a_damaged_document(monkeypatch):
    def broken(*_):
        raise KeyError("rId7")

    monkeypatch.setattr("ingest_service.outbound.readers.text.read", broken)
    with pytest.raises(Damaged) as refused:
        read(b"Some words.", print)
    assert "damaged" in refused.value.detail
    assert "KeyError" not in refused.value.detail
    assert isinstance(refused.value.__cause__, KeyError)


def test_memory_that_is_missing_is_not_the_documents_fault(monkeypatch):
    def hungry(*_):
        raise MemoryError

    monkeypatch.setattr("ingest_service.outbound.readers.text.read", hungry)
    with pytest.raises(MemoryError):
        read(b"Some words.", print)


def test_every_kind_that_is_told_has_a_reader():
    told = {
        value for name, value in vars(kinds).items() if name.isupper() and name not in {"READABLE", "ZIP", "UNKNOWN"}
    }
    assert told == set(readers._MODULES)


def test_nothing_but_marks_is_an_empty_document():
    with pytest.raises(EmptyDocument):
        manuscript(b"<!DOCTYPE html><html><body><script>x()</script></body></html>")

"""Documents made to do harm, by hand: each is small, and asks far more of whoever reads it."""

import io
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

MIB = 1024 * 1024
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_LINKS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_MACROS = "application/vnd.ms-word.document.macroEnabled.main+xml"
_LAUGHS = 10
"""Each entity holds the one before it so many times."""


@dataclass(frozen=True)
class Hostile:
    """A file, and what it tries."""

    name: str
    data: bytes


def zip_bomb() -> bytes:
    """300 MiB of one letter as the text of a Word document: some 300 KiB."""
    return _docx(_document(f"<w:p><w:r><w:t>{'a' * 300 * MIB}</w:t></w:r></w:p>").encode())


def lying_zip_bomb() -> bytes:
    """The same, where the archive claims that it unpacks to 100 bytes."""
    whole = bytearray(zip_bomb())
    real = len(_document(f"<w:p><w:r><w:t>{'a' * 300 * MIB}</w:t></w:r></w:p>")).to_bytes(4, "little")
    return bytes(whole.replace(real, (100).to_bytes(4, "little")))


def lying_archive() -> bytes:
    """An archive of one text of 300 MiB that it says has 100 bytes."""
    size = 300 * MIB
    return _zip({"a.txt": b"a" * size}).replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little"))


def nested_zip() -> bytes:
    """An archive of ten archives of ten archives, down to zeros."""
    inner = _zip({"0.txt": bytes(10 * MIB)})
    for _ in range(4):
        inner = _zip({f"{number}.zip": inner for number in range(10)})
    return inner


def macro_document() -> bytes:
    """A Word document with a program in it."""
    return _docx(_document("<w:p/>").encode(), more={"word/vbaProject.bin": b"\xd0\xcf\x11\xe0"}, kind=_MACROS)


def external_entity() -> bytes:
    """A Word document whose text is a file of the reader's machine."""
    head = '<!DOCTYPE d [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    return _docx(_document("<w:p><w:r><w:t>&f;</w:t></w:r></w:p>", head).encode())


def billion_laughs() -> bytes:
    """A Word document whose text is one entity that becomes ten billion words."""
    names = [f"e{number}" for number in range(11)]
    more = "".join(f'<!ENTITY {name} "{f"&{inner};" * _LAUGHS}">' for inner, name in pairwise(names))
    head = f'<!DOCTYPE d [<!ENTITY e0 "ha">{more}]>'
    return _docx(_document(f"<w:p><w:r><w:t>&{names[-1]};</w:t></w:r></w:p>", head).encode())


def climbing_name() -> bytes:
    """A Word document with a part that wants to be unpacked two folders up."""
    return _docx(_document("<w:p/>").encode(), more={"../../climbed.txt": b"x"})


def deep_xml() -> bytes:
    """Elements within elements, 200,000 deep."""
    return b"<?xml version='1.0'?>" + b"<a>" * 200_000 + b"x" + b"</a>" * 200_000


def pdf_flate_bomb() -> bytes:
    """A page whose drawing is 300 MiB of text operators, packed twice to some kilobytes."""
    once = zlib.compressobj(1)
    part = b"BT /F1 9 Tf (aaaaaaaaaaaaaaaaaaaaaaaa) Tj ET\n" * 24_000
    packed = b"".join(once.compress(part) for _ in range(300)) + once.flush()
    return _pdf(zlib.compress(packed, 9), "/Filter [/FlateDecode /FlateDecode]")


def pdf_page_loop() -> bytes:
    """A tree of pages that says it has 100,000 of them, and has itself as a branch."""
    kids = " ".join(["2 0 R", "3 0 R"] * 50_000)
    return _pdf(b"BT /F1 9 Tf (a) Tj ET", pages=f"/Kids [{kids}] /Count 100000")


def pdf_deep_nesting() -> bytes:
    """Arrays within arrays, half a million deep."""
    return _pdf(b"BT /F1 9 Tf (a) Tj ET", pages=f"/Kids [3 0 R] /Count 1 /X {'[' * 500_000}{']' * 500_000}")


def markdown_of_memory() -> bytes:
    """Quotes within quotes within lists: each line of 760 characters is some thousand objects to its parser."""
    return b"".join(b"> " * 90 + b"* " * 90 + b"[" * 400 + b"\n" for _ in range(10_000))


def markdown_of_time() -> bytes:
    """A megabyte of sections that hold a letter each: more passages than a document may have, and slow to cut."""
    return b"# a\n\nb\n\n" * 130_000


MAKERS: dict[str, Callable[[], bytes]] = {
    "zip-bomb.docx": zip_bomb,
    "lying-zip-bomb.docx": lying_zip_bomb,
    "lying.zip": lying_archive,
    "nested.zip": nested_zip,
    "macros.docm": macro_document,
    "external-entity.docx": external_entity,
    "billion-laughs.docx": billion_laughs,
    "climbing-name.docx": climbing_name,
    "deep.xml": deep_xml,
    "flate-bomb.pdf": pdf_flate_bomb,
    "page-loop.pdf": pdf_page_loop,
    "deep-nesting.pdf": pdf_deep_nesting,
    "memory.md": markdown_of_memory,
    "time.md": markdown_of_time,
}


def _document(body: str, head: str = "") -> str:
    return f'<?xml version="1.0"?>{head}<w:document xmlns:w="{WORD}"><w:body>{body}</w:body></w:document>'


def _docx(document: bytes, *, more: dict[str, bytes] | None = None, kind: str = _MAIN) -> bytes:
    types = (
        f'<Types xmlns="{_TYPES}"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{kind}"/></Types>'
    )
    links = f'<Relationships xmlns="{_LINKS}"><Relationship Id="r1" Type="{_OFFICE}" Target="word/document.xml"/>'
    parts = {"[Content_Types].xml": types.encode(), "_rels/.rels": f"{links}</Relationships>".encode()}
    return _zip({**parts, "word/document.xml": document, **(more or {})})


def _zip(parts: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return held.getvalue()


def _pdf(content: bytes, filters: str = "", *, pages: str = "/Kids [3 0 R] /Count 1") -> bytes:
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages {pages} >>".encode(),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources 6 0 R >>",
        f"<< /Length {len(content)} {filters} >>\nstream\n".encode() + content + b"\nendstream",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Font << /F1 5 0 R >> >>",
    ]
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode()
    out += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(out)

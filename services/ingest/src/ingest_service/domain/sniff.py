"""What an upload is, told from its bytes and never from its name."""

import io
import re
import zipfile
import zlib
from typing import Final

from ingest_service.domain import media_types as kinds
from ingest_service.domain.encoding import decode
from ingest_service.domain.errors import Damaged, EmptyDocument, Encrypted, IsArchive, MacrosRefused, UnsupportedType
from ingest_service.domain.front_matter import front_matter
from ingest_service.domain.manuscript import Manuscript
from ingest_service.domain.markdown import markdown_blocks
from ingest_service.domain.plain_text import plain_text_blocks
from ingest_service.domain.text_kinds import kind_of_text

NEEDED: Final = 4_096
"""Bytes from the start of a file that `refuse_foreign` looks at."""
_ZIP: Final = b"PK\x03\x04"
_OLE2: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_FOREIGN: Final = (
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"GIF8", "a GIF image; save it as PNG"),
    (b"BM", "a BMP image; save it as PNG"),
    (b"RIFF", "a sound or film file"),
    (b"OggS", "a sound file"),
    (b"ID3", "a sound file"),
    (b"fLaC", "a sound file"),
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a Linux program"),
    (b"\xcf\xfa\xed\xfe", "a macOS program"),
    (b"\xca\xfe\xba\xbe", "a compiled program"),
    (b"\x00asm", "a compiled program"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"%!PS", "a PostScript file"),
    (b"SQLite format 3\x00", "a database file"),
    (b"\x78\x9f\x3e\x22", "an attachment of Outlook (winmail.dat); save the message as .msg"),
    (b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d", "a OneNote section; export it as PDF"),
    (b"\xffWPC", "a WordPerfect document; save it as .docx"),
    (b"bplist00", "a file of macOS; a page that Safari saved can be sent as PDF"),
)
_IMAGES: Final = (
    (b"\x89PNG\r\n\x1a\n", kinds.PNG),
    (b"\xff\xd8\xff", kinds.JPEG),
    (b"II*\x00", kinds.TIFF),
    (b"MM\x00*", kinds.TIFF),
    (b"II+\x00", kinds.TIFF),
    (b"MM\x00+", kinds.TIFF),
)
_PHOTOS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif"})
"""Brands of files that a camera or phone writes."""
# two or three letters alone could begin a text: for these, what follows must be binary too
_SHORT_MAGIC: Final = frozenset({b"BM", b"MZ", b"BZh", b"ID3", b"RIFF", b"GIF8", b"OggS", b"fLaC", b"bplist00"})
_CONTROLS: Final = re.compile(b"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_MAIN_PARTS: Final = (
    (b"wordprocessingml.document.main", kinds.DOCX),
    (b"wordprocessingml.template.main", kinds.DOCX),
    (b"ms-word.document.macroEnabled.main", kinds.DOCX),
    (b"ms-word.template.macroEnabledTemplate.main", kinds.DOCX),
    (b"presentationml.presentation.main", kinds.PPTX),
    (b"presentationml.slideshow.main", kinds.PPTX),
    (b"presentationml.template.main", kinds.PPTX),
    (b"ms-powerpoint.presentation.macroEnabled.main", kinds.PPTX),
    (b"ms-powerpoint.slideshow.macroEnabled.main", kinds.PPTX),
    (b"spreadsheetml.sheet.main", kinds.XLSX),
    (b"spreadsheetml.template.main", kinds.XLSX),
    (b"ms-excel.sheet.macroEnabled.main", kinds.XLSX),
    (b"ms-excel.template.macroEnabled.main", kinds.XLSX),
)
_MACRO_PARTS: Final = re.compile(
    r"(?:.*/)?vbaProject\.bin|(?:xl/)?macrosheets/.*|Basic/.*\.xml|Scripts/.*", re.IGNORECASE
)
_IWORK: Final = re.compile(r"Index/.*\.iwa|Metadata/BuildVersionHistory\.plist")
_MIMETYPES: Final = {
    kinds.EPUB.encode(): kinds.EPUB,
    kinds.ODT.encode(): kinds.ODT,
    kinds.ODS.encode(): kinds.ODS,
    kinds.ODP.encode(): kinds.ODP,
}
_LONGEST_LIST: Final = 4_194_304
"""Bytes of an archive's own list of contents that are read."""


def tell(data: bytes) -> str:
    """The media type of a document that can be read.

    Raises:
        IsArchive: It is a ZIP archive of files.
        DocumentRefused: It is of no kind that is read, encrypted, or carries programs.
    """
    refuse_foreign(data[:NEEDED])
    if image := _image_kind(data):
        return image
    if b"%PDF-" in data[:1024]:
        return kinds.PDF
    if data.startswith(_ZIP):
        return _tell_archive(data)
    if data.startswith(_OLE2):
        return _tell_old_office(data)
    if data.lstrip()[:5] == b"{\\rtf":
        return kinds.RTF
    text = decode(data)
    if not text.strip():
        raise EmptyDocument("The document has no text in it.")
    return kind_of_text(text)


def read(data: bytes) -> Manuscript:
    """Read plain text or Markdown: its own text, no character changed, and the blocks in it, but for front matter.

    Raises:
        DocumentRefused: It is empty, binary, or in an encoding that cannot be told.
    """
    refuse_foreign(data[:NEEDED])
    text = decode(data)
    if not text.strip():
        raise EmptyDocument("The document has no text in it.")
    if above := front_matter(text):
        blocks = tuple(block.moved(above.end) for block in markdown_blocks(text[above.end :]))
        return Manuscript(kinds.MARKDOWN, text, blocks, title=above.title)
    if kind_of_text(text) == kinds.MARKDOWN:
        return Manuscript(kinds.MARKDOWN, text, tuple(markdown_blocks(text)))
    return Manuscript(kinds.PLAIN, text, tuple(plain_text_blocks(text)))


def refuse_foreign(head: bytes) -> None:
    """Refuse by the first bytes alone what can never be read; anything else needs the whole file.

    Raises:
        EmptyDocument: No bytes at all.
        UnsupportedType: The bytes begin like another kind of file.
    """
    if not head:
        raise EmptyDocument("The document is empty.")
    kind = _foreign_kind(head)
    if kind is not None:
        what, _, advice = kind.partition(";")
        raise _unsupported(f"{what}, whatever its name says{advice and f';{advice}'}")


def _image_kind(head: bytes) -> str | None:
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return kinds.WEBP
    return next((kind for magic, kind in _IMAGES if head.startswith(magic)), None)


def _foreign_kind(head: bytes) -> str | None:
    if _image_kind(head):
        return None
    if head[4:8] == b"ftyp":
        return "a HEIC or AVIF image; save it as JPEG" if head[8:12] in _PHOTOS else "a film"
    if head[257:262] == b"ustar":
        return "a tar archive"
    for magic, kind in _FOREIGN:
        if head.startswith(magic) and (magic not in _SHORT_MAGIC or _CONTROLS.search(head[:512])):
            return kind
    return None


def _tell_archive(data: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _tell_contents(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError) as error:
        raise Damaged(
            "This is an Office document or archive that is damaged. Save it again and send it anew."
        ) from error


def _tell_contents(archive: zipfile.ZipFile) -> str:
    names = set(archive.namelist())
    if any(entry.flag_bits & 1 for entry in archive.infolist()):
        raise Encrypted("The document is encrypted. Remove its password and send it again.")
    kind = _open_document_kind(archive, names) or _office_kind(archive, names)
    if kind is None and any(map(_IWORK.fullmatch, names)):
        raise _unsupported("an Apple Pages, Numbers or Keynote document; export it as PDF, Word, Excel or PowerPoint")
    if kind is None and "[Content_Types].xml" in names:
        raise _unsupported("an Office file of a kind that is not read, such as Visio; save it as PDF")
    if kind is None:
        raise IsArchive("This is a ZIP archive that is no document.")
    if any(map(_MACRO_PARTS.fullmatch, names)):
        raise MacrosRefused("The document carries macros (programs). Save it without macros and send it again.")
    return kind


def _office_kind(archive: zipfile.ZipFile, names: set[str]) -> str | None:
    if "[Content_Types].xml" not in names:
        return None
    listed = _part(archive, "[Content_Types].xml")
    if b"ms-excel.sheet.binary" in listed:
        raise _unsupported("a binary Excel workbook (.xlsb); save it as .xlsx")
    found = next((kind for part, kind in _MAIN_PARTS if part in listed), None)
    if found is None and names & {"word/document.xml", "xl/workbook.xml", "ppt/presentation.xml"}:
        raise Damaged("This Office document does not say what it is. Save it again and send it anew.")
    return found


def _open_document_kind(archive: zipfile.ZipFile, names: set[str]) -> str | None:
    declared = _part(archive, "mimetype").strip() if "mimetype" in names else b""
    kind = _MIMETYPES.get(declared.removesuffix(b"-template"))
    if kind is None:
        return kinds.EPUB if "META-INF/container.xml" in names else None
    manifest = _part(archive, "META-INF/manifest.xml") if "META-INF/manifest.xml" in names else b""
    if b"encryption-data" in manifest:
        raise Encrypted("The document is encrypted. Remove its password and send it again.")
    return kind


def _part(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as part:
        return part.read(_LONGEST_LIST)


def _tell_old_office(data: bytes) -> str:
    """By the names of the streams, which its directory holds as UTF-16."""

    def has(name: str) -> bool:
        return name.encode("utf-16-le") in data

    if has("__properties_version1.0"):
        return kinds.OUTLOOK
    if has("EncryptedPackage"):
        raise Encrypted("The document is encrypted. Remove its password and send it again.")
    if has("WordDocument"):
        raise _unsupported("an old Word document (.doc); save it as .docx")
    if has("PowerPoint Document"):
        raise _unsupported("an old PowerPoint presentation (.ppt); save it as .pptx")
    if has("_VBA_PROJECT_CUR"):
        raise MacrosRefused("The document carries macros (programs). Save it without macros and send it again.")
    if has("Workbook") or has("Book"):
        return kinds.XLS
    raise _unsupported("an old Office file of an unknown kind")


def _unsupported(what: str) -> UnsupportedType:
    return UnsupportedType(f"This is {what}. {kinds.READABLE}")

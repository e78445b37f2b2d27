"""What an upload is, told from its bytes and never from its name."""

import re
from typing import Final

from ingest_service.domain.errors import EmptyDocument, UnreadableText, UnsupportedType
from ingest_service.domain.manuscript import Manuscript
from ingest_service.domain.markdown import markdown_blocks
from ingest_service.domain.plain_text import plain_text_blocks

PLAIN: Final = "text/plain"
MARKDOWN: Final = "text/markdown"
NEEDED: Final = 4_096
"""Bytes from the start of a file that `refuse_foreign` looks at."""

_READABLE = "Send text (.txt) or Markdown (.md)."
_MAGIC: Final = (
    (b"PK\x03\x04", "a ZIP archive or an Office document"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x89PNG\r\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"BM", "a BMP image"),
    (b"RIFF", "a sound, film or WebP file"),
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
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document"),
    (b"{\\rtf", "a Rich Text document"),
    (b"%!PS", "a PostScript file"),
    (b"SQLite format 3\x00", "a database file"),
)
# two or three letters alone could begin a text: for these, what follows must be binary too
_SHORT_MAGIC: Final = frozenset({b"BM", b"MZ", b"BZh", b"ID3", b"RIFF", b"GIF8", b"OggS", b"fLaC"})
_MARKUP: Final = re.compile(rb"\s*(?:<!doctype\s+html|<html[\s>]|<\?xml\s)", re.IGNORECASE)
_BOMS: Final = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_OFTEN, _HARDLY = 0.4, 0.05
_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_MARKDOWN_SIGNS: Final = re.compile(
    r"^(?: {0,3}#{1,6}[ \t]+\S|```|~~~|[ \t]*\|?[ \t]*:?-{3,}:?[ \t]*\||.*\]\(\S+\)|> ?\S|.*\*\*\S.*\S\*\*)",
    re.MULTILINE,
)


def read(data: bytes) -> Manuscript:
    """Read plain text or Markdown: its own text, no character changed, and the blocks in it.

    Raises:
        EmptyDocument: There is nothing in it.
        UnsupportedType: It is binary or of a kind that is not read.
        UnreadableText: Its encoding cannot be told.
    """
    refuse_foreign(data[:NEEDED])
    text = _decode(data)
    if not text.strip():
        raise EmptyDocument("The document has no text in it.")
    if len(_CONTROLS.findall(text)) * 100 > len(text) or "\x00" in text:
        raise UnsupportedType(f"This is binary data, not a text. {_READABLE}")
    if _MARKDOWN_SIGNS.search(text):
        return Manuscript(MARKDOWN, text, tuple(markdown_blocks(text)))
    return Manuscript(PLAIN, text, tuple(plain_text_blocks(text)))


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
        raise UnsupportedType(f"This is {kind}, whatever its name says. {_READABLE}")


def _foreign_kind(head: bytes) -> str | None:
    if b"%PDF-" in head[:1024]:
        return "a PDF"
    if head[4:8] == b"ftyp":
        return "a film or HEIC image"
    if head[257:262] == b"ustar":
        return "a tar archive"
    if _MARKUP.match(head.removeprefix(b"\xef\xbb\xbf")):
        return "an HTML or XML page"
    for magic, kind in _MAGIC:
        if head.startswith(magic) and (magic not in _SHORT_MAGIC or _is_binary(head)):
            return kind
    return None


def _is_binary(head: bytes) -> bool:
    return bool(_CONTROLS.search(head[:512].decode("latin-1")))


def _decode(data: bytes) -> str:
    encoding = next((encoding for bom, encoding in _BOMS if data.startswith(bom)), None) or _bomless_utf16(data)
    try:
        text = data.decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        if encoding is not None:
            raise UnreadableText(
                f"The text says that it is {encoding.upper()}, but is not. Save it as UTF-8."
            ) from error
        text = _western(data)
    return text.removeprefix("\ufeff")


def _bomless_utf16(data: bytes) -> str | None:
    """UTF-16 of mostly Latin text has a zero in every second byte; other data with zeros is no text at all."""
    head = data[:NEEDED]
    if b"\x00" not in head:
        return None
    half = max(len(head) // 2, 1)
    even, odd = head[0::2].count(0) / half, head[1::2].count(0) / half
    if odd > _OFTEN and even < _HARDLY:
        return "utf-16-le"
    if even > _OFTEN and odd < _HARDLY:
        return "utf-16-be"
    raise UnsupportedType(f"This is binary data, not a text. {_READABLE}")


def _western(data: bytes) -> str:
    """Windows-1252 or Latin-1, where letters beyond ASCII are the exception; in other encodings they are the rule."""
    beyond = len(data.translate(None, bytes(range(128))))
    if beyond * 10 > len(data) * 3:
        raise UnreadableText("The text's encoding cannot be told. Save it as UTF-8 and send it again.")
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError as error:
        raise UnsupportedType(f"This is binary data, not a text. {_READABLE}") from error

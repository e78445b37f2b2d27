"""A text's bytes as characters: by its mark, by its form, by what it can be."""

import re
from typing import Final

from ingest_service.domain import national
from ingest_service.domain.errors import UnreadableText, UnsupportedType
from ingest_service.domain.media_types import READABLE

LOOKED_AT: Final = 4_096
"""Bytes from the start that tell UTF-16 without a mark."""
_BOMS: Final = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_OFTEN, _HARDLY = 0.4, 0.05
_CONTROLS: Final = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_RARE: Final = 0.3
"""Share of bytes beyond ASCII up to which a text that is like no language is taken for a Western one."""
_WESTERN: Final = "cp1252"
_MEANT: Final = {
    **dict.fromkeys(("iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "latin-1"), "cp1252"),
    **dict.fromkeys(("iso-8859-9", "latin5"), "cp1254"),
    **dict.fromkeys(("gb2312", "gb_2312-80", "gbk"), "gb18030"),
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis"), "cp932"),
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987"), "cp949"),
    **dict.fromkeys(("tis-620", "iso-8859-11"), "cp874"),
}
"""Labels whose texts hold more than the label's own encoding does, such as the euro sign: read as the WHATWG Encoding
Standard has it."""


def meant(label: str) -> str:
    """The encoding that a page or letter is in when it says this one."""
    return _MEANT.get(label.strip().lower(), label)


def decode(data: bytes) -> str:
    """The characters, without a mark of the encoding or of the end; a vertical tab is a line's end, as Word means it.

    Raises:
        UnsupportedType: It is binary.
        UnreadableText: Its encoding cannot be told.
    """
    data = _without_end(data)
    encoding = encoding_of(data)
    try:
        text = data.decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        if encoding is not None:
            raise UnreadableText(
                f"The text says that it is {encoding.upper()}, but is not. Save it as UTF-8."
            ) from error
        text = _mended(data) or _guessed(data)
    text = text.removeprefix("\ufeff").replace("\x0b", "\n")
    if "\x00" in text or len(_CONTROLS.findall(text)) * 100 > len(text):
        raise _binary()
    return text


def guess_of(data: bytes) -> str | None:
    """The encoding that `decode` has to guess for a text that says none, as people call it; None when it is told."""
    data = _without_end(data)
    if encoding_of(data) is not None:
        return None
    try:
        data.decode()
    except UnicodeDecodeError:
        likely = None if _mended(data) else _likely(data)
        return likely and re.sub(r"^CP125", "Windows-125", likely.upper())
    return None


def encoding_of(data: bytes) -> str | None:
    """The encoding that a mark or zeros in every second byte tell; None when neither is there.

    Raises:
        UnsupportedType: It has zeros where no text has any.
    """
    marked = next((encoding for bom, encoding in _BOMS if data.startswith(bom)), None)
    return marked or _bomless_utf16(data)


def _without_end(data: bytes) -> bytes:
    """Without the mark with which a text of DOS ends, and what fills its last block.

    In UTF-16 the same bytes are letters or halves of them; such a text has a mark of its own, or zeros.
    """
    text = data.rstrip(b"\x1a\x00")
    is_ended = data[len(text) :].startswith(b"\x1a") and b"\x00" not in text
    return text if is_ended and not text.startswith((b"\xff\xfe", b"\xfe\xff")) else data


def _bomless_utf16(data: bytes) -> str | None:
    """UTF-16 of mostly Latin text has a zero in every second byte; other data with zeros is no text at all."""
    head = data[:LOOKED_AT]
    if b"\x00" not in head:
        return None
    half = max(len(head) // 2, 1)
    even, odd = head[0::2].count(0) / half, head[1::2].count(0) / half
    if odd > _OFTEN and even < _HARDLY:
        return "utf-16-le"
    if even > _OFTEN and odd < _HARDLY:
        return "utf-16-be"
    raise _binary()


def _mended(data: bytes) -> str | None:
    """UTF-8 with a few broken characters; None when it is no UTF-8."""
    text = data.decode("utf-8", errors="replace")
    beyond = len(text) - len(text.encode("ascii", errors="ignore"))
    return text if text.count("\ufffd") * 10 <= beyond else None


def _guessed(data: bytes) -> str:
    """In the encoding of a country or region, though the last bytes may be no character."""
    if _CONTROLS.search(data[:LOOKED_AT].decode("latin-1")):
        raise _binary()
    encoding = _likely(data)
    if encoding is None:
        raise UnreadableText("The text's encoding cannot be told. Save it as UTF-8 and send it again.")
    try:
        return data.decode(encoding, errors="strict" if encoding == _WESTERN else "replace")
    except UnicodeDecodeError as error:
        raise _binary() from error


def _likely(data: bytes) -> str | None:
    found = national.guess(data)
    if found is not None:
        return found.encoding
    return _WESTERN if len(data.translate(None, bytes(range(128)))) <= len(data) * _RARE else None


def _binary() -> UnsupportedType:
    return UnsupportedType(f"This is binary data, not a text. {READABLE}")

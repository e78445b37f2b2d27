"""A text's bytes as characters: by its mark, by its form, by what it can be."""

import re
from typing import Final

from charset_normalizer import from_bytes

from ingest_service.domain.errors import UnreadableText, UnsupportedType
from ingest_service.domain.media_types import READABLE

LOOKED_AT: Final = 4_096
"""Bytes from the start that tell UTF-16 without a mark."""
GUESSED_FROM: Final = 65_536
"""Bytes from which a national encoding is guessed."""
_BOMS: Final = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_OFTEN, _HARDLY = 0.4, 0.05
_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_GUESSABLE_BYTES: Final = 48
"""Bytes beyond ASCII; of fewer, every guess is as good as another."""
_COHERENT: Final = 0.2
_EAST_ASIAN: Final = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def decode(data: bytes) -> str:
    """The characters, without a mark of the encoding.

    Raises:
        UnsupportedType: It is binary.
        UnreadableText: Its encoding cannot be told.
    """
    encoding = encoding_of(data)
    try:
        text = data.decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        if encoding is not None:
            raise UnreadableText(
                f"The text says that it is {encoding.upper()}, but is not. Save it as UTF-8."
            ) from error
        text = _mended(data) or _western(data)
    text = text.removeprefix("\ufeff")
    if "\x00" in text or len(_CONTROLS.findall(text)) * 100 > len(text):
        raise _binary()
    return text


def encoding_of(data: bytes) -> str | None:
    """The encoding that a mark or zeros in every second byte tell; None when neither is there.

    Raises:
        UnsupportedType: It has zeros where no text has any.
    """
    marked = next((encoding for bom, encoding in _BOMS if data.startswith(bom)), None)
    return marked or _bomless_utf16(data)


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


def _western(data: bytes) -> str:
    """Windows-1252 or Latin-1, where letters beyond ASCII are the exception; in other encodings they are the rule."""
    beyond = len(data.translate(None, bytes(range(128))))
    if beyond * 10 > len(data) * 3:
        return _guessed(data, beyond)
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError as error:
        raise _binary() from error


def _guessed(data: bytes, beyond: int) -> str:
    """A national encoding, if its text is clearly one of a language that is written with it."""
    if _CONTROLS.search(data[:LOOKED_AT].decode("latin-1")):
        raise _binary()
    guess = from_bytes(data[:GUESSED_FROM]).best() if beyond >= _GUESSABLE_BYTES else None
    if guess is not None:
        head = str(guess)
        is_east_asian = guess.multi_byte_usage and len(_EAST_ASIAN.findall(head)) * 2 > len(head)
        if is_east_asian or guess.coherence >= _COHERENT:
            return data.decode(guess.encoding, errors="replace")
    raise UnreadableText("The text's encoding cannot be told. Save it as UTF-8 and send it again.")


def _binary() -> UnsupportedType:
    return UnsupportedType(f"This is binary data, not a text. {READABLE}")

"""E-mails by the standard library: who wrote what to whom; attachments are named and not opened."""

from collections.abc import Iterable
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Final

from ingest_service.domain import media_types
from ingest_service.domain.encoding import decode, encoding_of, meant
from ingest_service.domain.errors import DocumentRefused, Encrypted
from ingest_service.domain.manuscript import Composer, Manuscript
from ingest_service.domain.plain_text import plain_text_blocks
from ingest_service.outbound.readers.ports import Say
from ingest_service.outbound.readers.webpage import compose_html, text_of

_SHOWN: Final = ("From", "To", "Cc", "Date")
_ENCRYPTED: Final = frozenset({"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"})
_PGP: Final = "-----BEGIN PGP MESSAGE-----"


def read(data: bytes, say: Say) -> Manuscript:
    """Raises: Encrypted."""
    if encoding_of(data) is not None:
        data = decode(data).encode()
    message = message_from_bytes(data.lstrip(b"\r\n"), policy=policy.default)
    assert isinstance(message, EmailMessage)
    refuse_encrypted(message.get_content_type())
    composer = Composer()
    subject = _header(message, "Subject")
    compose_head(composer, subject, [(name, _header(message, name)) for name in _SHOWN])
    _write_body(composer, message)
    note_attachments(composer, (_name(part) for part in message.iter_attachments()) if message.is_multipart() else ())
    say(1, 1)
    return composer.manuscript(media_types.EMAIL, subject)


def refuse_encrypted(content_type: str) -> None:
    """Raises: Encrypted."""
    if content_type in _ENCRYPTED:
        raise Encrypted("The e-mail is encrypted. Decrypt it and send it again.")


def compose_head(composer: Composer, subject: str, headers: Iterable[tuple[str, str]]) -> None:
    """The subject as heading, then the headers that have a value."""
    composer.heading(1, subject)
    composer.paragraph("\n".join(f"{name}: {value}" for name, value in headers if value))


def compose_plain(composer: Composer, words: str) -> None:
    """Raises: Encrypted."""
    if words.lstrip().startswith(_PGP):
        raise Encrypted("The e-mail is encrypted. Decrypt it and send it again.")
    composer.text(words, plain_text_blocks)


def note_attachments(composer: Composer, names: Iterable[str]) -> None:
    """Say what was not read."""
    listed = ", ".join(names)
    if listed:
        composer.note(f"Attachments were not read; send them as documents of their own: {listed}.")


def _write_body(composer: Composer, message: EmailMessage) -> None:
    for kind in ("plain", "html"):
        body = message.get_body(preferencelist=(kind,))
        if not isinstance(body, EmailMessage):
            continue
        was = composer.blocks
        if kind == "plain":
            compose_plain(composer, _words(body))
        else:
            compose_html(composer, _words(body))
        if composer.blocks > was:
            return


def _words(part: EmailMessage) -> str:
    """A part's text by the charset that it names, if that can be; else as any text is told."""
    content = part.get_payload(decode=True)
    raw = content if isinstance(content, bytes) else str(part.get_payload()).encode(errors="replace")
    charset = part.get_content_charset()
    try:
        return raw.decode(meant(charset)) if charset else text_of(raw)
    except (LookupError, UnicodeDecodeError, DocumentRefused):
        return raw.decode("utf-8", errors="replace")


def _header(message: EmailMessage, name: str) -> str:
    try:
        return str(message.get(name, ""))
    except (ValueError, IndexError, AttributeError, LookupError):
        # the standard library breaks at some malformed headers; a letter can be read without one
        return ""


def _name(part: EmailMessage) -> str:
    return part.get_filename() or part.get_content_type()

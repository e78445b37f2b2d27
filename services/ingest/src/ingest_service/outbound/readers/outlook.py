"""Outlook's messages by python-oxmsg: the same of a letter as from its Internet form."""

from oxmsg import Message

from ingest_service.domain import media_types
from ingest_service.domain.errors import Encrypted
from ingest_service.domain.manuscript import Composer, Manuscript
from ingest_service.outbound.readers.letter import compose_head, compose_plain, note_attachments
from ingest_service.outbound.readers.ports import Say
from ingest_service.outbound.readers.webpage import compose_html


def read(data: bytes, say: Say) -> Manuscript:
    """Raises: Encrypted."""
    message = Message.load(data)
    if "smime" in message.message_class.lower() and "multipartsigned" not in message.message_class.lower():
        raise Encrypted("The e-mail is encrypted. Decrypt it and send it again.")
    composer = Composer()
    to = ", ".join(f"{person.name} <{person.email_address}>" for person in message.recipients)
    date = message.sent_date.isoformat(" ", "minutes") if message.sent_date else ""
    compose_head(composer, message.subject, [("From", message.sender or ""), ("To", to), ("Date", date)])
    if message.body and message.body.strip():
        compose_plain(composer, message.body)
    elif message.html_body:
        compose_html(composer, message.html_body)
    note_attachments(composer, (attachment.file_name or "unnamed" for attachment in message.attachments))
    say(1, 1)
    return composer.manuscript(media_types.OUTLOOK, message.subject)

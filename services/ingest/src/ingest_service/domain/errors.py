"""Why a document is refused.

runtime.errors.Rejected
+-- DocumentRefused      the bytes are not a document we can read; trying again changes nothing
    +-- EmptyDocument    no bytes, or nothing but white space
    +-- UnsupportedType  bytes of a kind that is not read (yet), whatever the file is called
    +-- UnreadableText   a text in an encoding that cannot be told
    +-- Damaged          it begins like a kind that is read, and breaks that kind's rules
    +-- Encrypted        it asks for a password
    +-- NoTextLayer      every page is a picture
    +-- MacrosRefused    an Office document of a kind that carries programs
    +-- DocumentTooLong  more pages or characters than one document may have
    +-- TooLargeInMemory reading it needs more memory than a reader gets
    +-- TookTooLong      reading it needs more time than a reader gets
    +-- ReaderCrashed    it ends its reader, twice
    +-- AddressRefused   no address of a page, or one that leads into a private network
    +-- PageRefused      the site does not give the page
    |   +-- PageGone     it says that there is none
    +-- SameContent      a page that another document holds already
    +-- IsArchive        no document but a collection of documents: it is unpacked, not read
    +-- ArchiveRefused   a collection that cannot be unpacked as it is
    +-- UnpacksTooLarge  an archive whose contents are out of all proportion to it
"""

import contextlib
from collections.abc import Iterator

from runtime.errors import Rejected


class DocumentRefused(Rejected):
    """The document can never be indexed as it is; `media_type` is what it is, where that was told before."""

    default_code = "unreadable_document"
    media_type: str | None = None


@contextlib.contextmanager
def of_kind(media_type: str) -> Iterator[None]:
    """What is refused meanwhile is such a document."""
    try:
        yield
    except DocumentRefused as refused:
        refused.media_type = refused.media_type or media_type
        raise


class EmptyDocument(DocumentRefused):
    """No bytes, or nothing but white space."""

    default_code = "empty_document"


class UnsupportedType(DocumentRefused):
    """The bytes are of a kind that is not read (yet), whatever the file is called."""

    default_code = "unsupported_type"


class UnreadableText(DocumentRefused):
    """It looks like text, in an encoding that cannot be told."""


class Damaged(DocumentRefused):
    """It begins like a kind that is read, and breaks that kind's rules."""


class Encrypted(DocumentRefused):
    """It asks for a password."""

    default_code = "encrypted_document"


class NoTextLayer(DocumentRefused):
    """Every page is a picture."""

    default_code = "no_text_layer"


class MacrosRefused(DocumentRefused):
    """An Office document of a kind that carries programs."""

    default_code = "macros_refused"


class UnpacksTooLarge(DocumentRefused):
    """An archive whose contents are out of all proportion to it."""

    default_code = "unpacks_too_large"


class DocumentTooLong(DocumentRefused):
    """More pages, characters or passages than one document may have."""

    default_code = "document_too_long"


class TooLargeInMemory(DocumentRefused):
    """Reading it needs more memory than a reader gets."""

    default_code = "too_large_in_memory"

    def __init__(self) -> None:
        super().__init__("Reading this document needs too much memory. Send it in parts, or in a simpler form.")


class TookTooLong(DocumentRefused):
    """Reading it needs more time than a reader gets."""

    default_code = "took_too_long"

    def __init__(self) -> None:
        super().__init__("Reading this document takes too long. Send it in parts, or in a simpler form.")


class ReaderCrashed(DocumentRefused):
    """It ends its reader: the file is damaged, or made to do harm."""

    default_code = "reader_crashed"

    def __init__(self) -> None:
        super().__init__("This document cannot be read: its file is damaged. Save it anew and send that.")


class AddressRefused(DocumentRefused):
    """No address of a page, or one that leads into a private network."""

    default_code = "address_refused"


class PageRefused(DocumentRefused):
    """The site does not give the page."""

    default_code = "page_refused"


class PageGone(PageRefused):
    """The site says that there is no such page."""

    default_code = "page_not_found"


class PageUnlisted(PageGone):
    """The page asks not to be kept, and nobody asked for it by its own address."""

    default_code = "robots_refused"

    def __init__(self) -> None:
        super().__init__(
            "The page asks not to be kept by search (noindex). If it is meant for your customers, add it by its own "
            "address, or take that out of the page."
        )


class SameContent(DocumentRefused):
    """A page that another document holds already."""

    default_code = "same_content"


class IsArchive(DocumentRefused):
    """No document but a collection of documents: it is unpacked, not read."""

    default_code = "is_archive"


class ArchiveRefused(DocumentRefused):
    """A collection that cannot be unpacked as it is."""

    default_code = "archive_refused"

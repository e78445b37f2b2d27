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
    +-- UnpacksTooLarge  an archive whose contents are out of all proportion to it
"""

from runtime.errors import Rejected


class DocumentRefused(Rejected):
    """The document can never be indexed as it is."""

    default_code = "unreadable_document"


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
    """More pages or characters than one document may have."""

    default_code = "document_too_long"

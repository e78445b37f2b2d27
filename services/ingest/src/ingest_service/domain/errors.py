"""Why a document is refused.

runtime.errors.Rejected
+-- DocumentRefused      the bytes are not a document we can read; trying again changes nothing
    +-- EmptyDocument    no bytes, or nothing but white space
    +-- UnsupportedType  bytes of a kind that is not read (yet), whatever the file is called
    +-- UnreadableText   a text in an encoding that cannot be told
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

"""Keyset cursors: the last row's moment and id, opaque to the caller."""

import base64
import binascii
from datetime import datetime
from uuid import UUID

from runtime.errors import Rejected


def encode(moment: datetime, row_id: UUID) -> str:
    return base64.urlsafe_b64encode(f"{moment.isoformat()}|{row_id}".encode()).decode()


def decode(cursor: str) -> tuple[datetime, UUID]:
    """Raises Rejected when it is not one of ours."""
    try:
        moment, _, row_id = base64.urlsafe_b64decode(cursor.encode()).decode().partition("|")
        return datetime.fromisoformat(moment), UUID(row_id)
    except (ValueError, binascii.Error) as error:
        raise Rejected("the cursor is not one that this list gave") from error

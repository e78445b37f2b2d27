"""Ids are UUIDs by type: whatever is parsed into one is safe as a single NATS subject token."""

import os
import time
from typing import NewType
from uuid import UUID

TenantId = NewType("TenantId", UUID)
UserId = NewType("UserId", UUID)
ApiKeyId = NewType("ApiKeyId", UUID)
SessionId = NewType("SessionId", UUID)
AgentId = NewType("AgentId", UUID)
ConversationId = NewType("ConversationId", UUID)
MessageId = NewType("MessageId", UUID)
ClientMessageId = NewType("ClientMessageId", UUID)
DocumentId = NewType("DocumentId", UUID)
PassageId = NewType("PassageId", UUID)
GapId = NewType("GapId", UUID)
EventId = NewType("EventId", UUID)

_VERSION_7 = 0x7 << 76
_VARIANT_RFC = 0b10 << 62


def uuid7() -> UUID:
    """A new time-ordered id (UUIDv7, RFC 9562 section 5.7): 48 bits of milliseconds, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    rand_a = (random >> 62) & 0xFFF
    rand_b = random & ((1 << 62) - 1)
    return UUID(int=(milliseconds << 80) | _VERSION_7 | (rand_a << 64) | _VARIANT_RFC | rand_b)

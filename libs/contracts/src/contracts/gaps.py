"""Knowledge gaps: what customers ask and the documents do not answer, gathered by inference."""

from datetime import datetime
from typing import Literal

from contracts.base import Contract, Personal, Reply, Request
from contracts.channel import Rpc
from contracts.ids import ConversationId, DocumentId, GapId, MessageId
from contracts.paging import PageRequest
from contracts.trace import GapReason

GapState = Literal["open", "resolved", "dismissed"]


class GapExample(Contract):
    """One question of a gap, and the answer (`message_id`) that was given to it."""

    conversation_id: ConversationId
    message_id: MessageId
    question: Personal[str]
    reason: GapReason
    asked_at: datetime


class Gap(Contract):
    """Questions that mean the same and found nothing good. `question` is the first of them."""

    id: GapId
    question: Personal[str]
    language: str
    count: int
    examples: tuple[GapExample, ...]
    """The latest, at most five."""
    state: GapState
    document_id: DocumentId | None
    """The document that closed it."""
    first_seen: datetime
    last_seen: datetime


class ListGaps(PageRequest):
    """Last asked first."""

    state: GapState | None = "open"


class Gaps(Reply):
    """One page of gaps."""

    items: tuple[Gap, ...]
    next_cursor: str | None


class GetGap(Request):
    """One gap by id."""

    gap_id: GapId


class GapReply(Reply):
    """One gap."""

    gap: Gap


class CloseGap(Request):
    """Say that a document answers it, or without one that it is none."""

    gap_id: GapId
    document_id: DocumentId | None = None


class ReopenGap(Request):
    """Take the closing back; the document is not touched."""

    gap_id: GapId


_EDGE = ("gateway",)
LIST_GAPS = Rpc("inference", "list_gaps", ListGaps, Gaps, callers=_EDGE)
GET_GAP = Rpc("inference", "get_gap", GetGap, GapReply, callers=_EDGE)
CLOSE_GAP = Rpc("inference", "close_gap", CloseGap, GapReply, callers=_EDGE)
REOPEN_GAP = Rpc("inference", "reopen_gap", ReopenGap, GapReply, callers=_EDGE)

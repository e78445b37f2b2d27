"""What the learning service answers: figures read from the events it has consumed."""

from contracts.base import Reply, Request
from contracts.channel import Rpc


class GetStats(Request):
    """The business's figures so far."""


class Stats(Reply):
    """Each event is counted once, whatever the broker delivers twice."""

    conversations: int = 0
    turns_accepted: int = 0
    messages_completed: int = 0
    messages_blocked: int = 0
    messages_failed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    documents_deleted: int = 0


GET_STATS = Rpc("learning", "get_stats", GetStats, Stats, callers=("gateway",))
